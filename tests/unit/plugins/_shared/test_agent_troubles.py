"""When a limit ends, by an agent's own words."""

from __future__ import annotations

import datetime

import pytest

from plugins._shared.agent_troubles import reset_time

NOON = datetime.datetime(2026, 3, 2, 12, 0).astimezone()


@pytest.mark.parametrize(
    ("words", "minutes"),
    [
        ("You've hit your usage limit. Upgrade to Pro or try again at 3:45 PM.", 225),
        ("Limit reached, resets at 15:30", 210),
        ("5-hour limit reached · resets 3pm", 180),
        ("Rate limit: try again in 20m", 20),
        ("You've hit your usage limit.", None),
    ],
)
def test_when_a_limit_ends(words: str, minutes: int | None) -> None:
    now = NOON.timestamp()
    assert reset_time(words, now) == (None if minutes is None else now + 60 * minutes)
