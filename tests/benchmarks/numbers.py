"""One line for each number, with its target beside it. A bench says OVER; it fails on nothing that is time."""

from __future__ import annotations

import sys


def say(what: str, measured: float, unit: str, target: float | None = None, note: str = "") -> None:
    """Print a number; `target` is the most that it may be."""
    aimed = "" if target is None else f"(at most {target:g} {unit}) {'ok' if measured <= target else 'OVER'}"
    sys.stdout.write(f"{what:<62} {measured:>9.2f} {unit:<12} {aimed:<28} {note}".rstrip() + "\n")
    sys.stdout.flush()
