"""Two hundred sessions from issue to merge, unattended; one in ten edits a line that another edits too.

Played by `make bench`. `BENCH_SESSIONS` says how many (200). Judged by the repository: each session is merged, with its line in
the base branch, or visibly conflicted, with its work on its own branch.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from pathlib import Path

import pytest

from bot.demo.evidence import Repository
from bot.demo.sandbox import PROJECT, TEST_COMMAND, make_batch
from orchestrator.domain.ids import ProjectId
from tests.benchmarks.numbers import say
from tests.benchmarks.program import Program, cost, memory

pytestmark = [pytest.mark.bench, pytest.mark.tmux, pytest.mark.git]

SESSIONS = int(os.environ.get("BENCH_SESSIONS") or 200)
AT_ONCE = 20
CONFLICT_EVERY = 10
PATIENCE = 3600.0
RESTS = {"done", "merged", "conflicted", "stuck"}


def test_two_hundred_sessions(tmp_path: Path) -> None:
    place = make_batch(tmp_path, SESSIONS, conflict_every=CONFLICT_EVERY, sessions=AT_ONCE)
    with Program(tmp_path, place).serving() as program:
        began, begin = cost(program.pid), time.monotonic()
        numbers = [str(number) for number in range(1, SESSIONS + 1)]
        program.ao("batch-spawn", PROJECT, *numbers, patience=PATIENCE)
        ended = program.until("all came to rest", lambda: _rested(program), patience=PATIENCE, pause=1.0)
        took, spent, used = time.monotonic() - begin, cost(program.pid).since(began), memory(program.pid)
        forge = Repository(program.home.project(ProjectId(PROJECT)).forge)
        lost = [name for name, status in ended.items() if not _accounted(forge, name, status)]
        green = forge.tests_pass("main", TEST_COMMAND)
        ends = ", ".join(f"{count} {status}" for status, count in Counter(ended.values()).items())
    say(f"{SESSIONS} sessions from issue to rest, {AT_ONCE} at once", took, "s", None, ends)
    say("  lost", len(lost), "sessions", 0, " ".join(lost))
    say("  base branch's tests red", float(not green), "", 0)
    say("  ao start with children", 1000 * (spent.own + spent.children) / SESSIONS, "ms CPU each", None)
    say("  ao start, resident", used["resident"], "MB")
    assert not lost
    assert green
    assert (
        Counter(ended.values())["conflicted"] + Counter(ended.values())["stuck"] < SESSIONS // CONFLICT_EVERY
    )


def _rested(program: Program) -> dict[str, str]:
    """Every session's status once none moves any more; empty before."""
    live = program.client.sessions()
    ended = program.home.project(ProjectId(PROJECT)).ended
    count = len(live) + (sum(1 for _ in ended.iterdir()) if ended.is_dir() else 0)
    if count < SESSIONS or not {str(one["status"]) for one in live} <= RESTS:
        return {}
    # a list of ended sessions has its limit: each is asked for by its id
    names = [f"{PROJECT}-{number}" for number in range(1, SESSIONS + 1)]
    return {name: str(program.client.session(name)["status"]) for name in names}


def _accounted(forge: Repository, name: str, status: str) -> bool:
    """Whether a session's line is in the base branch, or its work is on a branch of its own."""
    number = int(name.rpartition("-")[2])
    line = f"{number}: {number * number},"
    if status in {"done", "merged"}:
        return line in forge.ask("show", "main:squares/table.py")
    heads = forge.ask("for-each-ref", "--format=%(refname)", "refs/heads").split()
    return any(
        line in forge.ask("show", f"{head}:squares/table.py") for head in heads if head != "refs/heads/main"
    )
