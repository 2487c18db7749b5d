"""Threads, drafts and bases of a session's pull request: by its agent, and by people."""

from __future__ import annotations

from typing import cast

import pytest

from orchestrator.domain.ids import SessionId
from orchestrator.domain.person import OWNER
from orchestrator.domain.pull_request import PullRequestState, ReviewComment
from orchestrator.errors import Conflict, NotFound, NotReady
from orchestrator.ports.scm import Scm
from orchestrator.services.draft import set_draft
from orchestrator.services.threads import open_threads, resolve
from orchestrator.services.update_branch import update_branch
from orchestrator.testing.fakes.scm import FakeScm
from orchestrator.testing.ring import Ring

NAME = ReviewComment(id="1", author="ana", body="Name it better.", path="a.py", line=3, thread="PRRT_1")
MORE = ReviewComment(id="2", author="bo", body="And test it.", path="a.py", line=3, thread="PRRT_1")
TYPO = ReviewComment(id="3", author="ana", body="A typo.", path="b.py", line=1, thread="PRRT_2")


async def reviewed(ring: Ring) -> tuple[SessionId, str]:
    """A session whose pull request has two threads."""
    one = await ring.spawn()
    head = await ring.pull_request(one)
    ring.scm.set_pull(one, comments=(NAME, MORE, TYPO))
    await ring.look(one)
    return one, head


async def do(ring: Ring, session: SessionId, *words: str) -> str:
    request = ring.ask(session, *words)
    await ring.settle()
    return ring.answer(session, request)


def open_ones(ring: Ring, session: SessionId) -> list[str]:
    return [comment.thread for comment in open_threads(ring.session(session))]


# The agent --------------------------------------------------------------------------------------------


async def test_agent_answers_in_a_thread_and_resolves_it(ring: Ring) -> None:
    one, _ = await reviewed(ring)
    assert await do(ring, one, "pr", "reply", "PRRT_1", "It is", "meant so.") == "0\nanswered\n"
    assert ring.scm.pull_of(one).comments[-1].body == "It is meant so."
    assert await do(ring, one, "pr", "resolve", "PRRT_1") == "0\nresolved\n"
    await ring.look(one)
    assert open_ones(ring, one) == ["PRRT_2"]
    told = await ring.told(one)
    assert (told.count("review.replied"), told.count("review.resolved")) == (1, 1)


async def test_what_an_agent_says_in_a_thread_is_masked_and_bounded(ring: Ring) -> None:
    one, _ = await reviewed(ring)
    secret = "ghp_" + "a1" * 18
    await do(ring, one, "pr", "reply", "PRRT_1", f"{secret} " + "x" * 9_000)
    said = ring.scm.pull_of(one).comments[-1].body
    assert secret not in said
    assert len(said) <= 4_000


async def test_thread_that_is_not_there_is_refused_with_the_reason(ring: Ring) -> None:
    one, _ = await reviewed(ring)
    assert "no review thread" in await do(ring, one, "pr", "resolve", "PRRT_9")
    for words in (
        ("resolve",),
        ("resolve", "PRRT_1", "x"),
        ("reply", "PRRT_1"),
        ("reply", "a b", "x"),
        ("ready", "x"),
    ):
        assert (await do(ring, one, "pr", *words))[0] != "0"
    assert open_ones(ring, one) == ["PRRT_1", "PRRT_2"]


async def test_draft_becomes_ready_when_the_agent_says_so(ring: Ring) -> None:
    one = await ring.spawn()
    await ring.workspace.commit(one, "a.py", "1")
    await do(ring, one, "pr", "create", "--draft")
    assert ring.scm.pull_of(one).state is PullRequestState.DRAFT
    assert await do(ring, one, "pr", "ready") == "0\nready for review\n"
    assert ring.scm.pull_of(one).state is PullRequestState.OPEN


async def test_without_a_pull_request_there_is_nothing_to_answer(ring: Ring) -> None:
    one = await ring.spawn()
    for words in (("ready",), ("resolve", "PRRT_1"), ("reply", "PRRT_1", "x")):
        assert "no pull request yet" in await do(ring, one, "pr", *words)


# People -----------------------------------------------------------------------------------------------


async def test_person_resolves_a_thread_and_it_is_kept_who(ring: Ring) -> None:
    one, _ = await reviewed(ring)
    await resolve(ring.core, one, "PRRT_2", by=OWNER)
    await ring.look(one)
    assert open_ones(ring, one) == ["PRRT_1"]
    entry = (await ring.core.store.audit.newest(10))[-1]
    assert (entry.verb, entry.by, entry.text) == ("resolve", OWNER, "PRRT_2")
    with pytest.raises(NotFound):
        await resolve(ring.core, one, "PRRT_9", by=OWNER)


async def test_person_makes_it_a_draft_and_ready_again(ring: Ring) -> None:
    one, _ = await reviewed(ring)
    for draft, state in ((True, PullRequestState.DRAFT), (False, PullRequestState.OPEN)):
        for _ in range(2):
            await set_draft(ring.core, one, draft=draft, by=OWNER)
        await ring.look(one)
        change = ring.session(one).change
        assert change is not None
        assert change.pr.state is state


async def test_base_is_merged_in_by_the_forge_and_the_agent_is_told_how_to_get_it(ring: Ring) -> None:
    one, head = await reviewed(ring)
    await update_branch(ring.core, one, by=OWNER)
    assert ring.scm.pull_of(one).head != head
    message = ring.session(one).messages[-1]
    assert "main was merged into your pull request" in message.text
    with pytest.raises(Conflict):  # what is known of it is not what the forge has, until the next look
        await update_branch(ring.core, one, by=OWNER)


async def test_closed_pull_request_is_left_alone(ring: Ring) -> None:
    one, _ = await reviewed(ring)
    ring.scm.set_pull(one, state=PullRequestState.CLOSED)
    await ring.look(one)
    with pytest.raises(Conflict):
        await set_draft(ring.core, one, draft=True, by=OWNER)
    with pytest.raises(Conflict):
        await update_branch(ring.core, one, by=OWNER)


class Simple:
    """A forge with nothing but what every forge has."""

    def __init__(self, forge: Scm) -> None:
        self.base, self.observe, self.publish = forge.base, forge.observe, forge.publish
        self.merge, self.review, self.close = forge.merge, forge.review, forge.close


async def test_forge_that_cannot_says_so(ring: Ring) -> None:
    one, _ = await reviewed(ring)
    ring.world.scm = cast("FakeScm", Simple(ring.world.scm))
    again = await ring.crash()
    for doing in (
        set_draft(again.core, one, draft=True, by=OWNER),
        update_branch(again.core, one, by=OWNER),
        resolve(again.core, one, "PRRT_1", by=OWNER),
    ):
        with pytest.raises(NotReady):
            await doing
