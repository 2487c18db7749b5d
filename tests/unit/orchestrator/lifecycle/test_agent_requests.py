"""What agents ask for: carried out once, answered always, also after a crash."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from orchestrator.domain.event import Level
from orchestrator.domain.ids import SessionId
from orchestrator.domain.person import OWNER
from orchestrator.errors import Conflict, TemporaryError
from orchestrator.services.answer import answer
from orchestrator.testing.fakes.place import FakePlace
from orchestrator.testing.ring import Ring


async def do(ring: Ring, session: SessionId, *words: str) -> str:
    request = ring.ask(session, *words)
    await ring.settle()
    return ring.answer(session, request)


async def test_pull_request_is_opened_with_the_issue_named(ring: Ring) -> None:
    one = await ring.spawn()
    await ring.workspace.commit(one, "a.py", "1")
    said = await do(ring, one, "pr", "create", "--title", "Add a", "--body", "It adds a.")
    assert said.startswith("0\n#1 https://")
    pull = ring.scm.pull_of(one)
    assert (pull.title, pull.branch, pull.base) == ("Add a", "feat/issue-1", "main")
    assert (await ring.told(one)).count("pr.opened") == 1


async def test_people_are_told_once_what_is_in_the_way_of_a_pull_request(ring: Ring) -> None:
    one = await ring.spawn()
    await ring.workspace.commit(one, "a.py", "1")
    taken = "feat/issue-1 is in pull request #17 by ada, which no session of this ao opened."
    for _ in range(2):
        ring.scm.fail_next("publish", Conflict(taken, session=one, next_step="`ao claim demo 17` takes it."))
        assert (await do(ring, one, "pr", "create")).startswith("1\nao: ")
    (told,) = [e for e in await ring.events(one) if e.type == "pr.refused"]
    words = f"its pull request was not taken: {taken} `ao claim demo 17` takes it."
    assert (told.text, told.level) == (words, Level.ACTION)
    await do(ring, one, "done")
    assert ring.session(one).status.reason == f"the agent says that it is done; {words}"
    await do(ring, one, "pr", "create")
    assert ring.session(one).held.not_taken == ""


async def test_title_falls_back_to_the_issue_and_stays_when_the_pull_request_is_updated(ring: Ring) -> None:
    one = await ring.spawn()
    await ring.workspace.commit(one, "a.py", "1")
    await do(ring, one, "pr", "create")
    assert ring.scm.pull_of(one).title == "Issue 1"
    head = await ring.workspace.commit(one, "a.py", "2")
    await do(ring, one, "pr", "update")
    assert (ring.scm.pull_of(one).title, ring.scm.pull_of(one).head) == ("Issue 1", head)
    await do(ring, one, "pr", "update", "--title", "Better")
    assert ring.scm.pull_of(one).title == "Better"


async def test_uncommitted_files_are_named(ring: Ring) -> None:
    one = await ring.spawn()
    await ring.workspace.commit(one, "a.py", "1")
    await ring.workspace.edit(one, "b.py", "2")
    assert "1 uncommitted file is not in it" in await do(ring, one, "pr", "create")


async def test_pull_request_without_a_commit_or_on_another_branch_is_refused_with_the_reason(
    ring: Ring,
) -> None:
    one = await ring.spawn()
    assert "no commit of its own" in await do(ring, one, "pr", "create")
    ring.workspace.trees[one].branch = "elsewhere"
    assert "HEAD is on elsewhere" in await do(ring, one, "pr", "create")
    ring.workspace.trees[one].branch = ""
    assert "HEAD is on no branch" in await do(ring, one, "pr", "create")
    assert ring.scm.forge.pulls == {}


async def test_push_reaches_the_forge_and_only_on_the_sessions_own_branch(ring: Ring) -> None:
    one = await ring.spawn()
    head = await ring.workspace.commit(one, "a.py", "1")
    assert await do(ring, one, "push", head, "refs/heads/feat/issue-1") == (
        "0\npushed; `ao pr create` opens the pull request\n"
    )
    assert ring.scm.forge.branches["demo", "feat/issue-1"] == head
    refused = await do(ring, one, "push", head, "refs/heads/main")
    assert refused.startswith("1\nao: ")
    assert "only feat/issue-1 can be pushed" in refused
    assert ("demo", "main") not in ring.scm.forge.branches


async def test_push_replaces_what_the_session_published_itself_and_nothing_of_others(ring: Ring) -> None:
    one = await ring.spawn()
    first = await ring.workspace.commit(one, "a.py", "1")
    await do(ring, one, "push", first, "refs/heads/feat/issue-1")
    amended = await ring.workspace.commit(one, "a.py", "2")
    assert (await do(ring, one, "push", amended, "refs/heads/feat/issue-1")).startswith("0\npushed")
    ring.scm.push_from_elsewhere(ring.fleet.world.ref(ring.session(one)), "e" * 40)
    again = await ring.workspace.commit(one, "a.py", "3")
    refused = await do(ring, one, "push", again, "refs/heads/feat/issue-1")
    assert refused.startswith("1\n")
    assert "has commits that" in refused
    assert ring.scm.forge.branches["demo", "feat/issue-1"] == "e" * 40


@pytest.mark.parametrize("words", [("fly",), ("pr", "delete"), ("report",), ("push", "x", "y")])
async def test_what_is_not_understood_is_answered_with_the_reason(ring: Ring, words: tuple[str, ...]) -> None:
    one = await ring.spawn()
    assert (await do(ring, one, *words)).startswith("1\nao: ")


async def test_forge_that_is_down_lets_the_agent_wait(ring: Ring) -> None:
    one = await ring.spawn()
    await ring.workspace.commit(one, "a.py", "1")
    ring.scm.fail_next("publish", TemporaryError("502"))
    request = ring.ask(one, "pr", "create")
    await ring.settle()
    assert ring.answer(one, request) == ""
    await ring.later(20)
    assert ring.answer(one, request).startswith("0\n#1")


async def test_report_and_done_are_told_once(ring: Ring) -> None:
    one = await ring.spawn()
    assert await do(ring, one, "report", "half", "way") == "0\nnoted\n"
    assert ring.session(one).work.reported == "half way"
    await do(ring, one, "done", "it works")
    assert ring.status(one) == "done"
    assert ring.session(one).work.reported == "it works"
    told = await ring.told(one)
    assert (told.count("agent.reported"), told.count("agent.done")) == (1, 1)


async def test_report_that_reads_done_is_a_report(ring: Ring) -> None:
    one = await ring.spawn()
    await do(ring, one, "report", "done")
    assert ring.session(one).work.reported == "done"
    assert ring.status(one) == "idle"


async def test_question_waits_for_its_answer_and_is_asked_once(ring: Ring) -> None:
    one = await ring.spawn()
    request = ring.ask(one, "ask", "Which?", "--option", "a", "--option", "b")
    await ring.settle()
    await ring.later(60)
    again = await ring.crash()
    await again.later(60)
    assert (again.status(one), again.answer(one, request)) == ("waiting_input", "")
    assert (await again.told(one)).count("question.asked") == 1
    await answer(again.core, one, "b", by=OWNER)
    await again.later(20)
    assert again.answer(one, request) == "0\nb\n"


async def test_requests_made_while_ao_was_down_are_carried_out(ring: Ring) -> None:
    one = await ring.spawn()
    await ring.workspace.commit(one, "a.py", "1")
    request = ring.ask(one, "pr", "create")
    again = await ring.crash()
    assert again.answer(one, request).startswith("0\n#1")


async def test_requests_of_one_session_are_carried_out_in_order(ring: Ring) -> None:
    one = await ring.spawn()
    for text in ("one", "two", "three"):
        ring.ask(one, "report", text)
    await ring.settle()
    texts = [e.text for e in await ring.events(one) if e.type == "agent.reported"]
    assert texts == ["one", "two", "three"]


@pytest.mark.parametrize("moment", ["answer", "forget"])
async def test_crash_between_carrying_out_and_answering_does_nothing_twice(
    ring: Ring, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The outcome was kept, so the same answer is given again."""
    one = await ring.spawn()
    reached = asyncio.Event()
    real: Callable[..., Awaitable[None]] = FakePlace.write if moment == "answer" else FakePlace.remove

    async def die(self: FakePlace, path: str, *args: object, **more: object) -> None:
        if path.startswith(("/session/inbox/1", "/session/outbox/1")):
            reached.set()
            await asyncio.Event().wait()
        await real(self, path, *args, **more)

    name = {"answer": "write", "forget": "remove"}[moment]
    with monkeypatch.context() as patched:
        patched.setattr(FakePlace, name, die)
        request = ring.ask(one, "report", "half way")
        await ring.rounds.round()
        await asyncio.wait_for(reached.wait(), 5)
        await ring.die()
    again = await ring.crash()
    assert again.answer(one, request) == "0\nnoted\n"
    assert f"/session/outbox/{request}" not in again.place(one).files
    assert (await again.told(one)).count("agent.reported") == 1
