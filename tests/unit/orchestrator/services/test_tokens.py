"""Whose tokens somebody may make, see and take back."""

from __future__ import annotations

import secrets

import pytest

from orchestrator.domain.person import OWNER, Actor, ActorKind
from orchestrator.domain.rights import Person, Role
from orchestrator.domain.token import digest_of
from orchestrator.errors import NotAllowed, NotFound
from orchestrator.services import tokens
from orchestrator.testing.ring import Ring

ADA = Actor(kind=ActorKind.PERSON, name="ada")
BO = Actor(kind=ActorKind.PERSON, name="bo")


async def known(ring: Ring) -> None:
    for person in (
        Person(handle="ada", roles={"*": Role.ADMIN}),
        Person(handle="bo", roles={"demo": Role.ADMIN}),
    ):
        await ring.core.store.people.put(person)


async def add(ring: Ring, person: str, by: Actor) -> str:
    digest = digest_of(f"ao_{secrets.token_urlsafe(32)}")
    made = await tokens.add(ring.core, digest, person=person, label="", days=1, by=by)
    return made.id


async def test_an_admin_of_all_projects_looks_after_everybodys(ring: Ring) -> None:
    await known(ring)
    of_bo = await add(ring, "bo", ADA)
    of_ada = await add(ring, "", ADA)
    assert [token.id for token in tokens.listed(ring.core, ADA)] == [of_bo, of_ada]
    await tokens.remove(ring.core, of_bo, by=ADA)
    assert [token.id for token in tokens.listed(ring.core, OWNER)] == [of_ada]


async def test_others_look_after_their_own(ring: Ring) -> None:
    await known(ring)
    of_ada, of_bo = await add(ring, "ada", ADA), await add(ring, "", BO)
    assert [token.id for token in tokens.listed(ring.core, BO)] == [of_bo]
    with pytest.raises(NotAllowed, match="may not make a token for ada"):
        await add(ring, "ada", BO)
    with pytest.raises(NotFound):
        await tokens.remove(ring.core, of_ada, by=BO)


async def test_a_token_is_for_somebody_who_is_known(ring: Ring) -> None:
    await known(ring)
    with pytest.raises(NotFound, match="nobody here knows mallory") as caught:
        await add(ring, "mallory", OWNER)
    assert "ada, bo" in caught.value.next_step
    assert [token.person for token in tokens.listed(ring.core, OWNER)] == []
    await add(ring, "@ADA", OWNER)
    assert [token.person for token in tokens.listed(ring.core, OWNER)] == ["ada"]
