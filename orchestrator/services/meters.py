"""What is left of the limits that outside services set: as their plugins last heard, without a call."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace

from orchestrator.ports.meter import Meter, Metered
from orchestrator.services.core import Core

log = logging.getLogger(__name__)


def meters(core: Core) -> tuple[Meter, ...]:
    """One for each limit, by name. Tracker and scm share one; of several identities the scarcest is shown."""
    found: dict[str, Meter] = {}
    for made in core.registry.made():
        if isinstance(made, Metered):
            for meter in _of(made):
                found[meter.name] = _scarcer(found.get(meter.name), meter)
    return tuple(found[name] for name in sorted(found))


def words(core: Core) -> tuple[str, ...]:
    """What people should know of them: `github.com graphql: limit in 22 min; slowed to 90 s`."""
    return tuple(f"{meter.name}: {meter.words}" for meter in meters(core) if meter.words)


def rows(core: Core) -> list[Mapping[str, str | int | float]]:
    """For programs."""
    return [
        {
            "name": meter.name,
            "limit": meter.limit,
            "remaining": meter.remaining,
            "resets_at": meter.resets_at,
            "calls": meter.calls,
            "words": meter.words,
        }
        for meter in meters(core)
    ]


def _of(made: Metered) -> tuple[Meter, ...]:
    try:
        return tuple(made.meters())
    except Exception:  # a plugin's defect hides its numbers and no session
        log.exception("a plugin cannot say what is left of its limits")
        return ()


def _scarcer(known: Meter | None, new: Meter) -> Meter:
    if known is None or known == new:
        return new
    # Nothing was heard of a limit of 0.
    scarce = min(known, new, key=lambda meter: (not meter.limit, meter.remaining))
    return replace(scarce, words=known.words or new.words, calls=max(known.calls, new.calls))
