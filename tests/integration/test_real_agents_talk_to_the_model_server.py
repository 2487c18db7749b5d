"""Real Claude Code and real Codex play a plan of the model server and commit, in a throw-away home."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.contracts import real_agents

pytestmark = [pytest.mark.slow, pytest.mark.git, pytest.mark.timeout(700)]

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0
KEY = "sk-ant-stub-" + "0" * 40
PLAN = {
    "rules": [
        {
            "when": "^Greet",
            "all": ["in a file"],
            "steps": [
                {"write": "greeting.txt", "text": "hello\n", "text_before": "I write the file."},
                {"status": 529, "times": 1, "error": "full"},
                {"sh": "git add -A && git commit -q -m 'Greet' && git log --oneline -1"},
                {"say": "Done: greeted."},
            ],
        }
    ]
}
TASK = f"Greet somebody in a file.\n\n```model-plan\n{json.dumps(PLAN)}\n```\n"


class Desk:
    """A home, a repository and a model server."""

    def __init__(self, folder: Path, port: int) -> None:
        self.home = folder / "home"
        self.repository = folder / "repository"
        self.log = folder / "log.jsonl"
        self.port = port

    def make(self) -> None:
        self.home.mkdir()
        self.repository.mkdir()
        self.git("init", "--quiet", "--initial-branch=main")
        self.git("commit", "--quiet", "--allow-empty", "--message=Begin")

    @property
    def environment(self) -> dict[str, str]:
        names = {
            f"GIT_{who}_{what}": "sandbox@localhost"
            for who in ("AUTHOR", "COMMITTER")
            for what in ("NAME", "EMAIL")
        }
        return {"PATH": os.environ["PATH"], "HOME": str(self.home), "GIT_CONFIG_NOSYSTEM": "1", **names}

    def git(self, *args: str) -> str:
        argv = ["git", "-C", str(self.repository), *args]
        done = subprocess.run(argv, env=self.environment, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def run(self, argv: list[str], more: Mapping[str, str]) -> str:
        done = subprocess.run(
            argv,
            cwd=self.repository,
            env={**self.environment, **more},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0, f"{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
        return done.stdout

    def played(self) -> list[tuple[Any, ...]]:
        """What was asked of the model for the task."""
        lines = [json.loads(line) for line in self.log.read_text().splitlines()]
        return [(line["step"], line["tool"], line["status"]) for line in lines if line["rule"]]

    def conversations(self) -> set[str]:
        lines = [json.loads(line) for line in self.log.read_text().splitlines()]
        return {line["conversation"] for line in lines if line["rule"]}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    argv = [
        sys.executable,
        "-m",
        "bot.demo.model_server",
        "--with-parent",
        "--log",
        str(tmp_path / "log.jsonl"),
    ]
    with subprocess.Popen(argv, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        desk = Desk(tmp_path, json.loads(server.stdout.readline())["port"])
        desk.make()
        yield desk


def test_claude_code_commits(desk: Desk) -> None:
    trust = {str(desk.repository): {"hasTrustDialogAccepted": True}}
    settings = {
        "hasCompletedOnboarding": True,
        "theme": "dark",
        "customApiKeyResponses": {"approved": [KEY[-20:]], "rejected": []},
        "projects": trust,
    }
    (desk.home / ".claude.json").write_text(json.dumps(settings))
    environment = {
        "ANTHROPIC_BASE_URL": f"http://127.0.0.1:{desk.port}",
        "ANTHROPIC_API_KEY": KEY,
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "DISABLE_AUTOUPDATER": "1",
    }
    argv = [
        real_agents.program("claude-code"),
        "-p",
        TASK,
        "--permission-mode",
        "acceptEdits",
        "--allowedTools",
        "Bash",
    ]
    result = json.loads(desk.run([*argv, "--output-format", "json"], environment))
    assert (result["is_error"], result["result"]) == (False, "Done: greeted.")
    assert desk.git("log", "--format=%s", "-1") == "Greet"
    assert desk.git("show", "HEAD:greeting.txt") == "hello"
    assert desk.played() == [(0, "Write", 200), (1, None, 529), (2, "Bash", 200), (3, None, 200)]
    assert desk.conversations() == {result["session_id"]}


_CODEX = """\
model = "{model}"
model_provider = "stub"
check_for_update_on_startup = false
[model_providers.stub]
name = "stub"
base_url = "http://127.0.0.1:{port}/v1"
wire_api = "responses"
env_key = "STUB_KEY"
supports_websockets = false
[projects."{repository}"]
trust_level = "trusted"
"""


@pytest.mark.parametrize(("model", "writer"), [("stub-model", "exec_command"), ("gpt-5.5", "apply_patch")])
def test_codex_commits(desk: Desk, model: str, writer: str) -> None:
    # It refuses to make its programs below the temporary folder, where our home is: so that is another one for it.
    folder = desk.home / ".codex"
    folder.mkdir()
    config = _CODEX.format(model=model, port=desk.port, repository=desk.repository)
    (folder / "config.toml").write_text(config)
    with tempfile.TemporaryDirectory(dir=desk.home, prefix="tmp-") as temporary:
        argv = [real_agents.program("codex"), "exec", "--json", "--dangerously-bypass-approvals-and-sandbox"]
        output = desk.run([*argv, TASK], {"STUB_KEY": "x", "TMPDIR": temporary})
    events = [json.loads(line) for line in output.splitlines()]
    said = [event["item"]["text"] for event in events if event.get("item", {}).get("type") == "agent_message"]
    assert said == ["I write the file.", "Done: greeted."]
    assert desk.git("log", "--format=%s", "-1") == "Greet"
    assert desk.git("show", "HEAD:greeting.txt") == "hello"
    assert desk.played() == [(0, writer, 200), (1, None, 529), (2, "exec_command", 200), (3, None, 200)]
    assert desk.conversations() == {
        event["thread_id"] for event in events if event["type"] == "thread.started"
    }
