"""Bringing sessions back: ended ones, dead ones, never living ones."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from orchestrator.domain.activity import ActivityState, Dialog
from orchestrator.domain.ids import ProjectId, SessionId
from orchestrator.domain.issue import IssueState
from orchestrator.domain.person import OWNER
from orchestrator.domain.pull_request import PullRequestState
from orchestrator.errors import Conflict, NotFound, TemporaryError
from orchestrator.ports.runtime import Keys
from orchestrator.services import ended, projects, rules
from orchestrator.services.answer import answer
from orchestrator.services.kill import kill
from orchestrator.services.restore import restore
from orchestrator.services.spawn import SpawnAsk, spawn
from orchestrator.settings.project_edit import NewProject
from orchestrator.testing import examples as ex
from orchestrator.testing.fakes.keeping import FakeKeeping
from orchestrator.testing.ring import CONFIG, Ring, open_ring


async def test_ended_session_comes_back_with_its_newest_rescue(ring: Ring) -> None:
    one = await ring.spawn()
    await ring.workspace.commit(one, "a.py", "1")
    await ring.workspace.edit(one, "b.py", "2")
    await kill(ring.core, one, by=OWNER)
    await ring.settle()
    await restore(ring.core, one, by=OWNER)
    await ring.settle()
    files = ring.place(one).files
    assert ring.status(one) == "idle"
    assert (files[f"/work/{one}/a.py"], files[f"/work/{one}/b.py"]) == (b"1", b"2")
    events = await ring.events(one)
    assert [e.id for e in events] == [f"{one}:{n}" for n in range(1, len(events) + 1)]
    with pytest.raises(NotFound):
        await ended.one(ring.core, one)


async def test_named_rescue_is_taken_and_an_unknown_one_refused(ring: Ring) -> None:
    one = await ring.spawn()
    await ring.workspace.edit(one, "b.py", "old")
    await kill(ring.core, one, by=OWNER)
    await ring.settle()
    await restore(ring.core, one, by=OWNER)
    await ring.settle()
    await ring.workspace.edit(one, "b.py", "new")
    await kill(ring.core, one, by=OWNER)
    await ring.settle()
    with pytest.raises(NotFound, match="has no rescue"):
        await restore(ring.core, one, by=OWNER, rescue="refs/ao/rescue/demo-1/9")
    await restore(ring.core, one, by=OWNER, rescue=f"refs/ao/rescue/{one}/1")
    await ring.settle()
    assert ring.place(one).files[f"/work/{one}/b.py"] == b"old"


async def test_session_whose_agent_died_is_started_again_where_it_was(ring: Ring) -> None:
    one = await ring.spawn()
    await ring.workspace.edit(one, "b.py", "mine")
    ring.runtime.exit(one, 1)
    await ring.look()
    assert ring.status(one) == "errored"
    await restore(ring.core, one, by=OWNER)
    await ring.settle()
    assert (ring.status(one), ring.runtime.starts) == ("idle", [one, one])
    assert ring.place(one).files[f"/work/{one}/b.py"] == b"mine"


async def test_living_session_is_left_alone(ring: Ring) -> None:
    one = await ring.spawn()
    with pytest.raises(Conflict, match="its agent is there"):
        await restore(ring.core, one, by=OWNER)
    assert ring.runtime.starts == [one]


async def test_session_that_is_being_set_up_or_ended_is_left_alone(ring: Ring) -> None:
    ring.scm.fail_next("base", TemporaryError("not now"))
    ring.scm.fail_next("base", TemporaryError("not now"))
    one = await ring.spawn()
    with pytest.raises(Conflict, match="being set up"):
        await restore(ring.core, one, by=OWNER)
    ring.workspace.fail_next("remove", TemporaryError("busy"))
    await kill(ring.core, one, by=OWNER)
    with pytest.raises(Conflict, match="still ending"):
        await restore(ring.core, one, by=OWNER)


async def test_merged_pull_request_is_history_and_an_open_one_goes_on(ring: Ring) -> None:
    one, two = await ring.spawn("1"), await ring.spawn("2")
    await ring.pull_request(one)
    await ring.pull_request(two)
    ring.scm.set_pull(one, state=PullRequestState.MERGED, merge_commit="c" * 40)
    await ring.look()
    await kill(ring.core, two, by=OWNER)
    await ring.settle()
    first = await restore(ring.core, one, by=OWNER)
    second = await restore(ring.core, two, by=OWNER)
    assert (first.change, first.merged is not None, second.change is not None) == (None, True, True)


async def test_restored_after_a_merge_it_works_and_does_not_end_again(ring: Ring) -> None:
    one = await ring.spawn()
    await ring.pull_request(one)
    ring.scm.set_pull(one, state=PullRequestState.MERGED, merge_commit="c" * 40)
    await ring.look()
    await restore(ring.core, one, by=OWNER)
    await ring.later(60)
    assert ring.status(one) == "idle"
    assert (await ring.told(one)).count("pr.merged") == 1
    await ring.pull_request(one, text="2")
    change = ring.session(one).change
    assert change is not None
    assert (ring.status(one), change.pr.number) == ("pr_open", 2)


async def test_merged_and_restored_it_shows_what_was_merged_and_its_end_opens_no_issue(ring: Ring) -> None:
    one = await ring.spawn()
    await ring.pull_request(one)
    ring.scm.set_pull(one, state=PullRequestState.MERGED, merge_commit="c" * 40)
    await ring.look()
    await restore(ring.core, one, by=OWNER)
    await ring.settle()
    merged = ring.session(one).merged
    assert merged is not None
    assert merged.pr.merge_commit == "c" * 40
    issue = ring.tracker.issues["demo", "1"]
    assert (ring.status(one), issue.state) == ("idle", IssueState.CLOSED)
    await kill(ring.core, one, by=OWNER)
    await ring.settle()
    assert ring.tracker.issues["demo", "1"].state is IssueState.CLOSED


async def test_pull_request_that_was_closed_does_not_come_back_unless_it_is_opened(ring: Ring) -> None:
    one = await ring.spawn()
    await ring.pull_request(one)
    ring.scm.set_pull(one, state=PullRequestState.CLOSED)
    await ring.look()
    await kill(ring.core, one, by=OWNER)
    await ring.settle()
    await restore(ring.core, one, by=OWNER)
    await ring.later(60)
    assert (ring.status(one), ring.session(one).change) == ("idle", None)
    ring.scm.set_pull(one, state=PullRequestState.OPEN)
    await ring.look()
    assert ring.status(one) == "pr_open"


async def test_session_that_never_was(ring: Ring) -> None:
    with pytest.raises(NotFound):
        await restore(ring.core, SessionId("demo-9"), by=OWNER)


async def test_session_of_a_project_that_was_taken_out_stays_ended_until_it_is_back(tmp_path: Path) -> None:
    entry = CONFIG[CONFIG.index("  demo:") :].replace("demo", "other")
    ring = await open_ring(tmp_path, config=CONFIG + entry)
    ring.tracker.issues["other", "1"] = ring.tracker.issues["demo", "1"]
    one = await ring.spawn()
    two = (await spawn(ring.core, SpawnAsk(project="other", issue="1"), by=OWNER)).id
    await ring.settle()
    await kill(ring.core, two, by=OWNER)
    await ring.settle()
    await projects.remove(ring.core, "other", by=OWNER)
    again = await ring.crash()
    with pytest.raises(NotFound, match="other"):
        await restore(again.core, two, by=OWNER)
    again.agent.says(one, ActivityState.BUSY)
    await again.look()
    assert again.status(one) == "working"
    assert [s.id for s in await ended.listed(again.core, ProjectId("other"))] == [two]
    row = NewProject(id="other", path=str(tmp_path / "repository"), default_branch="main")
    await projects.add(again.core, row, by=OWNER)
    await restore(again.core, two, by=OWNER)
    assert again.status(two) == "queued"
    await ring.close()


async def test_refused_by_a_full_disk_it_stays_ended_and_can_be_asked_for_again(tmp_path: Path) -> None:
    disk = FakeKeeping()
    ring = await open_ring(tmp_path, keeping=disk.over)
    one = await ring.spawn()
    await kill(ring.core, one, by=OWNER)
    await ring.settle()
    before = await ring.told(one)
    disk.full.add(one)
    with pytest.raises(TemporaryError, match="full"):
        await restore(ring.core, one, by=OWNER)
    await ring.later(10)
    again = await ring.crash()
    disk.full.clear()
    assert (again.fleet.all(), (await ended.one(again.core, one)).status.status.value) == ((), "killed")
    await restore(again.core, one, by=OWNER)
    await again.settle()
    assert (again.status(one), (await again.told(one))[len(before)]) == ("idle", "session.restored")
    await ring.close()


async def test_two_at_once_restore_it_once_and_the_second_hears_who_was_first(ring: Ring) -> None:
    one = await ring.spawn()
    await kill(ring.core, one, by=OWNER)
    await ring.settle()
    first, second = await asyncio.gather(
        restore(ring.core, one, by=ex.ADA), restore(ring.core, one, by=OWNER), return_exceptions=True
    )
    assert not isinstance(first, BaseException)
    assert isinstance(second, Conflict)
    assert "ada restores it already" in second.what
    await ring.settle()
    assert (await ring.told(one)).count("session.restored") == 1


async def test_trust_that_was_refused_is_asked_again_once_the_answer_is_taken_back(ring: Ring) -> None:
    trust = Dialog(id="trust:1", text="Do you trust it?", options=("Yes", "No, exit"), remember=True)
    session = await ring.spawn()
    ring.agent.says(session, ActivityState.ASKING, dialog=trust)
    await ring.look(session)
    await answer(ring.core, session, "2", by=OWNER)
    await ring.settle()
    ring.runtime.exit(session, 1)
    await ring.look(session)
    assert ring.session(session).status.reason == (
        "its program ended with code 1 after owner answered 'No, exit' to 'Do you trust it?'; "
        "`ao rules` lists that answer, and `ao rules rm` takes it back"
    )
    (kept,) = ring.core.store.policy.answers
    await rules.revoke(ring.core, kept.id, by=OWNER)
    await restore(ring.core, session, by=OWNER)
    await ring.settle()
    ring.agent.says(session, ActivityState.ASKING, dialog=trust)
    await ring.look(session)
    asked = ring.session(session).question
    assert asked is not None
    assert asked.options == ("Yes", "No, exit")
    await answer(ring.core, session, "1", by=OWNER)
    await ring.settle()
    assert ring.runtime.terminals[session].sent[-1] == Keys(keys=("1",))
    assert [q.delivered for q in ring.session(session).questions] == [True, True]
