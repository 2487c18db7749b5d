"""`link`, `unlink` and `github doctor`, as people meet them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import pytest

from bot.actions.runner import Actions
from bot.chat.message import Message
from bot.chat.request import Request, Surface, Value
from orchestrator.domain.person import OWNER
from orchestrator.errors import BadInput, NotFound
from orchestrator.ports.scm import Examined
from orchestrator.services import links
from orchestrator.testing.fakes.linking_scm import HOST, LinkingScm
from orchestrator.testing.ring import FakeWorld, Ring, open_ring
from orchestrator.testing.waiting import eventually
from tests.unit.bot.house import data, rows


@pytest.fixture
async def ring(tmp_path: Path) -> AsyncIterator[Ring]:
    world = FakeWorld()
    world.scm = LinkingScm(world.clock.now)
    made = await open_ring(tmp_path, world=world)
    made.core.serving.set()
    yield made
    await made.core.sign_ins.close()
    await made.close()


async def ask(ring: Ring, verb: str, **arguments: Value) -> Message:
    request = Request(id="r", who=OWNER, surface=Surface.SHELL, verb=verb, at=0.0, arguments=arguments)
    return await Actions(ring.core, clock=ring.clock).run(request)


async def test_a_code_for_whoever_asks_alone_and_who_they_are_once_it_was_typed(ring: Ring) -> None:
    shown = await ask(ring, "link", service="github")
    assert shown.private
    assert shown.title == f"🔗 Open https://{HOST}/device and type CODE-0001 there."
    assert [(b.verb, dict(b.arguments)) for b in shown.buttons] == [("link", {"service": "github"})]
    assert "device-1" not in str(shown)
    cast("LinkingScm", ring.scm).type_code("CODE-0001", "boss-gh")

    async def again() -> Any:
        ring.clock.advance(5.0)
        return data(await ask(ring, "link", service="github"))

    linked = await eventually(again, lambda one: "login" in one)
    assert linked == {"host": HOST, "login": "boss-gh"}
    gone = await ask(ring, "unlink", service="github")
    assert gone.title == f"🔗 You are not linked to {HOST} any more."
    with pytest.raises(NotFound):
        await ask(ring, "unlink", service="github")


async def test_where_nothing_is_on_a_forge_with_people_it_says_so(tmp_path: Path) -> None:
    plain = await open_ring(tmp_path)
    plain.core.serving.set()
    with pytest.raises(BadInput, match="no project is on a forge that people could be linked to"):
        await ask(plain, "link", service="github")
    with pytest.raises(BadInput, match="knows no people"):
        await links.begin(plain.core, by=OWNER, project="demo")
    assert "is on GitHub" in (await ask(plain, "github doctor")).title
    await plain.close()


async def test_the_doctor_is_a_table_and_data(ring: Ring) -> None:
    cast("LinkingScm", ring.scm).examined = (
        Examined(level="ok", subject="sign-in", text="as ao-bot"),
        Examined(level="warning", subject="permissions", text="needless: workflow", next_step="Take it."),
    )
    shown = await ask(ring, "github doctor", project="DEMO")
    assert shown.title == "1 of 2 things need a look."
    assert rows(shown)[1] == ("demo", "⚠️ warning", "permissions", "needless: workflow. Take it.")
    (project,) = data(shown)["projects"]
    assert (project["project"], project["level"], len(project["found"])) == ("demo", "warning", 2)
    assert data(shown)["failed"] is False
