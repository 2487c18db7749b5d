"""Exit codes: one for each kind of error, and the page that promises them."""

from __future__ import annotations

from pathlib import Path

from bot.frontends.shell import exit_codes
from orchestrator import errors

ROOT = Path(__file__).parents[5]


def _kinds(kind: type[errors.AoError] = errors.AoError) -> set[type[errors.AoError]]:
    return {kind, *(below for child in kind.__subclasses__() for below in _kinds(child))}


def test_every_error_has_a_code_that_is_promised() -> None:
    promised = {code for code, _, _ in exit_codes.EXIT_CODES}
    assert {exit_codes.of_error(kind.code) for kind in _kinds()} <= promised


def test_an_error_is_never_success() -> None:
    assert 0 not in {exit_codes.of_error(kind.code) for kind in _kinds()}
    assert exit_codes.of_error("never heard of") == 1


def test_the_page_says_the_same() -> None:
    page = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    for code, name, meaning in exit_codes.EXIT_CODES:
        assert f"| {code} | {name} | {meaning} |" in page
