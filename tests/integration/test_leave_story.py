"""Leave to run something, over a real server: a hook that waits for its rules, and people who allow always."""

from __future__ import annotations

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
from orchestrator.domain.own_program import RULE
from orchestrator.services.trust import Trusted, trust_file
from orchestrator.storage.layout import Home, server_name
from tests.integration import asking_agent

pytestmark = [pytest.mark.tmux, pytest.mark.git, pytest.mark.timeout(120)]
LIMIT = 30.0
PLUGIN = Path(asking_agent.__file__)
POLICY = f"""
plugins: [{{name: asking, path: {PLUGIN}}}]
policy:
  deny: ["Bash(git push --force*)"]
"""
HOOK = """\
set -eu
cd "$1"
printf 'permit\\0%s\\0' "$2" >outbox/.draft
mv outbox/.draft "outbox/$3"
until [ -e "inbox/$3" ]; do sleep 0.02; done
cat "inbox/$3"
"""
"""Plays the agent's hook: session's folder, payload, name of the request."""


class Story:
    """A server whose agents ask for leave."""

    def __init__(self, folder: Path) -> None:
        self.home = Home(folder)
        config = sandbox.make(folder).config
        config.write_text(config.read_text().replace("agent: rehearsal", "agent: asking") + POLICY)
        for file in (config, PLUGIN):
            trust_file(file, Trusted(self.home))
        self.client = Client(self.home.api_socket)
        self.env = {**os.environ, "AO_HOME": str(folder), "PYTHONPATH": str(PLUGIN.parents[2])}
        argv = [sys.executable, "-m", "bot", "--config", str(config), "start"]
        self.server = subprocess.Popen(argv, env=self.env, stdout=subprocess.PIPE, text=True)

    def act(self, verb: str, /, **arguments: Any) -> Any:
        return self.client.act(verb, arguments).get("data")

    def folder(self, session: str) -> Path:
        return self.home.path / "projects" / "demo" / "sessions" / session

    def until(self, look: Callable[[], Any], what: str) -> Any:
        end = time.monotonic() + LIMIT
        after = 0
        while not (found := look()):
            assert time.monotonic() < end, what
            happened = self.client.events(after, limit=1000, wait=0.5)
            after = int(str(happened[-1]["seq"])) if happened else after
        return found

    def spawn(self, issue: str) -> str:
        session = str(self.act("spawn", project="demo", issue=issue)["id"])
        self.until((self.folder(session) / "agent" / "judged").exists, f"{session} does not start")
        return session

    def asks(self, session: str, command: str) -> None:
        (self.folder(session) / "agent" / "asks").write_text(command)

    def got(self, session: str) -> str:
        file = self.folder(session) / "agent" / "got"
        return file.read_text() if file.exists() else ""

    def hook(self, session: str, command: str, name: str) -> str:
        argv = ["sh", "-c", HOOK, "hook", str(self.folder(session)), command, name]
        return subprocess.run(argv, capture_output=True, text=True, timeout=LIMIT, check=True).stdout


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    made = Story(tmp_path / "home")
    assert made.server.stdout
    assert "looks after" in made.server.stdout.readline()
    yield made
    made.server.terminate()
    made.server.communicate(timeout=30)
    subprocess.run(
        ["tmux", "-L", server_name(made.home), "kill-server"], capture_output=True, timeout=10, check=False
    )


def test_rules_answer_the_hook_and_the_dialogs(story: Story) -> None:
    one, two = story.spawn("1"), story.spawn("2")
    assert (story.folder(one) / "agent" / "judged").read_text() == "Bash"
    assert story.hook(one, "cd x && git push --force", "1800000000-1-a").startswith("0\ndeny: ")
    assert story.hook(one, "git status", "1800000000-2-a") == "0\n"
    for session in (one, two):
        story.asks(session, "git status")
        story.until(lambda s=session: story.client.session(s)["question"], "nobody is asked")  # type: ignore[misc]
    story.act("answer", session=one, text="allow always")
    for session in (one, two):
        story.until(lambda s=session: story.got(s) == "Allow once\n", "the answer does not arrive")  # type: ignore[misc]
    rules = {rule["rule"]: rule for rule in story.act("rules", project="demo")["rules"]}
    assert rules.keys() == {"deny Bash(git push --force*)", RULE, "allow Bash(git status)"}
    story.asks(two, "cd x; git push --force")
    story.until(lambda: "Deny: " in story.got(two), "it is not denied")
    story.act("rules rm", id=rules["allow Bash(git status)"]["id"])
    assert len(story.act("rules")["rules"]) == 2
