"""The demo over a GitHub of its own, on the real program: the story, the conversation in Slack, and what breaks them."""

from __future__ import annotations

import os
import pwd
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.demo import play, sandbox, scenario
from bot.demo.github.process import GitHubProcess
from bot.demo.github_hosting import CHECK, REPO, SECOND_TOKEN, GitHubHosting
from bot.demo.play import Story
from bot.demo.slack_hand import FakeServer, SlackHand
from tests.acceptance.test_demo import Tale
from tests.contracts import real_agents

pytestmark = [pytest.mark.git, pytest.mark.tmux, pytest.mark.timeout(300)]
IMPATIENT = 12.0
"""Seconds that a step may take once something is broken."""


def hosted(home: Path, *, told: bool = True) -> GitHubHosting:
    return GitHubHosting(GitHubProcess.start(home / "github"), told=told)


def asked_nothing_strange(hosting: GitHubHosting) -> Callable[[str, Story], None]:
    """At its end the fake has met no call that it does not know, and nothing went wrong inside it."""

    def at(step: str, _story: Story) -> None:
        if step == "stop":
            state = hosting.github.control("state")
            assert (state["unknown"], state["failures"]) == ([], [])

    return at


def test_the_whole_story_comes_true(tmp_path: Path) -> None:
    tale, hosting = Tale(), hosted(tmp_path)
    at = asked_nothing_strange(hosting)
    assert play.headless(tmp_path, tale, at, hosting=hosting) == 0, "\n".join(tale.lines)
    said = "\n".join(tale.lines)
    assert "a review by textkit-review" in said
    assert "issue 1 is closed on GitHub as completed" in said


def test_it_is_talked_through_in_slack(tmp_path: Path) -> None:
    tale, hosting = Tale(), hosted(tmp_path)
    hand = SlackHand(FakeServer.start(tmp_path / "slack.log"))
    at = asked_nothing_strange(hosting)
    assert scenario.play(tmp_path, hand, tale, at, hosting=hosting) == 0, "\n".join(tale.lines)
    said = "\n".join(tale.lines)
    assert "a review by ada" in said
    assert "merged on GitHub by ada" in said


@pytest.mark.slow
def test_without_webhooks_github_is_asked(tmp_path: Path) -> None:
    tale, hosting = Tale(), hosted(tmp_path, told=False)
    at = asked_nothing_strange(hosting)
    assert play.headless(tmp_path, tale, at, hosting=hosting) == 0, "\n".join(tale.lines)
    assert hosting.github.process.poll() is not None


def broken_by(step: str, how: Callable[[GitHubHosting, Story], object], home: Path) -> str:
    tale, hosting = Tale(), hosted(home)

    def at(name: str, story: Story) -> None:
        if name == step:
            how(hosting, story)
            story.limit = IMPATIENT

    assert play.headless(home, tale, at, hosting=hosting) == 1
    return tale.broken


@pytest.mark.slow
def test_check_that_is_always_red(tmp_path: Path) -> None:
    def red(hosting: GitHubHosting, _story: Story) -> None:
        argv = [*sandbox.TEST_COMMAND[:3], "nothing"]
        hosting.github.control("ci", full_name=REPO, commands={CHECK: argv})

    assert broken_by("server", red, tmp_path).startswith(("BROKEN at message", "BROKEN at fix"))


@pytest.mark.slow
def test_merge_that_the_branch_refuses(tmp_path: Path) -> None:
    """The rules change between the moment in which Merge was shown and the press."""
    said = broken_by("merge", lambda hosting, _: hosting.protect(approvals=2), tmp_path)
    assert said.startswith("BROKEN at merge")
    assert "2 approving reviews are required" in said


@pytest.mark.slow
def test_approval_that_does_not_reach_github(tmp_path: Path) -> None:
    """The second account's token is bad now."""

    def revoked(hosting: GitHubHosting, story: Story) -> None:
        hosting.github.control("revoke", token=story.cast.environment[SECOND_TOKEN])

    assert broken_by("approve", revoked, tmp_path).startswith("BROKEN at approve")


@pytest.mark.slow
def test_check_that_is_required_and_runs_nowhere(tmp_path: Path) -> None:
    said = broken_by("server", lambda hosting, _: hosting.protect(checks=[CHECK, "audit"]), tmp_path)
    assert said.startswith(("BROKEN at fix", "BROKEN at approve"))


@pytest.mark.slow
def test_github_that_is_gone_is_named(tmp_path: Path) -> None:
    said = broken_by("ci fails", lambda hosting, _: hosting.github.process.kill(), tmp_path)
    assert said.startswith("BROKEN at ci fails")


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["502", "refuse", "html"])
def test_github_that_is_down_for_a_while(kind: str, tmp_path: Path) -> None:
    tale, hosting = Tale(), hosted(tmp_path)

    def at(name: str, _story: Story) -> None:
        if name == "ci fails":
            hosting.github.control("fault", kind=kind, calls=3)

    assert play.headless(tmp_path, tale, at, hosting=hosting) == 0, "\n".join(tale.lines)


@pytest.fixture
def claude_code(monkeypatch: pytest.MonkeyPatch) -> str:
    """With the cache of the person who runs the tests, the program in it, and accounts that must not be used."""
    real_agents.program("claude-code")
    for name in ("ANTHROPIC_AUTH_TOKEN", "CLAUDE_CODE_OAUTH_TOKEN", "GITHUB_TOKEN", "GH_TOKEN"):
        monkeypatch.setenv(name, "mine")
    monkeypatch.setenv("XDG_CACHE_HOME", str(Path(pwd.getpwuid(os.getuid()).pw_dir) / ".cache"))
    return "claude-code"


@pytest.mark.slow
def test_the_whole_promise(claude_code: str, tmp_path: Path) -> None:
    """Typed in Slack, the issue on GitHub, Claude Code at work, the red check sent back, approved and merged in Slack."""
    tale, hosting = Tale(), hosted(tmp_path)
    hand = SlackHand(FakeServer.start(tmp_path / "slack.log"))
    at = asked_nothing_strange(hosting)
    code = scenario.play(tmp_path, hand, tale, at, agent=claude_code, hosting=hosting)
    assert code == 0, "\n".join(tale.lines)


@pytest.mark.slow
def test_without_the_failing_lines_nothing_is_fixed(claude_code: str, tmp_path: Path) -> None:
    tale, hosting = Tale(), hosted(tmp_path)

    def at(name: str, story: Story) -> None:
        if name == "server":
            quiet = ["sh", "-c", " ".join(sandbox.TEST_COMMAND) + " 2>/dev/null"]
            hosting.github.control("ci", full_name=REPO, commands={CHECK: quiet})
        if name == "message":
            story.limit = IMPATIENT

    assert play.headless(tmp_path, tale, at, agent=claude_code, hosting=hosting) == 1
    assert tale.broken.startswith(("BROKEN at message", "BROKEN at fix"))
