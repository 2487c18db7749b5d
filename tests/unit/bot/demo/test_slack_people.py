"""People at the fake Slack: response URLs, what a screen lets them do, sockets, and what the app is told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from bot.demo.slack_views import CannotDo
from bot.demo.slack_workspace import ADA, BO, BOT, DEMO, GENERAL
from tests.unit.bot.demo.slack_rig import APP_TOKEN, Slack, slack_rig


@pytest.fixture
async def slack() -> AsyncIterator[Slack]:
    async with slack_rig() as made:
        yield made


@asynccontextmanager
async def socket(slack: Slack) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    _status, opened, _wait = await slack.send("apps.connections.open", APP_TOKEN)
    async with slack.session.ws_connect(opened["url"]) as connected:
        yield connected


async def acknowledge(connected: aiohttp.ClientWebSocketResponse, payload: Any = None) -> Any:
    """Answer the next envelope; returns it."""
    envelope = await connected.receive_json(timeout=10)
    answer = {"envelope_id": envelope["envelope_id"], **({"payload": payload} if payload else {})}
    await connected.send_str(json.dumps(answer))
    return envelope


async def test_a_response_url_is_good_for_five_posts(slack: Slack) -> None:
    token = slack.fake.responses.new(ADA, slack.fake.workspace.channels[DEMO])
    for number in range(5):
        assert await slack.respond(token, text=f"{number}") == (200, "ok")
    assert await slack.respond(token, text="6") == (404, "used_url")
    assert len(await slack.world.person(ADA).messages(DEMO)) == 5
    assert await slack.world.person(BO).messages(DEMO) == []


async def test_a_response_url_is_good_for_thirty_minutes(slack: Slack) -> None:
    token = slack.fake.responses.new(ADA, slack.fake.workspace.channels[DEMO])
    await slack.world.advance(30 * 60)
    assert await slack.respond(token, text="x", response_type="in_channel") == (200, "ok")
    await slack.world.advance(1)
    assert await slack.respond(token, text="x") == (404, "expired_url")
    assert await slack.respond("no-such-url", text="x") == (404, "invalid_url")
    assert [one["text"] for one in await slack.world.person(BO).messages(DEMO)] == ["x"]


async def test_a_response_url_replaces_and_deletes_its_message(slack: Slack) -> None:
    channel = slack.fake.workspace.channels[DEMO]
    whispered = slack.fake.workspace.whisper(channel, ADA, {"text": "old"})["ts"]
    token = slack.fake.responses.new(ADA, channel, ts=whispered)
    await slack.respond(token, text="new", replace_original=True)
    assert [one["text"] for one in await slack.world.person(ADA).messages(DEMO)] == ["new"]
    await slack.respond(token, delete_original=True)
    assert await slack.world.person(ADA).messages(DEMO) == []
    assert await slack.respond(token, blocks=[{"type": "divider"}] * 51) == (400, "invalid_blocks")
    assert await slack.respond(token) == (400, "no_text")


async def test_people_see_only_their_channels(slack: Slack) -> None:
    stranger = slack.world.person("U0")
    with pytest.raises(CannotDo, match="no person U0"):
        await stranger.say(DEMO, "x")
    await slack.world.ask("leave", channel=GENERAL, user=ADA)
    with pytest.raises(CannotDo, match="ada sees no channel"):
        await slack.world.person(ADA).say(GENERAL, "x")
    with pytest.raises(CannotDo, match="thread_not_found"):
        await slack.world.person(ADA).reply(DEMO, "1.000001", "x")
    with pytest.raises(CannotDo, match="nothing to send"):
        await slack.world.person(ADA).say(DEMO, "  ")


async def test_buttons_of_others_are_not_there(slack: Slack) -> None:
    label = {"type": "plain_text", "text": "Approve"}
    button = {"type": "button", "action_id": "a", "text": label, "visible_to_user_ids": [BO]}
    blocks = [{"type": "actions", "elements": [button]}]
    ts = (await slack.ok("chat.postMessage", channel=DEMO, text="x", blocks=blocks))["ts"]
    with pytest.raises(CannotDo, match="no 'Approve' to press"):
        await slack.world.person(ADA).click(DEMO, ts, "Approve")
    assert not (await slack.world.person(BO).click(DEMO, ts, "Approve")).acked
    with pytest.raises(CannotDo, match="is a button and has no options"):
        await slack.world.person(BO).choose(DEMO, ts, "Approve", "x")
    hidden = slack.fake.workspace.whisper(slack.fake.workspace.channels[DEMO], BO, {"text": "x"})["ts"]
    with pytest.raises(CannotDo, match="no message"):
        await slack.world.person(ADA).click(DEMO, hidden, "Approve")


async def test_a_request_that_is_not_known_or_not_whole(slack: Slack) -> None:
    with pytest.raises(CannotDo, match="no request fly"):
        await slack.world.ask("fly")
    with pytest.raises(CannotDo, match="say needs 'text'"):
        await slack.world.ask("say", user=ADA, channel=DEMO)
    with pytest.raises(CannotDo, match="channel_not_found"):
        await slack.world.remove_message("C0", "1")
    with pytest.raises(CannotDo, match="A person has no wings"):
        await slack.world.ask("change_person", id=ADA, wings=2)


async def test_the_eleventh_socket_is_sent_away(slack: Slack) -> None:
    ends = []
    for _ in range(10):
        _status, opened, _wait = await slack.send("apps.connections.open", APP_TOKEN)
        ends.append(await slack.session.ws_connect(opened["url"]))
        assert (await ends[-1].receive_json(timeout=10))["type"] == "hello"
    async with socket(slack) as eleventh:
        told = await eleventh.receive_json(timeout=10)
        assert (told["type"], told["reason"]) == ("disconnect", "too_many_websockets")
    for end in ends:
        await end.close()


async def test_a_ticket_admits_one_socket(slack: Slack) -> None:
    _status, opened, _wait = await slack.send("apps.connections.open", APP_TOKEN)
    async with slack.session.ws_connect(opened["url"]):
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await slack.session.ws_connect(opened["url"])


async def test_an_event_comes_four_times_at_most_and_is_then_lost(slack: Slack) -> None:
    async with socket(slack) as connected:
        await connected.receive_json(timeout=10)
        await slack.world.person(ADA).say(DEMO, "hello?")
        envelopes = [await connected.receive_json(timeout=10) for _ in range(4)]
        assert [one.get("retry_attempt") for one in envelopes] == [None, 1, 2, 3]
        assert len({one["payload"]["event_id"] for one in envelopes}) == 1
        assert len({one["envelope_id"] for one in envelopes}) == 4
        await slack.world.person(ADA).say(DEMO, "still there?")
        assert (await acknowledge(connected))["payload"]["event"]["text"] == "still there?"
        await asyncio.wait(slack.fake.socket._tasks, timeout=10)
        lost = [line for line in (await slack.world.ask("calls"))["calls"] if line["kind"] == "event lost"]
        assert [line["event_id"] for line in lost] == [envelopes[0]["payload"]["event_id"]]


async def test_events_can_come_twice_although_they_were_acknowledged(slack: Slack) -> None:
    await slack.world.ask("repeat", times=1)
    async with socket(slack) as connected:
        await connected.receive_json(timeout=10)
        await slack.world.person(ADA).say(DEMO, "once")
        first, second = [await acknowledge(connected) for _ in range(2)]
        assert first["payload"] == second["payload"]


async def test_edits_and_deletions_are_told_as_slack_tells_them(slack: Slack) -> None:
    async with socket(slack) as connected:
        await connected.receive_json(timeout=10)
        ts = await slack.world.person(ADA).say(DEMO, "one")
        await acknowledge(connected)
        await slack.world.ask("edit", user=ADA, channel=DEMO, ts=ts, text="two")
        changed = (await acknowledge(connected))["payload"]["event"]
        await slack.world.ask("react", user=BO, channel=DEMO, ts=ts, name="eyes")
        reacted = (await acknowledge(connected))["payload"]["event"]
        await slack.world.ask("delete", user=ADA, channel=DEMO, ts=ts)
        deleted = (await acknowledge(connected))["payload"]["event"]
    assert (changed["subtype"], changed["hidden"], changed["message"]["text"]) == (
        "message_changed",
        True,
        "two",
    )
    assert (reacted["type"], reacted["reaction"], reacted["item"]["ts"]) == ("reaction_added", "eyes", ts)
    assert (deleted["subtype"], deleted["deleted_ts"]) == ("message_deleted", ts)
    with pytest.raises(CannotDo, match="is no message of"):
        await slack.world.ask("delete", user=ADA, channel=DEMO, ts=ts)


async def test_the_app_hears_nothing_of_channels_in_which_it_is_not(slack: Slack) -> None:
    async with socket(slack) as connected:
        await connected.receive_json(timeout=10)
        await slack.world.person(ADA).say(GENERAL, "@ao secret")
        await slack.world.ask("join", channel=GENERAL, user=BOT)
        joined = (await acknowledge(connected))["payload"]["event"]
        assert (joined["type"], joined["user"]) == ("member_joined_channel", BOT)


async def test_a_message_to_the_app_alone_is_no_mention(slack: Slack) -> None:
    direct = (await slack.world.ask("direct", user=ADA))["channel"]
    async with socket(slack) as connected:
        await connected.receive_json(timeout=10)
        await slack.world.person(ADA).say(direct, "@ao hello")
        await slack.world.ask("open_home", user=ADA)
        events = [(await acknowledge(connected))["payload"]["event"] for _ in range(2)]
    assert [one["type"] for one in events] == ["message", "app_home_opened"]
    assert events[0]["channel_type"] == "im"


FORM = {
    "type": "modal",
    "title": {"type": "plain_text", "text": "Form"},
    "submit": {"type": "plain_text", "text": "Go"},
    "notify_on_close": True,
    "blocks": [
        {
            "type": "input",
            "block_id": "agent",
            "label": {"type": "plain_text", "text": "Agent"},
            "element": {
                "type": "static_select",
                "action_id": "which",
                "options": [{"text": {"type": "plain_text", "text": "Rehearsal"}, "value": "r"}],
            },
        }
    ],
}


@pytest.mark.parametrize(
    ("answer", "title"),
    [
        (None, None),
        ({"response_action": "clear"}, None),
        (
            {"response_action": "update", "view": {**FORM, "title": {"type": "plain_text", "text": "Next"}}},
            "Next",
        ),
        (
            {"response_action": "push", "view": {**FORM, "title": {"type": "plain_text", "text": "Over"}}},
            "Over",
        ),
        ({"response_action": "errors", "errors": {"agent": "Not that one."}}, "Form"),
        ({"response_action": "errors", "errors": {"nowhere": "x"}}, "Form"),
    ],
)
async def test_what_an_answer_does_to_a_modal(slack: Slack, answer: Any, title: str | None) -> None:
    slack.fake.views.open(slack.fake.people._triggers.new(ADA), FORM)
    ada = slack.world.person(ADA)
    async with socket(slack) as connected:
        await connected.receive_json(timeout=10)
        with pytest.raises(CannotDo, match="no option 'x'; there are: Rehearsal"):
            await ada.submit({"agent": "x"})
        with pytest.raises(CannotDo, match="no field speed"):
            await ada.submit({"which": "r", "speed": 1})
        async with asyncio.TaskGroup() as tasks:
            done = tasks.create_task(ada.submit({"which": "Rehearsal"}))
            asked = await acknowledge(connected, answer)
    chosen = asked["payload"]["view"]["state"]["values"]["agent"]["which"]["selected_option"]["value"]
    assert (asked["payload"]["type"], chosen) == ("view_submission", "r")
    assert (await done).open is (title is not None)
    modals = (await ada.state())["modals"]
    assert (modals[ADA]["title"]["text"] if modals else None) == title


async def test_a_modal_that_is_closed_says_so(slack: Slack) -> None:
    slack.fake.views.open(slack.fake.people._triggers.new(ADA), FORM)
    async with socket(slack) as connected:
        await connected.receive_json(timeout=10)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(slack.world.person(ADA).dismiss())
            assert (await acknowledge(connected))["payload"]["type"] == "view_closed"
    with pytest.raises(CannotDo, match="does not see a modal"):
        await slack.world.person(ADA).dismiss()
