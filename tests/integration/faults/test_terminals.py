"""Agents and their terminals that die, hang or leave things behind."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.demo.sandbox_files import Step
from orchestrator.storage.layout import server_name
from tests.integration.faults.house import WAITS, House

pytestmark = [pytest.mark.tmux, pytest.mark.git, pytest.mark.slow, pytest.mark.timeout(180)]

DAEMON = (
    "import os, sys, time\n"
    "if os.fork(): sys.exit(0)\n"
    "os.setsid()\n"
    "if os.fork(): os._exit(0)\n"
    "open('daemon.pid', 'w').write(str(os.getpid()))\n"
    "time.sleep(600)\n"
)
LEAVES_DAEMONS: list[Step] = [
    {"run": ["python3", "-c", DAEMON]},
    {"run": ["sh", "-c", "nohup sleep 600 >/dev/null 2>&1 & echo $! > nohup.pid"]},
    {"wait": True},
]
WRITES: list[Step] = [{"write": "half.txt", "text": "half way"}, {"wait": True}]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    issues = {1: WRITES, 2: WRITES, 3: WAITS, 4: LEAVES_DAEMONS, 5: [{"crash": 3}], 6: [{"crash": 0}]}
    made = House(tmp_path, issues)
    try:
        yield made.start()
    finally:
        made.close()


def server_pid(house: House) -> int:
    argv = ["tmux", "-L", server_name(house.home), "display-message", "-p", "#{pid}"]
    return int(subprocess.run(argv, capture_output=True, text=True, timeout=10, check=True).stdout)


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_the_tmux_server_is_killed(house: House) -> None:
    names = [house.spawn_waiting(number) for number in (1, 2, 3)]
    workspaces = {n: Path(str(house.session(n)["workspace"])) for n in names}
    os.kill(server_pid(house), signal.SIGKILL)
    for name in names:
        found = house.until_status(name, "errored", patience=60)
        assert "terminal is not there" in str(found["reason"])
    assert house.client.running()
    for name in names[:2]:
        assert (workspaces[name] / "half.txt").read_text() == "half way\n"
    house.act("send", session=names[0], text="keep this")  # it waits until there is somebody to read it
    restored = house.act("restore", all=True)
    assert sorted(restored["data"]["sessions"]) == names
    for name in names:
        house.until_status(name, "idle", patience=60)
    assert house.terminals.names() == set(names)
    for name in names[:2]:
        assert (workspaces[name] / "half.txt").read_text() == "half way\n"
    house.until("the message came", lambda: "keep this" in house.prompts(names[0]))
    assert house.prompts(names[0]).count("keep this") == 1


@pytest.mark.parametrize(("number", "status", "says"), [(5, "errored", "code 3"), (6, "done", "exited")])
def test_an_agent_that_exits_at_once(house: House, number: int, status: str, says: str) -> None:
    name = house.spawn(number)
    found = house.until_status(name, status)
    assert says in str(found["reason"])
    assert Path(str(found["workspace"])).is_dir()
    assert "rehearsal agent" in house.ao("output", name).stdout  # its last words can still be read
    assert house.ao("kill", name, "--yes").returncode == 0
    house.until_ended(name)


def test_an_agent_that_leaves_daemons(house: House) -> None:
    name = house.spawn_waiting(4)
    workspace = Path(str(house.session(name)["workspace"]))
    pids = [int((workspace / f).read_text()) for f in ("daemon.pid", "nohup.pid")]
    assert all(alive(pid) for pid in pids)
    house.act("kill", session=name)
    house.until_ended(name)
    house.until("nothing of it runs", lambda: not any(alive(pid) for pid in pids), 5)


def test_a_tmux_server_that_is_stopped(tmp_path: Path) -> None:
    house = House(tmp_path, {1: WAITS, 2: WAITS, 3: WAITS})
    other = f"  beside:\n    path: {house.repository}\n    sessionPrefix: beside\n    agent: rehearsal\n"
    house.write_config(house.config.read_text() + other + "    runtime: process\n")
    try:
        house.start()
        name = house.spawn_waiting(1)
        pid = server_pid(house)
        os.kill(pid, signal.SIGSTOP)
        try:
            _goes_on_without_tmux(house, name)
        finally:
            os.kill(pid, signal.SIGCONT)
        house.until_status(name, "idle", patience=60)
        house.until("the message came", lambda: "while you slept" in house.prompts(name), 60)
        last = house.act("send", session=name, text="after that")
        assert last
        house.until("the last one came", lambda: "after that" in house.prompts(name), 60)
        assert house.prompts(name).count("while you slept") == 1
        assert house.terminals.names() == {name}
    finally:
        house.close()


def _goes_on_without_tmux(house: House, name: str) -> None:
    """Storage, the API and sessions of another runtime go on; the stopped one is in doubt, not dead."""
    beside = str(house.act("spawn", project="beside", issue="2")["data"]["id"])
    house.until_status(beside, "idle", patience=40)
    began = time.monotonic()
    house.act("send", session=name, text="while you slept")
    assert time.monotonic() - began < 5
    found = house.until_status(name, "detecting", "stuck", patience=60)
    assert "tmux" in str(found["reason"])
    began = time.monotonic()
    house.act("send", session=beside, text="hello")
    house.until("the other session hears", lambda: house.session(beside)["messages"], 10)
    assert time.monotonic() - began < 10
    assert house.session(name)["runtime"]["state"] == "unknown"
