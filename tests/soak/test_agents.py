"""A scripted time with many real Claude Code: what `ao` says of each is so, once it had two seconds to see it.

`make soak-agents MINUTES=60 AGENTS=20 SEED=7`. Each second the state of every session is asked for; the truth comes from the
model server's log and from what the script itself did. Every wrong word is printed with its evidence.
"""

from __future__ import annotations

import os
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from typing_extensions import override

from bot.demo import sandbox
from orchestrator.errors import AoError
from tests.benchmarks.numbers import say
from tests.benchmarks.program import Program
from tests.benchmarks.real_fleet import Listener, ready_issues, real_fleet
from tests.soak.agent_lives import Fleet, Life
from tests.soak.agent_truth import Judged, Sample, judge, timelines

pytestmark = [pytest.mark.bench, pytest.mark.tmux, pytest.mark.git]

MINUTES = float(os.environ.get("SOAK_MINUTES") or 60)
AGENTS = int(os.environ.get("SOAK_AGENTS") or 20)
SEED = int(os.environ.get("SOAK_SEED") or random.SystemRandom().randrange(10**6))
LEAST_RIGHT = 99.0
PAUSE = 0.2
EVERY = 1.0
ALLOWED = f"Bash({sys.executable} -c *)"
"""The long tools of the script."""
GONE = {"exited", "missing"}


class Sampler(threading.Thread):
    """Asks once a second what every session does."""

    def __init__(self, program: Program, sessions: Sequence[str]) -> None:
        super().__init__(name="sampler")
        self._client = program.client
        self._sessions = sessions
        self.samples: list[Sample] = []
        self.unanswered = 0
        self.over = threading.Event()

    @override
    def run(self) -> None:
        due = time.monotonic()
        while not self.over.wait(max(0.0, due - time.monotonic())):
            due = max(due + EVERY, time.monotonic())
            for session in self._sessions:
                begin = time.time()
                try:
                    found: dict[str, Any] = self._client.session(session)
                except AoError:
                    self.unanswered += 1
                else:
                    self.samples.append(sampled(found, begin))


def sampled(found: dict[str, Any], begin: float) -> Sample:
    """What the API says of a session."""
    work, runtime = found["work"], found["runtime"]
    shown = "exited" if runtime["state"] in GONE else str(work["state"])
    evidence = f"{work['source']}, {work['evidence']}; {work['disagreement']}; {found['reason']}"
    return Sample(str(found["id"]), begin, time.time(), shown, str(found["status"]), evidence)


def test_what_is_said_of_agents_is_so(tmp_path: Path) -> None:
    print(f"\n{AGENTS} agents, {MINUTES:g} minutes, SEED={SEED}")
    with real_fleet(tmp_path, issues=ready_issues(AGENTS), allowed=[ALLOWED]) as program:
        sessions = begin(program)
        fleet = Fleet(program)
        lives = [Life(fleet, number, random.Random(f"{SEED} {number}")) for number in range(1, AGENTS + 1)]
        sampler = Sampler(program, sessions)
        sampler.start()
        try:
            over = time.monotonic() + 60 * MINUTES
            while time.monotonic() < over:
                fleet.log.read()
                for life in lives:
                    life.go_on()
                time.sleep(PAUSE)
        finally:
            sampler.over.set()
            sampler.join()
        fleet.log.read()
    judged = list(judge(sampler.samples, timelines(fleet.log.lines, fleet.deeds)))
    report(fleet, sampler, judged)
    right = sum(one.right for one in judged)
    assert judged
    assert 100 * right / len(judged) >= LEAST_RIGHT
    assert not any(one.wrongly_stuck for one in judged)
    assert not fleet.troubles


def begin(program: Program) -> list[str]:
    """Spawn them all and wait until each has said that it is ready."""
    sessions = [f"{sandbox.PROJECT}-{number}" for number in range(1, AGENTS + 1)]
    program.ao("batch-spawn", sandbox.PROJECT, *(str(number) for number in range(1, AGENTS + 1)))
    listener = Listener(program)
    listener.trust()
    for session in sessions:
        listener.rests(session)
    return sessions


def report(fleet: Fleet, sampler: Sampler, judged: Sequence[Judged]) -> None:
    """The numbers, and every sample that was wrong."""
    wrong = [one for one in judged if not one.right]
    for first, count in streaks(wrong):
        print(
            f"  WRONG {count} s: {first.sample.session} is shown {first.sample.shown} ({first.sample.status}) at "
            f"{first.sample.begin:.1f} by {first.sample.evidence!r}; since {first.truth.at:.1f} it is "
            f"{first.truth.state}: {first.truth.why}"
        )
    for trouble in fleet.troubles:
        print(f"  TROUBLE {trouble}")
    doings = ", ".join(f"{count} {kind}" for kind, count in sorted(fleet.done.items()))
    say("samples", len(sampler.samples), "", None, f"{sampler.unanswered} unanswered; messages: {doings}")
    say("samples two seconds after a change", len(judged), "")
    truths, good = (
        Counter(one.truth.state for one in judged),
        Counter(one.truth.state for one in judged if one.right),
    )
    for state, count in sorted(truths.items()):
        say(f"  right of {state}", 100 * good[state] / count, "%", None, f"{count} samples")
    say("  wrong", 100 * len(wrong) / max(1, len(judged)), "%", 100 - LEAST_RIGHT)
    say("  wrong 'stuck'", sum(one.wrongly_stuck for one in judged), "samples", 0)
    say("  messages or answers that did not show in time", len(fleet.troubles), "", 0)


def streaks(wrong: Sequence[Judged]) -> list[tuple[Judged, int]]:
    """One row for what was wrong in the same way for some time: the first, and how many."""
    found: dict[tuple[Any, ...], list[Judged]] = {}
    for one in wrong:
        found.setdefault((one.sample.session, one.truth, one.sample.shown), []).append(one)
    return [(ones[0], len(ones)) for ones in found.values()]
