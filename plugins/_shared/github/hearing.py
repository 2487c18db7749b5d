"""What GitHub's webhooks mean for sessions: whom a delivery concerns, and whether deliveries can be relied upon.

hearing = Hearing(now=context.now, forget=looks.heard, hint=looks.hint)
hearing.know(session.id, "o/r", branch=session.branch, number=7, head=sha, repository_id=1296269, base="main")
heard = hearing.hear(project, headers, body, secrets)     # the listener; then, once it is kept:
hearing.take(heard)
hearing.noticed(session.id)                               # a look found something new
hearing.covered_repository("o/r")                         # no need to poll what rests
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from typing_extensions import override

from orchestrator.domain.ids import SessionId
from orchestrator.domain.project import Project
from orchestrator.errors import NotFound
from orchestrator.ports.plugin import Options
from orchestrator.ports.scm import Heard, Hears
from plugins._shared.github.hooks import DELIVERY, EVENT, SIGNATURE, Delivery, check_signature, parse

COVERS = 3600.0
"""Seconds for which one genuine delivery shows that the repository's deliveries come in."""
TOLD = 120.0
"""Seconds for which what a look finds counts as told by the delivery before it."""
LATE = 60.0
"""Seconds that a delivery may come later than the look that found what it tells."""
DISTRUST = 600.0
"""Seconds for which everything is polled after a change that no delivery told."""

UNKNOWN = 6 * 3600.0
"""Seconds after which a session of which nothing was said counts as ended."""
_PRUNE_EVERY = 600.0


class WebhookOptions(Options):
    """A project's `scm.webhook`: which headers carry what. The other keys are the listener's."""

    enabled: bool = True
    """Whether deliveries for this project are taken."""
    path: str | None = None
    """A further path on which the listener takes this project's deliveries."""
    secret_env_var: str | None = None
    """Name of the variable that holds the secret."""
    signature_header: str | None = None
    """Header that carries the signature; `X-Hub-Signature-256` if left out."""
    event_header: str | None = None
    """Header that names the event; `X-GitHub-Event` if left out."""
    delivery_header: str | None = None
    """Header that numbers the delivery; `X-GitHub-Delivery` if left out."""
    max_body_bytes: int | None = None
    """Larger deliveries are refused, in bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What a look showed of a session; 0 and empty: there is no pull request, or nobody looked yet."""

    branch: str
    number: int = 0
    head: str = ""
    """Full SHA."""
    base: str = ""


class Hearing(Hears):
    """One for each plugin instance, in memory: after a restart everything is looked at in any case."""

    def __init__(
        self,
        *,
        now: Callable[[], float],
        forget: Callable[[SessionId], object] = lambda _session: None,
        hint: Callable[[SessionId], object] = lambda _session: None,
        repository: Callable[[Project], str] = lambda project: project.repo,
        options: WebhookOptions | None = None,
    ) -> None:
        chosen = options or WebhookOptions()
        self._now = now
        self._forget = forget
        self._hint = hint
        self._repository = repository
        self._signature = (chosen.signature_header or SIGNATURE).lower()
        self._event = (chosen.event_header or EVENT).lower()
        self._delivery = (chosen.delivery_header or DELIVERY).lower()
        self._lock = threading.Lock()
        """Large deliveries are read in a thread."""
        self._known: dict[str, dict[SessionId, Shown]] = {}
        """By repository, in lower case."""
        self._where: dict[SessionId, str] = {}
        self._known_at: dict[SessionId, float] = {}
        self._pruned = -_PRUNE_EVERY
        self._ids: dict[str, int] = {}
        """Repositories keep their id when they are renamed or move."""
        self._heard: dict[str, float] = {}
        self._told: dict[SessionId, float] = {}
        self._untold: dict[str, dict[SessionId, float]] = {}
        """Changes that a look found and no delivery has told yet."""
        self._missed: dict[str, float] = {}

    # What the scm says ----------------------------------------------------------------------------

    def know(self, session: SessionId, repository: str, shown: Shown, *, repository_id: int = 0) -> None:
        """What a look showed of a session; the same may be said as often as one likes. Id 0: not known."""
        name = repository.lower()
        with self._lock:
            if self._where.get(session, name) != name:
                self._drop(session)
            self._where[session], self._known_at[session] = name, self._now()
            self._prune()
            self._known.setdefault(name, {})[session] = shown
            if repository_id:
                self._ids[name] = repository_id

    def sessions(self) -> frozenset[SessionId]:
        """Those that are known."""
        with self._lock:
            return frozenset(self._where)

    def _prune(self) -> None:
        now = self._now()
        if 0 <= now - self._pruned < _PRUNE_EVERY:
            return
        self._pruned = now
        for session in [s for s, at in self._known_at.items() if not 0 <= now - at <= UNKNOWN]:
            self._drop(session)

    def lose(self, session: SessionId) -> None:
        """The session has ended. Repeatable."""
        with self._lock:
            self._drop(session)

    def _drop(self, session: SessionId) -> None:
        name = self._where.pop(session, "")
        self._known_at.pop(session, None)
        self._known.get(name, {}).pop(session, None)
        self._untold.get(name, {}).pop(session, None)
        self._told.pop(session, None)

    def noticed(self, session: SessionId) -> None:
        """A look found a change of this session's pull request: if no delivery tells it, some are lost."""
        now = self._now()
        with self._lock:
            name = self._where.get(session, "")
            told = self._told.get(session)
            if name and (told is None or not 0 <= now - told <= TOLD):
                self._untold.setdefault(name, {}).setdefault(session, now)

    def covered_repository(self, repository: str) -> bool:
        """Whether its deliveries come in: one did within the last hour, and none was missed since."""
        name, now = repository.lower(), self._now()
        with self._lock:
            late = [at for at in self._untold.get(name, {}).values() if not 0 <= now - at <= LATE]
            if late:
                self._missed[name] = now
                self._untold.pop(name, None)
            heard, missed = self._heard.get(name), self._missed.get(name)
        if heard is None or not 0 <= now - heard <= COVERS:
            return False
        return missed is None or (heard >= missed and now - missed > DISTRUST)

    # The port -------------------------------------------------------------------------------------

    @override
    def hear(
        self,
        project: Project,
        headers: Mapping[str, str],
        body: bytes,
        secrets: Sequence[str],
        *,
        named: bool = False,
    ) -> Heard:
        check_signature(body, headers.get(self._signature, ""), secrets)
        delivery = parse(
            headers.get(self._event, ""),
            headers.get(self._delivery, ""),
            body,
            headers.get("content-type", ""),
        )
        repository = self._repository(project)
        with self._lock:
            here = self._is_here(repository.lower(), delivery)
            # Until a look has told the id, nobody knows whether the repository was renamed: the hook's
            # address names the project and its secret is ours. It shows nothing of what else comes in.
            maybe = named and bool(repository) and repository.lower() not in self._ids
            if delivery.repository and not here and not maybe:
                about, ours = delivery.repository[:100], repository or "nowhere"
                msg = f"it is about {about}, and {project.id} is {ours}."
                raise NotFound(msg)
            known = dict(self._known.get(repository.lower(), {})) if delivery.repository else {}
        concerned = tuple(s for s, one in known.items() if _concerns(delivery, one))
        later = tuple(s for s, one in known.items() if s not in concerned and _may_concern(delivery, one))
        if delivery.progress:
            concerned, later = (), (*concerned, *later)
        return Heard(
            id=delivery.id,
            event=delivery.event,
            repository=repository if delivery.repository and here else "",
            sessions=concerned,
            later=later,
            issues=delivery.queue,
        )

    def _is_here(self, name: str, delivery: Delivery) -> bool:
        here = (
            name in {delivery.repository.lower(), delivery.was.lower()}
            or 0 != self._ids.get(name, 0) == delivery.repository_id
        )
        if here and name and delivery.repository_id:
            self._ids[name] = delivery.repository_id
        return here and bool(name)

    @override
    def take(self, heard: Heard) -> None:
        now, name = self._now(), heard.repository.lower()
        with self._lock:
            if name:
                self._heard[name] = now
            for session in (*heard.sessions, *heard.later):
                self._told[session] = now
                self._untold.get(name, {}).pop(session, None)
        for session in heard.sessions:
            self._forget(session)
        for session in heard.later:
            self._hint(session)

    @override
    def covered(self, project: Project) -> bool:
        return self.covered_repository(self._repository(project))


def _concerns(delivery: Delivery, one: Shown) -> bool:
    return bool(
        (one.number and one.number in delivery.pulls)
        or (one.branch and one.branch in delivery.branches)
        or (one.head and one.head.lower() in delivery.heads)
    )


def _may_concern(delivery: Delivery, one: Shown) -> bool:
    return delivery.wide or bool(one.number and one.base in delivery.bases)


class HearsThrough(Hears):
    """To be inherited: the port, answered by a `Hearing` that is made anew or shared as its owner likes."""

    hearing: Hearing

    @override
    def hear(
        self,
        project: Project,
        headers: Mapping[str, str],
        body: bytes,
        secrets: Sequence[str],
        *,
        named: bool = False,
    ) -> Heard:
        return self.hearing.hear(project, headers, body, secrets, named=named)

    @override
    def take(self, heard: Heard) -> None:
        self.hearing.take(heard)

    @override
    def covered(self, project: Project) -> bool:
        return self.hearing.covered(project)
