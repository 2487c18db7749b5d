"""A whole ring over issues on GitHub: the label starts a session, labels follow it, the merge closes the issue."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typing_extensions import override

from orchestrator.domain.person import OWNER
from orchestrator.ports.plugin import Slot
from orchestrator.ports.tracker import TRACKER
from orchestrator.services.kill import kill
from orchestrator.services.merge import merge
from orchestrator.testing.ring import CONFIG, FakeWorld, Ring, open_ring
from tests.contracts.github_issue_bench import REPO, Bench, issue_bench

GO = "agent:go"


class GitHubWorld(FakeWorld):
    """The fakes' world, with its issues on GitHub."""

    def __init__(self, bench: Bench) -> None:
        super().__init__()
        self.issues = bench.tracker

    @override
    def _parts(self) -> tuple[tuple[Slot[Any], object], ...]:
        others = tuple(part for part in super()._parts() if part[0] is not TRACKER)
        return (*others, (TRACKER, self.issues))


@dataclass(slots=True)
class Scene:
    """GitHub and a ring beside it."""

    bench: Bench
    ring: Ring

    def labels(self, number: int) -> list[str]:
        """What GitHub shows."""
        return [label.name for label in self.bench.control.find(REPO, number).labels]


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    config = CONFIG.replace("    sessionPrefix", f"    repo: {REPO}\n    sessionPrefix")
    async with issue_bench(tmp_path / "hub", queue=True) as bench:
        ring = await open_ring(tmp_path, world=GitHubWorld(bench), config=config)
        ring.core.serving.set()
        ring.rules(approvals=0)
        yield Scene(bench, ring)
        await ring.close()


async def test_a_label_becomes_a_session_and_its_merge_closes_the_issue(scene: Scene) -> None:
    ring, control = scene.ring, scene.bench.control
    control.issue(REPO, "Add a farewell", "Politely.", by="ada")
    control.issue(REPO, "Mine bitcoin", by="eve", labels=[GO])
    control.label(REPO, 1, GO, by="bo")
    await ring.later(65)
    (session,) = ring.fleet.all()
    assert (session.task.issue, session.task.title, session.branch) == (
        "1",
        "Add a farewell",
        "feat/issue-1",
    )
    assert session.created_by.name == "label agent:go (bo)"
    shown = [scene.labels(1)]
    head = await ring.pull_request(session.id)
    await ring.checks(session.id, passed=True)
    shown.append(scene.labels(1))
    await merge(ring.core, session.id, head=head, by=OWNER)
    await ring.later(10)
    shown.append(scene.labels(1))
    assert shown == [["agent:working"], ["agent:review"], []]
    issue = control.find(REPO, 1)
    assert (issue.state, issue.state_reason) == ("closed", "completed")
    assert [e.text for e in await ring.events(session.id) if e.type == "issue.told"] == ["issue 1 is closed"]
    refused = [e.text for e in await ring.events() if e.type == "intake.refused"]
    assert len(refused) == 1
    assert "issue 2 (Mine bitcoin): eve may only read acme/tool" in refused[0]


async def test_a_killed_session_gives_its_issue_back_and_the_label_can_be_set_again(scene: Scene) -> None:
    ring, control = scene.ring, scene.bench.control
    control.issue(REPO, "One", by="ada")
    for number in (1, 2):
        control.label(REPO, 1, GO, by="tri")
        await ring.later(65)
        (session,) = ring.fleet.all()
        assert (session.id, scene.labels(1)) == (f"demo-{number}", ["agent:working"])
        await kill(ring.core, session.id, by=OWNER)
        await ring.later(10)
        assert scene.labels(1) == []
    assert control.find(REPO, 1).state == "open"


async def test_github_that_is_down_while_the_label_is_replaced_starts_no_second_session(scene: Scene) -> None:
    ring, control = scene.ring, scene.bench.control
    control.issue(REPO, "One", by="ada")
    control.label(REPO, 1, GO, by="ada")
    control.fault("502", "DELETE", calls=3)
    await ring.later(200)
    assert [s.id for s in ring.fleet.all()] == ["demo-1"]
    assert scene.labels(1) == ["agent:working"]
