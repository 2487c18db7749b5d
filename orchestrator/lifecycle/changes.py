"""What a look at the pull request changes in a session. Pure."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.domain import outsiders as outside_texts
from orchestrator.domain.event import HERE, Level
from orchestrator.domain.ids import short_sha
from orchestrator.domain.look import Look, Unseen
from orchestrator.domain.pull_request import (
    CheckRun,
    Checks,
    CheckState,
    Mergeable,
    PullRequest,
    PullRequestState,
    ReviewComment,
    ReviewDecision,
)
from orchestrator.domain.rules import Rules
from orchestrator.domain.session import Change
from orchestrator.domain.when import clock
from orchestrator.lifecycle import holding, outsiders
from orchestrator.lifecycle.draft import Draft

OPEN = frozenset({PullRequestState.OPEN, PullRequestState.DRAFT})
PUBLISHING = "publish"
"""The intent while an agent's request for a pull request is carried out."""


def decide_change(draft: Draft, look: Look[PullRequest | None]) -> None:
    """Put the pull request as just seen into the draft, telling what is new."""
    old = draft.session.change
    if isinstance(look, Unseen):
        if old is not None and old.unseen != look.reason:
            _put(draft, replace(old, unseen=look.reason))
        return
    if look.value is None or _is_past(draft, look.value):
        if old is not None and old.pr.state in OPEN and not old.unseen:
            _put(draft, replace(old, unseen="the forge does not show this pull request any more"))
        return
    new = look.value
    if old is not None and old.pr.number == new.number and _un_merges(old.pr, new):
        return
    if old is None or old.pr.number != new.number:
        others = tuple(c for c in draft.session.changes if c.pr.number != new.number)
        draft.set(changes=(*others, Change(pr=new, at=draft.now, since=draft.now)))
        draft.tell(
            "pr.opened",
            f"pull request #{new.number} opened: {new.title}",
            number=new.number,
            url=new.url,
            head=new.head,
        )
        old = Change(
            pr=replace(new, checks=Checks.NONE, decision=ReviewDecision.NONE, comments=()),
            at=0,
            since=draft.now,
        )
    since = old.since if _condition(old.pr) == _condition(new) else draft.now
    red = _red_heads(old, new)
    _put(draft, replace(old, pr=new, at=draft.now, since=since, unseen="", red_heads=red))
    _tell_changes(draft, old, new)
    holding.seen_on_forge(draft, new.head)
    held = outside_texts.of_pull_request(new, draft.now)
    if held or draft.session.held.texts:
        settled = outside_texts.settled_in(new, draft.now)
        outsiders.notice(draft, held, settled=settled, about=f" on #{new.number}")


def _is_past(draft: Draft, pr: PullRequest) -> bool:
    """It was merged or closed before the session was restored, and nobody opened it again."""
    return pr.number in draft.session.past and pr.state not in OPEN


def _un_merges(old: PullRequest, new: PullRequest) -> bool:
    """A merge is never undone: a forge that shows it as open still is behind."""
    return old.state is PullRequestState.MERGED and new.state is not PullRequestState.MERGED


def _condition(pr: PullRequest) -> tuple[object, ...]:
    return (pr.state, pr.head, pr.checks, pr.decision, pr.mergeable)


def _put(draft: Draft, change: Change) -> None:
    draft.set(changes=(*draft.session.changes[:-1], change))


def merged_by(draft: Draft, who: str, via: str, as_: str = "") -> None:
    """Keep who asked for the merge, and as whom it was done: a second click is told who was first."""
    change = draft.session.change
    if change is not None and who and not change.merged_by:
        _put(draft, replace(change, merged_by=who, merged_via=via, merged_at=draft.now, merged_as=as_))


def over_words(change: Change) -> str:
    """What became of a pull request that is merged or closed: by whom, when, as what."""
    pr = change.pr
    words = f"#{pr.number} is {pr.state.value} already"
    if change.merged_by:
        words = f"#{pr.number} was merged by {change.merged_by} at {clock(change.merged_at)}"
    return f"{words} as {pr.merge_commit[:7]}" if pr.merge_commit else words


def _red_heads(old: Change, new: PullRequest) -> tuple[str, ...]:
    """One red head is one attempt; only a green head clears the count."""
    if new.checks is Checks.PASSING:
        return ()
    if new.checks is Checks.FAILING and new.head not in old.red_heads:
        return (*old.red_heads, new.head)
    return old.red_heads


def _tell_changes(draft: Draft, change: Change, new: PullRequest) -> None:
    old = change.pr
    if old.head != new.head:
        text = f"pull request #{new.number} is at {short_sha(new.head)} now"
        draft.tell("pr.updated", text, head=new.head, was=old.head, url=new.url)
    if (old.checks, old.head) != (new.checks, new.head):
        _tell_checks(draft, new)
    if old.decision is not new.decision:
        _tell_review(draft, change, new)
    if new.mergeable is Mergeable.CONFLICTED and old.mergeable is not Mergeable.CONFLICTED:
        text = f"#{new.number} conflicts with {new.base}"
        draft.tell("merge.conflicts", text, Level.WARNING, head=new.head, url=new.url)
    if old.state in OPEN and new.state is PullRequestState.MERGED:
        text = f"#{new.number} is merged into {new.base} as {short_sha(new.merge_commit)}"
        draft.tell("pr.merged", text, Level.ACTION, head=new.head, commit=new.merge_commit, url=new.url)
    if old.state in OPEN and new.state is PullRequestState.CLOSED:
        text = f"#{new.number} was closed without a merge"
        draft.tell("pr.closed", text, Level.ACTION, head=new.head, url=new.url)
    known = {c.id for c in old.comments}
    fresh = [c for c in new.comments if c.id not in known]
    if fresh:
        text = f"{len(fresh)} new review comments"
        ours = _asked_here(change, new) or all(_by_who_asked(change, new, c) for c in fresh)
        data = {HERE: True} if ours else {}
        draft.tell("review.commented", text, Level.INFO, count=len(fresh), head=new.head, url=new.url, **data)


def _asked_here(change: Change, new: PullRequest) -> bool:
    """Whether the changes that were asked for here are shown now for the first time, with their comments."""
    requested = ReviewDecision.CHANGES_REQUESTED
    first = change.pr.decision is not requested and new.decision is requested
    return first and change.asked_head == new.head


def _by_who_asked(change: Change, new: PullRequest, comment: ReviewComment) -> bool:
    return change.asked_head == new.head and comment.author == change.asked_by


def _tell_checks(draft: Draft, new: PullRequest) -> None:
    at = short_sha(new.head)
    if new.checks is Checks.FAILING:
        names = ", ".join(run.name for run in failing(new))
        text = f"checks failed at {at}: {names}"
        draft.tell("ci.failing", text, Level.WARNING, head=new.head, checks=names, url=new.url)
    elif new.checks is Checks.PASSING:
        draft.tell("ci.passing", f"checks passed at {at}", head=new.head, url=new.url)


def _tell_review(draft: Draft, change: Change, new: PullRequest) -> None:
    if new.decision is ReviewDecision.APPROVED:
        draft.tell("review.approved", f"#{new.number} is approved", head=new.head, url=new.url)
    elif new.decision is ReviewDecision.CHANGES_REQUESTED:
        draft.tell(
            "review.changes_requested",
            f"changes are asked for on #{new.number}",
            Level.WARNING,
            head=new.head,
            url=new.url,
            **({HERE: True} if _asked_here(change, new) else {}),
        )


def failing(pr: PullRequest) -> tuple[CheckRun, ...]:
    """The failed check runs of the head."""
    return tuple(run for run in pr.runs if run.state is CheckState.FAILED)


def approvals(change: Change, rules: Rules) -> int:
    """Distinct people who approved exactly this head, and may approve in the project now."""
    return len(_approvers(change) - _former(change, rules))


def _approvers(change: Change) -> set[str]:
    return {a.by.name.lower() for a in change.approvals if a.head == change.pr.head}


def _former(change: Change, rules: Rules) -> set[str]:
    """Those of them who may not approve any more."""
    return set() if rules.approvers is None else _approvers(change) - rules.approvers


def approved(change: Change, rules: Rules) -> bool:
    """Whether the reviews of this head suffice: the forge's decision and our own count.

    The forge's may be no more than an approval of ours that was carried there: it does not count beside
    one whose giver may not approve any more.
    """
    if _changes_asked(change):
        return False
    theirs = change.pr.decision is ReviewDecision.APPROVED and not _former(change, rules)
    enough = max(approvals(change, rules), int(theirs)) >= rules.approvals
    forge_waits = change.pr.decision is ReviewDecision.PENDING and rules.approvals == 0
    return enough and not forge_waits


def _changes_asked(change: Change) -> bool:
    """By the forge, or by somebody here whose words the forge has not got yet."""
    asked = ReviewDecision.CHANGES_REQUESTED
    here = any(r.decision is asked and r.head == change.pr.head for r in change.uncarried)
    return here or change.pr.decision is asked


def green(pr: PullRequest) -> bool:
    """No check failed or still runs."""
    return pr.checks in {Checks.PASSING, Checks.NONE}


def merge_blockers(change: Change, rules: Rules, *, held_by: str = "") -> tuple[str, ...]:
    """Why this head cannot be merged now, in words; empty when every condition holds."""
    pr = change.pr
    conditions = (
        (pr.state is PullRequestState.DRAFT, "it is a draft"),
        (pr.state not in OPEN, f"it is {pr.state.value}"),
        (pr.checks is Checks.FAILING, "checks fail"),
        (pr.checks is Checks.PENDING, "checks run"),
        (not approved(change, rules), _approval_words(change, rules)),
        (pr.mergeable is Mergeable.CONFLICTED, f"it conflicts with {pr.base}"),
        (pr.mergeable is Mergeable.UNKNOWN, "the forge has not said yet whether it merges cleanly"),
        (bool(held_by), f"{held_by} holds it"),
        (bool(change.unseen), f"the last look failed: {change.unseen}"),
    )
    return (*(words for holds, words in conditions if holds), *pr.blockers)


def _approval_words(change: Change, rules: Rules) -> str:
    if _changes_asked(change):
        return "changes are asked for"
    words = f"{approvals(change, rules)} of {rules.approvals} approvals at {short_sha(change.pr.head)}"
    former = ", ".join(sorted(_former(change, rules)))
    return f"{words}; that of {former}, who may not approve here now, does not count" if former else words
