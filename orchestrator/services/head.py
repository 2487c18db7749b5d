"""The head that a person saw, compared with the head that is: a newer push disarms what was asked."""

from __future__ import annotations

from orchestrator.domain.session import Change, Session
from orchestrator.errors import BadInput, Conflict, NotFound
from orchestrator.lifecycle.changes import OPEN, over_words

SHORTEST = 7


def open_change(session: Session, head: str) -> Change:
    """The session's open pull request, if its head is `head` (at least 7 hex digits of it).

    Raises `NotFound` without one, `BadInput` for no SHA, `Conflict` when the head moved.
    """
    change = session.change
    if change is None:
        msg = "it has no pull request."
        raise NotFound(msg, session=session.id)
    if change.pr.state not in OPEN:
        msg = f"{over_words(change)}."
        raise Conflict(msg, session=session.id)
    if len(head) < SHORTEST or any(c not in "0123456789abcdef" for c in head.lower()):
        msg = f"{head!r} is no commit: give the head that you saw, at least {SHORTEST} digits."
        raise BadInput(msg, session=session.id)
    if not change.pr.head.startswith(head.lower()):
        msg = f"#{change.pr.number} is at {change.pr.head[:10]} now, not at {head[:10]}."
        raise Conflict(msg, session=session.id, next_step="Look at the new commits, then ask again.")
    return change
