"""What an agent's error means, and when the limit that it speaks of ends."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import datetime

import pytest

from orchestrator.domain.activity import Trouble
from plugins._shared.agent_troubles import reset_time, trouble_of
from tests.unit.plugins._shared.claude_code import PROFILE

NOON = datetime(2026, 11, 26, 12, 0).astimezone().timestamp()
HOUR = 3600.0


@pytest.mark.parametrize(
    ("text", "trouble"),
    [
        ('Please run /login · API Error: 401 {"error":{"type":"authentication_error"}}', Trouble.LOGIN),
        ("Invalid API key · Please run /login", Trouble.LOGIN),
        ("API Error: Request rejected (429) · too many requests", Trouble.RATE),
        ("Claude usage limit reached. Your limit will reset at 3pm", Trouble.RATE),
        ("You've hit your limit · resets 3pm (Europe/Berlin)", Trouble.RATE),
        ("Prompt is too long", Trouble.CONTEXT),
        ("Credit balance is too low", Trouble.CREDIT),
        ("API Error: 529 Overloaded. This is a server-side issue, usually temporary.", Trouble.OVERLOAD),
        ("API Error: 500 Internal server error", Trouble.OVERLOAD),
        ("Unable to connect to API (ConnectionRefused)", Trouble.NETWORK),
        ("API Error: 400 stub", None),
        ("", None),
    ],
)
def test_what_claude_code_says_is_understood(text: str, trouble: Trouble | None) -> None:
    assert trouble_of(PROFILE.troubles, text) is trouble


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("Your limit will reset at 3pm", 3),
        ("limit reached ∙ resets 3:30pm", 3.5),
        ("resets 11AM", 23),
        ("resets 12am", 12),
        ("resets 12pm", 24),
        ("resets at 15:30", 3.5),
        ("resets at 09:00", 21),
        ("Try again in 20 minutes.", 1 / 3),
        ("retry after 90s", 90 / HOUR),
        ("resets in 2h", 2),
    ],
)
def test_when_a_limit_ends_is_read_from_the_words(text: str, hours: float) -> None:
    assert reset_time(text, NOON) == pytest.approx(NOON + hours * HOUR)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("resets 3pm (Europe/Berlin)", "2026-11-26T14:00:00+00:00"),
        ("resets 3pm (America/New_York)", "2026-11-26T20:00:00+00:00"),
        ("resets at 15:30 Asia/Kolkata", "2026-11-27T10:00:00+00:00"),
        ("resets 3pm (UTC)", "2026-11-26T15:00:00+00:00"),
        ("resets 11am (America/Argentina/Buenos_Aires)", "2026-11-26T14:00:00+00:00"),
    ],
)
def test_a_zone_that_is_named_counts(text: str, at: str) -> None:
    now = datetime.fromisoformat("2026-11-26T12:00:00+00:00").timestamp()
    assert reset_time(text, now) == datetime.fromisoformat(at).timestamp()


def test_a_named_zone_keeps_its_clock_over_a_change_of_the_hour() -> None:
    evening = datetime.fromisoformat(
        "2026-10-24T20:00:00+00:00"
    ).timestamp()  # Berlin's clocks go back that night
    assert (
        reset_time("resets 9am (Europe/Berlin)", evening)
        == datetime.fromisoformat("2026-10-25T08:00:00+00:00").timestamp()
    )


@pytest.mark.parametrize(
    "text", ["resets 3pm (Nowhere/Land)", "resets 3pm (../etc/passwd)", "resets 3pm (ok)"]
)
def test_a_zone_that_nobody_knows_is_this_machines(text: str) -> None:
    assert reset_time(text, NOON) == NOON + 3 * HOUR


def test_seconds_since_the_epoch_are_taken_as_they_are() -> None:
    assert reset_time("Claude AI usage limit reached|1795694400", NOON) == 1795694400


@pytest.mark.parametrize(
    "text",
    ["", "Prompt is too long", "resets 3", "resets 99pm", "resets 0am", "resets 13pm", "resets at 24:00",
     "resets at 12:61", "retry in a while", "reset the branch at 3:00"],
)  # fmt: skip
def test_words_that_name_no_time_give_none(text: str) -> None:
    assert reset_time(text, NOON) is None


def test_the_clock_of_this_machine_may_change_to_summer_time_in_between() -> None:
    program = (
        "from datetime import datetime\n"
        "from plugins._shared.agent_troubles import reset_time\n"
        "evening = datetime(2026, 3, 28, 20, 0).astimezone().timestamp()\n"
        "print(datetime.fromtimestamp(reset_time('resets 3pm', evening)).astimezone().isoformat())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "TZ": "Europe/Berlin"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "2026-03-29T15:00:00+02:00"


MIDDAY = datetime(2026, 3, 2, 12, 0).astimezone()


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
def test_when_a_limit_of_another_agent_ends(words: str, minutes: int | None) -> None:
    now = MIDDAY.timestamp()
    assert reset_time(words, now) == (None if minutes is None else now + 60 * minutes)
