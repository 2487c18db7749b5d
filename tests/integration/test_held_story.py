"""The gate with the real program: real git, real tmux, the local forge, a scripted agent, somebody at a shell."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from orchestrator.errors import Conflict
from orchestrator.storage.layout import server_name
from tests.integration.test_verbs_story import Fleet

pytestmark = [pytest.mark.tmux, pytest.mark.git, pytest.mark.timeout(300)]
CI = ".github/workflows/ci.yml"
BRANCH = "refs/heads/feat/issue-5"
PLAN: list[dict[str, Any]] = [
    {"write": CI, "text": "on: push\njobs: {}"},
    {"commit": "Add a workflow"},
    {"run": ["ao", "pr", "create", "--title", "Add a workflow", "--body", "For CI."], "must": "fail"},
    {"run": ["git", "push"], "must": "fail"},
    {"wait_message": ["is now sent back", "Only run it by hand"]},
    {"write": CI, "text": "on: workflow_dispatch\njobs: {}"},
    {"commit": "Run it by hand only"},
    {"run": ["ao", "pr", "create", "--title", "Add a workflow", "--body", "For CI."], "must": "fail"},
    {"wait": True},
]


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    made = Fleet(tmp_path / "home")
    issue = f"---\ntitle: Add a workflow\n---\n\n```rehearsal\n{json.dumps(PLAN)}\n```\n"
    (made.place.repository / "issues" / "5.md").write_text(issue)
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


def on_forge(fleet: Fleet) -> str:
    """The commit of the session's branch on the forge; empty while there is none."""
    forge = fleet.home.path / "projects" / "demo" / "forge.git"
    asked = ["git", "--git-dir", str(forge), "for-each-ref", "--format=%(objectname)", BRANCH]
    return subprocess.run(asked, check=True, capture_output=True, text=True, timeout=20).stdout.strip()


def held(fleet: Fleet) -> Any:
    """What waits, once something does."""
    waiting = fleet.until("demo-1", lambda s: s["reason"].startswith("push held"))
    assert waiting["status"] == "waiting_input"
    return fleet.ao("held", "demo-1")["push"]


def test_a_held_push_is_sent_back_and_the_better_one_released(fleet: Fleet) -> None:
    fleet.ao("spawn", "demo", "5")
    first = held(fleet)
    [finding] = first["findings"]
    assert (finding["kind"], finding["path"]) == ("path", CI)
    assert "+on: push" in finding["hunks"]
    assert on_forge(fleet) == ""

    back = ("send-back", "demo-1", "--head", first["head"][:12], "--yes", "Only run it by hand")
    fleet.ao(*back)
    fleet.until("demo-1", lambda s: s["local_head"] != first["head"] and s["reason"].startswith("push held"))
    second = held(fleet)
    assert "+on: workflow_dispatch" in second["findings"][0]["hunks"]
    assert on_forge(fleet) == ""
    with pytest.raises(Conflict, match="not at"):
        fleet.act("release", session="demo-1", head=first["head"])
    assert on_forge(fleet) == ""

    fleet.ao("release", "demo-1", "--head", second["head"], "--yes")
    opened = fleet.until("demo-1", lambda s: s["pull_request"])
    assert opened["pull_request"]["head"] == on_forge(fleet) == second["head"]
    assert opened["pull_request"]["title"] == "Add a workflow"
    told = [str(event["type"]) for event in fleet.client.events(0, limit=1000)]
    assert [told.count(f"push.{kind}") for kind in ("held", "sent_back", "released")] == [2, 1, 1]
    assert fleet.ao("held", "demo-1")["push"] is None
