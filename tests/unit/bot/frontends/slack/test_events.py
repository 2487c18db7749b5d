"""What Slack sends, read: a person's words and presses, and nothing of ours or of other bots."""

from __future__ import annotations

from typing import Any

import pytest

from bot.frontends.slack import events
from bot.frontends.slack.events import Where

US = "UBOT"


def message(**fields: Any) -> dict[str, Any]:
    return {"type": "message", "channel": "C1", "user": "U1", "ts": "17.5", "text": "hello", **fields}


def test_a_reply_in_a_thread() -> None:
    found = events.post(message(thread_ts="10.0"), US)
    assert found is not None
    assert found.where == Where(channel="C1", user="U1", thread="10.0")
    assert (found.text, found.mentioned, found.source) == ("hello", False, "slack:C1:17.5")


def test_a_message_and_its_mention_are_one_post() -> None:
    one = events.post(message(text="<@UBOT> status"), US)
    two = events.post({**message(text="<@UBOT> status"), "type": "app_mention"}, US)
    assert one == two
    assert one is not None
    assert (one.text, one.mentioned) == ("status", True)


@pytest.mark.parametrize(
    "fields",
    [
        {"subtype": "message_changed"},
        {"subtype": "message_deleted"},
        {"subtype": "channel_join"},
        {"bot_id": "B1"},
        {"hidden": True},
        {"user": US},
        {"user": "USLACKBOT"},
        {"user": None},
        {"ts": None},
    ],
)
def test_what_no_person_wrote_just_now_is_not_heard(fields: dict[str, Any]) -> None:
    assert events.post(message(**fields), US) is None


def test_what_a_person_typed_is_given_back() -> None:
    assert events.plain("a &lt;b&gt; &amp;amp; <https://x.example/1|x.example> <@U1>") == (
        "a <b> &amp; https://x.example/1 <@U1>"
    )


def press(**action: Any) -> dict[str, Any]:
    return {
        "user": {"id": "U1"},
        "channel": {"id": "C1"},
        "message": {"ts": "11.0", "thread_ts": "10.0"},
        "container": {"message_ts": "11.0"},
        "trigger_id": "T",
        "actions": [
            {
                "action_id": "ao:press:0",
                "value": "1|pause|demo-1",
                "action_ts": "12.0",
                "text": {"text": "Pause"},
                **action,
            }
        ],
    }


def test_a_press_says_who_where_and_what() -> None:
    found = events.press(press())
    assert found is not None
    assert found.where == Where(channel="C1", user="U1", thread="10.0")
    assert (found.payload, found.label, found.asks, found.in_menu) == (
        "1|pause|demo-1",
        "Pause",
        False,
        False,
    )


@pytest.mark.parametrize("parent", [{}, {"thread_ts": "11.0"}])
def test_a_press_on_a_message_of_the_channel_is_answered_in_the_channel(parent: dict[str, str]) -> None:
    body = {**press(), "message": {"ts": "11.0", **parent}}
    card, reply = events.press(body), events.press(press())
    assert card is not None
    assert reply is not None
    assert (card.where.thread, card.where.answered_in) == ("11.0", "")
    assert (reply.where.thread, reply.where.answered_in) == ("10.0", "10.0")
    # what is kept with a request, and carried by a form, says so too
    assert events.where_of(card.where.text()) == card.where
    assert events.where_of(reply.where.text()) == reply.where


def test_two_presses_of_one_button_are_two_and_one_delivered_twice_is_one() -> None:
    one, again, other = events.press(press()), events.press(press()), events.press(press(action_ts="13.0"))
    assert one is not None
    assert again is not None
    assert other is not None
    assert one.key == again.key
    assert one.key != other.key


def test_a_line_of_a_menu() -> None:
    chosen = {"text": {"text": "Kill"}, "value": "1|kill|demo-1"}
    found = events.press(press(action_id="ao:menu", value=None, selected_option=chosen))
    assert found is not None
    assert found.in_menu
    assert (found.payload, found.label) == ("1|kill|demo-1", "Kill")


def test_a_form_brings_back_its_place_and_acts_for_who_sent_it() -> None:
    asked = events.press(press(action_id="ao:ask:1"))
    assert asked is not None
    assert asked.asks
    view = {
        "id": "V1",
        "hash": "h",
        "private_metadata": events.carried(asked),
        "state": {"values": {"words": {"text": {"value": "because"}}}},
    }
    found = events.submitted({"view": view, "user": {"id": "U2"}})
    assert found is not None
    assert found.where == Where(channel="C1", user="U2", thread="10.0")
    assert (found.payload, found.words) == ("1|pause|demo-1", "because")


@pytest.mark.parametrize(
    "body", [{}, {"view": {"private_metadata": "x"}}, {"view": {"private_metadata": "[]"}}]
)
def test_a_form_of_others_is_none_of_ours(body: dict[str, Any]) -> None:
    assert events.submitted(body) is None


@pytest.mark.parametrize("body", [{}, {"actions": []}, press(value="")])
def test_a_press_of_nothing_is_none_of_ours(body: dict[str, Any]) -> None:
    assert events.press(body) is None


def test_a_place_survives_being_kept() -> None:
    where = Where(channel="C1", user="U1", thread="1.0")
    assert events.where_of(where.text()) == where
    for odd in ("", "[]", "{}", "null", '{"channel": 1}'):
        assert events.where_of(odd) is None
