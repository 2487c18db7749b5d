"""A test through the notifiers says of each whether it took it."""

from __future__ import annotations

import pytest

from orchestrator.domain.person import OWNER
from orchestrator.errors import NotFound, PermanentError
from orchestrator.services import configuration, notify
from orchestrator.testing.ring import Ring


@pytest.fixture
async def told(ring: Ring) -> Ring:
    with ring.settings.path.open("a") as file:
        file.write("notifiers: {phone: {plugin: fake}, mail: {plugin: pigeon}}\n")
    await configuration.reload(ring.core)
    return ring


async def test_each_is_tried_and_none_hides_another(told: Ring) -> None:
    outcomes = {o.notifier: o for o in await notify.test(told.core, "", by=OWNER)}
    assert outcomes.keys() == {"phone", "mail"}
    assert outcomes["phone"].ok
    assert (outcomes["mail"].ok, "pigeon" in outcomes["mail"].detail) == (False, True)
    (shown,) = told.world.notifier.shown
    assert "owner" in shown.lines[0]


async def test_one_by_name_and_its_refusal(told: Ring) -> None:
    told.world.notifier.broken = PermanentError("410 gone")
    (outcome,) = await notify.test(told.core, "phone", by=OWNER)
    assert (outcome.ok, outcome.detail) == (False, "410 gone")
    with pytest.raises(NotFound, match="there is no notifier 'fax'"):
        await notify.test(told.core, "fax", by=OWNER)
