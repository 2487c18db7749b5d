"""What agents' terminals show now, with colours, for people who look at them live."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import replace

from orchestrator.domain.coloured import Picture, coloured, masked
from orchestrator.domain.ids import SessionId
from orchestrator.domain.look import Look, Seen, Unseen
from orchestrator.domain.session import Session
from orchestrator.errors import AoError
from orchestrator.ports.runtime import Pictured, Runtime
from orchestrator.services.core import Core


async def pictures(core: Core, sessions: Collection[SessionId]) -> Mapping[SessionId, Look[Picture]]:
    """One look at all of them, a call for each runtime. Secrets are masked: viewers see it too."""
    found: dict[SessionId, Look[Picture]] = {}
    together: defaultdict[int, list[Session]] = defaultdict(list)
    runtimes: dict[int, Runtime] = {}
    for session_id in sessions:
        try:
            session = core.fleet.get(session_id)
            runtime = core.fleet.world.runtime(session)
        except AoError as error:
            found[session_id] = Unseen(error.what)
            continue
        runtimes[id(runtime)] = runtime
        together[id(runtime)].append(session)
    for key, group in together.items():
        found |= await _of(core, runtimes[key], group)
    return found


async def _of(
    core: Core, runtime: Runtime, sessions: Collection[Session]
) -> Mapping[SessionId, Look[Picture]]:
    refs = [core.fleet.world.ref(session) for session in sessions]
    if isinstance(runtime, Pictured):
        seen = await runtime.pictures(refs)
        return {name: _masked(look) for name, look in seen.items()}
    looks = await runtime.observe(refs, [ref.id for ref in refs])
    return {
        name: _masked(_plain(look.value.screen)) if isinstance(look, Seen) else look
        for name, look in looks.items()
    }


def _plain(screen: str | None) -> Look[Picture]:
    """Of a runtime without pictures: the words, in a size that holds them."""
    if screen is None:
        return Unseen("it has no terminal now.")
    lines = coloured(screen)
    columns = max((len(line) for line in lines), default=0)
    return Seen(Picture(columns=max(columns, 80), rows=max(len(lines), 24), lines=lines))


def _masked(look: Look[Picture]) -> Look[Picture]:
    return look if isinstance(look, Unseen) else Seen(replace(look.value, lines=masked(look.value.lines)))
