"""`ao stop`: end the process that watches; agents go on, unless their sessions are to end first."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping

from bot.chat.request import Value
from bot.frontends.api.client import Client
from bot.frontends.shell import gateway
from bot.frontends.shell.console import Console
from bot.frontends.shell.machine import Machine, Surroundings
from orchestrator.errors import AoError, NotReady, TemporaryError
from orchestrator.storage.layout import Home
from orchestrator.storage.lock import Holder, holder

_PAUSE = 0.1
_STOP_LIMIT, _SESSIONS_LIMIT = 60.0, 300.0


def run(machine: Machine, where: Surroundings, console: Console, arguments: Mapping[str, Value]) -> int:
    """Returns once the lock is free. Raises `NotReady` when nothing runs, `TemporaryError` when it stays."""
    del machine
    home = Home.default(where.env)
    found = holder(home)
    if found is None or found.what != gateway.SERVER or found.pid <= 1:
        msg = "no `ao start` runs for this AO_HOME."
        raise NotReady(msg, next_step="There is nothing to stop.")
    if arguments.get("sessions"):
        _end_sessions(gateway.client_for(where), console)
    os.kill(found.pid, signal.SIGTERM)
    _wait_for_end(home, found)
    left = "" if arguments.get("sessions") else " Agents go on; the next `ao start` takes them over."
    console.say(f"Stopped.{left}")
    return 0


def _end_sessions(client: Client, console: Console) -> None:
    """Kill every live session and wait until each is taken down. Raises `TemporaryError`."""
    for session in client.sessions():
        if session.get("wanted") != "stop":
            client.act("kill", {"session": session["id"]})
    for lost in _damaged(client):
        client.act("kill", {"session": lost})
    limit = time.monotonic() + _SESSIONS_LIMIT
    while left := [str(session["id"]) for session in client.sessions()]:
        if time.monotonic() > limit:
            msg = f"these sessions have not ended yet: {', '.join(left)}."
            raise TemporaryError(
                msg, next_step="`ao status <session>` says what each waits for; nothing was stopped."
            )
        time.sleep(_PAUSE)
    console.note("All sessions have ended; `ao rescue ls` lists what was saved.")


def _damaged(client: Client) -> list[str]:
    """Sessions whose file is damaged: they are in no list of sessions, and their agents may run."""
    shown = client.act("status", {}).get("data")
    rows = shown.get("damaged") if isinstance(shown, dict) else None
    return [str(row.get("id")) for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _wait_for_end(home: Home, found: Holder) -> None:
    limit = time.monotonic() + _STOP_LIMIT
    while True:
        now = holder(home)
        if now is None or now.pid != found.pid:
            return
        if time.monotonic() > limit:
            msg = f"the process {found.pid} has not ended after {_STOP_LIMIT:.0f} s."
            raise AoError(msg, next_step="Its log says why; as a last resort end it by its number.")
        time.sleep(_PAUSE)
