"""What the reviews of a local pull request come to, and how a reviewer's words become remarks. Pure."""

from __future__ import annotations

import re
from dataclasses import replace

from orchestrator.domain.outside_text import clean
from orchestrator.domain.person import Actor, ActorKind
from orchestrator.domain.pull_request import Review, ReviewComment, ReviewDecision
from plugins._shared.pull_store import PullRecord

_REMARK = re.compile(r"(?P<path>[^\s:][^:\n]*):(?P<line>[1-9][0-9]{0,6}):[ \t]*(?P<text>\S.*)")
_LIMIT = 20_000
_BOTS = (ActorKind.AGENT, ActorKind.RULE)
_VERDICTS = (ReviewDecision.APPROVED, ReviewDecision.CHANGES_REQUESTED)


def decision(record: PullRecord, head: str, approvals: int) -> ReviewDecision:
    """What the reviews come to at one head: only verdicts given at this very head count.

    Of each reviewer the last verdict counts, and one request for changes outweighs all approvals. A
    request for changes at an older head asks for one more look, also where no approval is needed.
    """
    last = {review.author: review for review in record.reviews}
    verdicts = [review.decision for review in last.values() if review.head == head]
    if ReviewDecision.CHANGES_REQUESTED in verdicts:
        return ReviewDecision.CHANGES_REQUESTED
    given = verdicts.count(ReviewDecision.APPROVED)
    asked = any(review.decision is ReviewDecision.CHANGES_REQUESTED for review in last.values())
    if given >= max(approvals, 1):
        return ReviewDecision.APPROVED
    return ReviewDecision.PENDING if approvals > 0 or asked else ReviewDecision.NONE


def reviewed(record: PullRecord, review: Review, by: Actor, approvals: int) -> PullRecord:
    """The record with a review added; unchanged when its author said exactly this last.

    An approval settles its author's own remarks; once the pull request is approved, all of them.
    A review without a verdict (`pending`) only leaves its words.
    """
    words, placed = parted(clean(review.body, _LIMIT))
    verdict = review.decision in _VERDICTS
    kept = replace(review, body=words)
    last = next((known for known in reversed(record.reviews) if known.author == review.author), None)
    if last is not None and verdict and replace(last, at=review.at) == kept:
        return record
    if words and not verdict:
        placed.insert(0, ("", 0, words))
    comments = _with_remarks(record, review.author, placed, is_bot=by.kind in _BOTS)
    changed = replace(record, reviews=(*record.reviews, kept) if verdict else record.reviews)
    if review.decision is ReviewDecision.APPROVED:
        settled = decision(changed, review.head, approvals) is ReviewDecision.APPROVED
        comments = tuple(
            replace(known, resolved=known.resolved or settled or known.author == review.author)
            for known in comments
        )
    return replace(changed, comments=comments)


def _with_remarks(
    record: PullRecord, author: str, placed: list[tuple[str, int, str]], *, is_bot: bool
) -> tuple[ReviewComment, ...]:
    """The remarks known and new; one that its author made before at this place is not doubled."""
    made = {(known.author, known.path, known.line, known.body) for known in record.comments}
    fresh = [remark for remark in placed if (author, *remark) not in made]
    start = len(record.comments) + 1
    return record.comments + tuple(
        ReviewComment(
            id=f"{record.number}-{number}", author=author, body=body, path=path, line=line, is_bot=is_bot
        )
        for number, (path, line, body) in enumerate(fresh, start)
    )


def parted(text: str) -> tuple[str, list[tuple[str, int, str]]]:
    """The words of a review, and the remarks in it as path, line and text.

    `path:line: text` begins a remark, which goes on until a blank line or the next one.
    """
    found: list[tuple[str, int, list[str]]] = []
    rest: list[str] = []
    target = rest
    for line in text.splitlines():
        match = _REMARK.fullmatch(line.strip())
        if match:
            target = [match["text"]]
            found.append((match["path"], int(match["line"]), target))
        elif line.strip():
            target.append(line.rstrip())
        else:
            target = rest
            rest.append("")
    return "\n".join(rest).strip(), [(path, line, "\n".join(lines)) for path, line, lines in found]
