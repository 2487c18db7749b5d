"""What `ao --version` costs over a bare interpreter. Played by `make bench`."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.benchmarks.numbers import say
from tests.benchmarks.program import ao_command, environment

pytestmark = pytest.mark.bench

RUNS = 21
MOST_MS = 60.0
MOST_MB = 25.0
_MEASURE = """
import json, os, sys, time
begin = time.perf_counter()
silent = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
child = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=silent)
_, status, usage = os.wait4(child, 0)
took = time.perf_counter() - begin
print(json.dumps({"code": os.waitstatus_to_exitcode(status), "seconds": took, "kilobytes": usage.ru_maxrss}))
"""
"""A process of its own: a child's peak begins with its parent's memory, and pytest's is larger than what is measured."""


def test_version(tmp_path: Path) -> None:
    bare = [_run([sys.executable, "-c", "pass"], tmp_path) for _ in range(RUNS)]
    version = [_run([sys.executable, *ao_command(), "--version"], tmp_path) for _ in range(RUNS)]
    over = statistics.median(ms for ms, _ in version) - statistics.median(ms for ms, _ in bare)
    resident = statistics.median(mb for _, mb in version)
    say(f"`ao --version` over a bare interpreter, medians of {RUNS}", over, "ms", MOST_MS)
    note = f"bare {statistics.median(mb for _, mb in bare):.1f}"
    say("`ao --version`, most resident", resident, "MB", MOST_MB, note)


def _run(argv: Sequence[str], home: Path) -> tuple[float, float]:
    """Milliseconds that a command takes, and the most megabytes that it held (wait4(2))."""
    measured = subprocess.run(
        [sys.executable, "-S", "-c", _MEASURE, *argv],
        env=environment(home),
        capture_output=True,
        timeout=60,
        check=True,
    )
    found = json.loads(measured.stdout)
    assert found["code"] == 0, measured.stderr
    return 1000 * found["seconds"], found["kilobytes"] / 1024
