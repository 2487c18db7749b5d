"""What a shell offers while `ao` is typed."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from bot.frontends.api.server import ApiServer
from bot.frontends.shell import completion
from orchestrator.testing import examples
from tests.unit.bot.house import House


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AO_HOME", str(tmp_path / "home"))


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["sta"], ["start", "status"]),
        (["resc"], ["rescue"]),
        (["rescue", "s"], ["show"]),
        (["completion", ""], {"bash", "fish", "zsh"}),
        (["kill", "--y"], ["--yes"]),
        (["retry", "--r"], ["--rerun"]),
        (["service", "install", "--kind", ""], ["launchd", "systemd"]),
        (["send", "--ag"], []),
        (["nonsense", ""], []),
    ],
)
def test_verbs_options_and_choices(words: Any, offered: Any) -> None:
    found = completion.candidates(words)
    if isinstance(offered, set):
        assert offered <= set(found)
    else:
        assert found == offered


def test_an_empty_line_offers_every_verb() -> None:
    assert {"spawn", "rescue", "config"} <= set(completion.candidates([""]))
    assert completion.candidates([]) == completion.candidates([""])


async def test_live_sessions_and_projects(house: House) -> None:
    house.fleet.put(examples.session(id="demo-1"))
    server = ApiServer(house.core, house.actions, house.core.home.api_socket)
    await server.start()
    assert await asyncio.to_thread(completion.candidates, ["kill", "de"]) == ["demo-1"]
    assert await asyncio.to_thread(completion.candidates, ["spawn", "de"]) == ["demo"]
    await server.stop()


def test_without_a_server_there_is_nothing_to_offer() -> None:
    assert completion.candidates(["kill", "de"]) == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_scripts_ask_the_program(shell: str) -> None:
    assert "ao __complete" in completion._SCRIPTS[shell]


def test_bash_takes_its_script(tmp_path: Path) -> None:
    bash = shutil.which("bash")
    assert bash
    program = tmp_path / "ao"
    program.write_text('#!/bin/sh\nshift\necho "got-$#-$1" ; echo second\n')
    program.chmod(0o755)
    script = (
        completion.BASH
        + '\nCOMP_WORDS=(ao kill ""); COMP_CWORD=2; _ao_complete; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = subprocess.run(
        [bash, "-c", script],
        capture_output=True,
        text=True,
        timeout=10,
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        check=True,
    )
    assert done.stdout.split() == ["got-2-kill", "second"]
