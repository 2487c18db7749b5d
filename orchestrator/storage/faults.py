"""Places where a test may end the process: every write boundary names itself here.

`AO_FAULT=kill:<n>` in the environment ends the process with SIGKILL at the n-th boundary that it reaches.
Storage calls this at each of its writes; whoever sends something out calls it before and after.
"""

from __future__ import annotations

import itertools
import os
import signal
from collections.abc import Mapping
from typing import Protocol

from typing_extensions import override

from orchestrator.errors import BadInput

VARIABLE = "AO_FAULT"


class Faults(Protocol):
    """Told of every boundary between two steps that a crash could fall between."""

    def reached(self, boundary: str) -> None:
        """`boundary` (`document.replaced`) was reached. Called from any thread."""


class NoFaults(Faults):
    """What runs in earnest: nothing happens."""

    @override
    def reached(self, boundary: str) -> None:
        """Do nothing."""


class KillAt(Faults):
    """Ends the process, without any clean-up, at the `number`-th boundary."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._count = itertools.count(1)  # next() on it is atomic between threads

    @override
    def reached(self, boundary: str) -> None:
        """End the process if it is time; the boundary's name goes to standard error first."""
        if next(self._count) == self._number:
            os.write(2, f"{VARIABLE}: killed at {self._number}, {boundary}\n".encode())
            os.kill(os.getpid(), signal.SIGKILL)


def from_environment(env: Mapping[str, str]) -> Faults:
    """What `AO_FAULT` asks for; nothing where it is not set. Raises `BadInput`."""
    asked = env.get(VARIABLE, "")
    if not asked:
        return NoFaults()
    kind, _, number = asked.partition(":")
    if kind != "kill" or not number.isdecimal() or int(number) < 1:
        msg = f"{VARIABLE}={asked!r} is not understood."
        raise BadInput(msg, next_step=f"Write {VARIABLE}=kill:<n>.")
    return KillAt(int(number))
