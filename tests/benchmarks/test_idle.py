"""What thirty idle sessions cost: the process that serves them over some minutes, and `ao status` beside it.

Played by `make bench`. `BENCH_MINUTES` says how long is waited (10).
"""

from __future__ import annotations

import os
import statistics
import time
from pathlib import Path

import pytest

from bot.demo import sandbox
from tests.benchmarks.numbers import say
from tests.benchmarks.program import Program, cost, memory
from tests.benchmarks.waiting_issues import waiting_issues

pytestmark = [pytest.mark.bench, pytest.mark.tmux, pytest.mark.git]

SESSIONS = 30
MINUTES = float(os.environ.get("BENCH_MINUTES") or 10)
ASKED = 15
MOST_MB = 60.0
MOST_OF_A_CORE = 0.5
MOST_STATUS_MS = 250.0


def test_thirty_idle_sessions(tmp_path: Path) -> None:
    place = sandbox.make(tmp_path)
    numbers = waiting_issues(place, SESSIONS)
    with Program(tmp_path, place).serving() as program:
        program.spawn_idle(numbers)
        asked = [_asked(program) for _ in range(ASKED)]
        say(
            f"`ao status` with {SESSIONS} sessions, median of {ASKED}",
            statistics.median(asked),
            "ms",
            MOST_STATUS_MS,
        )
        began, began_tmux = cost(program.pid), cost(program.tmux_pid)
        over = time.monotonic() + 60 * MINUTES
        program.until(
            "the idle time is over", lambda: time.monotonic() > over, patience=120 * MINUTES + 1, pause=1
        )
        spent, tmux = cost(program.pid).since(began), cost(program.tmux_pid).since(began_tmux)
        used = memory(program.pid)
        assert len(program.client.sessions()) == SESSIONS
    whole = 100 * (spent.own + spent.children) / spent.at
    what = f"ao start, {SESSIONS} idle sessions, {MINUTES:g} minutes"
    note = f"own {spent.own:.2f} s, children {spent.children:.2f} s, and tmux itself {tmux.own:.2f} s"
    say(f"{what}, with children", whole, "% of a core", MOST_OF_A_CORE, note)
    note = f"proportional {used['proportional']:.1f}, unique {used['unique']:.1f}"
    say(f"{what}, resident", used["resident"], "MB", MOST_MB, note)


def _asked(program: Program) -> float:
    begin = time.perf_counter()
    program.ao("status")
    return 1000 * (time.perf_counter() - begin)
