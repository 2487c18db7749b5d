"""Agent `codex`: OpenAI's Codex. Everything about it stands in `config/agents/codex.yaml`."""

from __future__ import annotations

from orchestrator.ports.agent import AGENT
from orchestrator.ports.plugin import Plugin
from plugins._shared.known_agent import KnownAgentOptions, creator

PLUGIN = Plugin(
    slot=AGENT,
    name="codex",
    summary="Codex, by its own hooks; with the person's own login unless it is isolated.",
    create=creator("agents/codex.yaml"),
    options=KnownAgentOptions,
    needs=("codex",),
    install="npm install -g @openai/codex",
    runs_code=("program", "environment"),
)
