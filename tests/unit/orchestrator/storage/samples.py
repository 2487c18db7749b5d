"""Sessions and events that the storage's tests keep."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.domain.event import Event
from orchestrator.domain.ids import ProjectId, SessionId
from orchestrator.domain.person import OWNER
from orchestrator.domain.session import (
    Parts,
    RuntimeFact,
    RuntimeState,
    Session,
    Setup,
    SetupStep,
    StatusLine,
    Task,
    Wanted,
    WantedState,
    new_activity,
)
from orchestrator.domain.status import Status

PROJECT = ProjectId("demo")


def session(name: str = "demo-1", **changes: object) -> Session:
    """A session that was just asked for."""
    made = Session(
        id=SessionId(name),
        project=PROJECT,
        created_at=1.0,
        created_by=OWNER,
        task=Task(issue="1", title="Übung \U0001f600 \u2028 \x1b[0m"),
        parts=Parts(runtime="tmux", agent="a", workspace="w", tracker="t", scm="s"),
        branch="ao/demo-1",
        base="main",
        wanted=Wanted(state=WantedState.RUN, by=OWNER, at=1.0),
        setup=Setup(step=SetupStep.QUEUED, at=1.0),
        work=new_activity(1.0),
        runtime=RuntimeFact(state=RuntimeState.NONE, at=1.0),
        status=StatusLine(status=Status.QUEUED, reason="", evidence="", since=1.0),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def event(number: int, of: str = "demo-1", **changes: object) -> Event:
    """The `number`-th event of a session."""
    made = Event(
        id=f"{of}:{number}",
        type="session.working",
        at=float(number),
        project=PROJECT,
        session=SessionId(of),
        text=f"step {number}",
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def told(kept: Session, count: int = 1) -> tuple[Session, tuple[Event, ...]]:
    """The session after `count` more events, and those events."""
    numbers = range(kept.event_serial + 1, kept.event_serial + count + 1)
    return (
        replace(kept, event_serial=kept.event_serial + count),
        tuple(event(number, kept.id) for number in numbers),
    )
