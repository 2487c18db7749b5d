"""While no server runs, `$AO_HOME` alone is enough, from whatever folder somebody asks."""

from __future__ import annotations

import json
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.services.trust import Trusted, trust_file
from tests.integration.faults.house import House, make_repository

pytestmark = [pytest.mark.tmux, pytest.mark.git, pytest.mark.timeout(180)]


@pytest.fixture
def left(tmp_path: Path) -> Iterator[House]:
    """A home whose server was killed while a session lives."""
    house = House(tmp_path)
    try:
        house.start()
        house.spawn_waiting(1)
        house.kill()
        yield house
    finally:
        house.close()


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A folder without a configuration."""
    folder = tmp_path / "bare"
    folder.mkdir()
    return folder


@pytest.fixture
def other(left: House, tmp_path: Path) -> Path:
    """The repository of another configuration."""
    folder = make_repository(tmp_path / "other", {1: [{"wait": True}]})
    config = folder / "agent-orchestrator.yaml"
    config.write_text(f"projects:\n  app:\n    path: {folder}\n    agent: rehearsal\n    runtime: tmux\n")
    trust_file(config, Trusted(left.home))
    return folder


def test_reading_verbs_show_the_whole_home(left: House, bare: Path, other: Path) -> None:
    for folder in (bare, other):
        done = left.ao("status", "--json", config=False, cwd=folder)
        assert done.returncode == 0, done.stderr
        said = json.loads(done.stdout)
        assert [session["id"] for session in said["sessions"]] == ["demo-1"]
        assert said["watched"] is False
        assert said["last_seen"] > 1.7e9
        assert "Nothing is watching; last seen at 20" in done.stderr
        for words in (("events",), ("output", "demo-1"), ("attach", "demo-1"), ("rescue", "ls")):
            assert left.ao(*words, "--json", config=False, cwd=folder).returncode == 0, words
    assert left.ao("project", "ls", "--json", config=False, cwd=bare).returncode == 0
    checked = left.ao("config", "check", config=False, cwd=bare)
    assert checked.returncode == 0, checked.stdout
    assert str(left.config) in checked.stdout
    assert "last ran with" in checked.stdout


def test_a_changing_verb_reaches_a_session_of_another_configuration(
    left: House, bare: Path, other: Path
) -> None:
    told = left.ao("send", "demo-1", "hello", config=False, cwd=other)
    assert told.returncode == 0, told.stderr
    refused = left.ao("spawn", "demo", "1", config=False, cwd=other)
    assert refused.returncode == 3
    assert str(other / "agent-orchestrator.yaml") in refused.stderr
    assert str(left.config) in refused.stderr
    assert left.ao("kill", "demo-1", "--yes", config=False, cwd=other).returncode == 0
    said = json.loads(left.ao("status", "--all", "--json", config=False, cwd=bare).stdout)
    assert [(s["id"], s["wanted"]) for s in said["sessions"]] == [("demo-1", "stop")]


def test_start_takes_the_configuration_that_the_home_last_ran_with(left: House, bare: Path) -> None:
    server = left.launch_in(bare)
    left.until("it answers", left.client.running)
    assert str(left.config) in left.said()
    assert [s["id"] for s in left.client.sessions()] == ["demo-1"]
    watched = json.loads(left.ao("status", "--json", config=False, cwd=bare).stdout)
    assert watched["watched"] is True
    server.terminate()
    assert server.wait(30) == 0


def test_a_start_says_which_sessions_another_configuration_has(left: House, other: Path) -> None:
    left.launch_in(other)
    left.until("it answers", left.client.running)
    left.until("it says so", lambda: "demo-1" in left.said())
    assert f"ao --config {left.config} start" in left.said()


def test_a_remembered_file_that_is_gone_is_named(left: House, bare: Path) -> None:
    left.config.unlink()
    refused = left.ao("start", config=False, cwd=bare)
    assert refused.returncode == 3
    assert str(left.config) in refused.stderr
    done = left.ao("status", "--json", config=False, cwd=bare)
    assert done.returncode == 0
    assert [s["id"] for s in json.loads(done.stdout)["sessions"]] == ["demo-1"]


def test_a_service_starts_as_it_is_written(left: House, bare: Path, tmp_path: Path) -> None:
    done = left.ao("service", "install", "--kind", "systemd", "--output", str(bare), config=False, cwd=bare)
    assert done.returncode == 0, done.stderr
    assert str(left.config) in done.stdout
    rows = (bare / "agent-orchestrator.service").read_text().splitlines()
    command = next(row.removeprefix("ExecStart=") for row in rows if row.startswith("ExecStart="))
    variables = [shlex.split(row.removeprefix("Environment="))[0] for row in rows if "Environment=" in row]
    env = {"HOME": str(tmp_path), **dict(variable.split("=", 1) for variable in variables)}
    with left.log.open("ab") as log:
        left.server = subprocess.Popen(shlex.split(command), cwd=tmp_path, env=env, stdout=log, stderr=log)
    left.until("it answers", left.client.running)
    assert [s["id"] for s in left.client.sessions()] == ["demo-1"]
    assert left.stop() == 0
