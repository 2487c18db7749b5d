"""What `resolve`, `draft`, `ready` and `update-branch` answer."""

from __future__ import annotations

import pytest

from orchestrator.domain.pull_request import ReviewComment
from orchestrator.errors import NotFound
from orchestrator.testing import examples
from tests.unit.bot.house import Ask, House, data

OPEN = ReviewComment(id="1", author="ana", body="Name it\nbetter.", path="a.py", line=3, thread="PRRT_1")
SETTLED = ReviewComment(id="2", author="ana", body="Fine.", thread="PRRT_2", resolved=True)
SESSION = examples.session(
    id="demo-1", changes=(examples.change(examples.pull_request(comments=(OPEN, SETTLED))),)
)


async def test_open_threads_are_listed_with_the_name_that_resolves_them(house: House, ask: Ask) -> None:
    house.fleet.put(SESSION)
    message = await ask("resolve", session="demo-1")
    assert data(message)["threads"] == ["PRRT_1"]
    assert message.table is not None
    assert message.table.rows == (("PRRT_1", "a.py:3", "ana", "Name it better."),)


@pytest.mark.parametrize("verb", ["resolve", "draft", "ready", "update-branch"])
async def test_without_a_pull_request_the_verb_says_so(house: House, ask: Ask, verb: str) -> None:
    house.fleet.put(examples.session(id="demo-1"))
    with pytest.raises(NotFound, match="no pull request"):
        await ask(verb, session="demo-1")
