"""What of a session is worth a write: all but when we last looked. Pure."""

from __future__ import annotations

from dataclasses import fields

from orchestrator.domain.activity import Activity
from orchestrator.domain.session import Change, RuntimeFact, Session, Work


def _names(of: type[object], *but: str) -> tuple[str, ...]:
    return tuple(field.name for field in fields(of) if field.name not in but)  # type: ignore[arg-type]


# What is compared; what merely says when we last looked is not worth a write.
_SESSION = _names(Session, "work", "runtime", "changes", "outbox")
_WORK = _names(Work, "activity", "at", "progress_at", "screen_digest")
_ACTIVITY = _names(Activity, "at", "evidence")
_RUNTIME = _names(RuntimeFact, "at")
_CHANGE = _names(Change, "at")


def same_on_disk(one: Session, other: Session) -> bool:
    """Whether they differ at most in what is not worth a write."""
    return (
        _same(one, other, _SESSION)
        and _same(one.work, other.work, _WORK)
        and _same(one.work.activity, other.work.activity, _ACTIVITY)
        and _same(one.runtime, other.runtime, _RUNTIME)
        and len(one.changes) == len(other.changes)
        and all(_same(a, b, _CHANGE) for a, b in zip(one.changes, other.changes, strict=True))
    )


def _same(one: object, other: object, names: tuple[str, ...]) -> bool:
    return one is other or all(getattr(one, name) == getattr(other, name) for name in names)
