"""One `$AO_HOME` whose `ao start` is killed again and again, and the judge of what is left."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.demo import sandbox
from bot.demo.evidence import Repository, Terminals, clean_environment, python
from bot.frontends.api.client import Client
from orchestrator.domain.ids import ProjectId
from orchestrator.errors import AoError
from orchestrator.services.trust import Trusted, trust_file
from orchestrator.storage.layout import Home, server_name
from tests.soak.receiver import Receiver

PROJECT = ProjectId(sandbox.PROJECT)
PATIENCE = 60.0
PAUSE = 0.05
ENDED = {"merged", "killed", "done"}
RESTING = {*ENDED, "conflicted", "stuck", "errored", "review_pending"}


@dataclass(slots=True)
class Acknowledged:
    """What a server said yes to before it was killed: none of it may be lost."""

    sessions: set[str] = field(default_factory=set)
    messages: list[tuple[str, str]] = field(default_factory=list)
    killed: set[str] = field(default_factory=set)


class Fleet:
    """A sandbox with issues that are merged by themselves, a notifier, and a server to kill."""

    def __init__(self, folder: Path, issues: int, receiver: Receiver) -> None:
        self.home = Home(folder)
        self.home.prepare()
        self.place = sandbox.make_batch(folder, issues, conflict_every=4, sessions=4)
        text = self.place.config.read_text()
        text += f"notifiers:\n  log:\n    plugin: webhook\n    url: {receiver.url}\n"
        self.place.config.write_text(text)
        trust_file(self.place.config, Trusted(self.home))
        self.client = Client(self.home.api_socket, timeout=10.0)
        self.terminals = Terminals(server_name(self.home))
        self.receiver = receiver
        self.said = Acknowledged()
        self.server: subprocess.Popen[bytes] | None = None
        self._heard = 0

    def start(self, fault: str = "") -> None:
        """Start the server; a fault (`AO_FAULT`) may end it at a boundary."""
        self._heard = self._said()[1]
        env = clean_environment(self.home.path)
        if fault:
            env["AO_FAULT"] = fault
        argv = [python(), "-m", "bot", "--config", str(self.place.config), "start"]
        with (self.home.path / "start.log").open("ab") as log:
            self.server = subprocess.Popen(
                argv, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )

    def _said(self, start: int = 0) -> tuple[str, int]:
        log = self.home.path / "start.log"
        content = log.read_bytes() if log.exists() else b""
        return content[start:].decode(errors="replace"), len(content)

    def heard(self) -> str:
        """What the server wrote that was started last."""
        return self._said(self._heard)[0]

    @property
    def alive(self) -> bool:
        """The server runs."""
        return self.server is not None and self.server.poll() is None

    def wait_ready(self) -> bool:
        """True once it answers; False if it died before."""
        return self.until(lambda: self._answers() or not self.alive) and self.alive

    def _answers(self) -> bool:
        try:
            return self.client.running()
        except AoError:
            return False  # it died while it was asked

    def kill(self) -> None:
        """SIGKILL, at once."""
        assert self.server is not None
        if self.alive:
            self.server.send_signal(signal.SIGKILL)
        self.server.wait(PATIENCE)

    def until(self, look: Callable[[], object], patience: float = PATIENCE) -> bool:
        """Look until it is so."""
        limit = time.monotonic() + patience
        while not look():
            if time.monotonic() > limit:
                return False
            time.sleep(PAUSE)
        return True

    def ask(self, verb: str, **arguments: Any) -> dict[str, Any] | None:
        """What a person asks; None when the server died before it answered, or refused."""
        try:
            return self.client.act(verb, arguments)
        except (AoError, OSError, ValueError):
            return None

    def spawn(self, issue: int) -> None:
        answer = self.ask("spawn", project=PROJECT, issue=str(issue))
        if answer is not None:
            self.said.sessions.add(str(answer["data"]["id"]))

    def send(self, session: str, text: str) -> None:
        if self.ask("send", session=session, text=text) is not None:
            self.said.messages.append((session, text))

    def settle(self) -> dict[str, str]:
        """Let everything come to rest on a server that nobody kills; returns every session's status."""
        self.start("tell")
        assert self.wait_ready(), (self.home.path / "start.log").read_text()[-3000:]

        def rests() -> bool:
            return all(s["status"] in RESTING and not s["ending"] for s in self._sessions())

        assert self.until(rests), self._sessions()
        return {str(s["id"]): str(s["status"]) for s in self._sessions(ended=True)}

    def _sessions(self, *, ended: bool = False) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = [dict(s) for s in self.client.sessions(ended=ended)]
        for session in found:
            session["ending"] = session["wanted"] == "stop" and not session["ended"]
        return found

    def stop(self) -> None:
        """End server and terminals."""
        self.kill()
        self.terminals.end()

    def log(self) -> list[dict[str, Any]]:
        """The event log as it lies on the disk."""
        files = sorted((self.home.events).glob("*.jsonl"))
        return [json.loads(line) for file in files for line in file.read_text().splitlines() if line]

    def judge(self, statuses: dict[str, str]) -> list[str]:
        """Everything that is not as promised, in words; empty when all is well."""
        return [
            *self._lost(statuses),
            *self._doubled(),
            *self._orphans(statuses),
            *self._broken_repositories(),
        ]

    def _lost(self, statuses: dict[str, str]) -> Iterator[str]:
        for session in self.said.sessions - statuses.keys():
            yield f"{session} was acknowledged and is gone"
        for session, status in statuses.items():
            if status not in {*ENDED, "conflicted"}:
                story = [f"{e['type']}: {e['text']}" for e in self._events() if e["session"] == session]
                yield f"{session} is {status}: {story[-12:]}"
        received = Counter(
            e["session"]
            for e in self._events()
            if e["type"] == "message.received" and "ada-note" not in e["id"]
        )
        for session, count in Counter(s for s, _ in self.said.messages).items():
            if received[session] < count:
                yield f"{session}: {count} messages were acknowledged, {received[session]} are in the log"

    def _events(self) -> list[dict[str, Any]]:
        return [{**row.get("event", row), "seq": row.get("seq")} for row in self.log()]

    def _doubled(self) -> Iterator[str]:
        events = self._events()
        for name, count in Counter(e["id"] for e in events).items():
            if count > 1:
                yield f"event {name} is in the log {count} times"
        numbers = [e["seq"] for e in events]
        if numbers != list(range(1, len(numbers) + 1)):
            yield "the log's numbers have gaps"
        shown = Counter(
            (d.get("session"), d.get("event_type"), tuple(d.get("lines", ())), d.get("at"))
            for d in {d["key"]: d for d in self.receiver.deliveries}.values()
        )
        yield from (f"{what} was shown {count} times" for what, count in shown.items() if count > 1)
        yield from self._typed_twice()

    def _typed_twice(self) -> Iterator[str]:
        """By the agents' own records of what was given to them."""
        for folder in (self.home.project(PROJECT).sessions, self.home.project(PROJECT).ended):
            for session in folder.glob("*"):
                # Not the drafts, whose names begin with a dot: a killed agent leaves one half written.
                files = (session / "agent" / "events").glob("[0-9]*.json")
                events = [json.loads(file.read_text()) for file in files]
                texts = Counter(
                    event.get("text", "") for event in events if event.get("event") == "prompt_submit"
                )
                for text, count in texts.items():
                    if count > 1 and "```rehearsal" not in text:
                        yield f"{session.name} was given the same text {count} times: {text[:60]!r}"

    def _orphans(self, statuses: dict[str, str]) -> Iterator[str]:
        live = {s for s in statuses if not (self.home.project(PROJECT).ended / s).is_dir()}
        registered = {Path(w).name for w in Repository(self.place.repository).worktrees()[1:]}
        yield from (f"worktree {name} belongs to no session" for name in registered - live)
        folders = {
            p.name for p in self.home.project(PROJECT).worktrees.glob("*") if not p.name.startswith(".")
        }
        yield from (f"folder of worktree {name} belongs to no session" for name in folders - live)
        yield from (f"terminal {name} belongs to no session" for name in self.terminals.names() - live)

    def _broken_repositories(self) -> Iterator[str]:
        project = self.home.project(PROJECT)
        for path in (self.place.repository, project.mirror, project.forge):
            argv = ["git", "-C", str(path), "fsck", "--full", "--strict", "--no-dangling"]
            done = subprocess.run(argv, capture_output=True, text=True, timeout=PATIENCE, check=False)
            if done.returncode != 0:
                yield f"git fsck {path.name}: {done.stderr[-300:]}"
