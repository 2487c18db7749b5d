"""Claude Code's profile and screens of the real program (2.1.330), for tests of what reads them."""

from __future__ import annotations

from pathlib import Path

from orchestrator import resources
from orchestrator.testing import examples
from plugins._shared.agent_profile import load

PROFILE = load(resources.text("agents/claude-code.yaml"))
SESSION = examples.session_ref(environment={"HOME": "/home/ada"})


def screen(name: str) -> str:
    """What it showed in a terminal of 120 columns and 36 lines."""
    return (Path(__file__).parent / "claude_code_screens" / f"{name}.txt").read_text(encoding="utf-8")
