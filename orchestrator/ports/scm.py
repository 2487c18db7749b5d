"""Slot `scm`: where branches are pushed, pull requests are reviewed and merged."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from orchestrator.domain.ids import SessionId
from orchestrator.domain.look import Look
from orchestrator.domain.person import Actor
from orchestrator.domain.project import Project
from orchestrator.domain.pull_request import PullRequest, ReviewDecision
from orchestrator.ports.plugin import Slot
from orchestrator.ports.session_ref import SessionRef
from orchestrator.ports.workspace import Base


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """What to push and to show as a pull request."""

    session: SessionRef
    source: str
    """What `git fetch <source>` on this host reads (`Place.export`)."""
    head: str
    """Full SHA that is meant; another one at the branch is a `Conflict`."""
    base: str
    title: str = ""
    """Empty: keep the pull request's title, or make one from the branch."""
    body: str = ""
    draft: bool = False
    open: bool = True
    """False: push only; a pull request is not made, an existing one shows the new head."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """A merge that happened."""

    commit: str
    """The commit that is in the base branch now."""
    base: str


class Scm(Protocol):
    """A forge. Pushes from our mirror with credentials that no session ever meets."""

    async def base(self, project: Project, branch: str = "") -> Base:
        """Fetch the newest commit of a base branch (the project's default) into the mirror.

        Raises `NotFound` when the branch is gone, `PermanentError` for a repository without commits.
        """

    async def observe(self, sessions: Collection[SessionRef]) -> Mapping[SessionId, Look[PullRequest | None]]:
        """The pull request of each session, found by branch *and* by our own mark on it.

        None: there is none. Batched: outside calls do not grow one by one with the sessions.
        """

    async def publish(self, what: Publication) -> PullRequest | None:
        """Push the head and make or update the pull request. Repeatable.

        Returns None when `open` is False and there is no pull request. Raises `Conflict` when the
        forge's branch has commits that the head does not.
        """

    async def merge(self, session: SessionRef, head: str, method: str, title: str = "") -> Merged:
        """Merge the pull request if its head still is `head`.

        `method`: merge, squash or rebase. A pull request that is merged already with that head
        returns the merge that happened. Raises `Conflict` for another head or a conflict with the
        base, `PermanentError` when the forge refuses; the message says why.
        """

    async def review(
        self, session: SessionRef, head: str, verdict: ReviewDecision, by: Actor, body: str = ""
    ) -> None:
        """Carry a person's approval or request for changes, given at `head`, to the forge."""

    async def close(self, session: SessionRef, *, delete_branch: bool) -> None:
        """Close an unmerged pull request, or tidy up after a merge. Repeatable; gone is success."""


@runtime_checkable
class Claims(Protocol):
    """An scm that can hand an existing pull request over to a session."""

    async def bring(self, project: Project, number: int) -> str:
        """Bring the head of pull request `number` into the project's mirror; its full SHA.

        Raises `NotFound`, `Conflict` if it is not open.
        """

    async def claim(self, session: SessionRef, number: int, head: str) -> PullRequest:
        """Mark pull request `number` as this session's, whose workspace stands on `head`.

        Raises `NotFound`, and `Conflict` if it is not open, not on the session's branch, or its head
        is not in `head`: what the session publishes next would replace commits that it does not have.
        """

    async def find(self, project: Project, number: int) -> PullRequest | None:
        """A pull request by number, before any session has it."""


@runtime_checkable
class Branches(Protocol):
    """An scm that can name the branches that are there, so that a session's number is not given again."""

    async def branches(self, project: Project) -> Collection[str]:
        """Names of all branches, without `refs/heads/`. Raises `TemporaryError`."""


@runtime_checkable
class BaseNotes(Protocol):
    """An scm whose base branch can lack commits that a person has."""

    async def base_note(self, project: Project) -> str:
        """What a person should know of the base before work starts from it, with what to do; else empty."""


@runtime_checkable
class Reruns(Protocol):
    """An scm that can run checks again without a new commit."""

    async def rerun(self, session: SessionRef, head: str) -> None:
        """Run the failed checks of `head` again."""


SCM: Slot[Scm] = Slot("scm")
