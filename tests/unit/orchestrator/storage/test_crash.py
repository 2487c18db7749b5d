"""A process ended at every write boundary in turn: nothing acknowledged is lost, nothing is there twice."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from orchestrator.storage.faults import NoFaults
from orchestrator.storage.layout import Home
from orchestrator.storage.store import Store
from tests.unit.orchestrator.storage import crashing
from tests.unit.orchestrator.storage.samples import PROJECT

ROOT = Path(__file__).parents[4]


async def found(home: Path) -> tuple[list[str], dict[str, str], list[str], list[str]]:
    """What is there after a start: event ids, live and ended sessions, open and done requests."""
    store = await Store.open(Home(home), NoFaults())
    events = [logged.event.id for logged in await store.log.read(0, 1000)]
    sessions: dict[str, str] = {session.id: f"live {session.event_serial}" for session in store.sessions}
    for ended in await store.documents.list_ended(PROJECT):
        serial = (await store.documents.read_ended(PROJECT, ended)).event_serial
        assert ended not in sessions
        sessions[ended] = f"ended {serial}"
    unfinished = [record.asked.key for record in store.requests.unfinished()]
    audit = [entry.text for entry in await store.audit.newest(100)]
    await store.close()
    return events, sessions, unfinished, audit


def check(home: Path, acknowledged: list[str]) -> None:
    events, sessions, unfinished, audit = asyncio.run(found(home))
    assert [name for name, count in Counter(events).items() if count > 1] == []
    for session, state in sessions.items():
        serial = int(state.split()[1])
        mine = [event for event in events if event.startswith(f"{session}:")]
        assert mine == [f"{session}:{n}" for n in range(1, serial + 1)], "each kept change is told once"
    for line in acknowledged:
        kind, name, value = line.split()
        match kind:
            case "kept":
                assert int(sessions[name].split()[1]) >= int(value)
            case "ended":
                assert sessions[name] == f"ended {value}"
            case "asked":
                assert name in unfinished or f"done {name}" in audit
            case "done":
                assert name not in unfinished
            case "decided":
                assert name in {entry.split()[-1] for entry in audit}
            case _:
                pytest.fail(line)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """In memory where that can be had: a kill loses nothing of it, and two thousand syncs cost nothing."""
    memory = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it
    if not os.access(memory, os.W_OK):
        yield tmp_path
        return
    with TemporaryDirectory(dir=memory) as made:
        yield Path(made)


@pytest.mark.timeout(90)
def test_a_kill_at_any_boundary_loses_and_doubles_nothing(folder: Path) -> None:
    played = subprocess.run(
        [sys.executable, "-m", crashing.__name__, str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (played.returncode, played.stderr) == (0, "")
    codes = [[int(word) for word in line.split()] for line in played.stdout.splitlines()]
    boundaries = len(codes) - 1
    assert boundaries > 40
    for number, code, again in codes:
        assert again == 0, (folder / f"{number}.again.said").read_text()
        said = (folder / f"{number}.said").read_text().splitlines()
        acknowledged = [line for line in said if not line.startswith("AO_FAULT: ")]
        if number <= boundaries:
            assert code == -signal.SIGKILL
            assert any(line.startswith(f"AO_FAULT: killed at {number}, ") for line in said)
        else:
            assert (code, len(acknowledged)) == (0, 9)
        check(folder / str(number), acknowledged)
        check(folder / f"{number}.again", (folder / f"{number}.again.said").read_text().splitlines())
