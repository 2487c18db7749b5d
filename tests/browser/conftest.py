"""A real Chromium, the machine's own, and a console over a fleet on fakes for it to look at."""

from __future__ import annotations

import shutil
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright, expect

from orchestrator.testing.ring import Ring, open_ring
from tests.browser.house import House, open_console

expect.set_options(timeout=15_000)
SHOTS = Path(__file__).parents[2] / "artifacts" / "screenshots"
_NAMES = ("chromium", "chromium-browser", "google-chrome")
_QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    # A name of somebody else's with our address, as in DNS rebinding.
    "--host-resolver-rules=MAP evil.example 127.0.0.1",
)


@pytest.fixture
async def chromium() -> AsyncIterator[Browser]:
    program = next(filter(None, map(shutil.which, _NAMES)), None)
    if program is None:
        pytest.skip("there is no Chromium on this machine")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=list(_QUIET))
        yield browser
        await browser.close()


@pytest.fixture
async def ring(tmp_path: Path) -> AsyncIterator[Ring]:
    made = await open_ring(tmp_path)
    made.clock.advance(time.time() - made.clock.now())
    yield made
    await made.close()


@pytest.fixture
async def house(ring: Ring) -> AsyncIterator[House]:
    found = [await open_console(ring)]
    yield found[0]
    await found[0].close()


@dataclass
class Visits:
    """Opens pages that are logged in, and remembers what the browser complained of."""

    browser: Browser
    house: House
    complaints: list[str] = field(default_factory=list)

    async def __call__(self, path: str = "/", *, phone: bool = False, **context: Any) -> Page:
        size = {"width": 390, "height": 844} if phone else {"width": 1440, "height": 900}
        made = await self.browser.new_context(viewport=size, **context)  # type: ignore[arg-type]
        page = await made.new_page()
        page.set_default_timeout(10_000)
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        await page.goto(self.house.link())
        await page.get_by_role("button", name="Log in").click()
        await page.wait_for_selector("#board")
        if path != "/":
            await page.goto(self.house.address + path)
        return page

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.complaints.append(message.text)


@pytest.fixture
async def visit(chromium: Browser, house: House) -> AsyncIterator[Visits]:
    visits = Visits(chromium, house)
    yield visits
    assert visits.complaints == [], (
        "what the browser complained of: errors, and breaches of the content policy"
    )


Shot = Callable[[Page, str], Awaitable[None]]


@pytest.fixture
def shot() -> Shot:
    """Keeps a picture of a page, for people to judge."""

    async def take(page: Page, name: str) -> None:
        SHOTS.mkdir(parents=True, exist_ok=True)
        await page.screenshot(path=SHOTS / f"{name}.png", animations="disabled")

    return take
