"""Everything under one home, opened and closed together."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.domain.person import OWNER
from orchestrator.domain.policy import KeptRule
from orchestrator.errors import NotReady
from orchestrator.storage.faults import NoFaults
from orchestrator.storage.layout import Home
from orchestrator.storage.requests import Asked
from orchestrator.storage.store import Store
from tests.unit.orchestrator.storage.samples import PROJECT, session, told


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path)
    made.prepare()
    return made


async def test_a_start_finds_what_was_kept_and_says_what_is_broken(home: Home) -> None:
    store = await Store.open(home, NoFaults())
    assert (store.sessions, store.damaged) == ((), [])
    one, events = told(session(await store.ids.reserve(PROJECT, "demo")), 2)
    await store.keeper.keep(one, events)
    await store.requests.keep(Asked(verb="spawn", by=OWNER, at=1.0))
    await store.close()
    log = home.events / "000001.jsonl"
    log.write_bytes(log.read_bytes() + b"torn")
    broken = home.project(PROJECT).sessions / "demo-7" / "session.json"
    broken.parent.mkdir()
    broken.write_text("{")
    again = await Store.open(home, NoFaults())
    assert again.sessions == (one,)
    assert [damaged.path.name for damaged in again.damaged] == ["000001.jsonl", "session.json"]
    assert len(again.requests.unfinished()) == 1
    assert again.log.last_seq == 2
    await again.close()


async def test_a_home_of_a_newer_program_is_refused_untouched(home: Home) -> None:
    home.format.write_text("2\n")
    with pytest.raises(NotReady):
        await Store.open(home, NoFaults())
    assert not (home.events / "000001.jsonl").exists()


async def test_whoever_only_looks_reads_what_people_allowed(home: Home) -> None:
    store = await Store.open(home, NoFaults())
    kept = KeptRule(id="r1", scope="project:demo", rule="Bash(git *)", by="ada", at=1.0)
    await store.policy.add(kept)
    looked = await Store.look(home)
    assert looked.policy.rules == (kept,)
    await looked.close()
    await store.close()
