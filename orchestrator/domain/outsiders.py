"""Texts by people outside the project: what of an issue or a pull request reaches no agent unreleased. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from orchestrator.domain.held import HeldText
from orchestrator.domain.issue import Issue, IssueComment
from orchestrator.domain.outside_text import excerpt, one_line
from orchestrator.domain.pull_request import PullRequest

MOST_ISSUE = 32_000
MOST_COMMENT = 4_000


def of_issue(issue: Issue, now: float) -> tuple[HeldText, ...]:
    """Its title and body as one text, and each of its comments, where an outsider wrote it."""
    return tuple(_of_issue(issue, now))


def task_of(issue: Issue, now: float) -> HeldText | None:
    """Title and body, where an outsider wrote them."""
    if issue.trusted:
        return None
    place = issue_place(issue)
    return HeldText(
        id=_name(place, issue.title, issue.body),
        place=place,
        words=f"the text of {place}",
        author=one_line(issue.author, 100),
        url=one_line(issue.url, 300),
        text=issue_text(issue),
        since=now,
    )


def issue_place(issue: Issue) -> str:
    """What its title and body are called here."""
    return f"issue {one_line(issue.ref, 80)}"


def comment_place(issue: Issue, comment: IssueComment) -> str:
    """What one of its comments is called here."""
    return one_line(f"comment {comment.id or f'{comment.author} {comment.at}'} on {issue_place(issue)}", 200)


def issue_text(issue: Issue) -> str:
    """Title, labels and body as an agent reads them: cleaned, masked, bounded."""
    title = excerpt(one_line(issue.title, 400), 500)
    labels = ", ".join(one_line(label, 60) for label in issue.labels[:20])
    head = "\n".join(filter(None, (title, f"Labels: {labels}" if labels else "", "")))
    return f"{head}\n\n{excerpt(issue.body, MOST_ISSUE)}"


def _of_issue(issue: Issue, now: float) -> Iterator[HeldText]:
    task = task_of(issue, now)
    if task is not None:
        yield task
    ref = one_line(issue.ref, 80)
    for comment in issue.comments:
        if not comment.trusted:
            yield _text(
                comment_place(issue, comment),
                f"a comment on issue {ref}",
                comment.author,
                comment.url,
                comment.body,
                now,
            )


def of_pull_request(pr: PullRequest, now: float) -> tuple[HeldText, ...]:
    """Its unresolved comments and the words of its reviews, where an outsider wrote them."""
    return (*_reviews(pr, now), *_comments(pr, now, resolved=False))


def settled_in(pr: PullRequest, now: float) -> tuple[HeldText, ...]:
    """Its resolved comments by outsiders: they stand there still, and nobody is asked about them anew."""
    return tuple(_comments(pr, now, resolved=True))


def _reviews(pr: PullRequest, now: float) -> Iterator[HeldText]:
    for review in pr.reviews:
        if not review.trusted and review.body:
            place = one_line(f"review {review.author} {review.at}", 150) + f" on #{pr.number}"
            yield _text(place, f"a review of #{pr.number}", review.author, review.url, review.body, now)


def _comments(pr: PullRequest, now: float, *, resolved: bool) -> Iterator[HeldText]:
    for comment in pr.comments:
        if not comment.trusted and comment.resolved is resolved:
            path = one_line(comment.path, 200)
            where = f" at {path}:{comment.line}" if path and comment.line else f" at {path}" if path else ""
            yield _text(
                one_line(f"comment {comment.id}", 150) + f" on #{pr.number}",
                f"a comment on #{pr.number}{where}",
                comment.author,
                comment.url,
                comment.body,
                now,
            )


def _text(place: str, words: str, author: str, url: str, body: str, now: float) -> HeldText:
    return HeldText(
        id=_name(place, body),
        place=place,
        words=words,
        author=one_line(author, 100),
        url=one_line(url, 300),
        text=excerpt(body, MOST_COMMENT),
        since=now,
    )


def _name(place: str, *texts: str) -> str:
    """Of the whole text, also of what is left out where it is shown: nothing can be put there later."""
    whole = "\0".join((place, *texts)).encode(errors="surrogatepass")
    return f"t{hashlib.sha256(whole).hexdigest()[:12]}"
