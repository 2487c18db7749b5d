"""The live sessions, and the one way to change them: decide, settle, keep, react, act.

One lock a session; acts of one session run one after the other, those of several beside each other.
Nothing else in the program holds a session's state.
"""

from __future__ import annotations

import asyncio
import errno
import logging
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import replace
from typing import Any, Protocol, TypeVar
from weakref import WeakValueDictionary

from orchestrator.domain.event import Event, LoggedEvent
from orchestrator.domain.ids import ProjectId, SessionId
from orchestrator.domain.session import Session, WantedState
from orchestrator.errors import AoError, Conflict, NotFound, TemporaryError
from orchestrator.lifecycle import acts, plan, react, transitions
from orchestrator.lifecycle.backoff import Backoff
from orchestrator.lifecycle.draft import Draft
from orchestrator.lifecycle.keyboards import Keyboards
from orchestrator.lifecycle.world import World
from orchestrator.lifecycle.worth_keeping import same_on_disk

log = logging.getLogger(__name__)
T = TypeVar("T")
PARALLEL_ACTS = 16
RECENT = 1000
"""Events of a project among which one that was told before a crash is looked for."""
_PASSING = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.EAGAIN, errno.ENOMEM})


class Keeping(Protocol):
    """Where sessions are kept; `storage.keep.Keeper` is the real one."""

    async def keep(self, session: Session) -> Session:
        """Write the document with its outbox, then append the outbox to the log.

        Once begun it is carried through even if the caller is cancelled.
        """

    async def restore(self, session: Session) -> Session:
        """Move an ended session back and keep it; what is raised leaves it among the ended ones."""

    async def end(self, session: Session) -> None:
        """Keep an ended session for the last time and move it out of the way."""

    async def retry(self) -> None:
        """Bring events into the log that it refused before; costs nothing when there are none."""


class Log(Protocol):
    """The event log; `storage.events.EventLog` is the real one."""

    async def append(self, events: Sequence[Event]) -> object:
        """Append events that belong to no session."""

    async def newest(self, limit: int, *, project: ProjectId | None = None) -> Sequence[LoggedEvent]:
        """The last events of a project."""


class Performer(Protocol):
    """Carries out one act for a session (`lifecycle.act`)."""

    async def perform(self, fleet: Fleet, session: Session, act: acts.Act) -> None:
        """Do it and put the outcome into the session. Raises `AoError`."""

    def refused(self, draft: Draft, act: acts.Act, error: AoError) -> None:
        """Put into the session that the act was refused for good."""

    def delayed(self, draft: Draft, act: acts.Act, error: AoError) -> None:
        """Put into the session that the act failed and is tried again."""


class Fleet:
    """All live sessions of this `$AO_HOME`."""

    def __init__(
        self,
        *,
        world: World,
        keeping: Keeping,
        log: Log,
        performer: Performer,
        boundary: Callable[[str], None] = lambda _name: None,
    ) -> None:
        self.world = world
        self._boundary = boundary
        self._keeping = keeping
        self._log = log
        self._performer = performer
        self._sessions: dict[SessionId, Session] = {}
        self._locks: WeakValueDictionary[SessionId, asyncio.Lock] = WeakValueDictionary()
        """A lock is there while somebody holds it or waits for it: never two for one session."""
        self._begun: set[asyncio.Task[Any]] = set()
        """What is being changed now; nobody's cancellation stops it."""
        self._workers: dict[SessionId, asyncio.Task[None]] = {}
        self._current: dict[SessionId, acts.Act] = {}
        self._slots = asyncio.Semaphore(PARALLEL_ACTS)
        self._backoff = Backoff()
        self.keyboards = Keyboards()
        self._woken: set[SessionId] = set()
        self._stopping = False
        self._listeners: list[Callable[[Session], None]] = []
        self.awake = asyncio.Event()
        """Set when somebody should look sooner than at the next tick."""
        self._told: set[SessionId] = set()
        self.told = asyncio.Event()
        """Set when a forge told that something changed there."""

    def listen(self, hear: Callable[[Session], None]) -> None:
        """Call `hear` with each session that is kept anew, as it is then; it returns at once and raises nothing."""
        self._listeners.append(hear)

    @property
    def now(self) -> float:
        """Epoch seconds."""
        return self.world.clock.now()

    def all(self) -> tuple[Session, ...]:
        """Every live session, as it is now."""
        return tuple(self._sessions.values())

    def get(self, session: SessionId) -> Session:
        """One live session. Raises `NotFound`."""
        found = self._sessions.get(session)
        if found is None:
            msg = f"there is no running session {session}."
            raise NotFound(msg, next_step="`ao status --all` lists the ended ones too.")
        return found

    def adopt(self, sessions: Iterable[Session]) -> None:
        """Take over sessions that were kept before this start."""
        for session in sessions:
            self._sessions[session.id] = session

    async def add(
        self, session: Session, told: Callable[[Draft], object], *, restored: bool = False
    ) -> Session:
        """Take up a new session, or with `restored` an ended one; `told` adds its first events.

        It is here once it is kept: whatever is raised leaves nothing of it. Raises `Conflict` for one
        that is here already.
        """

        async def take_up() -> Session:
            if session.id in self._sessions:
                msg = "it is here already."
                raise Conflict(msg, session=session.id)
            after = self._after(session, told)
            taken = self._take(await (self._keeping.restore if restored else self._keeping.keep)(after))
            self._tell_listeners(taken)
            return taken

        return await self._alone(session.id, take_up)

    async def change(self, session_id: SessionId, how: Callable[[Draft], object]) -> Session:
        """Change one session under its lock; keep it, then act on what follows from it.

        Whatever `how` raises leaves the session as it was. Once begun it is carried through, on the disk
        and here, even if the caller is cancelled.
        """

        async def change() -> Session:
            before = self.get(session_id)
            after = self._after(before, how)
            if not after.outbox and same_on_disk(after, before):
                return self._take(after)  # only when we looked is new: nobody is told
            kept = self._take(await self._keeping.keep(after))
            self._tell_listeners(kept)
            return kept

        return await self._alone(session_id, change)

    async def _alone(self, session_id: SessionId, work: Callable[[], Coroutine[object, object, T]]) -> T:
        """Do this under the session's lock; once begun, no cancelled caller stops it half-way."""
        lock = self._locks.setdefault(session_id, asyncio.Lock())
        await lock.acquire()
        begun = asyncio.create_task(work(), name=f"change of {session_id}")
        self._begun.add(begun)

        def over(task: asyncio.Task[T]) -> None:
            self._begun.discard(task)
            lock.release()

        begun.add_done_callback(over)
        return await asyncio.shield(begun)

    def _take(self, session: Session) -> Session:
        self._sessions[session.id] = session
        self._engage(session.id)
        return session

    def _tell_listeners(self, session: Session) -> None:
        for hear in self._listeners:
            hear(session)

    def _after(self, before: Session, how: Callable[[Draft], object]) -> Session:
        """The session as it is to be kept: changed, settled, reacted to, its new events in the outbox."""
        draft = Draft(before, self.now)
        how(draft)
        rules = self.world.config.rules(before.project)
        transitions.settle(draft, rules)
        react.react(draft, rules)
        transitions.settle(draft, rules)
        return replace(draft.session, outbox=tuple(draft.events)) if draft.events else draft.session

    async def tell(self, event: Event) -> None:
        """Tell of something that belongs to no single session."""
        await self._log.append([event])

    async def tell_once(self, event: Event) -> None:
        """As `tell`, unless the newest events have its id: a crash may part telling from keeping that."""
        newest = await self._log.newest(RECENT, project=event.project)
        if all(logged.event.id != event.id for logged in newest):
            await self.tell(event)

    async def retry_keeping(self) -> None:
        """Bring into the log what it refused when the disk was full."""
        await self._keeping.retry()

    def wake(self, session_id: SessionId | None = None) -> None:
        """Look sooner: at one session, or at whatever is due."""
        if session_id is not None:
            self._woken.add(session_id)
        self.awake.set()

    def forge_told(self, session_id: SessionId) -> None:
        """A forge told that something changed there: it is looked at now, beside a round that may be under way."""
        if session_id in self._sessions:
            self._told.add(session_id)
            self.told.set()

    def take_told(self) -> set[SessionId]:
        """The sessions whose forge told of something; asking clears it."""
        told, self._told = self._told, set()
        self.told.clear()
        return told

    def try_again(self, session_id: SessionId) -> None:
        """What the session's acts waited for has ended: they wait no longer."""
        self._backoff.forget(session_id)
        self.wake(session_id)

    def wake_by_name(self, name: str) -> None:
        """As `wake`, for a plugin that names a session; a name that is not live wakes nobody."""
        session_id = SessionId(name)
        if session_id in self._sessions:
            self.wake(session_id)

    async def changed(self) -> None:
        """Return soon after an act ended or somebody woke the ring; at the latest after a second."""
        waiting = [asyncio.create_task(self.awake.wait(), name="woken"), *self._workers.values()]
        done, _ = await asyncio.wait(waiting, timeout=1.0, return_when=asyncio.FIRST_COMPLETED)
        if waiting[0] not in done:
            waiting[0].cancel()

    def take_woken(self) -> set[SessionId]:
        """The sessions to look at whole; asking clears it."""
        woken, self._woken = self._woken, set()
        self.awake.clear()
        return woken

    def engage_all(self) -> None:
        """Start whatever is due in any session."""
        for session_id in list(self._sessions):
            self._engage(session_id)

    def _engage(self, session_id: SessionId) -> None:
        session = self._sessions.get(session_id)
        if session is None or self._stopping:
            return
        current = self._current.get(session_id)
        if current is not None and _is_stopped(session, current):
            self._workers[session_id].cancel()
            return
        if session_id not in self._workers and self._next(session) is not None:
            task = asyncio.create_task(self._work(session_id), name=f"acts of {session_id}")
            self._workers[session_id] = task

    def _next(self, session: Session) -> acts.Act | None:
        now = self.now
        return next(
            (a for a in plan.due(session, now) if self._backoff.ready((session.id, a.key), now)), None
        )

    async def _work(self, session_id: SessionId) -> None:
        """Do what is due for one session until nothing is."""
        try:
            while not self._stopping and (session := self._sessions.get(session_id)) is not None:
                act = self._next(session)
                if act is None:
                    return
                await self._perform(session, act)
        except asyncio.CancelledError:
            if self._stopping:
                raise
            log.info("act ended early", extra={"session": session_id})
        finally:
            self._workers.pop(session_id, None)
            if not self._stopping:
                asyncio.get_running_loop().call_soon(self._engage, session_id)

    async def _perform(self, session: Session, act: acts.Act) -> None:
        key = (session.id, act.key)
        self._current[session.id] = act
        try:
            async with self._slots:
                self._boundary(f"{act.key}.begins")
                await self._performer.perform(self, session, act)
                self._boundary(f"{act.key}.done")
            self._backoff.clear(key)
        except AoError as error:
            await self._failed(session, act, error)
        except OSError as error:
            await self._failed(session, act, _of_system(error, session, act))
        except Exception as error:
            log.exception("act failed", extra={"session": session.id, "action": act.key})
            wrapped = AoError(f"{act.key}: {type(error).__name__}: {error}", session=session.id)
            await self._failed(session, act, wrapped)
        finally:
            self._current.pop(session.id, None)

    async def _failed(self, session: Session, act: acts.Act, error: AoError) -> None:
        """Tried again later if it may pass, else refused; either way the session says why."""
        give_up = self._backoff.failed((session.id, act.key), error, self.now)
        log.warning("act failed: %s", error, extra={"session": session.id, "action": act.key})
        if session.id not in self._sessions:
            return
        try:
            outcome = self._performer.refused if give_up else self._performer.delayed
            await self.change(session.id, lambda d: outcome(d, act, error))
            if give_up and isinstance(act, acts.MakeWorkspace | acts.StartAgent | acts.Publish):
                self._backoff.clear((session.id, act.key))  # whoever asks for it again need not wait
        except AoError as unkept:
            # The disk refuses: the session stays as it was and the act is tried again after its wait.
            log.warning("failure not kept: %s", unkept, extra={"session": session.id, "action": act.key})

    async def archive(self, session_id: SessionId) -> None:
        """The session has ended: keep it among the ended ones and let it go."""

        async def put_away() -> None:
            await self._keeping.end(self.get(session_id))
            del self._sessions[session_id]
            self._backoff.forget(session_id)
            self.world.forget(session_id)

        await self._alone(session_id, put_away)

    def resting(self) -> bool:
        """Nothing is being done and nothing is due."""
        return not self._workers and all(self._next(s) is None for s in self._sessions.values())

    def live(self, project: ProjectId | None = None) -> tuple[Session, ...]:
        """Live sessions, of one project or of all, in the order of their making."""
        found = [s for s in self._sessions.values() if project in {None, s.project}]
        return tuple(sorted(found, key=lambda s: s.created_at))

    async def stop(self) -> None:
        """Stop acting: acts under way are ended, what is being kept is kept; the next start carries on."""
        self._stopping = True
        workers = list(self._workers.values())
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
        while self._begun:
            await asyncio.wait(self._begun)


def _of_system(error: OSError, session: Session, act: acts.Act) -> AoError:
    """What the system refused. A disk or a table that is full passes; it is no fault of the session."""
    where = f" ({error.filename})" if error.filename else ""
    what = f"{act.key}: {error.strerror or error}{where}."
    if error.errno in _PASSING:
        return TemporaryError(
            what, delay=30.0, session=session.id, next_step="It goes on once there is room."
        )
    return AoError(what, session=session.id)


def _is_stopped(session: Session, current: acts.Act) -> bool:
    """A session that is to stop does not wait for its own setting up."""
    setting_up = isinstance(current, acts.MakeWorkspace | acts.StartAgent)
    return setting_up and session.wanted.state is WantedState.STOP
