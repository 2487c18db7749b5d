"""Smaller things done to a session's open pull request, for its agent and for people: threads, draft, base."""

from __future__ import annotations

from orchestrator.domain.ids import short_sha
from orchestrator.domain.pull_request import PullRequest
from orchestrator.domain.session import Session
from orchestrator.errors import Conflict, NotFound, NotReady
from orchestrator.lifecycle.changes import OPEN, over_words
from orchestrator.lifecycle.draft import Draft
from orchestrator.lifecycle.fleet import Fleet
from orchestrator.ports.scm import Drafts, Threads, UpdatesBranches


async def reply(fleet: Fleet, session: Session, thread: str, text: str, *, by: str) -> None:
    """Answer in a review thread. Raises `NotFound`, and `NotReady` where the forge has no threads."""
    open_pull(session)
    await _threads(fleet, session).reply(fleet.world.ref(session), thread, text)
    await _told(fleet, session, "review.replied", f"{by} answered in a review thread", by)


async def resolve(fleet: Fleet, session: Session, thread: str, *, by: str) -> None:
    """Mark a review thread as resolved. Repeatable. Raises like `reply`."""
    open_pull(session)
    await _threads(fleet, session).resolve(fleet.world.ref(session), thread)
    await _told(fleet, session, "review.resolved", f"{by} resolved a review thread", by)


async def set_draft(fleet: Fleet, session: Session, *, draft: bool, by: str) -> None:
    """Make the pull request a draft, or ready for review. Repeatable. Raises like `reply`."""
    number, scm = open_pull(session).number, fleet.world.scm(session)
    if not isinstance(scm, Drafts):
        msg = f"{session.parts.scm} has no drafts."
        raise NotReady(msg, session=session.id)
    await scm.set_draft(fleet.world.ref(session), draft=draft)
    words = f"{by} made #{number} {'a draft' if draft else 'ready for review'}"
    await _told(fleet, session, "pr.draft" if draft else "pr.ready", words, by)


async def update_branch(fleet: Fleet, session: Session, *, by: str) -> None:
    """Have the forge merge the base into the branch at the head that is known; its agent is told.

    Raises `Conflict` for another head or a conflict, `NotReady` where the forge cannot.
    """
    pull, world = open_pull(session), fleet.world
    scm = world.scm(session)
    if not isinstance(scm, UpdatesBranches):
        msg = f"{session.parts.scm} does not bring bases into branches by itself."
        raise NotReady(
            msg,
            session=session.id,
            next_step=f"`ao send {session.id} …` asks its agent to merge {pull.base}.",
        )
    await scm.update_branch(world.ref(session), pull.head)
    await scm.base(world.ref(session).project, pull.base)

    def done(d: Draft) -> None:
        text = f"{by} has the forge merge {pull.base} into #{pull.number}, at {short_sha(pull.head)}"
        d.tell("pr.base_merged", text, head=pull.head, by=by)
        if d.session.base_source:
            d.enqueue(
                f"{pull.base} was merged into your pull request on the forge. Before you commit more, bring it in here too: "
                f"`git fetch {d.session.base_source}`, then `git merge FETCH_HEAD`.",
                by=by,
                key=f"base-merged {pull.head}",
            )

    await fleet.change(session.id, done)
    fleet.wake(session.id)


def open_pull(session: Session) -> PullRequest:
    """The session's open pull request. Raises `NotFound`, `Conflict` for one that is over."""
    change = session.change
    if change is None:
        msg = "it has no pull request yet."
        raise NotFound(msg, session=session.id, next_step="`ao pr create` opens it, in the session.")
    if change.pr.state not in OPEN:
        msg = f"{over_words(change)}."
        raise Conflict(msg, session=session.id)
    return change.pr


def _threads(fleet: Fleet, session: Session) -> Threads:
    scm = fleet.world.scm(session)
    if not isinstance(scm, Threads):
        msg = f"{session.parts.scm} has no review threads that could be answered."
        raise NotReady(msg, session=session.id)
    return scm


async def _told(fleet: Fleet, session: Session, kind: str, text: str, by: str) -> None:
    await fleet.change(session.id, lambda d: d.tell(kind, text, by=by))
    fleet.wake(session.id)
