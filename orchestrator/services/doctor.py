"""What is not as it should be: configuration, programs, files, notifiers, what agents may do."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from orchestrator.domain.session import WantedState
from orchestrator.errors import AoError
from orchestrator.ports.notifier import NOTIFIER
from orchestrator.ports.plugin import Slot
from orchestrator.services import configuration, damaged, forge_doctor, webhooks
from orchestrator.services.core import Core
from orchestrator.settings.plugin_check import options_for
from orchestrator.settings.problems import Grade, errors

OK, WARNING, FAILURE = "ok", "warning", "failure"
_FORGE_LIMIT = 20.0
LEAST_DISK = 1 << 30
"""Bytes below which the disk counts as nearly full."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at."""

    level: str
    """`ok`, `warning` or `failure`."""
    subject: str
    text: str
    next_step: str = ""


async def doctor(core: Core) -> list[Finding]:
    """Look at everything. Nothing is changed."""
    return [
        *await _configuration(core),
        *await core.files.run("configuration", lambda: list(_plugins(core))),
        *_storage(core),
        *await _damaged_sessions(core),
        await _disk(core),
        *_sessions(core),
        *await _orphans(core),
        *await _notifiers(core),
        *_surfaces(core),
        *await _forges(core),
        *_webhooks(core),
        _sandbox(),
    ]


async def _configuration(core: Core) -> list[Finding]:
    found = await configuration.check(core)
    why = core.settings.unusable
    if why is not None and not errors(found):
        return [Finding(level=FAILURE, subject="configuration", text=why.what, next_step=why.next_step)]
    rows = [
        Finding(
            level=FAILURE if p.grade is Grade.ERROR else WARNING,
            subject="configuration",
            text=str(p),
            next_step="Edit the file, then `ao reload`.",
        )
        for p in found
    ]
    return rows or [Finding(level=OK, subject="configuration", text=str(core.settings.path))]


def _plugins(core: Core) -> Iterator[Finding]:
    """One row a plugin; its projects are named where not all of them lack the same."""
    found: dict[tuple[str, str], dict[tuple[str, ...], list[str]]] = {}
    for use in core.settings.uses():
        slot: Slot[object] = Slot(use.slot)
        try:
            missing = tuple(core.registry.missing_programs(slot, use.name, use.options))
        except AoError:
            continue  # the configuration's own finding says it
        projects = found.setdefault((use.slot, use.name), {}).setdefault(missing, [])
        if use.at[:1] == ("projects",):
            projects.append(str(use.at[1]))
        if use.slot == "agent" and use.options.get("permissions") == "permissionless":
            yield _asks_nobody(use.name)
    for (kind, name), lacks in found.items():
        for missing, projects in lacks.items():
            of = f" of {', '.join(dict.fromkeys(projects))}" if len(lacks) > 1 and projects else ""
            install = core.registry.plugin(Slot(kind), name).install if missing else ""
            yield _plugin(f"{kind} {name}{of}", missing, install)


def _plugin(subject: str, missing: tuple[str, ...], install: str) -> Finding:
    if missing:
        text = f"needs {', '.join(missing)}, not on the PATH"
        return Finding(
            level=FAILURE,
            subject=subject,
            text=text,
            next_step=f"Install it{f': `{install}`' if install else ''}.",
        )
    return Finding(level=OK, subject=subject, text="its programs are there")


def _asks_nobody(agent: str) -> Finding:
    text = "runs whatever it likes without asking (permissionless); only `policy` rules hold it"
    step = "`permissions: auto-edit` asks; `policy.deny` forbids."
    return Finding(level=WARNING, subject=f"agent {agent}", text=text, next_step=step)


def _surfaces(core: Core) -> Iterator[Finding]:
    """Those of the process that serves; others know none."""
    for name, where in core.addresses.items():
        yield Finding(level=OK, subject=name, text=where)
    for name, look in core.surfaces.items():
        trouble, step = look()
        level = WARNING if trouble else OK
        yield Finding(level=level, subject=name, text=trouble or "people are heard and told", next_step=step)


def _webhooks(core: Core) -> Iterator[Finding]:
    for project, words in webhooks.rows(core):
        yield Finding(level=OK, subject=f"webhooks of {project}", text=words)


def _storage(core: Core) -> Iterator[Finding]:
    for broken in core.store.damaged:
        done = "Its copy was set aside." if broken.kept_as else "It was left where it is."
        yield Finding(level=FAILURE, subject="storage", text=str(broken), next_step=done)
    if core.store.keeper.trouble is not None:
        yield Finding(level=FAILURE, subject="event log", text=str(core.store.keeper.trouble))


async def _damaged_sessions(core: Core) -> list[Finding]:
    """Until somebody acts, nobody looks after them."""
    return [
        Finding(
            level=FAILURE,
            subject=lost.id,
            text=f"its file was damaged and lies in {lost.file}; nobody looks after it",
            next_step=lost.next_step,
        )
        for lost in await damaged.listed(core)
    ]


async def _disk(core: Core) -> Finding:
    free = await core.files.run("disk", _free, core.home.path)
    if free < LEAST_DISK:
        text = f"{free // 2**20} MB are free where state is kept"
        return Finding(level=WARNING, subject="disk", text=text, next_step="Make room.")
    return Finding(level=OK, subject="disk", text=f"{free // 2**30} GB are free")


def _free(home: Path) -> int:
    """Bytes that are free where the home is, or will be made."""
    there = next(path for path in (home, *home.parents) if path.exists())
    return shutil.disk_usage(there).free


def _sessions(core: Core) -> Iterator[Finding]:
    for session in core.unadopted:
        yield Finding(
            level=FAILURE,
            subject=session.id,
            text=f"its project {session.project} is not in the configuration; nobody looks after it",
            next_step="Put the project back, then `ao reload`.",
        )
    for session in core.fleet.live():
        if session.runtime.gone:
            yield Finding(
                level=WARNING,
                subject=session.id,
                text=session.runtime.reason,
                next_step=f"`ao restore {session.id}` or `ao kill {session.id}`.",
            )
        if session.ending.reason and session.wanted.state is WantedState.STOP:
            yield Finding(level=WARNING, subject=session.id, text=f"clean-up waits: {session.ending.reason}")


async def _orphans(core: Core) -> list[Finding]:
    """Terminals of this home that belong to no live session."""
    live = {s.id for s in core.fleet.live()} | {lost.id for lost in await damaged.listed(core)}
    found = []
    for runtime in core.fleet.world.runtimes():
        try:
            held = await runtime.held()
        except AoError as error:
            found.append(Finding(level=WARNING, subject="terminals", text=str(error)))
            continue
        found += [
            Finding(
                level=WARNING,
                subject=name,
                text="a terminal without a session",
                next_step="`ao attach` shows nothing of it; end it by hand if it is not wanted.",
            )
            for name in sorted(set(held) - live)
        ]
    return found


async def _notifiers(core: Core) -> list[Finding]:
    found = []
    for name, use in core.settings.now.notifiers.items():
        try:
            notifier = core.registry.create(NOTIFIER, use.name, options_for(use, core.registry))
            async with asyncio.timeout(10):
                why = await notifier.ready()
        except (AoError, TimeoutError) as error:
            why = str(error) or "no answer within 10 s"
        if why:
            found.append(Finding(level=WARNING, subject=f"notifier {name}", text=why))
        else:
            found.append(Finding(level=OK, subject=f"notifier {name}", text="ready"))
    return found


async def _forges(core: Core) -> list[Finding]:
    """One row a project on a forge: the whole of it is `github doctor`'s."""
    if core.settings.unusable is not None:
        return []
    rows = []
    for report in await forge_doctor.examine(core, core.settings.now.projects(), limit=_FORGE_LIMIT):
        worst = next((one for one in report.found if one.level == report.level), None)
        more = f", and {len(report.bad) - 1} more" if len(report.bad) > 1 else ""
        text = (
            f"{worst.subject}: {worst.text}{more}" if report.bad and worst else "all that it needs is there"
        )
        step = f"`ao {report.scm} doctor {report.project}` says all of it." if report.bad else ""
        rows.append(
            Finding(level=report.level, subject=f"{report.scm} {report.project}", text=text, next_step=step)
        )
    return rows


def _sandbox() -> Finding:
    return Finding(
        level=WARNING,
        subject="sandbox",
        text="not built yet: agents run as you and could act as you",
        next_step="Run ao under a user of its own where that matters.",
    )
