"""Agent `custom`: any program in a terminal, described by the project's `agentConfig`."""

from __future__ import annotations

from orchestrator.ports.agent import AGENT
from orchestrator.ports.plugin import Options, Plugin, PluginContext
from plugins._shared.agent_profile import Profile
from plugins._shared.profile_agent import ProfileAgent, make


def create(options: Options, context: PluginContext) -> ProfileAgent:
    """The agent that the options describe."""
    return make(Profile.model_validate(options.model_dump()), context.now, context.environment)


PLUGIN = Plugin(
    slot=AGENT,
    name="custom",
    summary="Any program in a terminal; how to launch and read it stands in agentConfig.",
    create=create,
    options=Profile,
    launches=("launch",),
    runs_code=("launch", "resume", "program", "files", "environment", "permissionFlags", "modelFlags"),
)
