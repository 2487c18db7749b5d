"""Who may start now, and what the others wait for. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.domain.ids import ProjectId, SessionId
from orchestrator.domain.session import EndingStep, Session, SetupStep, WantedState


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """How many sessions may run."""

    sessions: int
    """`limits.sessions`"""
    per_project: int | None = None
    """`limits.perProject`"""
    free_memory: int | None = None
    """Bytes that the machine has free now; None when nobody can tell."""
    restores: int = 6
    """Sessions restored within a minute, so that a machine that comes up again is not run over."""
    memory: int = 0
    """`limits.memory`: bytes that one agent is reckoned with; 0 for no limit."""
    brake: str = ""
    """Who keeps the fleet's brake on, since when; empty while it is off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """What is decided about one waiting session."""

    session: SessionId
    admitted: bool
    reason: str


def admit(sessions: Sequence[Session], room: Room, now: float) -> list[Admission]:
    """Decide for every waiting session, in the order in which they were asked for."""
    waiting = [s for s in sessions if _waits(s)]
    running = Counter(s.project for s in sessions if _takes_a_place(s))
    starting = sum(_is_starting(s) for s in sessions)
    restored = sum(_restored_lately(s, now) for s in sessions)
    found = []
    line = 0
    for session in sorted(waiting, key=lambda s: (s.setup.at, s.created_at, s.id)):
        if session.held.task_waits:
            found.append(Admission(session=session.id, admitted=False, reason=_for_release(session)))
            continue
        why = _full(running, session.project, starting, room)
        if not why and session.setup.resume and restored >= room.restores:
            why = f"waits: {restored} were restored within the last minute"
        if why:
            line += 1
            found.append(
                Admission(session=session.id, admitted=False, reason=f"{why}; number {line} in line")
            )
        else:
            running[session.project] += 1
            starting += 1
            restored += session.setup.resume
            found.append(Admission(session=session.id, admitted=True, reason=""))
    return found


def _full(running: Counter[ProjectId], project: ProjectId, starting: int, room: Room) -> str:
    if room.brake:
        return f"waits: {room.brake}"
    total = running.total()
    if total >= room.sessions:
        return f"waits: {total} of {room.sessions} sessions run"
    if room.per_project is not None and running[project] >= room.per_project:
        return f"waits: {running[project]} of {room.per_project} sessions of {project} run"
    if room.memory and room.free_memory is not None:
        # Agents that are just starting have not taken their memory yet.
        left = room.free_memory - starting * room.memory
        if left < room.memory and total > 0:
            return f"waits for memory: {left // 2**20} MB free, {room.memory // 2**20} MB for an agent"
    return ""


def _for_release(session: Session) -> str:
    return (
        f"waits: whoever wrote issue {session.task.issue} is no member of the project, and its text is held; "
        f"`ao release-text {session.id} {session.held.task_waits}` releases it"
    )


def _waits(session: Session) -> bool:
    return session.setup.step is SetupStep.QUEUED and session.wanted.state is WantedState.RUN


def _is_starting(session: Session) -> bool:
    return session.setup.step in {SetupStep.RESERVING, SetupStep.WORKSPACE, SetupStep.STARTING}


def _restored_lately(session: Session, now: float) -> bool:
    return session.setup.resume and session.setup.step is not SetupStep.QUEUED and now - session.setup.at < 60


def _takes_a_place(session: Session) -> bool:
    if session.runtime.gone:
        return False
    if session.wanted.state is WantedState.STOP:
        return session.ending.step is EndingStep.NONE
    return session.setup.step not in {SetupStep.QUEUED, SetupStep.FAILED}
