"""What the fleet may do to the world for one session, as values. Pure; `act` performs them."""

from __future__ import annotations

from dataclasses import dataclass

from typing_extensions import override

from orchestrator.domain.uncarried import UncarriedReview


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One thing to do. `key` names it: one act of a key runs at a time in a session."""

    @property
    def key(self) -> str:
        """The class's name, unless there can be several of a kind."""
        return type(self).__name__


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeWorkspace(Act):
    """Place, folder, base and workspace. Repeatable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StartAgent(Act):
    """Launch the agent's terminal. Repeatable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeMessage(Act):
    """Type the message of that number; the intent is kept as stage `typing`."""

    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PressEnter(Act):
    """Submit again what was typed and not confirmed."""

    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverAnswer(Act):
    """Bring a person's answer to where the agent waits for it."""

    question: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Publish(Act):
    """Push the branch to its open pull request: the turn ended with the branch ahead."""

    head: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CarryReview(Act):
    """Bring a person's review to the forge. Repeatable."""

    review: UncarriedReview

    @property
    @override
    def key(self) -> str:
        """Everybody's waits by itself."""
        return f"CarryReview {self.review.by.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge(Act):
    """Merge at that head. The intent was kept when it was asked for."""

    head: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeMergeBack(Act):
    """A merge that has begun is not wanted any more: see whether it came through, and end it if not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TellTracker(Act):
    """Tell the tracker how the issue stands."""

    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StopRuntime(Act):
    """End the agent and everything that it started."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveWork(Act):
    """Put uncommitted and unpushed work under a rescue ref."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveWorkspace(Act):
    """Remove the workspace; what it held and is nowhere else was saved before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TidyForge(Act):
    """After a merge, remove the branch on the forge. The last step before the session has ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive(Act):
    """Move the ended session's folder to the ended ones."""
