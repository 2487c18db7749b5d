"""How Claude Code is started: with whose login, with which variables, and what lies in a folder of its own."""

from __future__ import annotations

import json

import pytest

from orchestrator.ports.agent import AgentTask
from orchestrator.testing.fakes.place import FakePlace
from plugins._shared.agent_launch import Launcher
from tests.unit.plugins._shared.claude_code import PROFILE, SESSION

KEY = "sk-ant-" + "q" * 60 + "the-end-of-the-key-1"
TASK = AgentTask(prompt="Fix it", judged=frozenset({"Edit", "Bash"}))
OWN = "/session/agent/home"


async def _prepared(ours: dict[str, str], place: FakePlace, *, isolated: bool = False) -> dict[str, str]:
    launcher = Launcher(PROFILE.model_copy(update={"isolated": isolated}), ours)
    await launcher.write_files(SESSION, place, TASK)
    return launcher.environment(SESSION, place, TASK)


@pytest.mark.parametrize(
    ("ours", "isolated", "folder", "named"),
    [
        ({}, False, "/home/ada/.claude", None),
        ({"CLAUDE_CONFIG_DIR": "/home/ada/work"}, False, "/home/ada/work", "/home/ada/work"),
        ({"ANTHROPIC_API_KEY": ""}, False, "/home/ada/.claude", None),
        ({"ANTHROPIC_API_KEY": KEY}, False, OWN, OWN),
        ({"ANTHROPIC_AUTH_TOKEN": KEY}, False, OWN, OWN),
        ({"ANTHROPIC_API_KEY": KEY, "CLAUDE_CONFIG_DIR": "/home/ada/work"}, False, OWN, OWN),
        ({}, True, OWN, OWN),
    ],
)
async def test_whose_folder_it_uses(
    ours: dict[str, str], isolated: bool, folder: str, named: str | None
) -> None:
    place = FakePlace()
    environment = await _prepared(ours, place, isolated=isolated)
    launcher = Launcher(PROFILE.model_copy(update={"isolated": isolated}), ours)
    assert launcher.agent_home(SESSION, place) == folder
    assert environment.get("CLAUDE_CONFIG_DIR") == named
    # A person's folder is theirs: nothing is written there.
    outside = {path for path in place.files if not path.startswith("/session/agent/")}
    assert outside == set()
    assert (f"{OWN}/.claude.json" in place.files) is (folder == OWN)


async def test_of_a_key_only_its_end_is_written() -> None:
    place = FakePlace()
    environment = await _prepared({"ANTHROPIC_API_KEY": KEY}, place)
    assert environment["ANTHROPIC_API_KEY"] == KEY
    written = b"\n".join(place.files.values()).decode()
    assert KEY not in written
    assert KEY[-21:] not in written
    approved = json.loads(place.files[f"{OWN}/.claude.json"])["customApiKeyResponses"]["approved"]
    assert approved == [KEY[-20:]]


async def test_what_lies_in_its_own_folder_is_written_once() -> None:
    place = FakePlace()
    await _prepared({"ANTHROPIC_API_KEY": KEY}, place)
    place.files[f"{OWN}/.claude.json"] = b'{"theirs": true}'
    place.files["/session/agent/settings.json"] = b"changed by the agent"
    await _prepared({"ANTHROPIC_API_KEY": KEY}, place)
    assert place.files[f"{OWN}/.claude.json"] == b'{"theirs": true}'
    assert json.loads(place.files["/session/agent/settings.json"])["hooks"]


async def test_nothing_of_ours_passes_that_is_not_listed() -> None:
    ours = {
        "ANTHROPIC_BASE_URL": "http://127.0.0.1:9",
        "AWS_PROFILE": "",
        "AWS_SECRET_ACCESS_KEY": "x",
        "GITHUB_TOKEN": "x",
        "SLACK_BOT_TOKEN": "x",
        "LD_PRELOAD": "/x.so",
        "PATH": "/ours",
    }
    assert await _prepared(ours, FakePlace()) == {
        "ANTHROPIC_BASE_URL": "http://127.0.0.1:9",
        "DISABLE_AUTOUPDATER": "1",
    }


@pytest.mark.parametrize(
    ("judged", "matcher"),
    [
        (frozenset({"Edit", "Bash"}), "Bash|Edit"),
        (frozenset({"*", "Bash"}), "*"),
        (frozenset(), "AoJudgesNoTool"),
    ],
)
async def test_the_tools_that_rules_are_about_are_judged(judged: frozenset[str], matcher: str) -> None:
    place = FakePlace()
    await Launcher(PROFILE, {}).write_files(SESSION, place, AgentTask(prompt="x", judged=judged))
    hooks = json.loads(place.files["/session/agent/settings.json"])["hooks"]["PreToolUse"]
    assert [hook["matcher"] for hook in hooks] == ["*", matcher]
    assert hooks[1]["hooks"][0]["command"].endswith("ao-hook judge")


def test_a_task_that_looks_like_an_option_is_none() -> None:
    argv = Launcher(PROFILE, {}).argv(SESSION, FakePlace(), AgentTask(prompt="--help"), resume=False)
    assert argv[-2:] == ("--", "--help")


@pytest.mark.parametrize(
    ("remembered", "trusted"),
    [
        ({}, False),
        ({"trust": "No, exit"}, False),
        ({"other": "Yes, I trust this folder"}, False),
        ({"trust": "Yes, I trust this folder"}, True),
    ],
)
async def test_a_folder_of_its_own_knows_what_a_person_trusted(
    remembered: dict[str, str], trusted: bool
) -> None:
    place = FakePlace()
    launcher = Launcher(PROFILE, {"ANTHROPIC_API_KEY": KEY})
    await launcher.write_files(SESSION, place, AgentTask(prompt="Fix it", remembered=remembered))
    kept = json.loads(place.files[f"{OWN}/.claude.json"])
    assert kept["hasCompletedOnboarding"]
    projects = {str(SESSION.project.path): {"hasTrustDialogAccepted": True}}
    assert kept.get("projects", {}) == (projects if trusted else {})
