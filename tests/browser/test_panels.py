"""What the page offers to whom, and panels that leave the board where it is."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from orchestrator.domain.ids import SessionId
from orchestrator.domain.person import OWNER
from orchestrator.domain.rights import Role
from orchestrator.services import people
from orchestrator.testing.ring import Ring
from tests.browser.conftest import Shot, Visits

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120), pytest.mark.xdist_group("browser")]

DEMO_1 = SessionId("demo-1")


async def test_an_answer_lies_over_the_board_and_goes_by_escape_or_with_another_session(
    visit: Visits, ring: Ring, shot: Shot
) -> None:
    await ring.spawn("1")
    page = await visit()
    await expect(page.locator("#status")).to_have_text("live")
    before = await page.locator("#board").bounding_box()
    for leave in ("escape", "session"):
        await page.locator("#command-text").fill("help")
        await page.keyboard.press("Escape")
        await page.locator("#command-text").press("Enter")
        await expect(page.locator("#answer .answer")).to_be_visible()
        assert await page.locator("#board").bounding_box() == before
        await shot(page, f"answer-{leave}")
        if leave == "escape":
            await page.locator("#command-text").press("Escape")
        else:
            await page.locator("#card-demo-1 a").evaluate("(link) => link.click()")
            await expect(page.locator("#reply-text")).to_be_visible()
        await expect(page.locator("#answer .answer")).to_have_count(0)


async def test_a_typed_kill_asks_in_the_dialog_and_the_ended_session_takes_no_reply(
    visit: Visits, ring: Ring, shot: Shot
) -> None:
    await ring.spawn("1")
    page = await visit("/s/demo-1")
    await expect(page.locator("#status")).to_have_text("live")
    for answer in ("Cancel", "Kill"):
        await page.locator("#command-text").fill("kill demo-1")
        await page.keyboard.press("Escape")
        await page.locator("#command-text").press("Enter")
        dialog = page.get_by_role("dialog")
        await expect(dialog).to_contain_text("rescued first")
        await shot(page, "kill")
        await dialog.get_by_role("button", name=answer).click()
        await expect(dialog).to_be_hidden()
    await ring.settle()
    await expect(page.locator("#reply")).to_have_text("This session has ended.")


async def test_a_viewer_is_offered_nothing_and_nothing_waits_for_them(
    visit: Visits, ring: Ring, shot: Shot
) -> None:
    await ring.spawn("1")
    await ring.pull_request(DEMO_1)
    await ring.checks(DEMO_1, passed=True)
    page = await visit("/s/demo-1")
    await expect(page.get_by_role("button", name="Approve demo-1").first).to_be_visible()
    for name, role in (("root", Role.ADMIN), ("ada", Role.VIEWER)):
        await people.add(ring.core, people.Given(who=people.Meant(name=name), role=role), by=OWNER)
    await page.reload()  # the owner of the machine is nobody among them: they may look on
    await expect(page.locator("#reply")).to_have_text("You may look on here: operator is needed to steer.")
    await expect(page.get_by_role("button", name="Approve demo-1")).to_have_count(0)
    await expect(page.get_by_role("button", name="Request changes")).to_have_count(0)
    # They asked for this session themselves: whoever did may stop it.
    await expect(page.locator("#thread-card .menu").get_by_text("Kill demo-1", exact=True)).to_have_count(1)
    await expect(page.locator("#thread-card .menu").get_by_text("Hold the merge")).to_have_count(0)
    await expect(page.locator("#needing")).to_have_text("nothing waits for you")
    await shot(page, "viewer")


async def test_on_a_phone_the_thread_opens_at_its_newest_and_help_stacks(
    visit: Visits, ring: Ring, shot: Shot
) -> None:
    await ring.spawn("1")
    await ring.pull_request(DEMO_1)
    await ring.checks(DEMO_1, passed=False, tail="AssertionError")
    page = await visit("/s/demo-1", phone=True)
    await expect(page.locator("#entries > li").last).to_be_in_viewport()
    await expect(page.locator("#thread-card .fields")).to_be_hidden()
    await shot(page, "phone-newest")
    await page.goto("/".join(page.url.split("/")[:3]))
    await page.locator("#command-text").fill("help")
    await page.locator("#command-text").press("Enter")
    cells = page.locator("#answer tbody tr").first.locator("td")
    first, second = await cells.nth(0).bounding_box(), await cells.nth(1).bounding_box()
    assert first is not None
    assert second is not None
    assert second["y"] > first["y"]
    await shot(page, "phone-help")
