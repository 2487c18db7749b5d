"""At which boundary each life of a server is ended: chosen by seeded dice from those that come by."""

from __future__ import annotations

import random
import re
from collections import Counter
from dataclasses import dataclass, field

_LINE = re.compile(r"^AO_FAULT: (?:reached (?P<reached>\S+)|killed at \d+, (?P<killed>\S+))$", re.MULTILINE)


@dataclass(slots=True)
class Boundaries:
    """What came by in the lives so far of a whole series, and at what a life was ended."""

    dice: random.Random
    came_by: set[str] = field(default_factory=set)
    later: set[str] = field(default_factory=set)
    """Those that came by in a life that did not have to make its home first."""
    lives: list[int] = field(default_factory=list)
    """How many boundaries each life had that was not ended at one."""
    hit: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)
    """How often one was asked for and did not come by: the others are asked for first."""

    def choose(self, *, first: bool) -> str:
        """What `AO_FAULT` is to be in the next life."""
        if not self.lives:
            return "tell"
        # What is only written where a home is made can be hit in no other life.
        possible = (self.came_by - self.later) or self.came_by if first else self.later
        never = sorted(possible - self.hit.keys(), key=lambda name: (self.missed[name], name))
        if never and self.dice.random() < 0.8:
            least = [name for name in never if self.missed[name] == self.missed[never[0]]]
            name = self.dice.choice(least)
            self.missed[name] += 1  # until it is hit, which ends the asking
            return f"tell,kill:1:{name}"
        return f"tell,kill:{self.dice.randint(1, max(1, self.dice.choice(self.lives)))}"

    def lived(self, said: str, *, first: bool) -> str:
        """Take in what a life wrote; returns the boundary at which it ended, if it was one."""
        found = list(_LINE.finditer(said))
        names = [match["reached"] for match in found if match["reached"]]
        killed = next((match["killed"] for match in found if match["killed"]), "")
        self.came_by.update(names)
        if not first:
            self.later.update(names)
        if killed:
            self.hit[killed] += 1
        else:
            self.lives.append(len(names))
        return killed

    @property
    def never_hit(self) -> list[str]:
        """What came by, and never was where a life ended."""
        return sorted(self.came_by - self.hit.keys())
