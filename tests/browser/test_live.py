"""The stream and what is typed, while connections fail: the page says so, comes back, and loses nothing."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Route, expect

from orchestrator.domain.ids import SessionId
from orchestrator.testing.ring import Ring
from tests.browser.conftest import Visits
from tests.browser.house import House, open_console

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120), pytest.mark.xdist_group("browser")]

STREAM = re.compile(r"/live\?")
DEMO_1 = SessionId("demo-1")


async def test_a_first_connection_that_fails_is_tried_again(visit: Visits, ring: Ring) -> None:
    await ring.spawn("1")
    page = await visit()
    failed: list[str] = []

    async def abort_once(route: Route) -> None:
        if failed:
            await route.continue_()
        else:
            failed.append(route.request.url)
            await route.abort()

    await page.route(STREAM, abort_once)
    await page.goto("/".join(page.url.split("/")[:3]) + "/s/demo-1")
    await expect(page.locator("#status")).to_contain_text("connecting")
    await expect(page.locator("#status")).to_have_text("live")
    await ring.pull_request(DEMO_1)
    await expect(page.locator("#thread-card")).to_contain_text("#1 open")
    assert failed
    visit.complaints.clear()


async def test_a_page_whose_server_went_says_that_it_is_old_and_comes_back(
    visit: Visits, ring: Ring, house: House
) -> None:
    await ring.spawn("1")
    page = await visit()
    await page.route(STREAM, lambda route: route.abort())
    await page.goto(f"{house.address}/s/demo-1")
    await house.close()
    await expect(page.locator("#status")).to_contain_text("not live: what you see may be old")
    await page.unroute(STREAM)
    again = await open_console(ring, house.port)
    try:
        await expect(page.locator("#status")).to_have_text("live", timeout=25_000)
        await ring.pull_request(DEMO_1)
        await expect(page.locator("#thread-card")).to_contain_text("#1 open")
    finally:
        await again.close()
    visit.complaints.clear()


async def test_who_is_logged_out_keeps_what_is_typed_and_goes_on_after_a_login(
    visit: Visits, ring: Ring, house: House
) -> None:
    await ring.spawn("1")
    page = await visit("/s/demo-1")
    await expect(page.locator("#status")).to_have_text("live")
    await page.locator("#reply-text").fill("Use the old name")
    await page.context.clear_cookies()
    house.cut()
    await expect(page.locator("#logged-out")).to_be_visible()
    await page.get_by_role("button", name="Send").click()
    await expect(page.locator("#reply-text")).to_have_value("Use the old name")
    await expect(page.locator("#thread-card")).to_be_visible()
    other = await page.context.new_page()
    await other.goto(house.link())
    await other.get_by_role("button", name="Log in").click()
    await other.wait_for_selector("#board")
    await other.close()
    await expect(page.locator("#status")).to_have_text("live", timeout=25_000)
    await expect(page.locator("#logged-out")).to_be_hidden()
    visit.complaints.clear()


async def test_what_is_typed_survives_a_reload_for_each_session(visit: Visits, ring: Ring) -> None:
    await ring.spawn("1")
    await ring.spawn("2")
    page = await visit("/s/demo-1")
    await expect(page.locator("#status")).to_have_text("live")
    await page.locator("#reply-text").fill("for the first")
    await page.locator("#command-text").fill("spawn demo")
    await page.locator("#card-demo-2 a").click()
    await expect(page.locator("#side-title")).to_contain_text("demo-2")
    await expect(page.locator("#reply-text")).to_have_value("")
    await page.locator("#card-demo-1 a").click()
    await expect(page.locator("#reply-text")).to_have_value("for the first")
    await page.reload()
    await expect(page.locator("#reply-text")).to_have_value("for the first")
    await expect(page.locator("#command-text")).to_have_value("spawn demo")
    await page.get_by_role("button", name="Send").click()
    await expect(page.locator("#reply-text")).to_have_value("")
    await page.reload()
    await expect(page.locator("#reply-text")).to_have_value("")
