"""The console as a person uses it, in a real browser: log in, look, type, press, lose the connection."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from playwright.async_api import Page, Route, expect

from orchestrator.domain.event import Level
from orchestrator.domain.ids import SessionId
from orchestrator.domain.notification import Notification
from orchestrator.testing.ring import Ring
from tests.browser.conftest import Shot, Visits
from tests.browser.house import House, open_console

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120), pytest.mark.xdist_group("browser")]

DEMO_1 = SessionId("demo-1")
HOSTILE = '<script>document.title="owned"</script><img src=x onerror=alert(1)> \u202egnp.exe\u001b[2J <hx-partial hx-target="body">'


async def test_a_login_link_works_once_and_looking_at_it_uses_nothing_up(visit: Visits, house: House) -> None:
    page = await visit()
    link = house.link()
    other = await visit.browser.new_page()
    await other.goto(link)
    await other.goto(link)  # a preview of the link looked at it first
    await other.get_by_role("button", name="Log in as owner").click()
    await expect(other.locator("#board")).to_be_visible()
    answer = await other.goto(link)
    assert answer is not None
    assert answer.status == 410
    await expect(other.get_by_role("heading", name="This link is used up or too old")).to_be_visible()
    cookies = await other.context.cookies()
    assert [(c["httpOnly"], c["sameSite"]) for c in cookies] == [(True, "Strict")]
    await page.get_by_role("button", name="Log out").click()
    await expect(page.get_by_role("heading", name="You are not logged in")).to_be_visible()


async def test_from_spawn_to_merge_with_the_keyboard_alone(visit: Visits, ring: Ring, shot: Shot) -> None:
    page = await visit()
    await expect(page.locator("#status")).to_contain_text("live")  # its scripts hear the keys by now
    await shot(page, "empty")
    await _spawn_by_keyboard(page, ring)
    await _open_by_keyboard(page)
    await page.keyboard.type("Please handle an empty name too.")
    await page.keyboard.press("Control+Enter")
    entry = page.locator("#entries > li", has_text="Please handle an empty name too.")
    await expect(entry).to_be_visible()
    await ring.settle()
    await expect(entry).to_contain_text("answered")
    await expect(page.locator("#reply-text")).to_have_value("")

    await ring.pull_request(DEMO_1)
    await ring.checks(DEMO_1, passed=True)
    await expect(page.locator("#cards-in-review #card-demo-1")).to_be_visible()
    await shot(page, "thread")
    await page.keyboard.press("Escape")
    await page.locator("#thread-card").get_by_role("button", name="Approve demo-1").focus()
    await page.keyboard.press("Enter")
    await ring.settle()
    await expect(page.locator("#cards-ready-to-merge #card-demo-1")).to_be_visible()

    await page.locator("#thread-card").get_by_role("button", name="Merge demo-1").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog")).to_contain_text("into main")
    await shot(page, "merge")
    await page.keyboard.press("Enter")  # the yes has the focus
    await expect(page.get_by_role("dialog")).to_be_hidden()
    await ring.settle()
    await expect(page.locator("#cards-done #card-demo-1")).to_be_visible()
    await expect(page.locator("#entries")).to_contain_text("merged")


@pytest.mark.parametrize("late", ["hx-sse.js", "console.js"])
async def test_a_script_that_comes_late_misses_nothing(visit: Visits, ring: Ring, late: str) -> None:
    await ring.spawn("1")
    page = await visit()

    async def hold(route: Route) -> None:
        """Until htmx is there, and whatever it begins by itself has begun."""
        await page.wait_for_function("window.htmx !== undefined")
        await page.evaluate("new Promise((done) => setTimeout(() => setTimeout(done)))")
        await route.continue_()

    await page.route(f"**/assets/{late}*", hold)
    await page.goto("/".join(page.url.split("/")[:3]) + "/s/demo-1", wait_until="commit")
    await expect(page.locator("#status")).to_contain_text("live")
    await ring.pull_request(DEMO_1)
    await expect(page.locator("#thread-card")).to_contain_text("#1 open")


async def test_a_half_typed_reply_survives_updates_a_cut_stream_and_a_restart(
    visit: Visits, ring: Ring, house: House
) -> None:
    await ring.spawn("1")
    page = await visit("/s/demo-1")
    await expect(page.locator("#status")).to_contain_text("live")
    box = page.locator("#reply-text")
    await box.focus()
    await page.keyboard.type("Use the old ")
    await ring.pull_request(DEMO_1)
    await expect(page.locator("#thread-card")).to_contain_text("#1 open")
    await page.keyboard.type("name, ")

    house.cut()
    await ring.checks(DEMO_1, passed=False, tail="AssertionError")
    await expect(page.locator("#card-demo-1")).to_contain_text("ci failed")
    await expect(page.locator("#entries")).to_contain_text("Checks failed")
    await page.keyboard.type("not the ")

    await house.close()
    await expect(page.locator("#status")).not_to_contain_text("live")
    await page.keyboard.type("new one")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator("#reply-said")).to_contain_text("What you typed is still here")
    again = await open_console(ring, house.port)
    try:
        await expect(page.locator("#status")).to_contain_text("live", timeout=15_000)
        await expect(box).to_have_value("Use the old name, not the new one")
        await expect(box).to_be_focused()
        await page.keyboard.press("Control+Enter")
        await expect(page.locator("#entries")).to_contain_text("Use the old name, not the new one")
        await expect(box).to_have_value("")
    finally:
        await again.close()
    visit.complaints[:] = [text for text in visit.complaints if "fetch" not in text.lower()]
    texts = [m.text for m in ring.session(DEMO_1).messages]
    assert texts.count("Use the old name, not the new one") == 1


async def test_hostile_text_is_only_text(visit: Visits, ring: Ring) -> None:
    sid = await ring.spawn("1", prompt=HOSTILE)
    page = await visit(f"/s/{sid}")
    ring.ask(sid, "ask", HOSTILE)
    await ring.look(sid)
    await expect(page.locator("#thread-card")).to_contain_text("<script>")
    await expect(page.locator("#entries")).to_contain_text("<hx-partial")
    assert "owned" not in await page.title()
    text = await page.locator("body").inner_text()
    assert "\u202e" not in text
    assert "\u001b" not in text
    assert await page.locator("#side img, #board img, #side script").count() == 0
    await page.reload()
    assert await page.locator("#side img, #board img, #side script").count() == 0


async def test_a_stale_button_says_what_has_changed_and_does_nothing(visit: Visits, ring: Ring) -> None:
    sid = await ring.spawn("1")
    await ring.pull_request(sid)
    await ring.checks(sid, passed=True)
    page = await visit(f"/s/{sid}")
    payload = await _payload(page, "Approve demo-1")
    await ring.pull_request(sid, text="2")
    await ring.checks(sid, passed=True)
    assert "Look at the new commits" in await _press(page, payload)
    assert ring.session(sid).changes[-1].approvals == ()


async def test_of_two_who_answer_at_once_the_second_hears_who_was_first(visit: Visits, ring: Ring) -> None:
    sid = await ring.spawn("1")
    ring.ask(sid, "ask", "Which colour?", "--option", "Red", "--option", "Blue")
    await ring.look(sid)
    one, other = await visit(f"/s/{sid}"), await visit(f"/s/{sid}")
    red, blue = await _payload(one, "Red"), await _payload(other, "Blue")
    said = await asyncio.gather(_press(one, red), _press(other, blue))
    assert sum("answered first" in words for words in said) == 1, said
    assert sum(question.answer in {"Red", "Blue"} for question in ring.session(sid).questions) == 1


async def test_a_question_has_a_button_for_each_option_and_becomes_its_answer(
    visit: Visits, ring: Ring, shot: Shot
) -> None:
    sid = await ring.spawn("1")
    page = await visit()
    ring.ask(sid, "ask", "Which colour?", "--option", "Red", "--option", "Blue")
    await ring.look(sid)
    await expect(page.locator("#inbox #inbox-demo-1")).to_contain_text("Which colour?")
    await expect(page.locator("#announce")).to_contain_text("demo-1 needs you")
    assert (await page.title()).startswith("(1)")
    await page.locator("#inbox-demo-1 a").click()
    await expect(page.locator("#entries .entry.open")).to_contain_text("Which colour?")
    await shot(page, "question")
    await page.locator("#entries").get_by_role("button", name="Blue").click()
    await ring.settle()
    await expect(page.locator("#entries")).to_contain_text("answered: Blue")
    assert await page.locator("#entries").get_by_role("button", name="Blue").count() == 0


async def test_on_a_phone_the_thread_is_the_whole_screen_and_goes_back(
    visit: Visits, ring: Ring, shot: Shot
) -> None:
    await ring.spawn("1")
    page = await visit(phone=True)
    await shot(page, "phone-board")
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await page.locator("#card-demo-1 a").click()
    await expect(page.locator("#side-title")).to_contain_text("demo-1")
    await expect(page.locator("#board")).to_be_hidden()
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await shot(page, "phone-thread")
    await page.locator("details.menu summary").click()
    await page.locator("details.menu").get_by_role("button", name="Show its screen").click()
    await expect(page.locator("#answer h2")).to_be_in_viewport()
    await shot(page, "phone-answer")
    await page.locator("#answer").get_by_role("button", name="Close").click()
    await page.locator("#back").click()
    await expect(page.locator("#board")).to_be_visible()
    await page.go_back()
    await expect(page.locator("#side-title")).to_contain_text("demo-1")


async def test_it_can_be_read_without_scripts(visit: Visits, ring: Ring) -> None:
    await ring.spawn("1")
    page = await visit(java_script_enabled=False)
    await page.locator("#card-demo-1 a").click()
    await expect(page.locator("#side-title")).to_contain_text("demo-1")
    await expect(page.locator("#entries")).to_contain_text("The agent works")


async def test_what_waits_for_you_is_counted_listed_and_marked_alike(
    visit: Visits, ring: Ring, shot: Shot
) -> None:
    await ring.spawn("1")
    await ring.spawn("2")
    await ring.pull_request(DEMO_1)
    await ring.checks(DEMO_1, passed=True)
    ring.ask(SessionId("demo-2"), "ask", "Which colour?", "--option", "Red")
    await ring.look(SessionId("demo-2"))
    page = await visit()
    await expect(page.locator("#needing")).to_have_text("2 wait for you")
    await expect(page.locator("#side-title")).to_have_text("Waits for you")
    await expect(page.locator("#inbox .card")).to_have_count(2)
    await expect(page.locator("#board .card.waits")).to_have_count(2)
    await expect(page.locator("#cards-in-review .for-you")).to_be_visible()
    await shot(page, "waits")


async def test_what_concerns_no_session_is_a_quiet_notice_until_it_is_dismissed(
    visit: Visits, house: House, shot: Shot
) -> None:
    page = await visit()
    await expect(page.locator("#status")).to_contain_text("live")
    notice = Notification(
        key="ao:1", level=Level.ACTION, title="ao: terminals are gone", lines=("12 of them <b>",), at=1.0
    )
    for _ in range(2):
        await house.site.notices.notify(notice)
    await house.site.notices.notify(replace(notice, key="demo-1:1", session="demo-1"))
    await expect(page.locator("#notices li")).to_have_count(1)
    await expect(page.locator("#notices")).to_contain_text("terminals are gone 12 of them <b>")
    await shot(page, "notice")
    await page.locator("#notices").get_by_role("button", name="Dismiss").click()
    await expect(page.locator("#notices li")).to_be_hidden()
    await page.reload()
    await expect(page.locator("#notices li")).to_be_hidden()


async def test_a_hidden_tab_calls_only_where_the_person_allowed_it_and_for_what_needs_somebody(
    visit: Visits, house: House
) -> None:
    page = await visit()
    await expect(page.locator("#status")).to_contain_text("live")
    await page.evaluate(
        """() => {
            window.told = []; window.leave = "denied";
            window.Notification = class { static get permission() { return window.leave; } constructor(title) { window.told.push(title); } };
        }"""
    )
    made = Notification(key="", level=Level.ACTION, title="", at=1.0)

    async def tell(title: str, level: Level) -> None:
        await house.site.notices.notify(replace(made, key=title, title=title, level=level))
        await expect(page.locator("#notices")).to_contain_text(title)

    hide = "Object.defineProperty(document, 'hidden', {value: true, configurable: true})"
    await page.evaluate(hide)
    await tell("not allowed", Level.URGENT)
    await page.evaluate("window.leave = 'granted'")
    await tell("only news", Level.INFO)
    await tell("needs somebody", Level.ACTION)
    await page.evaluate(hide.replace("true,", "false,"))
    await tell("seen in front", Level.URGENT)
    assert await page.evaluate("window.told") == ["needs somebody"]


async def test_a_page_of_another_name_with_our_address_gets_and_does_nothing(
    visit: Visits, ring: Ring, house: House
) -> None:
    await ring.spawn("1")
    page = await visit()
    there = f"http://evil.example:{house.port}"
    answer = await page.goto(f"{there}/s/demo-1")
    assert answer is not None
    assert answer.status == 421
    assert "Issue 1" not in await page.content()
    answer = await page.goto(house.link().replace(house.address, there))
    assert answer is not None
    assert answer.status == 421
    assert [session.id for session in ring.fleet.all()] == [DEMO_1]
    visit.complaints.clear()  # of a name without TLS that is not this machine's own


async def test_a_long_output_stays_in_its_frame(visit: Visits, ring: Ring, shot: Shot) -> None:
    await ring.spawn("1")
    long = "".join(f"{number % 10}" for number in range(4000))
    for phone in (False, True):
        page = await visit("/s/demo-1", phone=phone)
        ring.runtime.show(DEMO_1, f"{long}\nend of it")
        await page.locator("details.menu summary").click()
        await page.locator("details.menu").get_by_role("button", name="Show its screen").click()
        answer = page.locator("#answer pre")
        await expect(answer).to_contain_text("end of it")
        assert long in (await answer.inner_text()).replace("\n", "")
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await shot(page, "phone-long")


async def test_search_and_project_narrow_the_board_and_the_stream(visit: Visits, ring: Ring) -> None:
    await ring.spawn("1")
    await ring.spawn("2")
    page = await visit()
    await expect(page.locator("#status")).to_contain_text("live")
    await page.keyboard.press("s")
    await expect(page.locator("#filter-q")).to_be_focused()
    await page.keyboard.type("Issue 2")
    await expect(page.locator("#card-demo-1")).to_have_count(0)
    await expect(page.locator("#card-demo-2")).to_be_visible()
    await ring.pull_request(DEMO_1)
    await ring.pull_request(SessionId("demo-2"))
    await expect(page.locator("#cards-in-review #card-demo-2")).to_be_visible()
    await expect(page.locator("#card-demo-1")).to_have_count(0)
    await expect(page.locator("#filter-q")).to_be_focused()


async def test_dark_and_wide_pictures_are_taken(visit: Visits, ring: Ring, shot: Shot) -> None:
    for issue in ("1", "2", "3"):
        await ring.spawn(issue)
    page = await visit("/s/demo-1", color_scheme="dark")
    await expect(page.locator("#status")).to_contain_text("live")
    await shot(page, "dark")
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog")).to_contain_text("Keyboard")
    await shot(page, "keys")


async def _open_by_keyboard(page: Page) -> None:
    """From the command box to the reply in the first card's thread."""
    box = page.locator("#command-text")
    await expect(page.locator("#offers")).to_be_hidden()
    await box.press("Escape")
    await expect(box).not_to_be_focused()
    await page.keyboard.press("j")
    await expect(page.locator("#card-demo-1 a")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator("#side-title")).to_contain_text("demo-1")
    await expect(page.locator("#side-title")).to_be_focused()
    await page.keyboard.press("r")
    await expect(page.locator("#reply-text")).to_be_focused()


async def _spawn_by_keyboard(page: Page, ring: Ring) -> None:
    await page.keyboard.press("/")
    await expect(page.locator("#command-text")).to_be_focused()
    await page.keyboard.type("spa")
    await expect(page.locator("#offers li").first).to_contain_text("spawn")
    await page.keyboard.press("Tab")
    await expect(page.locator("#command-text")).to_have_value("spawn ")
    await page.keyboard.type("demo 1")
    await page.keyboard.press("Enter")
    await expect(page.locator("#answer")).to_contain_text("demo-1")
    await ring.settle()
    await expect(page.locator("#cards-working #card-demo-1")).to_be_visible()


async def _payload(page: Page, label: str) -> str:
    form = page.locator("#thread-card form", has=page.get_by_role("button", name=label)).first
    return await form.locator("input[name=payload]").input_value()


async def _press(page: Page, payload: str) -> str:
    """As the button's form sends it; returns the answer's words."""
    return str(
        await page.evaluate(
            """async (payload) => (await (await fetch("/press", {
                method: "POST", headers: {"HX-Request": "true"},
                body: new URLSearchParams({payload, session: "demo-1", key: String(Math.random())}),
            })).text()).replace(/<[^>]*>/g, " ")""",
            payload,
        )
    )
