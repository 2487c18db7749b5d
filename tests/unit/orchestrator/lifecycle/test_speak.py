"""Typing to agents: only into a prompt that waits, once, and followed to the end."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from orchestrator.domain.activity import ActivityState, Dialog
from orchestrator.domain.ids import SessionId
from orchestrator.domain.message import Message
from orchestrator.domain.person import OWNER
from orchestrator.domain.session import Question
from orchestrator.errors import AoError, NotFound, TemporaryError
from orchestrator.lifecycle.delivery import TYPED_WAIT
from orchestrator.lifecycle.react import TYPING_LOST
from orchestrator.ports.runtime import Keys, Text
from orchestrator.services.answer import answer
from orchestrator.services.pause import pause, unpause
from orchestrator.services.send import send
from orchestrator.testing.ring import Ring

DIALOG = Dialog(id="d1", text="Run make?", options=("yes", "no"))


async def tell(ring: Ring, session: SessionId, text: str = "go on") -> Message:
    made = await send(ring.core, session, text, by=OWNER)
    await ring.settle()
    return ring.session(session).messages[made.number - 1]


def texts(ring: Ring, session: SessionId) -> list[str]:
    return [sent.text for sent in ring.runtime.terminals[session].sent if isinstance(sent, Text)]


def stage(ring: Ring, session: SessionId) -> str:
    return ring.session(session).messages[-1].stage.value


async def test_message_is_typed_once_and_followed_to_its_answer(ring: Ring) -> None:
    one = await ring.spawn()
    message = await tell(ring, one)
    assert (message.stage.value, texts(ring, one)) == ("answered", ["go on"])
    stages = [t for t in await ring.told(one) if t.startswith("message.")]
    assert stages == [
        f"message.{s}" for s in ("received", "typing", "typed", "accepted", "working", "answered")
    ]


async def test_messages_are_typed_in_order_each_after_the_one_before_is_accepted(ring: Ring) -> None:
    ring.agent.slow = True
    one = await ring.spawn()
    ring.agent.finish(one)
    await ring.look()
    await tell(ring, one, "first")
    await tell(ring, one, "second")
    assert texts(ring, one) == ["first"]
    ring.agent.finish(one)
    await ring.look()
    assert texts(ring, one) == ["first", "second"]


@pytest.mark.parametrize("state", [ActivityState.BUSY, ActivityState.STARTING, ActivityState.UNKNOWN])
async def test_nothing_is_typed_while_the_prompt_does_not_wait(ring: Ring, state: ActivityState) -> None:
    one = await ring.spawn()
    ring.agent.says(one, state)
    await ring.look()
    await tell(ring, one)
    assert (texts(ring, one), stage(ring, one)) == ([], "received")


async def test_message_is_never_typed_into_a_dialog(ring: Ring) -> None:
    one = await ring.spawn()
    ring.agent.says(one, ActivityState.PERMISSION, dialog=DIALOG, accepts_text=True)
    await ring.look()
    await tell(ring, one)
    assert ring.runtime.terminals[one].sent == []
    ring.agent.says(one, ActivityState.IDLE, dialog=None)
    await ring.look()
    assert texts(ring, one) == ["go on"]


async def test_what_changed_since_the_last_look_is_seen_before_typing(ring: Ring) -> None:
    one = await ring.spawn()
    ring.agent.says(one, ActivityState.BUSY)
    await tell(ring, one)
    assert (texts(ring, one), stage(ring, one)) == ([], "received")


async def test_dialog_that_opened_since_the_last_look_gets_no_text(ring: Ring) -> None:
    one = await ring.spawn()
    ring.agent.says(one, ActivityState.PERMISSION, dialog=DIALOG, accepts_text=True)
    await send(ring.core, one, "go on", by=OWNER)
    await ring.beside()
    await ring.settle()
    assert ring.runtime.terminals[one].sent == []


@pytest.mark.parametrize("look", [{"mode": "copy mode"}, {"attached": True, "person_at": 1e12}])
async def test_person_at_the_terminal_is_not_interrupted(ring: Ring, look: dict[str, object]) -> None:
    one = await ring.spawn()
    ring.runtime.show(one, "", **look)
    await tell(ring, one)
    assert (texts(ring, one), stage(ring, one)) == ([], "received")
    ring.runtime.show(one, "", mode="", attached=False)
    await ring.later(30)
    assert texts(ring, one) == ["go on"]


async def test_person_who_only_watches_does_not_hold_it_up(ring: Ring) -> None:
    one = await ring.spawn()
    ring.runtime.show(one, "", attached=True, person_at=ring.clock.now() - 11)
    await tell(ring, one)
    assert texts(ring, one) == ["go on"]


async def test_terminal_that_cannot_be_seen_gets_no_text(ring: Ring) -> None:
    one = await ring.spawn()
    ring.runtime.unreadable[one] = "tmux does not answer"
    await send(ring.core, one, "go on", by=OWNER)
    await ring.beside()
    await ring.settle()
    assert stage(ring, one) == "received"
    del ring.runtime.unreadable[one]
    await ring.later(30)
    assert texts(ring, one) == ["go on"]


async def test_message_waits_while_its_session_is_paused(ring: Ring) -> None:
    one = await ring.spawn()
    await pause(ring.core, one, by=OWNER)
    await tell(ring, one)
    assert texts(ring, one) == []
    await unpause(ring.core, one, by=OWNER)
    await ring.settle()
    assert texts(ring, one) == ["go on"]


async def deaf(ring: Ring) -> SessionId:
    """An agent whose prompt takes text and that never says that it has it."""
    one = await ring.spawn()
    ring.runtime.terminals[one].launch = ring.runtime.terminals[one].launch.__class__(argv=("deaf",), cwd="/")
    return one


async def test_what_is_not_confirmed_is_submitted_again_and_then_failed(ring: Ring) -> None:
    one = await deaf(ring)
    message = await tell(ring, one)
    assert message.stage.value == "typed"
    await ring.later(TYPED_WAIT + 1, step=1)
    assert ring.runtime.terminals[one].sent == [Text(text="go on"), Keys(keys=("Enter",))]
    await ring.later(4 * TYPED_WAIT, step=1)
    assert stage(ring, one) == "failed"
    assert "not confirmed by the agent after 3 tries" in ring.session(one).messages[-1].reason
    assert ring.runtime.terminals[one].sent.count(Keys(keys=("Enter",))) == 2
    failed = [e for e in await ring.events(one) if e.type == "message.failed"]
    assert [e.level.value for e in failed] == ["action"]


async def test_enter_is_not_pressed_while_the_prompt_does_not_wait(ring: Ring) -> None:
    one = await deaf(ring)
    await tell(ring, one)
    ring.agent.says(one, ActivityState.BUSY, accepts_text=False)
    await ring.later(2 * TYPED_WAIT, step=1)
    assert Keys(keys=("Enter",)) not in ring.runtime.terminals[one].sent


@pytest.mark.parametrize(
    ("error", "typed"), [(NotFound("no terminal"), ["go on"]), (TemporaryError("tmux does not answer"), [])]
)
async def test_typing_is_tried_again_only_where_nothing_was_typed(
    ring: Ring, error: AoError, typed: list[str]
) -> None:
    one = await ring.spawn()
    real = ring.runtime.send
    failures = [error]

    async def send_once(session, what):  # type: ignore[no-untyped-def]
        if failures:
            raise failures.pop()
        await real(session, what)

    ring.runtime.send = send_once  # type: ignore[method-assign]
    await tell(ring, one)
    await ring.later(TYPING_LOST + 10)
    assert texts(ring, one) == typed
    assert stage(ring, one) == ("answered" if typed else "failed")


@pytest.mark.parametrize("typed", [True, False])
async def test_crash_while_typing_never_types_twice(ring: Ring, typed: bool) -> None:
    """The agent's own word decides whether it has it; without one the sender is told that it failed."""
    one = await ring.spawn()
    real = ring.runtime.send
    reached = asyncio.Event()

    async def die(session, what):  # type: ignore[no-untyped-def]
        if typed:
            await real(session, what)
        reached.set()
        await asyncio.Event().wait()

    ring.runtime.send = die  # type: ignore[method-assign]
    await send(ring.core, one, "go on", by=OWNER)
    await asyncio.wait_for(reached.wait(), 5)
    ring.runtime.send = real  # type: ignore[method-assign]
    again = await ring.crash()
    await again.later(TYPING_LOST + 5)
    assert texts(again, one) == (["go on"] if typed else [])
    assert stage(again, one) == ("answered" if typed else "failed")


# Answers ------------------------------------------------------------------------------------------


async def asked(ring: Ring, session: SessionId) -> Question:
    ring.agent.says(session, ActivityState.PERMISSION, dialog=DIALOG, accepts_text=False)
    await ring.look(session)
    question = ring.session(session).question
    assert question is not None
    return question


async def test_dialog_gets_its_own_answer_by_its_own_keys(ring: Ring) -> None:
    one = await ring.spawn()
    question = await asked(ring, one)
    assert ring.status(one) == "waiting_input"
    await answer(ring.core, one, "no", by=OWNER, question=question.id)
    await ring.settle()
    assert ring.runtime.terminals[one].sent == [Keys(keys=("2",))]
    assert ring.session(one).questions[-1].delivered
    assert ring.session(one).intents == ()
    assert "question.delivered" in await ring.told(one)


async def test_dialog_that_is_drawn_anew_is_not_closed_by_keys_for_what_it_showed_before(ring: Ring) -> None:
    """A menu moves at the first key and moves back by itself: Enter would choose what the person did not."""
    one = await ring.spawn()
    question = await asked(ring, one)
    moved = replace(DIALOG, options=DIALOG.options[::-1])
    send, observe = ring.runtime.send, ring.agent.observe
    looks = 0

    async def press(session, what):  # type: ignore[no-untyped-def]
        nonlocal looks
        await send(session, what)
        looks = 1 if len(ring.runtime.terminals[one].sent) == 1 else 0
        ends = what == Keys(keys=("1",))
        ring.agent.says(one, ActivityState.PERMISSION, dialog=None if ends else moved, accepts_text=False)

    async def look(views):  # type: ignore[no-untyped-def]
        nonlocal looks
        found = await observe(views)
        looks -= 1
        if looks == 0:
            ring.agent.says(one, ActivityState.PERMISSION, dialog=DIALOG, accepts_text=False)
        return found

    ring.runtime.send, ring.agent.observe = press, look  # type: ignore[method-assign]
    await answer(ring.core, one, "no", by=OWNER, question=question.id)
    await ring.settle()
    assert ring.runtime.terminals[one].sent == [Keys(keys=("2",)), Keys(keys=("2",)), Keys(keys=("1",))]


async def test_answer_never_lands_in_another_dialog(ring: Ring) -> None:
    one = await ring.spawn()
    question = await asked(ring, one)
    other = Dialog(id="d2", text="Delete everything?", options=("yes", "no"))
    ring.agent.says(one, ActivityState.PERMISSION, dialog=other, accepts_text=False)
    await answer(ring.core, one, "yes", by=OWNER, question=question.id)
    await ring.settle()
    assert ring.runtime.terminals[one].sent == []
    told = [e for e in await ring.events(one) if e.type == "question.undelivered"]
    assert [e.level.value for e in told] == ["action"]
    await ring.look(one)
    waiting = ring.session(one).question
    assert waiting is not None
    assert waiting.id == "d2"


@pytest.mark.parametrize("taken", [True, False])
async def test_crash_while_answering_a_dialog_answers_it_once(ring: Ring, taken: bool) -> None:
    one = await ring.spawn()
    question = await asked(ring, one)
    real, reached = ring.runtime.send, asyncio.Event()

    async def die(session, what):  # type: ignore[no-untyped-def]
        if taken:
            await real(session, what)
            ring.agent.says(one, ActivityState.BUSY, dialog=None)
        reached.set()
        await asyncio.Event().wait()

    ring.runtime.send = die  # type: ignore[method-assign]
    await answer(ring.core, one, "yes", by=OWNER, question=question.id)
    await asyncio.wait_for(reached.wait(), 5)
    ring.runtime.send = real  # type: ignore[method-assign]
    again = await ring.crash()
    await again.later(10)
    assert again.runtime.terminals[one].sent == [Keys(keys=("1",))]
    assert again.session(one).questions[-1].delivered
    assert "question.undelivered" not in await again.told(one)


async def test_answer_to_ao_ask_becomes_its_answer_file(ring: Ring) -> None:
    one = await ring.spawn()
    ring.agent.says(one, ActivityState.BUSY)
    request = ring.ask(one, "ask", "Which", "colour?", "--option", "red", "--option", "blue")
    await ring.settle()
    assert ring.answer(one, request) == ""
    await answer(ring.core, one, "2", by=OWNER)
    await ring.settle()
    assert ring.answer(one, request) == "0\nblue\n"
    assert texts(ring, one) == []


async def test_answer_after_the_turn_ended_arrives_as_a_message_too(ring: Ring) -> None:
    one = await ring.spawn()
    request = ring.ask(one, "ask", "Which", "colour?")
    await ring.settle()
    await answer(ring.core, one, "blue", by=OWNER)
    await ring.settle()
    assert texts(ring, one) == ["You asked: Which colour?\n\nThe answer: blue"]
    await ring.look(one)
    assert ring.answer(one, request) == "0\nblue\n"
    assert f"/session/outbox/{request}" not in ring.place(one).files
