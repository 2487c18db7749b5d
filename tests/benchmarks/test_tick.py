"""What a tick over 1,000 idle sessions costs, on fake ports. Played by `make bench`."""

from __future__ import annotations

import statistics
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.domain.activity import ActivityState
from orchestrator.domain.ids import SessionId
from orchestrator.domain.session import Session, Work
from orchestrator.ports.runtime import Launch, Presence, RuntimeLook
from orchestrator.testing import examples as ex
from orchestrator.testing.fakes.runtime import FakeTerminal
from orchestrator.testing.ring import Ring, open_ring

pytestmark = pytest.mark.bench

SESSIONS = 1_000
TICK = 5.0
TICKS = 60
MOST_MS = 50.0


@pytest.fixture(autouse=True)
def blockbuster() -> None:
    """Not here: it would be measured too."""


def idle(ring: Ring, number: int) -> Session:
    """A session whose agent's turn is over, with its terminal."""
    name, now = SessionId(f"demo-{number}"), ring.clock.now()
    launch = Launch(argv=("agent",), cwd="/")
    ring.runtime.terminals[name] = FakeTerminal(launch, RuntimeLook(presence=Presence.ALIVE))
    ring.agent.says(name, ActivityState.IDLE)
    done = Work(activity=ring.agent.looks[name].activity, at=now, progress_at=now)
    fields = {
        "id": name,
        "branch": f"feat/{number}",
        "workspace": f"/work/{name}",
        "issue_told": "in_progress",
    }
    return replace(ex.session(work=done), **fields)  # type: ignore[arg-type]


async def test_tick_over_1000_idle_sessions(tmp_path: Path) -> None:
    """Five minutes of ticks, so that every look that is made rarely falls due in some of them."""
    ring = await open_ring(tmp_path)
    ring.fleet.adopt(idle(ring, number) for number in range(1, SESSIONS + 1))
    await ring.settle()
    spent = []
    for _ in range(TICKS):
        ring.clock.advance(TICK)
        before = time.process_time()
        await ring.rounds.round()
        spent.append(1000 * (time.process_time() - before))
        await ring.beside()
    assert {s.status.status.value for s in ring.fleet.all()} == {"idle"}
    median, mean, most = statistics.median(spent), statistics.mean(spent), max(spent)
    sys.stdout.write(
        f"tick over {SESSIONS} idle sessions, CPU: median {median:.1f} ms (at most {MOST_MS:.0f} ms), "
        f"mean {mean:.1f} ms, most {most:.1f} ms\n"
    )
    await ring.close()
    assert median <= MOST_MS
