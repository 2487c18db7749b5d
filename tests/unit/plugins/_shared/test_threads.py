"""What hangs holds up its own owner alone, and nobody waits for it without end."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.errors import TemporaryError
from orchestrator.testing.waiting import eventually
from plugins._shared.repository_lock import locked
from plugins._shared.threads import Threads, files_of, trees_of


@pytest.fixture
def hung() -> Iterator[threading.Event]:
    """A network folder: whoever asks waits until it comes back."""
    event = threading.Event()
    yield event
    event.set()


async def test_calls_of_four_that_hang_stop_no_other_owner(hung: threading.Event, tmp_path: Path) -> None:
    network, here = files_of(tmp_path / "network"), files_of(tmp_path / "here")
    hanging = [asyncio.create_task(network.run(hung.wait)) for _ in range(8)]
    await asyncio.sleep(0)
    assert await asyncio.wait_for(here.run(lambda: "answered"), 5) == "answered"
    assert await asyncio.wait_for(trees_of(tmp_path / "network").run(lambda: "too"), 5) == "too"
    async with asyncio.timeout(5), locked(tmp_path / "here" / "mirror.git"):
        hung.set()
    assert await asyncio.gather(*hanging) == [True] * 8


async def test_a_call_that_hangs_is_a_temporary_error_that_names_the_owner(hung: threading.Event) -> None:
    threads = Threads("/mnt/far", limit=0.05)
    with pytest.raises(TemporaryError, match=r"/mnt/far does not answer within 0\.05 s"):
        await threads.run(hung.wait)
    assert await threads.run(lambda: 1) == 1
    threads.close()


async def test_an_owner_all_of_whose_threads_hang_is_refused_at_once_until_one_comes_back(
    hung: threading.Event,
) -> None:
    threads = Threads("/mnt/far", limit=0.05, count=2)
    failed = await asyncio.gather(*(threads.run(hung.wait) for _ in range(3)), return_exceptions=True)
    assert [type(error) for error in failed] == [TemporaryError] * 3
    with pytest.raises(TemporaryError, match="still does not answer: 2 calls hang"):
        await threads.run(lambda: 1)
    hung.set()

    async def answers() -> int:
        try:
            return await threads.run(lambda: 1)
        except TemporaryError:
            return 0

    assert await eventually(answers, bool) == 1
    threads.close()


async def test_what_the_call_itself_raises_arrives_as_it_is() -> None:
    def slow() -> None:
        msg = "tmux did not answer"
        raise TimeoutError(msg)

    threads = Threads("tmux")
    with pytest.raises(TimeoutError, match="tmux did not answer"):
        await threads.run(slow)
    threads.close()
