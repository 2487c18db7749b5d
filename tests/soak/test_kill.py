"""`kill -9` at any instant loses nothing that was acknowledged and shows nothing twice.

Two series: killed at random moments, and at boundaries between two writes or outgoing calls, which a fault
hook names and counts; the seed decides at which. `make soak RUNS=200 SEED=7` says how many kills and where to go on; the seed is printed.
"""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

import pytest

from tests.soak.boundaries import Boundaries
from tests.soak.fleet_under_fire import Fleet
from tests.soak.receiver import Receiver

RUNS = int(os.environ.get("SOAK_RUNS") or 40)
SEED = int(os.environ.get("SOAK_SEED") or random.SystemRandom().randrange(10**6))
ALL_NAMES = 200
"""From so many kills on, every name of a boundary that came by must have been where a server ended."""
ISSUES = 4
KILLS_A_HOME = 10
HOMES = max(1, RUNS // KILLS_A_HOME // 2)
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def ask_something(fleet: Fleet, dice: random.Random, issues: list[int]) -> None:
    """What a person does meanwhile: spawn, send, end."""
    if issues and dice.random() < 0.7:
        fleet.spawn(issues.pop())
    sessions = sorted(fleet.said.sessions)
    if sessions and dice.random() < 0.5:
        fleet.send(dice.choice(sessions), f"note {dice.randrange(10**9)}")
    if len(sessions) > 2 and dice.random() < 0.15:
        fleet.ask("kill", session=dice.choice(sessions))


def finish(fleet: Fleet, issues: list[int]) -> list[str]:
    """Everything comes to rest, then it is judged."""
    statuses = fleet.settle()
    found = fleet.judge(statuses)
    print(f"  {len(fleet.log())} events, {len(fleet.receiver.deliveries)} deliveries, left: {statuses}")
    return found


@pytest.mark.parametrize("number", range(HOMES))
def test_killed_at_random_moments(number: int, tmp_path: Path) -> None:
    seed = SEED + number
    print(f"\nrandom moments, SEED={seed}")
    dice = random.Random(seed)
    issues = list(range(1, ISSUES + 1))
    with Receiver() as receiver:
        fleet = Fleet(tmp_path, ISSUES, receiver)
        try:
            for _ in range(KILLS_A_HOME):
                fleet.start()
                if dice.random() < 0.85:
                    fleet.wait_ready()
                    ask_something(fleet, dice, issues)
                time.sleep(dice.uniform(0.0, 1.5))  # the random moment itself
                fleet.kill()
            assert finish(fleet, issues) == [], f"SEED={seed}"
        finally:
            fleet.stop()


@pytest.mark.timeout(600 * 2 * HOMES)
def test_killed_at_boundaries(tmp_path: Path) -> None:
    print(f"\nboundaries, SEED={SEED}")
    dice = random.Random(SEED)
    boundaries = Boundaries(dice)
    for number in range(2 * HOMES):
        if number >= HOMES and (RUNS < ALL_NAMES or not boundaries.never_hit):
            break  # a name that rarely comes by has as many homes more to be hit in
        folder = tmp_path / str(number)
        folder.mkdir()
        assert killed_at_boundaries(folder, boundaries, dice) == [], f"SEED={SEED}, home {number}"
    print(f"  hit: {dict(sorted(boundaries.hit.items()))}")
    print(f"  came by and were never hit: {boundaries.never_hit}")
    assert boundaries.hit
    if RUNS >= ALL_NAMES:
        assert boundaries.never_hit == [], f"SEED={SEED}"


def killed_at_boundaries(folder: Path, boundaries: Boundaries, dice: random.Random) -> list[str]:
    """One home, its server ended at one boundary after another; what is not as promised then."""
    issues = list(range(1, ISSUES + 1))
    with Receiver() as receiver:
        fleet = Fleet(folder, ISSUES, receiver)
        try:
            for _ in range(KILLS_A_HOME):
                first = not fleet.home.format.exists()
                fault = boundaries.choose(first=first)
                fleet.start(fault)
                if fleet.wait_ready():
                    ask_something(fleet, dice, issues)
                fleet.until(lambda: not fleet.alive, patience=4.0)
                fleet.kill()
                print(f"  {fault}: {boundaries.lived(fleet.heard(), first=first) or 'did not come by'}")
            found = finish(fleet, issues)
            boundaries.lived(fleet.heard(), first=False)
            return found
        finally:
            fleet.stop()
