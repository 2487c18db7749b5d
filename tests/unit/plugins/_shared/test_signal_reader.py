"""Reading signals: each file once, nothing missed, little work for those who rest."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace

import pytest
from typing_extensions import override

from orchestrator.domain.activity import ActivityState, Source
from orchestrator.domain.ids import session_id
from orchestrator.ports.place import Entry
from orchestrator.testing.fakes.place import FakePlace
from plugins._shared.agent_profile import Profile
from plugins._shared.profile_signals import EventFields, StatusFile
from plugins._shared.signal_reader import KEPT_FILES, MOST_AT_ONCE, MOST_FILES, SignalReader

DEMO = session_id("demo-1")
NOW = 10_000.0
PROFILE = Profile(launch=("x",), events=EventFields(), status=StatusFile())


class Place(FakePlace):
    """Files with times, and a count of what was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.modified: dict[str, float] = {}
        self.asked: Counter[str] = Counter()

    def event(self, number: int, kind: str, at: float, **fields: object) -> None:
        name = f"{number:06d}.json"
        self.files[f"/session/agent/events/{name}"] = json.dumps({"event": kind, "at": at, **fields}).encode()
        self.modified["events"] = self.modified[name] = at

    def status(self, word: str, at: float) -> None:
        self.files["/session/agent/status.json"] = json.dumps({"status": word, "at": at}).encode()
        self.modified["status.json"] = at

    @override
    async def list(self, path: str) -> tuple[Entry, ...]:
        self.asked[f"list {path.removeprefix('/session/')}"] += 1
        entries = await super().list(path)
        return tuple(replace(e, modified=self.modified.get(e.name, 0.0)) for e in entries)

    @override
    async def read(self, path: str, *, limit: int = 1_000_000, offset: int = 0) -> bytes:
        self.asked["read"] += 1
        return await super().read(path, limit=limit, offset=offset)


@pytest.fixture
def place() -> Place:
    return Place()


async def _state(reader: SignalReader, place: Place, now: float = NOW) -> ActivityState:
    return (await reader.read(DEMO, place, now))[0].state


async def test_an_agent_that_rests_costs_one_listing(place: Place) -> None:
    for number in range(50):
        place.event(number, "tool_end", NOW - 100)
    place.status("busy", NOW - 100)
    reader = SignalReader(PROFILE)
    await _state(reader, place)
    place.asked.clear()
    assert await _state(reader, place) is ActivityState.BUSY
    assert place.asked == Counter({"list agent": 1})


async def test_a_new_event_is_read_and_no_old_one_again(place: Place) -> None:
    place.event(1, "prompt_submit", NOW - 100)
    reader = SignalReader(PROFILE)
    await _state(reader, place)
    place.event(2, "stop", NOW - 50)
    place.asked.clear()
    assert await _state(reader, place) is ActivityState.IDLE
    assert place.asked["read"] == 1


async def test_an_event_within_the_clocks_grain_is_not_missed(place: Place) -> None:
    place.event(1, "prompt_submit", NOW)
    reader = SignalReader(PROFILE)
    assert await _state(reader, place) is ActivityState.BUSY
    place.event(2, "stop", NOW)
    assert await _state(reader, place) is ActivityState.IDLE


async def test_without_times_every_look_looks(place: Place) -> None:
    place.event(1, "prompt_submit", NOW - 100)
    place.modified.clear()
    reader = SignalReader(PROFILE)
    await _state(reader, place)
    place.event(2, "stop", NOW - 50)
    place.status("busy", NOW - 10)
    place.modified.clear()
    assert await _state(reader, place) is ActivityState.BUSY
    place.status("idle", NOW - 5)
    place.modified.clear()
    assert await _state(reader, place) is ActivityState.IDLE


async def test_after_a_restart_of_ours_only_the_newest_are_read(place: Place) -> None:
    for number in range(MOST_AT_ONCE + 50):
        place.event(number, "tool_end", NOW - 100)
    place.event(999, "stop", NOW - 100)
    reader = SignalReader(PROFILE)
    assert await _state(reader, place) is ActivityState.IDLE
    assert place.asked["read"] == MOST_AT_ONCE


async def test_a_storm_is_read_in_parts_and_to_its_end(place: Place) -> None:
    place.event(0, "session_start", NOW - 200)
    reader = SignalReader(PROFILE)
    await _state(reader, place)
    for number in range(1, 2 * MOST_AT_ONCE):
        place.event(number, "tool_end", NOW - 100)
    place.event(2 * MOST_AT_ONCE, "stop", NOW - 100)
    assert await _state(reader, place) is ActivityState.BUSY
    assert await _state(reader, place) is ActivityState.IDLE


async def test_drafts_and_other_files_are_no_events(place: Place) -> None:
    place.files["/session/agent/events/.000001.json"] = b'{"event": "stop"}'
    place.files["/session/agent/events/notes.txt"] = b'{"event": "stop"}'
    place.files["/session/agent/events/000002.json"] = b"half a fi"
    assert await _state(SignalReader(PROFILE), place) is ActivityState.UNKNOWN


async def test_the_newer_of_events_and_status_file_tells(place: Place) -> None:
    reader = SignalReader(PROFILE)
    place.event(1, "prompt_submit", NOW - 50, text="x")
    place.status("idle", NOW - 40)
    signalled, source = await reader.read(DEMO, place, NOW)
    assert (signalled.state, source) == (ActivityState.IDLE, Source.STATUS_FILE)
    assert len(signalled.receipts) == 1
    place.event(2, "permission", NOW - 30)
    signalled, source = await reader.read(DEMO, place, NOW)
    assert (signalled.state, source) == (ActivityState.PERMISSION, Source.HOOK)


async def test_what_was_there_at_the_launch_does_not_tell_of_now(place: Place) -> None:
    place.event(1, "prompt_submit", NOW - 50, text="x")
    place.event(2, "session_end", NOW - 40)
    reader = SignalReader(PROFILE)
    await reader.launched(DEMO, place, NOW)
    for same in (reader, SignalReader(PROFILE)):  # after a restart of ours, too
        signalled, _ = await same.read(DEMO, place, NOW)
        assert signalled.state is ActivityState.UNKNOWN
        assert len(signalled.receipts) == 1
    place.event(0, "session_start", NOW - 60)  # the clock stepped back: its name is smaller
    assert await _state(reader, place) is ActivityState.STARTING


@pytest.mark.parametrize("damage", [b"", b"{}", b'{"earlier": 1}', b'{"earlier": [1, {}]}', b"[" * 50_000])
async def test_a_damaged_launch_marker_harms_nobody(place: Place, damage: bytes) -> None:
    place.event(1, "stop", NOW - 40)
    place.files["/session/agent/launch.json"] = damage
    assert await _state(SignalReader(PROFILE), place) is ActivityState.IDLE


async def test_old_events_are_taken_away_after_they_were_read(place: Place) -> None:
    total = MOST_FILES + 10
    for number in range(total):
        place.event(number, "tool_end", NOW - 100)
    place.event(total, "stop", NOW - 100)
    reader = SignalReader(PROFILE)
    await _state(reader, place)
    assert await _state(reader, place) is ActivityState.IDLE
    left = await place.list("/session/agent/events")
    assert len(left) == KEPT_FILES
    assert await _state(SignalReader(PROFILE), place) is ActivityState.IDLE


async def test_an_agent_without_signals_is_not_looked_at(place: Place) -> None:
    reader = SignalReader(Profile(launch=("x",)))
    assert (await reader.read(DEMO, place, NOW))[1] is Source.NONE
    assert not place.asked
