"""A new plugin's contract test passes from the first minute, for every slot."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from bot.actions import registry
from bot.frontends.shell import plugin_create
from bot.frontends.shell.console import Console
from bot.frontends.shell.machine import Surroundings
from orchestrator.errors import BadInput, Conflict
from orchestrator.ports.plugin import PluginContext
from orchestrator.registry import Registry
from tests.unit.bot.frontends.shell.machines import NoMachine

SLOTS = registry.load("plugin create").arguments[0].choices
ROOT = Path(__file__).parents[5]


def create(tmp_path: Path, slot: str, name: str) -> Path:
    console = Console(out=io.StringIO())
    where = Surroundings(env={}, cwd=str(tmp_path))
    asked = {"slot": slot, "name": name, "output": str(tmp_path / slot)}
    assert plugin_create.run(NoMachine(), where, console, asked) == 0
    return tmp_path / slot


@pytest.mark.timeout(240)
def test_a_slots_contract_test_passes(tmp_path: Path) -> None:
    passes(tmp_path, ["notifier"])


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_every_slots_contract_test_passes(tmp_path: Path) -> None:
    passes(tmp_path, SLOTS)


def passes(tmp_path: Path, slots: Sequence[str]) -> None:
    folders = [create(tmp_path, slot, f"my-{slot}") for slot in slots]
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "-p",
            "no:randomly",
            "--rootdir",
            str(tmp_path),
            "-o",
            "asyncio_mode=auto",
            "-o",
            "asyncio_default_fixture_loop_scope=function",
            "-o",
            f"pythonpath={' '.join(map(str, folders))}",
            *map(str, folders),
        ],
        capture_output=True,
        text=True,
        timeout=100,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    assert "failed" not in done.stdout


@pytest.mark.parametrize("slot", SLOTS)
def test_it_loads_from_its_file(tmp_path: Path, slot: str) -> None:
    folder = create(tmp_path, slot, "pager")
    loaded = Registry({}, PluginContext(home=tmp_path, data=str))
    loaded.add_file(folder / f"ao_{slot}_pager.py")
    assert loaded.names(slot) == ["pager"]


@pytest.mark.parametrize("name", ["", "Pager", "../x", "a b", "-x", "x" * 60, "1x", "a--b"])
def test_a_bad_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadInput, match="no name"):
        create(tmp_path, "notifier", name)
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notifier").mkdir()
    (tmp_path / "notifier" / "mine.txt").write_text("mine")
    with pytest.raises(Conflict, match="there already"):
        create(tmp_path, "notifier", "pager")
    assert [path.name for path in (tmp_path / "notifier").iterdir()] == ["mine.txt"]
