"""The real program in an `$AO_HOME` of its own, and what the system says that it costs."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from bot.demo.cast import Cast
from bot.demo.evidence import Terminals, clean_environment
from bot.demo.sandbox import PROJECT, Sandbox
from bot.frontends.api.client import Client
from orchestrator.domain.ids import ProjectId, SessionId
from orchestrator.storage.layout import Home, server_name

PATIENCE = 60.0
PAUSE = 0.05
T = TypeVar("T")
_TICKS = os.sysconf("SC_CLK_TCK")


def ao_command() -> list[str]:
    """The `ao` that is installed beside the interpreter, as a person calls it."""
    return [str(Path(sys.executable).with_name("ao"))]


def environment(home: Path) -> dict[str, str]:
    """Ours for another home; compiled modules are kept there, as they are for everybody but some containers."""
    kept = clean_environment(home)
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    return kept


@dataclass(frozen=True, slots=True)
class Cost:
    """What a process has used so far, with the children that it has waited for; seconds."""

    own: float
    children: float
    at: float

    def since(self, before: Cost) -> Cost:
        """The difference."""
        return Cost(self.own - before.own, self.children - before.children, self.at - before.at)


def cost(pid: int) -> Cost:
    """What a process has used, by the kernel's own books (proc(5), `stat`)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    user, system, children_user, children_system = (int(field) / _TICKS for field in fields[11:15])
    return Cost(user + system, children_user + children_system, time.monotonic())


def memory(pid: int) -> Mapping[str, float]:
    """Resident, proportional and unique megabytes of a process."""
    rows = dict(row.split(":", 1) for row in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:])
    parts = {name: int(text.split()[0]) / 1024 for name, text in rows.items()}
    unique = parts["Private_Clean"] + parts["Private_Dirty"]
    return {"resident": parts["Rss"], "proportional": parts["Pss"], "unique": unique}


class Program:
    """`ao start` over a sandbox, and somebody who asks."""

    def __init__(self, home: Path, sandbox: Sandbox, played_by: Cast | None = None) -> None:
        self.home = Home(home)
        self.sandbox = sandbox
        self.client = Client(self.home.api_socket, timeout=PATIENCE)
        self.terminals = Terminals(server_name(self.home))
        self.environment = environment(home) | (played_by or Cast()).environment
        self._log = home / "start.log"
        self._server: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process that serves."""
        assert self._server is not None
        return self._server.pid

    @property
    def tmux_pid(self) -> int:
        """The tmux server of this home."""
        argv = ["tmux", "-L", server_name(self.home), "display-message", "-p", "#{pid}"]
        return int(subprocess.run(argv, capture_output=True, timeout=PATIENCE, check=True).stdout)

    @contextmanager
    def serving(self) -> Iterator[Program]:
        """Start it, wait until it answers, and leave nothing behind."""
        argv = [*ao_command(), "--config", str(self.sandbox.config), "start"]
        with self._log.open("ab") as log:
            self._server = subprocess.Popen(
                argv, env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        try:
            self.until("ao start answers", self.client.running)
            yield self
        finally:
            self._server.terminate()
            self._server.wait(PATIENCE)
            self.terminals.end()

    def ao(self, *words: str, patience: float = PATIENCE) -> str:
        """A verb as a process, which may take `patience` seconds; its output."""
        argv = [*ao_command(), "--config", str(self.sandbox.config), *words]
        done = subprocess.run(
            argv,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=patience,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def spawn_idle(self, issues: Sequence[int]) -> None:
        """Spawn a session on each issue, and wait until all their agents wait at their prompts."""
        for number in issues:
            self.client.act("spawn", {"project": PROJECT, "issue": str(number)})
        self.until("all are idle", lambda: self._idle() == len(issues), patience=5 * PATIENCE)

    def _idle(self) -> int:
        return sum(session["status"] == "idle" for session in self.client.sessions())

    def signals(self, session: str) -> list[Path]:
        """What a session's agent has left in its folder, the oldest first."""
        folder = self.home.project(ProjectId(PROJECT)).session(SessionId(session)).agent / "events"
        return sorted(folder.glob("[0-9]*.json"))

    def until(self, what: str, look: Callable[[], T], patience: float = PATIENCE, pause: float = PAUSE) -> T:
        """Look until there is something."""
        limit = time.monotonic() + patience
        while not (found := look()):
            assert time.monotonic() < limit, f"{what}: not within {patience:g} s\n{self._said()}"
            time.sleep(pause)
        return found

    def _said(self) -> str:
        return self._log.read_text(errors="replace")[-2000:] if self._log.exists() else ""
