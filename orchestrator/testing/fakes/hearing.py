"""A forge's webhooks in memory: a delivery is JSON, and the secret itself is its signature; hooks are rows."""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from typing_extensions import override

from orchestrator.domain.ids import SessionId
from orchestrator.domain.project import Project
from orchestrator.errors import AoError, BadInput, NotAllowed, NotFound
from orchestrator.ports.scm import Heard, Hears, Hook, ManagesHooks

SIGNED_WITH = "s3cret"


def delivery(
    number: int, event: str = "pull_request", *, secret: str = SIGNED_WITH, **told: object
) -> tuple[dict[str, str], bytes]:
    """Headers and body that `FakeHearing` understands; `told`: repository, sessions, issues."""
    headers = {"x-fake-event": event, "x-fake-delivery": f"delivery-{number}", "x-fake-secret": secret}
    return headers, json.dumps(told).encode()


class FakeHearing(Hears):
    """Says what a delivery says. `forgotten` are the sessions that were to be seen anew."""

    def __init__(self) -> None:
        self.forgotten: list[SessionId] = []
        self.heard: set[str] = set()
        """Repositories of which something was heard."""

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
        given = headers.get("x-fake-secret", "").encode()
        if not any(one and hmac.compare_digest(one.encode(), given) for one in secrets):
            msg = "it is not signed with our secret."
            raise NotAllowed(msg)
        try:
            told = json.loads(body)
            repository = str(told.get("repository", project.repo))
        except (ValueError, AttributeError) as error:
            msg = "its body is no JSON object."
            raise BadInput(msg) from error
        if repository != project.repo:
            msg = f"it is about {repository}."
            raise NotFound(msg)
        return Heard(
            id=headers.get("x-fake-delivery", ""),
            event=headers.get("x-fake-event", ""),
            repository=repository,
            sessions=tuple(map(SessionId, told.get("sessions", ()))),
            issues=bool(told.get("issues", False)),
        )

    @override
    def take(self, heard: Heard) -> None:
        self.heard.add(heard.repository)
        self.forgotten += heard.sessions

    @override
    def covered(self, project: Project) -> bool:
        return project.repo in self.heard


@dataclass(slots=True)
class FakeHook:
    """A webhook as the forge has it."""

    project: str
    url: str
    secret: str = field(default="", repr=False)


class FakeHooks(ManagesHooks):
    """Webhooks in a dictionary by id; a test puts those of strangers beside ours."""

    def __init__(self) -> None:
        self.hooks: dict[str, FakeHook] = {}
        self.refused: AoError | None = None
        """What every call raises now."""
        self.sends: Callable[[FakeHook], object] = lambda _hook: None
        """What the forge does when a hook is tested."""

    def _ours(self, project: Project, url: str, known: str) -> str:
        if self.refused is not None:
            raise self.refused
        mine = {name: hook for name, hook in self.hooks.items() if hook.project == project.id}
        return known if known in mine else next((name for name, hook in mine.items() if hook.url == url), "")

    @override
    async def find_hook(self, project: Project, url: str, known: str = "") -> Hook | None:
        name = self._ours(project, url, known)
        return Hook(id=name, url=self.hooks[name].url, events=("push",)) if name else None

    @override
    async def install_hook(self, project: Project, url: str, secret: str, known: str = "") -> Hook:
        name = self._ours(project, url, known) or str(len(self.hooks) + 1)
        self.hooks[name] = FakeHook(project.id, url, secret)
        return Hook(id=name, url=url, events=("push",))

    @override
    async def test_hook(self, project: Project, hook: Hook) -> None:
        del project
        self.sends(self.hooks[hook.id])

    @override
    async def remove_hook(self, project: Project, hook: Hook) -> None:
        del project
        self.hooks.pop(hook.id, None)
