"""Agent `rehearsal`: a scripted program that plays the plan in its issue. For trying `ao` out; no model."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from orchestrator.errors import NotReady
from orchestrator.ports.agent import AGENT
from orchestrator.ports.plugin import Options, Plugin, PluginContext
from plugins._shared.agent_profile import Profile, load
from plugins._shared.profile_agent import ProfileAgent, make

PROGRAM = "ao-rehearsal"


class RehearsalOptions(Options):
    """The project's `agentConfig`. Whatever is permitted and whichever model is named, it plays its plan."""

    program: tuple[str, ...] = ()
    """The command; found beside the interpreter that runs `ao` unless it is named."""
    permissions: str = "auto-edit"
    model: str = ""


def create(options: Options, context: PluginContext) -> ProfileAgent:
    """The rehearsal agent. Raises `NotReady` when its program is not installed."""
    given = RehearsalOptions.model_validate(options.model_dump())
    profile: Profile = load(context.data("agents/rehearsal.yaml"))
    program = given.program or (_installed(),)
    return make(profile.model_copy(update={"program": program}), context.now, context.environment)


def _installed() -> str:
    """The program beside our interpreter: our environment is not on an agent's PATH."""
    found = shutil.which(PROGRAM, path=str(Path(sys.executable).parent)) or shutil.which(PROGRAM)
    if found is None:
        msg = f"{PROGRAM} is not installed beside {sys.executable}."
        raise NotReady(msg, next_step="Install the package: make install.")
    return found


PLUGIN = Plugin(
    slot=AGENT,
    name="rehearsal",
    summary="A scripted program that plays the plan in its issue; no model, no account.",
    create=create,
    options=RehearsalOptions,
    launches=("program",),
    runs_code=("program",),
)
