"""Looks at the fake GitHub with real git: a project, sessions with pull requests, a clock that a test moves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.demo.github.checks import Report
from bot.demo.github.server import FakeGitHub
from orchestrator.domain.ids import ProjectId, SessionId
from orchestrator.domain.look import Look, Seen
from orchestrator.domain.project import Project
from orchestrator.domain.pull_request import PullRequest
from orchestrator.ports.session_ref import SessionRef
from plugins._shared.git import Git
from plugins._shared.github.client import GitHub
from plugins._shared.github.look import Looker
from plugins._shared.github.mark import Marks, body_mark
from plugins._shared.mirror import Mirror

REPO = "acme/tool"
HOME = "ao-test"
PATIENCE = 30.0
"""Long enough for a machine with much else to do."""
START = 1_800_000_000.0


@dataclass(frozen=True, slots=True)
class Token:
    """An identity."""

    text: str = field(repr=False)

    @property
    def key(self) -> str:
        return "test"

    def auth(self) -> Any:
        from github import Auth

        return Auth.Token(self.text)


@dataclass(slots=True)
class Rig:
    """Everything that a test of looks needs."""

    folder: Path
    github: FakeGitHub
    project: Project
    clock: list[float]
    hub: GitHub
    marks: Marks
    looker: Looker
    woken: list[str]

    def session(self, number: int = 1) -> SessionRef:
        return SessionRef(
            id=SessionId(f"demo-{number}"),
            project=self.project,
            folder=self.folder / f"demo-{number}",
            branch=f"feat/issue-{number}",
        )

    async def opened(self, number: int = 1, *, marked: bool = True, repo: str = REPO, **more: Any) -> Any:
        """A session's pull request, pushed and opened by `ao`."""
        session = self.session(number)
        head = await self.github.control.push(repo, session.branch, {f"file-{number}": "text"}, by="ao-bot")
        pull = await self.github.control.pull(repo, session.branch, by="ao-bot", **more)
        if marked:
            await self.fetched(head, repo)
            await self.marks.put(self.project, session.id, pull.number, head)
        return pull

    async def fetched(self, head: str, repo: str = REPO) -> None:
        """Have a commit in the mirror, as after a push of ours."""
        mirror = Mirror(self.project.mirror)
        await mirror.ensure()
        source = self.github.world.git(self.github.world.repository(repo)).path
        await Git(self.project.mirror).run("fetch", "-q", str(source), f"{head}:refs/ao/base/{head}")

    def marked_body(self, number: int = 1) -> str:
        return f"What it does.\n\n{body_mark(self.session(number).id, HOME)}"

    def pass_time(self, seconds: float) -> None:
        self.clock[0] += seconds

    async def looks(self, sessions: Collection[SessionRef]) -> dict[SessionId, Look[PullRequest | None]]:
        return dict(await self.looker.look(sessions, lambda _session: REPO))

    async def seen(self, number: int = 1, *, after: float | None = 0.0) -> PullRequest:
        """The session's pull request: forgotten before, unless `after` is None."""
        session = self.session(number)
        if after is not None:
            self.pass_time(after)
            self.looker.forget(session.id)
        look = (await self.looks([session]))[session.id]
        assert isinstance(look, Seen), look
        assert look.value is not None
        return look.value

    async def unseen(self, number: int = 1) -> str:
        """Why it could not be looked at."""
        look = (await self.looks([self.session(number)]))[self.session(number).id]
        assert not isinstance(look, Seen), look
        return look.reason

    async def check(self, number: int, name: str, conclusion: str | None = "success", **more: Any) -> Any:
        """A check of a pull request's head; without a conclusion it runs."""
        status = "completed" if conclusion else "in_progress"
        report = Report(name=name, status=status, conclusion=conclusion, **more)
        return await self.github.control.check(REPO, number, report)

    @property
    def points(self) -> int:
        return int(self.github.control.calls["GRAPHQL points"])

    @property
    def queries(self) -> int:
        """GraphQL queries that came so far."""
        calls = self.github.control.calls
        return sum(n for name, n in calls.items() if name.startswith("GRAPHQL ") and name != "GRAPHQL points")


async def rested(rig: Rig, number: int = 1) -> int:
    """A pull request of which everything is known and nothing is near; its number."""
    pull = await rig.opened(number)
    await rig.check(pull.number, "test")
    await rig.seen(number)
    await rig.github.control.settle()
    await rig.seen(number)
    rig.pass_time(200)
    await rig.seen(number, after=None)
    return int(pull.number)


async def until(holds: Callable[[], bool]) -> None:
    """Wait for a condition."""
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0.01)


@asynccontextmanager
async def rigged(folder: Path) -> AsyncIterator[Rig]:
    """A fake GitHub with one repository, and a looker at it."""
    clock = [START]
    async with FakeGitHub(folder / "github", now=lambda: clock[0]) as github:
        github.control.user("acme", "Organization")
        await github.control.repository(
            REPO, files={"a.py": "x = 1\n"}, collaborators={"ana": "admin", "ben": "write", "ao-bot": "write"}
        )
        hub = GitHub(
            github.api_url, Token(github.control.token("ao-bot", scopes=("repo",))), now=lambda: clock[0]
        )
        marks = Marks()
        woken: list[str] = []
        project = Project(
            id=ProjectId("demo"),
            name="demo",
            path=folder / "checkout",
            default_branch="main",
            prefix="demo",
            folder=folder / "home" / "projects" / "demo",
            repo=REPO,
        )
        looker = Looker(hub, marks, home=HOME, wake=woken.append, patience=PATIENCE)
        rig = Rig(folder, github, project, clock, hub, marks, looker, woken)
        try:
            yield rig
        finally:
            await looker.aclose()
            await hub.close()
            assert github.control.unknown == []
            assert github.world.failures == []
