"""Each limit of Slack, and one over it: the fake answers with the platform's own code."""

from __future__ import annotations

from typing import Any

import pytest

from bot.demo import slack_limits as limits
from bot.demo.slack_refusals import Refused

Block = dict[str, Any]


def plain(size: int) -> Block:
    return {"type": "plain_text", "text": "x" * size}


def words(size: int) -> Block:
    return {"type": "mrkdwn", "text": "x" * size}


def button(number: int = 0, **more: Any) -> Block:
    return {"type": "button", "action_id": f"a{number}", "text": plain(4), **more}


def actions(*elements: Block) -> Block:
    return {"type": "actions", "elements": list(elements)}


def section(**more: Any) -> Block:
    return {"type": "section", "text": words(5), **more}


def confirm(**more: Any) -> Block:
    return {"title": plain(100), "text": words(300), "confirm": plain(30), "deny": plain(30), **more}


def option(text: int = 75, value: int = 150) -> Block:
    return {"text": plain(text), "value": "v" * value}


def menu(kind: str, count: int, **size: int) -> Block:
    return {"type": kind, "action_id": "m", "options": [option(**size) for _ in range(count)]}


AT_THE_LIMIT: dict[str, list[Block]] = {
    "blocks": [{"type": "divider"}] * 50,
    "section text": [section(text=words(3_000))],
    "fields": [section(fields=[words(1)] * 10)],
    "field": [section(fields=[words(2_000)])],
    "header": [{"type": "header", "text": plain(150)}],
    "elements of actions": [actions(*(button(n) for n in range(25)))],
    "elements of context": [{"type": "context", "elements": [words(1)] * 10}],
    "context_actions": [{"type": "context_actions", "elements": [button(n) for n in range(5)]}],
    "button text": [actions(button(text=plain(75)))],
    "accessibility label": [actions(button(accessibility_label="x" * 75))],
    "action_id": [actions(button(action_id="x" * 255))],
    "value": [actions(button(value="x" * 2_000))],
    "url": [actions(button(url="x" * 3_000))],
    "block_id": [section(block_id="x" * 255)],
    "markdown": [{"type": "markdown", "text": "x" * 12_000}],
    "confirm": [actions(button(confirm=confirm()))],
    "overflow": [actions(menu("overflow", 5))],
    "select": [actions(menu("static_select", 100))],
    "table rows": [{"type": "table", "rows": [[{}] * 20] * 100}],
}
ONE_OVER: dict[str, list[Block]] = {
    "blocks": [{"type": "divider"}] * 51,
    "section text": [section(text=words(3_001))],
    "fields": [section(fields=[words(1)] * 11)],
    "field": [section(fields=[words(2_001)])],
    "header": [{"type": "header", "text": plain(151)}],
    "elements of actions": [actions(*(button(n) for n in range(26)))],
    "elements of context": [{"type": "context", "elements": [words(1)] * 11}],
    "context_actions": [{"type": "context_actions", "elements": [button(n) for n in range(6)]}],
    "button text": [actions(button(text=plain(76)))],
    "accessibility label": [actions(button(accessibility_label="x" * 76))],
    "action_id": [actions(button(action_id="x" * 256))],
    "value": [actions(button(value="x" * 2_001))],
    "url": [actions(button(url="x" * 3_001))],
    "block_id": [section(block_id="x" * 256)],
    "markdown": [{"type": "markdown", "text": "x" * 12_001}],
    "confirm title": [actions(button(confirm=confirm(title=plain(101))))],
    "confirm text": [actions(button(confirm=confirm(text=words(301))))],
    "confirm button": [actions(button(confirm=confirm(confirm=plain(31))))],
    "overflow": [actions(menu("overflow", 6))],
    "option text": [actions(menu("overflow", 1, text=76))],
    "option value": [actions(menu("overflow", 1, value=151))],
    "select": [actions(menu("static_select", 101))],
    "table rows": [{"type": "table", "rows": [[{}]] * 101}],
    "table cells": [{"type": "table", "rows": [[{}] * 21]}],
    "the same action_id twice": [actions(button(), button())],
    "the same block_id twice": [section(block_id="b"), section(block_id="b")],
    "no action_id": [actions(button(action_id=""))],
    "no text": [{"type": "section"}],
    "an empty text": [section(text=words(0))],
    "a header in mrkdwn": [{"type": "header", "text": words(1)}],
    "an unknown block": [{"type": "carrousel"}],
    "an unknown style": [actions(button(style="warning"))],
    "no options": [actions(menu("overflow", 0))],
}


@pytest.mark.parametrize("blocks", AT_THE_LIMIT.values(), ids=AT_THE_LIMIT)
def test_what_just_fits_is_taken(blocks: list[Block]) -> None:
    assert limits.check_blocks(blocks, "message") == blocks


@pytest.mark.parametrize("blocks", ONE_OVER.values(), ids=ONE_OVER)
def test_one_over_is_refused_and_said_where(blocks: list[Block]) -> None:
    with pytest.raises(Refused) as caught:
        limits.check_blocks(blocks, "message")
    assert caught.value.code == "invalid_blocks"
    assert "json-pointer:/blocks" in str(caught.value.body["response_metadata"]["messages"])


@pytest.mark.parametrize("blocks", ["text", {"type": "divider"}, [1]])
def test_what_is_no_list_of_blocks(blocks: object) -> None:
    with pytest.raises(Refused, match="invalid_blocks_format"):
        limits.check_blocks(blocks, "message")


def _payload(size: int) -> Block:
    empty = len('{"k": ""}')
    return {"event_type": "ao_post", "event_payload": {"k": "x" * (size - empty)}}


FITS: list[Block] = [
    {"text": "x" * limits.TEXT},
    {"markdown_text": "x" * 12_000},
    {"text": "t", "metadata": _payload(limits.METADATA_BYTES)},
    {"text": "t", "blocks": [section(text=words(2_640))] * 5},
    {"attachments": [{}] * 100},
]
TOO_MUCH: list[tuple[Block, str]] = [
    ({"text": "x" * (limits.TEXT + 1)}, "msg_too_long"),
    ({"markdown_text": "x" * 12_001}, "msg_too_long"),
    ({"markdown_text": "x", "text": "t"}, "markdown_text_conflict"),
    ({"markdown_text": "x", "blocks": [section()]}, "markdown_text_conflict"),
    ({"text": "t", "metadata": _payload(limits.METADATA_BYTES + 1)}, "metadata_too_large"),
    ({"text": "t", "metadata": {"event_type": "x"}}, "invalid_metadata_format"),
    ({"text": "t", "metadata": {"event_payload": {}}}, "invalid_metadata_format"),
    ({"text": "t", "metadata": "x"}, "invalid_metadata_format"),
    ({"text": "t", "blocks": [section(text=words(2_641))] * 5}, "msg_blocks_too_long"),
    ({"text": "t", "blocks": [{"type": "divider"}] * 51}, "invalid_blocks"),
    ({"attachments": [{}] * 101}, "too_many_attachments"),
    ({}, "no_text"),
]


@pytest.mark.parametrize("message", FITS)
def test_a_message_that_just_fits(message: Block) -> None:
    limits.check_message(message, text_limit=limits.TEXT)


@pytest.mark.parametrize(
    ("message", "code"), TOO_MUCH, ids=[f"{n}-{row[1]}" for n, row in enumerate(TOO_MUCH)]
)
def test_a_message_that_does_not_fit(message: Block, code: str) -> None:
    with pytest.raises(Refused) as caught:
        limits.check_message(message, text_limit=limits.TEXT)
    assert caught.value.code == code


def modal(**more: Any) -> Block:
    return {"type": "modal", "title": plain(24), "blocks": [section()], **more}


INPUT = {
    "type": "input",
    "label": plain(2_000),
    "element": {"type": "plain_text_input", "action_id": "a", "placeholder": plain(150)},
}


@pytest.mark.parametrize(
    "view",
    [
        modal(blocks=[{"type": "divider"}] * 100),
        modal(submit=plain(24), close=plain(24), blocks=[INPUT]),
        modal(private_metadata="x" * 3_000, callback_id="x" * 255),
        {"type": "home", "blocks": [{"type": "divider"}] * 100},
    ],
)
def test_a_view_that_just_fits(view: Block) -> None:
    assert limits.check_view(view) is view


@pytest.mark.parametrize(
    ("view", "code"),
    [
        (modal(title=plain(25)), "invalid_arguments"),
        (modal(submit=plain(25)), "invalid_arguments"),
        (modal(close=plain(25)), "invalid_arguments"),
        (modal(title=None), "invalid_arguments"),
        (modal(private_metadata="x" * 3_001), "invalid_arguments"),
        (modal(callback_id="x" * 256), "invalid_arguments"),
        (modal(blocks=[{"type": "divider"}] * 101), "invalid_arguments"),
        (modal(blocks=[INPUT]), "invalid_arguments"),
        (modal(submit=plain(1), blocks=[{**INPUT, "label": plain(2_001)}]), "invalid_arguments"),
        (modal(blocks=[section(text=words(2_900))] * 90), "view_too_large"),
        ({"type": "home", "blocks": [{"type": "divider"}] * 101}, "invalid_arguments"),
        ({"type": "popup"}, "invalid_arguments"),
        ("{}", "invalid_arguments"),
    ],
)
def test_a_view_that_does_not_fit(view: object, code: str) -> None:
    with pytest.raises(Refused) as caught:
        limits.check_view(view)
    assert caught.value.code == code
