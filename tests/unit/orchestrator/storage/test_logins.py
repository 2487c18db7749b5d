"""Browsers that are logged in outlive a restart; what they hold is nowhere on the disk."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from orchestrator.storage.lanes import Lanes
from orchestrator.storage.logins import FILE, IDLE, LONGEST, Logins


@pytest.fixture
async def lanes() -> AsyncIterator[Lanes]:
    made = Lanes(1, "test")
    yield made
    await made.close()


async def _opened(tmp_path: Path, lanes: Lanes, now: float = 0.0) -> Logins:
    made = Logins(tmp_path / FILE, lanes)
    await made.open(now)
    return made


async def test_a_login_outlives_a_restart_and_is_kept_as_a_hash(tmp_path: Path, lanes: Lanes) -> None:
    logins = await _opened(tmp_path, lanes)
    token = await logins.make("ada", owner=False, now=1.0)
    again = await _opened(tmp_path, lanes)
    found = await again.find(token, 2.0)
    assert found is not None
    assert (found.name, found.owner) == ("ada", False)
    file = tmp_path / FILE
    assert token not in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600


async def test_it_ends_when_it_is_not_used_and_in_any_case_some_day(tmp_path: Path, lanes: Lanes) -> None:
    logins = await _opened(tmp_path, lanes)
    token = await logins.make("ada", owner=False, now=0.0)
    assert await logins.find(token, IDLE + 1) is None
    now = 0.0
    while now < LONGEST - 1:
        assert await logins.find(token, now) is not None
        now += IDLE - 1
    assert await logins.find(token, LONGEST) is None


async def test_whoever_logs_out_is_out_at_once_and_after_a_restart(tmp_path: Path, lanes: Lanes) -> None:
    logins = await _opened(tmp_path, lanes)
    one = await logins.make("ada", owner=False, now=0.0)
    other = await logins.make("ada", owner=False, now=0.0)
    third = await logins.make("bo", owner=False, now=0.0)
    await logins.end(one)
    await logins.end(one)
    assert await logins.find(one, 1.0) is None
    assert await logins.end_all("ada") == 1
    again = await _opened(tmp_path, lanes)
    assert await again.find(other, 1.0) is None
    assert await again.find(third, 1.0) is not None


@pytest.mark.parametrize(
    "content", ["", "{", '{"v": 99, "logins": {}}', '{"v": 1, "logins": {"a": {}}}', "[]"]
)
async def test_a_file_that_cannot_be_read_logs_everybody_out(
    tmp_path: Path, lanes: Lanes, content: str
) -> None:
    (tmp_path / FILE).write_text(content)
    logins = await _opened(tmp_path, lanes)
    assert await logins.find("", 0.0) is None
    token = await logins.make("ada", owner=True, now=0.0)
    assert await logins.find(token, 0.0) is not None
