"""`people`, `people add`, `people rm` and `pair`: from a chat and from the machine's own shell."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from bot.actions import grammar, registry
from bot.chat.access import Identity
from bot.chat.request import Request, Surface
from orchestrator.domain.person import OWNER
from orchestrator.domain.rights import Person, Role
from orchestrator.errors import BadInput, NotAllowed
from orchestrator.settings.effective import Settings
from tests.unit.bot.house import Ask, House, data, rows


def typed(house: House, identity: str, line: str, surface: Surface = Surface.SLACK) -> Request:
    """A line in a chat, as a front end makes a request of it."""
    words = grammar.split(line)
    action, count = registry.find([word.text for word in words])
    who = house.actions.access.actor(Identity(surface=surface, id=identity))
    arguments: dict[str, Any] = grammar.parse(action, line, words[count:])
    return Request(id="r", who=who, surface=surface, verb=action.verb, at=0.0, arguments=arguments)


def configured(house: House, more: str) -> Settings:
    """The configuration with more in its file."""
    file = house.core.settings.path
    file.write_text(file.read_text() + more)
    return house.core.settings.look().require()


async def test_from_the_first_code_to_the_last_right(house: House, ask: Ask) -> None:
    house.core.serving.set()
    code = data(await ask("people"))["pairing_code"]
    with pytest.raises(NotAllowed, match="nobody is known here yet"):
        await house.actions.run(typed(house, "U1", "status"))
    paired = await house.actions.run(replace(typed(house, "U1", f"pair {code}"), called="Ana"))
    assert paired.title.startswith("👤 Ana is admin in all projects")
    added = await house.actions.run(typed(house, "U1", "people add <@U2|bo> operator"))
    assert (added.title, added.next_steps) == ("👤 bo is operator in all projects.", ("people rm bo",))
    assert (await house.actions.run(typed(house, "U2", "status"))).title == "0 sessions"
    with pytest.raises(
        NotAllowed, match="bo may not use `people add`: that needs the role admin in all projects"
    ):
        await house.actions.run(typed(house, "U2", "people add <@U2> admin"))
    listed = await house.actions.run(typed(house, "U2", "people"))
    assert rows(listed) == (
        ("Ana", "admin", "U1 in slack, owner of this machine", "added"),
        ("bo", "operator", "U2 in slack", "added"),
    )
    assert (await ask("people rm", person="bo")).title == "👤 bo is not known any more."
    with pytest.raises(NotAllowed, match="nobody here knows slack:U2"):
        await house.actions.run(typed(house, "U2", "status"))


async def test_the_code_is_shown_to_the_owner_alone_and_only_where_it_counts(house: House, ask: Ask) -> None:
    assert data(await ask("people"))["pairing_code"] == ""
    house.core.serving.set()
    message = await ask("people")
    code = data(message)["pairing_code"]
    assert f"`pair {code}`" in message.lines[1]
    await ask("people add", person="ana", role="admin")
    assert "pairing_code" not in data(await ask("people"))


async def test_an_owner_who_is_nobody_yet_is_told_how_to_be_somebody(house: House, ask: Ask) -> None:
    added = await ask("people add", person="ana", role="admin")
    assert "Nobody is ana in a chat yet" in added.lines[0]
    assert "`--owner`" in added.lines[1]
    with pytest.raises(NotAllowed, match="--owner"):
        await ask("spawn", project="demo", issue="1")
    assert len((await ask("people add", person="ana", role="admin", owner=True)).lines) == 1
    assert house.actions.access.acting(OWNER, Surface.SHELL).name == "ana"


async def test_a_role_in_one_project_is_given_and_taken_back(house: House, ask: Ask) -> None:
    await ask("people add", person="ana", role="admin", owner=True)
    added = await ask("people add", person="bo", role="approver", project="DEMO")
    assert added.title == "👤 bo is approver in demo."
    assert added.next_steps == ("people rm bo --project demo",)
    gone = await ask("people rm", person="bo", project="demo")
    assert gone.title == "👤 bo has no role of their own in demo any more."
    assert rows(await ask("people"))[1][:2] == ("bo", "nothing")


async def test_what_the_configuration_says_stays(house: House, ask: Ask) -> None:
    written = "people: {ana: {roles: admin, owner: true}, bo: {roles: viewer}}\n"
    house.core.settings.take(await asyncio.to_thread(configured, house, written))
    await ask("people add", person="discord:42", role="viewer", name="bo")
    assert rows(await ask("people"))[1] == ("bo", "viewer", "42 in discord", "configuration")
    gone = await ask("people rm", person="bo")
    assert gone.title == "👤 bo: what was added is gone."
    assert "says of bo stays" in gone.lines[0]


async def test_roles_in_projects_that_one_does_not_see_are_left_out(house: House, ask: Ask) -> None:
    await ask("people add", person="ana", role="admin", owner=True)
    await house.core.store.people.put(
        Person(handle="bo", ids={"slack": "U2"}, roles={"web": Role.VIEWER, "demo": Role.VIEWER})
    )
    await house.core.store.people.put(Person(handle="cy", ids={"slack": "U3"}, roles={"demo": Role.VIEWER}))
    listed = await house.actions.run(typed(house, "U3", "people"))
    assert rows(listed)[1][1] == "viewer in demo"


async def test_pairing_is_refused_in_the_shell(ask: Ask) -> None:
    with pytest.raises(NotAllowed, match="cannot be asked for here"):
        await ask("pair", code="ABCD2345")


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("@ada", "ada"),
        ("ada", "ada"),
        ("<@U123|ada>", "slack:U123|ada"),
        ("<@U123>", "slack:U123"),
        ("<@W0A|>", "slack:W0A"),
        ("<@42>", "discord:42"),
        ("<@!42>", "discord:42"),
        ("slack:U123", "slack:U123"),
    ],
)
def test_a_person_is_named_as_phones_and_chats_do(written: str, read: str) -> None:
    action = registry.load("people add")
    assert grammar.parse_arguments(action, [written, "viewer"])["person"] == read
    assert grammar.check(action, {"person": written, "role": "VIEWER"}) == {"person": read, "role": "viewer"}


@pytest.mark.parametrize("written", ["<@U123", "<!channel>", "<#C1|general>", "@", "a b", "<@u1>", "x:y:z"])
def test_what_is_nobodys_name(written: str) -> None:
    with pytest.raises(BadInput, match="nobody's name"):
        grammar.check(registry.load("people add"), {"person": written, "role": "viewer"})
