"""Who plays the demo: the scripted agent, or a real agent's program whose model is a server of ours.

A real agent never sees the person's own login: it has a key that opens nothing, a folder of its own, and the
address of the model server.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from bot.demo import agent_programs
from bot.demo.real_issues import REAL_ISSUES, real_batch_issue
from bot.demo.sandbox_files import ISSUES, BatchIssue, batch_issue, issue
from orchestrator.errors import BadInput, NotReady

KEY = "sk-ant-demo-" + "0" * 40
"""Shaped like a key, and none."""
_CODEX_MODEL = "stub-model"
"""Stands in the last line of Codex's screen, whatever it does."""
_OWN_NAMES = ("ANTHROPIC_", "AWS_", "CLAUDE_", "CLOUD_ML_", "CODEX_", "OPENAI_")
"""Variables by which a real agent could find the person's own account; the demo's server does not get them."""
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
WITHOUT_PROXIES = dict.fromkeys((*_PROXIES, *map(str.lower, _PROXIES)), "")
"""For `ao start`: some clients take proxies from the environment and ignore NO_PROXY; the fakes are on loopback."""
LIMIT = 10.0


@dataclass(slots=True)
class Cast:
    """The agent of a demo."""

    agent: str = "rehearsal"
    name: str = ""
    """The folder of its sandbox, if not the agent's own."""
    label: str = "rehearsal agent"
    """What its terminal shows of it."""
    configuration: str = ""
    """Further lines of the project in the sandbox's configuration."""
    fleet: str = ""
    """Further lines of the sandbox's configuration, besides its project."""
    environment: dict[str, str] = field(default_factory=dict)
    """Added to the environment of `ao start`."""
    withheld: tuple[str, ...] = ()
    """Beginnings of variables of the person's that `ao start` does not get."""
    issues: Mapping[int, str] = field(
        default_factory=lambda: {n: issue(*parts) for n, parts in ISSUES.items()}
    )
    """The sandbox's issues, as files."""
    batch_issue: BatchIssue = batch_issue
    """Makes the issues of a batch."""
    trusts: bool = False
    """The agent asks whether its folder is trusted; the demo answers for the person."""
    server: subprocess.Popen[str] | None = None

    def with_surface(self, other: Cast) -> Cast:
        """The same agent, with what a surface needs in configuration and environment besides."""
        return replace(
            self, fleet=self.fleet + other.fleet, environment={**self.environment, **other.environment}
        )

    def close(self) -> None:
        """End the model server."""
        if self.server is not None:
            self.server.kill()
            self.server.wait(LIMIT)
            if self.server.stdin is not None:
                self.server.stdin.close()
            if self.server.stdout is not None:
                self.server.stdout.close()
            self.server = None


def cast(agent: str, log: Path | None, tell: Callable[[str], None], program: str = "") -> Cast:
    """The agent of that name, ready to play. Raises `BadInput`, and `NotReady` when it cannot be had here.

    `program` is where its program lies, if not on the PATH or in the cache.
    """
    if agent in {"", "rehearsal"}:
        return Cast()
    make = _REAL.get(agent)
    if make is None:
        msg = f"the demo is not played by {agent!r}."
        raise BadInput(msg, next_step=f"It is played by {' or '.join(AGENTS)}.")
    if not program:
        found = shutil.which(agent_programs.PROGRAMS[agent].command)
        program = found or str(agent_programs.ensure(agent, tell=tell))
    server, port = _model_server(log)
    played_by = make(json.dumps(program), f"http://127.0.0.1:{port}")
    played_by.server = server
    return played_by


def _claude_code(program: str, address: str) -> Cast:
    return Cast(
        agent="claude-code",
        label="accept edits on",
        configuration=_SETTINGS.format(program=program, more="") + _POLICY,
        environment={
            "ANTHROPIC_API_KEY": KEY,
            "ANTHROPIC_BASE_URL": address,
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        },
        withheld=_OWN_NAMES,
        issues=REAL_ISSUES,
        batch_issue=real_batch_issue,
        trusts=True,
    )


def _codex(program: str, address: str) -> Cast:
    return Cast(
        agent="codex",
        label=_CODEX_MODEL,
        configuration=_SETTINGS.format(program=program, more=f"      model: {_CODEX_MODEL}\n") + _POLICY,
        environment={"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": f"{address}/v1"},
        withheld=_OWN_NAMES,
        issues=REAL_ISSUES,
        batch_issue=real_batch_issue,
        trusts=True,
    )


_REAL: Mapping[str, Callable[[str, str], Cast]] = {"claude-code": _claude_code, "codex": _codex}
AGENTS = ("rehearsal", *_REAL)


def _model_server(log: Path | None) -> tuple[subprocess.Popen[str], int]:
    argv = [sys.executable, "-m", "bot.demo.model_server", "--with-parent"]
    if log is not None:
        argv += ["--log", str(log), "--log-ends"]
    server = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ)
    line = server.stdout.readline() if server.stdout is not None else ""
    if not line:
        msg = f"the model server ended with code {server.wait(LIMIT)}."
        raise NotReady(msg)
    return server, int(json.loads(line)["port"])


_SETTINGS = """\
    agentConfig:
      program: [{program}]
      permissions: auto-edit
{more}"""
_POLICY = """\
    policy:
      allow:
        - Bash(python3 -m unittest *)
        - Bash(git add *)
        - Bash(git commit *)
        - Bash(git push)
"""
"""Its own `ao` needs no rule."""
