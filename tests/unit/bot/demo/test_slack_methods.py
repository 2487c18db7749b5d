"""The Web API of the fake Slack over HTTP: what it keeps, and the errors of each method."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from bot.demo.slack_workspace import ADA, BO, BOT, CY, DEMO, GENERAL
from tests.unit.bot.demo.slack_rig import APP_TOKEN, BOT_TOKEN, Slack, slack_rig

MODAL = {"type": "modal", "title": {"type": "plain_text", "text": "Form"}, "blocks": []}


@pytest.fixture
async def slack() -> AsyncIterator[Slack]:
    async with slack_rig() as made:
        yield made


async def _posted(slack: Slack, **more: Any) -> str:
    return str((await slack.ok("chat.postMessage", channel=DEMO, text="card", **more))["ts"])


@pytest.mark.parametrize(
    ("method", "token", "code"),
    [
        ("auth.test", "", "not_authed"),
        ("auth.test", "nonsense", "invalid_auth"),
        ("auth.test", APP_TOKEN, "not_allowed_token_type"),
        ("apps.connections.open", BOT_TOKEN, "not_allowed_token_type"),
        ("chat.postPoem", BOT_TOKEN, "unknown_method"),
    ],
)
async def test_who_may_call_what(slack: Slack, method: str, token: str, code: str) -> None:
    _status, body, _wait = await slack.send(method, token)
    assert (body["ok"], body["error"]) == (False, code)
    logged = await slack.world.calls(method)
    assert [(call["ok"], call["error"]) for call in logged] == [(False, code)]


async def test_a_revoked_token_is_no_longer_taken(slack: Slack) -> None:
    await slack.ok("auth.test")
    await slack.world.ask("revoke")
    assert await slack.error("auth.test") == "token_revoked"


ERRORS: list[tuple[str, dict[str, Any], str]] = [
    ("chat.postMessage", {"text": "x"}, "invalid_arguments"),
    ("chat.postMessage", {"channel": "C0", "text": "x"}, "channel_not_found"),
    ("chat.postMessage", {"channel": GENERAL, "text": "x"}, "not_in_channel"),
    ("chat.postMessage", {"channel": DEMO}, "no_text"),
    ("chat.postMessage", {"channel": DEMO, "text": "x" * 40_001}, "msg_too_long"),
    ("chat.postMessage", {"channel": DEMO, "text": "x", "thread_ts": "1.000001"}, "thread_not_found"),
    ("chat.postMessage", {"channel": DEMO, "blocks": [{"type": "divider"}] * 51}, "invalid_blocks"),
    ("chat.postMessage", {"channel": DEMO, "blocks": "{"}, "invalid_blocks_format"),
    ("chat.postMessage", {"channel": DEMO, "text": "x", "metadata": "{"}, "invalid_metadata_format"),
    ("chat.postMessage", {"channel": BOT, "text": "x"}, "cannot_dm_bot"),
    ("chat.update", {"channel": DEMO, "ts": "1.000001", "text": "x"}, "message_not_found"),
    ("chat.delete", {"channel": DEMO, "ts": "1.000001"}, "message_not_found"),
    ("chat.getPermalink", {"channel": DEMO, "message_ts": "1.000001"}, "message_not_found"),
    ("chat.postEphemeral", {"channel": DEMO, "user": "U0", "text": "x"}, "user_not_in_channel"),
    ("chat.postEphemeral", {"channel": GENERAL, "user": ADA, "text": "x"}, "not_in_channel"),
    ("chat.postEphemeral", {"channel": DEMO, "user": ADA}, "no_text"),
    ("conversations.open", {"users": ""}, "users_list_not_supplied"),
    ("conversations.open", {"users": "U0"}, "user_not_found"),
    ("conversations.open", {"users": BOT}, "cannot_dm_bot"),
    ("conversations.open", {"users": f"{ADA},{BO}"}, "method_not_supported_for_channel_type"),
    ("conversations.history", {"channel": "C0"}, "channel_not_found"),
    ("conversations.history", {"channel": GENERAL}, "not_in_channel"),
    ("conversations.history", {"channel": DEMO, "limit": 1_000}, "invalid_limit"),
    ("conversations.history", {"channel": DEMO, "limit": "many"}, "invalid_arguments"),
    ("conversations.history", {"channel": DEMO, "cursor": "x"}, "invalid_cursor"),
    ("conversations.history", {"channel": DEMO, "oldest": "x"}, "invalid_ts_oldest"),
    ("conversations.replies", {"channel": DEMO, "ts": "1.000001"}, "thread_not_found"),
    ("conversations.info", {"channel": "C0"}, "channel_not_found"),
    ("reactions.add", {"channel": DEMO, "timestamp": "1.000001", "name": "eyes"}, "message_not_found"),
    ("reactions.add", {"channel": DEMO, "timestamp": "1.000001", "name": ":eyes:"}, "invalid_name"),
    ("users.info", {"user": "U0"}, "user_not_found"),
    ("users.lookupByEmail", {"email": "nobody@example.org"}, "users_not_found"),
    ("views.open", {"trigger_id": "1.x", "view": MODAL}, "invalid_trigger_id"),
    ("views.open", {"trigger_id": "1.x", "view": "{"}, "invalid_arguments"),
    ("views.update", {"view_id": "V0", "view": MODAL}, "not_found"),
    ("views.publish", {"user_id": "U0", "view": {"type": "home", "blocks": []}}, "user_not_found"),
    ("views.publish", {"user_id": ADA, "view": MODAL}, "invalid_arguments"),
    ("files.getUploadURLExternal", {"filename": "a", "length": 0}, "invalid_arguments"),
    ("files.completeUploadExternal", {"files": [{"id": "F0"}]}, "file_not_found"),
]


@pytest.mark.parametrize(
    ("method", "arguments", "code"), ERRORS, ids=[f"{n}-{row[0]}-{row[2]}" for n, row in enumerate(ERRORS)]
)
async def test_errors_have_the_platforms_codes(
    slack: Slack, method: str, arguments: dict[str, Any], code: str
) -> None:
    assert await slack.error(method, **arguments) == code


async def test_arguments_come_in_the_query_a_form_or_json_and_with_a_team(slack: Slack) -> None:
    ts = await _posted(slack)
    address = slack.fake.address("api/reactions.add")
    headers = {"Authorization": f"Bearer {BOT_TOKEN}"}
    form = {"channel": DEMO, "timestamp": ts, "team_id": "T1"}
    async with slack.session.post(address, params={"name": "eyes"}, data=form, headers=headers) as response:
        assert (await response.json())["ok"]
    address = slack.fake.address("api/chat.postMessage")
    form = {"channel": DEMO, "token": BOT_TOKEN, "blocks": '[{"type": "divider"}]'}
    async with slack.session.post(address, data=form) as response:
        assert (await response.json())["message"]["blocks"][0]["type"] == "divider"
    assert all("token" not in call["args"] for call in await slack.world.calls())
    headers["Content-Type"] = "application/json"
    for body, code in (("{", "invalid_json"), ("[]", "json_not_object")):
        async with slack.session.post(address, data=body, headers=headers) as response:
            assert (await response.json())["error"] == code


async def test_only_own_messages_are_changed_and_deleted(slack: Slack) -> None:
    hers = await slack.world.person(ADA).say(DEMO, "mine")
    assert await slack.error("chat.update", channel=DEMO, ts=hers, text="x") == "cant_update_message"
    assert await slack.error("chat.delete", channel=DEMO, ts=hers) == "cant_delete_message"
    ts = await _posted(slack)
    assert await slack.error("chat.update", channel=DEMO, ts=ts, text="x" * 4_001) == "msg_too_long"
    assert await slack.error("chat.update", channel=DEMO, ts=ts) == "no_text"
    await slack.ok("chat.update", channel=DEMO, ts=ts, text="x" * 4_000)
    await slack.ok("chat.delete", channel=DEMO, ts=ts)
    assert await slack.error("chat.update", channel=DEMO, ts=ts, text="x") == "message_not_found"


async def test_an_update_keeps_what_is_left_out_as_slack_does(slack: Slack) -> None:
    kept = {"event_type": "ao", "event_payload": {"id": "demo-1"}}
    ts = await _posted(slack, blocks=[{"type": "divider"}], metadata=kept)
    await slack.ok("chat.update", channel=DEMO, ts=ts, blocks=[{"type": "divider"}] * 2)
    message = slack.fake.workspace.channels[DEMO].messages[ts]
    assert (message["text"], len(message["blocks"]), message["metadata"]) == ("card", 2, kept)
    await slack.ok("chat.update", channel=DEMO, ts=ts, text="words alone")
    assert (message["text"], message["blocks"], message["metadata"]) == ("words alone", [], kept)
    await slack.ok("chat.update", channel=DEMO, ts=ts, metadata={})
    assert (message["text"], message["metadata"]) == ("words alone", {})


async def test_metadata_comes_back_only_when_asked_for(slack: Slack) -> None:
    kept = {"event_type": "ao", "event_payload": {"id": "demo-1"}}
    root = await _posted(slack, metadata=kept)
    reply = await _posted(slack, metadata=kept, thread_ts=root)
    for method, more, ts in (("history", {}, root), ("replies", {"ts": root}, reply)):
        plain = await slack.ok(f"conversations.{method}", channel=DEMO, **more)
        assert [one for one in plain["messages"] if "metadata" in one] == []
        full = await slack.ok(f"conversations.{method}", channel=DEMO, include_all_metadata=True, **more)
        found = {one["ts"]: one.get("metadata") for one in full["messages"]}
        assert found[ts] == kept


async def test_history_has_the_channel_alone_and_goes_page_by_page(slack: Slack) -> None:
    first = await _posted(slack)
    reply = await _posted(slack, thread_ts=first)
    loud = await _posted(slack, thread_ts=first, reply_broadcast=True)
    last = await _posted(slack)
    page = await slack.ok("conversations.history", channel=DEMO, limit=2)
    assert ([one["ts"] for one in page["messages"]], page["has_more"]) == ([last, loud], True)
    cursor = page["response_metadata"]["next_cursor"]
    page = await slack.ok("conversations.history", channel=DEMO, limit=2, cursor=cursor)
    assert ([one["ts"] for one in page["messages"]], page["has_more"]) == ([first], False)
    since = await slack.ok("conversations.history", channel=DEMO, oldest=loud)
    assert [one["ts"] for one in since["messages"]] == [last]
    since = await slack.ok("conversations.history", channel=DEMO, oldest=loud, inclusive=True)
    assert [one["ts"] for one in since["messages"]] == [last, loud]
    thread = await slack.ok("conversations.replies", channel=DEMO, ts=first)
    assert [one["ts"] for one in thread["messages"]] == [first, reply, loud]
    assert thread["messages"][0]["reply_count"] == 2
    assert (
        await slack.error("chat.postMessage", channel=DEMO, text="x", thread_ts=reply)
        == "cannot_reply_to_message"
    )


async def test_a_deleted_message_with_replies_leaves_a_tombstone(slack: Slack) -> None:
    root = await _posted(slack)
    reply = await _posted(slack, thread_ts=root)
    await slack.world.remove_message(DEMO, root)
    assert await slack.error("chat.update", channel=DEMO, ts=root, text="x") == "message_not_found"
    await slack.ok("chat.postMessage", channel=DEMO, text="still", thread_ts=root)
    await slack.world.remove_message(DEMO, reply)
    thread = (await slack.ok("conversations.replies", channel=DEMO, ts=root))["messages"]
    assert [one.get("subtype") for one in thread] == ["tombstone", None]
    lone = await _posted(slack)
    await slack.world.remove_message(DEMO, lone)
    assert await slack.error("chat.postMessage", channel=DEMO, text="x", thread_ts=lone) == "thread_not_found"


async def test_reactions_are_added_once(slack: Slack) -> None:
    where = {"channel": DEMO, "timestamp": await _posted(slack), "name": "eyes"}
    await slack.ok("reactions.add", **where)
    assert await slack.error("reactions.add", **where) == "already_reacted"
    await slack.ok("reactions.remove", **where)
    assert await slack.error("reactions.remove", **where) == "no_reaction"


async def test_channels_are_joined_and_archived(slack: Slack) -> None:
    await slack.ok("conversations.join", channel=GENERAL)
    again = await slack.ok("conversations.join", channel=GENERAL)
    assert again["warning"] == "already_in_channel"
    await slack.world.ask("add_channel", id="C0SECRET", name="secret", members=[ADA], private=True)
    for method in ("info", "join"):
        assert await slack.error(f"conversations.{method}", channel="C0SECRET") == "channel_not_found"
    await slack.world.ask("join", channel="C0SECRET", user=BOT)
    assert (
        await slack.error("conversations.join", channel="C0SECRET") == "method_not_supported_for_channel_type"
    )
    ts = await _posted(slack)
    await slack.world.ask("archive", channel=DEMO)
    assert await slack.error("chat.postMessage", channel=DEMO, text="x") == "is_archived"
    assert await slack.error("chat.update", channel=DEMO, ts=ts, text="x") == "is_inactive"
    kinds = "public_channel,private_channel"
    rows = (await slack.ok("conversations.list", types=kinds, exclude_archived=True))["channels"]
    assert sorted(row["name"] for row in rows) == ["general", "secret"]
    assert CY in (await slack.ok("conversations.members", channel=DEMO))["members"]


async def test_a_direct_conversation_is_one(slack: Slack) -> None:
    opened = (await slack.ok("conversations.open", users=ADA))["channel"]["id"]
    assert (await slack.ok("conversations.open", users=ADA))["channel"]["id"] == opened
    assert (await slack.ok("chat.postMessage", channel=ADA, text="psst"))["channel"] == opened
    assert (await slack.ok("conversations.info", channel=opened))["channel"]["user"] == ADA
    await slack.world.ask("change_person", id=BO, gone=True)
    assert await slack.error("conversations.open", users=BO) == "user_disabled"


async def test_people_are_found_by_id_and_by_address(slack: Slack) -> None:
    ada = (await slack.ok("users.lookupByEmail", email="ADA@example.org"))["user"]
    assert ada == (await slack.ok("users.info", user=ADA))["user"]
    await slack.world.ask("add_person", id="U0GUEST", name="guest", guest=True, team="T0OTHER")
    guest = (await slack.ok("users.info", user="U0GUEST"))["user"]
    assert (guest["is_restricted"], guest["team_id"]) == (True, "T0OTHER")


async def test_a_trigger_opens_one_modal_within_three_seconds(slack: Slack) -> None:
    triggers = slack.fake.people._triggers
    first, second, third = (triggers.new(ADA) for _ in range(3))
    view = (await slack.ok("views.open", trigger_id=first, view=MODAL))["view"]
    assert await slack.error("views.open", trigger_id=first, view=MODAL) == "exchanged_trigger_id"
    await slack.world.advance(3.0)
    await slack.ok("views.push", trigger_id=second, view=MODAL)
    await slack.world.advance(0.1)
    assert await slack.error("views.push", trigger_id=third, view=MODAL) == "expired_trigger_id"
    await slack.ok("views.push", trigger_id=triggers.new(ADA), view=MODAL)
    assert await slack.error("views.push", trigger_id=triggers.new(ADA), view=MODAL) == "push_limit_reached"
    stale = {"view_id": view["id"], "hash": "0.0", "view": MODAL}
    assert await slack.error("views.update", **stale) == "hash_conflict"
    await slack.ok("views.update", **{**stale, "hash": view["hash"]})


async def test_a_home_tab_is_not_overwritten_by_who_saw_an_older_one(slack: Slack) -> None:
    home = {"type": "home", "blocks": [{"type": "divider"}]}
    first = (await slack.ok("views.publish", user_id=ADA, view=home))["view"]
    await slack.ok("views.publish", user_id=ADA, view=home, hash=first["hash"])
    assert await slack.error("views.publish", user_id=ADA, view=home, hash=first["hash"]) == "hash_conflict"


async def test_an_upload_has_the_bytes_that_were_promised(slack: Slack) -> None:
    made = await slack.ok("files.getUploadURLExternal", filename="a.txt", length=3)
    for content, status in ((b"four", 400), (b"abc", 200)):
        async with slack.session.post(made["upload_url"], data=content) as response:
            assert response.status == status
    async with slack.session.post(f"{made['upload_url']}x", data=b"abc") as response:
        assert (response.status, (await response.json())["error"]) == (404, "file_not_found")
    await slack.ok("files.completeUploadExternal", files=[{"id": made["file_id"]}], channel_id=DEMO)
    assert (await slack.world.person(ADA).messages(DEMO))[0]["files"][0]["name"] == "a.txt"


async def test_calls_that_come_too_fast_are_told_how_long_to_wait(slack: Slack) -> None:
    await slack.world.ask("pacing", on=True)
    for _ in range(3):
        await _posted(slack)
    status, body, wait = await slack.send("chat.postMessage", channel=DEMO, text="x")
    assert (status, body["error"], wait) == (429, "ratelimited", "1")
    await slack.world.advance(1.0)
    ts = await _posted(slack)
    for _ in range(50):
        await slack.ok("chat.update", channel=DEMO, ts=ts, text="x")
    status, body, wait = await slack.send("chat.update", channel=DEMO, ts=ts, text="x")
    assert (status, body["error"], wait) == (429, "ratelimited", "2")
    await slack.world.advance(1.2)
    await slack.ok("chat.update", channel=DEMO, ts=ts, text="x")
    for _ in range(100):
        await slack.ok("users.info", user=ADA)
    assert await slack.error("users.info", user=ADA) == "ratelimited"


async def test_faults_for_the_next_calls(slack: Slack) -> None:
    await slack.world.burst(2, seconds=7, method="chat.postMessage")
    for _ in range(2):
        assert (await slack.send("chat.postMessage", channel=DEMO, text="x"))[2] == "7"
    await slack.world.fail("chat.postMessage", "internal_error")
    assert await slack.error("chat.postMessage", channel=DEMO, text="x") == "internal_error"
    await slack.world.drop("chat.postMessage")
    with pytest.raises(aiohttp.ClientError):
        await _posted(slack)
    (posted,) = await slack.world.person(ADA).messages(DEMO)
    assert posted["text"] == "card", "it was performed, and only its answer got lost"


async def test_while_it_is_down_nothing_answers(slack: Slack) -> None:
    await slack.world.down(60)
    with pytest.raises(aiohttp.ClientError):
        await slack.ok("auth.test")
    with pytest.raises(aiohttp.ClientError):
        await slack.respond("x", text="x")
    await slack.world.advance(60)
    await slack.ok("auth.test")
