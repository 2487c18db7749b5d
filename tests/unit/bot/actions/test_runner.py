"""A request is run only where, by whom and with what it may be."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from bot.actions.action import Bench, Role
from bot.actions.runner import Actions
from bot.chat.access import Access
from bot.chat.request import Request, Surface
from orchestrator.domain.person import OWNER, Actor, ActorKind
from orchestrator.domain.rights import People, Person
from orchestrator.errors import BadInput, NotAllowed, NotFound, NotReady
from orchestrator.testing import examples
from tests.unit.bot.house import Configured, House

ASKED = Request(id="r1", who=OWNER, surface=Surface.SHELL, verb="status", at=0.0)
ADA = Actor(kind=ActorKind.PERSON, name="ada")
AGENT = Actor(kind=ActorKind.AGENT, name="demo-1")


def asked(verb: str, **arguments: Any) -> Request:
    return replace(ASKED, verb=verb, arguments=arguments)


async def test_a_person_without_a_role_may_do_nothing(house: House) -> None:
    for who in (ADA, AGENT):
        with pytest.raises(NotAllowed, match="may not status"):
            await house.actions.run(replace(ASKED, who=who))


async def test_a_role_must_cover_the_verbs(house: House) -> None:
    people = People((Person(handle="ada", roles={"*": Role.OPERATOR}),))
    actions = Actions(house.core, access=Access(lambda: people))
    house.fleet.put(examples.session(id="demo-1", changes=(examples.change(examples.pull_request()),)))
    assert (await actions.run(replace(asked("status"), who=ADA))).title == "1 session"
    with pytest.raises(NotAllowed, match="approver"):
        await actions.run(replace(asked("merge", session="demo-1", head=examples.HEAD), who=ADA))


async def test_a_surface_must_be_the_verbs(house: House) -> None:
    with pytest.raises(NotAllowed, match="cannot be asked for here"):
        await house.actions.run(replace(asked("project add", path="/x"), surface=Surface.SLACK))


async def test_head_is_insisted_on(house: House) -> None:
    with pytest.raises(BadInput, match="head commit"):
        await house.actions.run(asked("approve", session="demo-1"))


async def test_a_verb_without_questions_has_no_preview(house: House) -> None:
    with pytest.raises(BadInput, match="no confirmation"):
        await house.actions.preview(asked("status"))


@pytest.mark.parametrize("verb", ["", "status now", "nonsense"])
async def test_an_unknown_verb_is_refused(house: House, verb: str) -> None:
    with pytest.raises(BadInput):
        await house.actions.run(asked(verb))


def test_without_a_fleet_only_the_configuration_can_be_asked(configured: Configured) -> None:
    home, settings, registry = configured
    actions = Actions(None, bench=Bench(home=home, registry=registry, settings=settings))
    assert "demo" in str(asyncio.run(actions.run(asked("config show"))).data)
    assert asyncio.run(actions.preview(asked("trust"))).title.startswith("Trust ")
    with pytest.raises(NotReady, match="no fleet"):
        asyncio.run(actions.run(asked("status")))


async def test_sessions_are_meant_by_id_issue_pull_request_or_link(house: House) -> None:
    pull = examples.pull_request(number=7, url="https://forge.example/7")
    house.fleet.put(examples.session(id="demo-1", changes=(examples.change(pull),)))
    for name in ("demo-1", "1", "7", "https://forge.example/7", "https://forge.example/pull/7/"):
        assert (await house.actions.run(asked("status", session=name))).session == "demo-1"
    with pytest.raises(NotFound):
        await house.actions.run(asked("status", session="999"))


async def test_in_a_thread_the_session_is_the_threads(house: House) -> None:
    house.fleet.put(examples.session(id="demo-1"))
    assert (await house.actions.run(replace(asked("hold"), session="demo-1"))).session == "demo-1"
    assert house.fleet.get("demo-1").hold == OWNER
    with pytest.raises(BadInput, match="needs a session"):
        await house.actions.run(asked("hold"))
