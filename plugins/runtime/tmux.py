"""Runtime `tmux`: every agent in a tmux session of its own, on a server of this `$AO_HOME`.

Stopping `ao` stops no agent: the server is no child of ours, and the next start finds its sessions by
the mark that each carries. A person may attach, scroll and type. How tmux is called: `tmux_server.py`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from typing_extensions import override

from orchestrator.domain.coloured import Picture
from orchestrator.domain.ids import SessionId
from orchestrator.domain.look import Look, Seen, Unseen
from orchestrator.errors import AoError, NotFound, TemporaryError
from orchestrator.ports.place import Place
from orchestrator.ports.plugin import Closes, Options, Plugin, PluginContext
from orchestrator.ports.runtime import (
    RUNTIME,
    Attachable,
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
    from plugins._shared.tmux_rows import Pane
    from plugins._shared.tmux_server import TmuxServer

_ENDING = 20.0


class TmuxRuntime(Runtime, Attachable, Scrollback, Pictured, Closes):
    """Agents' terminals in tmux."""

    def __init__(self, server: TmuxServer) -> None:
        self._server = server
        self._threads = Threads("this host", limit=_ENDING)

    @property
    @override
    def outlives_us(self) -> bool:
        return True

    @override
    async def place(self, session: SessionRef) -> Place:
        await files_of(session.project.folder).run(launching.make_folders, session)
        return HostPlace(session.folder, session.project.worktrees, session.environment)

    @override
    async def start(self, session: SessionRef, launch: Launch) -> None:
        found = await self._find(session.id)
        if found is not None and not found.ended and await launching.began(session):
            return
        environment = launching.environment_of(session, launch)
        await files_of(session.project.folder).run(launching.check, launch, environment)
        await self.stop(session)
        script = await launching.write_script(await self.place(session), session, launch)
        try:
            await self._server.new_session(session.id, script)
            await launching.give_environment(session, environment)
        except AoError:
            await self.stop(session)
            raise

    @override
    async def observe(
        self, sessions: Collection[SessionRef], screens: Collection[SessionId] = ()
    ) -> Mapping[SessionId, Look[RuntimeLook]]:
        try:
            panes = await self._server.panes()
        except AoError as error:
            return {session.id: Unseen(error.what) for session in sessions}
        wanted = [s.id for s in sessions if s.id in screens and s.id in panes]
        try:
            seen = await self._server.screens(wanted)
        except AoError as error:
            reason = Unseen(f"its screen could not be read: {error.what}")
            return {s.id: reason if s.id in wanted else _look(panes.get(s.id), None) for s in sessions}
        return {s.id: _look(panes.get(s.id), seen.get(s.id)) for s in sessions}

    @override
    async def send(self, session: SessionRef, what: Text | Keys) -> None:
        keys = key_names.checked(what.keys) if isinstance(what, Keys) else ()
        pane = await self._server.pane(session.id)
        if pane.hung_up:
            msg = f"the program in {session.id} has ended (exit code {pane.exit_code})."
            raise NotFound(msg, session=session.id)
        # Whoever scrolled there has detached: nobody reads, and keys would not reach the program.
        leave = bool(pane.mode) and not pane.attached
        if isinstance(what, Keys):
            await self._server.keys(session.id, keys, leave_mode=leave)
        else:
            text = launching.typable(what.text)
            await self._server.paste(session.id, text, submit=what.submit, leave_mode=leave)

    @override
    async def stop(self, session: SessionRef) -> None:
        found = await self._find(session.id)
        # A program that has ended may have left its number to a stranger.
        roots = [found.pid] if found is not None and found.pid is not None and not found.ended else []
        left = await self._threads.run(processes.end_families, roots, [launching.marker(session)])
        await launching.tidy(session)
        if found is not None:
            try:
                await self._server.kill_session(session.id)
            except NotFound:
                return  # Gone is success.
        if left:
            msg = f"processes of {session.id} do not end: {', '.join(map(str, left))}."
            raise TemporaryError(msg, session=session.id)

    @override
    async def held(self) -> Collection[SessionId]:
        return [SessionId(name) for name in await self._server.panes()]

    @override
    def attach_command(self, session: SessionRef) -> tuple[str, ...]:
        return self._server.attach_command(session.id)

    @override
    async def output(self, session: SessionRef, lines: int) -> str:
        return await self._server.output(session.id, lines)

    @override
    async def pictures(self, sessions: Collection[SessionRef]) -> Mapping[SessionId, Look[Picture]]:
        try:
            seen = await self._server.pictures([session.id for session in sessions])
        except AoError as error:
            return {session.id: Unseen(error.what) for session in sessions}
        absent = Unseen("it has no terminal now.")
        return {s.id: Seen(seen[s.id]) if s.id in seen else absent for s in sessions}

    @override
    async def aclose(self) -> None:
        """Let our threads go; the agents go on."""
        self._threads.close()
        await self._server.close()

    async def _find(self, session: SessionId) -> Pane | None:
        try:
            return await self._server.pane(session)
        except NotFound:
            return None


def _look(pane: Pane | None, screen: str | None) -> Seen[RuntimeLook]:
    if pane is None:
        return Seen(RuntimeLook(presence=Presence.MISSING))
    return Seen(
        RuntimeLook(
            presence=Presence.EXITED if pane.ended else Presence.ALIVE,
            exit_code=pane.exit_code,
            title=pane.title,
            screen=screen,
            cursor=pane.cursor,
            attached=pane.attached,
            person_at=pane.activity if pane.attached else 0.0,
            # A mode that nobody watches is left before anything is typed: it is in nobody's way.
            mode=pane.mode if pane.attached else "",
            pid=pane.pid,
        )
    )


def _create(options: Options, context: PluginContext) -> TmuxRuntime:
    del options
    from plugins._shared.tmux_server import TmuxServer

    return TmuxRuntime(TmuxServer(context.server, context.home))


PLUGIN = Plugin(
    slot=RUNTIME,
    name="tmux",
    summary="each agent in a tmux session of its own; agents go on when ao stops",
    create=_create,
    needs=("tmux",),
)
