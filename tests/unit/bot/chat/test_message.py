"""A message survives the way over the API."""

from __future__ import annotations

from bot.chat.message import Button, Field, Json, Message, Table, as_json, from_json
from orchestrator.domain.event import Level

WHOLE = Message(
    title="demo-1",
    lines=("one", "two"),
    fields=(Field("PR", "#7"),),
    table=Table(("a", "b"), (("1", "2"),)),
    buttons=(Button(label="Merge", verb="merge", arguments={"head": "abc"}, danger=True),),
    level=Level.ACTION,
    next_steps=("status",),
    session="demo-1",
    data={"x": [1, None, True]},
)


def test_there_and_back() -> None:
    assert from_json(as_json(WHOLE)) == WHOLE
    assert from_json(as_json(Message(title="only"))) == Message(title="only")


def test_what_is_empty_is_not_sent() -> None:
    assert as_json(Message(title="only")) == {"title": "only", "level": "info"}


def test_odd_data_becomes_an_empty_message() -> None:
    odd: dict[str, Json] = {
        "title": None,
        "lines": 3,
        "fields": ["x"],
        "table": [],
        "buttons": [{}],
        "data": 1,
    }
    found = from_json(odd)
    assert (found.title, found.lines, found.fields, found.table) == ("", (), (), None)
    assert found.buttons == (Button(label="", verb=""),)
