"""Agent `claude-code`: Anthropic's Claude Code. Everything about it stands in `config/agents/claude-code.yaml`."""

from __future__ import annotations

from orchestrator.ports.agent import AGENT
from orchestrator.ports.plugin import Plugin
from plugins._shared.known_agent import KnownAgentOptions, creator

PLUGIN = Plugin(
    slot=AGENT,
    name="claude-code",
    summary="Claude Code, by its own hooks; with the person's own login unless it is isolated.",
    create=creator("agents/claude-code.yaml"),
    options=KnownAgentOptions,
    needs=("claude",),
    install="npm install -g @anthropic-ai/claude-code",
    launches=("program",),
    runs_code=("program", "environment"),
)
