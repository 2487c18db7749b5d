"""One session talked through on a chat surface, on the real program: the same file over every surface."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.demo import scenario
from bot.demo.play import Story
from bot.demo.slack_hand import FakeServer, SlackHand
from tests.acceptance.web_hand import WebHand

pytestmark = pytest.mark.timeout(180)


class Tale:
    """What was said, line by line."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def __call__(self, line: str) -> None:
        self.lines.append(line)

    @property
    def broken(self) -> str:
        return next((line for line in self.lines if line.startswith("BROKEN at ")), "")


def in_slack(home: Path) -> SlackHand:
    return SlackHand(FakeServer.start(home / "slack.log"))


def test_it_comes_true_in_slack(tmp_path: Path) -> None:
    tale = Tale()
    assert scenario.play(tmp_path, in_slack(tmp_path), tale) == 0, "\n".join(tale.lines)


@pytest.mark.slow
def test_it_comes_true_in_the_console(tmp_path: Path) -> None:
    tale = Tale()
    assert scenario.play(tmp_path, WebHand(), tale) == 0, "\n".join(tale.lines)


@pytest.mark.slow
def test_slack_that_is_gone_is_named(tmp_path: Path) -> None:
    hand, tale = in_slack(tmp_path), Tale()

    def at(step: str, _story: Story) -> None:
        if step == "spawn":
            hand.server.process.kill()

    assert scenario.play(tmp_path, hand, tale, at) == 1
    assert tale.broken.startswith("BROKEN at spawn")
