"""`postCreate` that fails, hangs or takes long: the session says so, nothing of it keeps running."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.integration.faults.house import House

pytestmark = [pytest.mark.tmux, pytest.mark.git, pytest.mark.slow, pytest.mark.timeout(120)]


def running(mark: str) -> str:
    done = subprocess.run(["pgrep", "-f", mark], capture_output=True, text=True, check=False)
    return done.stdout.strip()


def rolled_back(house: House, name: str) -> None:
    """Nothing is left of a session that never began."""
    house.until_ended(name)
    assert house.git.worktrees() == [str(house.repository)]
    assert house.git.ask("branch", "--list", "feat/*") == ""
    assert name not in house.terminals.names()


def test_it_fails(house: House) -> None:
    house.configure(project="postCreate:\n  - 'echo the reason is here >&2; exit 7'")
    house.start()
    name = house.spawn(1)
    found = house.until_status(name, "errored")
    assert "the reason is here" in str(found["reason"])
    assert "7" in str(found["reason"])
    told = house.until_event("session.errored", name)
    assert "the reason is here" in told["text"]
    if name in house.sessions():
        house.act("kill", session=name)
    rolled_back(house, name)


def test_it_fails_and_leaves_files_and_a_daemon(house: House, tmp_path: Path) -> None:
    mark = f"sleep 61{tmp_path.stat().st_ino}"
    house.configure(project=f"postCreate:\n  - 'touch half.txt; {mark} >/dev/null 2>&1 & exit 3'")
    house.start()
    name = house.spawn(1)
    house.until_status(name, "errored")
    if name in house.sessions():
        house.act("kill", session=name)
    house.until_ended(name)
    house.until("the daemon is gone", lambda: not running(mark), 10)


def test_a_kill_interrupts_one_that_hangs(house: House, tmp_path: Path) -> None:
    mark = f"sleep 60{tmp_path.stat().st_ino}"
    house.configure(project=f"postCreate:\n  - 'touch begun; {mark}'")
    house.start()
    name = house.spawn(1)
    house.until("postCreate runs", lambda: running(mark))
    assert house.session(name)["status"] == "spawning"
    assert house.ao("kill", name, "--yes").returncode == 0
    house.until_ended(name)
    assert not running(mark)
    rolled_back(house, name)


def test_one_that_hangs_meets_a_time_limit(house: House, tmp_path: Path) -> None:
    mark = f"sleep 62{tmp_path.stat().st_ino}"
    house.configure(project=f"workspaceConfig:\n  postCreateTimeout: 2s\npostCreate:\n  - '{mark}'\n")
    house.start()
    name = house.spawn(1)
    house.until("it says why", lambda: "2 s" in str(house.session(name)["reason"]), 60)
    if name in house.sessions():
        house.act("kill", session=name)
    house.until_ended(name)
    assert not running(mark)


def test_the_server_is_killed_while_it_runs(house: House, tmp_path: Path) -> None:
    """The next start ends what is left of it, then runs it again in the same workspace: never two at once."""
    mark, wait, first = f"sleep 63{tmp_path.stat().st_ino}", tmp_path / "wait", tmp_path / "first"
    wait.touch()
    # Ended and not collected yet (a zombie) is ended too.
    lives = f"case $(ps -o stat= -p $(cat {first})) in [!Z]*) touch {tmp_path}/both;; esac"
    script = f"if test -e {wait}; then echo $$ > {first}; {mark}; else {lives}; fi"
    house.configure(project=f"postCreate:\n  - '{script}'")
    house.start()
    name = house.spawn(1)
    house.until("postCreate runs", lambda: running(mark))
    house.kill()
    wait.unlink()
    house.start()
    house.until_status(name, "idle", patience=60)
    assert not running(mark)
    assert not (tmp_path / "both").exists()
    assert len(house.git.worktrees()) == 2
