"""Sessions that have nothing left to do, named first and ended on demand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.domain.issue import IssueState
from orchestrator.domain.person import OWNER
from orchestrator.domain.pull_request import PullRequestState
from orchestrator.errors import BadInput, TemporaryError
from orchestrator.services import ended
from orchestrator.services.cleanup import cleanup
from orchestrator.services.kill import kill
from orchestrator.testing.ring import Ring


async def test_dry_run_names_them_with_reasons_and_ends_none(ring: Ring) -> None:
    closed, dead, done, lives = [await ring.spawn(str(n)) for n in (1, 2, 3, 4)]
    await ring.pull_request(closed)
    ring.scm.set_pull(closed, state=PullRequestState.CLOSED)
    ring.runtime.exit(dead, 1)
    issue = ring.tracker.issues["demo", "3"]
    ring.tracker.issues["demo", "3"] = replace(issue, state=IssueState.CANCELLED)
    await ring.look()
    found = {item.session: item.reason for item in await cleanup(ring.core, dry_run=True, by=OWNER)}
    assert found.keys() == {closed, dead, done}
    assert "is closed" in found[closed]
    assert "its agent is gone" in found[dead]
    assert found[done] == "issue 3 is cancelled"
    assert len(ring.fleet.all()) == 4
    items = await cleanup(ring.core, project="demo", by=OWNER)
    assert all(item.done for item in items)
    await ring.settle()
    assert [s.id for s in ring.fleet.all()] == [lives]


async def test_an_issue_that_is_closed_ends_no_open_pull_request(ring: Ring) -> None:
    one = await ring.spawn("3")
    await ring.pull_request(one)
    issue = ring.tracker.issues["demo", "3"]
    ring.tracker.issues["demo", "3"] = replace(issue, state=IssueState.CLOSED)
    assert await cleanup(ring.core, dry_run=True, by=OWNER) == []
    ring.runtime.exit(one, 1)
    await ring.look()
    [item] = await cleanup(ring.core, dry_run=True, by=OWNER)
    assert item.open_change


async def test_work_is_saved_as_in_every_end(ring: Ring) -> None:
    one = await ring.spawn()
    await ring.workspace.edit(one, "a.py", "1")
    ring.runtime.exit(one, 1)
    await ring.look()
    await cleanup(ring.core, by=OWNER)
    await ring.settle()
    assert (await ended.one(ring.core, one)).rescues


async def test_tracker_that_cannot_be_asked_ends_nothing(ring: Ring) -> None:
    one = await ring.spawn()
    ring.tracker.fail_next(TemporaryError("503"))
    assert await cleanup(ring.core, by=OWNER) == []
    ring.tracker.unreadable["1"] = "503"
    assert await cleanup(ring.core, by=OWNER) == []
    assert ring.status(one) == "idle"


async def test_what_ends_already_is_not_named(ring: Ring) -> None:
    one = await ring.spawn()
    ring.runtime.exit(one, 1)
    await ring.look()
    ring.workspace.fail_next("remove", TemporaryError("busy"))
    await kill(ring.core, one, by=OWNER)
    assert await cleanup(ring.core, by=OWNER) == []


async def test_project_name_that_is_none(ring: Ring) -> None:
    with pytest.raises(BadInput):
        await cleanup(ring.core, project="no such!", by=OWNER)
