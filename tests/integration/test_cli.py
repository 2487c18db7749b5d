"""The `ao` command as a process: what it imports, its exit codes, a whole life of a server."""

from __future__ import annotations

import importlib.metadata
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.cli import VERSION

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.git, pytest.mark.timeout(120)]  # each command is a process of its own
HEAVY = {
    "apscheduler", "asyncio", "httpx", "libtmux", "msgspec", "prometheus_client", "pydantic", "ssl", "starlette", "tinydb", "uvicorn", "watchfiles", "yaml",
}  # fmt: skip

Ao = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    # What measures coverage imports modules of its own into every process that it is told of.
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    return {**kept, "AO_HOME": str(tmp_path / "home"), "PYTHONPATH": str(ROOT)}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "app"
    folder.mkdir()
    (folder / "Makefile").write_text("test:\n\ttrue\n")
    for words in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "first"]):
        subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True, timeout=20)
    return folder


@pytest.fixture
def ao(env: dict[str, str], repository: Path) -> Ao:
    def run(*words: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "bot", *words],
            cwd=repository,
            env={**env, **more},
            capture_output=True,
            text=True,
            timeout=60,
            stdin=subprocess.DEVNULL,
            check=False,
        )

    return run


def imported(*words: str, env: dict[str, str], cwd: Path) -> set[str]:
    """Top-level modules that a command imports."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "bot", *words],
        env=env,
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    rows = [
        line.rpartition("|")[2].strip()
        for line in done.stderr.splitlines()
        if line.startswith("import time:")
    ]
    return {row.partition(".")[0] for row in rows}


def test_the_version_is_that_of_the_metadata(ao: Ao) -> None:
    assert importlib.metadata.version("agent-orchestrator") == VERSION
    assert ao("--version").stdout == f"ao {VERSION}\n"


def test_the_version_costs_nearly_nothing(env: dict[str, str], repository: Path) -> None:
    found = imported("--version", env=env, cwd=repository)
    assert "bot" in found
    assert not found & {*HEAVY, "orchestrator", "plugins", "http", "argparse", "json", "importlib.metadata"}


@pytest.mark.parametrize("words", [["help"], ["status", "--help"], ["__complete", "sta"]])
def test_help_and_completion_import_no_library(env: dict[str, str], repository: Path, words: Any) -> None:
    assert not imported(*words, env=env, cwd=repository) & HEAVY


def test_asking_a_server_imports_nothing_of_the_fleet(
    started: object, env: dict[str, str], repository: Path
) -> None:
    assert not imported("status", env=env, cwd=repository) & {*HEAVY, "plugins"}


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["help"], 0, "spawn"),
        ([], 0, "ao <verb>"),
        (["help", "exit-codes"], 0, "not-ready"),
        (["kill", "--help"], 0, "--yes"),
        (["nonsense"], 2, "no verb"),
        (["kill", "x"], 3, "ao init"),
        (["stop"], 6, "no `ao start` runs"),
        (["status", "--watch"], 6, "no `ao start` runs"),
        (["events", "--follow"], 6, "no `ao start` runs"),
        (["status"], 3, "ao init"),
        (["config", "check", "absent.yaml"], 1, "absent.yaml: This file cannot be read"),
        (["config", "check", "--config", "absent.yaml"], 1, "absent.yaml: This file cannot be read"),
        (["config", "check"], 1, "ao init"),
        (["help", "nonsense"], 2, "no verb"),
    ],
)
def test_exit_codes(ao: Ao, words: Any, code: int, says: str) -> None:
    done = ao(*words)
    assert done.returncode == code, done.stderr
    assert says in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_errors_are_data_for_programs(ao: Ao) -> None:
    done = ao("kill", "x", "--json")
    assert (done.returncode, done.stdout) == (3, "")
    assert json.loads(done.stderr)["error"]["code"] == "not-found"


def test_whoever_reads_our_output_may_leave(env: dict[str, str], repository: Path) -> None:
    command = f'"{sys.executable}" -m bot help | head -n 1'
    done = subprocess.run(
        ["/bin/sh", "-c", command],
        env=env,
        cwd=repository,
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert done.stderr == ""


def test_a_repository_is_taken_up(ao: Ao, repository: Path) -> None:
    done = ao("init", "--agent", "rehearsal", "--json")
    assert done.returncode == 0, done.stderr
    file = repository / "agent-orchestrator.yaml"
    assert json.loads(done.stdout) == {"file": str(file), "project": "app"}
    assert "make test" in file.read_text()
    assert ao("init").returncode == 4
    check = ao("config", "check")
    assert (check.returncode, check.stdout) == (0, f"✅ {file} is right.\n")
    assert "defaultBranch: main" in ao("config", "show").stdout
    assert json.loads(ao("status", "--json").stdout)["sessions"] == []
    assert json.loads(ao("config", "schema", "--json").stdout)["properties"]


def test_without_an_agents_program_it_is_said_how_to_get_one(ao: Ao, tmp_path: Path) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("git", "tmux"):
        (programs / name).symlink_to(str(shutil.which(name)))
    done = ao("init", PATH=str(programs))
    assert done.returncode == 0, done.stderr
    assert "To have claude-code: `npm install -g @anthropic-ai/claude-code`" in done.stderr


def test_a_change_of_the_file_needs_trust_again(ao: Ao, repository: Path) -> None:
    ao("init", "--agent", "rehearsal")
    file = repository / "agent-orchestrator.yaml"
    file.write_text(file.read_text().replace("make test", "make evil"))
    refused = ao("reload")
    assert (refused.returncode, "make evil" in refused.stderr) == (6, True)
    assert ao("trust").returncode == 2
    assert "make evil" in ao("trust", "--yes").stdout
    assert ao("reload").returncode == 0


def test_broken_configuration_is_checked_with_lines(ao: Ao, repository: Path) -> None:
    (repository / "agent-orchestrator.yaml").write_text("projects:\n  app:\n    pat: .\n")
    done = ao("config", "check")
    assert done.returncode == 1
    assert "agent-orchestrator.yaml:" in done.stdout
    assert "Did you mean path?" in done.stdout


def test_another_file_is_checked_with_the_plugins_that_it_names_itself(
    ao: Ao, repository: Path, tmp_path: Path
) -> None:
    mine = tmp_path / "mine.py"
    mine.write_text(
        "from orchestrator.ports.plugin import Plugin, Slot\n"
        "PLUGIN = Plugin(slot=Slot('agent'), name='mine', summary='s', create=lambda o, c: [])\n"
    )
    named = f"plugins:\n  - name: mine\n    source: local\n    path: {mine}\n"
    project = f"projects:\n  app:\n    path: {repository}\n    agent: mine\n"
    (repository / "agent-orchestrator.yaml").write_text(named + project)
    assert ao("trust", "--yes").returncode == 0
    assert ao("config", "check").stdout.endswith(" is right.\n")
    other = tmp_path / "other.yaml"
    other.write_text(project)
    assert "There is no agent plugin 'mine' here" in ao("config", "check", str(other)).stdout
    (repository / "agent-orchestrator.yaml").write_text("plugins:\n  - name: absent\n" + project)
    other.write_text(named + project)
    checked = ao("config", "check", str(other)).stdout
    assert "has no error" in checked
    assert "not trusted yet" in checked
    here = ao("config", "check")
    assert (here.returncode, "Traceback" in here.stderr) == (0, False)
    assert "no installed package offers a plugin 'absent'" in here.stdout
    assert "There is no agent plugin 'mine' here" in here.stdout


@pytest.fixture
def started(ao: Ao, env: dict[str, str], repository: Path) -> Iterator[subprocess.Popen[str]]:
    assert ao("init", "--agent", "rehearsal").returncode == 0
    process = subprocess.Popen(
        [sys.executable, "-m", "bot", "start"],
        cwd=repository,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert "looks after: app" in process.stdout.readline()
    yield process
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)


@pytest.mark.tmux
def test_a_colleagues_shell_reaches_the_server_that_start_names(
    ao: Ao, started: subprocess.Popen[str], tmp_path: Path
) -> None:
    assert started.stdout
    said = next(line for line in started.stdout if line.startswith("API for programs"))
    url = next(word.rstrip(";") for word in said.split() if word.startswith("http://127.0.0.1:"))
    with urllib.request.urlopen(f"{url}/healthz", timeout=10) as answer:  # noqa: S310 - its own address
        assert json.load(answer)["ok"] is True
    assert url in ao("doctor").stdout
    made = json.loads(ao("token", "add", "--json").stdout)
    own = {"HOME": str(tmp_path), "AO_HOME": str(tmp_path / "nothing-runs-here"), "AO_SERVER": url}
    assert ao("status", AO_TOKEN=made["token"], **own).returncode == 0
    without = ao("status", **own)
    assert (without.returncode, "there is no token" in without.stderr) == (6, True)
    assert ao("token", "rm", made["id"]).returncode == 0
    revoked = ao("status", AO_TOKEN=made["token"], **own)
    assert (revoked.returncode, "ao token add" in revoked.stderr) == (5, True)


@pytest.mark.tmux
def test_a_server_from_start_to_stop(
    ao: Ao, started: subprocess.Popen[str], repository: Path, tmp_path: Path, env: dict[str, str]
) -> None:
    second = subprocess.run(
        [sys.executable, "-m", "bot", "start"],
        cwd=repository, env=env, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert (second.returncode, "has been running since" in second.stderr) == (4, True)

    (tmp_path / "lib").mkdir()
    for words in (["init", "-q", "-b", "main"], ["commit", "-q", "--allow-empty", "-m", "first"]):
        subprocess.run(["git", *words], cwd=tmp_path / "lib", check=True, capture_output=True, timeout=20)
    assert ao("project", "add", "../lib").returncode == 0
    listed = json.loads(ao("project", "ls", "--json").stdout)["projects"]
    assert [project["id"] for project in listed] == ["app", "lib"]
    assert ao("project", "rm", "lib", "--yes").returncode == 0

    assert ao("spawn", "app", "77").returncode == 3
    assert ao("status", AO_SESSION_ID="app-1").returncode == 5

    begun = time.monotonic()
    stopped = ao("stop")
    assert (stopped.returncode, stopped.stdout.strip()) == (0, "Stopped."), stopped.stderr
    assert started.wait(timeout=30) == 0
    assert time.monotonic() - begun < 30
    assert ao("stop").returncode == 6
