"""Screens of the real Claude Code: what is recognised, and whose text stands in its prompt."""

from __future__ import annotations

import pytest

from orchestrator.domain.activity import PASTED, ActivityState, Trouble
from plugins._shared.agent_screen import read_screen
from tests.unit.plugins._shared.claude_code import PROFILE, screen

WAITS = {"idle": (2, 33), "one_line": (8, 33), "several_lines": (7, 33), "pasted": (28, 33)}


@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("idle", ActivityState.IDLE),
        ("one_line", ActivityState.IDLE),
        ("several_lines", ActivityState.IDLE),
        ("pasted", ActivityState.IDLE),
        ("busy", ActivityState.BUSY),
        ("retrying", ActivityState.LIMITED),
        ("permission", ActivityState.PERMISSION),
        ("permission_write", ActivityState.PERMISSION),
        ("trust_no", ActivityState.ASKING),
        ("trust_yes", ActivityState.ASKING),
        ("question", None),
    ],
)
def test_what_claude_code_shows_is_recognised(name: str, state: ActivityState | None) -> None:
    shown = read_screen(PROFILE, screen(name), WAITS.get(name))
    assert (shown.state if shown else None) is state


@pytest.mark.parametrize(
    "name", ["trust_no", "trust_yes", "permission", "permission_write", "question", "busy"]
)
def test_nothing_that_is_no_prompt_passes_for_one(name: str) -> None:
    """Whatever else is on the screen: below a dialog stands no prompt that waits."""
    shown = read_screen(PROFILE, screen(name), (2, 33))
    assert shown is None or (shown.state is not ActivityState.IDLE and not shown.draft)


@pytest.mark.parametrize(
    ("name", "keys"), [("trust_no", (("Down",), ("Enter",))), ("trust_yes", (("Enter",), ("Up",)))]
)
def test_trust_is_one_dialog_whose_keys_follow_what_is_selected(
    name: str, keys: tuple[tuple[str, ...], ...]
) -> None:
    shown = read_screen(PROFILE, screen(name))
    assert shown is not None
    assert shown.dialog is not None
    assert shown.rule is not None
    assert shown.dialog.options == ("Yes, I trust this folder", "No, exit")
    assert shown.dialog.remember
    assert tuple(choice.keys for choice in shown.rule.choices) == keys
    other = read_screen(PROFILE, screen("trust_yes" if name == "trust_no" else "trust_no"))
    assert other is not None
    assert other.dialog is not None
    assert other.dialog.id == shown.dialog.id


@pytest.mark.parametrize(
    ("error", "state", "trouble"),
    [
        ("API error", ActivityState.LIMITED, None),
        ("API error 529 overloaded", ActivityState.LIMITED, Trouble.OVERLOAD),
        ("API error 401 invalid api key", ActivityState.BLOCKED, Trouble.LOGIN),
        ("Credit balance is too low", ActivityState.BLOCKED, Trouble.CREDIT),
    ],
)
def test_trying_again_brings_no_login_and_no_credit(
    error: str, state: ActivityState, trouble: Trouble | None
) -> None:
    shown = read_screen(PROFILE, screen("retrying").replace("API error", error))
    assert shown is not None
    assert (shown.state, shown.trouble) == (state, trouble)


def test_leave_is_read_from_its_question() -> None:
    shown = read_screen(PROFILE, screen("permission_write"))
    assert shown is not None
    assert shown.dialog is not None
    assert shown.dialog.text == "Do you want to create a.txt?"
    assert not shown.dialog.remember


@pytest.mark.parametrize(
    ("name", "cursor", "draft"),
    [
        ("idle", (2, 33), ""),
        ("one_line", (8, 33), "fix it"),
        ("one_line", (6, 33), "fix it"),
        # A hint in an empty prompt: text is there, and the cursor stands before it.
        ("one_line", (2, 33), ""),
        ("one_line", None, ""),
        ("one_line", (0, 0), ""),
        ("one_line", (0, 500), ""),
        ("several_lines", (7, 33), "one\ntwo\nthree"),
        ("several_lines", (5, 32), "one\ntwo"),
        ("several_lines", (2, 33), "one\ntwo\nthree"),
        ("pasted", (28, 33), PASTED),
    ],
)
def test_what_stands_in_the_prompt_is_told_by_its_cursor(
    name: str, cursor: tuple[int, int] | None, draft: str
) -> None:
    shown = read_screen(PROFILE, screen(name), cursor)
    assert shown is not None
    assert shown.draft == draft


def test_spaces_alone_are_a_draft_too() -> None:
    lines = screen("idle").splitlines()
    shown = read_screen(PROFILE, "\n".join(lines), (6, 33))
    assert shown is not None
    assert shown.draft == "(blank)"


def test_a_screen_that_was_not_read_says_nothing() -> None:
    assert read_screen(PROFILE, None) is None
    assert read_screen(PROFILE, "") is None
    assert read_screen(PROFILE, "$ vim\n~\n~\n") is None
