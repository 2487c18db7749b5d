"""What the whole program costs over GitHub, Slack and the console, and how soon GitHub's word stands in the thread.

The real `ao start` with the real slack-bolt and PyGithub; both fakes are processes of their own. `BENCH_MINUTES`
says how long is waited (10). Played by `make bench`.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import pytest

from bot.demo.cast import WITHOUT_PROXIES, Cast
from bot.demo.github.process import GitHubProcess
from bot.demo.github_hosting import MEMBER, REPO, GitHubHosting
from bot.demo.sandbox import PROJECT, Sandbox
from bot.demo.sandbox_files import ISSUES, issue
from bot.demo.slack_hand import FakeServer
from bot.demo.slack_person import SlackWorld
from bot.demo.slack_workspace import ADA, DEMO
from tests.benchmarks.numbers import say
from tests.benchmarks.program import Program, cost, memory

pytestmark = [pytest.mark.bench, pytest.mark.tmux, pytest.mark.git]

SESSIONS = 30
MINUTES = float(os.environ.get("BENCH_MINUTES") or 10)
MOST_MB = 130.0
MOST_MS = 250.0
REVIEWS = 20
APART = 1.2
"""Seconds between two reviews: Slack takes one message a second in a channel."""


def played_by(fake: FakeServer) -> Cast:
    """Issue 1 opens a pull request; the agents of the others wait."""
    waiting = {n: issue(f"Task {n}", "Wait.", [{"wait": True}]) for n in range(2, SESSIONS + 1)}
    issues: Mapping[int, str] = {1: issue(*ISSUES[1]), **waiting}
    return Cast(fleet=fake.configuration, environment=dict(WITHOUT_PROXIES), issues=issues)


def test_thirty_sessions_with_github_slack_and_console(tmp_path: Path) -> None:
    fake, github = FakeServer.start(tmp_path / "slack.log"), GitHubProcess.start(tmp_path / "github")
    try:
        cast = played_by(fake)
        hosting = GitHubHosting(github)
        place = hosting.make(tmp_path, cast)
        with Program(tmp_path, place, cast).serving() as program:
            hosting.joined(program.client)
            number = _working(program, place)
            spent = asyncio.run(_reviews(fake, github, number))
            _rest(program)
    finally:
        github.close()
        fake.close()
    late = quantiles(spent, n=20)[-1]
    say("a review on GitHub to its session's thread in Slack, median", median(spent), "ms")
    say("a review on GitHub to its session's thread in Slack, p95", late, "ms", MOST_MS)


def _working(program: Program, place: Sandbox) -> int:
    """All sessions are there; the number of the pull request, whose checks are green."""
    del place
    for number in range(1, SESSIONS + 1):
        program.client.act("spawn", {"project": PROJECT, "issue": str(number)})
    program.until("issue 1 is to be reviewed", lambda: _status(program, "demo-1") == "review_pending", 180)
    program.until("the others wait", lambda: _idle(program) == SESSIONS - 1, 180)
    pull: Any = program.client.session("demo-1")["pull_request"]
    return int(pull["number"])


def _status(program: Program, session: str) -> str:
    return str(program.client.session(session)["status"])


def _idle(program: Program) -> int:
    return sum(session["status"] == "idle" for session in program.client.sessions())


async def _reviews(fake: FakeServer, github: GitHubProcess, number: int) -> list[float]:
    """From GitHub's taking it to its being seen in Slack, in milliseconds."""
    spent = []
    async with SlackWorld(fake.page) as slack:
        for turn in range(REVIEWS):
            await asyncio.sleep(APART)
            before = len(await slack.person(ADA).messages(DEMO))
            began = time.perf_counter()
            words = {"full_name": REPO, "number": number, "by": MEMBER, "body": f"Remark {turn}."}
            await asyncio.to_thread(partial(github.control, "comment", **words))

            def told(state: Any, known: int = before) -> bool:
                rows = [m for room in state["channels"] if room["id"] == DEMO for m in room["messages"]]
                return len(rows) > known

            await slack.until(told, f"remark {turn}", ADA)
            spent.append(1000 * (time.perf_counter() - began))
    return spent


def _rest(program: Program) -> None:
    """What it costs while nothing happens."""
    began = cost(program.pid)
    over = time.monotonic() + 60 * MINUTES
    program.until("the idle time is over", lambda: time.monotonic() > over, 120 * MINUTES + 1, pause=1)
    spent, used = cost(program.pid).since(began), memory(program.pid)
    what = f"ao start with GitHub, Slack and console, {SESSIONS} sessions, {MINUTES:g} minutes"
    say(f"{what}, resident", used["resident"], "MB", MOST_MB, f"unique {used['unique']:.1f}")
    say(f"{what}, processor", 100 * (spent.own + spent.children) / spent.at, "% of a core")
