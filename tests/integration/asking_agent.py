"""An agent plugin for the story beside it: it asks for leave when `agent/asks` names a command.

Its program writes every line that it is given into `agent/got`. Loaded by `ao` from this file.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from orchestrator.domain.activity import Activity, ActivityState, Dialog, ToolCall, Verdict
from orchestrator.domain.ids import SessionId
from orchestrator.domain.look import Look, Seen
from orchestrator.domain.policy import PERMISSION_OPTIONS
from orchestrator.errors import NotFound
from orchestrator.ports.agent import AGENT, AgentLook, AgentTask, AgentView, Prepared
from orchestrator.ports.place import Place
from orchestrator.ports.plugin import Options, Plugin, PluginContext
from orchestrator.ports.runtime import Keys, Launch, Text
from orchestrator.ports.session_ref import SessionRef

PROGRAM = 'while read -r line; do echo "$line" >>agent/got; rm -f agent/asks; done'


class AskingAgent:
    """Asks what it is told to ask."""

    async def prepare(self, session: SessionRef, place: Place, task: AgentTask) -> Prepared:
        """Keep which tools are judged, where the story sees it."""
        del session
        await place.write(f"{place.folder}/agent/judged", " ".join(sorted(task.judged)).encode())
        return Prepared(launch=Launch(argv=("sh", "-c", PROGRAM), cwd=place.folder), prompt_given=True)

    async def observe(self, views: Collection[AgentView]) -> Mapping[SessionId, Look[AgentLook]]:
        """What it asks now, if anything."""
        return {view.session.id: Seen(AgentLook(activity=await _activity(view.place))) for view in views}

    def needs_screen(self, session: SessionRef) -> bool:
        """Its file tells all."""
        del session
        return False

    async def answer(self, session: SessionRef, *particulars: Any) -> Text:
        """The answer as a line."""
        del session
        return Text(text=particulars[-1])

    async def interrupt(self, session: SessionRef) -> Keys:
        """Nothing runs."""
        del session
        return Keys(keys=("Enter",))

    def tool_call(self, payload: str) -> ToolCall | None:
        """The payload is the command line."""
        return ToolCall(tool="Bash", argument=payload, shell=True)  # noqa: S604 - a description of a call

    def verdict(self, verdict: Verdict, reason: str) -> str:
        """As it is read by whoever plays the hook."""
        return f"{verdict.value}: {reason}"


async def _activity(place: Place) -> Activity:
    try:
        command = (await place.read(f"{place.folder}/agent/asks")).decode()
    except NotFound:
        return Activity(state=ActivityState.BUSY, evidence="it asks nothing", tool="Bash")
    call = ToolCall(tool="Bash", argument=command, shell=True)  # noqa: S604 - a description of a call
    dialog = Dialog(id=f"leave:{command}", text=f"Run {command}?", options=PERMISSION_OPTIONS, call=call)
    return Activity(state=ActivityState.PERMISSION, evidence="it asks for leave", dialog=dialog)


def create(options: Options, context: PluginContext) -> AskingAgent:
    """The agent."""
    del options, context
    return AskingAgent()


PLUGIN = Plugin(slot=AGENT, name="asking", summary="asks for leave", create=create)
