"""The demo plays with the real Claude Code and the real Codex; the fix comes only when the failing lines really arrived."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

import pytest

from bot.demo import play
from bot.demo.play import Story
from orchestrator.services.trust import Trusted, trust_file
from tests.acceptance.test_demo import Tale
from tests.contracts import real_agents

pytestmark = [pytest.mark.slow, pytest.mark.tmux, pytest.mark.git, pytest.mark.timeout(700)]


@pytest.fixture(params=["claude-code", "codex"])
def agent(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """With the cache of the person who runs the tests, the program in it, and accounts that must not be used."""
    real_agents.program(request.param)
    for name in (
        "ANTHROPIC_AUTH_TOKEN",
        "CLAUDE_CODE_OAUTH_TOKEN",
        "CODEX_ACCESS_TOKEN",
        "OPENAI_ORGANIZATION",
    ):
        monkeypatch.setenv(name, "mine")
    monkeypatch.setenv("XDG_CACHE_HOME", str(Path(pwd.getpwuid(os.getuid()).pw_dir) / ".cache"))
    return str(request.param)


def test_the_whole_story_comes_true(agent: str, tmp_path: Path) -> None:
    tale = Tale()
    assert play.headless(tmp_path, tale, agent=agent) == 0, "\n".join(tale.lines)
    assert tale.lines[-1].startswith("The whole story came true")


def test_without_the_failing_lines_nothing_is_fixed(agent: str, tmp_path: Path) -> None:
    tale = Tale()

    def at(name: str, story: Story) -> None:
        if name == "server":
            text = story.place.config.read_text()
            story.place.config.write_text(text.replace("unittest -q", "unittest -q 2>/dev/null"))
            trust_file(story.place.config, Trusted(story.home))
        if name == "message":
            story.limit = 12.0

    assert play.headless(tmp_path, tale, at, agent=agent) == 1
    assert tale.broken.startswith(("BROKEN at message", "BROKEN at fix"))
