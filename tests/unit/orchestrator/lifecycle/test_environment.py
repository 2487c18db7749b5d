"""The environment of a session: compared whole, since one name too many is a leak."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.domain.ids import ProjectId
from orchestrator.domain.project import Project
from orchestrator.lifecycle.environment import Ours, session_environment
from orchestrator.testing import examples

PROJECT = Project(
    id=ProjectId("demo"),
    name="Demo",
    path=Path("/repository"),
    default_branch="main",
    prefix="demo",
    folder=Path("/srv/ao/projects/demo"),
    repo="acme/demo",
)
OURS = {
    "HOME": "/people/ada",
    "LANG": "C.UTF-8",
    "LC_TIME": "de_DE.UTF-8",
    "PATH": "/venv/bin:/usr/local/bin:relative:/usr/bin::/usr/local/bin",
    "VIRTUAL_ENV": "/venv",
    "TERM": "xterm-kitty",
    "TZ": "Europe/Berlin",
    "SLACK_BOT_TOKEN": "secret",
    "GITHUB_TOKEN": "secret",
    "ANTHROPIC_API_KEY": "secret",
    "SSH_AUTH_SOCK": "/run/agent",
    "LD_PRELOAD": "/evil.so",
    "PYTHONPATH": "/ours",
    "AO_HOME": "/srv/ao",
    "AO_SESSION": "another-1",
    "GIT_CONFIG_COUNT": "1",
    "GIT_CONFIG_KEY_0": "core.hooksPath",
    "HTTPS_PROXY": "http://me:secret@proxy:3128",
    "https_proxy": "http://proxy:3128",
}


def _made(ours: dict[str, str], project: Project = PROJECT, *programs: str) -> dict[str, str]:
    return session_environment(
        Ours(ours, programs),
        project=project,
        session=examples.session(),
        folder="/place/demo-1",
    )


def test_nothing_else_is_in_it() -> None:
    assert _made(OURS) == {
        "HOME": "/people/ada",
        "LANG": "C.UTF-8",
        "LC_TIME": "de_DE.UTF-8",
        "PATH": "/place/demo-1/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
        "TERM": "xterm-256color",
        "TZ": "Europe/Berlin",
        "https_proxy": "http://proxy:3128",
        "AO_CALLER_TYPE": "agent",
        "AO_ISSUE": "1",
        "AO_ISSUE_ID": "1",
        "AO_PROJECT": "demo",
        "AO_PROJECT_ID": "demo",
        "AO_SESSION": "demo-1",
        "AO_SESSION_DIR": "/place/demo-1",
        "AO_SESSION_ID": "demo-1",
        "AO_SESSION_NAME": "demo-1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_CONFIG_COUNT": "4",
        "GIT_CONFIG_KEY_0": "remote.origin.pushurl",
        "GIT_CONFIG_VALUE_0": "ao::session",
        "GIT_CONFIG_KEY_1": "remote.pushDefault",
        "GIT_CONFIG_VALUE_1": "origin",
        "GIT_CONFIG_KEY_2": "push.default",
        "GIT_CONFIG_VALUE_2": "current",
        "GIT_CONFIG_KEY_3": "protocol.ao.allow",
        "GIT_CONFIG_VALUE_3": "always",
    }


def test_folders_with_our_programs_are_not_on_the_path() -> None:
    ours = {"PATH": "/opt/ao/bin:/theirs/.venv/bin:/opt/aos/bin:/usr/bin", "VIRTUAL_ENV": "/theirs/.venv"}
    made = _made(ours, PROJECT, "/opt/ao")
    assert made["PATH"].split(":")[:3] == ["/place/demo-1/bin", "/opt/aos/bin", "/usr/bin"]


@pytest.mark.parametrize("path", ["", ":", "."])
def test_there_is_always_a_path(path: str) -> None:
    assert _made({"PATH": path})["PATH"].endswith("/usr/bin:/bin:/usr/sbin:/sbin")


def test_without_a_forge_there_is_still_an_origin_to_push_to() -> None:
    made = _made({}, replace(PROJECT, repo=""))
    keys = {
        made[f"GIT_CONFIG_KEY_{n}"]: made[f"GIT_CONFIG_VALUE_{n}"]
        for n in range(int(made["GIT_CONFIG_COUNT"]))
    }
    assert keys["remote.origin.url"] == "ao::session"
