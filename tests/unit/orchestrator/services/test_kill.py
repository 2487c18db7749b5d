"""Killing: repeatable, called what it is; the steps are in `lifecycle/test_end`."""

from __future__ import annotations

import pytest

from orchestrator.domain.activity import ActivityState
from orchestrator.domain.ids import SessionId
from orchestrator.domain.person import OWNER
from orchestrator.domain.pull_request import PullRequestState
from orchestrator.domain.session import StopReason, WantedState
from orchestrator.errors import Conflict, NotFound, TemporaryError
from orchestrator.lifecycle.queue import Room
from orchestrator.services import ended
from orchestrator.services.kill import as_it_is, kill
from orchestrator.testing import examples as ex
from orchestrator.testing.ring import Ring


async def test_facts_before_a_yes_are_those_of_now(ring: Ring) -> None:
    one = await ring.spawn()
    await ring.workspace.edit(one, "new.py", "x = 1")
    assert ring.session(one).dirty == 0
    assert (await as_it_is(ring.core, ring.session(one))).dirty == 1
    ring.workspace.unreadable[one] = "it hangs"
    assert (await as_it_is(ring.core, ring.session(one))).dirty == 0


async def test_second_kill_changes_nothing(ring: Ring) -> None:
    one = await ring.spawn()
    ring.workspace.fail_next("remove", TemporaryError("busy"))
    first = await kill(ring.core, one, by=ex.ADA)
    second = await kill(ring.core, one, by=OWNER)
    assert first.wanted == second.wanted
    assert second.wanted.by == ex.ADA
    assert (await ring.told(one)).count("session.kill_asked") == 1
    await ring.later(30)
    with pytest.raises(Conflict, match="ended by ada"):
        await kill(ring.core, one, by=OWNER)


async def test_what_is_merged_stays_called_merged(ring: Ring) -> None:
    ring.rules(cleanup_on_merge=False)
    one = await ring.spawn()
    await ring.pull_request(one)
    ring.agent.says(one, ActivityState.BUSY)
    ring.scm.set_pull(one, state=PullRequestState.MERGED, merge_commit="c" * 40)
    await ring.look(one)
    session = await kill(ring.core, one, by=OWNER)
    assert session.wanted.reason is StopReason.MERGED
    await ring.settle()
    assert (await ended.one(ring.core, one)).status.status.value == "merged"


async def test_session_that_waits_in_line_is_ended_at_once(ring: Ring) -> None:
    ring.room.append(Room(sessions=1))
    await ring.spawn("1")
    two = await ring.spawn("2")
    assert ring.status(two) == "queued"
    session = await kill(ring.core, two, by=OWNER)
    assert session.wanted.state is WantedState.STOP
    await ring.settle()
    assert (await ended.one(ring.core, two)).status.status.value == "killed"
    assert "create" in ring.workspace.calls
    assert two not in ring.runtime.starts


async def test_session_that_is_not_there(ring: Ring) -> None:
    with pytest.raises(NotFound):
        await kill(ring.core, SessionId("demo-9"), by=OWNER)
