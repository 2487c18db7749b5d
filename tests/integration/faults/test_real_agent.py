"""Claude Code, the real program, under a real `ao start`: asked, answered, interrupted, killed, restored."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.contracts import real_agents
from tests.contracts.real_agents import ModelServer, says, shell, wait
from tests.integration.faults.house import PROJECT, House

pytestmark = [pytest.mark.slow, pytest.mark.tmux, pytest.mark.git, pytest.mark.timeout(700)]

PATIENCE = 90.0
READY = f"Say that you are there. {says({'say': 'I am there.', 'usage': [1000, 20]})}"
Json = dict[str, Any]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ModelServer]:
    with real_agents.model_server(tmp_path) as server:
        yield server


@pytest.fixture
def house(tmp_path: Path, server: ModelServer) -> Iterator[House]:
    house = House(tmp_path, project=_agent())
    try:
        house.start(**real_agents.environment(server))
        yield house
    finally:
        house.close()


def _agent(more: str = "") -> str:
    program = json.dumps([real_agents.program("claude-code")])
    return f"agent: claude-code\nagentConfig:\n  program: {program}\n{more}"


def spawn(house: House, prompt: str = READY) -> str:
    """A session whose folder is trusted by a person, and whose first turn is over."""
    name = str(house.act("spawn", project=PROJECT, prompt=prompt)["data"]["id"])
    asked = question(house, name)
    assert "trust" in asked["text"].lower()
    house.act("answer", session=name, text="1")
    house.until_status(name, "idle", patience=PATIENCE)
    return name


def question(house: House, name: str) -> Json:
    """What the agent asks, once it does."""
    found: Json = house.until("it asks", lambda: house.session(name)["question"], patience=PATIENCE)
    return found


def stages(house: House, name: str, number: int) -> list[str]:
    kinds = [e["type"] for e in house.events(session=name) if e["data"].get("number") == number]
    return [kind.removeprefix("message.") for kind in kinds]


def send(house: House, name: str, text: str) -> None:
    house.act("send", session=name, text=text)


def test_a_command_waits_for_leave_and_what_is_said_meanwhile_changes_nothing(house: House) -> None:
    name = spawn(house)
    send(house, name, f"Run. {says(shell('env > made.txt'), {'say': 'Done.'})}")
    asked = question(house, name)
    assert "env > made.txt" in asked["text"]
    assert asked["options"] == ["Allow once", "Allow always", "Deny", "Deny and say why"]
    send(house, name, "1 yes")
    made = Path(house.session(name)["workspace"]) / "made.txt"
    assert house.session(name)["question"]["id"] == asked["id"]
    assert not made.exists()
    assert stages(house, name, 2) == ["received"]
    house.act("answer", session=name, text="deny: use the other one")
    house.until("message 2 came through", lambda: "answered" in stages(house, name, 2), patience=PATIENCE)
    assert not made.exists()
    assert "use the other one" in house.terminals.screen(name)
    assert [e["text"] for e in house.events("question.answered", name)][-1].startswith("owner")


def test_what_is_allowed_always_is_asked_once(house: House) -> None:
    name = spawn(house)
    run = f"Run. {says(shell('env > made.txt'), {'say': 'Done.'})}"
    send(house, name, run)
    question(house, name)
    house.act("answer", session=name, text="2")
    house.until("first", lambda: "answered" in stages(house, name, 1), patience=PATIENCE)
    send(house, name, f"Again. {run}")
    house.until("second", lambda: "answered" in stages(house, name, 2), patience=PATIENCE)
    assert len(house.events("policy.allowed", name)) == 1
    rules = house.ao("rules").stdout
    assert "env > made.txt" in rules


def test_a_rule_denies_also_what_runs_without_asking(tmp_path: Path, server: ModelServer) -> None:
    policy = "  permissions: permissionless\npolicy:\n  deny:\n    - Bash(touch *)\n"
    house = House(tmp_path, project=_agent(policy))
    try:
        house.start(**real_agents.environment(server))
        name = spawn(house)
        send(
            house,
            name,
            f"Run. {says(shell('true && touch made.txt'), shell('echo > fine.txt'), {'say': 'Done.'})}",
        )
        house.until("it came through", lambda: "answered" in stages(house, name, 1), patience=PATIENCE)
        workspace = Path(house.session(name)["workspace"])
        assert (workspace / "fine.txt").exists()
        assert not (workspace / "made.txt").exists()
        assert house.events("policy.denied", name)
    finally:
        house.close()


def test_its_question_has_a_button_for_each_option(house: House) -> None:
    name = spawn(house)
    ask = {
        "question": "Which colour?",
        "header": "Colour",
        "multiSelect": False,
        "options": [{"label": "red", "description": "warm"}, {"label": "blue", "description": "cold"}],
    }
    send(
        house,
        name,
        f"Ask. {says({'tool': 'AskUserQuestion', 'input': {'questions': [ask]}}, {'say': 'Thanks.'})}",
    )
    assert question(house, name)["options"] == ["red", "blue"]
    house.act("answer", session=name, text="blue")
    house.until("it goes on", lambda: "answered" in stages(house, name, 1), patience=PATIENCE)
    assert "Which colour? → blue" in house.terminals.screen(name)


def test_an_interrupt_is_confirmed_and_the_session_goes_on(house: House) -> None:
    name = spawn(house)
    send(house, name, f"Wait. {says(wait(), {'say': 'Done.'})}")
    question(house, name)
    house.act("answer", session=name, text="1")
    house.until("it runs", lambda: house.session(name)["work"]["state"] == "busy", patience=PATIENCE)
    said = house.act("interrupt", session=name)
    assert "stopped" in json.dumps(said)
    house.until_status(name, "idle", patience=PATIENCE)
    send(house, name, f"Hello. {says({'say': 'I am here.'})}")
    house.until("it answers", lambda: "answered" in stages(house, name, 2), patience=PATIENCE)


def test_killed_and_restored_it_goes_on_in_its_own_conversation(house: House) -> None:
    name = spawn(house)
    house.until("its use is shown", lambda: "tokens" in json.dumps(house.act("status", session=name)))
    pid = subprocess.run(
        ["pgrep", "-f", f"{house.folder(name).path}/agent/settings.json"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    for one in pid:
        os.kill(int(one), signal.SIGKILL)
    house.until_status(name, "errored", patience=PATIENCE)
    house.act("restore", session=name)
    house.until_status(name, "idle", patience=PATIENCE)
    assert "I am there." in house.terminals.screen(name)
    send(house, name, f"Hello. {says({'say': 'Still here.'})}")
    house.until("it answers", lambda: "answered" in stages(house, name, 1), patience=PATIENCE)


def test_its_plan_is_approved_before_it_works_and_costs_no_other_leave(house: House) -> None:
    asks = "ao ask --plan-file - <<'PLAN'\n# Plan\n\nGreet, and don't $HOME `it`.\nPLAN"
    steps = says(
        shell(asks, text_before="My plan first."),
        {"write": "greeting.txt", "text": "hello\n"},
        {"say": "Done."},
    )
    name = str(house.act("spawn", project=PROJECT, prompt=f"Greet. {steps}", plan=True)["data"]["id"])
    question(house, name)
    house.act("answer", session=name, text="1")  # its folder is trusted
    house.until(
        "the plan",
        lambda: (
            (house.session(name)["question"] or {"text": ""})["text"]
            == "Its plan: Greet, and don't $HOME `it`."
        ),
        patience=PATIENCE,
    )
    greeting = Path(house.session(name)["workspace"]) / "greeting.txt"
    assert not greeting.exists()
    house.act("answer", session=name, text="1")
    house.until("it works", greeting.exists, patience=PATIENCE)
