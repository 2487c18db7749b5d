"""Agents whose profile is ours: what a project may still say about them, and how they are made."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from orchestrator.ports.plugin import Options, PluginContext
from plugins._shared.agent_profile import Profile, load
from plugins._shared.profile_agent import ProfileAgent, make


class KnownAgentOptions(Options):
    """The project's `agentConfig`."""

    program: tuple[str, ...] = ()
    """The command, word by word, if it is not the program of that name on the PATH."""
    permissions: str = "auto-edit"
    """What the agent may do unasked: `permissionless`, `auto-edit`, `default` or `suggest`."""
    model: str = ""
    """The model, as the agent's own program names it."""
    environment: Mapping[str, str] = {}
    """Added to the agent's environment."""
    isolated: bool = False
    """A folder of its own for each session instead of the person's; the agent then needs a key to the model."""
    passes: tuple[str, ...] = ()
    """Further variables of ours that the agent gets."""


def creator(profile: str) -> Callable[[Options, PluginContext], ProfileAgent]:
    """How a plugin makes its agent from the profile of that name in `config/`."""

    def create(options: Options, context: PluginContext) -> ProfileAgent:
        given = KnownAgentOptions.model_validate(options.model_dump())
        known: Profile = load(context.data(profile))
        said = {
            "program": given.program or known.program,
            "permissions": given.permissions,
            "model": given.model,
            "environment": {**known.environment, **given.environment},
            "isolated": given.isolated,
            "passes": (*known.passes, *given.passes),
        }
        return make(known.model_copy(update=said), context.now, context.environment)

    return create
