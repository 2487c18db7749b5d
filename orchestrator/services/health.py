"""Whether the fleet is looked after: the store takes writes, the event log answers, the ring goes round."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from orchestrator.errors import AoError
from orchestrator.lifecycle.pulse import Pulse
from orchestrator.services.core import Core

OLDEST_TICK = 60.0
"""Seconds since the last round from which the ring counts as standing still; one is due every 5."""
_LIMIT = 3.0
"""Seconds that each look may take."""


async def problems(core: Core, pulse: Pulse) -> list[str]:
    """What is wrong, in words; nothing where all is well."""
    found = [await _store(core), await _log(core), _ring(core, pulse)]
    return [words for words in found if words]


def degraded(core: Core) -> list[str]:
    """Surfaces on which people are not heard or told now, in words; the fleet is looked after all the same."""
    looked = ((name, look()[0]) for name, look in core.surfaces.items())
    return [f"{name}: {trouble}" for name, trouble in looked if trouble]


async def _store(core: Core) -> str:
    try:
        async with asyncio.timeout(_LIMIT):
            await core.files.run("health", _probe, core.home.writable)
    except TimeoutError:
        return f"the store does not answer within {_LIMIT:.0f} s"
    except OSError as error:
        return f"the store takes no writes: {error.strerror or error}"
    return ""


def _probe(path: Path) -> None:
    """Write a file and take it away again, without waiting for the disk itself. Raises `OSError`."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(handle, b"ao\n")
    finally:
        os.close(handle)
        path.unlink(missing_ok=True)


async def _log(core: Core) -> str:
    try:
        async with asyncio.timeout(_LIMIT):
            await core.store.log.newest(1)
    except TimeoutError:
        return f"the event log does not answer within {_LIMIT:.0f} s"
    except (AoError, OSError) as error:
        return f"the event log cannot be read: {error}"
    return ""


def _ring(core: Core, pulse: Pulse) -> str:
    age = pulse.age(core.clock.monotonic())
    if age is None:
        return "the ring has not gone round yet"
    if age > OLDEST_TICK:
        return f"the ring has stood still for {age:.0f} s"
    return ""
