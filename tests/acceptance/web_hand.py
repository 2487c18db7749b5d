"""A person's hand in the web console, for the scenario: a real Chromium that logs in by the link of `ao start`."""

from __future__ import annotations

import re
import shutil
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from playwright.sync_api import Browser, Error, Locator, Page, Playwright, sync_playwright

from bot.demo.cast import Cast
from bot.demo.scenario import NotSeen

T = TypeVar("T")
PATIENCE = 20.0
LOOK = 0.1
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
_LINK = re.compile(r"(http://127\.0\.0\.1:\d+)/login/\S+")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@dataclass
class WebHand:
    """The owner of the machine, by the link that `ao start` prints. Implements `scenario.Hand`."""

    name: str = "in the console"
    _port: int = field(default_factory=free_port)
    _playwright: Playwright | None = None
    _browser: Browser | None = None
    _page: Page | None = None
    _address: str = ""

    def cast(self) -> Cast:
        """The scripted agent, and a console at a port that stays over a restart."""
        return Cast(fleet=f"console:\n  listen: 127.0.0.1:{self._port}\n")

    def begin(self, log: Path) -> str:
        """Log in."""
        found = self._wait(lambda: _LINK.search(log.read_text(errors="replace")), "the link of ao start")
        self._address = found[1]
        program = next(filter(None, map(shutil.which, PROGRAMS)), None)
        self._playwright = sync_playwright().start()
        self._browser = self._playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-gpu", "--no-first-run"]
        )
        self._page = self._browser.new_page(viewport={"width": 1440, "height": 900})
        self._page.set_default_timeout(PATIENCE * 1000)
        self._page.goto(found[0])
        self._page.get_by_role("button", name="Log in").click()
        self._page.wait_for_selector("#board")
        return f"logged in at {self._address} by the link that ao start printed"

    def denied(self, words: str) -> str:
        """A browser that nobody let in."""
        assert self._browser is not None
        context = self._browser.new_context()
        page = context.new_page()
        page.goto(self._address)
        told = page.get_by_role("heading").first.inner_text()
        refused = context.request.post(
            f"{self._address}/say", form={"text": words, "key": "k"}, headers={"Origin": self._address}
        )
        context.close()
        if "not logged in" not in told or refused.ok:
            msg = f"a stranger saw {told!r} and was answered {refused.status}"
            raise NotSeen(msg)
        return told

    def command(self, words: str) -> None:
        """In the command box."""
        self.page.locator("#command-text").fill(words)
        self.page.locator("#command-text").press("Enter")

    def sees_card(self, session: str, words: str) -> None:
        """On the board, or at the head of its thread."""
        self._open(session)
        self._wait(
            lambda: words in self._text("#thread-card") + self._text(f"#card-{session}"),
            f"{words!r} on the card",
        )

    def sees_thread(self, session: str, words: str) -> None:
        """Among its entries."""
        self._open(session)
        self._wait(lambda: words in self._text("#entries"), f"{words!r} in the thread")

    def sees_no_button(self, session: str, label: str) -> None:
        """Neither at the head of the thread nor in it."""
        self._open(session)
        self._wait(lambda: self._buttons(label).count() == 0, f"no button {label!r}")

    def press(self, session: str, label: str, *, confirm: bool = False) -> None:
        """The first one with that label; where facts are shown first, yes to them."""
        self._open(session)
        self._wait(lambda: self._buttons(label).count(), f"a button {label!r}")
        self._buttons(label).first.click()
        if confirm:
            self.page.get_by_role("dialog").get_by_role("button", name=label).click()

    def reply(self, session: str, words: str) -> None:
        """In the box under the thread."""
        self._open(session)
        self.page.locator("#reply-text").fill(words)
        self.page.locator("#reply-text").press("Control+Enter")

    def delivered(self, session: str, words: str) -> None:
        """Its entry says how far it is."""
        self._open(session)
        entry = self.page.locator("#entries > li", has_text=words)
        self._wait(
            lambda: any(stage in entry.first.inner_text() for stage in ("accepted", "working", "answered")),
            "that it reached the agent",
        )

    def again(self) -> None:
        """The page finds the new process by itself."""
        self._wait(lambda: "live" in self._text("#status"), "the page to be live again")

    def close(self) -> None:
        """The browser."""
        if self._browser is not None:
            self._browser.close()
        if self._playwright is not None:
            self._playwright.stop()

    @property
    def page(self) -> Page:
        assert self._page is not None
        return self._page

    def _open(self, session: str) -> None:
        if not self.page.url.endswith(f"/s/{session}"):
            self._wait(lambda: self.page.locator(f"#card-{session}").count(), f"the card of {session}")
            self.page.locator(f"#card-{session}").first.click()
            self._wait(lambda: session in self._text("#side-title"), f"the thread of {session}")

    def _buttons(self, label: str) -> Locator:
        return self.page.locator("#side").get_by_role("button", name=label, exact=True)

    def _text(self, selector: str) -> str:
        found = self.page.locator(selector)
        return found.first.inner_text() if found.count() else ""

    def _wait(self, look: Callable[[], T | None], what: str) -> T:
        end = time.monotonic() + PATIENCE
        while True:
            try:
                found = look()
            except Error:
                found = None  # drawn anew while it was read
            if found:
                return found
            if time.monotonic() > end:
                msg = f"nothing came within {PATIENCE:.0f} s: {what}"
                raise NotSeen(msg)
            if self._page is not None:
                self._page.wait_for_timeout(LOOK * 1000)
