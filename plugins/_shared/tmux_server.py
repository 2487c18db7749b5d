"""One tmux server of ours: how it is started, looked at and spoken to. libtmux is met only here.

    server = TmuxServer("ao-1f2e3d", home)
    await server.new_session("demo-1", script)       # starts the server, with a cleaned environment
    rows = await server.panes()                      # all sessions that carry our mark, in one call
    screens = await server.screens(["demo-1"])       # all their screens, in one more

Facts behind it (each was tried with tmux 3.3a): the server and all its panes inherit the environment of
whoever starts it; `#(...)` in names and folders runs a shell; pane commands take `=name:` and refuse
`=name`; a chained command stops at the first missing target, one read by `source-file` does not;
ids like `%3` start anew with the server; a command line over some 16 kB is refused. libtmux gives a
command neither a time limit, nor standard input, nor an environment: the first is added here
(its client process is ended on expiry), what needs the others goes through `command.run`.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import signal
import threading
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import libtmux
from libtmux.common import tmux_cmd
from libtmux.exc import LibTmuxException
from typing_extensions import override

from orchestrator.domain.coloured import Picture
from orchestrator.domain.outside_text import clean
from orchestrator.errors import NotFound, NotReady, TemporaryError
from orchestrator.ports.place import Completed
from plugins._shared import command, whole_file
from plugins._shared.threads import Threads
from plugins._shared.tmux_rows import HOME, MARK, PICTURE, Pane, listing, parsed, pictured

LIMIT = 5.0
"""Seconds for one call to the server; a server that was stopped (SIGSTOP) never answers."""


SIZE = ("200", "50")

PASSED = (
    "HOME",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "LOGNAME",
    "PATH",
    "SHELL",
    "TMPDIR",
    "TMUX_TMPDIR",
    "TZ",
    "USER",
)
"""Variables that the server, and so every pane by default, gets of ours. Nothing else."""

CONFIGURATION = """\
# Written by ao at each start; read instead of ~/.tmux.conf.
set -g  update-environment ''
set -s  exit-empty off
set -g  destroy-unattached off
set -g  remain-on-exit on
set -g  history-limit 20000
set -g  default-size 200x50
set -g  mouse on
set -g  status-left '#{session_name}  detach: Ctrl-b d '
set -g  status-left-length 60
set -g  status-right ''
set -g  set-titles off
set -g  allow-rename off
set -gw automatic-rename off
set -s  set-clipboard off
# A session has one pane, the agent's: people watch, scroll, type and detach.
unbind -a -T prefix
bind d detach-client
bind [ copy-mode
bind ] paste-buffer -p
bind PPage copy-mode -u
bind ? list-keys
bind C-b send-prefix
"""

_NO_SERVER = ("no server running", "error connecting to", "server exited", "lost server")
_NO_SESSION = "no current target"
"""What a server without sessions says."""
_DEAD = re.compile(r"\n{3,}(?=Pane is dead [^\n]*\Z)")
"""tmux writes this into the lowest row, far below the program's own last words."""
_ABSENT = (_NO_SESSION, "can't find session", "can't find pane", "can't find window")


class Missing(NotFound):
    """The session is not there, or is not ours."""


class _Client(tmux_cmd):
    """A tmux client process that another thread can end while it is waited for."""

    process: Any

    @classmethod
    def unstarted(cls) -> _Client:
        """One that has not been started yet."""
        return cls.__new__(cls)

    def run(self, argv: Sequence[str]) -> None:
        """Start it and wait for its end."""
        super().__init__(*argv)

    def end(self) -> None:
        """End the process, if there is one."""
        process = getattr(self, "process", None)
        if process is not None:
            process.kill()


class BoundedServer(libtmux.Server):
    """A libtmux server whose every command has a time limit, and speaks UTF-8 whatever our locale is."""

    limit = LIMIT

    @override
    def cmd(self, cmd: str, *args: Any, target: str | int | None = None) -> tmux_cmd:
        """Run a tmux command; blocks. Raises `TemporaryError`."""
        to = () if target is None else ("-t", str(target))
        client = _Client.unstarted()
        expired = threading.Event()

        def expire() -> None:
            expired.set()
            client.end()

        timer = threading.Timer(self.limit, expire)
        timer.start()
        try:
            client.run([*self.address, cmd, *to, *map(str, args)])
        finally:
            timer.cancel()
        if expired.is_set():
            msg = f"the tmux server {self.socket_name} does not answer within {self.limit:g} s."
            raise TemporaryError(msg)
        return client

    @property
    def address(self) -> tuple[str, ...]:
        """What stands before every command."""
        return ("-u", "-L", str(self.socket_name), "-f", str(self.config_file))


class TmuxServer:
    """The server of one `$AO_HOME`; a session of it is ours only with our mark on it."""

    def __init__(self, name: str, home: Path, limit: float = LIMIT) -> None:
        self.name = name
        self._limit = limit
        self._home = home
        self._home_mark = hashlib.sha256(str(home).encode()).hexdigest()[:16]
        self._configuration = home / "tmux.conf"
        self._server = BoundedServer(socket_name=name, config_file=str(self._configuration))
        self._server.limit = limit
        self._ended = False
        """A session was ended here: by who holds the home's lock, so that nobody else starts one meanwhile."""
        # Twice the limit: a call may wait for a thread, and is taken back if it gets none.
        self._threads = Threads(f"the tmux server {name}", limit=2 * limit)

    def attach_command(self, session: str) -> tuple[str, ...]:
        """The command that opens a session in a person's terminal."""
        folder = os.environ.get("TMUX_TMPDIR")
        prefix = ("env", f"TMUX_TMPDIR={folder}") if folder else ()
        return (*prefix, "tmux", "-u", "-L", self.name, "attach-session", "-t", f"={session}")

    async def new_session(self, session: str, script: Path) -> None:
        """Start a session that runs a script with an empty environment; starts the server if need be.

        Raises `TemporaryError` when tmux refuses.
        """
        await self._threads.run(self._write_configuration)
        width, height = SIZE
        done = await self._tmux(
            *("new-session", "-d", "-s", session, "-x", width, "-y", height, "--"),
            *("/usr/bin/env", "-i", "/bin/sh", str(script), ";"),
            *("set-option", "-t", f"={session}:", MARK, session, ";"),
            *("set-option", "-t", f"={session}:", HOME, self._home_mark, ";"),
            # The title is this host's name until the program sets one.
            *("select-pane", "-t", f"={session}:", "-T", ""),
        )
        if not done.ok:
            msg = f"tmux could not start {session}: {done.error_text()}"
            raise TemporaryError(msg)

    async def panes(self) -> Mapping[str, Pane]:
        """Every session of this home by its id: one call, however many there are."""
        return self._read(await self._cmd("list-panes", "-a", *listing()))

    async def pane(self, session: str) -> Pane:
        """One session. Raises `Missing`."""
        rows = await self._cmd("list-panes", *listing(), target=f"={session}:")
        found = self._read(rows).get(session)
        if found is None:
            msg = f"there is no tmux session {session} of this home."
            raise Missing(msg)
        return found

    async def screens(self, sessions: Collection[str]) -> Mapping[str, str]:
        """The visible screens of these sessions: one call; one that is gone meanwhile is left out."""
        if not sessions:
            return {}
        # Read by `source-file`, because a chain of arguments is bounded and ends at a missing target.
        seal = f"screen-{secrets.token_hex(16)}:"
        lines = [f'display-message -p "{seal}{s}"\ncapture-pane -p -t "={s}:"\n' for s in sessions]
        done = await self._tmux("source-file", "-", stdin="".join(lines).encode())
        self._check_server(done.error_text())
        parts = done.stdout.decode(errors="replace").split(seal)[1:]
        pairs = (part.split("\n", 1) for part in parts)
        return {name: clean(screen).rstrip() for name, screen in pairs if screen}

    async def pictures(self, sessions: Collection[str]) -> Mapping[str, Picture]:
        """The same with colours, the size and the cursor: one call; one that is gone meanwhile is left out."""
        if not sessions:
            return {}
        seal = f"picture-{secrets.token_hex(16)}:"
        lines = [
            f'display-message -p -t "={s}:" "{seal}{s}{PICTURE}"\ncapture-pane -p -e -N -t "={s}:"\n'
            for s in sessions
        ]
        done = await self._tmux("source-file", "-", stdin="".join(lines).encode())
        self._check_server(done.error_text())
        parts = done.stdout.decode(errors="replace").split(seal)[1:]
        return {name: picture for name, picture in map(pictured, parts) if picture is not None}

    async def output(self, session: str, lines: int) -> str:
        """The last lines, also those that left the screen. Raises `Missing`."""
        rows = await self._cmd("capture-pane", "-p", "-S", f"-{lines}", target=f"={session}:")
        text = _DEAD.sub("\n\n", clean("\n".join(rows)).rstrip())
        return "\n".join(text.split("\n")[-lines:])

    async def paste(self, session: str, text: str, *, submit: bool, leave_mode: bool) -> None:
        """Paste a text as one piece, then press Enter: all of it or, on an error, nothing.

        Raises `TemporaryError`; the text may have any length.
        """
        buffer = f"ao-{session}-{secrets.token_hex(4)}"
        target = ("-t", f"={session}:")
        leave = ("copy-mode", "-q", *target, ";") if leave_mode else ()
        enter = (";", "send-keys", *target, "Enter") if submit else ()
        done = await self._tmux(
            *("load-buffer", "-b", buffer, "-", ";"),
            *leave,
            *("paste-buffer", "-p", "-d", "-b", buffer, *target),
            *enter,
            stdin=text.encode(errors="replace"),
        )
        if not done.ok:
            await self._cmd_ignoring("delete-buffer", "-b", buffer)
            msg = f"tmux did not take the text for {session}: {done.error_text()}"
            raise TemporaryError(msg)

    async def keys(self, session: str, keys: Sequence[str], *, leave_mode: bool) -> None:
        """Press keys, named as tmux names them; one character stands for itself."""
        target = f"={session}:"
        commands: list[str] = ["copy-mode", "-q", "-t", target] if leave_mode else []
        for key in keys:
            # An argument that is or ends in a semicolon would end the command.
            literal = ("-l", "--", "\\;" if key == ";" else key) if len(key) == 1 else ("--", key)
            commands += [*([";"] if commands else []), "send-keys", "-t", target, *literal]
        await self._cmd(commands[0], *commands[1:])

    async def kill_session(self, session: str) -> None:
        """Take a session of ours away. Raises `Missing`."""
        await self._cmd("kill-session", target=f"={session}")
        self._ended = True

    async def close(self) -> None:
        """Let the threads go. The server stays, unless we ended its last session: then it ends by itself."""
        try:
            if self._ended and not await self._cmd("list-sessions"):
                await self._cmd("set-option", "-s", "exit-empty", "on")
        except (Missing, TemporaryError):
            pass  # gone already, or it does not answer: the next start finds it
        finally:
            self._threads.close()

    def _read(self, rows: Sequence[str]) -> dict[str, Pane]:
        found = parsed(rows, self._home_mark)
        for pane in found.values():
            if pane.hung_up and not pane.ended:
                _remind(pane.server)
        return found

    async def _cmd(self, name: str, *args: str, target: str | None = None) -> list[str]:
        """A libtmux command; its lines. Raises `Missing`, `TemporaryError`."""

        def call() -> tmux_cmd:
            return self._server.cmd(name, *args, target=target)

        try:
            done = await self._threads.run(call)
        except LibTmuxException as error:
            msg = f"tmux cannot be run: {type(error).__name__} {error}".strip()
            raise NotReady(msg, next_step="Install tmux 3.2 or newer.") from error
        complaint = "\n".join(done.stderr)
        if done.returncode == 0:
            return list(done.stdout)
        if name == "list-panes" and target is None and _says(complaint, (*_NO_SERVER, _NO_SESSION)):
            return []  # The look worked: there are no sessions.
        if _says(complaint, (*_NO_SERVER, *_ABSENT)):
            msg = f"tmux: {complaint}"
            raise Missing(msg)
        msg = f"tmux {name} failed: {complaint or done.returncode}"
        raise TemporaryError(msg)

    async def _cmd_ignoring(self, name: str, *args: str) -> None:
        try:
            await self._cmd(name, *args)
        except (Missing, TemporaryError):
            return  # What it would tidy up is gone, or goes with the server.

    async def _tmux(self, *args: str, stdin: bytes = b"") -> Completed:
        """What libtmux cannot do: with standard input, or able to start the server."""
        argv = ("tmux", *self._server.address, *args)
        return await command.run(argv, env=server_environment(), stdin=stdin, timeout=self._limit)

    def _check_server(self, complaint: str) -> None:
        if _says(complaint, _NO_SERVER):
            msg = f"the tmux server {self.name} went away."
            raise TemporaryError(msg)

    def _write_configuration(self) -> None:
        if not self._configuration.exists() or self._configuration.read_text() != CONFIGURATION:
            whole_file.replace(self._configuration, CONFIGURATION.encode())


def server_environment() -> dict[str, str]:
    """The whole environment of a tmux server of ours, and of the clients that may start it."""
    kept = {name: os.environ[name] for name in PASSED if name in os.environ}
    return {"PATH": os.defpath, **kept, "TERM": "xterm-256color"}


def _remind(server: int) -> None:
    """Let the server collect its children: 3.3a at times misses the end of one, until another one ends."""
    try:
        os.kill(server, signal.SIGCHLD)
    except (ProcessLookupError, PermissionError):
        return


def _says(complaint: str, phrases: Sequence[str]) -> bool:
    return any(phrase in complaint for phrase in phrases)
