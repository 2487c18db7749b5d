"""The desk: kept before it is acknowledged, run once, answered however often it is asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.chat.desk import RESTARTED, Desk
from bot.chat.message import Message
from bot.chat.request import Request, Surface
from orchestrator.domain.person import Actor, ActorKind
from orchestrator.errors import Conflict, NotFound
from orchestrator.storage.faults import NoFaults
from orchestrator.storage.requests import Asked, Requests

ADA = Actor(kind=ActorKind.PERSON, name="ada")
PLACE = '{"channel":"C1","thread":"17.5"}'
SEND = Request(
    id="",
    who=ADA,
    surface=Surface.SLACK,
    verb="send",
    at=1.0,
    arguments={"session": "demo-1", "text": "hi"},
    key="k",
    place=PLACE,
)


class Verb:
    def __init__(self, *, changes: bool = True) -> None:
        self.changes = changes


class Verbs:
    def __init__(self) -> None:
        self.ran: list[Request] = []
        self.gate: asyncio.Event | None = None
        self.error: Exception | None = None

    async def run(self, request: Request) -> Message:
        self.ran.append(request)
        if self.gate is not None:
            await self.gate.wait()
        if self.error is not None:
            raise self.error
        return Message(title="sent")

    async def preview(self, request: Request) -> Message:
        return Message(title=f"{request.verb}?")


@pytest.fixture
async def kept(tmp_path: Path) -> AsyncIterator[Requests]:
    made = Requests(tmp_path / "requests.jsonl", NoFaults())
    await made.open()
    yield made
    await made.close()


async def test_it_is_kept_with_its_person_and_place_before_it_runs_to_its_end(kept: Requests) -> None:
    verbs = Verbs()
    verbs.gate = asyncio.Event()
    desk = Desk(verbs, kept)
    request, task = await desk.ask(Verb(), SEND)
    [record] = kept.unfinished()
    assert (record.id, record.asked.by, record.asked.place) == (request, ADA, PLACE)
    assert desk.outcome(request) is None
    verbs.gate.set()
    assert task is not None
    assert (await task).text == "sent"
    assert kept.unfinished() == ()


async def test_asked_twice_it_runs_once_and_both_are_answered(kept: Requests) -> None:
    verbs = Verbs()
    desk = Desk(verbs, kept)
    (first, one), (second, _) = await asyncio.gather(desk.ask(Verb(), SEND), desk.ask(Verb(), SEND))
    assert first == second
    assert one is not None
    await one
    again, task = await desk.ask(Verb(), SEND)
    assert (again, task) == (first, None)
    outcome = desk.outcome(first)
    assert outcome is not None
    assert outcome.ok
    assert len(verbs.ran) == 1
    with pytest.raises(Conflict):
        await desk.ask(Verb(), replace(SEND, arguments={"session": "demo-1", "text": "other"}))


async def test_reading_is_not_kept(kept: Requests) -> None:
    request, task = await Desk(Verbs(), kept).ask(Verb(changes=False), SEND)
    assert task is not None
    assert (request, (await task).ok) == ("", True)
    with pytest.raises(NotFound):
        Desk(Verbs(), kept).outcome("req-none")


async def test_what_fails_in_an_unforeseen_way_is_answered_too(kept: Requests) -> None:
    verbs = Verbs()
    verbs.error = KeyError("x")
    _, task = await Desk(verbs, kept).ask(Verb(), SEND)
    assert task is not None
    outcome = await task
    assert not outcome.ok
    assert "KeyError" in outcome.text


async def test_after_a_crash_each_surface_answers_its_own_where_it_was_asked(kept: Requests) -> None:
    slack = Asked(verb="send", by=ADA, at=1.0, surface="slack", place=PLACE, key="k", arguments={})
    await kept.keep(slack)
    await kept.keep(replace(slack, surface="web", place='{"session":"demo-1"}', key="w"))
    fetched, _ = await kept.keep(replace(slack, surface="api", place="", key="a"))
    desk = Desk(Verbs(), kept)
    await desk.open()
    outcome = desk.outcome(fetched.id)
    assert outcome is not None
    assert RESTARTED.what in outcome.text
    [cut_off] = desk.unanswered(Surface.SLACK)
    assert cut_off.asked.place == PLACE
    await desk.give_up(cut_off.id)
    assert desk.unanswered(Surface.SLACK) == ()
    assert [r.asked.place for r in desk.unanswered(Surface.WEB)] == ['{"session":"demo-1"}']


async def test_what_runs_now_was_not_cut_off(kept: Requests) -> None:
    verbs = Verbs()
    verbs.gate = asyncio.Event()
    desk = Desk(verbs, kept)
    await desk.open()
    await desk.ask(Verb(), SEND)
    assert desk.unanswered(Surface.SLACK) == ()
    verbs.gate.set()
    await desk.close()
