"""The console's doors and its stream, asked without a browser: forged cookies and origins, cuts, bursts."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from bot.actions.runner import Actions
from bot.chat.desk import Desk
from bot.frontends.api.guard import Guard
from bot.frontends.dispatch import Dispatch
from bot.frontends.web.board import View
from bot.frontends.web.live import Page
from bot.frontends.web.site import Site
from bot.frontends.web.wiring import open_site
from orchestrator.clock import SystemClock
from orchestrator.domain.event import Level
from orchestrator.domain.ids import SessionId
from orchestrator.domain.listener import Listener
from orchestrator.domain.notification import Notification
from orchestrator.domain.person import OWNER
from orchestrator.domain.rights import Role
from orchestrator.services import people
from orchestrator.testing.examples import ADA
from orchestrator.testing.ring import Ring, open_ring

ADDRESS = "http://127.0.0.1:8410"
OURS = {"Origin": ADDRESS, "Sec-Fetch-Site": "same-origin"}


@pytest.fixture
async def ring(tmp_path: Path) -> AsyncIterator[Ring]:
    made = await open_ring(tmp_path)
    yield made
    await made.close()


@pytest.fixture
async def site(ring: Ring) -> AsyncIterator[Site]:
    ring.core.door.address = ADDRESS
    actions = Actions(ring.core, clock=ring.clock)
    desk = Desk(actions, ring.core.store.requests, ring.clock.now)
    made = await open_site(ring.core, Dispatch(ring.core, actions, desk), desk, actions.access, SystemClock())
    yield made
    await made.stop()
    await desk.close()


@pytest.fixture
async def browser(site: Site) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(Starlette(routes=site.routes()))
    async with httpx.AsyncClient(transport=transport, base_url=ADDRESS) as client:
        yield client


async def _log_in(browser: httpx.AsyncClient, ring: Ring, who: object = OWNER) -> None:
    link = ring.core.door.link(who, ring.clock.now())  # type: ignore[arg-type]
    answer = await browser.post(link, headers=OURS)
    assert answer.status_code == 303


@pytest.mark.parametrize("path", ["/", "/s/demo-1", "/part/board", "/live", "/complete?text=s"])
async def test_whoever_is_not_logged_in_sees_nothing(
    browser: httpx.AsyncClient, site: Site, ring: Ring, path: str
) -> None:
    await ring.spawn("1")
    for headers in ({}, {"Cookie": "ao_00000000=forged"}, {"Cookie": f"{site.gate.cookie}=forged"}):
        answer = await browser.get(path, headers=headers)
        assert answer.status_code == 401
        assert "Issue 1" not in answer.text


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": ADDRESS, "Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "http://127.0.0.1:9999"},
    ],
)
async def test_only_a_page_of_ours_changes_anything(
    browser: httpx.AsyncClient, ring: Ring, headers: dict[str, str]
) -> None:
    await _log_in(browser, ring)
    answer = await browser.post("/say", data={"text": "spawn demo 1"}, headers=headers)
    assert answer.status_code == 403
    assert ring.fleet.all() == ()
    link = ring.core.door.link(OWNER, ring.clock.now())
    assert (await browser.post(link, headers=headers)).status_code == 403
    assert ring.core.door.whose(link.rpartition("/")[2], ring.clock.now()) == OWNER


@pytest.fixture
async def outside(site: Site) -> AsyncIterator[httpx.AsyncClient]:
    """A browser that comes in as from the network: by the guard of the listener."""
    transport = httpx.ASGITransport(Guard(Starlette(routes=site.routes()), Listener(port=8410)))
    async with httpx.AsyncClient(transport=transport, base_url=ADDRESS) as client:
        yield client


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8410", "127.0.0.1.evil.example", "localhost.evil.example:8410", ""]
)
async def test_a_forged_host_gets_nothing_even_with_a_cookie_and_an_origin_that_match_it(
    outside: httpx.AsyncClient, ring: Ring, host: str
) -> None:
    """As in DNS rebinding: for the browser such a page is of the same origin as what it asks."""
    await ring.spawn("1")
    await _log_in(outside, ring)
    assert "Issue 1" in (await outside.get("/")).text
    forged = {"Host": host, "Origin": f"http://{host}", "Sec-Fetch-Site": "same-origin"}
    for path in ("/", "/s/demo-1", "/live", "/sessions/demo-1/terminal", "/sessions/demo-1/screen"):
        answer = await outside.get(path, headers={"Host": host})
        assert (answer.status_code, "Issue 1" in answer.text) == (421, False), path
    for path in ("/say", "/press", "/s/demo-1/reply", "/sessions/demo-1/keyboard", "/sessions/demo-1/keys"):
        answer = await outside.post(path, data={"text": "spawn demo 2", "act": "take"}, headers=forged)
        assert answer.status_code == 421, path
    assert [session.id for session in ring.fleet.all()] == ["demo-1"]


@pytest.mark.parametrize("path", ["/say", "/press", "/logout", "/sessions/demo-1/keyboard"])
async def test_a_forged_cookie_changes_nothing(
    outside: httpx.AsyncClient, site: Site, ring: Ring, path: str
) -> None:
    await ring.spawn("1")
    for cookie in (f"{site.gate.cookie}=forged", f"{site.gate.cookie}=", "ao_00000000=x"):
        answer = await outside.post(path, data={"text": "spawn demo 2"}, headers={**OURS, "Cookie": cookie})
        assert answer.status_code == 401
    assert [session.id for session in ring.fleet.all()] == ["demo-1"]


async def test_notices_missed_while_a_stream_was_cut_are_shown_when_it_comes_back(
    site: Site, ring: Ring
) -> None:
    at = site.hub.at
    notice = Notification(key="ao:1", level=Level.ACTION, title="ao: terminals are gone", project="demo")
    await site.notices.notify(notice)
    stream = Stream(site, at)
    text = await stream.next()
    assert "terminals are gone" in text
    assert 'data-call="ao:1"' in text
    await stream.close()
    assert site.notices.shown(View()) == (notice,)
    assert site.notices.shown(View(visible=frozenset({"demo"}))) == (notice,)
    assert site.notices.shown(View(visible=frozenset({"other"}))) == ()


async def test_a_link_from_a_chat_comes_in_by_a_page_of_ours(browser: httpx.AsyncClient, ring: Ring) -> None:
    answer = await browser.get("/s/demo-1?project=demo", headers={"Sec-Fetch-Site": "cross-site"})
    assert 'http-equiv="refresh" content="0;url=/s/demo-1?project=demo"' in answer.text


async def test_a_page_holds_no_inline_script_and_no_secret(browser: httpx.AsyncClient, ring: Ring) -> None:
    await _log_in(browser, ring)
    answer = await browser.get("/")
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert not re.search(r"<script(?![^>]*src=)|<style|\son[a-z]+=|\sstyle=", answer.text)
    assert not any(value in answer.text for value in browser.cookies.values())


async def test_who_has_no_rights_sees_an_empty_board(browser: httpx.AsyncClient, ring: Ring) -> None:
    await ring.spawn("1")
    await _log_in(browser, ring, ADA)
    for path in ("/", "/s/demo-1", "/complete?text=kill+"):
        assert "Issue 1" not in (await browser.get(path)).text


async def test_a_login_ends_everywhere_at_once(browser: httpx.AsyncClient, ring: Ring) -> None:
    await _log_in(browser, ring)
    assert (await browser.get("/")).status_code == 200
    held = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    await browser.post("/logout", headers=OURS)
    assert (await browser.get("/", headers={"Cookie": held})).status_code == 401


async def test_who_is_taken_away_is_logged_out_of_every_browser(
    browser: httpx.AsyncClient, site: Site, ring: Ring
) -> None:
    for name in ("root", "ada", "bo"):
        role = Role.ADMIN if name == "root" else Role.VIEWER
        await people.add(ring.core, people.Given(who=people.Meant(name=name), role=role), by=OWNER)
    held = []
    for name in ("ada", "ada", "bo"):
        await _log_in(browser, ring, replace(ADA, name=name))
        held.append(browser.cookies[site.gate.cookie])
    link = ring.core.door.link(replace(ADA, name="ada"), ring.clock.now())
    await people.remove(ring.core, people.Meant(name="Ada"), by=OWNER)
    browser.cookies.clear()
    answers = [await browser.get("/", headers={"Cookie": f"{site.gate.cookie}={token}"}) for token in held]
    assert [answer.status_code for answer in answers] == [401, 401, 200]
    assert (await browser.post(link, headers=OURS)).status_code == 410


async def test_who_keeps_a_role_elsewhere_stays_logged_in(
    browser: httpx.AsyncClient, site: Site, ring: Ring
) -> None:
    for name, role in (("root", Role.ADMIN), ("ada", Role.VIEWER)):
        await people.add(ring.core, people.Given(who=people.Meant(name=name), role=role), by=OWNER)
    ada = people.Meant(name="ada")
    await people.add(ring.core, people.Given(who=ada, role=Role.OPERATOR, project="demo"), by=OWNER)
    await _log_in(browser, ring, ADA)
    await people.remove(ring.core, ada, project="demo", by=OWNER)
    assert (await browser.get("/")).status_code == 200


async def test_an_odd_form_is_refused_and_a_key_runs_once(browser: httpx.AsyncClient, ring: Ring) -> None:
    await _log_in(browser, ring)
    asked = {"text": "spawn demo 2", "key": "k1"}
    for _ in range(3):
        answer = await browser.post("/say", data=asked, headers={**OURS, "HX-Request": "true"})
        assert answer.status_code == 200
    assert len(ring.fleet.all()) == 1
    wrong = await browser.post(
        "/press", data={"payload": "9|merge|demo-1"}, headers={**OURS, "HX-Request": "true"}
    )
    assert "another version" in wrong.text


class Stream:
    """One page's stream, read event by event."""

    def __init__(self, site: Site, at: str, session: str = "", view: View | None = None) -> None:
        async def allowed() -> bool:
            return True

        page = Page(view=view or View(), session=session, allowed=allowed, checked=1e12)
        self._lines = site.streams.follow(page, at, site.stopping)
        self.at = at

    async def next(self) -> str:
        """The next event's text; beats are passed over."""
        while True:
            found = await asyncio.wait_for(anext(self._lines), 10)
            if not found.startswith(":"):
                head, _, rest = found.partition("\n")
                self.at = head.removeprefix("id: ")
                return rest

    async def close(self) -> None:
        await self._lines.aclose()  # type: ignore[attr-defined]


async def _changed(ring: Ring) -> None:
    await ring.pull_request(SessionId("demo-1"))


async def test_a_stream_that_was_cut_goes_on_where_it_was(site: Site, ring: Ring) -> None:
    await ring.spawn("1")
    first = Stream(site, site.hub.at, "demo-1")
    waiting = asyncio.create_task(first.next())
    await _changed(ring)
    await waiting
    await first.close()

    await ring.checks(SessionId("demo-1"), passed=False, tail="boom")
    again = Stream(site, first.at, "demo-1")
    text = await again.next() + await again.next()
    assert 'id="entries"' in text
    assert "Checks failed" in text
    assert 'hx-target="#cards-in-review"' in text
    await again.close()


async def test_after_a_restart_a_page_is_shown_everything_anew(site: Site, ring: Ring) -> None:
    await ring.spawn("1")
    stream = Stream(site, "0badcafe-7-7")
    text = await stream.next()
    assert 'hx-target="#board" hx-swap="outerMorph"' in text
    assert "card-demo-1" in text
    assert stream.at == site.hub.at
    await stream.close()


async def test_a_burst_of_changes_is_shown_at_once_and_not_one_by_one(site: Site, ring: Ring) -> None:
    await ring.spawn("1")
    stream = Stream(site, site.hub.at)
    first = asyncio.create_task(stream.next())
    await _changed(ring)
    await first
    for text in ("2", "3", "4"):
        await ring.pull_request(SessionId("demo-1"), text=text)
    second = asyncio.create_task(stream.next())
    assert (await second).count('id="card-demo-1"') == 1
    assert not any(ear.awake.is_set() for ear in site.hub._ears)
    await stream.close()


async def test_a_card_that_a_page_does_not_want_to_see_is_taken_away(site: Site, ring: Ring) -> None:
    await ring.spawn("1")
    stream = Stream(site, site.hub.at, view=View(query="nothing like it"))
    waiting = asyncio.create_task(stream.next())
    await _changed(ring)
    text = await waiting
    assert '<hx-partial hx-target="#card-demo-1" hx-swap="delete">' in text
    assert 'id="card-demo-1"' not in text
    await stream.close()
    assert site.hub._ears == set()
