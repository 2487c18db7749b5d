"""The open issues of a project."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.domain.issue import IssueState
from orchestrator.errors import BadInput, NotFound
from orchestrator.services import issues
from orchestrator.testing.ring import Ring


async def test_open_ones_that_hold_the_words(ring: Ring) -> None:
    done = ring.tracker.issues["demo", "12"]
    ring.tracker.issues["demo", "12"] = replace(done, state=IssueState.CLOSED)
    assert len(await issues.listed(ring.core, "demo")) == 39
    assert [i.ref for i in await issues.listed(ring.core, "demo", "Issue 1")] == [
        "1",
        "10",
        "11",
        "13",
        "14",
        "15",
        "16",
        "17",
        "18",
        "19",
    ]
    assert len(await issues.listed(ring.core, "demo", limit=3)) == 3


async def test_project_that_is_none(ring: Ring) -> None:
    with pytest.raises(BadInput):
        await issues.listed(ring.core, "no such!")
    with pytest.raises(NotFound):
        await issues.listed(ring.core, "other")
