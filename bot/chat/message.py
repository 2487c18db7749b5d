"""What is answered: title, lines, fields, a table, buttons as data. In no platform's dialect.

A surface turns it into its own form; the API sends it as JSON (`as_json`, `from_json`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from orchestrator.domain.event import Level

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
"""What JSON can hold."""


@dataclass(frozen=True, slots=True)
class Field:
    """A fact with its name: `checks: 3 passed`."""

    label: str
    value: str
    at: float | None = None
    """Epoch seconds since which it holds; a surface shows it in the reader's own time."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under column names. Every row has as many cells as there are columns."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    cut: tuple[str, ...] = ()
    """Columns with texts, which may be cut where there is no room; the last one where none is named."""
    wrap: bool = False
    """The last column goes on in the next line where there is no room: nothing of it is cut."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """A verb that can be asked for from the message, exactly as shown."""

    label: str
    verb: str
    arguments: Mapping[str, str] = field(default_factory=dict)
    """With the head SHA that was shown, where the verb needs one."""
    danger: bool = False
    confirm: tuple[str, ...] = ()
    """What is shown before a yes is asked; empty: a press is enough."""
    ask: str = ""
    """The label of a text that has to be given with it; it becomes the argument `text`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One answer. `title` alone is enough; all texts are short enough for a phone."""

    title: str
    lines: tuple[str, ...] = ()
    verbatim: bool = False
    """The lines are a screen, a file or a command: shown as they are, however long."""
    fields: tuple[Field, ...] = ()
    table: Table | None = None
    buttons: tuple[Button, ...] = ()
    menu: tuple[Button, ...] = ()
    """What is asked for more rarely, or destroys: behind a menu."""
    private: bool = False
    """For whoever asked alone: an error, a denial, help."""
    level: Level = Level.INFO
    next_steps: tuple[str, ...] = ()
    """What can be asked next, as typed after `ao`."""
    session: str = ""
    data: Json = None
    """The same for programs (`--json`); None: the message itself is all there is."""


def as_json(message: Message) -> dict[str, Json]:
    """A message as it goes over the API. What is empty is left out."""
    table = message.table
    whole: dict[str, Json] = {
        "title": message.title,
        "lines": list(message.lines),
        "fields": [_field_json(item) for item in message.fields],
        "verbatim": message.verbatim or None,
        "table": _table_json(table) if table else None,
        "buttons": [_button_json(button) for button in message.buttons],
        "menu": [_button_json(button) for button in message.menu],
        "private": message.private or None,
        "level": message.level.value,
        "next_steps": list(message.next_steps),
        "session": message.session,
        "data": message.data,
    }
    return {key: value for key, value in whole.items() if value not in (None, "", [])}


def _table_json(table: Table) -> dict[str, Json]:
    cut: dict[str, Json] = {"cut": list(table.cut)} if table.cut else {}
    wrap: dict[str, Json] = {"wrap": True} if table.wrap else {}
    return {"columns": list(table.columns), "rows": [list(row) for row in table.rows], **cut, **wrap}


def _button_json(button: Button) -> dict[str, Json]:
    arguments: dict[str, Json] = dict(button.arguments)
    more: dict[str, Json] = {"confirm": list(button.confirm)} if button.confirm else {}
    if button.ask:
        more["ask"] = button.ask
    return {
        "label": button.label,
        "verb": button.verb,
        "arguments": arguments,
        "danger": button.danger,
        **more,
    }


def _field_json(item: Field) -> dict[str, Json]:
    at: dict[str, Json] = {} if item.at is None else {"at": item.at}
    return {"label": item.label, "value": item.value, **at}


def from_json(data: Mapping[str, Json]) -> Message:
    """A message as it came over the API. What is missing is empty; what is odd becomes text."""
    return Message(
        title=str(data.get("title") or ""),
        lines=_texts(data.get("lines")),
        verbatim=data.get("verbatim") is True,
        fields=tuple(_field(item) for item in _maps(data.get("fields"))),
        table=_table(data.get("table")),
        buttons=tuple(_button(item) for item in _maps(data.get("buttons"))),
        menu=tuple(_button(item) for item in _maps(data.get("menu"))),
        private=data.get("private") is True,
        level=Level(str(data.get("level") or Level.INFO.value)),
        next_steps=_texts(data.get("next_steps")),
        session=str(data.get("session") or ""),
        data=data.get("data"),
    )


def _texts(value: Json) -> tuple[str, ...]:
    return tuple(str(item) for item in value) if isinstance(value, list) else ()


def _maps(value: Json) -> list[dict[str, Json]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _table(value: Json) -> Table | None:
    if not isinstance(value, dict):
        return None
    rows = value.get("rows")
    return Table(
        _texts(value.get("columns")),
        tuple(_texts(row) for row in rows) if isinstance(rows, list) else (),
        cut=_texts(value.get("cut")),
        wrap=value.get("wrap") is True,
    )


def _button(item: Mapping[str, Json]) -> Button:
    arguments = item.get("arguments")
    return Button(
        label=str(item.get("label", "")),
        verb=str(item.get("verb", "")),
        arguments={key: str(value) for key, value in arguments.items()}
        if isinstance(arguments, dict)
        else {},
        danger=item.get("danger") is True,
        confirm=_texts(item.get("confirm")),
        ask=str(item.get("ask") or ""),
    )


def _field(item: Mapping[str, Json]) -> Field:
    at = item.get("at")
    when = float(at) if isinstance(at, int | float) else None
    return Field(str(item.get("label", "")), str(item.get("value", "")), when)
