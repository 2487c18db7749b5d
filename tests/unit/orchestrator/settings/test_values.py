from __future__ import annotations

import pytest

from orchestrator.settings.values import duration_text, milliseconds, seconds, tries_or_seconds


@pytest.mark.parametrize(
    ("text", "value"),
    [("30s", 30), ("10m", 600), ("2h", 7200), ("1d", 86400), ("500ms", 0.5), ("1.5h", 5400), (" 2 m ", 120)],
)
def test_durations(text: str, value: float) -> None:
    assert seconds(text) == value


@pytest.mark.parametrize(
    "wrong", ["", "10", "m", "-5m", "10 minutes", "1w", "5m30s", 600, None, True, ["5m"]]
)
def test_a_wrong_duration_is_an_error_and_never_zero(wrong: object) -> None:
    with pytest.raises(ValueError, match="no duration"):
        seconds(wrong)


@pytest.mark.parametrize(
    ("given", "value"), [(0, 0), (1500, 1500), ("1700", 1700), ("5m", 300_000), ("250ms", 250)]
)
def test_milliseconds(given: object, value: int) -> None:
    assert milliseconds(given) == value


@pytest.mark.parametrize("wrong", [-1, True, "soon", 1.5, None])
def test_wrong_milliseconds(wrong: object) -> None:
    with pytest.raises(ValueError, match="duration"):
        milliseconds(wrong)


def test_a_count_and_a_duration_keep_their_kinds() -> None:
    assert isinstance(tries_or_seconds(2), int)
    assert isinstance(tries_or_seconds("2m"), float)


@pytest.mark.parametrize("wrong", ["2", True, -1, 2.5, None])
def test_what_is_neither_is_an_error(wrong: object) -> None:
    with pytest.raises(ValueError, match="tries"):
        tries_or_seconds(wrong)


@pytest.mark.parametrize(
    ("value", "text"), [(600.0, "10m"), (90.0, "90s"), (86400.0, "1d"), (0.5, "0.5s"), (0.0, "0s")]
)
def test_durations_read_back(value: float, text: str) -> None:
    assert duration_text(value) == text
    assert seconds(text) == value
