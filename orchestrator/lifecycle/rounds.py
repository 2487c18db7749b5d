"""One round of the ring: who may start, look at what is due, decide, take requests. And the gap in time.

The endless loop only waits; a round is a plain coroutine that a test calls.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Protocol

from orchestrator.domain.activity import ActivityState
from orchestrator.domain.event import Event, Level
from orchestrator.domain.ids import ProjectId, SessionId, session_number
from orchestrator.domain.look import Seen
from orchestrator.domain.session import RuntimeFact, RuntimeState, Session, SetupStep, StopReason, WantedState
from orchestrator.errors import AoError
from orchestrator.lifecycle import decide, looks, queue, react, setup, status
from orchestrator.lifecycle.agent_requests import AgentRequests
from orchestrator.lifecycle.draft import Draft
from orchestrator.lifecycle.fleet import Fleet
from orchestrator.lifecycle.observation import Observation
from orchestrator.lifecycle.observe import Asked, observe
from orchestrator.ports.runtime import Presence

log = logging.getLogger(__name__)

REDECIDE = 15.0
"""Seconds after which a session is decided again although nothing new was seen: timers fire then."""
REDECIDE_RESTING = 60.0
"""The same for one that rests; a few more by its number, so that a thousand do not fall into one tick."""
GAP = 60.0
"""Seconds that the wall clock may jump against the machine's own before everything is looked at anew."""


class Watch(Protocol):
    """Tells of something that only all sessions together show."""

    async def look(self) -> None:
        """Look at the fleet as it is after a round."""


class Rounds:
    """The ring, one round at a time."""

    def __init__(self, fleet: Fleet, room: Callable[[], queue.Room], *watches: Watch) -> None:
        self._fleet = fleet
        self._room = room
        self._watches = watches
        self._requests = AgentRequests(fleet)
        self._looked: dict[SessionId, looks.Looked] = {}
        self._last: dict[SessionId, tuple[Observation, float]] = {}
        self._times: tuple[float, float] | None = None
        self._taking: set[asyncio.Task[None]] = set()

    async def round(self) -> None:
        """Look at everything that is due, decide, and start what follows from it."""
        woken = self._fleet.take_woken()
        if self._time_jumped():
            await self._after_gap()
        await self._fleet.retry_keeping()
        await self.admit()
        asked = self._due(woken)
        seen = await observe(self._fleet.world, asked)
        for one in asked:
            await self._decide(one, seen[one.session.id])
        self._fleet.engage_all()
        for watch in self._watches:
            await watch.look()
        await self._replace_failed()
        live = {s.id for s in self._fleet.all()}
        for gone in self._looked.keys() - live:
            self._looked.pop(gone, None)
            self._last.pop(gone, None)
            self._requests.forget(gone)

    async def look_at_forge(self) -> None:
        """Look at what the forges told of, and decide: a round under way may wait for something slower."""
        now, told, asked = self._fleet.now, self._fleet.take_told(), []
        for session in [s for s in self._fleet.all() if s.id in told]:
            if looks.due(session, looks.Looked(), now, woken=True).forge:
                self._looked.setdefault(session.id, looks.Looked()).forge = now
                asked.append(Asked(session=session, due=looks.Due(forge=True)))
        seen = await observe(self._fleet.world, asked) if asked else {}
        for one in asked:
            await self._decide(one, seen[one.session.id])

    def _due(self, woken: set[SessionId]) -> list[Asked]:
        now = self._fleet.now
        found = []
        for session in self._fleet.all():
            looked = self._looked.setdefault(session.id, looks.Looked())
            due = looks.due(session, looked, now, woken=session.id in woken)
            if due is looks.NONE:
                continue
            self._mark(looked, due, session, now)
            found.append(Asked(session=session, due=due))
        return found

    def _mark(self, looked: looks.Looked, due: looks.Due, session: Session, now: float) -> None:
        if due.agent:
            looked.agent = now
        if due.workspace:
            looked.workspace = now
            looked.turns = session.work.activity.state.value
        if due.forge:
            looked.forge = now
        if due.requests:
            looked.requests = now
            self._take(session)

    def hear(self, session_id: SessionId) -> None:
        """The session spoke: take up what it asks now, and look at it in the next round.

        A hook of the agent may wait, and a round may be under way that waits for a forge.
        """
        session = next((s for s in self._fleet.all() if s.id == session_id), None)
        if session is not None and looks.due(session, looks.Looked(), self._fleet.now, woken=True).requests:
            self._take(session)
        self._fleet.wake(session_id)

    def _take(self, session: Session) -> None:
        """Requests can take long (a push), so they run beside the round."""
        task = asyncio.create_task(self._taker(session), name=f"requests of {session.id}")
        self._taking.add(task)
        task.add_done_callback(self._taking.discard)

    async def _taker(self, session: Session) -> None:
        try:
            await self._requests.take(session)
        except AoError as error:
            log.warning("requests not read: %s", error, extra={"session": session.id})
        except Exception:
            log.exception("requests not read", extra={"session": session.id})

    async def _decide(self, one: Asked, seen: Observation) -> None:
        session_id = one.session.id
        now = self._fleet.now
        last = self._last.get(session_id)
        if last is not None and seen.adds_nothing_to(last[0]) and not _is_due(one.session, now - last[1]):
            return

        current = [seen]

        def how(draft: Draft) -> None:
            if draft.session.changes != one.session.changes:
                # A push, an approval or a merge was kept while we looked: what the forge showed before is old.
                current[0] = replace(seen, pull_request=None)
                self._fleet.wake(session_id)
            if draft.session.setup.step is one.session.setup.step:
                rules = self._fleet.world.config.rules(draft.session.project)
                decide.decide(draft, current[0], rules)

        if await self._change(session_id, how):
            self._last[session_id] = (current[0].over(last[0]) if last else current[0], now)

    async def _change(self, session_id: SessionId, how: Callable[[Draft], object]) -> bool:
        """Change one session; that this one cannot be changed now keeps nobody from the others."""
        try:
            await self._fleet.change(session_id, how)
        except AoError as error:
            log.warning("not changed in this round: %s", error, extra={"session": session_id})
        except Exception:
            log.exception("not changed in this round", extra={"session": session_id})
        else:
            return True
        return False

    async def admit(self) -> None:
        """Let those start for whom there is room; tell the others what they wait for."""
        waiting = [s for s in self._fleet.all() if s.setup.step is SetupStep.QUEUED]
        if not waiting:
            return
        for one in queue.admit(self._fleet.all(), self._room(), self._fleet.now):
            step = SetupStep.RESERVING if one.admitted else SetupStep.QUEUED
            await self._change(one.session, partial(_answered, step=step, reason=one.reason))

    async def _replace_failed(self) -> None:
        """One that could not be set up stays for people to see, until another of its issue runs."""
        for failed in [s for s in self._fleet.all() if s.failed and s.task.issue]:
            after = next((s.id for s in self._fleet.all() if _takes_over(s, failed)), "")
            if after:
                words = f"{failed.setup.reason} ({after} took its place)"
                await self._change(failed.id, partial(react.stop, reason=StopReason.FAILED, words=words))

    def _time_jumped(self) -> bool:
        """The wall clock and the machine's own disagree: suspend, or a clock that was set."""
        clock = self._fleet.world.clock
        now, mono = clock.now(), clock.monotonic()
        before, self._times = self._times, (now, mono)
        return before is not None and abs((now - before[0]) - (mono - before[1])) > GAP

    async def _after_gap(self) -> None:
        """Nobody made progress while time jumped: no timer fires before everything was looked at."""
        log.warning("time jumped; everything is looked at before any timer fires")
        self._last.clear()
        for session in self._fleet.all():
            self._fleet.wake(session.id)
            await self._change(session.id, restart_timers)

    async def first(self) -> None:
        """The round after a start: adopt what lives, and tell once of what was lost together."""
        for session in self._fleet.all():
            await self._change(session.id, restart_timers)
            self._fleet.wake(session.id)
        running = [
            s
            for s in self._fleet.all()
            if s.setup.step is SetupStep.READY
            and s.wanted.state is not WantedState.STOP
            and s.runtime.state in {RuntimeState.ALIVE, RuntimeState.UNKNOWN}
        ]
        asked = [Asked(session=s, due=looks.Due(runtime=True)) for s in running]
        seen = await observe(self._fleet.world, asked)
        lost = [s for s in running if _is_missing(seen[s.id])]
        if lost:
            await self._lost(lost)
        await self.round()

    async def _lost(self, lost: list[Session]) -> None:
        by_project: dict[ProjectId, list[Session]] = {}
        for session in lost:
            runtime = self._fleet.world.runtime(session)
            rules = self._fleet.world.config.rules(session.project)
            if not runtime.outlives_us or rules.restore == "auto":
                await self._change(session.id, restore_lost)
            elif await self._change(session.id, mark_lost):
                by_project.setdefault(session.project, []).append(session)
        for project, sessions in by_project.items():
            event = lost_event(project, sessions, self._fleet.now)
            log.warning("%s", event.text)  # whoever types `ao start` is told here
            await self._fleet.tell(event)

    async def close(self) -> None:
        """End what runs beside the rounds."""
        tasks = list(self._taking)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def resting(self) -> bool:
        """Nothing runs beside the rounds."""
        return not self._taking


def _is_due(session: Session, age: float) -> bool:
    """Whether timers may have to fire although nothing new was seen."""
    if session.runtime.state is RuntimeState.UNKNOWN:
        return True  # looks in a row are counted
    if age < REDECIDE:
        return False
    rests = session.work.activity.state in looks.RESTING and session.runtime.state is RuntimeState.ALIVE
    if rests and session.change is None and not looks.unsettled(session):
        return age >= REDECIDE_RESTING + session_number(session.id) % 13
    return True


def _takes_over(session: Session, failed: Session) -> bool:
    same = (session.project, session.task.issue) == (failed.project, failed.task.issue)
    newer = session_number(session.id) > session_number(failed.id)
    return same and newer and session.setup.step is SetupStep.READY


def _is_missing(seen: Observation) -> bool:
    return isinstance(seen.runtime, Seen) and seen.runtime.value.presence is Presence.MISSING


def _answered(draft: Draft, *, step: SetupStep, reason: str) -> None:
    """What the queue said to one that waits."""
    setup = draft.session.setup
    if setup.step is SetupStep.QUEUED and (step, reason) != (setup.step, setup.reason):
        draft.set(setup=replace(setup, step=step, reason=reason))


def restart_timers(draft: Draft) -> None:
    """Time that passed while nobody looked does not count against the agent; what passed before does."""
    session = draft.session
    doubt = None if session.runtime.doubt_since is None else draft.now
    quiet = max(0.0, session.work.at - status.quiet_since(session))
    draft.set(
        work=replace(session.work, at=draft.now, progress_at=draft.now - quiet),
        runtime=replace(session.runtime, doubt_since=doubt),
    )


def mark_lost(draft: Draft) -> None:
    """Its terminal went together with others: one message for all of them follows."""
    words = "its terminal is gone, together with all others (was the machine restarted?)"
    draft.set(runtime=RuntimeFact(state=RuntimeState.MISSING, at=draft.now, reason=words, lost=True))


def restore_lost(draft: Draft) -> None:
    """Set it up again by itself, a paused one once it is released; the workspace is still there."""
    draft.session = setup.again(draft.session, draft.now, resume=True)
    draft.set(
        work=replace(
            draft.session.work, activity=replace(draft.session.work.activity, state=ActivityState.UNKNOWN)
        )
    )
    paused = draft.session.wanted.state is WantedState.PAUSE
    when = "it is started again once it is released" if paused else "it is started again"
    draft.tell("session.restoring", f"its terminal was gone; {when}")


def lost_event(project: ProjectId, sessions: list[Session], now: float) -> Event:
    """One message for all sessions of a project that were lost together."""
    names = ", ".join(s.id for s in sessions)
    return Event(
        id=f"lost:{project}:{int(now)}",
        type="fleet.lost",
        at=now,
        project=project,
        text=f"{len(sessions)} terminals are gone: {names}. Restore all (`ao restore --all`), some "
        "(`ao restore ID`), or leave them; their work is safe.",
        level=Level.URGENT,
        data={"sessions": names, "count": len(sessions)},
    )
