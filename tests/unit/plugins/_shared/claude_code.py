"""Claude Code's profile and screens of the real program (2.1.330), for tests of what reads them."""

from __future__ import annotations

from pathlib import Path

from orchestrator import resources
from orchestrator.domain.ids import ProjectId, session_id
from orchestrator.domain.project import Project
from orchestrator.ports.session_ref import SessionRef
from plugins._shared.agent_profile import load

PROFILE = load(resources.text("agents/claude-code.yaml"))
SESSION = SessionRef(
    id=session_id("demo-1"),
    project=Project(
        id=ProjectId("demo"),
        name="demo",
        path=Path("/r"),
        default_branch="main",
        prefix="demo",
        folder=Path("/p"),
    ),
    folder=Path("/session"),
    branch="feat/1",
    workspace="/work/demo-1",
    environment={"HOME": "/home/ada"},
)


def screen(name: str) -> str:
    """What it showed in a terminal of 120 columns and 36 lines."""
    return (Path(__file__).parent / "claude_code_screens" / f"{name}.txt").read_text(encoding="utf-8")
