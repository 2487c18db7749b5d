"""What goes on until Ctrl-C: `status --watch` and `events --follow`."""

from __future__ import annotations

import time
from collections.abc import Mapping

from bot.actions.action import Action
from bot.chat.message import Json, from_json
from bot.chat.render import event_data_line
from bot.chat.request import Value
from bot.frontends.api.client import Client
from bot.frontends.shell.console import Console

_LAST = 10
_REDRAW = 5.0
"""Seconds after which `status --watch` draws anew though nothing happened: the ages have changed."""


def status(client: Client, action: Action, arguments: Mapping[str, Value], console: Console) -> int:
    """Draw the status anew whenever something happened. Ends by Ctrl-C, or when the server does."""
    asked: dict[str, Json] = {
        name: value for name, value in arguments.items() if name != "watch" and isinstance(value, str | bool)
    }
    after = newest(client)
    while True:
        console.redraw(from_json(client.act(action.verb, asked)))
        happened = client.events(after, wait=_REDRAW)
        after = _number(happened[-1]) if happened else after


def events(client: Client, arguments: Mapping[str, Value], console: Console) -> int:
    """Print each event as it happens: from a number, or from now; a person is shown the newest before."""
    start = arguments.get("after")
    wanted = _session(client, arguments.get("session"))
    after = start if isinstance(start, int) else newest(client)
    if not isinstance(start, int) and not console.json:
        for data in _before(client, wanted):
            console.tell(event_data_line(data, time.time()))
            after = max(after, _number(data))
    for data in client.follow(after):
        if wanted and data.get("session") != wanted:
            continue
        if console.json:
            console.data(data)
        else:
            console.tell(event_data_line(data, time.time()))
    return 0


def _before(client: Client, session: str) -> list[dict[str, Json]]:
    """What happened last, so that a story that is over is seen too."""
    asked: dict[str, Json] = {"limit": _LAST, **({"session": session} if session else {})}
    data = client.act("events", asked).get("data")
    found = data.get("events") if isinstance(data, dict) else None
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def newest(client: Client) -> int:
    """The number of the newest event."""
    found = client.health().get("seq")
    return found if isinstance(found, int) else 0


def _session(client: Client, text: Value | None) -> str:
    return str(client.session(text).get("id") or "") if isinstance(text, str) and text else ""


def _number(data: Mapping[str, Json]) -> int:
    found = data.get("seq")
    return found if isinstance(found, int) else 0
