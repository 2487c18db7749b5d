"""The pages' templates, all compiled at the start. The one file that meets Jinja2; every text is escaped by it."""

from __future__ import annotations

import datetime
import secrets
from collections.abc import Mapping
from importlib import resources
from typing import Any

from jinja2 import DictLoader, Environment, StrictUndefined, Template

from bot.chat.message import Button
from bot.chat.payload import encode
from bot.frontends.web.thread import anchor

_FOLDER = "templates"


class Templates:
    """Made in a thread: it reads files."""

    def __init__(self) -> None:
        folder = resources.files("bot.frontends.web") / _FOLDER
        sources = {item.name: item.read_text(encoding="utf-8") for item in folder.iterdir()}
        made = Environment(
            loader=DictLoader(sources),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        made.filters.update(iso=_iso, clock=_clock, payload=_payload, anchor=anchor)
        made.globals["new_key"] = lambda: secrets.token_urlsafe(12)
        self._made: dict[str, Template] = {name: made.get_template(name) for name in sources}

    def render(self, name: str, values: Mapping[str, Any]) -> str:
        """A template with its values."""
        return self._made[name].render(values)


def _iso(at: float) -> str:
    return datetime.datetime.fromtimestamp(at, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _clock(at: float) -> str:
    """What stands there until the page's script shows the reader's own time."""
    return datetime.datetime.fromtimestamp(at, datetime.UTC).strftime("%Y-%m-%d %H:%M UTC")


def _payload(button: Button) -> str:
    """What a pressed button sends; empty for one that does not fit: it is not shown."""
    try:
        return encode(button)
    except ValueError:
        return ""
