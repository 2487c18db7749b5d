"""Times as people read them. Pure."""

from __future__ import annotations


def clock(at: float) -> str:
    """Time of day, UTC: `12:03:07`."""
    whole = int(at) % 86400
    return f"{whole // 3600:02d}:{whole % 3600 // 60:02d}:{whole % 60:02d}"
