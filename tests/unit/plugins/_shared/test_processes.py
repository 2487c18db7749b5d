"""A family is ended whole, and nobody else with it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from plugins._shared import processes


@pytest.fixture
def shell() -> Iterator[subprocess.Popen[str]]:
    """A shell in a group of its own, with a child; its first line of output is the child's pid."""
    script = "sleep 1000 & echo $!; wait"
    environment = {"PATH": os.environ["PATH"], "AO_SESSION_DIR": "/mine"}
    with subprocess.Popen(
        ["sh", "-c", script], stdout=subprocess.PIPE, text=True, env=environment, start_new_session=True
    ) as started:
        yield started
        processes.end_families([started.pid])


def _child(shell: subprocess.Popen[str]) -> int:
    assert shell.stdout is not None
    return int(shell.stdout.readline())


def test_children_belong_to_it_and_we_do_not(shell: subprocess.Popen[str]) -> None:
    child = _child(shell)
    assert {process.pid for process in processes.members([shell.pid])} == {shell.pid, child}


def test_ending_takes_them_all(shell: subprocess.Popen[str]) -> None:
    child = _child(shell)
    assert processes.end_families([shell.pid]) == []
    assert not {process.pid for process in processes.table()} & {shell.pid, child}


@pytest.mark.skipif(sys.platform != "linux", reason="other systems show no environment of a process")
def test_the_mark_is_compared_whole(shell: subprocess.Popen[str]) -> None:
    child = _child(shell)
    assert {process.pid for process in processes.members([], ["AO_SESSION_DIR=/mine"])} == {shell.pid, child}
    for other in ("AO_SESSION_DIR=/min", "AO_SESSION_DIR=/mine/too", "SESSION_DIR=/mine", ""):
        assert processes.members([], [other]) == set()


def test_nothing_to_end_is_no_error() -> None:
    assert processes.end_families([]) == []
    assert processes.members([os.getpid()]) == set()


def test_the_portable_table_names_the_same(shell: subprocess.Popen[str]) -> None:
    child = _child(shell)
    for table in (processes._from_ps(), processes.table()):
        found = {process.pid: process for process in table}
        assert found[child].parent == shell.pid
        assert found[child].group == shell.pid
