"""One `$AO_HOME` with a small repository and a real `ao start`, for trying what goes wrong."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from bot.demo.evidence import Repository, Terminals, clean_environment, python
from bot.demo.sandbox_files import Step, issue
from bot.frontends.api.client import Client
from orchestrator.domain.ids import ProjectId, SessionId
from orchestrator.errors import AoError
from orchestrator.services.trust import Trusted, trust_file
from orchestrator.storage.layout import Home, SessionFolder, server_name

PROJECT = ProjectId("demo")
ROOT = Path(__file__).parents[3]
PATIENCE = 30.0
PAUSE = 0.05
WAITS: list[Step] = [{"say": "I wait for a word."}, {"wait": True}]
"""The plan of an agent that only waits."""
T = TypeVar("T")
Json = dict[str, Any]


def git(folder: Path, *args: str) -> str:
    """A git command of a person; fails the test when git refuses."""
    argv = ["git", "-C", str(folder), *args]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, f"git {args}: {done.stderr}"
    return done.stdout.strip()


def make_repository(folder: Path, issues: Mapping[int, Sequence[Step]]) -> Path:
    """A repository with one commit and an issue for each plan."""
    (folder / "issues").mkdir(parents=True)
    (folder / "README.md").write_text("# small\n")
    for number, plan in issues.items():
        (folder / "issues" / f"{number}.md").write_text(issue(f"Task {number}", "Do it.", list(plan)))
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "config", "user.name", "Ada")
    git(folder, "config", "user.email", "ada@example.org")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message=First")
    return folder


class House:
    """Home, repository, configuration, and a server that may be started, stopped and killed."""

    def __init__(
        self,
        folder: Path,
        issues: Mapping[int, Sequence[Step]] | None = None,
        *,
        top: str = "",
        project: str = "",
        home: Path | None = None,
    ) -> None:
        self.home = Home(home or folder / "home")
        self.home.prepare()
        self.repository = make_repository(folder / "repository", issues or {1: WAITS})
        self.config = folder / "agent-orchestrator.yaml"
        self.terminals = Terminals(server_name(self.home))
        self.client = Client(self.home.api_socket, timeout=PATIENCE)
        self.server: subprocess.Popen[bytes] | None = None
        self.log = folder / "start.log"
        self.configure(top=top, project=project)

    def configure(self, *, top: str = "", project: str = "", trust: bool = True) -> str:
        """Write the configuration; `top` and `project` are lines of YAML, `project` below the project."""
        own = "".join(f"    {line}\n" for line in project.splitlines())
        runtime = "" if "runtime:" in project else "    runtime: tmux\n"
        agent = "" if "agent:" in project else "    agent: rehearsal\n"
        text = f"{top}\nprojects:\n  {PROJECT}:\n    path: {self.repository}\n    sessionPrefix: demo\n"
        return self.write_config(text + runtime + agent + own, trust=trust)

    def write_config(self, text: str, *, trust: bool = True) -> str:
        """Put this text into the configuration file, as a person who trusts it."""
        self.config.write_text(text)
        if trust:
            trust_file(self.config, Trusted(self.home))
        return text

    # The server ----------------------------------------------------------------------------------

    def start(self, **env: str) -> House:
        """Start the server and wait until it answers."""
        self.launch(**env)
        self.until("ao start answers", self._answers)
        return self

    def launch(self, **env: str) -> subprocess.Popen[bytes]:
        """Start the server."""
        return self._launch(["--config", str(self.config)], ROOT, env)

    def launch_in(self, cwd: Path) -> subprocess.Popen[bytes]:
        """Start the server as somebody does who types `ao start` in that folder."""
        return self._launch([], cwd, {"PYTHONPATH": str(ROOT)})

    def _launch(self, named: list[str], cwd: Path, env: Mapping[str, str]) -> subprocess.Popen[bytes]:
        argv = [python(), "-m", "bot", *named, "start"]
        with self.log.open("ab") as log:
            self.server = subprocess.Popen(
                argv,
                env={**clean_environment(self.home.path), **env},
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return self.server

    def _answers(self) -> bool:
        assert self.server is not None
        assert self.server.poll() is None, f"ao start ended:\n{self.said()}"
        return self.client.running()

    def said(self) -> str:
        """What the servers wrote so far."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def stop(self) -> int:
        """End the server as `ao stop` does; returns its exit code."""
        assert self.server is not None
        self.server.terminate()
        return self.server.wait(PATIENCE)

    def kill(self) -> None:
        """End the server as a power cut does."""
        assert self.server is not None
        self.server.kill()
        self.server.wait(PATIENCE)

    def reboot(self) -> None:
        """Everything that runs is gone at once."""
        self.kill()
        self.terminals.end()

    def close(self) -> None:
        """Leave nothing behind."""
        if self.server is not None and self.server.poll() is None:
            self.kill()
        self.terminals.end()

    # Asking --------------------------------------------------------------------------------------

    def ao(self, *words: str, config: bool = True, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
        """The `ao` command, as a process."""
        named = ["--config", str(self.config)] if config else []
        return subprocess.run(
            [sys.executable, "-m", "bot", *named, *words],
            env=clean_environment(self.home.path),
            cwd=cwd,
            capture_output=True,
            text=True,
            timeout=60,
            stdin=subprocess.DEVNULL,
            check=False,
        )

    def refused(self, code: int, *words: str) -> str:
        """What `ao` says when it refuses with that exit code, without a traceback."""
        done = self.ao(*words)
        assert done.returncode == code, f"{done.returncode}: {done.stdout}{done.stderr}"
        assert "Traceback" not in done.stderr
        assert done.stdout == ""
        return done.stderr

    def act(self, verb: str, **arguments: Any) -> Json:
        """Ask for a verb through the API."""
        answer: Json = self.client.act(verb, arguments)
        return answer

    def spawn(self, number: int = 1, **more: Any) -> str:
        """Spawn a session on an issue; returns its id."""
        return str(self.act("spawn", project=PROJECT, issue=str(number), **more)["data"]["id"])

    def spawn_waiting(self, number: int = 1, **more: Any) -> str:
        """Spawn a session whose agent waits at its prompt, and wait until it does."""
        name = self.spawn(number, **more)
        self.until_status(name, "idle")
        return name

    def session(self, name: str) -> Json:
        """A live session as data."""
        return dict(self.client.session(name))

    def sessions(self, *, ended: bool = False) -> dict[str, Json]:
        """Sessions by id."""
        return {str(s["id"]): dict(s) for s in self.client.sessions(ended=ended)}

    def events(self, kind: str = "", session: str = "") -> list[Json]:
        """What happened so far, of one type and one session where they are named."""
        found = [dict(e) for e in self.client.events(0, limit=1000)]
        return [e for e in found if kind in ("", e["type"]) and session in ("", e["session"])]

    def folder(self, name: str) -> SessionFolder:
        """Where a live session is kept."""
        return self.home.project(PROJECT).session(SessionId(name))

    def prompts(self, name: str) -> list[str]:
        """Every text that the agent itself says it was given, in order."""
        files = sorted((self.folder(name).agent / "events").glob("*.json"))
        # One that a full disk left empty says nothing.
        rows = [json.loads(text) for text in (file.read_text() for file in files) if text]
        return [str(row["text"]) for row in rows if row["event"] == "prompt_submit"]

    @property
    def git(self) -> Repository:
        """The person's repository."""
        return Repository(self.repository)

    # Waiting -------------------------------------------------------------------------------------

    def until(self, what: str, look: Callable[[], T], patience: float = PATIENCE) -> T:
        """Look until there is something; fails with the last events."""
        limit = time.monotonic() + patience
        while True:
            found = look()
            if found:
                return found
            assert time.monotonic() < limit, f"{what}: not within {patience:g} s.\n{self._state()}"
            time.sleep(PAUSE)

    def until_status(self, name: str, *wanted: str, patience: float = PATIENCE) -> Json:
        """Wait until a live session has one of these statuses; returns it."""
        self.until(f"{name} is {wanted}", lambda: self.session(name)["status"] in wanted, patience)
        return self.session(name)

    def until_event(self, kind: str, session: str = "", count: int = 1) -> Json:
        """Wait until something was told that often; returns the newest."""
        self.until(f"{count} x {kind}", lambda: len(self.events(kind, session)) >= count)
        return self.events(kind, session)[-1]

    def until_ended(self, name: str) -> None:
        """Wait until a session is among the ended ones."""
        ended = self.home.project(PROJECT).ended / name
        self.until(f"{name} has ended", ended.is_dir)

    def _state(self) -> str:
        try:
            rows = [f"{s['id']} {s['status']}: {s['reason']}" for s in self.sessions().values()]
            rows += [f"{e['type']} {e['session']}: {e['text']}" for e in self.events()[-10:]]
        except AoError as error:
            rows = [str(error)]
        return "\n".join([*rows, self.said()[-2000:]])
