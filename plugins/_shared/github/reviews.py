"""Reviews, review threads and remarks of one pull request as the fleet knows them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from orchestrator.domain.outside_text import clean
from orchestrator.domain.pull_request import Review, ReviewComment, ReviewDecision
from plugins._shared.github.mark import is_ours
from plugins._shared.github.words import Node, is_bot, is_trusted, label, login, moment, node, text, whole

_LIMIT = 20_000
_VERDICTS = {
    "APPROVED": ReviewDecision.APPROVED,
    "CHANGES_REQUESTED": ReviewDecision.CHANGES_REQUESTED,
}


@dataclass(frozen=True, slots=True)
class Head:
    """The head commit that remarks are judged by."""

    sha: str
    committed_at: float = 0.0
    """0: not known."""
    first_seen: Mapping[str, str] | None = None
    """Remark -> the head at which it was first shown; None at the first look at a pull request."""


def verdicts(rows: Iterable[Node]) -> tuple[Review, ...]:
    """Of each reviewer the last verdict, if it was not dismissed; the oldest first."""
    newest: dict[str, Node] = {}
    for row in sorted(rows, key=lambda row: moment(row.get("submittedAt"))):
        who = login(row.get("author"))
        if row.get("state") in _VERDICTS:
            newest[who] = row
        elif row.get("state") == "DISMISSED":
            # The dismissed review changed its state in place: an older verdict does not come back.
            newest.pop(who, None)
    return tuple(
        Review(
            author=who,
            decision=_VERDICTS[text(row.get("state"))],
            head=text(node(row.get("commit")).get("oid")),
            at=moment(row.get("submittedAt")),
            body="" if _by_us(row) else clean(text(row.get("body")), _LIMIT),
            trusted=is_trusted(row),
            url=text(row.get("url")),
        )
        for who, row in sorted(newest.items(), key=lambda item: moment(item[1].get("submittedAt")))
    )


def people(rows: Iterable[Node]) -> frozenset[str]:
    """Reviewers whose verdict can count: people of the project. GitHub does not count an App's."""
    return frozenset(
        login(row.get("author")) for row in rows if is_trusted(row) and not is_bot(row.get("author"))
    )


def decision(said: str, reviews: Sequence[Review], counting: frozenset[str], head: str) -> ReviewDecision:
    """What the reviews come to at one head. `said`: GitHub's own word, empty where no rule asks for reviews.

    GitHub lets an approval stand over later pushes unless a rule forbids it. Here it counts for its head:
    GitHub is content then (`none`), and who asks for approvals by `ao`'s own rules asks again.
    """
    theirs = [review for review in reviews if review.author in counting]
    demands = [r for r in theirs if r.decision is ReviewDecision.CHANGES_REQUESTED]
    if any(review.head == head for review in demands):
        return ReviewDecision.CHANGES_REQUESTED
    if demands or said in {"CHANGES_REQUESTED", "REVIEW_REQUIRED"}:
        return ReviewDecision.PENDING
    if any(r.decision is ReviewDecision.APPROVED and r.head == head for r in theirs):
        return ReviewDecision.APPROVED
    return ReviewDecision.NONE


def remarks(reviews: Iterable[Node], conversation: Iterable[Node], head: Head) -> tuple[ReviewComment, ...]:
    """What is said of the whole: reviews without a verdict, and the conversation without Apps' reports.

    GitHub keeps no resolved state of these. One counts as settled when it was hidden, or when the head is
    another than the one at which it was first shown.
    """
    rows = [row for row in reviews if row.get("state") == "COMMENTED" and text(row.get("body")).strip()]
    rows += [row for row in conversation if not is_bot(row.get("author"))]
    return tuple(
        _comment(row, resolved=row.get("isMinimized") is True or _settled(row, head))
        for row in rows
        if not _by_us(row)
    )


def _settled(row: Node, head: Head) -> bool:
    if head.first_seen is not None:
        return head.first_seen.get(text(row.get("id")), head.sha) != head.sha
    if not head.committed_at:
        return False
    at = moment(row.get("createdAt")) or moment(row.get("submittedAt"))
    return at < head.committed_at


def threads(rows: Iterable[Node], said: Mapping[str, Sequence[Node]]) -> tuple[ReviewComment, ...]:
    """All remarks in review threads. `said`: thread -> its comments."""
    return tuple(
        _comment(
            comment, thread=thread, resolved=True in (thread.get("isResolved"), comment.get("isMinimized"))
        )
        for thread in rows
        for comment in said.get(text(thread.get("id")), ())
        if not _by_us(comment)
    )


def open_threads(rows: Iterable[Node]) -> int:
    """How many conversations are to be resolved."""
    return sum(row.get("isResolved") is not True for row in rows)


def _by_us(row: Node) -> bool:
    return row.get("viewerDidAuthor") is True and is_ours(text(row.get("body")))


def _comment(row: Node, *, resolved: bool, thread: Node | None = None) -> ReviewComment:
    place = node(thread)
    return ReviewComment(
        id=text(row.get("id")),
        author=login(row.get("author")),
        body=clean(text(row.get("body")), _LIMIT),
        path=label(place.get("path"), 500),
        line=whole(place.get("line")) or whole(place.get("originalLine")),
        url=text(row.get("url")),
        resolved=resolved,
        is_bot=is_bot(row.get("author")),
        thread=text(place.get("id")),
        trusted=is_trusted(row),
    )
