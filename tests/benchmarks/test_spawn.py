"""From the start of `ao spawn` to the agent's first own signal, with a server running.

Played by `make bench`: on the sandbox, and on a repository of 5,000 files.
"""

from __future__ import annotations

import json
import os
import statistics
import time
from pathlib import Path

import pytest

from bot.demo import sandbox
from tests.benchmarks.numbers import say
from tests.benchmarks.program import Program
from tests.benchmarks.waiting_issues import FIRST, waiting_issues

pytestmark = [pytest.mark.bench, pytest.mark.tmux, pytest.mark.git]

SPAWNS = int(os.environ.get("BENCH_SPAWNS") or 15)
FILES = 5000
MOST_MS = 400.0


def fill(place: sandbox.Sandbox, files: int) -> None:
    """So many files of two kilobytes."""
    for number in range(files):
        file = place.repository / f"data/{number % 50}/{number}.txt"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{number}\n" * 400)


def spawn(program: Program, number: int) -> tuple[float, float]:
    """Spawn on an issue: until the agent's first signal, by its own clock, and until `ao` answered; ms."""
    began = time.time()
    program.ao("spawn", sandbox.PROJECT, str(number))
    answered = time.time()
    name = f"demo-{number - FIRST + 1}"
    first = program.until("a signal", lambda: program.signals(name), pause=0.005)[0]
    return 1000 * (json.loads(first.read_text())["at"] - began), 1000 * (answered - began)


@pytest.mark.parametrize("files", [0, FILES])
def test_spawn(files: int, tmp_path: Path) -> None:
    place = sandbox.make(tmp_path)
    fill(place, files)
    numbers = waiting_issues(place, SPAWNS + 1)
    with Program(tmp_path, place).serving() as program:
        # The very first has a tmux server to start and a mirror to fill.
        first, _ = spawn(program, FIRST)
        spent = [spawn(program, number) for number in numbers[1:]]
    signals = [signal for signal, _ in spent]
    what = f"a repository of {files} files" if files else "the sandbox"
    say(
        f"spawn to the agent's first signal, {what}, median of {len(spent)}",
        statistics.median(signals),
        "ms",
        None if files else MOST_MS,
        f"most {max(signals):.0f}, first of all {first:.0f}, `ao spawn` answered {statistics.median(a for _, a in spent):.0f}",
    )
