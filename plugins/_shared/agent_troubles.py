"""What an agent's own words about an error mean, and when a limit that they speak of ends. Pure."""

from __future__ import annotations

import datetime
import re
import zoneinfo
from collections.abc import Sequence

from orchestrator.domain.activity import Trouble
from plugins._shared.profile_signals import TroubleRule

PASSES = frozenset({Trouble.RATE, Trouble.OVERLOAD, Trouble.NETWORK})
"""Troubles that end by themselves: the agent is limited, not blocked."""
_UNITS = {"s": 1, "m": 60, "h": 3600}
_CLOCK = re.compile(
    r"(?:resets?(?: at)?|again at) (\d{1,2})(?::(\d{2}))?\s*(am|pm)?(?:\s*\(?([A-Z][A-Za-z_]+(?:/[\w+-]+)+|UTC|GMT)\b)?",
    re.IGNORECASE,
)
_SPAN = re.compile(r"(?:again|retry|resets?) (?:in|after) (\d{1,6})\s*(s|m|h)", re.IGNORECASE)
_EPOCH = re.compile(r"\|(\d{10})\b")


def trouble_of(rules: Sequence[TroubleRule], text: str) -> Trouble | None:
    """What an error is about; None where no rule knows it."""
    return next((rule.trouble for rule in rules if re.search(rule.pattern, text)), None)


def reset_time(text: str, now: float) -> float | None:
    """When a limit ends by the words of an error (epoch seconds); None where they do not say.

    Knows `resets 3pm`, `resets at 15:30` and `try again at 3:45 PM` (the next such time, in the zone
    that stands behind it, as in `3pm (Europe/Berlin)`, else on this machine's clock), `try again in 20 minutes`, and a number of seconds behind a bar, as some agents print it.
    """
    if match := _EPOCH.search(text):
        return float(match[1])
    if match := _SPAN.search(text):
        return now + int(match[1]) * _UNITS[match[2].lower()]
    match = _CLOCK.search(text)
    if match is None or not (match[2] or match[3]):
        return None
    hour, minute, half = int(match[1]), int(match[2] or 0), (match[3] or "").lower()
    if minute > 59 or not (1 <= hour <= 12 if half else hour <= 23):
        return None
    if half:
        hour = hour % 12 + (12 if half == "pm" else 0)
    zone = _zone(match[4] or "")
    # By the wall clock, without its offset: that may be another one when the time comes.
    today = datetime.datetime.fromtimestamp(now, zone).replace(tzinfo=None)
    at = today.replace(hour=hour, minute=minute, second=0, microsecond=0)
    if at <= today:
        at += datetime.timedelta(days=1)
    return at.replace(tzinfo=zone).timestamp()


def _zone(name: str) -> datetime.tzinfo | None:
    """The zone of that name; None, which is this machine's, where none is named or known here."""
    if name.upper() in {"UTC", "GMT"}:
        return datetime.UTC
    try:
        return zoneinfo.ZoneInfo(name) if name else None
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return None
