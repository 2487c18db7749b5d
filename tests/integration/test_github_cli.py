"""`ao` in a checkout of GitHub, as a process, against a GitHub of ours."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml

from bot.demo.github.server import FakeGitHub
from orchestrator.ports.place import Completed
from plugins._shared.command import run

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.git, pytest.mark.timeout(120)]  # each command is a process of its own
FILE = "agent-orchestrator.yaml"


@dataclass
class Shell:
    """A checkout and what is set there."""

    folder: Path
    env: dict[str, str] = field(default_factory=dict)

    async def ao(self, *words: str, **more: str) -> Completed:
        argv = (sys.executable, "-m", "bot", *words)
        return await run(argv, cwd=self.folder, env={**self.env, **more}, timeout=60)

    def file(self) -> Mapping[str, object]:
        return dict(yaml.safe_load((self.folder / FILE).read_text())["projects"]["app"])


async def _git(folder: Path, *words: str) -> None:
    author = {f"GIT_{who}_{what}": "a@b" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    done = await run(("git", *words), cwd=folder, env={"PATH": os.environ["PATH"], **author})
    assert done.ok, done.error_text()


@pytest.fixture
async def shell(tmp_path: Path) -> Shell:
    folder = tmp_path / "app"
    folder.mkdir()
    await _git(folder, "init", "-q", "-b", "main")
    await _git(folder, "commit", "-q", "--allow-empty", "-m", "first")
    await _git(folder, "remote", "add", "origin", "git@github.com:acme/app.git")
    env = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(tmp_path),
        "AO_HOME": str(tmp_path / "home"),
        "PYTHONPATH": str(ROOT),
    }
    return Shell(folder, env)


@pytest.fixture
async def github(tmp_path: Path) -> AsyncIterator[FakeGitHub]:
    async with FakeGitHub(tmp_path / "github") as made:
        made.control.user("acme", "Organization")
        await made.control.repository("acme/app", collaborators={"bot": "write"})
        yield made


async def test_without_a_token_the_project_stays_on_this_machine_and_says_why(shell: Shell) -> None:
    done = await shell.ao("init", "--agent", "rehearsal")
    assert done.ok
    assert "acme/app: there is no token for github.com" in done.error_text()
    file = shell.file()
    assert (file["tracker"], file["scm"]) == ({"plugin": "local"}, {"plugin": "local"})
    listed = json.loads((await shell.ao("project", "ls", "--json")).text())
    assert "github" not in str(listed)


async def test_a_checkout_of_ours_is_known_by_its_remote_and_looked_at(
    shell: Shell, github: FakeGitHub
) -> None:
    await _git(shell.folder, "remote", "set-url", "origin", github.git_url("acme/app"))
    block = f"{{plugin: github, apiUrl: '{github.api_url}', tokenEnv: BOT}}"
    text = f"projects:\n  app:\n    path: .\n    agent: rehearsal\n    tracker: {{plugin: local}}\n    scm: {block}\n"
    await asyncio.to_thread((shell.folder / FILE).write_text, text)
    refused = await shell.ao("status")
    assert "nobody has trusted it" in refused.error_text()
    assert (await shell.ao("trust", "--yes")).ok
    token = github.control.token("bot", scopes=("repo", "workflow"))
    done = await shell.ao("github", "doctor", "--json", BOT=token)
    (project,) = json.loads(done.text())["projects"]
    assert (project["repo"], project["level"]) == ("acme/app", "warning")
    assert [one["text"].partition(" (")[0] for one in project["found"] if one["level"] != "ok"] == [
        "needless: workflow"
    ]
    assert token not in done.text() + done.error_text()
    lacking = await shell.ao("doctor")
    assert "there is no token for" in lacking.text()
    assert "BOT is not set" in lacking.text()
