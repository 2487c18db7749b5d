"""What `AO_FAULT` asks for."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from orchestrator.errors import BadInput
from orchestrator.storage.faults import KillAt, NoFaults, from_environment


def test_nothing_happens_unless_it_is_asked_for() -> None:
    assert isinstance(from_environment({}), NoFaults)
    assert isinstance(from_environment({"AO_FAULT": ""}), NoFaults)
    NoFaults().reached("anything")


def test_a_kill_comes_at_its_boundary_and_not_before() -> None:
    fault = from_environment({"AO_FAULT": "kill:3"})
    assert isinstance(fault, KillAt)
    fault.reached("one")
    fault.reached("two")  # the third one is played in test_crash, in a process of its own


def test_a_kill_may_wait_for_a_boundary_of_its_name() -> None:
    story = (
        "from orchestrator.storage.faults import from_environment\n"
        "fault = from_environment({'AO_FAULT': 'tell,kill:2:log.kept'})\n"
        "for name in ('log.kept', 'document.kept', 'log.written', 'log.kept', 'log.kept'):\n"
        "    fault.reached(name)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", story], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == -signal.SIGKILL
    assert done.stderr.splitlines() == [
        "AO_FAULT: reached log.kept",
        "AO_FAULT: reached document.kept",
        "AO_FAULT: reached log.written",
        "AO_FAULT: reached log.kept",
        "AO_FAULT: killed at 2, log.kept",
    ]


@pytest.mark.parametrize(
    "asked",
    [
        "kill",
        "kill:0",
        "kill:-1",
        "kill:x",
        "stop:1",
        "kill:1:2",
        "tell,",
        "tellkill:1",
        ",kill:1",
        "kill:1:",
    ],
)
def test_what_is_not_understood_is_an_error(asked: str) -> None:
    with pytest.raises(BadInput, match="AO_FAULT"):
        from_environment({"AO_FAULT": asked})
