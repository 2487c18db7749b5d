"""Pushing, opening, merging and tidying up on the forge, and telling the tracker."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.domain.event import Level
from orchestrator.domain.guard import findings, unreleased
from orchestrator.domain.held import PullRequestWords
from orchestrator.domain.ids import short_sha
from orchestrator.domain.issue import CLOSED, IssueState
from orchestrator.domain.look import Seen
from orchestrator.domain.pull_request import PullRequest, PullRequestState
from orchestrator.domain.rules import OnMerge
from orchestrator.domain.session import Ending, EndingStep, Session, StopReason
from orchestrator.errors import (
    Conflict,
    NotAllowed,
    NotFound,
    NotReady,
    PermanentError,
    SignedOut,
    TemporaryError,
)
from orchestrator.lifecycle import acts, changes, holding, merging
from orchestrator.lifecycle.draft import Draft
from orchestrator.lifecycle.fleet import Fleet
from orchestrator.lifecycle.holding import PushHeld
from orchestrator.lifecycle.world import World
from orchestrator.ports.scm import Claims, Merged, Publication, Queued, Queues
from orchestrator.ports.tracker import IssueChange
from orchestrator.ports.workspace import WorkspaceLook, WorkspaceView


async def publish(fleet: Fleet, session: Session, act: acts.Publish) -> None:
    """The turn ended with commits that the open pull request has not, or a held push was released: push them."""
    try:
        await push(fleet, session, act.head)
    except PushHeld:
        return  # it is kept and told, and is due again only with another head or a release
    except Conflict:
        look = await look_at_workspace(fleet, session)
        if look.head == act.head:
            raise
        # The agent committed meanwhile: what it is at now is looked at once its turn ends.
        await fleet.change(session.id, lambda d: d.set(local_head=look.head))


async def push(
    fleet: Fleet,
    session: Session,
    head: str,
    words: PullRequestWords | None = None,
) -> PullRequest | None:
    """Bring a head from the session's repository to the forge; keep what the forge then shows.

    The only way to the forge. With `words` a pull request is opened or reworded, without it is only
    pushed to. Raises `PushHeld` for what a person has to look at first.
    """
    world = fleet.world
    place = await world.place(session)
    words = words or holding.words_of(session)
    async with place.export(session.workspace, f"refs/heads/{session.branch}") as source:
        what = Publication(
            session=world.ref(session),
            source=source,
            head=head,
            base=session.base,
            title=words.title if words else "",
            body=words.body if words else "",
            draft=words.draft if words else False,
            open=words is not None,
        )
        await _gate(fleet, session, what, words)
        await _unqueue(fleet, session, head)
        shown = world.shown(session, await world.scm(session).publish(what))

    def done(d: Draft) -> None:
        d.set(published=head, local_head=head)
        d.close_intent(changes.PUBLISHING)
        holding.taken(d)
        if shown is None or d.session.held.push is not None:
            holding.went_out(d, head)
        if shown is not None:
            changes.decide_change(d, Seen(shown))

    await fleet.change(session.id, done)
    fleet.wake(session.id)
    return shown


async def _unqueue(fleet: Fleet, session: Session, head: str) -> None:
    """A head that nobody saw is not merged in place of the one that waits in the forge's queue."""
    intent, scm = merging.intent_of(fleet.get(session.id)), fleet.world.scm(session)
    waits = intent is not None and merging.queued_words(intent) and intent.data["head"] != head
    if waits and isinstance(scm, Queues):
        await scm.leave_queue(fleet.world.ref(session))


async def _gate(fleet: Fleet, session: Session, what: Publication, words: PullRequestWords | None) -> None:
    """Raise `PushHeld` unless everything in this head that is guarded was released."""
    world = fleet.world
    guard = world.config.rules(session.project).guard
    if not guard.enabled:
        return
    back = holding.sent_back(fleet.get(session.id), what.head)
    if back is not None:
        raise back
    diff = await world.scm(session).diff(what)
    found = await world.files.run(session.project, findings, guard, diff)

    def judge(draft: Draft) -> None:
        waits = unreleased(found, draft.session.held.released)
        if waits:
            holding.hold(draft, what.head, waits, words)

    after = await fleet.change(session.id, judge)
    if unreleased(found, after.held.released):
        raise holding.refusal(what.head, after.held.push)


def claims(fleet: Fleet, session: Session) -> Claims:
    """The session's scm, which can hand pull requests over. Raises `NotReady`."""
    scm = fleet.world.scm(session)
    if not isinstance(scm, Claims):
        msg = f"{session.parts.scm} cannot hand pull requests over."
        raise NotReady(msg, session=session.id)
    return scm


def handed_over(draft: Draft, pull: PullRequest) -> None:
    """The pull request is the session's: what the forge has of it is published already."""
    draft.set(claiming=0, published=pull.head)
    holding.taken(draft)
    changes.decide_change(draft, Seen(pull))


async def look_at_workspace(fleet: Fleet, session: Session) -> WorkspaceLook:
    """The workspace as it is now. Raises `TemporaryError` when it cannot be seen."""
    world = fleet.world
    view = WorkspaceView(session=world.ref(session), place=await world.place(session))
    look = (await world.workspace(session).observe([view]))[session.id]
    if not isinstance(look, Seen):
        msg = f"its workspace could not be looked at: {look.reason}"
        raise TemporaryError(msg, session=session.id)
    if not look.value.exists:
        msg = "its workspace is gone."
        raise PermanentError(msg, session=session.id)
    return look.value


async def merge(fleet: Fleet, session: Session, act: acts.Merge) -> None:
    """Merge at the head that was shown. Asked again after a crash, the forge names the same merge."""
    world = fleet.world
    rules = world.config.rules(session.project)

    def begin(d: Draft) -> None:
        merging.check_rights(d, rules)
        merging.begin(d, act.head)

    session = await fleet.change(session.id, begin)
    if not merging.may_begin(merging.intent_of(session), act.head):
        return  # it was taken back since this act was planned, or refused
    change = session.change
    if change is None:
        msg = "there is no pull request to merge."
        raise PermanentError(msg, session=session.id)
    merged, as_ = await _merge(world, session, act.head, change.pr.title)
    if isinstance(merged, Queued):
        words = merged.words
        await fleet.change(session.id, lambda d: merging.queue(d, act.head, words, as_))
        return
    commit = merged.commit

    def done(d: Draft) -> None:
        latest, asked = d.session.change, merging.intent_of(d.session)
        d.close_intent(merging.KEY)
        if latest is None:
            return
        if latest.pr.state is not PullRequestState.MERGED:
            shown = replace(latest.pr, state=PullRequestState.MERGED, merge_commit=commit, head=act.head)
            changes.decide_change(d, Seen(shown))
        merging.keep_who(d, asked, as_)

    await fleet.change(session.id, done)


async def _merge(world: World, session: Session, head: str, title: str) -> tuple[Merged | Queued, str]:
    """The merge and, where it was done as a person, their name on the forge. Refused once, it is refused."""
    intent = merging.intent_of(session)
    who = intent.data.get("by", "") if intent is not None else ""
    method = world.config.rules(session.project).merge_method
    as_, how = None, ""
    try:
        if who != merging.BY_RULE:
            as_ = await world.credential(session, who)
            how = f" as {as_.login}" if as_ else ""
        merged = await world.scm(session).merge(world.ref(session), head, method, title, as_=as_)
    except (NotAllowed, PermanentError) as error:
        if as_ is not None and isinstance(error, SignedOut):
            gone = await world.signed_out(session, who)
            raise PermanentError(gone.what, session=session.id, next_step=gone.next_step) from error
        if as_ is None and isinstance(error, PermanentError):
            raise
        msg = f"the forge refuses it{how}: {error.what}"
        raise PermanentError(msg, session=session.id, next_step=error.next_step) from error
    return merged, as_.login if as_ else ""


async def take_merge_back(fleet: Fleet, session: Session, act: acts.TakeMergeBack) -> None:
    """The forge was asked and then somebody held it: only a look says whether it came through."""
    del act
    world, scm = fleet.world, fleet.world.scm(session)
    asked = merging.intent_of(session)
    if asked is not None and isinstance(scm, Queues):
        # Also where no queue is known of: a crash may have hidden it.
        await scm.leave_queue(world.ref(session))
    look = (await scm.observe([world.ref(session)]))[session.id]
    if not isinstance(look, Seen):
        msg = f"whether the merge came through cannot be seen: {look.reason}"
        raise TemporaryError(msg, session=session.id)

    def done(d: Draft) -> None:
        intent = merging.intent_of(d.session)
        if intent is None:
            return
        changes.decide_change(d, look)
        if d.session.change is not None and d.session.change.pr.state is PullRequestState.MERGED:
            d.close_intent(merging.KEY)
        else:
            merging.end(d, intent, by=merging.taken_back_by(intent))

    await fleet.change(session.id, done)


async def tell_tracker(fleet: Fleet, session: Session, act: acts.TellTracker) -> None:
    """Bring the issue to where the session is."""
    world = fleet.world
    project, ref = world.config.project(session.project), session.task.issue
    merged = act.state == IssueState.CLOSED.value
    change = IssueChange(state=IssueState(act.state), keep_closed=not merged)
    if merged:
        change = _after_merge(session, world.config.rules(session.project).on_merge)
    try:
        issue = await world.tracker(session).update(project, ref, change)
    except NotFound as error:
        raise PermanentError(error.what, session=session.id) from error

    def done(d: Draft) -> None:
        d.set(issue_told=act.state)
        if merged:
            how = "is closed" if issue.state in CLOSED else "stays open"
            told = " and was told of the merge" if change.comment else ""
            d.tell("issue.told", f"issue {ref} {how}{told}", issue=ref, state=issue.state.value)

    await fleet.change(session.id, done)


def _after_merge(session: Session, how: OnMerge) -> IssueChange:
    """What a merge does to the issue. The forge may have closed it by itself: it is never opened again."""
    if how == "close":
        return IssueChange(state=IssueState.CLOSED)
    comment = ""
    if how == "comment" and session.merged is not None:
        pr = session.merged.pr
        comment = f"#{pr.number} is merged into {pr.base} at {short_sha(pr.head)} (session {session.id})."
    return IssueChange(state=IssueState.OPEN, keep_closed=True, comment=comment, once=True)


async def tidy(fleet: Fleet, session: Session, act: acts.TidyForge) -> None:
    """After a merge the branch on the forge goes; otherwise pull request and branch stay."""
    del act
    if session.wanted.reason is StopReason.MERGED and session.change is not None:
        await fleet.world.scm(session).close(fleet.world.ref(session), delete_branch=True)

    def done(d: Draft) -> None:
        d.set(ending=Ending(step=EndingStep.DONE, at=d.now))
        d.tell("session.ended", f"everything is cleaned up ({d.session.status.status.value})", Level.INFO)

    await fleet.change(session.id, done)
