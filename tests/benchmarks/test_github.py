"""What looking at GitHub costs an hour: points and calls, by polling and by webhooks. Played by `make bench`."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.domain.ids import ProjectId, SessionId
from orchestrator.domain.look import Seen
from orchestrator.domain.project import Project
from orchestrator.ports.session_ref import SessionRef
from plugins._shared.github.look import Looker
from plugins._shared.github.mark import Marks, mark_ref
from plugins._shared.mirror import Mirror
from tests.benchmarks.numbers import say
from tests.benchmarks.still_github import START, StillGitHub, Wire, World
from tests.unit.plugins._shared.github.rig import Token

pytestmark = pytest.mark.bench

HOUR = 3600.0
WARM = 900.0
TICK = 5.0
ASKED_EVERY = 30.0
"""Seconds after which the ring asks about a session that rests."""
WEBHOOKS_MOST = 600
POLLING_MOST = 5000


@pytest.fixture(autouse=True)
def blockbuster() -> None:
    """Not here: it would be measured too."""


async def marked(folder: Path, count: int) -> tuple[Project, list[SessionRef]]:
    """A project whose mirror marks a pull request for each session."""
    project = Project(
        id=ProjectId("demo"), name="demo", path=folder, default_branch="main", prefix="demo", folder=folder / "demo"
    )  # fmt: skip
    mirror = Mirror(project.mirror)
    await mirror.ensure()
    tree = await mirror.git.text("mktree", stdin=b"")
    commit = await mirror.commit(tree, (), "nothing")
    names = {number: SessionId(f"demo-{number}") for number in range(1, count + 1)}
    await mirror.update_refs({mark_ref(number, name): (commit, None) for number, name in names.items()})
    refs = [
        SessionRef(id=name, project=project, folder=folder / name, branch=f"feat/issue-{number}")
        for number, name in names.items()
    ]
    return project, refs


async def an_hour(folder: Path, count: int, active: int, *, webhooks: bool) -> tuple[Wire, float, float]:
    """Points and calls of an hour in which nothing is new any more."""
    clock = [START]
    wire = Wire(World(count, active), lambda: clock[0])
    hub = StillGitHub(wire, Token("none"))
    _, refs = await marked(folder, count)
    looker = Looker(hub, Marks(), home="bench", patience=60.0)
    looker.cover("o/r", webhooks)
    first = (0, 0)
    while clock[0] < START + WARM + HOUR:
        if START + WARM <= clock[0] < START + WARM + TICK:
            first = (wire.points, wire.calls)
        before, clock[0] = clock[0], clock[0] + TICK
        for number, progress in set(wire.world.deliveries(before, clock[0])) if webhooks else ():
            tell = looker.hint if progress else looker.heard
            tell(refs[number - 1].id)
        beat = int(clock[0] / TICK) % int(ASKED_EVERY / TICK)
        asked = [
            ref for at, ref in enumerate(refs, 1) if at % int(ASKED_EVERY / TICK) == beat or at <= active
        ]
        looks = await looker.look(asked, lambda _session: "o/r")
        assert all(isinstance(look, Seen) for look in looks.values())
    await looker.aclose()
    await hub.close()
    return wire, wire.points - first[0], wire.calls - first[1]


@pytest.mark.parametrize("count", [10, 100, 1000])
@pytest.mark.parametrize("webhooks", [False, True], ids=["polling", "webhooks"])
async def test_points_and_calls_an_hour(tmp_path: Path, count: int, webhooks: bool) -> None:
    wire, points, calls = await an_hour(tmp_path, count, count // 10, webhooks=webhooks)
    how = "webhooks" if webhooks else "polling"
    most = (WEBHOOKS_MOST if webhooks else POLLING_MOST) if count == 1000 else None
    say(f"GitHub: points, {count} sessions, {how}, a tenth active", points, "points/h", most)
    say(f"GitHub: calls, {count} sessions, {how}, a tenth active", calls, "calls/h")
    assert wire.refused == 0
    assert most is None or points <= most


@pytest.mark.parametrize("webhooks", [False, True], ids=["polling", "webhooks"])
async def test_a_thousand_that_are_all_active_stay_inside_the_limit(tmp_path: Path, webhooks: bool) -> None:
    wire, points, _ = await an_hour(tmp_path, 1000, 1000, webhooks=webhooks)
    how = "webhooks" if webhooks else "polling"
    say(f"GitHub: points, 1000 sessions, {how}, all active", points, "points/h", POLLING_MOST)
    assert wire.refused == 0
    assert points <= POLLING_MOST
