"""Personal tokens: whose, by whom, and what is left of them when their person goes."""

from __future__ import annotations

import secrets
from dataclasses import replace

import pytest

from bot.actions.runner import Actions
from bot.chat.message import Message
from bot.chat.request import Request, Surface, Value
from orchestrator.domain.person import OWNER, Actor, ActorKind
from orchestrator.domain.rights import Person, Role
from orchestrator.domain.token import PersonalToken, digest_of
from orchestrator.errors import NotAllowed, NotFound
from orchestrator.services import tokens
from tests.unit.bot.house import House, data, rows

ADA, BO, VIC = (Actor(kind=ActorKind.PERSON, name=name) for name in ("ada", "bo", "vic"))


@pytest.fixture(autouse=True)
async def known(house: House) -> None:
    """Ada is admin of all, Bo of one project, Vic sees one."""
    house.core.settings.use_people(house.core.store.people)
    for name, roles in (
        ("ada", {"*": Role.ADMIN}),
        ("bo", {"demo": Role.ADMIN}),
        ("vic", {"demo": Role.VIEWER}),
    ):
        await house.core.store.people.put(Person(handle=name, roles=roles))


async def ask(house: House, who: Actor, verb: str, **arguments: Value) -> Message:
    request = Request(id="", who=who, surface=Surface.API, verb=verb, at=0.0, arguments=arguments)
    return await Actions(house.core, clock=house.core.clock).run(request)


async def make(house: House, who: Actor, person: str = "") -> str:
    """A token's secret."""
    secret = f"ao_{secrets.token_urlsafe(32)}"
    given: dict[str, Value] = {"for": person} if person else {}
    await ask(house, who, "token add", digest=digest_of(secret), **given)
    return secret


async def used(house: House, secret: str) -> PersonalToken | None:
    return await tokens.use(house.core, secret)


async def test_everybody_makes_sees_and_takes_back_their_own(house: House) -> None:
    mine = await make(house, VIC)
    await make(house, BO)
    [row] = data(await ask(house, VIC, "token ls"))["tokens"]
    assert (row["person"], row["counts"]) == ("vic", True)
    await ask(house, VIC, "token rm", id=row["id"])
    assert await used(house, mine) is None


async def test_others_are_for_an_admin_of_all_projects(house: House) -> None:
    secret = await make(house, ADA, "@VIC")
    kept = await used(house, secret)
    assert kept is not None
    assert (kept.person, kept.actor) == ("vic", VIC)
    with pytest.raises(NotAllowed, match="vic: that needs the role admin in all projects") as refused:
        await make(house, BO, "vic")
    assert "ada" in refused.value.next_step
    assert data(await ask(house, BO, "token ls"))["tokens"] == []
    with pytest.raises(NotFound):
        await ask(house, BO, "token rm", id=kept.id)
    assert [one["person"] for one in data(await ask(house, ADA, "token ls"))["tokens"]] == ["vic"]
    await ask(house, ADA, "token rm", id=kept.id)
    assert await used(house, secret) is None


async def test_the_owner_may_what_an_admin_may(house: House) -> None:
    secret = await make(house, OWNER, "vic")
    assert len(data(await ask(house, OWNER, "token ls"))["tokens"]) == 1
    await make(house, OWNER)
    owners = [one for one in data(await ask(house, ADA, "token ls"))["tokens"] if one["person"] == "owner"]
    await ask(house, OWNER, "token rm", id=owners[0]["id"])
    assert await used(house, secret) is not None


async def test_a_token_is_for_somebody_who_is_known(house: House) -> None:
    for who in (ADA, OWNER):
        with pytest.raises(NotFound, match="nobody here knows mallory") as refused:
            await make(house, who, "mallory")
        assert "ada, bo, vic; `people add mallory" in refused.value.next_step
    with pytest.raises(NotAllowed) as denied:
        await make(house, VIC, "mallory")
    assert "bo" not in denied.value.next_step, "who is known is not everybody's"


async def test_a_stranger_has_none(house: House) -> None:
    stranger = Actor(kind=ActorKind.PERSON, name="slack:U1")
    with pytest.raises(NotAllowed, match="nobody here knows"):
        await make(house, stranger)
    await make(house, OWNER)
    [kept] = house.core.store.tokens.all
    with pytest.raises(NotAllowed):
        await ask(house, stranger, "token rm", id=kept.id)


async def test_with_their_person_tokens_go_for_good(house: House) -> None:
    secret = await make(house, VIC)
    told = await ask(house, ADA, "people rm", person="vic")
    assert told.lines == ("Their personal tokens count no more.",)
    assert await used(house, secret) is None
    shown = await ask(house, ADA, "token ls")
    assert rows(shown)[0][-1] == "counts no more: nobody knows vic"
    assert data(shown)["tokens"][0]["counts"] is False
    await ask(house, ADA, "people add", person="vic", role="viewer")
    assert await used(house, secret) is None, "a later vic may be another one"
    assert rows(await ask(house, ADA, "token ls"))[0][-1] == "expired"


async def test_a_token_of_somebody_whom_the_configuration_lost_counts_no_more(house: House) -> None:
    secret = await make(house, VIC)
    people = house.core.store.people
    vic = people.people.by_handle("vic")
    assert vic is not None
    await people.drop("vic")
    assert await used(house, secret) is None
    await people.put(replace(vic))
    assert await used(house, secret) is not None
