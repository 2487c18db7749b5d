"""Slack follows the configuration while everything runs: it comes, changes its keys, and goes with `ao reload`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bot.actions.runner import Actions
from bot.chat.message import Message
from bot.chat.request import Request, Surface
from bot.demo.slack_person import SlackWorld
from bot.demo.slack_server import FakeSlack
from bot.demo.slack_workspace import ADA, DEMO
from bot.frontends.api import http_server, server
from bot.frontends.together import FrontEnds
from orchestrator.domain.person import OWNER
from orchestrator.domain.rights import Person, Role
from orchestrator.lifecycle.announcer import Announcer
from orchestrator.lifecycle.pulse import Pulse
from orchestrator.ports.notifier import Notifier
from orchestrator.services import doctor
from orchestrator.storage.fleet import FleetStore
from orchestrator.testing.ring import CONFIG, FakeWorld, Ring, open_ring
from orchestrator.testing.waiting import eventually
from tests.integration.bolt_app import FAST, drop_proxies

LOADED = (http_server, server)
"""Else they are loaded in the loop of a test, where nothing may block."""
OFF = f"{CONFIG}console: {{{{listen: off}}}}\n"


@dataclass
class Rig:
    """All front ends of a fleet, and a workspace that they may be told of."""

    ring: Ring
    fake: FakeSlack
    slack: SlackWorld
    fronts: FrontEnds
    root: Path
    told: list[set[str]]
    """Who was told things, after each change."""

    def configure(self, channel: str = "", more: str = "") -> None:
        """Write the file; without a channel it has no Slack."""
        text = OFF.format(repository=self.root / "repository")
        if channel:
            text += f"chat:\n  slack: {{botToken: xoxb-fake, appToken: xapp-fake, apiUrl: '{self.fake.address('api/')}', channel: {channel}{more}}}\n"
        self.ring.settings.path.write_text(text)

    async def reload(self) -> Message:
        """`ao reload`, in the owner's shell."""
        core = self.ring.core
        request = Request(
            id="", who=OWNER, surface=Surface.SHELL, verb="reload", at=core.clock.now(), arguments={}
        )
        return await Actions(core, clock=core.clock).run(request)

    async def connected(self, number: int) -> None:
        """Wait until so many sockets are connected."""

        async def look() -> bool:
            return await self.slack.sockets() == number

        await self.passing(look)

    async def passing(self, look: Any) -> Any:
        async def pass_and_look() -> Any:
            self.ring.clock.advance(2.0)
            await self.ring.settle()
            return await look()

        return await eventually(pass_and_look, bool, 30.0)

    async def said(self, channel: str, text: str) -> Any:
        """Messages of a channel that hold a text, once there are some."""

        async def look() -> Any:
            seen = await self.slack.person(ADA).messages(channel)
            return [one for one in seen if text in str(one)]

        return await self.passing(look)

    async def doctor(self) -> dict[str, str]:
        return {one.subject: one.text for one in await doctor.doctor(self.ring.core)}


@pytest.fixture
async def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Rig]:
    drop_proxies(monkeypatch)
    outside = FakeWorld()
    fake = FakeSlack(times=FAST, now=outside.clock.now)
    await fake.start()
    ring = await open_ring(tmp_path, world=outside, config=OFF)
    core = ring.core
    await core.store.people.put(Person(handle="ada", ids={"slack": ADA}, roles={"*": Role.ADMIN}, owner=True))
    announcer = Announcer(
        log=core.store.log,
        positions=core.store.fleet,
        clock=core.clock,
        rules=lambda _project: None,
        heard_by=lambda _level: ("slack",),
    )
    fronts = FrontEnds(core, Actions(core, clock=core.clock), core.home.api_socket)
    told: list[set[str]] = []

    def tell() -> None:
        found: dict[str, Notifier] = dict(fronts.notifiers)
        told.append(set(found))
        announcer.use(found)

    fronts.on_change(tell)
    async with SlackWorld(fake.address()) as slack:
        await fronts.start(Pulse(), announcer)
        core.serving.set()
        yield Rig(ring, fake, slack, fronts, tmp_path, told)
        await fronts.stop()
        await announcer.stop()
        await ring.close()
    await fake.stop()


async def test_it_comes_with_a_reload(rig: Rig) -> None:
    await rig.ring.spawn()
    assert rig.fronts.notifiers == {}
    rig.configure(DEMO)
    assert rig.told == []
    answer = await rig.reload()
    assert answer.lines == ("Slack begins with these keys; `ao doctor` says how it stands.",)
    await rig.said(DEMO, "demo-1")
    await rig.connected(1)
    assert (await rig.slack.person(ADA).slash(DEMO, "status")).acked
    assert rig.told == [{"slack"}]
    assert (await rig.doctor())["slack"] == "people are heard and told"


async def test_what_is_behind_in_slack_is_said_and_counted(rig: Rig) -> None:
    rig.configure(DEMO)
    await rig.reload()
    await rig.connected(1)
    for _ in range(200):
        await rig.slack.fail("chat.postMessage", "fatal_error")
    await rig.ring.spawn()

    async def look() -> bool:
        return "behind with demo-1: Slack asks to wait" in (await rig.doctor())["slack"]

    await rig.passing(look)
    [figures] = rig.fronts.figures
    assert (figures.surface, figures.behind) == ("slack", 1)
    assert figures.calls > 1
    made = figures.calls
    rig.configure(DEMO, ", command: /fleet")
    await rig.reload()
    await rig.connected(1)
    assert rig.fronts.figures[0].calls > made, "it counts from the start, not from the last reload"


async def test_it_connects_anew_with_other_keys_and_loses_nothing(rig: Rig) -> None:
    rig.configure(DEMO)
    await rig.reload()
    await rig.connected(1)
    await rig.ring.spawn()
    await rig.said(DEMO, "demo-1")
    rig.configure(DEMO, ", command: /fleet")
    assert (await rig.reload()).lines == (
        "Slack connects anew with these keys; `ao doctor` says how it stands.",
    )
    assert (await rig.slack.ask("sockets", opened=2, wait=30))["connected"] >= 1
    await rig.connected(1)
    assert rig.told == [{"slack"}, set(), {"slack"}]
    await rig.ring.spawn("2")
    await rig.said(DEMO, "demo-2")
    for name in ("demo-1", "demo-2"):
        cards = [m for m in await rig.said(DEMO, name) if "thread_ts" not in m or m["thread_ts"] == m["ts"]]
        assert len(cards) == 1, f"{name} has one card"


async def test_only_other_keys_of_slack_move_it(rig: Rig) -> None:
    rig.configure(DEMO)
    await rig.reload()
    await rig.connected(1)
    front = rig.fronts.notifiers["slack"]
    rig.ring.settings.path.write_text(f"{rig.ring.settings.path.read_text()}limits: {{sessions: 7}}\n")
    assert (await rig.reload()).lines == ()
    assert rig.fronts.notifiers["slack"] is front


async def test_it_goes_with_a_reload_and_comes_back(rig: Rig) -> None:
    rig.configure(DEMO)
    await rig.reload()
    await rig.connected(1)
    rig.configure()
    assert (await rig.reload()).lines == ("Slack is let go; its cards stay as they are there.",)
    await rig.connected(0)
    assert (rig.fronts.notifiers, rig.told[-1]) == ({}, set())
    assert "slack" not in await rig.doctor()
    await rig.ring.spawn()
    rig.configure(DEMO)
    await rig.reload()
    await rig.said(DEMO, "demo-1")


async def test_who_reloads_in_slack_itself_is_answered(rig: Rig) -> None:
    rig.configure(DEMO)
    await rig.reload()
    await rig.connected(1)
    rig.configure(DEMO, ", command: /fleet")
    answer = await rig.slack.person(ADA).slash(DEMO, "reload")
    assert answer.acked
    assert "Slack connects anew" in answer.text


async def test_one_that_could_not_begin_is_said_and_tried_again(rig: Rig) -> None:
    rig.configure(DEMO)
    store: FleetStore = rig.ring.core.store.fleet
    assert store.get("conversations:slack") is None
    home = rig.ring.core.home.fleet
    blocker = home.with_name(f"{home.name}.blocked")
    await asyncio.to_thread(home.rename, blocker)
    await asyncio.to_thread(home.mkdir)
    await rig.reload()

    async def look() -> bool:
        return "could not begin" in (await rig.doctor()).get("slack", "")

    await rig.passing(look)
    assert rig.fronts.notifiers == {}
    await asyncio.to_thread(home.rmdir)
    await asyncio.to_thread(blocker.rename, home)
    await rig.reload()
    await rig.connected(1)
    assert (await rig.doctor())["slack"] == "people are heard and told"


async def test_where_the_console_listens_waits_for_the_next_start(rig: Rig) -> None:
    text = OFF.format(repository=rig.root / "repository").replace("listen: off", "listen: '127.0.0.1:0'")
    rig.ring.settings.path.write_text(text)
    answer = await rig.reload()
    assert answer.lines == ("Where the console and the API listen counts from the next `ao start` on.",)
    assert (await rig.doctor())["console"] == "off (`console.listen`)"
