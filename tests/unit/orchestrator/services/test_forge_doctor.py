"""Each project's forge is asked whether all is there; what it wants of it is told."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import pytest

from orchestrator.errors import NotReady
from orchestrator.ports.scm import Credential, Examined, Wanted
from orchestrator.services import doctor, forge_doctor
from orchestrator.testing.fakes.linking_scm import HOST, LinkingScm
from orchestrator.testing.ring import FakeWorld, Ring, open_ring

LACKS = Examined(level="failure", subject="permissions", text="missing: contents", next_step="Give it.")
MORE = Examined(level="warning", subject="permissions", text="needless: workflow")


@pytest.fixture
async def linking(tmp_path: Path) -> AsyncIterator[Ring]:
    world = FakeWorld()
    world.scm = LinkingScm(world.clock.now)
    made = await open_ring(tmp_path, world=world)
    yield made
    await made.close()


def forge(ring: Ring) -> LinkingScm:
    return cast("LinkingScm", ring.scm)


async def _reports(ring: Ring) -> list[forge_doctor.Report]:
    return await forge_doctor.examine(ring.core, ring.core.settings.now.projects())


async def test_what_a_project_wants_is_told_to_its_forge(linking: Ring) -> None:
    linking.rules(approvals=2)
    (report,) = await _reports(linking)
    assert (report.project, report.level, report.bad) == ("demo", "ok", [])
    wanted = Wanted(approvals=2, merge_method="squash", issues=True)
    assert forge(linking).wanted == [wanted]
    await linking.core.store.links.put("ada", HOST, Credential(login="a", token="t"))  # noqa: S106
    await _reports(linking)
    assert forge(linking).wanted[-1].linked == {"a"}


async def test_a_project_whose_scm_cannot_say_is_left_out(ring: Ring) -> None:
    assert await _reports(ring) == []


async def test_one_that_fails_is_a_finding(linking: Ring) -> None:
    linking.scm.fail_next("examine", NotReady("there is no token.", next_step="Set one."))
    (report,) = await _reports(linking)
    assert report.found == [
        Examined(level="failure", subject="forge", text="there is no token.", next_step="Set one.")
    ]


async def test_the_doctor_has_one_row_for_it(linking: Ring) -> None:
    (fine,) = [f for f in await doctor.doctor(linking.core) if f.subject == "fake demo"]
    assert (fine.level, fine.text) == ("ok", "all that it needs is there")
    forge(linking).examined = (MORE, LACKS)
    (row,) = [f for f in await doctor.doctor(linking.core) if f.subject == "fake demo"]
    assert (row.level, row.text) == ("failure", "permissions: missing: contents, and 1 more")
    assert "doctor demo" in row.next_step
