"""Rounds: a look at a forge beside what is kept meanwhile."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from orchestrator.domain.pull_request import CheckRun, Checks, CheckState
from orchestrator.lifecycle.draft import Draft
from orchestrator.testing.ring import CHECK, Ring


async def test_look_at_a_forge_that_something_overtook_is_taken_again_at_once(ring: Ring) -> None:
    """A check failed on the forge; while that was looked at, something of the pull request was kept."""
    one = await ring.spawn()
    await ring.pull_request(one)
    await ring.checks(one, passed=True)
    ring.scm.set_checks(one, CheckRun(name=CHECK, state=CheckState.FAILED))
    gate = ring.workspace.gates["observe"] = asyncio.Event()
    ring.fleet.wake(one)
    looks = ring.scm.calls.count("observe")
    slow = asyncio.create_task(ring.rounds.round())
    async with asyncio.timeout(5):
        while ring.scm.calls.count("observe") == looks:  # noqa: ASYNC110 - a fake tells nobody of its calls
            await asyncio.sleep(0)

    def keep(draft: Draft) -> None:
        draft.set(changes=tuple(replace(c, asked_by="ben") for c in draft.session.changes))

    await ring.fleet.change(one, keep)
    del ring.workspace.gates["observe"]
    gate.set()
    await slow
    await ring.settle()
    change = ring.session(one).change
    assert change is not None
    assert change.pr.checks is Checks.FAILING
