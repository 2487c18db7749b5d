"""Real agent programs for tests: the pinned one from the cache, and a model server that plays plans."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bot.demo.agent_programs import ensure
from orchestrator.errors import NotReady

ROOT = Path(__file__).parents[2]
KEY = "sk-ant-stub-" + "0" * 40
Step = dict[str, Any]


@dataclass(frozen=True)
class ModelServer:
    """A model server of this test's own."""

    port: int
    log: Path

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def played(self) -> list[Step]:
        """What was asked of it for a plan, the oldest first."""
        if not self.log.exists():
            return []
        lines = [json.loads(line) for line in self.log.read_text().splitlines()]
        return [line for line in lines if line.get("rule")]


@contextmanager
def model_server(folder: Path, plan: object = None) -> Iterator[ModelServer]:
    """A model server, ended with the test."""
    log = folder / "model.jsonl"
    argv = [sys.executable, "-m", "bot.demo.model_server", "--with-parent", "--log", str(log)]
    if plan is not None:
        (folder / "plan.json").write_text(json.dumps(plan))
        argv += ["--plan", str(folder / "plan.json")]
    with subprocess.Popen(argv, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        yield ModelServer(json.loads(server.stdout.readline())["port"], log)


def program(name: str) -> str:
    """The pinned program in the cache of the person who runs the tests, whose home tests do not see otherwise.

    Only where npm is not there, and never on CI, it is not tried: an installation that fails is a failure.
    """
    home = pwd.getpwuid(os.getuid()).pw_dir
    try:
        return str(ensure(name, environ={**os.environ, "HOME": home}))
    except NotReady as error:
        if shutil.which("npm") or os.environ.get("CI"):
            raise
        pytest.skip(str(error))


def says(*steps: Step) -> str:
    """A plan that a message carries."""
    return f"STUB-PLAN: {json.dumps(list(steps))}"


def environment(server: ModelServer) -> dict[str, str]:
    """Variables of ours with which Claude Code talks to the model server, and to nobody else."""
    return {
        "ANTHROPIC_API_KEY": KEY,
        "ANTHROPIC_BASE_URL": server.url,
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "CLAUDE_CODE_MAX_RETRIES": "1",
        "IS_SANDBOX": "1",  # as root it refuses otherwise to run without asking
    }


def shell(command: str, **more: object) -> Step:
    """A step that runs a command."""
    return {"sh": command, **more}


def wait(seconds: int = 600) -> Step:
    """A step whose command runs long; `sleep` itself is refused by some agents."""
    return shell(f"{sys.executable} -c 'import time; time.sleep({seconds})'")


def plan(rules: Sequence[tuple[str, list[Step]]]) -> dict[str, Any]:
    """Rules by a pattern for the last message."""
    return {"rules": [{"when": when, "steps": steps} for when, steps in rules]}
