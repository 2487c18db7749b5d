"""Terminal `tmux`: inside tmux a window of the person's own server, else the terminal that is there already.

The person's server is not ours: a window is found again by the mark that we put on it.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence

from typing_extensions import override

from orchestrator.domain.ids import SessionId
from orchestrator.errors import PermanentError
from orchestrator.ports.place import Completed
from orchestrator.ports.plugin import Options, Plugin, PluginContext
from orchestrator.ports.terminal import TERMINAL, Attach, Terminal
from plugins._shared import opening

Foreground = Callable[[Sequence[str]], Awaitable[int]]

_MARK = "@ao_attached"


async def run_in_foreground(argv: Sequence[str]) -> int:
    """Run a program in the terminal that we run in, for as long as the person likes."""
    process = await asyncio.create_subprocess_exec(*argv)
    return await process.wait()


def _own_terminal() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()


class TmuxTerminal(Terminal):
    """The person's tmux, or the person's terminal."""

    def __init__(
        self,
        environment: Mapping[str, str],
        run: opening.Runner = opening.run_as_person,
        foreground: Foreground = run_in_foreground,
        has_terminal: Callable[[], bool] = _own_terminal,
    ) -> None:
        self._inside = bool(environment.get("TMUX"))
        self._run = run
        self._foreground = foreground
        self._has_terminal = has_terminal

    @override
    async def open(self, what: Attach) -> str:
        if self._inside:
            return await self._window(what)
        if not self._has_terminal():
            reason = "this is neither a terminal nor inside tmux."
            raise opening.not_ready(reason, [what])
        code = await self._foreground(what.command)
        if code != 0:
            reason = f"attaching to {what.session} ended with code {code}."
            raise opening.not_ready(reason, [what])
        return f"left {what.session}; it goes on"

    @override
    async def open_all(self, what: Sequence[Attach]) -> str:
        if len(what) > 1 and not self._inside:
            reason = "one terminal shows one session at a time; inside tmux each gets a window."
            raise opening.not_ready(reason, what)
        return "\n".join([await self.open(each) for each in what])

    @override
    async def is_open(self, session: SessionId) -> bool:
        return self._inside and await self._find(session) is not None

    async def _window(self, what: Attach) -> str:
        there = await self._find(what.session)
        if there is not None:
            done = await self._tmux(what, "select-window", "-t", there)
            said = f"brought the window of {what.session} forward"
        else:
            # A tmux inside tmux is refused unless it is told that it is not; the name is the id, because
            # tmux reads formats in names. An argument that ends in a semicolon would end the command.
            command = [f"{word[:-1]}\\;" if word.endswith(";") else word for word in what.command]
            window = ("new-window", "-n", what.session, "--", "env", "-u", "TMUX", *command)
            done = await self._tmux(what, *window, ";", "set-option", "-w", _MARK, what.session)
            said = f"opened a window for {what.session}"
        if not done.ok:
            reason = f"tmux refused: {done.error_text()}"
            raise opening.not_ready(reason, [what])
        return said

    async def _find(self, session: SessionId) -> str | None:
        """The person's window that shows a session, as a target for one command."""
        try:
            done = await self._run(("tmux", "list-windows", "-F", f"#{{window_id}} #{{{_MARK}}}"))
        except PermanentError:
            return None
        rows = (row.split(" ") for row in done.text().splitlines())
        return next((row[0] for row in rows if row[1:] == [session]), None)

    async def _tmux(self, what: Attach, *args: str) -> Completed:
        try:
            return await self._run(("tmux", *args))
        except PermanentError as error:
            raise opening.not_ready(error.what, [what]) from error


def _create(options: Options, context: PluginContext) -> TmuxTerminal:
    del options, context
    return TmuxTerminal(os.environ)


PLUGIN = Plugin(
    slot=TERMINAL,
    name="tmux",
    summary="a window of your tmux, or the terminal you are in",
    create=_create,
    needs=("tmux",),
)
