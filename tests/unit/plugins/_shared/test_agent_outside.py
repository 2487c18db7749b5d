"""What lies outside the session's folder is looked at seldom, and read on from where it ended."""

from __future__ import annotations

import json
from collections.abc import Sequence

from orchestrator.domain.activity import ActivityState
from orchestrator.ports.place import Completed
from orchestrator.testing.fakes.place import FakePlace
from plugins._shared.agent_outside import WRITTEN_WITHIN, OutsideReader
from plugins._shared.agent_signals import Signalled
from tests.unit.plugins._shared.claude_code import PROFILE, SESSION

NOW = 1_800_000_000.0
HOME = "/home/ada/.claude"
RECORD = f"{HOME}/projects/-app/c-1.jsonl"
VALUES = {"agent_home": HOME, "folder": "/session"}


class Disk:
    """Files of the person that runs the agent, as `tail` reads them."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.place = FakePlace(self._run)

    def said(self, name: str, tokens: int = 10, path: str = RECORD) -> None:
        message = {"id": name, "usage": {"output_tokens": tokens}}
        line = json.dumps({"type": "assistant", "message": message}).encode() + b"\n"
        self.files[path] = self.files.get(path, b"") + line

    def _run(self, argv: Sequence[str]) -> Completed:
        program, count, start, marks, path = argv
        assert (program, count, marks) == ("tail", "-c", "--")
        data = self.files.get(path)
        if data is None:
            return Completed(code=1, stdout=b"", stderr=b"no such file")
        return Completed(code=0, stdout=data[int(start) - 1 :], stderr=b"")


async def _tokens(
    reader: OutsideReader, disk: Disk, turns: int, now: float = NOW, path: str = RECORD
) -> int | None:
    signalled = Signalled(transcript=path, turns=turns)
    usage = await reader.usage(SESSION.id, disk.place, VALUES, signalled, now)
    return usage.output_tokens if usage else None


async def test_the_record_is_read_when_a_turn_ended_and_shortly_after() -> None:
    disk, reader = Disk(), OutsideReader(PROFILE)
    disk.said("m1")
    assert await _tokens(reader, disk, turns=1) == 10
    disk.said("m2")  # The last line of the turn comes after the event of its end.
    assert await _tokens(reader, disk, turns=1, now=NOW + 1) == 20
    assert await _tokens(reader, disk, turns=1, now=NOW + WRITTEN_WITHIN + 1) == 20
    disk.place.commands.clear()
    disk.said("m3")
    for later in range(10, 100, 10):
        assert await _tokens(reader, disk, turns=1, now=NOW + later) == 20
    assert disk.place.commands == []
    assert await _tokens(reader, disk, turns=2, now=NOW + 100) == 30


async def test_half_a_line_is_read_with_the_next_look() -> None:
    disk, reader = Disk(), OutsideReader(PROFILE)
    disk.said("m1")
    disk.said("m2")
    whole = disk.files[RECORD]
    disk.files[RECORD] = whole[:-20]
    assert await _tokens(reader, disk, turns=1) == 10
    disk.files[RECORD] = whole
    assert await _tokens(reader, disk, turns=2) == 20


async def test_after_a_restart_of_either_it_is_counted_from_the_beginning() -> None:
    disk, reader = Disk(), OutsideReader(PROFILE)
    disk.said("m1")
    assert await _tokens(reader, disk, turns=3) == 10
    assert await _tokens(OutsideReader(PROFILE), disk, turns=3) == 10
    reader.launched(SESSION.id)
    disk.said("m2")
    assert await _tokens(reader, disk, turns=3) == 20


async def test_another_conversation_has_a_record_of_its_own() -> None:
    disk, reader = Disk(), OutsideReader(PROFILE)
    other = RECORD.replace("c-1", "c-2")
    disk.said("m1")
    disk.said("m1", 3, other)
    assert await _tokens(reader, disk, turns=1) == 10
    assert await _tokens(reader, disk, turns=1, path=other) == 3


async def test_no_file_elsewhere_is_read() -> None:
    disk, reader = Disk(), OutsideReader(PROFILE)
    for path in ("/etc/passwd", f"{HOME}/projects/../x.jsonl", f"{HOME}/settings.json"):
        disk.files[path] = b"x"
        assert await _tokens(reader, disk, turns=1, path=path) in {None, 0}
    assert disk.place.commands == []


async def test_a_record_that_cannot_be_read_counts_nothing() -> None:
    disk, reader = Disk(), OutsideReader(PROFILE)
    assert await _tokens(reader, disk, turns=1) == 0
    disk.said("m1")
    assert await _tokens(reader, disk, turns=2) == 10


async def test_its_status_is_that_of_its_process() -> None:
    disk, reader = Disk(), OutsideReader(PROFILE)
    status = {"status": "idle", "statusUpdatedAt": (NOW - 3) * 1000, "sessionId": "c-1"}
    disk.files[f"{HOME}/sessions/77.json"] = json.dumps(status).encode()
    said = await reader.status(disk.place, VALUES, 77, NOW)
    assert said is not None
    assert (said.state, said.at, said.conversation) == (ActivityState.IDLE, NOW - 3, "c-1")
    assert await reader.status(disk.place, VALUES, 78, NOW) is None
    assert await reader.status(disk.place, VALUES, None, NOW) is None


async def test_without_a_reader_nothing_is_counted() -> None:
    disk = Disk()
    disk.said("m1")
    plain = OutsideReader(PROFILE.model_copy(update={"transcript": None}))
    assert await _tokens(plain, disk, turns=1) is None
