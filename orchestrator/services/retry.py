"""A person's Retry: what was tried is forgotten, so every reaction may run again, and a refused push too."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.domain.ids import SessionId
from orchestrator.domain.person import Actor
from orchestrator.domain.session import Session, WantedState
from orchestrator.errors import AoError, Conflict
from orchestrator.lifecycle import holding, react
from orchestrator.lifecycle.draft import Draft
from orchestrator.ports.scm import Reruns
from orchestrator.services.core import Core


async def retry(
    core: Core, session_id: SessionId, *, by: Actor, rerun: bool = False, send: bool = False
) -> Session:
    """Clear the counts; with `rerun` the forge runs the failed checks again without a new commit.

    With `send` the agent is told what `auto: false` kept for a person. Raises `Conflict` when nothing is.
    """

    def how(draft: Draft) -> None:
        cleared = tuple(replace(c, red_heads=()) for c in draft.session.changes)
        draft.set(attempts=(), changes=cleared)
        draft.tell("reaction.retry", f"{by} asks to try again", by=str(by))
        if draft.session.wanted.state is not WantedState.STOP:
            holding.again(draft, by)
        if send:
            _send(core, draft)

    session = core.fleet.get(session_id)
    if rerun and session.change is not None:
        scm = core.fleet.world.scm(session)
        if not isinstance(scm, Reruns):
            msg = f"{session.parts.scm} cannot run checks again without a new commit."
            raise AoError(msg, session=session_id)
        await scm.rerun(core.fleet.world.ref(session), session.change.pr.head)
    changed = await core.fleet.change(session_id, how)
    core.fleet.wake(session_id)
    return changed


def _send(core: Core, draft: Draft) -> None:
    session = draft.session
    if session.wanted.state is WantedState.STOP:
        msg = "it is ended or ending."
        raise Conflict(msg, session=session.id, next_step=f"`ao restore {session.id}` brings it back.")
    if not react.send_waiting(draft, core.settings.rules(session.project)):
        msg = "nothing waits for leave to be sent to its agent."
        raise Conflict(msg, session=session.id, next_step=f"`ao send {session.id} …` tells it something.")
