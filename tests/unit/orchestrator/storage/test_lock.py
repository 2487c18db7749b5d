"""One writer at a time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.errors import Conflict, NotReady
from orchestrator.storage.layout import Home
from orchestrator.storage.lock import hold, holder

ROOT = Path(__file__).parents[4]
HOLD = """
import sys, time
from pathlib import Path
from orchestrator.storage.layout import Home
from orchestrator.storage.lock import hold
with hold(Home(Path(sys.argv[1])), what="ao start", now=86400.0):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_the_second_writer_is_told_who_the_first_one_is(tmp_path: Path) -> None:
    home = Home(tmp_path)
    with hold(home, what="ao start", now=86400.0) as mine:
        assert mine.pid == os.getpid()
        with (
            pytest.raises(Conflict, match=rf"`ao start` \(pid {os.getpid()}\) .* 1970-01-02 00:00:00 UTC"),
            hold(home, what="ao spawn", now=1.0),
        ):
            pytest.fail("two writers")
        assert holder(home) == mine
    assert holder(home) is None
    with hold(home, what="again", now=1.0):
        pass


def test_the_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    home = Home(tmp_path)
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        found = holder(home)
        assert found is not None
        assert (found.pid, found.what) == (other.pid, "ao start")
        other.send_signal(signal.SIGKILL)
        other.wait(10)
    assert holder(home) is None
    with hold(home, what="ao start", now=1.0):
        assert home.lock.stat().st_mode & 0o777 == 0o600


def test_a_lock_without_words_still_holds(tmp_path: Path) -> None:
    home = Home(tmp_path)
    with hold(home, what="x", now=1.0):
        home.lock.write_text("{")
        assert holder(home) is not None
        with pytest.raises(Conflict, match="Another ao"), hold(home, what="y", now=1.0):
            pytest.fail("two writers")


def test_the_lock_is_freed_by_an_error(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), hold(Home(tmp_path), what="x", now=1.0):
        _ = 1 / 0
    assert holder(Home(tmp_path)) is None


def test_no_home_no_lock(tmp_path: Path) -> None:
    home = Home(tmp_path / "none")
    assert holder(home) is None
    with pytest.raises(NotReady, match="cannot be opened"), hold(home, what="x", now=1.0):
        pytest.fail("no folder")
