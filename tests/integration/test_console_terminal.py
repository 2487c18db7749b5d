"""The console's live terminal, asked without a browser: real tmux behind it, rights, what it costs, who has the keyboard."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from bot.actions.runner import Actions
from bot.chat.access import Access
from bot.chat.desk import Desk
from bot.frontends.dispatch import Dispatch
from bot.frontends.web.site import Site
from bot.frontends.web.terminal import Watcher
from bot.frontends.web.wiring import open_site
from orchestrator.clock import SystemClock
from orchestrator.domain.coloured import plain
from orchestrator.domain.ids import SessionId
from orchestrator.domain.person import OWNER, Actor, ActorKind
from orchestrator.domain.rights import ALL_PROJECTS, People, Person, Role
from orchestrator.lifecycle.keyboards import IDLE
from orchestrator.ports.runtime import Keys, Text
from orchestrator.services.send import send
from orchestrator.testing.ring import Ring, open_ring
from orchestrator.testing.waiting import eventually
from tests.contracts.real_tmux import tmux_runtime
from tests.integration.real_terminal import RealTerminals, real_world

ADDRESS = "http://127.0.0.1:8410"
OURS = {"Origin": ADDRESS, "Sec-Fetch-Site": "same-origin"}
ANA, VIC = (Actor(kind=ActorKind.PERSON, name=name, via="web") for name in ("ana", "vic"))
PEOPLE = People(
    (
        Person(handle="ana", roles={ALL_PROJECTS: Role.OPERATOR}),
        Person(handle="vic", roles={ALL_PROJECTS: Role.VIEWER}),
    )
)
ONE = SessionId("demo-1")


async def _site(ring: Ring) -> tuple[Site, Desk]:
    ring.core.door.address = ADDRESS
    access = Access(lambda: PEOPLE)
    actions = Actions(ring.core, access=access, clock=ring.clock)
    desk = Desk(actions, ring.core.store.requests, ring.clock.now)
    site = await open_site(ring.core, Dispatch(ring.core, actions, desk), desk, access, SystemClock())
    return site, desk


@pytest.fixture
async def ring(tmp_path: Path) -> AsyncIterator[Ring]:
    made = await open_ring(tmp_path)
    yield made
    await made.close()


@pytest.fixture
async def site(ring: Ring) -> AsyncIterator[Site]:
    made, desk = await _site(ring)
    yield made
    await made.stop()
    await desk.close()


@dataclass
class Visit:
    """One page of one person: its stream, and what it shows by what came."""

    site: Site
    client: httpx.AsyncClient
    who: Actor
    page: str
    lines: dict[int, str] = field(default_factory=dict)
    size: list[int] = field(default_factory=list)
    said: dict[str, Any] = field(default_factory=dict)
    events: int = 0
    _reading: asyncio.Task[None] | None = None

    async def open(self) -> None:
        async def allowed() -> bool:
            return True

        eye = self.site.terminals.screens.open(ONE)
        watcher = Watcher(session=ONE, page=self.page, actor=self.who, allowed=allowed, checked=1e12, eye=eye)
        self._reading = asyncio.create_task(self._read(watcher))

    async def _read(self, watcher: Watcher) -> None:
        async for text in self.site.terminals.follow(watcher, self.site.stopping):
            if text.startswith("data: "):
                self.events += 1
                news = json.loads(text.removeprefix("data: "))
                self.size = news.get("size", self.size)
                self.said = news.get("said", self.said)
                self.lines |= {row: plain(line) for row, line in news.get("lines", [])}

    async def close(self) -> None:
        assert self._reading is not None
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)

    @property
    def text(self) -> str:
        return "\n".join(line.rstrip() for _, line in sorted(self.lines.items()))

    async def until(self, words: str) -> str:
        async def look() -> str:
            return self.text

        return await eventually(look, lambda text: words in text)

    async def until_said(self, **wanted: object) -> None:
        async def look() -> dict[str, Any]:
            return self.said

        await eventually(look, lambda said: wanted.items() <= said.items())

    async def post(self, path: str, **fields: str) -> httpx.Response:
        return await self.client.post(
            f"/sessions/demo-1/{path}", data={"page": self.page, **fields}, headers=OURS
        )


async def _visit(site: Site, ring: Ring, who: Actor) -> Visit:
    transport = httpx.ASGITransport(Starlette(routes=site.routes()))
    client = httpx.AsyncClient(transport=transport, base_url=ADDRESS)
    answer = await client.post(ring.core.door.link(who, SystemClock().now()), headers=OURS)
    assert answer.status_code == 303
    visit = Visit(site, client, who, page=f"page-of-{who.name}")
    await visit.open()
    return visit


@pytest.mark.tmux
async def test_a_real_terminal_is_seen_by_viewers_and_typed_in_by_operators(tmp_path: Path) -> None:
    with tmux_runtime(tmp_path) as real:
        world, terminals = real_world(real, tmp_path)
        ring = await open_ring(tmp_path, world=world)
        await ring.spawn("1")
        site, desk = await _site(ring)
        try:
            await _watched_and_typed(site, ring, terminals)
        finally:
            await site.stop()
            await desk.close()
            await ring.close()


async def _watched_and_typed(site: Site, ring: Ring, terminals: RealTerminals) -> None:
    vic, ana = await _visit(site, ring, VIC), await _visit(site, ring, ANA)
    text = await vic.until("READY")
    assert text.startswith("green and plain\nlink gnp.exe <img src=x onerror=alert(1)>")
    assert vic.size == [200, 50]
    await vic.until_said(may=False, mine=False, holder="")

    for path, fields in (("keyboard", {"act": "take"}), ("keys", {"data": "x"})):
        refused = await vic.post(path, **fields)
        assert refused.status_code == 403
        assert "operator" in refused.json()["words"]
    assert (await ana.post("keys", data="too early")).status_code == 409

    assert (await ana.post("keyboard", act="take")).status_code == 200
    await vic.until_said(holder="ana", mine=False)
    await ana.until_said(mine=True)
    assert (await ana.post("keys", data="ls;\r\x1b[A\x03\u00e9")).status_code == 200
    assert (await ana.post("keys", paste="two\nlines \x1b[201~;")).status_code == 200
    await vic.until("[201~;")
    # What stands before are tmux's own answers to what the program asked it.
    typed = "ls;\r\x1b[A\x03é\x1b[200~two\rlines [201~;\x1b[201~"
    assert terminals.heard(ONE).endswith(typed.encode())
    assert vic.size == [200, 50]

    entries = await ring.core.store.audit.newest(5)
    assert [(e.by.name, e.verb, e.text) for e in entries] == [("ana", "keyboard", "took the keyboard")]
    assert "keyboard.taken" in await ring.told(ONE)
    await ana.close()
    await vic.until_said(holder="")
    entries = await ring.core.store.audit.newest(5)
    assert entries[-1].text == "gave the keyboard back after 8 keys"
    await vic.close()


async def test_what_is_to_be_told_waits_while_somebody_has_the_keyboard(site: Site, ring: Ring) -> None:
    one = await ring.spawn("1")
    ana = await _visit(site, ring, ANA)
    assert (await ana.post("keyboard", act="take")).status_code == 200
    await ana.post("keys", data="hm")
    await send(ring.core, one, "go on", by=OWNER)
    await ring.settle()
    await ring.later(IDLE / 2)
    assert ring.runtime.terminals[one].sent == [Keys(keys=("h", "m"))]
    assert (await ana.post("keyboard", act="give")).status_code == 200
    await ring.settle()
    assert ring.runtime.terminals[one].sent[1:] == [Text(text="go on")]
    await ana.close()


async def test_a_keyboard_that_is_forgotten_is_free_again(site: Site, ring: Ring) -> None:
    await ring.spawn("1")
    ana = await _visit(site, ring, ANA)
    other = await _visit(site, ring, ANA)
    other.page = "another"
    await ana.post("keyboard", act="take")
    refused = await other.post("keyboard", act="take")
    assert (refused.status_code, "ana has its keyboard" in refused.text) == (409, True)
    ring.clock.advance(IDLE)
    assert (await ana.post("keys", data="x")).status_code == 409
    assert (await other.post("keyboard", act="take")).status_code == 200
    await ana.until_said(mine=False, holder="ana")
    assert ring.runtime.terminals[ONE].sent == []
    await ana.close()
    await other.close()


async def test_nothing_is_looked_at_for_nobody_and_nothing_is_sent_where_nothing_changes(
    site: Site, ring: Ring
) -> None:
    await ring.spawn("1")
    vic, other = await _visit(site, ring, VIC), await _visit(site, ring, VIC)
    ring.runtime.show(ONE, "first line\nsecond line")
    await vic.until("second line")
    await other.until("second line")
    sent, calls = vic.events, ring.runtime.calls

    async def looks() -> int:
        return ring.runtime.calls - calls

    await eventually(looks, lambda count: count >= 3)
    assert vic.events == sent
    ring.runtime.show(ONE, "first line\nanother line")
    await vic.until("another line")
    assert vic.events == sent + 1
    assert set(vic.lines) == {0, 1}
    await vic.close()
    await other.close()
    watching = site.terminals.screens._watching
    assert watching is not None
    await asyncio.wait_for(watching, 10)


async def test_who_may_not_see_the_project_finds_no_terminal(site: Site, ring: Ring) -> None:
    await ring.spawn("1")
    nobody = await _visit(site, ring, Actor(kind=ActorKind.PERSON, name="nobody", via="web"))
    for path in ("terminal", "screen"):
        answer = await nobody.client.get(f"/sessions/demo-1/{path}")
        assert (answer.status_code, "Issue 1" in answer.text) == (404, False)
    assert (await nobody.post("keyboard", act="take")).status_code == 404
    await nobody.close()


async def test_the_page_is_strict_but_for_styles(site: Site, ring: Ring) -> None:
    await ring.spawn("1")
    ana, vic = await _visit(site, ring, ANA), await _visit(site, ring, VIC)
    answer = await ana.client.get("/sessions/demo-1/terminal")
    policy = answer.headers["Content-Security-Policy"]
    assert "script-src 'self';" in policy
    assert policy.count("unsafe") == 1
    assert "style-src 'self' 'unsafe-inline'" in policy
    assert "unsafe" not in (await ana.client.get("/")).headers["Content-Security-Policy"]
    assert "Take the keyboard" in answer.text
    assert "Take the keyboard" not in (await vic.client.get("/sessions/demo-1/terminal")).text
    forged = await ana.client.post(
        "/sessions/demo-1/keyboard",
        data={"page": "p", "act": "take"},
        headers={"Origin": "https://evil.example"},
    )
    assert forged.status_code == 403
    await ana.close()
    await vic.close()


async def test_a_terminal_that_is_gone_says_so(site: Site, ring: Ring) -> None:
    await ring.spawn("1")
    ana = await _visit(site, ring, ANA)
    await ana.until_said(gone="")
    ring.runtime.vanish(ONE)
    await ana.until_said(gone="it has no terminal now.")
    await ring.look()
    refused = await ana.post("keyboard", act="take")
    assert refused.status_code == 409
    await ana.close()
