"""Every verb of the shell against a real server on the sandbox: rehearsal agents in real tmux, real git."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.demo import sandbox
from bot.frontends.api.client import Client
from orchestrator.errors import AoError, BadInput, Conflict, NotFound
from orchestrator.storage.layout import Home, server_name

pytestmark = [pytest.mark.tmux, pytest.mark.git, pytest.mark.timeout(300)]
ROOT = Path(__file__).parents[2]
LIMIT = 60.0


class Fleet:
    """A server on the sandbox, and somebody at a shell."""

    def __init__(self, folder: Path) -> None:
        self.home = Home(folder)
        self.place = sandbox.make(folder)
        self.client = Client(self.home.api_socket)
        self.env = {**os.environ, "AO_HOME": str(folder), "PYTHONPATH": str(ROOT)}

    def ao(self, *words: str, code: int = 0) -> Any:
        """A verb as a process that ends with `code`, its answer as data."""
        done = subprocess.run(
            [sys.executable, "-m", "bot", *words, "--json"],
            env=self.env,
            capture_output=True,
            text=True,
            timeout=60,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        assert done.returncode == code, done.stderr
        return json.loads(done.stdout)

    def act(self, verb: str, /, **arguments: Any) -> Any:
        """A verb through the API, its message's data."""
        return self.client.act(verb, arguments).get("data")

    def until(self, session: str, wanted: Callable[[Any], object]) -> Any:
        """Wait until the session is as wanted; the event log says when to look again."""
        end = time.monotonic() + LIMIT
        after = 0
        while True:
            found = self.client.session(session)
            if wanted(found):
                return found
            assert time.monotonic() < end, found
            happened = self.client.events(after, limit=1000, wait=2.0)
            after = int(str(happened[-1]["seq"])) if happened else after

    def until_ended(self, session: str) -> Any:
        """Wait until the session is one of the ended ones, and nothing of it is done any more."""
        self.until(session, lambda found: found["ended"])
        return self.until(
            session, lambda found: found["id"] not in {one["id"] for one in self.client.sessions()}
        )


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    made = Fleet(tmp_path / "home")
    argv = [sys.executable, "-m", "bot", "--config", str(made.place.config), "start"]
    process = subprocess.Popen(argv, env=made.env, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    assert "looks after" in process.stdout.readline()
    yield made
    process.terminate()
    process.communicate(timeout=30)
    subprocess.run(
        ["tmux", "-L", server_name(made.home), "kill-server"], capture_output=True, timeout=10, check=False
    )


def test_the_verbs(fleet: Fleet, tmp_path: Path) -> None:
    assert [issue["ref"] for issue in fleet.ao("issues", "demo")["issues"]] == ["1", "2", "3", "4"]
    outcomes = fleet.ao("batch-spawn", "demo", "1,2", "4", "99", code=1)["outcomes"]
    assert [outcome["error"] for outcome in outcomes] == ["", "", "", "not-found"]
    with pytest.raises(AoError, match="demo-1"):
        fleet.act("spawn", project="demo", issue="1")
    _pull_request(fleet)
    _question(fleet)
    _terminals(fleet)
    _rescue(fleet)
    _looking(fleet, tmp_path)


def _pull_request(fleet: Fleet) -> None:
    waiting = fleet.until("demo-1", lambda s: s["status"] == "review_pending")
    head = waiting["pull_request"]["head"]
    asked = fleet.act("request-changes", session="demo-1", head=head, text="name it better")
    assert asked["id"] == "demo-1"
    fleet.until("demo-1", lambda s: any("name it better" in message["text"] for message in s["messages"]))
    fleet.act("retry", session="demo-1")
    fleet.act("hold", session="demo-1")
    fleet.act("approve", session="demo-1", head=head)
    with pytest.raises(Conflict):
        fleet.act("merge", session="demo-1", head=head)
    fleet.act("unhold", session="demo-1")
    with pytest.raises(Conflict, match="not at"):
        fleet.act("approve", session="demo-1", head="0" * 40)
    fleet.until("demo-1", lambda s: s["status"] in {"mergeable", "approved"})
    fleet.ao("merge", "1", "--head", head[:12], "--yes")
    merged = fleet.until_ended("demo-1")
    assert (merged["status"], merged["pull_request"]["state"]) == ("merged", "merged")


def _question(fleet: Fleet) -> None:
    asks = fleet.until("demo-2", lambda s: s["question"])
    assert fleet.act("answer", session="demo-2", text="1")["question"] == asks["question"]["id"]
    with pytest.raises((NotFound, Conflict)):
        fleet.act("answer", session="demo-2", text="1")
    fleet.act("pause", session="demo-2")
    fleet.until("demo-2", lambda s: s["status"] == "paused")
    fleet.act("unpause", all=True)
    fleet.until("demo-2", lambda s: s["status"] != "paused")
    fleet.until("demo-2", lambda s: s["pull_request"])
    with pytest.raises(Conflict, match="demo-2"):
        fleet.act("claim", project="demo", number=fleet.client.session("demo-2")["pull_request"]["number"])  # type: ignore[index,call-overload]


def _terminals(fleet: Fleet) -> None:
    attach = fleet.ao("attach", "demo-2")["command"]
    assert attach[0] == "tmux"
    assert server_name(fleet.home) in attach
    windows = fleet.act("open", all=True)
    assert {window["session"] for window in windows["open"]} >= {"demo-2"}
    assert fleet.act("output", session="demo-2", lines=5)["output"]
    with pytest.raises(Conflict, match="nothing to interrupt"):
        fleet.act("interrupt", session="demo-2")
    assert fleet.act("send", session="demo-2", text="thank you")["message"]["stage"] == "received"


def _rescue(fleet: Fleet) -> None:
    fleet.until("demo-3", lambda s: s["status"] == "idle" and s["uncommitted_files"])
    fleet.ao("kill", "demo-3", "--yes")
    fleet.until_ended("demo-3")
    [saved] = fleet.ao("rescue", "ls")["rescues"]
    ref = saved["rescue"]["ref"]
    assert "textkit/title.py" in fleet.act("rescue show", ref="demo-3")["patch"]
    assert fleet.act("rescue restore", ref=ref)["id"] == "demo-3"
    fleet.until("demo-3", lambda s: s["status"] == "idle" and s["uncommitted_files"])
    fleet.act("kill", session="demo-3")
    fleet.until_ended("demo-3")
    assert fleet.act("restore", session="demo-3")["id"] == "demo-3"
    fleet.until("demo-3", lambda s: s["status"] == "idle")
    facts = fleet.client.act("rescue drop", {"ref": ref}, preview=True)
    assert ref in str(facts["title"])
    fleet.act("rescue drop", ref=ref)
    with pytest.raises(NotFound):
        fleet.act("rescue show", ref=ref)


def _looking(fleet: Fleet, tmp_path: Path) -> None:
    assert fleet.act("doctor")["findings"]
    assert {plugin["slot"] for plugin in fleet.act("plugin list")["plugins"]} >= {"agent", "runtime", "scm"}
    assert fleet.act("cleanup", **{"dry-run": True})["dry_run"] is True
    assert fleet.act("reload")["file"] == str(fleet.place.config)
    assert "demo" in fleet.ao("config", "show")["yaml"]
    assert fleet.ao("trust", "--yes")["allowed"] == []
    shown = fleet.ao("status", "--all")["sessions"]
    assert {session["id"] for session in shown} == {"demo-1", "demo-2", "demo-3"}
    other = tmp_path / "other"
    other.mkdir()
    for words in (["init", "-q", "-b", "main"], ["commit", "-q", "--allow-empty", "-m", "first"]):
        subprocess.run(["git", *words], cwd=other, check=True, capture_output=True, timeout=20)
    (other / "Makefile").write_text("test:\n\ttrue\n")
    added = fleet.ao("project", "add", str(other), "--prefix", "oth")
    assert (added["prefix"], added["checks"]) == ("oth", ["make test"])
    spawned = fleet.ao("spawn", "other", "--prompt", "look around")["id"]
    fleet.until(spawned, lambda s: s["status"] == "idle")
    fleet.act("kill", session=spawned)
    fleet.until_ended(spawned)
    with pytest.raises(Conflict, match="live sessions"):
        fleet.act("project rm", project="demo")
    assert fleet.act("project rm", project="Other") == {"id": "other"}
    with pytest.raises(BadInput):
        fleet.act("spawn", project="demo")
