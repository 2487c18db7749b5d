"""`ao stop`: end the process that watches; agents go on, unless their sessions are to end first."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping, Sequence

from bot.chat.message import Field, Message
from bot.chat.request import Value
from bot.frontends.api.client import Client
from bot.frontends.shell import gateway
from bot.frontends.shell.console import Console
from bot.frontends.shell.machine import Machine, Surroundings
from orchestrator.errors import AoError, BadInput, NotReady, TemporaryError
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
        client = gateway.client_for(where)
        _ask(client, where, console)
        _end_sessions(client, console)
    live, ending = _what_is_left(gateway.client_for(where))
    os.kill(found.pid, signal.SIGTERM)
    _wait_for_end(home, found)
    console.tell(f"Stopped.{left(live, ending)}")
    return 0


def _ask(client: Client, where: Surroundings, console: Console) -> None:
    """Show what would end, and ask. Raises `AoError` when the answer is not yes."""
    found = client.sessions()
    if where.yes or not found:
        return
    names = ", ".join(str(session.get("id")) for session in found)
    if not console.can_ask:
        msg = f"stop --sessions asks before it ends {names}, and nobody can answer here."
        raise BadInput(msg, next_step="For scripts: ao stop --sessions --yes.")
    rows = tuple(
        Field(str(session.get("id")), f"{session.get('status')}, {session.get('title')}") for session in found
    )
    shown = Message(title="End all sessions? What is unsaved is rescued first.", fields=rows)
    if not console.ask(shown, "Do it?"):
        msg = "Nothing was done."
        raise AoError(msg)


def left(live: Sequence[str], ended: Sequence[str]) -> str:
    """What became of the agents: a terminal of the runtime `process` ends with `ao`, others go on."""
    if not live:
        return ""
    if not ended:
        return " Agents go on; the next `ao start` takes them over."
    words = f" These agents ended with it, and the next `ao start` starts them again: {', '.join(ended)}."
    return words + (" The others go on." if len(ended) < len(live) else "")


def _what_is_left(client: Client) -> tuple[list[str], list[str]]:
    """The live sessions, and those of them that end with the server; nothing of one that hangs."""
    try:
        ending = client.health().get("ends_with_ao")
        return [str(s["id"]) for s in client.sessions()], (
            [str(one) for one in ending] if isinstance(ending, list) else []
        )
    except AoError:
        return [], []


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
