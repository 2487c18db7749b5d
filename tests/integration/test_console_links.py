"""A person signs in to the forge from the console: the page answers them, with a button for when they have."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import httpx
import pytest
from starlette.applications import Starlette

from bot.actions.runner import Actions
from bot.chat.desk import Desk
from bot.frontends.dispatch import Dispatch
from bot.frontends.web.wiring import open_site
from orchestrator.clock import SystemClock
from orchestrator.domain.person import OWNER
from orchestrator.testing.fakes.linking_scm import HOST, LinkingScm
from orchestrator.testing.ring import FakeWorld, Ring, open_ring
from orchestrator.testing.waiting import eventually
from tests.integration.test_console import ADDRESS, OURS

HX = {**OURS, "HX-Request": "true"}


@pytest.fixture
async def ring(tmp_path: Path) -> AsyncIterator[Ring]:
    world = FakeWorld()
    world.scm = LinkingScm(world.clock.now)
    made = await open_ring(tmp_path, world=world)
    made.core.serving.set()
    yield made
    await made.core.sign_ins.close()
    await made.close()


@pytest.fixture
async def browser(ring: Ring) -> AsyncIterator[httpx.AsyncClient]:
    core = ring.core
    core.door.address = ADDRESS
    actions = Actions(core, clock=ring.clock)
    desk = Desk(actions, core.store.requests, ring.clock.now)
    site = await open_site(core, Dispatch(core, actions, desk), desk, actions.access, SystemClock())
    transport = httpx.ASGITransport(Starlette(routes=site.routes()))
    async with httpx.AsyncClient(transport=transport, base_url=ADDRESS) as client:
        entered = await client.post(core.door.link(OWNER, ring.clock.now()), headers=OURS)
        assert entered.status_code == 303
        yield client
    await site.stop()
    await desk.close()


async def test_the_page_shows_the_code_and_then_who_one_is(browser: httpx.AsyncClient, ring: Ring) -> None:
    shown = await browser.post("/say", data={"text": "link github"}, headers=HX)
    assert "type CODE-0001 there" in shown.text
    assert "I have done it" in shown.text
    assert "device-1" not in shown.text
    cast("LinkingScm", ring.scm).type_code("CODE-0001", "boss-gh")

    async def again() -> str:
        ring.clock.advance(5.0)
        return (await browser.post("/say", data={"text": "link github"}, headers=HX)).text

    await eventually(again, lambda text: f"You are boss-gh on {HOST}" in text)
