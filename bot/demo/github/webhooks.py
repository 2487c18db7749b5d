"""Webhooks: really sent, signed over the raw body; a test may hold, reorder and double them."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
import uuid
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit

import aiohttp

from bot.demo.github import shapes, shapes_pulls
from bot.demo.github.model import Change, Hook, Pull, Repository, User
from bot.demo.github.refusals import Json
from bot.demo.github.world import Happening, World, iso

LIMIT = 10.0
"""Seconds that GitHub waits for an answer."""
_HERE = {"127.0.0.1", "localhost", "::1"}


@dataclass(slots=True, eq=False)
class Delivery:
    """One request to one hook. `status`: what was answered; 0 for no answer, None while it waits."""

    number: int
    id: str
    hook: Hook
    event: str
    action: str
    payload: Json
    body: bytes
    at: float
    repo: Repository
    status: int | None = None
    seconds: float = 0.0
    redelivery: bool = False

    def headers(self) -> dict[str, str]:
        """As GitHub sends them."""
        is_form = self.hook.content_type == "form"
        said = {
            "User-Agent": "GitHub-Hookshot/fa4e000",
            "Content-Type": "application/x-www-form-urlencoded" if is_form else "application/json",
            "X-GitHub-Event": self.event,
            "X-GitHub-Delivery": self.id,
            "X-GitHub-Hook-ID": str(self.hook.id),
            "X-GitHub-Hook-Installation-Target-ID": str(self.repo.id),
            "X-GitHub-Hook-Installation-Target-Type": "repository",
        }
        if self.hook.secret:
            key = self.hook.secret.encode()
            said["X-Hub-Signature"] = "sha1=" + hmac.new(key, self.body, hashlib.sha1).hexdigest()
            said["X-Hub-Signature-256"] = "sha256=" + hmac.new(key, self.body, hashlib.sha256).hexdigest()
        return said

    def shape(self) -> Json:
        """As the list of deliveries shows it."""
        return {
            "id": self.number, "guid": self.id, "delivered_at": iso(self.at), "redelivery": self.redelivery,
            "duration": self.seconds, "status": "OK" if self.status and self.status < 400 else "failed",
            "status_code": self.status or 0, "event": self.event, "action": self.action or None,
        }  # fmt: skip


@dataclass(slots=True)
class Webhooks:
    """Sends what happens to the hooks of its repository, in order."""

    world: World
    sent: list[Delivery] = field(default_factory=list)
    """All that were answered or could not be, in the order of their sending."""
    held: list[Delivery] = field(default_factory=list)
    """Waiting for `release`, while `hold` is on."""
    hold: bool = False
    _session: aiohttp.ClientSession | None = None
    _queues: dict[int, deque[Delivery]] = field(default_factory=dict)

    def tell(self, what: Happening) -> None:
        """Something happened."""
        hooks = [hook for hook in what.repo.hooks.values() if hook.active and _wants(hook, what.event)]
        if hooks:
            payload = self._payload(what)
            for hook in hooks:
                self._send(self._delivery(what.repo, hook, what.event, what.action, payload))

    def ping(self, repo: Repository, hook: Hook, sender: User) -> None:
        """A hook is new, or somebody asked for it."""
        payload = self._payload(Happening(repo, "ping", "", {
            "zen": "Anything added dilutes everything else.", "hook_id": hook.id,
            "hook": {"type": "Repository", "id": hook.id, "events": hook.events, "active": hook.active},
        }, sender))  # fmt: skip
        self._send(self._delivery(repo, hook, "ping", "", payload))

    def again(self, delivery: Delivery) -> None:
        """Send a delivery once more, with the same id."""
        number = self.world.number()
        again = Delivery(
            number, delivery.id, delivery.hook, delivery.event, delivery.action, delivery.payload,
            delivery.body, self.world.now, delivery.repo, redelivery=True,
        )  # fmt: skip
        self._send(again)

    def release(self, order: Sequence[int] | None = None, *, keep_holding: bool = False) -> None:
        """Send what was held: as it came, or by these positions, which may repeat and leave out."""
        waiting, self.held = self.held, []
        self.hold = False
        for at in range(len(waiting)) if order is None else order:
            self._send(waiting[at])
        self.hold = keep_holding

    def drop(self) -> int:
        """Lose what was held; how many."""
        count, self.held = len(self.held), []
        return count

    async def close(self) -> None:
        """No more."""
        if self._session is not None:
            await self._session.close()

    def _delivery(self, repo: Repository, hook: Hook, event: str, action: str, payload: Json) -> Delivery:
        body = json.dumps(payload).encode()
        if hook.content_type == "form":
            body = urlencode({"payload": body.decode()}).encode()
        number = self.world.number()
        return Delivery(number, str(uuid.uuid4()), hook, event, action, payload, body, self.world.now, repo)

    def _payload(self, what: Happening) -> Json:
        said = dict(what.payload)
        pull = said.pop("pull", None)
        shape: Json = {"action": what.action} if what.action else {}
        if isinstance(pull, Pull):
            if what.event == "pull_request":
                shape["number"] = pull.number
                shape["pull_request"] = shapes_pulls.whole(self.world, pull, pull.change or Change())
            else:
                shape["pull_request"] = shapes_pulls.pull(self.world, pull)
        shape |= said
        shape["repository"] = shapes.repository(self.world, what.repo, whole=False)
        if what.repo.owner.type == "Organization":
            owner = what.repo.owner
            shape["organization"] = {"login": owner.login, "id": owner.id, "node_id": owner.node_id}
        shape["sender"] = shapes.user(self.world, what.sender)
        return shape

    def _send(self, delivery: Delivery) -> None:
        if self.hold:
            self.held.append(delivery)
            return
        queue = self._queues.setdefault(delivery.hook.id, deque())
        queue.append(delivery)
        if len(queue) == 1:
            self.world.later(self._empty(queue))

    async def _empty(self, queue: deque[Delivery]) -> None:
        """Send what waits for one hook, one at a time; whoever found the queue empty started this."""
        while queue:
            # It leaves the queue when it is sent, so that nobody begins a second round meanwhile.
            delivery = queue[0]
            try:
                await self._post(delivery)
            finally:
                self.sent.append(queue.popleft())

    async def _post(self, delivery: Delivery) -> None:
        hook, start = delivery.hook, time.monotonic()
        delivery.status, said = 0, "this fake sends to its own machine alone"
        if urlsplit(hook.url).hostname in _HERE:
            said = await self._request(delivery)
        delivery.seconds = round(time.monotonic() - start, 3)
        hook.deliveries.append(delivery.shape())
        is_good = 200 <= delivery.status < 300
        hook.last_response = {
            "code": delivery.status or None, "status": "active" if is_good else "failed", "message": said
        }  # fmt: skip

    async def _request(self, delivery: Delivery) -> str:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=LIMIT), trust_env=False)
        try:
            async with self._session.post(
                delivery.hook.url, data=delivery.body, headers=delivery.headers(), allow_redirects=False
            ) as response:
                delivery.status = response.status
                return "OK" if response.ok else str(response.reason)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return str(error) or "timed out"


def _wants(hook: Hook, event: str) -> bool:
    return "*" in hook.events or event in hook.events
