"""What the profile of Codex says without the program: our hooks are known to it, and it is asked for nothing else."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import tomllib
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from orchestrator import resources
from orchestrator.domain.activity import ActivityState
from orchestrator.ports.agent import AgentTask, JudgesCalls, Verdict
from orchestrator.ports.plugin import PluginContext
from orchestrator.testing import examples
from orchestrator.testing.fakes.place import FakePlace
from plugins._shared.agent_profile import load
from plugins._shared.agent_screen import read_screen, read_title
from plugins.agent.codex import PLUGIN

SESSION = examples.session_ref(environment={"HOME": "/home/ada"})
AT_MOST_ONE_SECOND = {"interrupt", "session_end"}
"""Events whose hooks it gives no longer, whatever is said."""


def _launch(ours: dict[str, str], *judged: str, **options: Any) -> tuple[list[str], dict[str, str]]:
    context = PluginContext(home=Path("/home"), data=resources.text, environment=ours)
    agent = PLUGIN.create(PLUGIN.options.model_validate(options), context)
    task = AgentTask(prompt="Do it.", judged=frozenset(judged))
    launch = asyncio.run(agent.prepare(SESSION, FakePlace(), task)).launch
    return list(launch.argv), dict(launch.environment)


def _settings(argv: list[str]) -> dict[str, Any]:
    """What is set on the command line; a later one of the same name counts."""
    found: dict[str, Any] = {}
    for flag, setting in pairwise(argv):
        if flag == "-c" and setting.startswith(("hooks", "model_provider")):
            name, _, value = setting.partition("=")
            found[name] = tomllib.loads(f"x={value}")["x"]
    return found


@pytest.mark.parametrize("judged", [(), ("Bash",), ("*",)])
def test_each_of_our_hooks_is_trusted_by_its_digest_and_by_nothing_else(
    judged: tuple[str, ...],
) -> None:
    settings = _settings(_launch({}, *judged)[0])
    trusted = settings.pop("hooks.state")
    wanted = {}
    for name, groups in settings.items():
        event = re.sub(r"(?<!^)([A-Z])", r"_\1", name.removeprefix("hooks.")).lower()
        for number, group in enumerate(groups):
            (hook,) = group["hooks"]
            assert hook["command"].startswith('"$AO_SESSION_DIR"/bin/ao-hook')
            assert event not in AT_MOST_ONE_SECOND or hook["timeout"] == 1
            known = {"event_name": event, "hooks": [{"async": False, **hook}]}
            known |= {"matcher": group["matcher"]} if "matcher" in group else {}
            text = json.dumps(known, sort_keys=True, separators=(",", ":"))
            key = f"/<session-flags>/config.toml:{event}:{number}:0"
            wanted[key] = {"trusted_hash": f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"}
    judge = "/<session-flags>/config.toml:pre_tool_use:1:0"
    assert {key: value for key, value in trusted.items() if judged or key != judge} == wanted


def test_calls_are_judged_only_where_there_are_rules() -> None:
    assert "ao-hook judge" not in str(_launch({}))
    assert "ao-hook judge" in str(_launch({}, "Bash"))


def test_with_the_persons_own_login_nothing_of_theirs_is_overruled() -> None:
    argv, environment = _launch({"OPENAI_BASE_URL": "http://gateway/v1"})
    assert "model_provider" not in _settings(argv)
    assert "CODEX_HOME" not in environment


@pytest.mark.parametrize(
    ("more", "url"),
    [({}, "https://api.openai.com/v1"), ({"OPENAI_BASE_URL": "http://gateway/v1"}, "http://gateway/v1")],
)
def test_with_a_key_it_has_a_folder_of_its_own_and_talks_to_the_gateway(
    more: dict[str, str], url: str
) -> None:
    argv, environment = _launch({"OPENAI_API_KEY": "sk-1", **more})
    settings = _settings(argv)
    assert settings["model_provider"] == "key"
    assert settings["model_providers.key"]["base_url"] == url
    assert (environment["OPENAI_API_KEY"], "sk-1" in str(argv)) == ("sk-1", False)
    assert environment["CODEX_HOME"].endswith("/agent/home")


def test_what_a_person_should_be_asked_about_is_not_run() -> None:
    """It knows only a no: with any other word it reports a failed hook, and runs the call."""
    context = PluginContext(home=Path("/home"), data=resources.text)
    agent = PLUGIN.create(PLUGIN.options(), context)
    assert isinstance(agent, JudgesCalls)
    assert agent.verdict(Verdict.ALLOW, "x") == "{}"
    told = json.loads(agent.verdict(Verdict.ASK, "rule 3"))["hookSpecificOutput"]
    assert told["permissionDecision"] == "deny"
    assert told["permissionDecisionReason"].startswith("rule 3. It was not run: ask")


SAID = "\u203a Do it.\n• Done.\n  Worked for 3s • 12:34\n"
PROMPT = "\u203a Ask Codex to do anything\n  gpt-5.5 default · ~/work/demo-1 · Do it\n  ← for agents · ? for shortcuts"
LEAVE = """\
{}  Would you like to run the following command?
  Reason: May I?
  $ make
\u203a 1. Yes, proceed (y)
  2. Yes, and don't ask again for commands that start with `make` (p)
  3. No, and tell Codex what to do differently (esc)
  Press enter to confirm or esc to cancel{}"""


# As 0.169.0 shows it with `--model gpt-5.5`.
NEW_MODEL = """\
  Meet GPT-6 Sol

  Our latest Sol is more intelligent and more efficient so your usage limits go further. This model is a great \
daily driver for complex tasks, especially coding.

{} 1. Try new model
{} 2. Use existing model

  enter/esc confirm · ^c quit
"""


@pytest.mark.parametrize(
    ("screen", "state", "dialog"),
    [
        (SAID + PROMPT, ActivityState.IDLE, None),
        # Its prompt is there before the task is: that is no waiting.
        (f"  >_ OpenAI Codex (v0.169.0)\n{PROMPT}", None, None),
        (f"\u203a Do it.\n■ Conversation interrupted\n{PROMPT}", ActivityState.IDLE, None),
        (f"{SAID}\u203a More.\n◦ Working (4s • esc to interrupt)\n{PROMPT}", ActivityState.BUSY, None),
        (
            f"{SAID}◦ Working (4s • esc to interrupt) · Running hook\n{PROMPT}",
            ActivityState.PERMISSION,
            None,
        ),
        (
            f"\u203a Do it.\n◦ Reconnecting... 2/5 (3s • esc to interrupt)\n{PROMPT}",
            ActivityState.LIMITED,
            None,
        ),
        ("  Welcome to Codex\n> 1. Sign in with ChatGPT\n", ActivityState.BLOCKED, None),
        (LEAVE.format(SAID, ""), ActivityState.PERMISSION, "leave"),
        (NEW_MODEL.format("\u203a", " "), ActivityState.ASKING, "new-model"),
        (NEW_MODEL.format(" ", "\u203a"), ActivityState.ASKING, "new-model"),
        # What a model says looks like a dialog, and is none: the prompt comes after it.
        (LEAVE.format(SAID, f"\n{PROMPT}"), ActivityState.IDLE, None),
    ],
)
def test_looks(screen: str, state: ActivityState | None, dialog: str | None) -> None:
    shown = read_screen(load(resources.text("agents/codex.yaml")), screen)
    assert (shown.state if shown else None) is state
    assert (shown.dialog.id.partition(":")[0] if shown and shown.dialog else None) == dialog


@pytest.mark.parametrize(
    ("title", "state"),
    [
        ("⠹ demo-1", ActivityState.BUSY),
        ("[ ! ] Action Required | demo-1", ActivityState.PERMISSION),
        ("Do it | demo-1", None),
    ],
)
def test_titles(title: str, state: ActivityState | None) -> None:
    shown = read_title(load(resources.text("agents/codex.yaml")), title)
    assert (shown.state if shown else None) is state


def test_another_model_is_a_persons_choice() -> None:
    shown = read_screen(load(resources.text("agents/codex.yaml")), NEW_MODEL.format("\u203a", " "))
    assert shown is not None
    assert shown.dialog is not None
    assert shown.dialog.text.startswith("Meet GPT-6 Sol\n")
    assert shown.dialog.options == ("Use existing model", "Try new model")
