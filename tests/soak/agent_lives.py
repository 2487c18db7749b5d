"""What happens to each agent of the soak: one message after another, of known kinds, as seeded dice say."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from bot.demo import sandbox
from orchestrator.errors import AoError
from orchestrator.storage.layout import server_name
from tests.benchmarks.program import Program
from tests.benchmarks.real_fleet import MODEL_LOG, QUESTION
from tests.contracts.real_agents import says, shell
from tests.soak.agent_truth import BUSY, EXITED, IDLE, MARK, UNSURE, Change

PATIENCE = 120.0
"""Seconds within which whatever was asked of an agent must show."""
PIECE = 0.8
KINDS = ("tool", "tool", "words", "words", "question", "question", "leave", "leave", "error", "kill")
Wait = Callable[[], object]
Line = dict[str, Any]


class ModelLog:
    """The model server's log as it grows."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read = 0
        self.lines: list[Line] = []
        self.begun: dict[str, Line] = {}
        """The newest request that a message brought, by the message's mark."""
        self.ended: dict[int, float] = {}

    def read(self) -> None:
        """Take in what is new."""
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            file.seek(self._read)
            data = file.read()
        whole = data[: data.rfind(b"\n") + 1]
        self._read += len(whole)
        for row in whole.splitlines():
            line = json.loads(row)
            self.lines.append(line)
            if "ended" in line:
                self.ended[line["ended"]] = line["time"]
            elif line.get("rule") and (mark := MARK.match(line["human"])):
                self.begun[mark.group("mark")] = line

    def answered(self, mark: str, tool: bool) -> bool:
        """The newest answer to that message was given, and called a tool or was the last."""
        line = self.begun.get(mark)
        return bool(
            line and line["status"] == 200 and bool(line["tool"]) == tool and line["number"] in self.ended
        )


class Fleet:
    """The server, the model's log, and what was done to whom."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.log = ModelLog(program.home.path / MODEL_LOG)
        self.deeds: list[tuple[str, Change]] = []
        self.troubles: list[str] = []
        self.done: Counter[str] = Counter()

    def ask(self, verb: str, **arguments: Any) -> bool:
        """What a person asks; false when it was refused for now."""
        try:
            self.program.client.act(verb, arguments)
        except AoError as error:
            self.refused = f"{verb} {arguments}: {error}"
            return False
        return True

    def deed(self, session: str, state: str, why: str, at: float | None = None) -> None:
        """Note what was done to an agent. The words begin with `ao` where a dead one lives again."""
        self.deeds.append((session, Change(time.time() if at is None else at, state, why)))

    def pid(self, session: str) -> int:
        """The agent's process."""
        tmux = ["tmux", "-L", server_name(self.program.home)]
        argv = [*tmux, "list-panes", "-t", f"={session}:", "-F", "#{pane_pid}"]
        return int(subprocess.run(argv, capture_output=True, check=True, timeout=30).stdout)

    def started(self, session: str, after: float) -> float:
        """When an agent that was started after that time said so; 0 before."""
        for file in reversed(self.program.signals(session)):
            if (
                file.stat().st_mtime > after
                and json.loads(file.read_text())["hook_event_name"] == "SessionStart"
            ):
                return file.stat().st_mtime
        return 0.0


class Life:
    """One agent, and the script that it is put through."""

    def __init__(self, fleet: Fleet, number: int, dice: random.Random) -> None:
        self.fleet = fleet
        self.session = f"{sandbox.PROJECT}-{number}"
        self._dice = dice
        self._said = 0
        self._script = self._play()
        self._wait: Wait = lambda: True
        self._what = "begin"
        self._since = time.monotonic()

    def go_on(self) -> None:
        """Take the next steps of the script whose time has come."""
        while self._wait():
            self._what, self._wait = next(self._script)
            self._since = time.monotonic()
        if time.monotonic() - self._since > PATIENCE:
            self.fleet.troubles.append(f"{self.session}: {self._what}: not within {PATIENCE:g} s")
            self._script = self._play()
            self._wait = lambda: True

    def _play(self) -> Iterator[tuple[str, Wait]]:
        while True:
            yield self._pause(1, 25 if self._dice.random() < 0.8 else 70)
            kind = self._dice.choice(KINDS)
            self._said += 1
            self.fleet.done[kind] += 1
            mark = f"[{self.session} #{self._said} {kind}]"
            steps = getattr(self, f"_{kind}_steps")()
            text = f"{mark} {says(*steps)}"
            # From now on it may have the message; until the model is asked nobody but itself knows.
            self.fleet.deed(self.session, UNSURE, "it is given a message")
            yield f"send {kind}", partial(self.fleet.ask, "send", session=self.session, text=text)
            if kind in {"question", "leave"}:
                yield from self._answer(mark)
            if kind == "kill":
                yield f"{mark} runs a tool", partial(self.fleet.log.answered, mark, tool=True)
                yield self._pause(3, 8)
                yield from self._kill()
            else:
                yield f"{mark} is over", partial(self.fleet.log.answered, mark, tool=False)

    def _pause(self, least: float, most: float) -> tuple[str, Wait]:
        over = time.monotonic() + self._dice.uniform(least, most)
        return "pause", lambda: time.monotonic() > over

    def _answer(self, mark: str) -> Iterator[tuple[str, Wait]]:
        yield f"{mark} asks", lambda: self.fleet.log.answered(mark, tool=True)
        yield self._pause(4, 15)
        yield f"{mark} can be answered", lambda: self.fleet.ask("answer", session=self.session, text="1")
        self.fleet.deed(self.session, BUSY, "its question was answered")

    def _kill(self) -> Iterator[tuple[str, Wait]]:
        os.kill(self.fleet.pid(self.session), signal.SIGKILL)
        self.fleet.deed(self.session, EXITED, "killed by the script")
        yield self._pause(6, 15)
        before = time.time()
        yield "restore", lambda: self.fleet.ask("restore", session=self.session)
        self.fleet.deed(self.session, UNSURE, "ao starts it again", before)
        yield "starts again", lambda: self.fleet.started(self.session, before)
        self.fleet.deed(self.session, IDLE, "ao started it again", self.fleet.started(self.session, before))

    def _tool_steps(self) -> list[Line]:
        seconds = self._dice.uniform(3, 50)
        return [shell(f"{sys.executable} -c 'import time; time.sleep({seconds:.1f})'"), {"say": "Ran."}]

    def _words_steps(self) -> list[Line]:
        return [
            {
                "say": "slow words " * self._dice.randint(10, 120),
                "drip": PIECE,
                "delay": self._dice.choice([0, 0, 25]),
            }
        ]

    def _question_steps(self) -> list[Line]:
        return [{"tool": "AskUserQuestion", "input": {"questions": [QUESTION]}}, {"say": "Good."}]

    def _leave_steps(self) -> list[Line]:
        return [shell("env > made.txt"), {"say": "Made."}]

    def _error_steps(self) -> list[Line]:
        status = self._dice.choice([429, 529])
        wait = self._dice.randint(3, 15)
        return [{"say": "Again.", "status": status, "times": 1, "retry_after": wait}]

    def _kill_steps(self) -> list[Line]:
        return [shell(f"{sys.executable} -c 'import time; time.sleep(100)'"), {"say": "Not reached."}]
