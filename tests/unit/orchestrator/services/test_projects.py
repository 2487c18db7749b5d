"""Projects come and go while everything runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.domain.person import OWNER
from orchestrator.errors import BadInput, Conflict, NotFound
from orchestrator.services import configuration, projects
from orchestrator.services.kill import kill
from orchestrator.services.spawn import SpawnAsk, spawn
from orchestrator.settings.project_edit import NewProject
from orchestrator.testing.ring import Ring


def second(root: Path, **fields: str) -> NewProject:
    return NewProject(id="second", path=str(root / "repository"), default_branch="main", **fields)


async def test_listed_with_what_fills_the_slots(ring: Ring) -> None:
    await ring.spawn()
    (row,) = await projects.listed(ring.core)
    assert (row.id, row.prefix, row.agent, row.tracker, row.scm, row.sessions) == (
        "demo",
        "demo",
        "fake",
        "fake",
        "fake",
        1,
    )


async def test_added_and_taken_out_while_it_runs(ring: Ring, tmp_path: Path) -> None:
    row = await projects.add(ring.core, second(tmp_path), by=OWNER)
    assert (row.id, row.sessions) == ("second", 0)
    assert [r.id for r in await projects.listed(ring.core)] == ["demo", "second"]
    await projects.remove(ring.core, "second", by=OWNER)
    assert [r.id for r in await projects.listed(ring.core)] == ["demo"]
    assert [t for t in await ring.told() if t.startswith("project.")] == ["project.added", "project.removed"]


async def test_project_with_live_sessions_stays(ring: Ring) -> None:
    one = await ring.spawn()
    with pytest.raises(Conflict, match=one):
        await projects.remove(ring.core, "demo", by=OWNER)
    assert ring.status(one) == "idle"
    await kill(ring.core, one, by=OWNER)
    await ring.settle()


@pytest.mark.parametrize("name", ["demo", "no such!"])
async def test_bad_project_changes_nothing(ring: Ring, tmp_path: Path, name: str) -> None:
    before = ring.settings.path.read_text()
    with pytest.raises((BadInput, Conflict)):
        await projects.add(ring.core, NewProject(id=name, path=str(tmp_path)), by=OWNER)
    assert ring.settings.path.read_text() == before
    with pytest.raises(NotFound):
        await projects.remove(ring.core, "other", by=OWNER)


async def test_sessions_of_a_project_that_left_the_file_by_hand_are_still_looked_after(ring: Ring) -> None:
    one = await ring.spawn()
    text = (
        ring.settings.path.read_text()
        .replace("  demo:", "  other:")
        .replace("sessionPrefix: demo", "sessionPrefix: oth")
    )
    ring.settings.path.write_text(text)
    await configuration.reload(ring.core)
    assert ring.core.settings.knows("demo")
    with pytest.raises(NotFound):
        await spawn(ring.core, SpawnAsk(project="demo", issue="2"), by=OWNER)
    await kill(ring.core, one, by=OWNER)
    await ring.settle()
    assert ring.fleet.all() == ()
