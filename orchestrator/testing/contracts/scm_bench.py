"""The world around a forge, as the contract of scm plugins needs it."""

from __future__ import annotations

from typing import Protocol

from orchestrator.domain.look import Seen
from orchestrator.domain.pull_request import PullRequest
from orchestrator.ports.scm import Publication, Scm
from orchestrator.ports.session_ref import SessionRef


class ScmBench(Protocol):
    """What the tests need besides the scm. Every forge begins with a base branch `main`."""

    scm: Scm
    check: str
    """Name of a check that fails while the file `broken` is there; empty when no check can be had."""

    def session(self, number: int = 1) -> SessionRef:
        """A session of the project with a branch of its own; the same for the same number."""

    async def commit(self, session: SessionRef, path: str = "file", text: str = "text") -> str:
        """Commit a change in the session's repository; its SHA."""

    async def rewrite(self, session: SessionRef) -> str:
        """Replace the newest commit in the session's repository; the new SHA."""

    def source(self, session: SessionRef) -> str:
        """Where the session's repository can be fetched from."""

    async def move_base(self, path: str, text: str) -> None:
        """Somebody else's commit arrives in the forge's base branch."""

    async def push_from_elsewhere(self, session: SessionRef) -> str:
        """Somebody else pushes a commit to the session's branch on the forge; its SHA."""

    async def settled(self) -> None:
        """Wait until every check has a result."""

    def outside_calls(self) -> int:
        """How often the scm has gone outside so far."""


async def publish(
    bench: ScmBench,
    session: SessionRef,
    head: str,
    *,
    title: str = "",
    draft: bool = False,
    open_it: bool = True,
) -> PullRequest | None:
    """Publish a session's head to `main`."""
    return await bench.scm.publish(
        Publication(
            session=session,
            source=bench.source(session),
            head=head,
            base="main",
            title=title,
            draft=draft,
            open=open_it,
        )
    )


async def look(bench: ScmBench, session: SessionRef) -> PullRequest:
    """The session's pull request as it is seen now."""
    seen = (await bench.scm.observe([session]))[session.id]
    assert isinstance(seen, Seen), seen
    assert seen.value is not None
    return seen.value


def on_branch(session: SessionRef, branch: str) -> SessionRef:
    """The same session on another branch."""
    return SessionRef(id=session.id, project=session.project, folder=session.folder, branch=branch)
