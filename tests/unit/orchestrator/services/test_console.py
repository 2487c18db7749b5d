"""A link into the console works once, for ten minutes, and is for one person."""

from __future__ import annotations

import pytest

from orchestrator.domain.person import OWNER
from orchestrator.errors import NotReady
from orchestrator.services.console import LIFE, Door
from orchestrator.testing.examples import ADA


def _code(link: str) -> str:
    return link.rpartition("/")[2]


def test_it_works_once_and_looking_uses_nothing_up() -> None:
    door = Door("http://127.0.0.1:8410")
    code = _code(door.link(ADA, 0.0))
    assert door.whose(code, 1.0) == ADA
    assert door.whose(code, 1.0) == ADA
    assert door.take(code, 1.0) == ADA
    assert door.take(code, 1.0) is None


def test_it_is_too_old_after_ten_minutes() -> None:
    door = Door("http://127.0.0.1:8410")
    code = _code(door.link(OWNER, 0.0))
    assert door.whose(code, LIFE) is None
    assert door.take(code, LIFE) is None


def test_without_a_console_there_is_no_link() -> None:
    with pytest.raises(NotReady, match="not running"):
        Door().link(OWNER, 0.0)


def test_the_owner_is_told_where_to_go() -> None:
    assert (
        Door("http://127.0.0.1:8410").invitation(0.0).startswith("Web console: http://127.0.0.1:8410/login/")
    )


def test_what_was_made_up_opens_nothing() -> None:
    door = Door("http://127.0.0.1:8410")
    assert door.whose("\ud800", 0.0) is None
    assert door.take("", 0.0) is None
