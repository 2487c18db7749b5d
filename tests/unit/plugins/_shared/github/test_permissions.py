"""Which permissions lack, which are needless, and that the page about GitHub names the same ones."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from plugins._shared.github.permissions import (
    NEEDS,
    covers,
    missing_permissions,
    missing_scopes,
    needless_permissions,
    needless_scopes,
)

PAGE = Path(__file__).parents[5] / "docs" / "github.md"
WHOLE = {need.name: need.level for need in NEEDS}


def test_the_page_has_the_same_table() -> None:
    table = re.findall(r"^\| `(\w+): (\w+)`(, optional)? \|.*\| (.+) \|$", PAGE.read_text(), re.MULTILINE)
    assert [(name, level, bool(optional), what) for name, level, optional, what in table] == [
        (need.name, need.level, need.optional, need.what) for need in NEEDS
    ]


@pytest.mark.parametrize(
    ("scopes", "private", "lacks"),
    [
        (("repo",), True, []),
        (("public_repo",), False, []),
        (("public_repo",), True, ["repo"]),
        (("workflow", "read:org"), False, ["public_repo"]),
        ((), True, ["repo"]),
    ],
)
def test_scopes_that_lack(scopes: tuple[str, ...], private: bool, lacks: list[str]) -> None:
    assert [lack.name for lack in missing_scopes(scopes, private=private)] == lacks


def test_scopes_of_gh_itself_are_needless_where_they_write() -> None:
    found = dict(needless_scopes(("gist", "read:org", "repo", "workflow", "write:packages", "", "new")))
    assert list(found) == ["gist", "new", "workflow", "write:packages"]
    assert found["write:packages"] == "may write packages"


def test_permissions_of_an_app() -> None:
    assert missing_permissions(WHOLE, issues=True) == ()
    assert needless_permissions(WHOLE, issues=True) == ()
    assert [name for name, _ in needless_permissions(WHOLE, issues=False)] == ["issues: write"]
    less = {**WHOLE, "contents": "read", "repository_hooks": ""}
    assert [(lack.name, lack.optional) for lack in missing_permissions(less, issues=True)] == [
        ("contents: write", False),
        ("repository_hooks: write", True),
    ]
    more = {**WHOLE, "administration": "write", "workflows": "write", "members": "read"}
    assert [name for name, _ in needless_permissions(more, issues=True)] == [
        "administration: write",
        "members: read",
        "workflows: write",
    ]


def test_levels() -> None:
    assert covers("write", "read")
    assert covers("admin", "write")
    assert not covers("read", "write")
    assert not covers("", "read")
    assert not covers("odd", "read")
