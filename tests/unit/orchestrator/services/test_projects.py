"""Projects come and go while everything runs."""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path

import pytest

from orchestrator.domain.ids import ProjectId
from orchestrator.domain.person import OWNER
from orchestrator.errors import BadInput, Conflict, NotFound
from orchestrator.services import configuration, projects, trust
from orchestrator.services.kill import kill
from orchestrator.services.new_project import Wishes
from orchestrator.services.spawn import SpawnAsk, spawn
from orchestrator.settings.project_edit import NewProject
from orchestrator.testing.ring import Ring


def second(root: Path) -> NewProject:
    return NewProject(id="second", path=str(root / "repository"), default_branch="main")


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
    assert not ring.core.home.project(ProjectId("second")).path.exists()


async def test_what_was_kept_of_a_project_stays_when_it_is_taken_out(ring: Ring, tmp_path: Path) -> None:
    await projects.add(ring.core, second(tmp_path), by=OWNER)
    kept = ring.core.home.project(ProjectId("second")).ended / "second-1" / "session.json"
    kept.parent.mkdir(parents=True)
    kept.touch()
    await projects.remove(ring.core, "second", by=OWNER)
    assert kept.exists()


_OWN = """\
limits: {sessions: 3}
projects:
  mine:
    path: .
    agent: fake
    runtime: fake
    workspace: fake
    tracker: {plugin: fake}
    scm: {plugin: fake}
    session_prefix: own
    agentRules: |
      Be kind.

      Be brief: off.
    postCreate: [make "it"]
"""


@pytest.mark.git
async def test_the_repositorys_own_file_is_taken_over(ring: Ring, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    for words in (["init", "-q", "-b", "trunk"], ["commit", "-q", "--allow-empty", "-m", "first"]):
        await asyncio.to_thread(
            subprocess.run, ["git", *words], cwd=folder, check=True, capture_output=True, timeout=20
        )
    own = folder / "agent-orchestrator.yaml"
    own.write_text(_OWN)
    proposal = await projects.propose(ring.core, folder, Wishes(agent="fake"))
    assert "not trusted" in proposal.notes[0]
    assert not proposal.entry.more
    await asyncio.to_thread(trust.trust_file, own, trust.Trusted(ring.core.home))
    proposal = await projects.propose(ring.core, folder, Wishes(prefix="said"))
    taken, left = proposal.notes[:2]
    assert str(own) in taken
    assert "agentRules" in taken
    assert "limits" in left
    row = await projects.add(ring.core, proposal.entry, by=OWNER)
    assert (row.id, row.prefix, row.agent, row.default_branch) == ("mine", "said", "fake", "trunk")
    keys = ring.settings.now.keys("mine")
    assert keys.agent_rules == "Be kind.\n\nBe brief: off.\n"
    assert keys.post_create == ('make "it"',)


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
