"""Places where a test may end the process: every write boundary names itself here.

`AO_FAULT=kill:<n>` in the environment ends the process with SIGKILL at the n-th boundary that it reaches,
`kill:<n>:<name>` at the n-th of that name; `tell` names each one on standard error, also beside a kill: `tell,kill:3`.
Storage calls this at each of its writes; whoever sends something out calls it before and after.
"""

from __future__ import annotations

import itertools
import os
import re
import signal
from collections.abc import Mapping
from typing import Protocol

from typing_extensions import override

from orchestrator.errors import BadInput

VARIABLE = "AO_FAULT"
_ASKED = re.compile(
    r"(?P<tell>tell)?(?:(?(tell),)kill:(?P<number>[1-9][0-9]*)(?::(?P<name>[A-Za-z][\w.-]*))?)?"
)


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
    """Ends the process, without any clean-up, at the `number`-th boundary, or the `number`-th of that name."""

    def __init__(self, number: int, name: str = "") -> None:
        self._number = number
        self._name = name
        self._count = itertools.count(1)  # next() on it is atomic between threads

    @override
    def reached(self, boundary: str) -> None:
        """End the process if it is time; the boundary's name goes to standard error first."""
        if self._name not in {"", boundary}:
            return
        if next(self._count) == self._number:
            os.write(2, f"{VARIABLE}: killed at {self._number}, {boundary}\n".encode())
            os.kill(os.getpid(), signal.SIGKILL)


class Tell(Faults):
    """Names each boundary on standard error, then hands it on."""

    def __init__(self, then: Faults) -> None:
        self._then = then

    @override
    def reached(self, boundary: str) -> None:
        """Name it."""
        os.write(2, f"{VARIABLE}: reached {boundary}\n".encode())
        self._then.reached(boundary)


def from_environment(env: Mapping[str, str]) -> Faults:
    """What `AO_FAULT` asks for; nothing where it is not set. Raises `BadInput`."""
    asked = env.get(VARIABLE, "")
    found = _ASKED.fullmatch(asked)
    if found is None:
        msg = f"{VARIABLE}={asked!r} is not understood."
        raise BadInput(msg, next_step=f"Write {VARIABLE}=kill:<n>, kill:<n>:<name>, tell, or tell,kill:...")
    kill: Faults = KillAt(int(found["number"]), found["name"] or "") if found["number"] else NoFaults()
    return Tell(kill) if found["tell"] else kill
