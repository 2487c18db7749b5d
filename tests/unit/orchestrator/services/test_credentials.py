"""A credential that a service does not take any more is one alarm, and one word when it is taken again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest_asyncio
from typing_extensions import override

from orchestrator.domain.event import Event, Level
from orchestrator.ports.account import AccountState, HasAccounts
from orchestrator.services import credentials
from orchestrator.testing.fakes.scm import FakeScm
from orchestrator.testing.ring import CHECK, FakeWorld, Ring, open_ring

NAME = "GITHUB_TOKEN at github.com"
WORDS = f"github.com does not take our token ({NAME}): Bad credentials; `ao github doctor`"


class Guarded(FakeScm, HasAccounts):
    """Lets its accounts in, or not."""

    def __init__(self) -> None:
        super().__init__(runs=(CHECK,))
        self.states: tuple[AccountState, ...] = ()

    @override
    def accounts(self) -> Sequence[AccountState]:
        return self.states

    def says(self, *refused: str) -> None:
        self.states = tuple(AccountState(name=NAME, refused=words) for words in refused)


@pytest_asyncio.fixture
async def scm() -> Guarded:
    return Guarded()


@pytest_asyncio.fixture
async def ring(tmp_path: Path, scm: Guarded) -> AsyncIterator[Ring]:
    world = FakeWorld()
    world.scm = scm
    ring = await open_ring(tmp_path, world=world)
    await ring.spawn()
    yield ring
    await ring.close()


async def told(ring: Ring) -> list[Event]:
    return [e for e in await ring.events() if e.type.startswith("forge.")]


async def test_a_refused_account_is_told_once_and_when_it_is_let_in_again(ring: Ring, scm: Guarded) -> None:
    scm.says("")
    await ring.later(10)
    assert await told(ring) == []
    scm.says(WORDS)
    await ring.later(10)
    await ring.later(10)
    (alarm,) = await told(ring)
    assert (alarm.level, alarm.text, alarm.project) == (Level.ACTION, WORDS, "demo")
    assert credentials.words(ring.core) == (WORDS,)
    scm.says("")
    await ring.later(10)
    await ring.later(10)
    assert [e.text for e in await told(ring)] == [WORDS, f"{NAME} is taken again"]
    scm.says(WORDS)
    await ring.later(10)
    assert len(await told(ring)) == 3


async def test_what_one_plugin_is_refused_counts_for_all_that_use_the_account(
    ring: Ring, scm: Guarded
) -> None:
    scm.says("", WORDS, "")
    await ring.later(10)
    assert [e.level for e in await told(ring)] == [Level.ACTION]


async def test_a_restart_tells_it_neither_again_nor_that_it_is_over(ring: Ring, scm: Guarded) -> None:
    scm.says(WORDS)
    await ring.later(10)
    scm.says()
    again = await ring.crash()
    await again.later(10)
    assert len(await told(again)) == 1, "nothing was asked since"
    scm.says(WORDS)
    await again.later(10)
    assert len(await told(again)) == 1
