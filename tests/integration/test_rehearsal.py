"""The rehearsal agent as a program in a terminal: what it shows, what it leaves, what it does."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.demo import rehearsal

PATIENCE = 10.0


class Running:
    """One rehearsal agent on a pty of its own, in a session folder with a stand-in for `ao`."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.folder = folder
        self.work = folder / "work"
        self.work.mkdir(exist_ok=True)
        self.screen = ""
        self._leader, follower = pty.openpty()
        # Only what a session gives it; the script's own folder is on the path for its second file.
        environment = {
            "PATH": f"{folder}/bin:{os.environ['PATH']}",
            "HOME": str(folder),
            "AO_SESSION_DIR": str(folder),
            "PYTHONPATH": str(Path(rehearsal.__file__).parents[2]),
            "GIT_AUTHOR_NAME": "A",
            "GIT_AUTHOR_EMAIL": "a@example.test",
            "GIT_COMMITTER_NAME": "A",
            "GIT_COMMITTER_EMAIL": "a@example.test",
            "GIT_CONFIG_NOSYSTEM": "1",
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bot.demo.rehearsal", *arguments],
            stdin=follower,
            stdout=follower,
            stderr=follower,
            env=environment,
            cwd=self.work,
            start_new_session=True,
        )
        os.close(follower)

    def type(self, text: str) -> None:
        os.write(self._leader, text.encode())

    def paste(self, text: str) -> None:
        self.type(f"\x1b[200~{text}\x1b[201~\r")

    def events(self, kind: str = "") -> list[dict[str, Any]]:
        files = sorted((self.folder / "agent" / "events").glob("[!.]*.json"))
        events = [json.loads(file.read_text()) for file in files]
        return [event for event in events if kind in {"", event["event"]}]

    def until(self, condition: Callable[[], object], what: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < deadline, f"{what}; screen:\n{self.screen}\n{self.events()}"
            if select.select([self._leader], [], [], 0.02)[0]:
                self.screen += os.read(self._leader, 65536).decode(errors="replace")

    def until_shown(self, text: str) -> None:
        self.until(lambda: text in self.screen, f"{text!r} was never shown")

    def until_event(self, kind: str, count: int = 1) -> None:
        self.until(lambda: len(self.events(kind)) >= count, f"no {count} x {kind}")

    def end(self) -> None:
        if self._leader < 0:
            return
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(PATIENCE)
        os.close(self._leader)
        self._leader = -1


Start = Callable[..., Running]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    started: list[Running] = []
    (tmp_path / "bin").mkdir()
    ao = tmp_path / "bin" / "ao"
    ao.write_text('#!/bin/sh\nprintf "%s|" "$@" >>"$AO_SESSION_DIR/said"\n[ "$1" != ask ] || echo Blue\n')
    ao.chmod(0o755)

    def start(*arguments: str, plan: list[dict[str, Any]] | None = None) -> Running:
        if plan is not None:
            prompt = tmp_path / "prompt.md"
            prompt.write_text(
                f"Do this.\n\n````text\n```rehearsal\n{json.dumps(plan, indent=1)}\n```\n````\n"
            )
            arguments = ("--prompt-file", str(prompt), *arguments)
        started.append(Running(tmp_path, *arguments))
        return started[-1]

    yield start
    for running in started:
        running.end()


def test_it_says_what_it_is_and_waits(start: Start) -> None:
    agent = start()
    agent.until_event("stop")
    agent.until_shown("rehearsal agent (scripted, no model)")
    agent.until_shown("> ")
    assert [event["event"] for event in agent.events()] == ["session_start", "stop"]


def test_a_plan_is_played_to_its_end(start: Start, tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path / "work")], check=True)
    agent = start(
        plan=[
            {"write": "a/b.txt", "text": ["one", "two"]},
            {"replace": "a/b.txt", "old": "two", "new": "three"},
            {"run": ["cat", "a/b.txt"], "must": "pass"},
            {"commit": "A change"},
            {"pr": "A title", "body": "Why"},
            {"report": "half way"},
            {"done": "all of it"},
        ]
    )
    agent.until_event("stop")
    assert (agent.work / "a" / "b.txt").read_text() == "one\nthree\n"
    log = subprocess.run(
        ["git", "-C", str(agent.work), "log", "--format=%s"], capture_output=True, check=True
    )
    assert log.stdout == b"A change\n"
    said = (agent.folder / "said").read_text()
    assert said == "pr|create|--title|A title|--body|Why|report|half way|done|all of it|"
    tools = [event["tool"] for event in agent.events("tool_start")]
    assert tools[0] == "cat a/b.txt"
    assert len(agent.events("tool_end")) == len(tools)


def test_an_answer_decides_how_it_goes_on(start: Start) -> None:
    then = {"red": [{"write": "red"}], "blue": [{"write": "blue"}], "*": [{"write": "other"}]}
    agent = start(plan=[{"ask": "Which?", "options": ["Red", "Blue"], "then": then}, {"write": "after"}])
    agent.until_event("stop")
    assert (agent.folder / "said").read_text() == "ask|Which?|--option|Red|--option|Blue|"
    assert sorted(path.name for path in agent.work.iterdir()) == ["after", "blue"]


def test_the_fix_is_played_only_if_the_message_holds_the_failing_lines(start: Start) -> None:
    agent = start(plan=[{"wait_message": ["FAIL: test_slug", "AssertionError"]}, {"write": "fixed"}])
    agent.until_event("stop")
    agent.paste("CI failed. Please fix it.")
    agent.until_shown("does not hold what I need")
    agent.until_event("stop", 2)
    assert not (agent.work / "fixed").exists()
    agent.paste("CI failed:\n> FAIL: test_slug (tests)\n> AssertionError: 1 != 2")
    agent.until_event("stop", 3)
    assert (agent.work / "fixed").exists()


def test_a_pasted_message_is_one_message_with_its_lines(start: Start) -> None:
    agent = start()
    agent.until_event("stop")
    text = "first line\n\tsecond: ünïcode 'quoted' $HOME\n\nlast"
    agent.paste(text.replace("\n", "\r"))
    agent.until_event("stop", 2)
    assert [event["text"] for event in agent.events("prompt_submit")] == [text]
    agent.until_shown("I am a scripted stand-in")


def test_typed_keys_are_edited_and_enter_alone_is_nothing(start: Start) -> None:
    agent = start()
    agent.until_event("stop")
    agent.type("\r\rhelpo\x7f there\r")
    agent.until_event("stop", 2)
    assert [event["text"] for event in agent.events("prompt_submit")] == ["help there"]


@pytest.mark.parametrize("key", ["\x1b", "\x03"])
def test_it_hangs_until_it_is_interrupted_and_goes_on_when_told(start: Start, key: str) -> None:
    agent = start(plan=[{"hang": True}, {"write": "after"}])
    agent.until_shown("* hang")
    agent.type("a message meanwhile\r")
    agent.type(key)
    agent.until_event("interrupted")
    agent.until_event("stop")
    assert [event["text"] for event in agent.events("prompt_submit")[1:]] == ["a message meanwhile"]
    assert not (agent.work / "after").exists()
    agent.paste("Please continue.")
    agent.until(lambda: (agent.work / "after").exists(), "it did not go on")


def test_an_interrupt_ends_what_it_runs(start: Start) -> None:
    agent = start(plan=[{"run": ["sleep", "600"]}])
    agent.until_event("tool_start")
    agent.type("\x1b")
    agent.until_event("interrupted")
    assert not agent.events("tool_end")


def test_work_may_be_left_uncommitted(start: Start) -> None:
    agent = start(plan=[{"write": "dirty"}, {"wait": "for a person"}, {"write": "after"}])
    agent.until_event("stop")
    assert (agent.work / "dirty").exists()
    agent.paste("what?")
    agent.until_event("stop", 2)
    assert not (agent.work / "after").exists()


def test_a_crash_says_nothing_and_has_its_code(start: Start) -> None:
    agent = start(plan=[{"crash": 3}])
    assert agent.process.wait(PATIENCE) == 3
    assert not agent.events("session_end")


def test_a_restart_goes_on_with_the_next_step(start: Start) -> None:
    plan = [{"write": "one"}, {"wait_message": ["go"]}, {"write": "two"}]
    first = start(plan=plan)
    first.until_event("stop")
    first.end()
    (first.work / "one").unlink()
    second = start("--resume", plan=plan)
    second.until_event("stop", 2)
    assert len({event["conversation"] for event in second.events()}) == 1
    second.paste("go")
    second.until_event("stop", 3)
    assert [path.name for path in second.work.iterdir()] == ["two"]


def test_a_dialog_takes_only_its_own_answer(start: Start) -> None:
    agent = start(plan=[{"dialog": "Run it?", "options": ["Yes", "No"], "then": {"no": [{"write": "no"}]}}])
    agent.until_event("permission")
    assert agent.events("permission")[0]["options"] == ["Yes", "No"]
    agent.type("9")
    agent.type("2")
    agent.until_event("stop")
    assert (agent.work / "no").exists()


@pytest.mark.parametrize(
    "plan", ["{", "[1]", '[{"fly": true}]', '[{"run": ["no-such-program"]}]', '[{"write": []}]']
)
def test_a_bad_plan_is_said_and_it_waits(start: Start, tmp_path: Path, plan: str) -> None:
    (tmp_path / "bad.md").write_text(f"```rehearsal\n{plan}\n```\n")
    agent = start("--prompt-file", str(tmp_path / "bad.md"))
    agent.until_event("stop")
    agent.until(lambda: re.search("no list of steps|cannot go on", agent.screen), "it did not say so")


def test_a_closed_terminal_is_its_end(start: Start) -> None:
    agent = start()
    agent.until_event("stop")
    agent.process.send_signal(signal.SIGHUP)
    assert agent.process.wait(PATIENCE) == 0
    assert agent.events("session_end")


def test_it_starts_fast_and_imports_little() -> None:
    program = "import sys, bot.demo.rehearsal; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    modules = set(done.stdout.split())
    assert not {"asyncio", "pydantic", "yaml", "argparse", "orchestrator", "plugins"} & modules
    assert {name for name in modules if name.startswith("bot")} == {
        "bot",
        "bot.demo",
        "bot.demo.rehearsal",
        "bot.demo.rehearsal_screen",
    }
