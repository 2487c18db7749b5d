"""A row of tmux is read for what it says, and only if it is ours."""

from __future__ import annotations

import pytest

from plugins._shared.tmux_rows import parsed


def _row(**changes: str) -> str:
    fields = {
        "dead": "0", "status": "", "signal": "", "attached": "0", "activity": "1800000000",
        "column": "2", "row": "36", "pid": "42", "server": "7",
        "mark": "demo-1", "home": "abc", "name": "demo-1", "mode": "", "title": "working",
    }  # fmt: skip
    return "|".join((fields | changes).values())


def test_a_living_session() -> None:
    pane = parsed([_row(attached="2")], "abc")["demo-1"]
    assert pane.cursor == (2, 36)
    assert (pane.hung_up, pane.ended, pane.attached, pane.pid, pane.title) == (
        False,
        False,
        True,
        42,
        "working",
    )


@pytest.mark.parametrize(
    ("status", "code_signal", "exit_code"), [("0", "", 0), ("3", "", 3), ("", "9", 137), ("", "", None)]
)
def test_an_ended_one_has_its_code_as_soon_as_it_is_known(
    status: str, code_signal: str, exit_code: int | None
) -> None:
    pane = parsed([_row(dead="1", status=status, signal=code_signal)], "abc")["demo-1"]
    assert pane.hung_up
    assert pane.exit_code == exit_code
    assert pane.ended is (exit_code is not None)


@pytest.mark.parametrize(
    "row",
    [
        _row(home="other"),
        _row(mark="", home=""),
        _row(mark="demo-2"),
        _row(name="#(touch x)"),
        _row(server=""),
        "",
        "no row",
        "x" * 10_000,
    ],
)
def test_other_rows_are_not_ours(row: str) -> None:
    assert parsed([row], "abc") == {}


def test_outside_text_stays_in_its_field() -> None:
    pane = parsed([_row(title="a|b|1|demo-2\u202e")], "abc")
    assert list(pane) == ["demo-1"]
    assert pane["demo-1"].title == "a|b|1|demo-2"
