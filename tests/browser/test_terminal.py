"""A session's live terminal in a real browser, over a real tmux session: seen, typed in, and never obeyed."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from orchestrator.domain.ids import SessionId
from orchestrator.domain.person import Actor, ActorKind
from orchestrator.domain.rights import ALL_PROJECTS, Person, Role
from orchestrator.testing.ring import Ring, open_ring
from orchestrator.testing.waiting import eventually
from tests.browser.conftest import Shot, Visits
from tests.browser.house import House, open_console
from tests.contracts.real_tmux import tmux_runtime
from tests.integration.real_terminal import RealTerminals, real_world

pytestmark = [
    pytest.mark.slow,
    pytest.mark.tmux,
    pytest.mark.timeout(120),
    pytest.mark.xdist_group("browser"),
]
ONE = SessionId("demo-1")
VIC = Actor(kind=ActorKind.PERSON, name="vic", via="web")


@pytest.fixture
async def ring(tmp_path: Path) -> AsyncIterator[Ring]:
    with tmux_runtime(tmp_path) as real:
        world, _ = real_world(real, tmp_path)
        made = await open_ring(tmp_path, world=world)
        made.clock.advance(time.time() - made.clock.now())
        await made.spawn("1")
        yield made
        await made.close()


@pytest.fixture
def terminals(ring: Ring) -> RealTerminals:
    assert isinstance(ring.runtime, RealTerminals)
    return ring.runtime


async def _heard(terminals: RealTerminals, words: bytes) -> None:
    async def look() -> bytes:
        return terminals.heard(ONE)

    await eventually(look, lambda heard: heard.endswith(words))


async def test_an_operator_takes_the_keyboard_types_and_gives_it_back(
    visit: Visits, ring: Ring, terminals: RealTerminals, shot: Shot
) -> None:
    page = await visit("/s/demo-1")
    await page.locator("#to-terminal").click()
    rows = page.locator(".xterm-rows")
    await expect(rows).to_contain_text("READY")
    await expect(page.locator("#status")).to_contain_text("live")
    await shot(page, "terminal")
    before = terminals.heard(ONE)
    await page.locator("#screen").click()
    await page.keyboard.type("nobody hears this")
    await expect(page.locator("#note")).to_contain_text("Read only")
    assert terminals.heard(ONE) == before

    await page.get_by_role("button", name="Take the keyboard").click()
    await expect(page.locator("#note")).to_contain_text("You have the keyboard")
    await expect(page.locator(".xterm-helper-textarea")).to_be_focused()
    await _type_all_kinds_of_keys(page, terminals)
    await expect(rows).to_contain_text("heard")
    await shot(page, "terminal-typing")
    await _paste(page, "two\nlines")
    await _heard(terminals, b"\x1b[200~two\rlines\x1b[201~")
    assert await page.locator(".xterm-rows > div").count() == 50

    await page.keyboard.press("Shift+Escape")
    await expect(page.locator("#note")).to_contain_text("Read only")
    await expect(page.get_by_role("button", name="Take the keyboard")).to_be_focused()
    heard = terminals.heard(ONE)
    await page.locator("#screen").click()
    await page.keyboard.type("nor this")
    assert terminals.heard(ONE) == heard
    picture = (await terminals.pictures([ring.fleet.world.ref(ring.session(ONE))]))[ONE]
    assert "columns=200, rows=50" in str(picture)


async def test_hostile_output_shows_characters_and_does_nothing(
    visit: Visits, terminals: RealTerminals
) -> None:
    page = await visit("/sessions/demo-1/terminal", permissions=["clipboard-read", "clipboard-write"])
    rows = page.locator(".xterm-rows")
    await expect(rows).to_contain_text("READY")
    title = await page.title()
    before = terminals.heard(ONE)
    assert title == "demo-1 terminal · ao"
    text = await rows.inner_text()
    assert "<img src=x" in text.replace("\u00a0", " ")
    assert not {"\u202e", "\u202c", "\x1b"} & set(text)
    assert await page.locator("#screen a, #screen img").count() == 0
    await page.bring_to_front()
    assert "owned" not in await page.evaluate("navigator.clipboard.readText()")
    # And should the server ever let such a thing through, the page's terminal does not obey it either.
    answered = await page.evaluate("document.title")
    assert answered == title
    assert terminals.heard(ONE) == before


async def test_a_viewer_has_no_button_and_is_refused(
    visit: Visits, ring: Ring, house: House, terminals: RealTerminals, shot: Shot
) -> None:
    await ring.core.store.people.put(Person(handle="boss", roles={ALL_PROJECTS: Role.ADMIN}))
    await ring.core.store.people.put(Person(handle="vic", roles={ALL_PROJECTS: Role.VIEWER}))
    context = await visit.browser.new_context(viewport={"width": 1440, "height": 900})
    page = await context.new_page()
    await page.goto(ring.core.door.link(VIC, time.time()))
    await page.get_by_role("button", name="Log in").click()
    await page.goto(f"{house.address}/sessions/demo-1/terminal")
    await expect(page.locator(".xterm-rows")).to_contain_text("READY")
    assert await page.get_by_role("button", name="Take the keyboard").count() == 0
    before = terminals.heard(ONE)
    refused = await page.evaluate(
        """async () => {
            const post = async (path, fields) => (await fetch(path, {method: "POST", body: new URLSearchParams(fields)})).status;
            return [await post("/sessions/demo-1/keyboard", {page: "p", act: "take"}), await post("/sessions/demo-1/keys", {page: "p", data: "x"})];
        }"""
    )
    assert refused == [403, 403]
    assert terminals.heard(ONE) == before
    await context.close()


async def test_on_a_phone_it_can_be_read_and_has_the_keys_that_a_phone_lacks(
    visit: Visits, terminals: RealTerminals, shot: Shot
) -> None:
    page = await visit("/sessions/demo-1/terminal", phone=True, has_touch=True)
    await expect(page.locator(".xterm-rows")).to_contain_text("READY")
    await shot(page, "phone-terminal")
    await page.get_by_role("button", name="Take the keyboard").click()
    await expect(page.locator("#note")).to_contain_text("You have the keyboard")
    for name in ("Esc", "Up", "Ctrl C", "Enter"):
        await page.locator("#touch").get_by_role("button", name=name, exact=True).click()
    await _heard(terminals, b"\x1b\x1b[A\x03\r")
    await shot(page, "phone-terminal-typing")
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await page.get_by_role("button", name="Fit width").click()
    assert await page.evaluate(
        "(({scrollWidth, clientWidth}) => scrollWidth <= clientWidth + 8)(document.querySelector('#screen'))"
    )
    await shot(page, "phone-terminal-fitted")


async def test_a_server_that_restarts_takes_the_keyboard_back_and_says_so(
    visit: Visits, ring: Ring, house: House, terminals: RealTerminals
) -> None:
    page = await visit("/sessions/demo-1/terminal")
    await page.get_by_role("button", name="Take the keyboard").click()
    await expect(page.locator("#note")).to_contain_text("You have the keyboard")
    await page.keyboard.type("before ")
    await _heard(terminals, b"before ")
    await house.close()
    await expect(page.locator("#status")).to_contain_text("reconnecting")
    await expect(page.locator("#note")).to_contain_text("The connection was cut")
    await page.keyboard.type("while it is down")
    again = await open_console(ring, house.port)
    try:
        await expect(page.locator("#status")).to_contain_text("live")
        await expect(page.locator("#note")).not_to_contain_text("You have the keyboard")
        await page.get_by_role("button", name="Take the keyboard").click()
        await expect(page.locator("#note")).to_contain_text("You have the keyboard")
        await page.keyboard.type("after")
        await _heard(terminals, b"before after")
    finally:
        await again.close()
    visit.complaints.clear()


async def _type_all_kinds_of_keys(page: Page, terminals: RealTerminals) -> None:
    await page.keyboard.type("echo hi; 'x'")
    await page.keyboard.press("ArrowUp")
    await page.keyboard.press("Escape")
    await page.keyboard.press("Control+c")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await _heard(terminals, b"echo hi; 'x'\x1b[A\x1b\x03\t\r")


async def _paste(page: Page, text: str) -> None:
    await page.evaluate(
        """(text) => {
            const data = new DataTransfer();
            data.setData("text/plain", text);
            document.querySelector(".xterm-helper-textarea").dispatchEvent(
                new ClipboardEvent("paste", {clipboardData: data, bubbles: true, cancelable: true}));
        }""",
        text,
    )
