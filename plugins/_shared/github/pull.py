"""A pull request as GitHub shows it, as the fleet knows it: state, checks, reviews, mergeability. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from orchestrator.domain.pull_request import (
    Checks,
    CheckState,
    Mergeable,
    PullRequest,
    PullRequestState,
    ReviewComment,
    ReviewDecision,
    sum_up,
)
from plugins._shared.github import checks as github_checks
from plugins._shared.github import reviews as github_reviews
from plugins._shared.github.checks import Check
from plugins._shared.github.mark import APPROVAL
from plugins._shared.github.reviews import Head
from plugins._shared.github.words import Node, label, login, moment, names, node, nodes, text, whole

GRACE = 60.0
"""Seconds after a head came in which checks may still appear that nothing shows yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BranchRules:
    """What the base branch asks for, by protection and rulesets."""

    required: frozenset[str] = frozenset()
    """Names of checks and statuses."""
    approvals: int = 0
    code_owners: bool = False
    conversations: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything that was read of one pull request."""

    pull: Node
    """Of the document `look`, its lists made whole."""
    contexts: Sequence[Node] = ()
    reviews: Sequence[Node] = ()
    threads: Sequence[Node] = ()
    said: Mapping[str, Sequence[Node]] = field(default_factory=dict)
    """Thread -> its comments."""
    rules: BranchRules = BranchRules()
    tails: Mapping[int, str | None] = field(default_factory=dict)
    """Check run -> its failing lines; None: they are not there yet."""
    notes: tuple[str, ...] = ()
    behind: bool | None = None
    """None: only GitHub's own word is known."""
    head_since: float = 0.0
    """When the head came, as far as is known."""
    first_seen: Mapping[str, str] | None = None


def checks_of(facts: Facts) -> tuple[Check, ...]:
    """The checks of the head, with required ones that have not reported."""
    found = github_checks.checks(facts.contexts) if _at_head(facts.pull) else ()
    return github_checks.with_missing(found, facts.rules.required)


def pull_request(facts: Facts, now: float) -> PullRequest:
    """What the fleet is told. `now`: by GitHub's clock."""
    pull = facts.pull
    state = _state(pull)
    over = state in {PullRequestState.MERGED, PullRequestState.CLOSED}
    checks = github_checks.checks(facts.contexts) if over else checks_of(facts)
    checks = github_checks.unread(checks, facts.tails)
    runs = github_checks.shown(checks, facts.tails)
    reviews = github_reviews.verdicts(facts.reviews)
    decision = github_reviews.decision(
        text(pull.get("reviewDecision")),
        reviews,
        github_reviews.people(facts.reviews),
        text(pull.get("headRefOid")),
    )
    shown = PullRequest(
        number=whole(pull.get("number")),
        url=text(pull.get("url")),
        title=label(pull.get("title"), 300),
        branch=text(pull.get("headRefName")),
        base=text(pull.get("baseRefName")),
        head=text(pull.get("headRefOid")),
        state=state,
        checks=sum_up(runs) if runs or over else _without_checks(facts, now),
        runs=runs,
        decision=decision,
        reviews=reviews,
        comments=_comments(facts),
        behind=pull.get("mergeStateStatus") == "BEHIND" if facts.behind is None else facts.behind,
        additions=whole(pull.get("additions")),
        deletions=whole(pull.get("deletions")),
        files=whole(pull.get("changedFiles")),
        notes=facts.notes,
        merge_commit=text(node(pull.get("mergeCommit")).get("oid")),
        author=login(pull.get("author")),
        reviewers=_reviewers(pull),
        queued=pull.get("isInMergeQueue") is True or bool(pull.get("autoMergeRequest")),
    )
    return shown if over else _with_mergeability(shown, facts, checks, now)


def _state(pull: Node) -> PullRequestState:
    state = text(pull.get("state"))
    if state == "MERGED":
        return PullRequestState.MERGED
    if state == "CLOSED":
        return PullRequestState.CLOSED
    return PullRequestState.DRAFT if pull.get("isDraft") is True else PullRequestState.OPEN


def head_commit(pull: Node) -> Node:
    """The newest commit of the pull request's list, which can be behind its head for a moment."""
    rows = nodes(pull.get("commits"))
    return node(rows[-1].get("commit")) if rows else {}


def _at_head(pull: Node) -> bool:
    return head_commit(pull).get("oid") == pull.get("headRefOid")


def _without_checks(facts: Facts, now: float) -> Checks:
    """A head that came just now may get checks that nobody sees yet: it is not announced as mergeable."""
    fresh = not _at_head(facts.pull) or now - facts.head_since < GRACE
    return Checks.PENDING if fresh else Checks.NONE


def _comments(facts: Facts) -> tuple[ReviewComment, ...]:
    head = Head(
        sha=text(facts.pull.get("headRefOid")),
        committed_at=moment(head_commit(facts.pull).get("committedDate")) if _at_head(facts.pull) else 0.0,
        first_seen=facts.first_seen,
    )
    general = github_reviews.remarks(facts.reviews, nodes(facts.pull.get("comments")), head)
    return (*github_reviews.threads(facts.threads, facts.said), *general)


def _asked(pull: Node) -> list[tuple[str, bool]]:
    """Who is asked for a review, and whether as a code owner."""
    rows = []
    for request in nodes(pull.get("reviewRequests")):
        who = node(request.get("requestedReviewer"))
        name = label(who.get("login")) or ("a team" if who.get("__typename") == "Team" else "")
        if name:
            rows.append((name, request.get("asCodeOwner") is True))
    return rows


def _reviewers(pull: Node) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name, _ in _asked(pull)))


def _with_mergeability(shown: PullRequest, facts: Facts, checks: Sequence[Check], now: float) -> PullRequest:
    said, status = text(facts.pull.get("mergeable")), text(facts.pull.get("mergeStateStatus"))
    waits = github_checks.blockers(checks, now)
    if said == "CONFLICTING" or status == "DIRTY":
        return replace(shown, mergeable=Mergeable.CONFLICTED, blockers=waits)
    if said == "UNKNOWN" or status in {"UNKNOWN", ""}:
        return replace(shown, mergeable=Mergeable.UNKNOWN, blockers=waits)
    words = _blockers(shown, facts, checks, status)
    if not words:
        return replace(shown, mergeable=Mergeable.CLEAN, blockers=waits)
    return replace(shown, mergeable=Mergeable.BLOCKED, blockers=tuple(dict.fromkeys((*words, *waits))))


def _blockers(shown: PullRequest, facts: Facts, checks: Sequence[Check], status: str) -> tuple[str, ...]:
    """Why GitHub would not merge it now, as far as it can be told (GraphQL: MergeStateStatus)."""
    if shown.state is PullRequestState.DRAFT:
        return ("it is a draft",)
    if status == "BEHIND":
        return (f"the branch must have what is new in {shown.base} first",)
    if status == "UNSTABLE":
        # Mergeable by git and by the rules, while something that is not required fails or runs.
        return () if shown.checks in {Checks.PASSING, Checks.NONE} else _of_checks(checks)
    if status != "BLOCKED":
        return ()
    words = (*_of_checks(checks), *_of_reviews(shown, facts), *_of_conversations(facts), *_of_approval(facts))
    return words or (f"a rule of the branch {shown.base} is not met; {shown.url} says which",)


def _of_checks(checks: Sequence[Check]) -> tuple[str, ...]:
    counting = [check for check in checks if check.required] or list(checks)
    red = names(check.name for check in counting if check.state is CheckState.FAILED)
    open_ = names(
        check.name
        for check in counting
        if check.state in {CheckState.PENDING, CheckState.RUNNING} and (check.began or not check.words)
    )
    words = (f"failing: {red}" if red else "", f"not finished: {open_}" if open_ else "")
    return tuple(filter(None, words))


def _of_reviews(shown: PullRequest, facts: Facts) -> tuple[str, ...]:
    demands = [r.author for r in shown.reviews if r.decision is ReviewDecision.CHANGES_REQUESTED]
    words = [f"{names(demands)} asked for changes"] if demands else []
    if text(facts.pull.get("reviewDecision")) == "REVIEW_REQUIRED":
        owners = [name for name, as_owner in _asked(facts.pull) if as_owner]
        if owners and facts.rules.code_owners:
            words.append(f"a review by a code owner is missing ({', '.join(owners)})")
        elif facts.rules.code_owners:
            words.append("a review by a code owner is missing")
        else:
            words.append("a review is missing")
    return tuple(words)


def _of_conversations(facts: Facts) -> tuple[str, ...]:
    count = github_reviews.open_threads(facts.threads)
    if not count or not facts.rules.conversations:
        return ()
    return (f"{count} conversation{' is' if count == 1 else 's are'} to be resolved",)


def _of_approval(facts: Facts) -> tuple[str, ...]:
    """Where protection requires the status that an approval given here sets."""
    given = (row for row in facts.contexts if row.get("context") == APPROVAL)
    missing = APPROVAL in facts.rules.required and not any(row.get("state") == "SUCCESS" for row in given)
    return (f"the status {APPROVAL} is missing: approve it here",) if missing else ()
