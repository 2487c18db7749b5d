"""The head that a person saw, compared with the head that is: a newer push disarms what was asked."""

from __future__ import annotations

from orchestrator.domain.ids import SHORTEST_SHA, short_sha
from orchestrator.domain.session import Change, Session
from orchestrator.errors import BadInput, Conflict, NotFound
from orchestrator.lifecycle.changes import OPEN, over_words


def open_change(session: Session, head: str) -> Change:
    """The session's open pull request, if its head is `head` (at least 7 hex digits of it).

    Raises `NotFound` without one, `BadInput` for no SHA, `Conflict` when the head moved.
    """
    change = session.change
    if change is None:
        msg = "it has no pull request yet."
        raise NotFound(msg, session=session.id, next_step=f"`ao status {session.id}` shows where it is.")
    if change.pr.state not in OPEN:
        msg = f"{over_words(change)}."
        raise Conflict(msg, session=session.id, next_step=f"`ao status {session.id}` shows it.")
    if len(head) < SHORTEST_SHA or any(c not in "0123456789abcdef" for c in head.lower()):
        msg = f"{head!r} is no commit: give the head that you saw, at least {SHORTEST_SHA} digits."
        raise BadInput(msg, session=session.id, next_step=f"`ao status {session.id}` shows it.")
    if not change.pr.head.startswith(head.lower()):
        msg = f"#{change.pr.number} is at {short_sha(change.pr.head)} now, not at {short_sha(head)}."
        raise Conflict(msg, session=session.id, next_step="Look at the new commits, then ask again.")
    return change
