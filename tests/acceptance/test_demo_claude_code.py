"""The demo plays with the real Claude Code; its fix comes only when the failing lines really arrived."""

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


@pytest.fixture(autouse=True)
def _cache(monkeypatch: pytest.MonkeyPatch) -> None:
    """The cache of the person who runs the tests, with the program in it."""
    real_agents.program("claude-code")
    monkeypatch.setenv("XDG_CACHE_HOME", str(Path(pwd.getpwuid(os.getuid()).pw_dir) / ".cache"))


def test_the_whole_story_comes_true(tmp_path: Path) -> None:
    tale = Tale()
    assert play.headless(tmp_path, tale, agent="claude-code") == 0, "\n".join(tale.lines)
    assert tale.lines[-1].startswith("The whole story came true")


def test_without_the_failing_lines_nothing_is_fixed(tmp_path: Path) -> None:
    tale = Tale()

    def at(name: str, story: Story) -> None:
        if name == "server":
            text = story.place.config.read_text()
            story.place.config.write_text(text.replace("unittest -q", "unittest -q 2>/dev/null"))
            trust_file(story.place.config, Trusted(story.home))
        if name == "message":
            story.limit = 12.0

    assert play.headless(tmp_path, tale, at, agent="claude-code") == 1
    assert tale.broken.startswith(("BROKEN at message", "BROKEN at fix"))
