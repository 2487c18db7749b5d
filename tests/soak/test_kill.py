"""`kill -9` at any instant loses nothing that was acknowledged and shows nothing twice.

Two series: killed at random moments, and at every boundary between two writes or outgoing calls, which a
fault hook counts. `make soak RUNS=200 SEED=7` says how many kills and where to go on; the seed is printed.
"""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

import pytest

from tests.soak.fleet_under_fire import Fleet
from tests.soak.receiver import Receiver

RUNS = int(os.environ.get("SOAK_RUNS") or 40)
SEED = int(os.environ.get("SOAK_SEED") or random.SystemRandom().randrange(10**6))
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


@pytest.mark.parametrize("number", range(HOMES))
def test_killed_at_boundaries(number: int, tmp_path: Path) -> None:
    seed = SEED + number
    dice = random.Random(seed)
    issues = list(range(1, ISSUES + 1))
    # Every boundary comes by over the homes of one series: each begins where the one before ended.
    boundaries = [1 + (number * KILLS_A_HOME + n) * 7 % 97 for n in range(KILLS_A_HOME)]
    print(f"\nboundaries {boundaries}, SEED={seed}")
    with Receiver() as receiver:
        fleet = Fleet(tmp_path, ISSUES, receiver)
        try:
            for boundary in boundaries:
                fleet.start(f"kill:{boundary}")
                if fleet.wait_ready():
                    ask_something(fleet, dice, issues)
                fleet.until(lambda: not fleet.alive, patience=4.0)
                fleet.kill()
            assert finish(fleet, issues) == [], f"SEED={seed}"
        finally:
            fleet.stop()
