"""What an agent keeps outside its session's folder: its status file and its record of the conversation.

Our place does not open files there, so each look takes a process of the session's own: it is made only
when a turn ended (the record), or while the agent's events are silent (the status file).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from orchestrator.domain.ids import SessionId
from orchestrator.domain.usage import Usage
from orchestrator.errors import AoError
from orchestrator.ports.place import Place
from plugins._shared import transcripts
from plugins._shared.agent_profile import Profile, fill_text
from plugins._shared.agent_signals import Signalled, read_status

MOST_STATUS = 64 * 1024
MOST_READ = 8_000_000
"""Bytes of a record that are read in one look; the rest comes with the next."""
LIMIT = 10.0
WRITTEN_WITHIN = 2.0
"""Seconds after a turn's end in which its last lines may still be missing in the record."""


@dataclass(slots=True)
class _Read:
    """How far the record of one conversation was read."""

    path: str = ""
    offset: int = 0
    turns: int = -1
    """How many turns had ended when it was last looked at."""
    until: float = 0.0
    """Until then it is read again: the last lines of a turn may come after the event of its end."""
    behind: bool = False
    counted: transcripts.Counted = field(default_factory=transcripts.Counted)


class OutsideReader:
    """Reads those files for all sessions of one agent plugin."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._read: dict[SessionId, _Read] = {}

    def launched(self, session: SessionId) -> None:
        """The agent is started anew: its record is read from the beginning."""
        self._read.pop(session, None)

    async def status(
        self, place: Place, values: Mapping[str, str], pid: int | None, now: float
    ) -> Signalled | None:
        """What its status file says; None without one."""
        file = self._profile.status
        if file is None or pid is None or file.path.startswith("agent/"):
            return None
        path = fill_text(file.path, {**values, "pid": str(pid)})
        data = await _bytes(place, path, 0, MOST_STATUS)
        return read_status(file, data, 0.0, now) if data else None

    async def usage(
        self, session: SessionId, place: Place, values: Mapping[str, str], signalled: Signalled, now: float
    ) -> Usage | None:
        """Tokens of the conversation so far; None where there is no record that we can read."""
        wanted, path = self._profile.transcript, signalled.transcript
        if wanted is None or not path:
            return None
        read = self._read.setdefault(session, _Read())
        if read.path != path:
            read = self._read[session] = _Read(path=path)
        if read.turns != signalled.turns:
            read.turns, read.until, read.behind = signalled.turns, now + WRITTEN_WITHIN, True
        if read.behind and transcripts.is_record(path, fill_text(wanted.below, values)):
            read.behind = now < read.until
            data = await _bytes(place, path, read.offset, MOST_READ)
            whole = data[: data.rfind(b"\n") + 1]
            read.counted = transcripts.READERS[wanted.reader](read.counted, whole)
            read.offset += len(whole)
        return read.counted.usage


async def _bytes(place: Place, path: str, offset: int, most: int) -> bytes:
    """Part of a file as the session reads it; nothing where it cannot."""
    if path.startswith(f"{place.folder}/"):
        try:
            return await place.read(path, limit=most, offset=offset)
        except AoError:
            return b""
    argv = ["tail", "-c", f"+{offset + 1}", "--", path]
    done = await place.run(argv, timeout=LIMIT)
    return done.stdout[:most] if done.ok else b""
