"""Deliveries that were taken are known again, also after a crash; the file stays small."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

import pytest

from orchestrator.errors import TemporaryError
from orchestrator.storage.deliveries import FILE, KEPT_FOR, Deliveries, Taken
from orchestrator.storage.faults import NoFaults


def taken(number: int, at: float = 1000.0, project: str = "demo") -> Taken:
    return Taken(project=project, id=f"delivery-{number}", event="push", at=at)


async def opened(folder: Path, now: float = 1000.0, most: int = 20_000) -> Deliveries:
    made = Deliveries(folder, NoFaults(), most=most)
    await made.open(now)
    return made


async def test_one_is_kept_once(tmp_path: Path) -> None:
    kept = await opened(tmp_path)
    assert await kept.keep(taken(1))
    assert not await kept.keep(taken(1))
    assert await kept.keep(taken(1, project="other")), "another project's"
    await kept.close()


async def test_it_is_on_the_disk_when_it_is_said(tmp_path: Path) -> None:
    first = await opened(tmp_path)
    await first.keep(taken(1))
    second = await opened(tmp_path)  # as after SIGKILL: the first was never closed
    assert not await second.keep(taken(1))
    assert second.newest() == {"demo": taken(1)}
    assert ((tmp_path / FILE).stat().st_mode & 0o777) == 0o600
    await first.close()
    await second.close()


async def test_a_torn_last_line_costs_only_itself(tmp_path: Path) -> None:
    first = await opened(tmp_path)
    await first.keep(taken(1))
    await first.close()
    with (tmp_path / FILE).open("ab") as file:
        file.write(b'{"project": "demo", "id"')
    second = Deliveries(tmp_path, NoFaults())
    [damaged] = await second.open(1000.0)
    assert "cut off" in str(damaged)
    assert not await second.keep(taken(1))
    assert await second.keep(taken(2))
    await second.close()


async def test_the_file_stays_bounded_and_the_newest_stay_known(tmp_path: Path) -> None:
    kept = await opened(tmp_path, most=5)
    for number in range(23):
        await kept.keep(taken(number))
    assert len((tmp_path / FILE).read_bytes().splitlines()) <= 10
    assert not await kept.keep(taken(22))
    await kept.close()
    again = await opened(tmp_path, most=5)
    assert [await again.keep(taken(number)) for number in (18, 22)] == [False, False]
    assert await again.keep(taken(2)), "too long ago: it is taken again, which only means to look sooner"
    await again.close()


async def test_old_ones_are_forgotten(tmp_path: Path) -> None:
    kept = await opened(tmp_path)
    await kept.keep(taken(1))
    await kept.keep(taken(2, at=1001.0 + KEPT_FOR))
    assert await kept.keep(taken(1, at=1002.0 + KEPT_FOR))
    await kept.close()


async def test_one_that_is_being_written_is_not_taken_a_second_time(tmp_path: Path) -> None:
    kept = await opened(tmp_path)
    answers = await asyncio.gather(*(kept.keep(taken(1)) for _ in range(5)))
    assert sorted(answers) == [False] * 4 + [True]
    await kept.close()


async def test_what_the_disk_refuses_is_not_known(tmp_path: Path) -> None:
    kept = await opened(tmp_path)
    await asyncio.to_thread(kept._journal.close)
    with pytest.raises(TemporaryError):
        await kept.keep(taken(1))
    await asyncio.to_thread(kept._journal.open, lambda _line: True)
    assert await kept.keep(taken(1))
    await kept.close()


KILLED = """
import asyncio, sys
from pathlib import Path
from orchestrator.storage.deliveries import Deliveries, Taken
from orchestrator.storage.faults import KillAt

async def main():
    kept = Deliveries(Path(sys.argv[1]), KillAt(2, sys.argv[2]))
    await kept.open(1000.0)
    for number in (1, 2):
        await kept.keep(Taken(project="demo", id=f"delivery-{number}", event="push", at=1000.0))
        print(number, flush=True)

asyncio.run(main())
"""


@pytest.mark.parametrize("boundary", ["deliveries.written", "deliveries.kept"])
async def test_a_kill_loses_none_that_was_acknowledged(tmp_path: Path, boundary: str) -> None:
    program = await asyncio.create_subprocess_exec(
        sys.executable, "-c", KILLED, str(tmp_path), boundary, stdout=asyncio.subprocess.PIPE
    )
    said, _ = await asyncio.wait_for(program.communicate(), 30)
    assert (program.returncode, said.split()) == (-signal.SIGKILL, [b"1"])
    kept = await opened(tmp_path)
    assert not await kept.keep(taken(1))
    await kept.close()
