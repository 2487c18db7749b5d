"""Reading and following the event log."""

from __future__ import annotations

from orchestrator.services import events
from orchestrator.testing.ring import Ring


async def test_from_a_number_from_the_newest_and_of_one_session(ring: Ring) -> None:
    one, two = await ring.spawn("1"), await ring.spawn("2")
    whole = await events.read(ring.core, limit=1000)
    assert [e.seq for e in whole] == list(range(1, len(whole) + 1))
    assert await events.read(ring.core, 3, limit=2) == whole[3:5]
    assert await events.read(ring.core, -2) == whole[-2:]
    assert await events.read(ring.core, -1000, limit=1) == whole[:1]
    assert {e.event.session for e in await events.read(ring.core, session=two, limit=1000)} == {two}
    assert one != two
    assert await events.newest(ring.core, 2) == whole[-2:]
    assert {e.event.session for e in await events.newest(ring.core, 1000, one)} == {one}
    assert await events.newest(ring.core, 0, one) == (await events.newest(ring.core, 9, one))[-1:]
    assert len(await events.read(ring.core, limit=0)) == 1


async def test_following_brings_the_past_and_what_comes(ring: Ring) -> None:
    following = events.follow(ring.core)
    await ring.spawn("1")
    first = await anext(following)
    assert (first.seq, first.event.type) == (1, "session.spawned")
