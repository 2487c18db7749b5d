"""Typing in an agent's terminal from elsewhere: somebody takes the keyboard, types, gives it back.

It is the same as a person who is attached and types: what was asked of the agent meanwhile waits.
"""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.domain.ids import SessionId
from orchestrator.domain.person import Actor
from orchestrator.domain.session import RuntimeState, WantedState
from orchestrator.errors import Conflict
from orchestrator.lifecycle.keyboards import Hold
from orchestrator.ports.runtime import Keys, Text
from orchestrator.services import terminal
from orchestrator.services.core import Core


async def take(core: Core, session_id: SessionId, page: str, *, by: Actor) -> None:
    """Give `by` the keyboard in one page. Repeatable. Raises `Conflict` while somebody else has it."""
    session = core.fleet.get(session_id)
    if session.runtime.state is not RuntimeState.ALIVE or session.wanted.state is WantedState.STOP:
        msg = f"nothing runs in its terminal ({session.status.reason})."
        raise Conflict(msg, session=session_id, next_step=f"`ao status {session_id}` shows where it is.")
    await terminal.require(core, session)
    keyboards, now = core.fleet.keyboards, core.clock.now()
    there = keyboards.of(session_id, now)
    if there is not None and there.page != page:
        msg = f"{there.who.name} has its keyboard."
        step = "It is free once they give it back, close the page or stop typing for two minutes."
        raise Conflict(msg, session=session_id, next_step=step)
    if there is None:
        keyboards.take(session_id, Hold(who=by, page=page, at=now))
        await core.audit(by, "keyboard", session_id, text="took the keyboard")
        words = f"{by} types in its terminal; what it is to be told waits"
        await core.fleet.change(session_id, lambda draft: draft.tell("keyboard.taken", words, by=str(by)))


async def press(
    core: Core, session_id: SessionId, page: str, what: Sequence[Text | Keys], *, by: Actor
) -> None:
    """Type for whoever has the keyboard. Raises `Conflict` for others, `NotFound` without a living terminal."""
    session = core.fleet.get(session_id)
    there = core.fleet.keyboards.of(session_id, core.clock.now())
    if there is None or there.page != page or there.who != by:
        msg = "you do not have its keyboard any more; nothing was typed."
        raise Conflict(msg, session=session_id, next_step="Take it again.")
    runtime, ref = core.fleet.world.runtime(session), core.fleet.world.ref(session)
    for one in what:
        core.fleet.keyboards.typed(
            session_id, len(one.keys) if isinstance(one, Keys) else 1, core.clock.now()
        )
        await runtime.send(ref, one)


async def give_back(core: Core, session_id: SessionId, page: str) -> None:
    """The page has it no more: what waited is typed now. Repeatable."""
    there = core.fleet.keyboards.give_back(session_id, page)
    if there is None:
        return
    text = f"gave the keyboard back after {there.pressed} keys"
    await core.audit(there.who, "keyboard", session_id, text=text)
    core.fleet.try_again(session_id)
