"""How a person opens a session's terminal."""

from __future__ import annotations

from orchestrator.domain.ids import SessionId
from orchestrator.domain.session import RuntimeState
from orchestrator.errors import Conflict, NotReady
from orchestrator.ports.runtime import Attachable
from orchestrator.ports.terminal import Attach
from orchestrator.services import terminal
from orchestrator.services.core import Core


async def attach(core: Core, session_id: SessionId) -> Attach:
    """The command that attaches. Raises `NotReady` for a runtime that cannot be attached to."""
    session = core.fleet.get(session_id)
    runtime = core.fleet.world.runtime(session)
    link = page(core, session_id)
    if session.runtime.state is RuntimeState.NONE:
        msg = f"it has no terminal ({session.status.reason})."
        raise Conflict(msg, session=session_id, next_step=f"`ao status {session_id}` shows where it is.")
    if not isinstance(runtime, Attachable):
        msg = f"the runtime {session.parts.runtime} cannot be attached to."
        step = f"Look at {link}" if link else f"`ao output {session_id}` shows its last lines."
        raise NotReady(msg, session=session_id, next_step=step)
    await terminal.require(core, session)
    command = runtime.attach_command(core.fleet.world.ref(session))
    title = f"{session_id} {session.task.title}"
    return Attach(session=session_id, title=title, command=command, link=link)


def page(core: Core, session_id: SessionId) -> str:
    """The live terminal in the web console; empty while none listens."""
    return f"{core.door.address}/sessions/{session_id}/terminal" if core.door.address else ""
