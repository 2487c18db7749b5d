"""A person signs in to the forge from Slack: what they see, they alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import pytest

from bot.demo.slack_person import SlackWorld
from bot.demo.slack_server import FakeSlack
from bot.demo.slack_workspace import ADA, BO, DEMO
from orchestrator.domain.rights import ALL_PROJECTS, Person, Role
from orchestrator.testing.fakes.linking_scm import LinkingScm
from orchestrator.testing.ring import CHECK, FakeWorld, open_ring
from tests.integration.bolt_app import FAST, drop_proxies
from tests.integration.slack_rig import SESSION, Rig, make_rig, says


@pytest.fixture
async def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Rig]:
    drop_proxies(monkeypatch)
    outside = FakeWorld()
    outside.scm = LinkingScm(outside.clock.now, runs=(CHECK,))
    fake = FakeSlack(times=FAST, now=outside.clock.now)
    await fake.start()
    async with SlackWorld(fake.address()) as slack:
        ring = await open_ring(tmp_path, world=outside)
        ring.core.serving.set()
        ada = Person(handle="ada", ids={"slack": ADA}, roles={ALL_PROJECTS: Role.ADMIN})
        await ring.core.store.people.put(ada)
        made = await make_rig(ring, fake, slack)
        ring.core.whispers["slack"] = made.front.whisper
        await made.front.start()
        await slack.sockets(opened=1)
        yield made
        await made.front.stop()
        await made.desk.close()
        await ring.core.sign_ins.close()
        await ring.close()
    await fake.stop()


async def test_the_code_is_seen_and_the_end_is_told_by_whoever_asked_alone(rig: Rig) -> None:
    answer = await rig.slack.person(ADA).slash(DEMO, "link github")
    assert "type CODE-0001 there" in str(answer)
    cast("LinkingScm", rig.ring.scm).type_code("CODE-0001", "ada-gh")
    await rig.message(lambda m: says(m, "You are ada-gh on forge.example now"))
    for one in await rig.slack.person(BO).messages(DEMO):
        assert not says(one, "CODE-0001")
        assert not says(one, "ada-gh")


async def test_a_click_on_approve_is_that_persons_review_and_the_thread_says_so(rig: Rig) -> None:
    await rig.slack.person(ADA).slash(DEMO, "link github")
    cast("LinkingScm", rig.ring.scm).type_code("CODE-0001", "ada-gh")
    await rig.message(lambda m: says(m, "You are ada-gh"))
    await rig.slack.person(ADA).slash(DEMO, "spawn demo 1")
    await rig.card(lambda m: says(m, "demo-1"))
    head = await rig.ring.pull_request(SESSION)
    await rig.ring.checks(SESSION, passed=True)
    waits = await rig.message(lambda m: says(m, "Review wanted"))
    await rig.slack.person(ADA).click(DEMO, waits["ts"], "Approve demo-1")
    await rig.message(lambda m: says(m, "Approved by ada in Slack as a review by ada-gh"))
    review = rig.ring.scm.pull_of(SESSION).reviews[-1]
    assert (review.author, review.head) == ("ada-gh", head)
