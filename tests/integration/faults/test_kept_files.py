"""What is kept, when the disk is full or a file is damaged: told, the rest goes on, nothing is lost."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.faults.house import WAITS, House

pytestmark = [pytest.mark.tmux, pytest.mark.git, pytest.mark.slow, pytest.mark.timeout(180)]

ISSUES = dict.fromkeys(range(1, 5), WAITS)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path, ISSUES)
    yield made
    made.close()


@pytest.mark.parametrize(
    "content",
    ["", "{", '{"_default": {"1": {"v": 1}}}', "\x00" * 300],
    ids=["empty", "cut", "lacking", "zeros"],
)
def test_a_damaged_session_file(house: House, content: str) -> None:
    house.start()
    one, two = house.spawn_waiting(1), house.spawn_waiting(2)
    workspace = Path(str(house.session(one)["workspace"]))
    (workspace / "half.txt").write_text("half way\n")
    document = house.folder(one).document
    house.kill()
    document.write_text(content)
    house.start()
    told = house.until_event("storage.damaged", one)
    assert told["level"] == "urgent"
    assert str(document) in told["text"]
    aside = Path(told["data"]["kept_as"])
    assert aside.read_text() == content
    assert str(document) in house.said()
    house.until_status(two, "idle")
    house.act("send", session=two, text="go on")
    house.until("the other one hears", lambda: "go on" in house.prompts(two))
    assert str(document) in house.ao("doctor").stdout
    assert (workspace / "half.txt").exists()
    assert house.spawn(3) == "demo-3"  # its number is not given again
    assert house.stop() == 0
    house.start()
    assert f"{aside}; nobody looks after it" in house.ao("doctor").stdout  # also after the next start
    assert len(house.events("storage.damaged")) == 1
    assert house.terminals.names() >= {one, two}  # its agent was not ended behind its back


def test_a_torn_event_log(house: House) -> None:
    house.start()
    name = house.spawn_waiting(1)
    house.kill()
    log = house.home.events / "000001.jsonl"
    whole = log.read_bytes()
    log.write_bytes(whole + b'{"v":1,"seq":99,"id":"demo-1')
    house.start()
    assert "was not written whole" in house.until_event("storage.damaged")["text"]
    assert log.read_bytes().startswith(whole)
    house.until_status(name, "idle")
    numbers = [e["seq"] for e in house.events()]
    assert numbers == list(range(1, len(numbers) + 1))


def test_a_damaged_fleet_file_and_requests(house: House) -> None:
    house.start()
    name = house.spawn_waiting(1)
    house.kill()
    house.home.fleet.write_text("{")
    with house.home.requests.open("ab") as file:
        file.write(b'{"torn')
    house.start()
    house.until_status(name, "idle")
    texts = [e["text"] for e in house.events("storage.damaged")]
    assert any("fleet.json" in text for text in texts)
    assert any("requests.jsonl" in text for text in texts)


def test_a_home_of_a_newer_program_is_left_alone(house: House) -> None:
    house.start()
    house.spawn_waiting(1)
    assert house.stop() == 0
    document = house.folder("demo-1").document
    newer = document.read_text().replace('"v":', '"v":9')
    document.write_text(newer)
    said = house.refused(6, "start")
    assert "newer" in said
    assert document.read_text() == newer


# A disk of its own, which can be full --------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of a few megabytes."""
    if not sys.platform.startswith("linux") or os.getuid() != 0:
        pytest.skip("mounting a small file system takes root on Linux")
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m,mode=0700", "tmpfs", str(folder)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip("this host lets nobody mount a small file system")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(disk: Path) -> Path:
    """Use up what is left."""
    filler = disk / "filler"
    with filler.open("ab", buffering=0) as file:
        for size in (1 << 20, 4096, 1):
            try:
                while True:
                    file.write(b"\0" * size)
            except OSError:
                continue
    return filler


def test_a_full_disk(tmp_path: Path, small_disk: Path) -> None:
    house = House(tmp_path, ISSUES, home=small_disk / "home")
    try:
        house.start()
        name = house.spawn_waiting(1)
        document = house.folder(name).document
        before = document.read_bytes()
        filler = fill(small_disk)
        said = house.refused(7, "send", name, "while the disk is full")
        assert "No space left on device" in said
        assert "Make room" in said
        assert "No space left" in house.refused(7, "spawn", "demo", "2")
        assert house.client.running()
        assert house.session(name)["status"] == "idle"
        assert "No space left" not in document.read_text()
        assert document.read_bytes() == before
        assert house.prompts(name) == house.prompts(name)[:1]
        assert "disk" in house.ao("doctor").stdout
        filler.unlink()
        house.act("send", session=name, text="there is room again")
        house.until("it hears", lambda: "there is room again" in house.prompts(name))
        assert "while the disk is full" not in house.prompts(name)
        second = house.spawn_waiting(2)
        numbers = [e["seq"] for e in house.events()]
        assert numbers == list(range(1, len(numbers) + 1))
        house.kill()
        house.start()
        assert set(house.sessions()) == {name, second}
    finally:
        house.close()


def test_a_full_disk_while_a_session_ends(tmp_path: Path, small_disk: Path) -> None:
    """Work that cannot be saved is not removed; with room again the end goes on by itself."""
    house = House(tmp_path, ISSUES, home=small_disk / "home")
    try:
        house.start()
        name = house.spawn_waiting(1)
        workspace = Path(str(house.session(name)["workspace"]))
        (workspace / "half.bin").write_bytes(os.urandom(3 << 20))
        filler = fill(small_disk)
        with filler.open("r+b") as file:
            file.truncate(filler.stat().st_size - (1 << 20))  # enough for documents, not for the rescue
        house.act("kill", session=name)
        house.until("the log says why", lambda: "No space left on device" in house.said())
        assert (workspace / "half.bin").stat().st_size == 3 << 20
        assert "Traceback" not in house.said()
        filler.unlink()
        house.until_ended(name)
        assert "demo-1" in house.ao("rescue", "ls").stdout
    finally:
        house.close()


def test_a_start_on_a_full_disk(tmp_path: Path, small_disk: Path) -> None:
    house = House(tmp_path, ISSUES, home=small_disk / "home")
    try:
        house.start()
        name = house.spawn_waiting(1)
        assert house.stop() == 0
        before = house.folder(name).document.read_bytes()
        filler = fill(small_disk)
        said = house.refused(7, "start")
        assert "No space left on device" in said
        assert "Make room" in said
        assert house.folder(name).document.read_bytes() == before
        filler.unlink()
        house.start()
        house.until_status(name, "idle")
    finally:
        house.close()
