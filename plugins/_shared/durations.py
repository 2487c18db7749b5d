"""Spans of time as options write them: `90s`, `10m`, `2h`."""

from __future__ import annotations

import re

from orchestrator.errors import BadInput

_SPAN = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*(s|m|h)")
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0}


def seconds(text: str, key: str) -> float:
    """The seconds of a span; raises `BadInput` naming the option `key`."""
    found = _SPAN.fullmatch(text.strip())
    if not found or not float(found[1]):
        msg = f"{key}: {text!r} is no time such as 90s, 10m or 1h."
        raise BadInput(msg)
    return float(found[1]) * _SECONDS[found[2]]
