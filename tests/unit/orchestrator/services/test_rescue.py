"""Saved work: listed, shown, brought back, dropped."""

from __future__ import annotations

import pytest

from orchestrator.domain.ids import SessionId
from orchestrator.domain.person import OWNER
from orchestrator.errors import BadInput, NotFound, NotReady
from orchestrator.services import rescue
from orchestrator.services.kill import kill
from orchestrator.testing.ring import Ring

REF = "refs/ao/rescue/demo-1/1"


async def saved(ring: Ring) -> SessionId:
    one = await ring.spawn()
    await ring.workspace.edit(one, "a.py", "mine")
    await kill(ring.core, one, by=OWNER)
    await ring.settle()
    return one


async def test_listed_shown_restored(ring: Ring) -> None:
    one = await saved(ring)
    (row,) = await rescue.ls(ring.core)
    assert (row.project, row.session, row.rescue.ref) == ("demo", one, REF)
    assert await rescue.ls(ring.core, project="demo") == [row]
    assert "+mine" in await rescue.show(ring.core, "demo", REF)
    assert (await rescue.restore(ring.core, REF, by=OWNER)).id == one
    await ring.settle()
    assert ring.place(one).files[f"/work/{one}/a.py"] == b"mine"


async def test_dropped_for_good_and_audited(ring: Ring) -> None:
    one = await saved(ring)
    await rescue.drop(ring.core, "demo", REF, by=OWNER)
    assert await rescue.ls(ring.core) == []
    (entry,) = await ring.core.store.audit.newest(10)
    assert (entry.verb, entry.session, entry.text) == ("rescue drop", one, REF)
    with pytest.raises(NotFound):
        await rescue.drop(ring.core, "demo", REF, by=OWNER)


@pytest.mark.parametrize("ref", ["refs/heads/main", "demo-1/1", "", "refs/ao/rescue/demo-1/1/2"])
async def test_ref_that_is_no_rescue(ring: Ring, ref: str) -> None:
    with pytest.raises(BadInput):
        await rescue.restore(ring.core, ref, by=OWNER)


async def test_workspace_that_keeps_none(ring: Ring, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rescue, "Rescues", str)
    with pytest.raises(NotReady):
        await rescue.ls(ring.core)
