"""Times as people read them, where this runs."""

from __future__ import annotations

import datetime


def clock(at: float, now: float | None = None) -> str:
    """`12:03:07` here; with its date when `now` is given and that is not today's."""
    then = datetime.datetime.fromtimestamp(at).astimezone()
    other_day = now is not None and datetime.datetime.fromtimestamp(now).astimezone().date() != then.date()
    return then.strftime("%Y-%m-%d %H:%M:%S" if other_day else "%H:%M:%S")
