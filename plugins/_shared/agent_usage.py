"""What an agent says of its own use: a file in which it counts. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from orchestrator.domain.outside_text import one_line
from orchestrator.domain.usage import Usage
from plugins._shared.profile_signals import UsageFile

MOST_DOLLARS = 1e7


def read_usage(file: UsageFile, data: bytes) -> Usage | None:
    """Dollars, context and model; tokens are counted from the record of the conversation."""
    try:
        raw = json.loads(data)
    except (ValueError, RecursionError):
        return None
    if not isinstance(raw, dict):
        return None
    dollars, percent = _number(_at(raw, file.dollars)), _number(_at(raw, file.context_percent))
    return Usage(
        dollars=dollars if dollars is not None and 0 <= dollars < MOST_DOLLARS else None,
        context_percent=round(percent) if percent is not None and 0 <= percent <= 100 else None,
        model=one_line(str(_at(raw, file.model) or ""), 60),
    )


def _at(raw: Mapping[str, Any], path: str) -> object:
    found: object = raw
    for name in path.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return found


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
