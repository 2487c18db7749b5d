"""The real slack-bolt in Socket Mode is content with the fake Slack, and meets there what it meets at Slack."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.demo.slack_person import buttons
from bot.demo.slack_socket import Times
from bot.demo.slack_views import CannotDo
from bot.demo.slack_workspace import ADA, BO, BOT, DEMO
from tests.integration.bolt_app import Rig, come, drop_proxies, rig


@pytest.fixture
async def slack(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Rig]:
    drop_proxies(monkeypatch)
    async with rig() as made:
        yield made


def _button(label: str, **more: Any) -> dict[str, Any]:
    return {
        "type": "button",
        "text": {"type": "plain_text", "text": label},
        "action_id": label.lower(),
        **more,
    }


def _card(*elements: dict[str, Any]) -> list[dict[str, Any]]:
    words = {"type": "section", "text": {"type": "mrkdwn", "text": "*demo-1* works"}}
    return [words, {"type": "actions", "elements": list(elements)}]


CONFIRM = {
    "title": {"type": "plain_text", "text": "Merge?"},
    "text": {"type": "mrkdwn", "text": "2 files, 10 lines"},
    "confirm": {"type": "plain_text", "text": "Merge"},
    "deny": {"type": "plain_text", "text": "Cancel"},
}


async def test_a_command_is_acknowledged_and_answered_later(slack: Rig) -> None:
    @slack.app.command("/ao")
    async def ao(ack: Any, command: Any, respond: Any, client: Any) -> None:
        await ack(f"On it: {command['text']}" if command["text"] != "quiet" else "")
        await client.chat_postMessage(
            channel=command["channel_id"], text="card", blocks=_card(_button("Stop"))
        )
        await respond("Done.")

    await slack.connect()
    ada = slack.world.person(ADA)
    answer = await ada.slash(DEMO, "spawn demo 1 for @bo in #demo")
    assert answer.acked
    assert answer.text == f"On it: spawn demo 1 for <@{BO}|bo> in <#{DEMO}|demo>"
    card = await ada.until(DEMO, lambda one: one["text"] == "card")
    assert (card["user"], buttons(card)) == (BOT, ["Stop"])
    quiet = await ada.slash(DEMO, "quiet")
    assert quiet.text == "Done."
    seen = [one["text"] for one in await slack.world.person(BO).messages(DEMO)]
    assert seen == ["card", "card"], "what only Ada was told is hers alone"


async def test_a_button_that_asks_first_is_pressed_and_the_card_says_who(slack: Rig) -> None:
    @slack.app.action("merge")
    async def merge(ack: Any, body: Any, client: Any) -> None:
        await ack()
        who = body["user"]["id"]
        await client.chat_update(
            channel=body["channel"]["id"], ts=body["message"]["ts"], text=f"Merged by <@{who}>"
        )

    @slack.app.action("more")
    async def more(ack: Any, action: Any, respond: Any) -> None:
        await ack()
        await respond(f"chosen: {action['selected_option']['value']}", replace_original=False)

    await slack.connect()
    menu = {
        "type": "overflow",
        "action_id": "more",
        "options": [
            {"text": {"type": "plain_text", "text": name}, "value": name.lower()} for name in ("Logs", "Kill")
        ],
    }
    blocks = _card(_button("Merge", confirm=CONFIRM, value="v1:demo-1"), menu)
    ts = (await slack.client.chat_postMessage(channel=DEMO, text="card", blocks=blocks))["ts"]
    ada = slack.world.person(ADA)
    with pytest.raises(CannotDo, match="It asks first: Merge\\?: 2 files, 10 lines"):
        await ada.click(DEMO, ts, "Merge")
    with pytest.raises(CannotDo, match="no 'Approve' to press; there is: Merge, more"):
        await ada.click(DEMO, ts, "Approve")
    chosen = await ada.choose(DEMO, ts, "more", "Kill", wait=5.0)
    assert chosen.text == "chosen: kill"
    assert (await ada.click(DEMO, ts, "Merge", confirm=True)).acked
    card = await ada.until(DEMO, lambda one: one["text"].startswith("Merged"))
    assert (card["text"], buttons(card)) == (f"Merged by <@{ADA}>", [])
    with pytest.raises(CannotDo, match="no 'merge' to press; there is: nothing"):
        await ada.click(DEMO, ts, "merge", confirm=True)


FORM = {
    "type": "modal",
    "callback_id": "spawn",
    "title": {"type": "plain_text", "text": "Start an agent"},
    "submit": {"type": "plain_text", "text": "Start"},
    "blocks": [
        {
            "type": "input",
            "block_id": "issue",
            "label": {"type": "plain_text", "text": "Issue"},
            "element": {"type": "plain_text_input", "action_id": "number"},
        }
    ],
}


async def test_a_modal_is_refused_and_then_accepted(slack: Rig) -> None:
    triggers: list[str] = []
    taken: list[str] = []

    @slack.app.command("/ao")
    async def ao(ack: Any, command: Any, client: Any) -> None:
        await ack()
        triggers.append(command["trigger_id"])
        await client.views_open(trigger_id=command["trigger_id"], view=FORM)

    @slack.app.view("spawn")
    async def spawn(ack: Any, view: Any) -> None:
        number = view["state"]["values"]["issue"]["number"]["value"]
        if not number.isdigit():
            await ack(response_action="errors", errors={"issue": "Please give a number."})
        else:
            taken.append(number)
            await ack()

    await slack.connect()
    ada = slack.world.person(ADA)
    answer = await ada.slash(DEMO, "spawn")
    assert answer.modal is not None
    assert answer.modal["callback_id"] == "spawn"
    with pytest.raises(CannotDo, match="required field: Issue"):
        await ada.submit({})
    refused = await ada.submit({"issue": "one"})
    assert (refused.errors, refused.open) == ({"issue": "Please give a number."}, True)
    accepted = await ada.submit({"number": "1"})
    assert (accepted.acked, accepted.errors, accepted.open, taken) == (True, {}, False, ["1"])


async def test_a_mention_comes_as_two_events_and_again_while_nobody_acknowledges(slack: Rig) -> None:
    seen: list[tuple[str, str, str | None]] = []

    @slack.app.middleware
    async def refuse_first(req: Any, body: Any, next_: Any) -> Any:
        event = body["event"]
        number = req.headers.get("x-slack-retry-num", [None])[0]
        seen.append((event["type"], event["ts"], number))
        if number is None and event["type"] == "message":
            await asyncio.sleep(0.6)  # longer than the fake waits
        return await next_()

    @slack.app.event("message")
    async def message() -> None:
        """Bolt acknowledges what has a listener."""

    @slack.app.event("app_mention")
    async def mention() -> None:
        """Bolt acknowledges what has a listener."""

    await slack.connect()
    ts = await slack.world.person(ADA).say(DEMO, "@ao what waits for me? <b> & co")
    await come(lambda: ("message", ts, "1") in seen)
    assert ("app_mention", ts, None) in seen
    assert ("app_mention", ts, "1") not in seen
    (sent,) = await slack.world.person(BO).messages(DEMO)
    assert sent["text"] == f"<@{BOT}> what waits for me? &lt;b&gt; &amp; co"


async def test_the_apps_own_posts_come_back_as_events_and_bolt_leaves_them_alone(slack: Rig) -> None:
    heard: list[str] = []

    @slack.app.event("message")
    async def message(event: Any) -> None:
        heard.append(event["text"])

    await slack.connect()
    await slack.client.chat_postMessage(channel=DEMO, text="mine")
    ts = await slack.world.person(ADA).say(DEMO, "hers")
    await slack.world.person(BO).reply(DEMO, ts, "his")
    await come(lambda: len(heard) == 2)
    assert heard == ["hers", "his"]


async def test_after_a_disconnect_the_app_comes_back_with_a_second_socket(slack: Rig) -> None:
    @slack.app.command("/ao")
    async def ao(ack: Any) -> None:
        await ack("here")

    await slack.connect()
    ada = slack.world.person(ADA)
    await slack.world.refresh()
    await slack.world.sockets(opened=2)
    assert (await ada.slash(DEMO, "status")).text == "here"
    await slack.world.cut()
    await slack.world.sockets(opened=3)
    assert (await ada.slash(DEMO, "status")).text == "here"


async def test_a_429_is_tried_again_by_the_handler(slack: Rig) -> None:
    await slack.world.burst(1, seconds=1, method="chat.postMessage")
    done = await slack.client.chat_postMessage(channel=DEMO, text="patient")
    assert done["ok"]
    outcomes = [call.get("error") for call in await slack.world.calls("chat.postMessage")]
    assert outcomes == ["ratelimited", None]


async def test_a_listener_that_raises_right_after_its_ack_loses_it(slack: Rig) -> None:
    @slack.app.command("/ao")
    async def ao(ack: Any) -> None:
        await ack("never seen")
        raise ValueError

    await slack.connect()
    answer = await slack.world.person(ADA).slash(DEMO, "status")
    assert not answer.acked
    (told,) = await slack.world.person(ADA).messages(DEMO)
    assert told["text"] == "/ao status: ao did not respond (nothing came within 0.4 s)."


async def test_without_a_socket_commands_and_clicks_are_lost(slack: Rig) -> None:
    ts = (await slack.client.chat_postMessage(channel=DEMO, text="card", blocks=_card(_button("Stop"))))["ts"]
    ada = slack.world.person(ADA)
    assert not (await ada.slash(DEMO, "status")).acked
    assert not (await ada.click(DEMO, ts, "Stop")).acked
    told = [one["text"] for one in await ada.messages(DEMO)][1:]
    assert told == [
        "/ao status: ao did not respond (no socket is connected).",
        "Stop: ao did not respond (no socket is connected).",
    ]


async def test_a_message_sent_while_the_app_is_away_comes_once_it_is_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    drop_proxies(monkeypatch)
    heard: list[tuple[str, list[str]]] = []
    async with rig(Times(ack=1.0, retries=(0.0, 1.0, 1.0))) as slack:

        @slack.app.event("message")
        async def message(event: Any, req: Any) -> None:
            heard.append((event["text"], req.headers["x-slack-retry-num"]))

        await slack.world.person(ADA).say(DEMO, "are you there?")
        await slack.connect()
        await come(lambda: heard)
    assert heard == [("are you there?", ["2"])]


async def test_every_socket_gets_its_share_and_nothing_comes_twice(slack: Rig) -> None:
    heard: list[str] = []

    @slack.app.event("message")
    async def message(event: Any) -> None:
        heard.append(event["text"])

    await slack.connect()
    await slack.connect()
    for number in range(6):
        await slack.world.person(ADA).say(DEMO, str(number))
    await come(lambda: len(heard) == 6)
    assert sorted(heard) == [str(number) for number in range(6)]


async def test_files_go_up_in_three_calls(slack: Rig) -> None:
    root = (await slack.client.chat_postMessage(channel=DEMO, text="card"))["ts"]
    await slack.client.files_upload_v2(
        channel=DEMO,
        thread_ts=root,
        filename="log.txt",
        content="line\n" * 40,
        initial_comment="The whole log",
    )
    _root, shared = (await slack.client.conversations_replies(channel=DEMO, ts=root))["messages"]
    assert (shared["text"], shared["subtype"]) == ("The whole log", "file_share")
    assert [(file["name"], file["size"]) for file in shared["files"]] == [("log.txt", 200)]
