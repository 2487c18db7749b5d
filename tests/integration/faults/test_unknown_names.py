"""What is named and is not there: said clearly, with an exit code for scripts, and nothing is done."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.faults.house import House

pytestmark = [pytest.mark.tmux, pytest.mark.timeout(90)]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = House(tmp_path_factory.mktemp("names"))
    try:
        yield made.start()
    finally:
        made.close()


@pytest.mark.parametrize(
    ("code", "words", "says"),
    [
        (3, ("spawn", "nowhere", "1"), ("nowhere", "demo")),
        (3, ("spawn", "demo", "77"), ("demo has no issue 77", "ao issues")),
        (3, ("status", "demo-99"), ("demo-99", "ao status")),
        (3, ("kill", "demo-99", "--yes"), ("demo-99",)),
        (3, ("send", "demo-99", "hello"), ("demo-99",)),
        (3, ("restore", "demo-99"), ("demo-99",)),
        (3, ("spawn", "demo", "1", "--agent", "nobody"), ("no agent plugin 'nobody'", "rehearsal")),
        (2, ("spawn", "demo", "1", "--branch", "--upload-pack=x"), ("--upload-pack=x",)),
        (2, ("spawn", "demo", "../../etc/passwd"), ("../../etc/passwd",)),
        (3, ("rescue", "show", "refs/ao/rescue/demo-9/1"), ("refs/ao/rescue/demo-9/1",)),
        (3, ("rescue", "show", "refs/heads/main"), ("refs/heads/main", "ao rescue ls")),
    ],
)
def test_what_is_not_there_is_named(
    house: House, code: int, words: tuple[str, ...], says: tuple[str, ...]
) -> None:
    said = house.refused(code, *words)
    for part in says:
        assert part in said
    assert house.sessions() == {}
    assert house.events() == []


def test_nothing_was_kept_of_what_was_refused(house: House, tmp_path: Path) -> None:
    house.refused(3, "spawn", "demo", "77")
    assert house.git.worktrees() == [str(house.repository)]
    assert house.terminals.names() == set()
