"""Runs a verb: through the API when `ao start` runs, else in this process."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from bot.actions.action import Access, Action
from bot.chat.message import Json, Message, from_json
from bot.chat.request import SHELL, Request, Surface, Value
from bot.frontends.api.client import Client
from bot.frontends.shell.machine import Machine, Surroundings
from orchestrator.domain.person import OWNER
from orchestrator.errors import BadInput, NotReady
from orchestrator.storage.layout import Home

NOT_WATCHED = "Nothing is watching: run `ao start` to look after the sessions."

NOT_SETTLED = "It is not done yet: `ao start` carries it on, `ao status` shows where it is."
SERVER = "ao start"
"""What the lock says of the one process that watches."""
_TRIES, _PAUSE = 50, 0.1

Confirm = Callable[[Message, Mapping[str, Value]], dict[str, Value]]
"""Shows the facts and asks; returns the arguments bound to what was shown. Raises when it is a no."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A verb's answer, and whether a server watches over what comes of it."""

    message: Message
    watched: bool
    last_seen: float | None = None
    """While nothing watches: when somebody did last, as far as kept files tell; None: never."""
    settled: bool = True
    troubles: Sequence[str] = ()
    """What it was answered without, a line each."""


def not_watched_since(seen: float | None) -> str:
    """What is said beside an answer from kept files: how old it may be."""
    if seen is None:
        return NOT_WATCHED
    at = datetime.fromtimestamp(seen, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return f"Nothing is watching; last seen at {at}: run `ao start` to look after the sessions."


def client_for(where: Surroundings) -> Client:
    """The API of this home, or of the server that was named. Raises `AoError` where it has no token."""
    if where.server:
        from bot.frontends.api.reach import token_for

        return Client(where.server, token=token_for(where.server, where.env))
    return Client(Home.default(where.env).api_socket, surface=Surface.SHELL.value)


def run(
    machine: Machine,
    where: Surroundings,
    action: Action,
    arguments: Mapping[str, Value],
    confirm: Confirm | None,
) -> Answer:
    """Run a verb. Raises `AoError`."""
    if where.server and action.access is not Access.FILES:
        return Answer(message=_remote(client_for(where), action, arguments, confirm), watched=True)
    if where.server and action.surfaces == SHELL:
        raise only_there(action)
    client = client_for(replace(where, server=""))
    if action.access is not Access.FILES and (client.running() or _starts(where, client)):
        return Answer(message=_remote(client, action, arguments, confirm), watched=True)
    import asyncio

    return asyncio.run(_embedded(machine, where, action, arguments, confirm))


def _starts(where: Surroundings, client: Client) -> bool:
    """Wait for a server that holds the lock and does not listen yet."""
    home = Home.default(where.env)
    if not home.lock.exists():
        return False
    from orchestrator.storage.lock import holder

    for _ in range(_TRIES):
        found = holder(home)
        if found is None or found.what != SERVER:
            return False
        if client.running():
            return True
        time.sleep(_PAUSE)
    return False


def _remote(
    client: Client, action: Action, arguments: Mapping[str, Value], confirm: Confirm | None
) -> Message:
    if confirm is not None:
        shown = from_json(client.act(action.verb, _json(arguments), preview=True))
        arguments = confirm(shown, arguments)
    return from_json(client.act(action.verb, _json(arguments), key=os.urandom(16).hex()))


async def _embedded(
    machine: Machine,
    where: Surroundings,
    action: Action,
    arguments: Mapping[str, Value],
    confirm: Confirm | None,
) -> Answer:
    import asyncio

    from orchestrator.storage import last_run

    seen = last_run.last_seen(Home.default(where.env))
    request = Request(
        id=os.urandom(8).hex(),
        who=OWNER,
        surface=Surface.SHELL,
        verb=action.verb,
        at=time.time(),
        arguments=arguments,
    )
    async with machine.embedded(where, action.access) as house:
        if confirm is not None:
            shown = await house.actions.preview(request)
            request = replace(request, arguments=await asyncio.to_thread(confirm, shown, arguments))
        message = await house.actions.run(request)
        settled = action.access is not Access.CHANGES or await house.settled()
        return Answer(
            message=message, watched=False, last_seen=seen, settled=settled, troubles=house.troubles
        )


def _json(arguments: Mapping[str, Value]) -> dict[str, Json]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in arguments.items()}


def only_there(action: Action) -> BadInput:
    """The error for a verb that no server elsewhere does for us."""
    msg = f"{action.verb} is a matter of the machine that it is typed on, and takes no --server."
    return BadInput(msg, next_step="Leave --server out, or type it there.")


def refuse_elsewhere(where: Surroundings, action: Action) -> None:
    """Raises `NotReady` for a terminal that lies on another machine."""
    if where.server:
        msg = f"{action.verb} shows a terminal of the machine that {where.server} runs on."
        raise NotReady(msg, next_step="`ao output <session>` shows its last lines; or log in there.")


def absolute(action: Action, arguments: Mapping[str, Value], where: Surroundings) -> dict[str, Value]:
    """Arguments with every path made absolute: the server has another working directory.

    One on another machine is written absolute. Raises `BadInput`.
    """
    cwd = where.cwd
    paths = {argument.name for argument in action.arguments if argument.kind.value == "path"}
    if where.server and action.access is not Access.MACHINE:
        for name in paths & arguments.keys():
            if not str(arguments[name]).startswith("/"):
                msg = f"{name} is a path on the server's machine: write it from the root on."
                raise BadInput(msg)
    return {
        name: str((Path(cwd) / Path(value).expanduser()).absolute())
        if name in paths and isinstance(value, str)
        else value
        for name, value in arguments.items()
    }
