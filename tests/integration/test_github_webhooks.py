"""GitHub's webhooks from end to end: the fake GitHub sends them, our listener takes them, the session is looked at."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from github import Auth
from typing_extensions import override

from bot.demo.github.server import FakeGitHub
from bot.frontends.webhooks.listener import WebhookListener
from orchestrator.domain.ids import SessionId
from orchestrator.domain.look import Look
from orchestrator.domain.person import OWNER
from orchestrator.domain.project import Project
from orchestrator.domain.pull_request import PullRequest
from orchestrator.errors import NotAllowed
from orchestrator.ports.session_ref import SessionRef
from orchestrator.services import forge_hooks, webhooks
from orchestrator.testing.fakes.scm import FakeScm
from orchestrator.testing.ring import CHECK, CONFIG, FakeWorld, Ring, open_ring
from plugins._shared.github.client import GitHub
from plugins._shared.github.hearing import Hearing, HearsThrough, Shown
from plugins._shared.github.hook_admin import GitHubHooks, Rest
from tests.unit.bot.demo.github.rig import REPO, acme

pytestmark = pytest.mark.git
BLOCK = """\
webhooks:
  listen: 127.0.0.1:8420
  publicUrl: http://127.0.0.1:{port}
"""


@dataclass(frozen=True)
class WithToken:
    """Whom we act as."""

    token: str
    key: str = "ada"

    def auth(self) -> Auth.Auth:
        return Auth.Token(self.token)


class HearingScm(GitHubHooks, HearsThrough, FakeScm):
    """Pull requests in memory; hooks and deliveries are GitHub's."""

    def __init__(self, hub: GitHub, world: FakeWorld) -> None:
        FakeScm.__init__(self, runs=(CHECK,))
        self.hub = hub
        self.seen_anew: list[SessionId] = []
        self._now = world.clock.now
        self.restart()

    def restart(self) -> None:
        """What was heard was in memory."""
        self.hearing = Hearing(now=self._now, forget=self.seen_anew.append)

    @override
    def hook_place(self, project: Project) -> tuple[Rest, str]:
        return self.hub, project.repo

    @override
    async def observe(self, sessions: Collection[SessionRef]) -> Mapping[SessionId, Look[PullRequest | None]]:
        for session in sessions:
            self.hearing.know(session.id, session.project.repo, Shown(branch=session.branch))
        return await super().observe(sessions)


@dataclass
class House:
    ring: Ring
    github: FakeGitHub
    scm: HearingScm
    session: SessionId

    @property
    def branch(self) -> str:
        return self.ring.session(self.session).branch

    async def delivered(self) -> set[SessionId]:
        """Everything that was sent has come; the sessions that are to be looked at."""
        await self.github.control.settle()
        return self.ring.fleet.take_told()

    @property
    def covered(self) -> bool:
        return self.scm.covered(self.ring.core.settings.now.project("demo"))


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with FakeGitHub(tmp_path / "github") as github:
        await acme(github)
        hub = GitHub(github.api_url, WithToken(github.control.token("ada")))
        world = FakeWorld()
        scm = HearingScm(hub, world)
        world.scm = scm
        config = CONFIG.replace("    sessionPrefix", f"    repo: {REPO}\n    sessionPrefix")
        ring = await open_ring(tmp_path, world=world, config=config + BLOCK.format(port=8420))
        block = ring.core.settings.now.config.webhooks
        assert block is not None
        listener = WebhookListener(ring.core, block, "127.0.0.1", 0)
        await listener.start()
        settings = ring.core.settings
        text = await asyncio.to_thread(settings.path.read_text)
        await asyncio.to_thread(settings.path.write_text, text.replace(":8420\n", f":{listener.port}\n"))
        settings.take((await asyncio.to_thread(settings.look)).require())
        session = await ring.spawn()
        try:
            yield House(ring, github, scm, session)
        finally:
            await listener.stop()
            await ring.close()
            await hub.close()
    assert github.world.failures == []


async def install(house: House) -> None:
    hook = await forge_hooks.install(house.ring.core, "demo", by=OWNER)
    assert hook.url.endswith("/hooks/fake/demo")
    await house.delivered()


async def test_a_pull_request_is_told_from_push_to_merge(house: House) -> None:
    assert not house.covered
    await install(house)
    assert house.covered, "the new hook's ping came"
    control, session = house.github.control, house.session
    await control.push(REPO, house.branch, {"b.txt": "b\n"}, by="bo")
    assert await house.delivered() == {session}
    pull = await control.pull(REPO, house.branch, by="bo")
    assert await house.delivered() == {session}
    shown = Shown(branch=house.branch, number=pull.number, base="main")
    house.scm.hearing.know(session, REPO, shown)
    for happens in ("review", "comment"):
        if happens == "review":
            control.review(REPO, pull.number, "APPROVE", by="ada")
        else:
            control.comment(REPO, pull.number, "Hi", by="cy")
        assert await house.delivered() == {session}, happens
    await control.close(REPO, pull.number, by="bo")
    assert await house.delivered() == {session}


async def test_issues_wake_the_queue_and_no_session(house: House) -> None:
    await install(house)
    queue: list[str] = []
    house.ring.core.hooks.issues_changed.append(queue.append)
    house.github.control.issue(REPO, "New", by="cy")
    assert await house.delivered() == set()
    assert queue == ["demo"]


async def test_a_hook_is_tested_listed_and_taken_away(house: House) -> None:
    core = house.ring.core
    await install(house)
    assert await forge_hooks.ping(core, "demo", 10.0) >= 0.0
    [row] = await forge_hooks.listed(core)
    assert row.hook is not None
    assert row.hook.active
    assert webhooks.rows(core)[0][1].startswith("the last delivery (ping)")
    before = row.hook.id
    await install(house)
    await forge_hooks.install(core, "demo", rotate=True, by=OWNER)
    house.github.control.issue(REPO, "Signed anew", by="cy")
    await house.delivered()
    assert core.hooks.deliveries["issues", "taken"] == 1
    assert core.hooks.deliveries["-", "forged"] == 0
    removed = await forge_hooks.remove(core, "demo", by=OWNER)
    assert removed.id == before, "it was the same one all the time"
    [row] = await forge_hooks.listed(core)
    assert row.hook is None


async def test_deliveries_that_come_late_and_in_another_order_do_no_harm(house: House) -> None:
    await install(house)
    control = house.github.control
    control.hold_webhooks()
    await control.push(REPO, house.branch, {"b.txt": "b\n"}, by="bo")
    await control.pull(REPO, house.branch, by="bo")
    assert await house.delivered() == set()
    count = len(house.github.control.webhooks.held)
    control.release_webhooks(list(reversed(range(count))))
    assert await house.delivered() == {house.session}
    for delivery in list(house.github.control.webhooks.sent):
        house.github.control.webhooks.again(delivery)
    assert await house.delivered() == set(), "each was taken before"


async def test_a_repository_that_is_renamed_is_still_heard(house: House) -> None:
    await install(house)
    house.github.control.rename(REPO, "acme/gadget")
    await house.delivered()
    await house.github.control.push("acme/gadget", house.branch, {"b.txt": "b\n"}, by="bo")
    assert await house.delivered() == {house.session}


async def test_a_renamed_repository_is_heard_after_a_restart_before_anybody_looked(house: House) -> None:
    await install(house)
    house.github.control.rename(REPO, "acme/gadget")
    await house.delivered()
    house.scm.restart()
    house.scm.hearing.know(house.session, REPO, Shown(branch=house.branch))
    await house.github.control.push("acme/gadget", house.branch, {"b.txt": "b\n"}, by="bo")
    assert await house.delivered() == {house.session}
    assert house.ring.core.hooks.deliveries["-", "foreign"] == 0


async def test_who_may_not_see_hooks_is_told_which_permission_is_missing(house: House) -> None:
    house.scm.hub = GitHub(house.github.api_url, WithToken(house.github.control.token("bo"), "bo"))
    with pytest.raises(NotAllowed) as refused:
        await forge_hooks.install(house.ring.core, "demo", by=OWNER)
    assert "admin:repo_hook" in refused.value.next_step
    await house.scm.hub.close()
