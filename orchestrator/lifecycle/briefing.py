"""What the agent is told about checks, reviews and conflicts. Pure; outside text is fenced."""

from __future__ import annotations

import re
from dataclasses import dataclass

from orchestrator.domain import outside_text
from orchestrator.domain.ids import short_sha
from orchestrator.domain.pull_request import CheckRun, PullRequest, ReviewComment

_PLAIN = re.compile(r"[A-Za-z0-9_=-]{1,100}")

TAIL = 6_000
"""Characters of a failing step's last lines that go into a message."""
BODY = 4_000
"""Characters of one review comment."""
WHOLE = 30_000
"""Characters of the whole message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """A review that asks for changes, with its summary."""

    author: str
    body: str
    at: float


def checks(number: int, head: str, runs: tuple[CheckRun, ...]) -> str:
    """The failing checks of a head, each with its last lines."""
    parts = [f"Pull request #{number}, commit {short_sha(head)}: {len(runs)} failing."]
    for run in runs:
        name = outside_text.one_line(run.name, 100)
        parts.append(
            f"Check {name!r}" + (f" ({outside_text.one_line(run.url, 300)})" if run.url else "") + ":"
        )
        tail = outside_text.excerpt(run.tail, TAIL, tail=True).strip()
        parts.append(
            outside_text.fence(f"last lines of check {name}", tail) if tail else "(no output was kept)"
        )
    return "\n\n".join(parts)[:WHOLE]


def review(number: int, demands: tuple[Demand, ...], comments: tuple[ReviewComment, ...]) -> str:
    """Review summaries and unresolved comments, with path, line, author, text and link."""
    parts = [f"Pull request #{number}: {len(comments)} unresolved comments."]
    for demand in demands:
        who = outside_text.one_line(demand.author, 100)
        parts.append(outside_text.fence(f"review by {who}", outside_text.excerpt(demand.body, BODY)))
    for index, comment in enumerate(comments, 1):
        who = outside_text.one_line(comment.author, 100)
        where = outside_text.one_line(comment.path, 300)
        where = f"{where}:{comment.line}" if where and comment.line else where or "the whole change"
        link = f" ({outside_text.one_line(comment.url, 300)})" if comment.url else ""
        parts.append(
            f"{index}. {where}, {who}{link}{_thread(comment)}:\n"
            + outside_text.fence(f"comment by {who}", outside_text.excerpt(comment.body, BODY))
        )
    if any(_thread(comment) for comment in comments):
        parts.append(
            'Once a thread is dealt with: `ao pr resolve THREAD`. To answer in it: `ao pr reply THREAD "..."`.'
        )
    return "\n\n".join(parts)[:WHOLE]


def _thread(comment: ReviewComment) -> str:
    """Its name where it can be answered and resolved. Names are the forge's: what is no plain word is left out."""
    return f", thread {comment.thread}" if _PLAIN.fullmatch(comment.thread) else ""


def conflict(pr: PullRequest, source: str) -> str:
    """A branch that cannot be merged as it is; `source` is what gets the newest base."""
    how = f"`git fetch {source}`, then `git merge FETCH_HEAD`, brings {pr.base} in." if source else ""
    return f"Pull request #{pr.number}: branch {pr.branch} conflicts with {pr.base}. {how}".strip()
