"""What a session used over all runs of its agent."""

from __future__ import annotations

import pytest

from orchestrator.domain.usage import Usage, Used, counted

Run = tuple[int, float | None]


def _all(*runs: Run) -> Used:
    used: Used | None = None
    for tokens, dollars in runs:
        used = counted(used, Usage(output_tokens=tokens, dollars=dollars))
    assert used is not None
    return used


@pytest.mark.parametrize(
    ("runs", "tokens", "dollars"),
    [
        ([(100, 0.10)], 100, 0.10),
        ([(100, 0.10), (150, 0.17)], 150, 0.17),
        # The same conversation goes on: its record holds what was before.
        ([(100, 0.10), (100, 0.10), (250, 0.30)], 250, 0.30),
        # A new conversation begins at nothing, and adds.
        ([(100, 0.10), (20, 0.02), (50, 0.05)], 150, 0.15),
        ([(100, 0.10), (20, 0.05), (10, 0.02)], 130, 0.17),
        # Only tokens, or only money, are known.
        ([(100, None), (150, None), (30, None)], 180, None),
        ([(0, 0.50), (0, 0.60), (0, 0.10)], 0, 0.70),
        # It says nothing of one of them, or of both: nothing is lost.
        ([(100, 0.10), (120, None)], 120, 0.10),
        ([(100, 0.10), (0, 0.12)], 100, 0.12),
        ([(100, 0.10), (0, None), (20, 0.02)], 120, 0.12),
        ([(100, 0.10), (0, None), (130, 0.12)], 130, 0.12),
        # It goes on in its conversation and begins to count its money anew.
        ([(100, 0.10), (120, 0.02), (140, 0.04)], 140, 0.14),
        # A new conversation, while its count of money still is that of the old one.
        ([(100, 0.10), (20, 0.10), (30, 0.02)], 130, 0.12),
        # What it counts with its own rounding is no new run.
        ([(100, 0.105), (100, 0.104)], 100, 0.10),
        ([(100, 0.1049), (110, 0.1151)], 110, 0.12),
    ],
)
def test_runs_are_added_once(runs: list[Run], tokens: int, dollars: float | None) -> None:
    total = _all(*runs).total
    assert (total.tokens, total.dollars) == (tokens, dollars if dollars is None else pytest.approx(dollars))


def test_changes_below_a_cent_are_no_change() -> None:
    first = counted(None, Usage(output_tokens=5, dollars=0.1001))
    assert counted(first, Usage(output_tokens=5, dollars=0.1049)) == first


def test_model_and_context_are_those_of_the_run() -> None:
    used = counted(None, Usage(output_tokens=5, model="a", context_percent=80))
    used = counted(used, Usage(output_tokens=3, model="b", context_percent=4))
    assert (used.total.model, used.total.context_percent, used.total.tokens) == ("b", 4, 8)
