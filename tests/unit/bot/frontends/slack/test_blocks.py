"""A message as Slack takes it: within its limits whatever it holds, and nothing of it is Slack's own speech."""

from __future__ import annotations

import json
from typing import Any

import pytest
from slack_sdk.models.blocks import Block

from bot.chat import payload
from bot.chat.card import card
from bot.chat.message import Button, Field, Message, Table
from bot.chat.room import CARD
from bot.chat.story import Entry
from bot.frontends.slack import blocks
from orchestrator.domain.session import Question, StatusLine, Task
from orchestrator.domain.status import Status
from orchestrator.testing import examples

HOSTILE = "<!channel> <@U1> @here *bold* `code` ```fence``` <https://evil.example|ok> & \u202e"
LONG = "x" * 5000


def message(**fields: Any) -> Message:
    return Message(title=fields.pop("title", "demo-1"), **fields)


def everything(text: str) -> Message:
    return message(
        title=text,
        lines=tuple([text] * 30),
        fields=tuple(Field(f"f{n}", text, 1.0) for n in range(40)),
        buttons=tuple(
            Button(
                label=f"{n} {text}",
                verb="kill",
                arguments={"session": "demo-1"},
                confirm=(text,),
                danger=True,
            )
            for n in range(30)
        ),
        menu=tuple(
            Button(label=f"{n} {text}", verb="pause", arguments={"session": "demo-1"}) for n in range(9)
        ),
        table=Table(("a", "b"), ((text, text),) * 50),
        next_steps=(text,) * 9,
    )


def check(made: list[dict[str, Any]]) -> str:
    """Slack's own model of each block refuses what is over its limits; what that does not check is checked here."""
    assert len(made) <= 50
    for block in made:
        Block.parse(block).to_dict()  # type: ignore[union-attr]
        for field in block.get("fields", ()):
            assert len(field["text"]) <= 2000
        ids = [element.get("action_id") for element in block.get("elements", ()) if "action_id" in element]
        assert len(ids) == len(set(ids))
        for element in block.get("elements", ()):
            for option in element.get("options", ()):
                assert len(option["text"]["text"]) <= 75
                assert len(option["value"]) <= 150
    return json.dumps(made, ensure_ascii=False)


@pytest.mark.parametrize("text", ["", " ", HOSTILE, LONG, "```" * 2000, "&" * 4000], ids=range(6))
def test_whatever_it_holds_slack_takes_it(text: str) -> None:
    whole = everything(text)
    entry = Entry(about="x", at=0.0, message=whole)
    verbatim = Entry(about="x", at=0.0, message=message(lines=(text,) * 9, verbatim=True))
    for made in (
        blocks.card_blocks(whole),
        blocks.entry_blocks(entry, "<@U1>"),
        blocks.entry_blocks(verbatim),
        blocks.answer_blocks(whole),
    ):
        check(made)
    assert len(blocks.entry_text(entry)) <= 4000


def test_outside_text_mentions_nobody_and_links_nowhere() -> None:
    session = examples.session(
        task=Task(title=HOSTILE, issue="1"),
        questions=(Question(id="q12345678", text=HOSTILE, asked_at=0.0, options=(HOSTILE, "b")),),
        status=StatusLine(status=Status.WAITING_INPUT, reason=HOSTILE, evidence="", since=1.0),
    )
    text = check(blocks.card_blocks(card(session)))
    markdown = [
        b["text"]["text"] for b in blocks.card_blocks(card(session)) if b["type"] == "section" and "text" in b
    ]
    assert all("<!" not in shown and "<@" not in shown and "<http" not in shown for shown in markdown)
    assert "&lt;!channel&gt;" in text


def test_a_fence_inside_a_fence_is_broken_up() -> None:
    fenced = blocks.fence("a ``` b")
    assert fenced.count("```") == 2


def test_a_card_shows_since_when_in_the_readers_own_time() -> None:
    text = json.dumps(blocks.card_blocks(card(examples.session())))
    assert f"<!date^{int(examples.NOW)}^" in text
    assert "|2027-01-15 08:00 UTC>" in text  # what a client shows that knows no such dates


def shown(made: list[dict[str, Any]]) -> list[str]:
    return [block["text"]["text"] for block in made if block["type"] == "section" and "text" in block]


@pytest.mark.parametrize("verbatim", [False, True])
def test_a_long_answer_takes_several_sections_and_loses_nothing(verbatim: bool) -> None:
    lines = tuple(f"line {n} <&> {'word ' * 8}" for n in range(250))
    made = blocks.answer_blocks(message(lines=lines, verbatim=verbatim))
    check(made)
    texts = shown(made)[1:]
    assert 1 < len(texts) <= 8
    told = "\n".join(text.removeprefix("```\n").removesuffix("\n```") for text in texts)
    assert told.split("\n") == [blocks.escape(line) for line in lines]
    assert all(text.startswith("```\n") is verbatim for text in texts)


def test_a_table_is_shown_whole() -> None:
    rows = tuple((f"verb {n}", "what it does " * 5) for n in range(100))
    texts = shown(blocks.answer_blocks(message(table=Table(("verb", "what"), rows))))
    assert all(any(f"verb {n} · " in text for text in texts) for n in range(100))


@pytest.mark.parametrize("shift", range(6))
def test_no_entity_is_cut_in_two(shift: int) -> None:
    text = "x" * shift + "&<" * 20_000
    whole = message(title=text, lines=(text,), fields=(Field("f", text),))
    for made in (blocks.answer_blocks(whole), blocks.entry_blocks(Entry(about="x", at=0.0, message=whole))):
        told = [*shown(made), *(field["text"] for block in made for field in block.get("fields", ()))]
        for one in told:
            assert "&" not in one.replace("&amp;", "").replace("&lt;", "")
            assert "mp;" not in one.replace("&amp;", "")


def test_buttons_say_what_they_do_and_carry_it() -> None:
    merge = Button(
        label="Merge demo-1",
        verb="merge",
        arguments={"session": "demo-1", "head": examples.HEAD},
        confirm=("#7 at aaaaaaa", "3 files"),
    )
    ask = Button(label="Tell it", verb="send", arguments={"session": "demo-1"}, ask="What?")
    [row] = [b for b in blocks.card_blocks(message(buttons=(merge, ask))) if b["type"] == "actions"]
    first, second = row["elements"]
    assert first["value"] == payload.encode(merge)
    assert "#7 at aaaaaaa\n3 files" in first["confirm"]["text"]["text"]
    assert first["action_id"].startswith(blocks.PRESS)
    assert second["action_id"].startswith(blocks.ASK)


def test_a_form_asks_for_the_words_and_brings_back_what_it_was_for() -> None:
    view = blocks.modal(Button(label="Request changes", verb="x", ask="What should change?"), "carried")
    assert view["private_metadata"] == "carried"
    view["state"] = {"values": {"words": {"text": {"value": "a test"}}}}
    assert blocks.words_of_modal(view) == "a test"
    assert blocks.words_of_modal({}) == ""


def test_a_card_is_found_by_what_it_is_about() -> None:
    assert Entry(about=CARD, at=0.0, message=message()).about == "card"
