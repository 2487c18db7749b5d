"""A step of a plan is a call of whatever tool the agent offers for it."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

import pytest

from bot.demo.cast import AGENTS, cast
from bot.demo.evidence import clean_environment
from bot.demo.model_conversation import Tool
from bot.demo.model_plan import Step
from bot.demo.model_tools import Call, call_for
from orchestrator.errors import BadInput

PATH = {"properties": {"file_path": {"type": "string"}}}
EDIT: dict[str, object] = {"properties": {"file_path": {}, "old_string": {}, "new_string": {}}}
SHELL = {"exec_command": Tool({"properties": {"cmd": {"type": "string"}}})}
READS = Step.read({"read": "a b.py"})
EDITS = Step.read({"edit": "a.py", "old": "one\ntwo\n", "new": ["1", "2", ""]})
ASKS = Step.read({"ask": "Which?", "options": ["one", "the other"]})


def test_an_agent_with_tools_for_it_uses_them() -> None:
    tools = {"Read": Tool(PATH), "Edit": Tool(EDIT), "AskUserQuestion": Tool({})}
    assert call_for(READS, tools) == Call("Read", {"file_path": "a b.py"})
    edited = {"file_path": "a.py", "old_string": "one\ntwo\n", "new_string": "1\n2\n"}
    assert call_for(EDITS, tools) == Call("Edit", edited)
    asked = call_for(ASKS, tools).input
    assert isinstance(asked, dict)
    assert [option["label"] for option in asked["questions"][0]["options"]] == ["one", "the other"]


def test_an_agent_that_patches_is_given_a_patch() -> None:
    call = call_for(EDITS, {**SHELL, "apply_patch": Tool({}, "custom")})
    assert call.name == "apply_patch"
    assert str(call.input).splitlines()[1:-1] == ["*** Update File: a.py", "@@", "-one", "-two", "+1", "+2"]


def test_an_agent_with_a_shell_alone_reads_edits_and_asks_by_it(tmp_path: Path) -> None:
    assert call_for(READS, SHELL).input == {"cmd": "cat 'a b.py'"}
    assert call_for(ASKS, SHELL).input == {"cmd": "ao ask 'Which?' --option=one '--option=the other'"}
    (tmp_path / "a.py").write_text("zero\none\ntwo\n")
    call = call_for(EDITS, SHELL).input
    assert isinstance(call, dict)
    subprocess.run(shlex.split(call["cmd"]), cwd=tmp_path, check=True)
    assert (tmp_path / "a.py").read_text() == "zero\n1\n2\n"


def test_an_agent_that_does_not_play_is_refused_with_those_that_do() -> None:
    with pytest.raises(BadInput, match="not played by 'aider'") as refused:
        cast("aider", None, print)
    assert AGENTS == ("rehearsal", "claude-code", "codex")
    assert "codex" in str(refused.value.next_step)


def test_a_persons_own_account_is_withheld(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CODEX_ACCESS_TOKEN", "mine")
    assert "CODEX_ACCESS_TOKEN" in clean_environment(tmp_path)
    assert "CODEX_ACCESS_TOKEN" not in clean_environment(tmp_path, ("CODEX_",))
