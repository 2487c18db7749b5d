"""Pull requests as files: whole after a crash, damaged ones set aside, newer ones left alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from orchestrator.domain.pull_request import (
    CheckRun,
    CheckState,
    PullRequestState,
    Review,
    ReviewComment,
    ReviewDecision,
)
from orchestrator.errors import TemporaryError
from plugins._shared.pull_store import PullRecord, PullStore

RECORD = PullRecord(
    number=3,
    session="demo-1",
    branch="feat/issue-1",
    base="main",
    title="Grüße",
    body="a\nb",
    state=PullRequestState.DRAFT,
    head="a" * 40,
    additions=4,
    runs={"a" * 40: (CheckRun(name="tests", state=CheckState.FAILED, tail="line\n"),)},
    reviews=(Review(author="ana", decision=ReviewDecision.APPROVED, head="a" * 40, at=7.0),),
    comments=(ReviewComment(id="3-1", author="ana", body="Why?", path="a.py", line=2, resolved=True),),
    opened_at=5.5,
)


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    store = PullStore(tmp_path / "pulls")
    store.write(RECORD)
    assert PullStore(tmp_path / "pulls").load() == ({3: RECORD}, {})
    assert (tmp_path / "pulls").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "pulls" / "3.json").stat().st_mode & 0o777 == 0o600
    assert json.loads((tmp_path / "pulls" / "3.json").read_text())["v"] == 1


def test_a_half_written_file_of_a_crash_is_not_read(tmp_path: Path) -> None:
    store = PullStore(tmp_path)
    store.write(RECORD)
    (tmp_path / ".3.json.1234.part").write_text('{"v": 1')
    assert store.load() == ({3: RECORD}, {})


@pytest.mark.parametrize(
    "change",
    [
        {"state": "merging"},
        {"number": "3"},
        {"number": 4},
        {"additions": True},
        {"surprise": 1},
        {"reviews": [{"author": "ana"}]},
        {"runs": {"a": [{"name": "t", "state": 7}]}},
        {"comments": {}},
    ],
)
def test_a_damaged_record_is_set_aside_and_the_rest_goes_on(
    tmp_path: Path, change: dict[str, object]
) -> None:
    store = PullStore(tmp_path)
    store.write(RECORD)
    document = json.loads((tmp_path / "3.json").read_text()) | change
    (tmp_path / "3.json").write_text(json.dumps(document))
    (tmp_path / "5.json").write_text("{")
    records, damaged = store.load()
    assert records == {}
    assert set(damaged) == {3, 5}
    assert str(tmp_path / "3.json.damaged") in damaged[3]
    assert json.loads((tmp_path / "3.json.damaged").read_text()) == document
    # It is still known after the next start, and a second damage does not overwrite the first.
    assert set(store.load()[1]) == {3, 5}
    store.write(RECORD)
    (tmp_path / "3.json").write_text("again")
    store.load()
    assert (tmp_path / "3.json.damaged-2").read_text() == "again"


def test_a_newer_form_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "3.json").write_text('{"v": 2}')
    records, damaged = PullStore(tmp_path).load()
    assert (records, "newer version" in damaged[3]) == ({}, True)
    assert (tmp_path / "3.json").read_text() == '{"v": 2}'


def test_a_write_that_fails_says_so_and_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "pulls").write_text("in the way")
    with pytest.raises(TemporaryError, match="Pull request 3 could not be kept"):
        PullStore(tmp_path / "pulls").write(RECORD)
