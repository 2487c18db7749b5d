"""`ao start` and its agents after a stop, a power cut and a reboot: adopted, restored, told once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.demo.sandbox_files import Step
from tests.integration.faults.house import House

pytestmark = [pytest.mark.tmux, pytest.mark.git, pytest.mark.slow, pytest.mark.timeout(180)]

COUNT = 4
WRITES: list[Step] = [{"write": "half.txt", "text": "half way"}, {"wait": True}]
COUNTS: list[Step] = [
    {"run": ["sh", "-c", "i=0; while test ! -e enough; do i=$((i+1)); echo $i > count; sleep 0.05; done"]},
    {"wait": True},
]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path, {**dict.fromkeys(range(1, COUNT + 1), WRITES), 9: COUNTS})
    yield made
    made.close()


def workspace(house: House, name: str) -> Path:
    return Path(str(house.session(name)["workspace"]))


def test_agents_go_on_while_ao_is_stopped_and_are_adopted(house: House) -> None:
    house.start()
    name = house.spawn(9)
    house.until("the agent counts", lambda: (workspace(house, name) / "count").exists())
    folder = workspace(house, name)
    assert house.ao("stop").returncode == 0
    assert house.server is not None
    assert house.server.wait(10) == 0
    before = int((folder / "count").read_text() or 0)
    house.until("it counts on", lambda: int((folder / "count").read_text() or 0) > before + 3)
    (folder / "enough").touch()
    house.start()
    house.until_status(name, "idle")
    assert len(house.events("session.started", name)) == 1
    assert house.events("fleet.lost") == []
    assert len(house.prompts(name)) == 1
    house.act("send", session=name, text="are you there?")
    house.until("it hears", lambda: "are you there?" in house.prompts(name))


@pytest.fixture
def names(house: House) -> list[str]:
    house.start()
    return [house.spawn_waiting(number) for number in range(1, COUNT + 1)]


def test_a_reboot_is_one_message_and_restore_all_brings_them_back(house: House, names: list[str]) -> None:
    house.reboot()
    house.start()
    lost = house.until_event("fleet.lost")
    assert all(name in lost["text"] for name in names)
    assert "ao restore --all" in lost["text"]
    for name in names:
        found = house.until_status(name, "errored")
        assert "restarted" in str(found["reason"])
    loud = [e for e in house.events() if e["level"] in {"urgent", "action"}]
    assert [e["type"] for e in loud] == ["fleet.lost"]
    assert house.terminals.names() == set()
    done = house.ao("restore", "--all")
    assert done.returncode == 0
    assert f"{COUNT} sessions" in done.stdout
    for name in names:
        house.until_status(name, "idle", patience=60)
        assert (workspace(house, name) / "half.txt").read_text() == "half way\n"
        assert len(house.prompts(name)) == 1  # it goes on in its own conversation
    assert house.terminals.names() == set(names)


def test_a_second_start_after_a_reboot_does_not_tell_again(house: House, names: list[str]) -> None:
    house.reboot()
    house.start()
    house.until_event("fleet.lost")
    house.kill()
    house.start()
    for name in names:
        house.until_status(name, "errored")
    assert len(house.events("fleet.lost")) == 1


def test_some_are_restored_and_others_left(house: House, names: list[str]) -> None:
    house.reboot()
    house.start()
    house.until_event("fleet.lost")
    house.act("restore", session=names[0])
    house.until_status(names[0], "idle")
    house.act("kill", session=names[1])
    house.until_ended(names[1])
    assert house.terminals.names() == {names[0]}
    assert house.session(names[2])["status"] == "errored"
    assert (workspace(house, names[2]) / "half.txt").exists()


def test_restore_auto_does_it_by_itself(house: House) -> None:
    house.configure(project="restore: auto")
    house.start()
    names = [house.spawn_waiting(number) for number in (1, 2)]
    house.reboot()
    house.start()
    for name in names:
        house.until_event("session.restoring", name)
        house.until_status(name, "idle", patience=60)
        assert (workspace(house, name) / "half.txt").read_text() == "half way\n"
    assert house.events("fleet.lost") == []
    assert house.terminals.names() == set(names)


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_sessions_of_the_runtime_process_are_restored(house: House, how: str) -> None:
    """It does not outlive `ao start`: nothing of it runs on unseen, and the next start restores."""
    house.configure(project="runtime: process")
    house.start()
    name = house.spawn_waiting(1)
    folder = workspace(house, name)
    agents = [process for process in Path("/proc").glob("[0-9]*") if _cwd(process) == folder]
    assert agents
    getattr(house, how)()
    house.until("no agent runs on", lambda: not any(_cwd(process) == folder for process in agents), 10)
    house.start()
    house.until_event("session.restoring", name)
    house.until_status(name, "idle", patience=60)
    assert (workspace(house, name) / "half.txt").read_text() == "half way\n"
    assert len(house.prompts(name)) == 1
    house.act("send", session=name, text="are you there?")
    house.until("it hears", lambda: "are you there?" in house.prompts(name))


def _cwd(process: Path) -> Path | None:
    try:
        return (process / "cwd").readlink()
    except OSError:
        return None


def test_a_reboot_while_one_ends_and_one_begins(house: House) -> None:
    wait = house.config.parent / "wait"
    wait.touch()
    house.configure(project=f"postCreate:\n  - 'while test -e {wait}; do sleep 0.05; done'")
    house.start()
    beginning = house.spawn(2)
    house.until_status(beginning, "spawning")
    house.act("spawn", project="demo", issue="3")
    house.act("kill", session="demo-2")
    house.reboot()
    wait.unlink()
    house.start()
    house.until_status(beginning, "idle", patience=60)
    house.until_ended("demo-2")
    assert house.events("fleet.lost") == []
    assert len(house.git.worktrees()) == 2
