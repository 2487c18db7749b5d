"""Runtime `process`: every agent in a pseudo-terminal that `ao start` itself holds. Needs no tmux.

It does not outlive `ao start`: the agents hang up with it, and their sessions are restored at the next
start. Nobody can attach; the screen and what scrolled away can be read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from typing_extensions import override

from orchestrator.domain.coloured import Picture
from orchestrator.domain.ids import SessionId
from orchestrator.domain.look import Look, Seen, Unseen
from orchestrator.domain.outside_text import clean, one_line
from orchestrator.errors import AoError, NotFound, TemporaryError
from orchestrator.ports.place import Place
from orchestrator.ports.plugin import Closes, Options, Plugin, PluginContext
from orchestrator.ports.runtime import (
    RUNTIME,
    Keys,
    Launch,
    Pictured,
    Presence,
    Runtime,
    RuntimeLook,
    Scrollback,
    Text,
)
from orchestrator.ports.session_ref import SessionRef
from plugins._shared import key_names, launching, processes
from plugins._shared.host_place import HostPlace
from plugins._shared.threads import Threads, files_of

if TYPE_CHECKING:
    from plugins._shared.pty_child import PtyChild

_LIMIT = 20.0
_PASTE = (b"\x1b[200~", b"\x1b[201~")


class ProcessRuntime(Runtime, Scrollback, Pictured, Closes):
    """Agents' terminals in this process."""

    def __init__(self) -> None:
        self._children: dict[SessionId, PtyChild] = {}
        self._starting: dict[SessionId, asyncio.Lock] = {}
        self._typing: dict[SessionId, asyncio.Lock] = {}
        self._threads = Threads("this host", limit=_LIMIT)

    @property
    @override
    def outlives_us(self) -> bool:
        return False

    @override
    async def place(self, session: SessionRef) -> Place:
        await files_of(session.project.folder).run(launching.make_folders, session)
        return HostPlace(session.folder, session.project.worktrees, session.environment)

    @override
    async def start(self, session: SessionRef, launch: Launch) -> None:
        async with self._starting.setdefault(session.id, asyncio.Lock()):
            child = self._children.get(session.id)
            if child is not None and child.exit_code is None and await launching.began(session):
                return
            environment = launching.environment_of(session, launch)
            await files_of(session.project.folder).run(launching.check, launch, environment)
            await self.stop(session)
            script = await launching.write_script(await self.place(session), session, launch)
            self._children[session.id] = await self._threads.run(_child, session, script)
            try:
                await launching.give_environment(session, environment)
            except AoError:
                await self.stop(session)
                raise

    @override
    async def observe(
        self, sessions: Collection[SessionRef], screens: Collection[SessionId] = ()
    ) -> Mapping[SessionId, Look[RuntimeLook]]:
        def look() -> dict[SessionId, Look[RuntimeLook]]:
            return {s.id: _look(self._children.get(s.id), screen=s.id in screens) for s in sessions}

        try:
            return await self._threads.run(look)
        except AoError as error:
            return {session.id: Unseen(error.what) for session in sessions}

    @override
    async def send(self, session: SessionRef, what: Text | Keys) -> None:
        keys = key_names.checked(what.keys) if isinstance(what, Keys) else ()
        child = self._child(session)
        if child.exit_code is not None:
            msg = f"the program in {session.id} has ended (exit code {child.exit_code})."
            raise NotFound(msg, session=session.id)
        application = child.screen.application_keys
        typed = b"".join(key_names.sent(key, application=application) for key in keys)
        data = typed if isinstance(what, Keys) else _pasted(what, bracketed=child.screen.bracketed_paste)
        async with self._typing.setdefault(session.id, asyncio.Lock()):
            await self._threads.run(child.write, data)

    @override
    async def stop(self, session: SessionRef) -> None:
        child = self._children.pop(session.id, None)
        children = [child] if child is not None else []
        left = await self._threads.run(_end, children, [launching.marker(session)])
        await launching.tidy(session)
        if left:
            msg = f"processes of {session.id} do not end: {', '.join(map(str, left))}."
            raise TemporaryError(msg, session=session.id)

    @override
    async def held(self) -> Collection[SessionId]:
        return list(self._children)

    @override
    async def output(self, session: SessionRef, lines: int) -> str:
        child = self._child(session)
        return clean(await self._threads.run(child.screen.last, lines))

    @override
    async def pictures(self, sessions: Collection[SessionRef]) -> Mapping[SessionId, Look[Picture]]:
        def draw() -> dict[SessionId, Look[Picture]]:
            return {session.id: _picture(self._children.get(session.id)) for session in sessions}

        try:
            return await self._threads.run(draw)
        except AoError as error:
            return {session.id: Unseen(error.what) for session in sessions}

    @override
    async def aclose(self) -> None:
        """End every program: without this process nobody would hold its terminal."""
        children, self._children = list(self._children.values()), {}
        markers = [child.marker for child in children]
        try:
            await self._threads.run(_end, children, markers)
        finally:
            self._threads.close()

    def _child(self, session: SessionRef) -> PtyChild:
        child = self._children.get(session.id)
        if child is None:
            msg = f"there is no terminal of {session.id}."
            raise NotFound(msg, session=session.id)
        return child


def _look(child: PtyChild | None, *, screen: bool) -> Seen[RuntimeLook]:
    if child is None:
        return Seen(RuntimeLook(presence=Presence.MISSING))
    code = child.exit_code
    return Seen(
        RuntimeLook(
            presence=Presence.ALIVE if code is None else Presence.EXITED,
            exit_code=code,
            title=one_line(child.screen.title),
            screen=clean(child.screen.text()) if screen else None,
            cursor=child.screen.cursor,
            pid=child.pid,
        )
    )


def _picture(child: PtyChild | None) -> Look[Picture]:
    return Unseen("it has no terminal now.") if child is None else Seen(child.screen.picture())


def _pasted(what: Text, *, bracketed: bool) -> bytes:
    """What a terminal sends for a paste: carriage returns for line feeds, between marks where asked for."""
    data = launching.typable(what.text).replace("\n", "\r").encode(errors="replace")
    if bracketed:
        data = _PASTE[0] + data + _PASTE[1]
    return data + b"\r" if what.submit else data


def _child(session: SessionRef, script: Path) -> PtyChild:
    from plugins._shared.pty_child import PtyChild

    return PtyChild(script, launching.marker(session))


def _end(children: Collection[PtyChild], markers: Collection[str]) -> list[int]:
    """End programs with everything that they started; returns what is still there. Blocks."""
    # A program that has ended may have left its number to a stranger.
    roots = [child.pid for child in children if child.exit_code is None]
    left = processes.end_families(roots, markers)
    for child in children:
        child.release()
    return left


def _create(options: Options, context: PluginContext) -> ProcessRuntime:
    del options, context
    return ProcessRuntime()


PLUGIN = Plugin(
    slot=RUNTIME,
    name="process",
    summary="each agent in a terminal that ao itself holds; agents end with ao and are restored",
    create=_create,
)
