"""Real Claude Code: how soon it has its task, how soon its questions are known, and twenty of it at once.

Played by `make bench`. Its model is a server of ours that plays plans; all else is the real program. `BENCH_REAL` says how
many sessions go from issue to merge (20).
"""

from __future__ import annotations

import json
import os
import statistics
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bot.demo import sandbox
from bot.demo.cast import Cast
from bot.demo.evidence import Repository
from orchestrator.domain.ids import ProjectId
from tests.benchmarks.numbers import say
from tests.benchmarks.program import Program, cost, memory
from tests.benchmarks.real_fleet import QUESTION, Listener, ready_issues, real_fleet
from tests.contracts.real_agents import says, shell

pytestmark = [pytest.mark.bench, pytest.mark.tmux, pytest.mark.git]

SPAWNS = int(os.environ.get("BENCH_SPAWNS") or 15)
ASKED = 30
AT_ONCE = int(os.environ.get("BENCH_REAL") or 20)
MOST_SPAWN_MS = 1500.0
MOST_ASKED_MS = 1000.0
PATIENCE = 900.0


def hook(program: Program, session: str, name: str, seen: set[Path]) -> Callable[[], Path | None]:
    """Look for a file that a hook of this name left and that was not seen before."""

    def look() -> Path | None:
        return next((file for file in program.signals(session) if _is_new(file, name, seen)), None)

    return look


def _is_new(file: Path, name: str, seen: set[Path]) -> bool:
    if file in seen:
        return False
    seen.add(file)
    return bool(json.loads(file.read_text())["hook_event_name"] == name)


def spawn(program: Program, number: int) -> tuple[float, float]:
    """Spawn on an issue: until Claude Code took the prompt, by its hook's file, and until `ao` answered; ms."""
    began = time.time()
    program.ao("spawn", sandbox.PROJECT, str(number))
    answered = time.time()
    name = f"demo-{number}"
    found = program.until("the prompt is taken", hook(program, name, "UserPromptSubmit", set()), pause=0.01)
    assert found is not None
    return 1000 * (found.stat().st_mtime - began), 1000 * (answered - began)


@pytest.mark.parametrize("own_login", [True, False])
def test_spawn_to_prompt_accepted(own_login: bool, tmp_path: Path) -> None:
    with real_fleet(tmp_path, issues=ready_issues(SPAWNS + 1), own_login=own_login) as program:
        listener = Listener(program)
        program.ao("spawn", sandbox.PROJECT, "1")
        listener.trust()
        listener.rests("demo-1")
        spent = []
        for number in range(2, SPAWNS + 2):
            spent.append(spawn(program, number))
            listener.rests(f"demo-{number}")
            program.client.act("kill", {"session": f"demo-{number}"})
            listener.next("session.ended", f"demo-{number}")
    taken = [one for one, _ in spent]
    # With a key each session has a folder of its own, whose trust dialog is answered by what a person said before.
    what = "" if own_login else ", its own folder"
    say(
        f"spawn to the prompt accepted by Claude Code{what}, median of {len(spent)}",
        statistics.median(taken),
        "ms",
        MOST_SPAWN_MS,
        f"most {max(taken):.0f}, `ao spawn` answered {statistics.median(a for _, a in spent):.0f}",
    )


class Talk:
    """One agent that is told things, and what its hooks and our event log say of the same moment."""

    def __init__(self, program: Program, session: str) -> None:
        self.program = program
        self.session = session
        self.listener = Listener(program)
        self.seen: set[Path] = set()

    def until_told(self, text: str, event: str) -> float:
        """Say something after which it asks; from the hook's file to our event, ms."""
        self.listener.hear()
        after = self.listener.last
        self.program.client.act("send", {"session": self.session, "text": text})
        look = hook(self.program, self.session, "PermissionRequest", self.seen)
        file = self.program.until("it asks", look, pause=0.01)
        assert file is not None
        shown = file.stat().st_mtime
        return 1000 * (float(self.listener.next(event, self.session, after)["at"]) - shown)

    def rests(self) -> None:
        """Its turn ended after what was heard last."""
        self.listener.next("message.answered", self.session, self.listener.last)


def test_question_on_screen_to_event(tmp_path: Path) -> None:
    with real_fleet(tmp_path, issues=ready_issues(1)) as program:
        program.ao("spawn", sandbox.PROJECT, "1")
        talk = Talk(program, "demo-1")
        talk.listener.trust()
        talk.listener.rests("demo-1")
        asked, allowed = [], []
        for number in range(ASKED):
            steps: list[dict[str, Any]] = [{"tool": "AskUserQuestion", "input": {"questions": [QUESTION]}}]
            text = f"Ask {number}. {says(*steps, {'say': 'Good.'})}"
            asked.append(talk.until_told(text, "question.asked"))
            program.client.act("answer", {"session": "demo-1", "text": "2"})
            talk.rests()
            text = f"Run {number}. {says(shell('python3 -m unittest -q'), {'say': 'Good.'})}"
            allowed.append(talk.until_told(text, "policy.allowed"))
            talk.rests()
    note = f"median {statistics.median(asked):.0f}, most {max(asked):.0f}"
    say(f"a question on screen to its event, p95 of {ASKED}", p95(asked), "ms", MOST_ASKED_MS, note)
    note = f"median {statistics.median(allowed):.0f}, most {max(allowed):.0f}"
    say(f"a permission prompt to its answer by a rule, p95 of {ASKED}", p95(allowed), "ms", None, note)


def p95(values: list[float]) -> float:
    """Not more than one in twenty is above it."""
    return statistics.quantiles(values, n=20, method="inclusive")[-1]


def test_twenty_from_issue_to_merge(tmp_path: Path) -> None:
    make = partial(make_batch, count=AT_ONCE)
    with real_fleet(tmp_path, make) as program:
        began, begin = cost(program.pid), time.monotonic()
        program.ao("batch-spawn", sandbox.PROJECT, *(str(number) for number in range(1, AT_ONCE + 1)))
        listener = Listener(program)
        listener.trust()
        ended = program.until("all came to rest", lambda: _ended(program), patience=PATIENCE, pause=0.5)
        took, spent, used = time.monotonic() - begin, cost(program.pid).since(began), memory(program.pid)
        listener.hear()
        forge = Repository(program.home.project(ProjectId(sandbox.PROJECT)).forge)
        table = forge.ask("show", "main:squares/table.py")
        missing = [n for n in range(1, AT_ONCE + 1) if f"    {n}: {n * n}," not in table]
        green = forge.tests_pass("main", sandbox.TEST_COMMAND)
    asked = sum(e["type"] == "question.asked" and "trust" not in e["text"] for e in listener.events)
    ends = ", ".join(f"{count} {status}" for status, count in Counter(ended.values()).items())
    say(f"{AT_ONCE} real Claude Code at once from issue to merge", took, "s", None, ends)
    say("  not merged", len(missing), "sessions", 0, " ".join(map(str, missing)))
    say("  base branch's tests red", float(not green), "", 0)
    say("  asked of people, the folder's trust besides", asked, "questions", 0)
    say("  ao start with children", spent.own + spent.children, "s CPU")
    say("  ao start, resident", used["resident"], "MB")
    assert not missing
    assert green
    assert set(ended.values()) == {"merged"}


def make_batch(home: Path, played_by: Cast, count: int) -> sandbox.Sandbox:
    """A batch in which nobody conflicts with anybody."""
    return sandbox.make_batch(home, count, conflict_every=0, sessions=count, played_by=played_by)


def _ended(program: Program) -> dict[str, str]:
    """Every session's status once all are over; empty before."""
    found = {str(one["id"]): one for one in program.client.sessions(ended=True)}
    over = [name for name, one in found.items() if one["ended"]]
    return {name: str(one["status"]) for name, one in found.items()} if len(over) == AT_ONCE else {}
