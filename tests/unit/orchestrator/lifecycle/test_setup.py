"""Setting a session up: each step once, each failure told, nothing left behind."""

from __future__ import annotations

import pytest

from orchestrator.domain.activity import Activity, ActivityState
from orchestrator.domain.ids import SessionId
from orchestrator.domain.person import OWNER
from orchestrator.domain.session import SetupStep
from orchestrator.errors import AoError, Conflict, PermanentError, TemporaryError
from orchestrator.lifecycle.queue import Room
from orchestrator.ports.agent import AgentLook
from orchestrator.ports.runtime import Text
from orchestrator.services import ended
from orchestrator.services.cleanup import cleanup
from orchestrator.services.kill import kill
from orchestrator.services.restore import restore
from orchestrator.testing.ring import Ring

ONE = SessionId("demo-1")


async def test_session_gets_workspace_programs_prompt_and_agent(ring: Ring) -> None:
    one = await ring.spawn("7", prompt="Keep it short.")
    session = ring.session(one)
    files = ring.place(one).files
    assert session.setup.step is SetupStep.READY
    assert (session.workspace, session.branch) == (f"/work/{one}", "feat/issue-7")
    assert {"/session/bin/ao", "/session/bin/git-remote-ao", "/session/prompt.md"} <= files.keys()
    prompt = files["/session/prompt.md"].decode()
    assert "Do 7." in prompt
    assert "Keep it short." in prompt
    assert ring.agent.tasks[one].prompt == prompt
    assert ring.runtime.terminals[one].launch.cwd == session.workspace


async def test_prompt_that_is_not_in_the_launch_is_typed_once(ring: Ring) -> None:
    ring.agent.typed = True
    one = await ring.spawn()
    prompt = ring.agent.tasks[one].prompt
    assert ring.runtime.terminals[one].sent == [Text(text=prompt)]
    assert ring.session(one).messages[0].key == "prompt"
    again = await ring.crash()
    await again.later(60)
    assert len(again.runtime.terminals[one].sent) == 1


@pytest.mark.parametrize("step", ["base", "create", "prepare", "start"])
async def test_step_that_fails_for_now_is_tried_again(ring: Ring, step: str) -> None:
    error = TemporaryError("not now")
    _fail(ring, step, error)
    one = await ring.spawn()
    assert ring.status(one) == "spawning"
    assert "tried again soon: not now" in ring.session(one).status.reason
    await ring.later(10)
    assert ring.status(one) == "idle"
    assert ring.runtime.starts == [one]


def _fail(ring: Ring, step: str, error: AoError) -> None:
    if step == "base":
        ring.scm.fail_next("base", error)  # once for the spawn, which asks before
        ring.scm.fail_next("base", error)
    elif step == "create":
        ring.workspace.fail_next("create", error)
    elif step == "prepare":
        ring.agent.fail_next(error)
    else:
        _fail_start(ring, error)


def _fail_start(ring: Ring, error: AoError) -> None:
    real, failures = ring.runtime.start, [error]

    async def start(session, launch):  # type: ignore[no-untyped-def]
        if failures:
            raise failures.pop()
        await real(session, launch)

    ring.runtime.start = start  # type: ignore[method-assign]


@pytest.mark.parametrize("step", ["create", "prepare", "start"])
@pytest.mark.parametrize("error", [PermanentError("no such program"), Conflict("it belongs to demo-9")])
async def test_step_that_is_refused_stays_to_be_seen_until_it_is_killed(
    ring: Ring, step: str, error: AoError
) -> None:
    _fail(ring, step, error)
    ring.room.append(Room(sessions=1))
    one = await ring.spawn()
    await ring.later(60)
    assert ring.status(one) == "errored"
    assert error.what in ring.session(one).status.reason
    two = await ring.spawn("2")
    assert ring.status(two) == "idle"
    await kill(ring.core, two, by=OWNER)
    await kill(ring.core, one, by=OWNER)
    await ring.settle()
    assert (await ended.one(ring.core, one)).status.status.value == "killed"
    assert (ring.workspace.trees, ring.runtime.terminals) == ({}, {})
    told = [e for e in await ring.events(one) if e.type == "session.errored"]
    assert [e.level.value for e in told] == ["urgent"]
    assert ring.tracker.issues["demo", "1"].state.value == "open"


async def test_issue_that_went_meanwhile_ends_the_session_with_words(ring: Ring) -> None:
    ring.agent.fail_next(TemporaryError("not now"))
    one = await ring.spawn()
    del ring.tracker.issues["demo", "1"]
    await ring.later(10)
    assert ring.status(one) == "errored"
    assert "issue 1 is gone" in ring.session(one).status.reason


async def test_failed_session_is_restored_where_it_was(ring: Ring) -> None:
    ring.agent.fail_next(PermanentError("no such program"))
    one = await ring.spawn()
    await restore(ring.core, one, by=OWNER)
    await ring.settle()
    assert (ring.status(one), ring.agent.tasks[one].resume) == ("idle", False)


async def test_failed_session_goes_once_another_of_its_issue_works(ring: Ring) -> None:
    ring.agent.fail_next(PermanentError("no such program"))
    one = await ring.spawn()
    two = await ring.spawn()
    await ring.settle()
    assert [s.id for s in ring.fleet.all()] == [two]
    kept = await ended.one(ring.core, one)
    assert kept.status.reason == "no such program (demo-2 took its place)"
    assert ring.tracker.issues["demo", "1"].state.value == "in_progress"


async def test_failed_session_is_cleaned_up_when_asked(ring: Ring) -> None:
    ring.agent.fail_next(PermanentError("no such program"))
    one = await ring.spawn()
    (item,) = await cleanup(ring.core, by=OWNER)
    assert (item.session, "could not be set up" in item.reason) == (one, True)


async def test_tracker_that_cannot_be_read_is_waited_for(ring: Ring) -> None:
    ring.agent.fail_next(TemporaryError("not now"))
    one = await ring.spawn()
    ring.tracker.unreadable["1"] = "503"
    await ring.later(10)
    assert "issue 1 could not be read: 503" in ring.session(one).status.reason
    del ring.tracker.unreadable["1"]
    await ring.later(20)
    assert ring.status(one) == "idle"


async def test_agent_that_exits_at_once_is_told(ring: Ring) -> None:
    one = await ring.spawn()
    ring.runtime.exit(one, 127)
    await ring.look()
    assert ring.status(one) == "errored"
    assert "code 127" in ring.session(one).status.reason


async def test_restored_session_has_its_task_again_and_its_saved_work(ring: Ring) -> None:
    """An agent that cannot go on in its own conversation is started with the whole prompt."""
    one = await ring.spawn()
    base = ring.session(one).base_sha
    await ring.workspace.edit(one, "new.py", "x = 1")
    await kill(ring.core, one, by=OWNER)
    await ring.settle()
    ring.scm.forge.bases["demo", "main"] = "2" * 40
    await restore(ring.core, one, by=OWNER)
    await ring.settle()
    session, task = ring.session(one), ring.agent.tasks[one]
    assert (ring.status(one), session.base_sha, session.restored_from) == ("idle", base, "")
    assert ring.place(one).files[f"/work/{one}/new.py"] == b"x = 1"
    assert (task.resume, task.conversation) == (True, "fake-demo-1")
    assert "Do 1." in task.prompt


@pytest.mark.parametrize(("conversation", "prompts"), [("", 1), ("its own", 0)])
async def test_restored_agent_is_typed_its_task_unless_it_goes_on_in_its_conversation(
    ring: Ring, conversation: str, prompts: int
) -> None:
    ring.agent.typed = True
    ring.agent.looks[ONE] = AgentLook(activity=Activity(state=ActivityState.IDLE), conversation=conversation)
    await ring.spawn()
    await kill(ring.core, ONE, by=OWNER)
    await ring.settle()
    await restore(ring.core, ONE, by=OWNER)
    await ring.settle()
    sent = ring.runtime.terminals[ONE].sent
    assert sum("Do 1." in text.text for text in sent if isinstance(text, Text)) == prompts
