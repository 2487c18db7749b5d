"""How quickly the console opens with 1,000 sessions, and a change reaches a browser. Played by `make bench`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from statistics import quantiles

import pytest
from playwright.async_api import Browser, Page

from orchestrator.domain.ids import SessionId
from orchestrator.domain.session import StatusLine, Task
from orchestrator.domain.status import Status
from orchestrator.testing import examples
from orchestrator.testing.ring import Ring
from tests.benchmarks.numbers import say
from tests.browser.conftest import Visits, chromium, ring
from tests.browser.house import House, open_console

__all__ = ["chromium", "ring"]
pytestmark = pytest.mark.bench

SESSIONS = 1_000
CHANGES = 200
OPENS_WITHIN = 1.0
SHOWN_WITHIN_MS = 100.0
MOST_MB = 150.0


@pytest.fixture(autouse=True)
def blockbuster() -> None:
    """Not here: it would be measured too."""


@pytest.fixture
async def house(ring: Ring) -> AsyncIterator[House]:
    made = await open_console(ring)
    yield made
    await made.close()


async def test_a_thousand_sessions(ring: Ring, house: House, chromium: Browser) -> None:
    ring.fleet.adopt(
        replace(
            examples.session(),
            id=SessionId(f"demo-{number}"),
            task=Task(issue=str(number), title=f"Task number {number} of a long list"),
            status=StatusLine(status=list(Status)[number % 12], reason="", evidence="", since=time.time()),
        )
        for number in range(1, SESSIONS + 1)
    )
    page = await Visits(chromium, house)()
    opened = []
    for _ in range(5):
        before = time.perf_counter()
        await page.goto(house.address)
        await page.wait_for_selector("#status[data-live=on]")
        opened.append(time.perf_counter() - before)
    say("console with 1,000 sessions open and live", sorted(opened)[2], "s", OPENS_WITHIN)
    session = await page.context.new_cdp_session(page)
    await session.send("HeapProfiler.collectGarbage")  # what earlier loads left would be counted too
    memory = await asyncio.to_thread(_heaviest_renderer)
    say("memory of its page's process (PSS), collected", memory, "MB", MOST_MB)
    shown = [await _until_shown(ring, page, number) for number in range(CHANGES)]
    say("a session kept to its card changed, p95", quantiles(shown, n=20)[18], "ms", SHOWN_WITHIN_MS)


async def _until_shown(ring: Ring, page: Page, number: int) -> float:
    """Milliseconds from a change that is kept to its words in the page."""
    name = SessionId(f"demo-{7 + 12 * (number % 10)}")
    words = f"reason {number}"
    seen = page.evaluate(
        """([card, words]) => new Promise((done) => {
            const look = () => document.querySelector(card)?.textContent === words ? done() : requestAnimationFrame(look);
            look();
        })""",
        [f"#card-{name} .need", words],
    )
    waiting = asyncio.ensure_future(seen)
    await asyncio.sleep(0.15)
    session = ring.fleet.get(name)
    before = time.perf_counter()
    for hear in ring.fleet._listeners:
        hear(replace(session, status=replace(session.status, status=Status.STUCK, reason=words)))
    await waiting
    return 1000 * (time.perf_counter() - before)


def _heaviest_renderer() -> float:
    """The proportional size of the largest renderer process; 0 where /proc does not tell."""
    found = [0.0]
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if b"--type=renderer" in (folder / "cmdline").read_bytes():
                text = (folder / "smaps_rollup").read_text()
                found.append(int(text.partition("Pss:")[2].split()[0]) / 1024)
        except (OSError, IndexError):
            continue
    return max(found)
