"""Tokens among the values of the fleet: hashed, found, taken back; a row that is none gives no right."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from orchestrator.domain.person import OWNER, ActorKind
from orchestrator.domain.token import PersonalToken, digest_of, is_secret
from orchestrator.errors import BadInput, Conflict, NotFound
from orchestrator.storage import kept_tokens
from orchestrator.storage.faults import NoFaults
from orchestrator.storage.fleet import FleetStore
from orchestrator.storage.kept_tokens import KeptTokens
from orchestrator.storage.layout import Home

SECRET = "ao_" + "s" * 43


def token(name: str = "t1", secret: str = SECRET, person: str = "ada") -> PersonalToken:
    return PersonalToken(
        id=name, digest=digest_of(secret), person=person, label="", by="owner", made=1.0, expires=100.0
    )


@pytest.fixture
async def fleet(tmp_path: Path) -> AsyncIterator[FleetStore]:
    home = Home(tmp_path)
    made = FleetStore(home, NoFaults())
    await made.open()
    yield made
    await made.close()


async def test_it_is_found_by_its_secret_alone_also_after_a_restart(fleet: FleetStore) -> None:
    kept = KeptTokens(fleet)
    await kept.add(token())
    again = KeptTokens(fleet)
    again.open()
    assert again.find(SECRET) == token()
    assert again.find(SECRET[:-1] + "x") is None
    assert again.find("") is None
    with pytest.raises(Conflict):
        await again.add(token("t2"))


async def test_one_that_is_taken_back_is_gone(fleet: FleetStore) -> None:
    kept = KeptTokens(fleet)
    await kept.add(token())
    with pytest.raises(NotFound):
        await kept.drop("t1", lambda one: one.person == "eve")
    assert await kept.drop("t1", lambda one: one.person == "ada") == token()
    assert kept.find(SECRET) is None
    with pytest.raises(NotFound):
        await kept.drop("t1", lambda _one: True)


async def test_its_last_use_is_kept_to_the_hour_and_written_once(fleet: FleetStore, tmp_path: Path) -> None:
    kept = KeptTokens(fleet)
    await kept.add(token())
    await kept.was_used("t1", 7300.0)
    before = (tmp_path / "fleet.json").stat().st_mtime_ns
    await kept.was_used("t1", 10_000.0)
    assert (tmp_path / "fleet.json").stat().st_mtime_ns == before
    assert kept.all[0].used == 7200.0


async def test_a_row_that_is_no_token_gives_no_right(fleet: FleetStore) -> None:
    whole = {"id": "t", "person": "", "label": "", "by": "x", "made": 1.0, "expires": 0.0}
    await fleet.set(
        "tokens", [{"id": "t"}, {**whole, "digest": ""}, {**whole, "digest": "a" * 64, "expires": "never"}]
    )
    kept = KeptTokens(fleet)
    kept.open()
    assert kept.all == ()


async def test_there_is_an_end_to_them(fleet: FleetStore) -> None:
    await fleet.set("tokens", None)
    kept = KeptTokens(fleet)
    kept.all = tuple(token(f"t{n}", f"{SECRET}{n}") for n in range(kept_tokens.MOST))
    with pytest.raises(BadInput, match="ao token rm"):
        await kept.add(token("more"))


def test_whose_it_is_and_how_long() -> None:
    assert (token().actor.kind, token().actor.name, token().actor.via) == (ActorKind.PERSON, "ada", "api")
    assert token(person="").actor == OWNER
    assert [token().holds(99.9), token().holds(100.0)] == [True, False]
    assert is_secret(SECRET)
    assert not is_secret(SECRET + "s")


async def test_whoever_only_looks_sees_them_and_moves_no_damaged_file(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.fleet.write_text("{")
    looking = FleetStore(home, NoFaults())
    [damaged] = await looking.look()
    assert damaged.kept_as is None
    assert home.fleet.read_text() == "{"
    await looking.close()
