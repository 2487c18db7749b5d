"""What a start found wrong and went on without: people are told of it, in the log and as events."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from orchestrator.domain.event import Event, Level
from orchestrator.domain.ids import ProjectId, SessionId
from orchestrator.services import configuration
from orchestrator.services import damaged as lost_sessions
from orchestrator.services.core import Core
from orchestrator.settings.problems import Grade
from orchestrator.storage import last_run
from orchestrator.storage.damage import Damaged

_DEPTH = 4


async def tell(core: Core) -> Sequence[str]:
    """Tell of each kept file that was broken; returns that, and what is not ready here, in words."""
    for number, damaged in enumerate(core.store.damaged):
        await core.fleet.tell(_event(core, damaged, number))
    elsewhere = await core.files.run("home", last_run.configuration, core.home)
    absent = [p for p in await configuration.check(core) if p.grade is Grade.NOT_READY]
    lost = [
        f"{one.id} is damaged; nobody looks after it. {one.next_step}"
        for one in await lost_sessions.listed(core)
    ]
    not_ready = [f"not ready here: {problem}" for problem in absent]
    return [*map(str, core.store.damaged), *lost, *_left_out(core, elsewhere), *not_ready]


def _left_out(core: Core, elsewhere: Path | None) -> list[str]:
    """Sessions whose projects this configuration does not have, and the one that may have them."""
    if not core.unadopted:
        return []
    names = ", ".join(f"{s.id} ({s.project})" for s in core.unadopted)
    row = f"not looked after, as their projects are not in {core.settings.path}: {names}."
    other = elsewhere if elsewhere != core.settings.path else None
    return [f"{row} This home last ran with `ao --config {other} start`." if other else row]


def _event(core: Core, damaged: Damaged, number: int) -> Event:
    """Of a session's own file it names the session, and what is still there of it."""
    now = core.clock.now()
    project, session = "", None
    text = f"a kept file was damaged: {damaged}"
    inside = damaged.path.relative_to(core.home.path).parts
    if inside[:1] == ("projects",) and len(inside) > _DEPTH:
        project, session = inside[1], SessionId(inside[3])
        text = f"{session} cannot be looked after, its file was damaged: {damaged} "
        text += "Its workspace, branch and terminal are left as they are; "
        text += f"`ao kill {session}` saves its work and ends it."
    return Event(
        id=f"damaged:{int(now)}:{number}",
        type="storage.damaged",
        at=now,
        project=ProjectId(project),
        session=session,
        level=Level.URGENT,
        text=text,
        data={"file": str(damaged.path), "kept_as": str(damaged.kept_as or "")},
    )
