"""End the sessions that have nothing left to do. Work is saved first, as in every end."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.domain.ids import SessionId, project_id
from orchestrator.domain.issue import Issue, IssueState
from orchestrator.domain.look import Look, Seen
from orchestrator.domain.person import Actor
from orchestrator.domain.pull_request import PullRequestState
from orchestrator.domain.session import Session, WantedState
from orchestrator.errors import AoError
from orchestrator.lifecycle.changes import OPEN
from orchestrator.services import kill
from orchestrator.services.core import Core


@dataclass(frozen=True, slots=True, kw_only=True)
class CleanupItem:
    """One session that has nothing left to do, and whether its end was begun."""

    session: SessionId
    reason: str
    done: bool
    open_change: bool = False
    """Its pull request is open: an end of it is worth a question."""


async def cleanup(
    core: Core, *, project: str | None = None, dry_run: bool = False, by: Actor
) -> list[CleanupItem]:
    """Sessions whose pull request is merged or closed, whose issue is closed, or whose agent is dead."""
    name = project_id(project) if project else None
    items = []
    for session in core.fleet.live(name):
        if session.wanted.state is WantedState.STOP:
            continue
        reason = _by_facts(session) or await _by_issue(core, session)
        if not reason:
            continue
        if not dry_run:
            await core.fleet.change(session.id, lambda d, r=reason: kill.stop(d, by, r))  # type: ignore[misc]
        items.append(
            CleanupItem(
                session=session.id, reason=reason, done=not dry_run, open_change=_has_open_change(session)
            )
        )
    return items


def _by_facts(session: Session) -> str:
    change = session.change
    if change is not None and change.pr.state in {PullRequestState.MERGED, PullRequestState.CLOSED}:
        return f"#{change.pr.number} is {change.pr.state.value}"
    if session.failed:
        return f"it could not be set up: {session.setup.reason}"
    if session.runtime.gone:
        return f"its agent is gone: {session.runtime.reason}"
    return ""


def _has_open_change(session: Session) -> bool:
    return session.change is not None and session.change.pr.state in OPEN


async def _by_issue(core: Core, session: Session) -> str:
    """An issue that another session's merge closed says nothing of a pull request that is open."""
    if not session.task.issue or _has_open_change(session):
        return ""
    try:
        project = core.settings.project(session.project)
        looks = await core.fleet.world.tracker(session).observe(project, [session.task.issue])
    except AoError:
        return ""  # A tracker that cannot be asked is no reason to end anything.
    look: Look[Issue | None] | None = looks.get(session.task.issue)
    if isinstance(look, Seen) and look.value is not None:
        state = look.value.state
        if state in {IssueState.CLOSED, IssueState.CANCELLED}:
            return f"issue {session.task.issue} is {state.value}"
    return ""
