"""Sessions whose projects are not in the configuration with which `ao` runs."""

from __future__ import annotations

import asyncio

import pytest

from orchestrator.domain.ids import ProjectId
from orchestrator.errors import Conflict
from orchestrator.storage import last_run
from orchestrator.testing import examples
from tests.unit.bot.house import Ask, House, data


async def test_sessions_of_other_projects_are_shown_with_what_is_true_of_them(house: House, ask: Ask) -> None:
    other = examples.session(id="shop-1", project=ProjectId("shop"))
    house.core.unadopted.append(other)
    listed = await ask("status")
    assert any(line.startswith("⚠️ shop-1 (shop), last seen") for line in listed.lines)
    assert data(listed)["left_alone"][0]["id"] == "shop-1"
    assert any("shop-1" in line for line in (await ask("status", project="shop")).lines)
    assert not any("shop-1" in line for line in (await ask("status", project="demo")).lines)
    card = await ask("status", session="shop-1")
    assert card.lines[0].startswith("⚠️ As last seen; nobody looks after it now: its project shop is not in")
    assert "the file that has shop" in card.lines[1]
    assert not card.buttons
    with pytest.raises(Conflict, match="its project shop is not in") as refused:
        await ask("send", session="shop-1", text="hello")
    assert "the file that has shop" in refused.value.next_step
    file = house.core.home.path.parent / "shop.yaml"
    text = f"projects: {{shop: {{path: {house.core.home.path.parent}}}}}\n"
    await asyncio.to_thread(file.write_text, text)
    await asyncio.to_thread(last_run.remember, house.core.home, file)
    card = await ask("status", session="shop-1")
    assert card.lines[1].startswith(f"`ao --config {file} start` looks after it; or put the project into")
