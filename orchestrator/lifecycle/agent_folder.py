"""The folder through which agent and `ao` speak: `bin/` and `inbox/` ours, `outbox/` and `agent/` theirs.

A request is handled, then answered, then forgotten, in that order. After a crash at any point the
request is still there: answered ones are only cleared away, others are handled again, so handling
a request must be safe to do twice. An answer stays for a while, since whoever asked may read late.
"""

from __future__ import annotations

from collections.abc import Collection

from orchestrator import resources
from orchestrator.domain.agent_request import MOST_PERMIT, AgentRequest, is_request_name, parse
from orchestrator.domain.ids import SessionId
from orchestrator.errors import BadInput, NotFound
from orchestrator.ports.place import Place

# Read once, when this is imported: later reads would block the loop.
PROGRAMS = {name: resources.text(f"agent-bin/{name}").encode() for name in ("ao", "ao-hook", "git-remote-ao")}
"""The agent's programs by name."""
MOST_PENDING = 64
"""Requests that are taken up at a time; the others wait in the outbox."""
KEPT_ANSWERS = 50


async def install(place: Place) -> None:
    """Write the agent's programs and make its folders. Repeatable."""
    for program, data in PROGRAMS.items():
        await place.write(f"{place.folder}/bin/{program}", data, mode=0o700)
    for folder in ("outbox", "inbox", "agent/events", "agent/answers"):
        await place.write(f"{place.folder}/{folder}/.keep", b"")


async def requests(place: Place, session: SessionId, seen: Collection[str] = ()) -> tuple[AgentRequest, ...]:
    """What waits in the outbox, oldest first, without those in `seen`.

    What was answered before is cleared away; what is no request is answered with the reason.
    """
    entries = [e for e in await place.list(f"{place.folder}/outbox") if not e.name.startswith(".")]
    if not entries:
        return ()
    answered = {e.name for e in await place.list(f"{place.folder}/inbox")}
    found: list[AgentRequest] = []
    for entry in sorted(entries, key=lambda e: (e.modified, e.name)):
        if entry.kind != "file" or not is_request_name(entry.name) or entry.name in answered:
            await forget(place, entry.name)
        elif entry.name not in seen and len(found) < MOST_PENDING:
            request = await _read(place, session, entry.name)
            if request is not None:
                found.append(request)
    return tuple(found)


async def answer(place: Place, request_id: str, code: int, text: str) -> None:
    """Give a request its answer: `code` is its exit code (0 to 255), `text` what it prints."""
    _check(request_id)
    line_end = "\n" if text and not text.endswith("\n") else ""
    data = f"{min(max(code, 0), 255)}\n{text}{line_end}".encode(errors="replace")
    await place.write(f"{place.folder}/inbox/{request_id}", data)
    await _prune(place)


async def forget(place: Place, request_id: str) -> None:
    """Take a request out of the outbox, after its answer was given. Repeatable."""
    await place.remove(f"{place.folder}/outbox/{request_id}")


async def _read(place: Place, session: SessionId, name: str) -> AgentRequest | None:
    try:
        data = await place.read(f"{place.folder}/outbox/{name}", limit=MOST_PERMIT + 1)
        return parse(session, name, data)
    except NotFound:
        return None  # The agent took it back between our two looks.
    except BadInput as error:
        await answer(place, name, 2, f"ao: {error.what}")
        await forget(place, name)
        return None


async def _prune(place: Place) -> None:
    kept = [e for e in await place.list(f"{place.folder}/inbox") if not e.name.startswith(".")]
    if len(kept) <= KEPT_ANSWERS:
        return
    waiting = {e.name for e in await place.list(f"{place.folder}/outbox")}
    for entry in sorted(kept, key=lambda e: (e.modified, e.name))[:-KEPT_ANSWERS]:
        if entry.name not in waiting:
            await place.remove(f"{place.folder}/inbox/{entry.name}")


def _check(request_id: str) -> None:
    if not is_request_name(request_id):
        msg = f"{request_id[:80]!r} is no name of a request."
        raise BadInput(msg)
