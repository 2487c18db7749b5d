"""Slack in earnest: the real slack-bolt in Socket Mode against the fake workspace, over a fleet on fakes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.demo.slack_person import SlackWorld, buttons
from bot.demo.slack_server import FakeSlack
from bot.demo.slack_workspace import ADA, BO, CY, DEMO
from orchestrator.testing.ring import FakeWorld, Ring, open_ring
from orchestrator.testing.waiting import eventually
from tests.integration.bolt_app import FAST, drop_proxies
from tests.integration.slack_rig import SESSION, Json, Rig, is_card, make_rig, says, thread_of


@pytest.fixture
def outside() -> FakeWorld:
    return FakeWorld()


@pytest.fixture
async def world(
    monkeypatch: pytest.MonkeyPatch, outside: FakeWorld
) -> AsyncIterator[tuple[FakeSlack, SlackWorld]]:
    drop_proxies(monkeypatch)
    fake = FakeSlack(times=FAST, now=outside.clock.now)
    await fake.start()
    async with SlackWorld(fake.address()) as slack:
        yield fake, slack
    await fake.stop()


@pytest.fixture
async def rig(tmp_path: Path, outside: FakeWorld, world: tuple[FakeSlack, SlackWorld]) -> AsyncIterator[Rig]:
    ring = await open_ring(tmp_path, world=outside)
    made = await make_rig(ring, *world)
    await made.front.start()
    await made.slack.sockets(opened=1)
    yield made
    await made.front.stop()
    await made.desk.close()
    await ring.close()


async def test_a_session_from_the_command_to_the_merge(rig: Rig) -> None:
    ada = rig.slack.person(ADA)
    answer = await ada.slash(DEMO, "spawn demo 1")
    assert answer.acked
    card = await rig.card(lambda m: says(m, "demo-1"))
    # a reply in the thread steers; the person's own post shows how far it is
    ts = await ada.reply(DEMO, card["ts"], "use the other module")
    reply = await rig.message(lambda m: m["ts"] == ts and m.get("reactions"))
    assert reply["reactions"][0]["name"] in {"eyes", "white_check_mark"}
    assert rig.ring.session(SESSION).messages[0].by == "ada"
    # a question comes with a button for each option; its answer takes their place
    request = rig.ring.ask(SESSION, "ask", "One or two?", "--option", "one", "--option", "two")
    asked = await rig.message(lambda m: thread_of(m) == card["ts"] and says(m, "One or two?"))
    assert buttons(asked) == ["one", "two"]
    await ada.click(DEMO, asked["ts"], "two")
    told = await rig.message(lambda m: m["ts"] == asked["ts"] and says(m, "ada in Slack answered: two"))
    assert buttons(told) == []
    assert "two" in await rig.passing(lambda: answered(rig.ring, request))
    # approve, then merge, each at the head that is shown
    await rig.ring.pull_request(SESSION)
    await rig.ring.checks(SESSION, passed=True)
    review = await rig.message(lambda m: says(m, "Review wanted") and buttons(m))
    await rig.slack.person(BO).click(DEMO, review["ts"], "Approve demo-1")
    await rig.message(lambda m: m["ts"] == review["ts"] and says(m, "Approved by bo in Slack"))
    ready = await rig.card(lambda m: "Merge demo-1" in buttons(m))
    await ada.click(DEMO, ready["ts"], "Merge demo-1", confirm=True)
    merged = await rig.message(lambda m: says(m, "🎉 Merged"))
    assert thread_of(merged) == card["ts"]
    assert len(await rig.cards()) == 1


async def answered(ring: Ring, request: str) -> str:
    return ring.answer(SESSION, request)


async def test_who_nobody_knows_is_told_privately(rig: Rig) -> None:
    await rig.ring.spawn()
    card = await rig.card()
    cy = rig.slack.person(CY)
    answer = await cy.slash(DEMO, "pause demo-1")
    assert "may not pause" in answer.text
    assert "ada" in answer.text
    await cy.reply(DEMO, card["ts"], "do something else")
    denied = await rig.message(lambda m: says(m, "may not send"), user=CY)
    assert denied["ts"] not in {m["ts"] for m in await rig.slack.person(ADA).messages(DEMO)}
    assert rig.ring.session(SESSION).messages == ()
    # a press on the card is answered in the channel: nobody sees what stands in a thread that is not open
    await cy.choose(DEMO, card["ts"], "ao:menu", "Show its screen")
    told = await rig.message(lambda m: says(m, "may not output"), user=CY)
    assert not told.get("thread_ts")


async def test_the_second_of_two_is_told_who_was_first(rig: Rig) -> None:
    await rig.ring.spawn()
    await rig.card()
    rig.ring.ask(SESSION, "ask", "One or two?", "--option", "one", "--option", "two")
    asked = await rig.message(
        lambda m: says(m, "One or two?") and buttons(m) == ["one", "two"] and thread_of(m)
    )
    await asyncio.gather(
        rig.slack.person(ADA).click(DEMO, asked["ts"], "one"),
        rig.slack.person(BO).click(DEMO, asked["ts"], "two"),
    )

    async def decided() -> bool:
        return rig.ring.session(SESSION).questions[0].answered_by is not None

    await rig.passing(decided)
    question = rig.ring.session(SESSION).questions[0]
    loser = BO if question.answered_by and question.answered_by.name == "ada" else ADA
    late = await rig.message(lambda m: says(m, "answered first"), user=loser)
    assert says(late, question.answer)


async def test_a_button_of_an_older_head_says_so_and_the_card_is_shown_anew(rig: Rig) -> None:
    await rig.ring.spawn()
    old = await rig.ring.pull_request(SESSION)
    await rig.ring.checks(SESSION, passed=True)
    review = await rig.message(lambda m: says(m, "Review wanted") and buttons(m))
    value = next(
        element["value"]
        for block in review["blocks"]
        for element in block.get("elements", ())
        if says(element, "Approve")
    )
    new = await rig.ring.pull_request(SESSION, text="2")
    settled = await rig.message(lambda m: m["ts"] == review["ts"] and says(m, "Superseded"))
    assert buttons(settled) == []
    # a click that was on its way while the head moved
    assert old[:12] in value
    taken = await rig.front.press(press_of(value, review))
    answer = await taken.answer()
    assert new[:12] in answer.title
    assert rig.ring.session(SESSION).changes[0].approvals == ()


def press_of(value: str, message: Json) -> Any:
    from bot.frontends.slack.events import Press, Where

    where = Where(channel=DEMO, user=ADA, thread=thread_of(message))
    return Press(where=where, payload=value, key=f"late:{value}")


async def test_what_is_wrong_with_it_is_said(rig: Rig) -> None:
    await rig.ring.spawn()
    await rig.card()

    async def well() -> bool:
        return rig.front.condition() == ("", "")

    await rig.passing(well)
    await rig.slack.fail("chat.update", "cant_update_message")
    await rig.ring.core.fleet.change(SESSION, lambda draft: draft.set(branch="feat/other"))

    async def behind() -> str:
        return rig.front.condition()[0]

    assert "cant_update_message" in await rig.passing(behind)


async def test_an_hour_without_slack_loses_nothing_and_doubles_nothing(rig: Rig) -> None:
    await rig.ring.spawn()
    card = await rig.card()
    await rig.slack.down(3600)
    rig.ring.ask(SESSION, "ask", "One or two?", "--option", "one", "--option", "two")
    await rig.ring.later(600)
    assert rig.ring.status(SESSION) == "waiting_input"
    await rig.slack.down(0)
    asked = await rig.message(lambda m: thread_of(m) == card["ts"] and says(m, "One or two?"))
    assert buttons(asked) == ["one", "two"]
    seen = [
        m for m in await rig.slack.person(ADA).messages(DEMO) if says(m, "One or two?") and not is_card(m)
    ]
    assert len(seen) == 1


async def test_a_burst_of_429_is_waited_out(rig: Rig) -> None:
    await rig.slack.burst(3, 1, "chat.postMessage")
    await rig.ring.spawn()
    await rig.card()
    assert len(await rig.cards()) == 1


async def test_a_card_that_somebody_took_away_comes_back(rig: Rig) -> None:
    await rig.ring.spawn()
    card = await rig.card()
    await rig.slack.remove_message(DEMO, card["ts"])
    rig.ring.ask(SESSION, "ask", "One or two?", "--option", "one")
    again = await rig.card(lambda m: m["ts"] != card["ts"])
    await rig.message(lambda m: thread_of(m) == again["ts"] and says(m, "One or two?"))
    assert len(await rig.cards()) == 1


@pytest.mark.parametrize("after", ["the card", "a post"])
async def test_a_crash_between_a_post_and_its_record_shows_it_once(
    rig: Rig, world: tuple[FakeSlack, SlackWorld], after: str
) -> None:
    if after == "a post":
        await rig.ring.spawn()
        await rig.card()
    await rig.slack.drop("chat.postMessage")
    if after == "a post":
        rig.ring.ask(SESSION, "ask", "One or two?", "--option", "one")
        await rig.ring.settle()
    else:
        await rig.ring.spawn()

    async def posted() -> list[Json]:
        return [
            m
            for m in await rig.slack.person(ADA).messages(DEMO)
            if says(m, "One or two?" if after == "a post" else "demo-1")
        ]

    await eventually(posted, bool, 30.0)
    await rig.front.stop()
    again = await rig.ring.crash()
    other = await make_rig(again, *world)
    await other.front.start()
    await other.slack.sockets(opened=2)
    if after == "the card":
        again.ask(SESSION, "ask", "One or two?", "--option", "one")
    await other.message(lambda m: says(m, "One or two?") and thread_of(m))
    assert len(await other.cards()) == 1
    threads = [
        m for m in await rig.slack.person(ADA).messages(DEMO) if thread_of(m) and says(m, "One or two?")
    ]
    assert len(threads) == 1
    await other.front.stop()
    await other.desk.close()


async def test_what_a_crash_cut_off_is_answered_where_it_was_asked(
    rig: Rig, world: tuple[FakeSlack, SlackWorld]
) -> None:
    from bot.frontends.slack.events import Where
    from orchestrator.domain.person import Actor, ActorKind
    from orchestrator.storage.requests import Asked

    where = Where(channel=DEMO, user=ADA)
    ada = Actor(kind=ActorKind.PERSON, name="ada", via="slack")
    asked = Asked(verb="pause", by=ada, at=1.0, arguments={}, surface="slack", place=where.text())
    await rig.ring.core.store.requests.keep(asked)
    await rig.front.stop()
    again = await rig.ring.crash()
    other = await make_rig(again, *world)
    await other.front.start()
    await other.message(lambda m: says(m, "restarted before this was answered"))

    async def left() -> int:
        return len(again.core.store.requests.unfinished())

    await eventually(left, lambda count: count == 0)  # it is kept once Slack has taken the answer
    await other.front.stop()
    await other.desk.close()


async def test_words_of_agents_mention_nobody_and_are_no_link(rig: Rig) -> None:
    await rig.ring.spawn()
    await rig.card()
    rig.ring.ask(SESSION, "ask", "<!channel> <@U1> <https://evil.example|ok> \u202e", "--option", "<!here>")
    asked = await rig.message(lambda m: thread_of(m) and says(m, "evil.example"))
    texts = [b["text"]["text"] for b in asked["blocks"] if b["type"] == "section"] + [asked["text"]]
    assert all("<!" not in text and "<https" not in text and "\u202e" not in text for text in texts)


async def test_a_no_with_its_reason_is_asked_for_in_a_form(rig: Rig) -> None:
    await rig.ring.spawn()
    await rig.card()
    await rig.ring.pull_request(SESSION)
    await rig.ring.checks(SESSION, passed=True)
    review = await rig.message(lambda m: says(m, "Review wanted") and buttons(m))
    ada = rig.slack.person(ADA)
    await ada.click(DEMO, review["ts"], "Request changes")

    async def form() -> Any:
        return (await ada.state()).get("modals") or (await ada.state()).get("modal")

    await rig.passing(form)
    done = await ada.submit({"words": "please add a test"})
    assert (done.acked, done.errors) == (True, {})

    async def asked() -> bool:
        told = await rig.ring.told(SESSION)
        return "review.changes_asked_here" in told

    await rig.passing(asked)


async def test_a_menu_asks_before_it_ends_a_session(rig: Rig) -> None:
    await rig.ring.spawn()
    card = await rig.card()
    ada = rig.slack.person(ADA)
    await ada.choose(DEMO, card["ts"], "ao:menu", "Kill demo-1")
    sure = await rig.message(lambda m: says(m, "Kill demo-1?") and "Kill" in buttons(m))
    assert rig.ring.session(SESSION).wanted.state.value == "run"
    await ada.click(DEMO, sure["ts"], "Kill")
    await rig.card(lambda m: says(m, "Killed"))


async def test_a_mention_asks_and_both_of_its_events_are_one(rig: Rig) -> None:
    await rig.ring.spawn()
    await rig.card()
    await rig.slack.person(ADA).say(DEMO, "@ao status")
    await rig.message(lambda m: says(m, "1 session"))
    seen = [m for m in await rig.slack.person(ADA).messages(DEMO) if says(m, "1 session")]
    assert len(seen) == 1
