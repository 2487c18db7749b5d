"""The composition root: settings, registry, store, fleet, services and front ends, put together.

Two ways in: `serve` is `ao start`; `embedded` lets one `ao` command run the ring by itself while no
server runs. Both hold the home's lock.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.actions.runner import Actions
from orchestrator import machine, resources
from orchestrator.clock import SystemClock
from orchestrator.domain.rules import Rules
from orchestrator.errors import AoError, NotFound
from orchestrator.lifecycle.accounts import Accounts
from orchestrator.lifecycle.act import Act
from orchestrator.lifecycle.announcer import Announcer
from orchestrator.lifecycle.as_person import Links
from orchestrator.lifecycle.completion import Completion
from orchestrator.lifecycle.environment import Ours
from orchestrator.lifecycle.fleet import Fleet
from orchestrator.lifecycle.queue import Room
from orchestrator.lifecycle.rounds import Rounds
from orchestrator.lifecycle.ticker import Ticker
from orchestrator.lifecycle.watcher import Watcher
from orchestrator.lifecycle.world import World
from orchestrator.ports.notifier import NOTIFIER, Notifier
from orchestrator.ports.plugin import Closes, PluginContext
from orchestrator.registry import Registry
from orchestrator.services import configuration, found_at_start, links, terminals, trust
from orchestrator.services.core import Core
from orchestrator.services.credentials import Credentials
from orchestrator.services.intake import Intake
from orchestrator.services.settings_now import SettingsNow
from orchestrator.settings.effective import Settings
from orchestrator.settings.loader import load
from orchestrator.settings.plugin_check import options_for
from orchestrator.storage import faults, last_run
from orchestrator.storage.lanes import Lanes
from orchestrator.storage.layout import Home, server_name
from orchestrator.storage.lock import hold
from orchestrator.storage.store import Store
from plugins.catalog import CATALOG

log = logging.getLogger(__name__)
SETTLE_LIMIT = 120.0
"""Seconds that an `ao` command without a server waits at most for what it asked to settle."""


@dataclass(slots=True, kw_only=True)
class App:
    """Everything, wired. Whoever has one holds the home's lock."""

    core: Core
    rounds: Rounds
    intake: Intake
    ticker: Ticker
    watcher: Watcher
    announcer: Announcer
    actions: Actions

    async def close(self) -> None:
        """Stop acting and finish writing; agents go on whose runtime outlives us."""
        await self.ticker.stop()
        await self.intake.close()
        await self.watcher.stop()
        await self.announcer.stop()
        try:
            await terminals.let_go(self.core)
        except AoError as error:
            log.warning("not kept what ends with ao: %s", error)
        await _close(self.core)


async def _close(core: Core) -> None:
    await core.sign_ins.close()
    await core.fleet.stop()
    for made in core.registry.made():
        if isinstance(made, Closes):
            await made.aclose()
    await core.files.close()
    await core.store.close()


def registry_for(
    home: Home,
    env: Mapping[str, str],
    wake: Callable[[str], None],
    reached: Callable[[str], None] = lambda _boundary: None,
) -> Registry:
    """The built-in plugins, in the context of this home."""
    context = PluginContext(
        home=home.path,
        data=resources.text,
        environment=env,
        now=SystemClock().now,
        server=server_name(home),
        wake=wake,
        reached=reached,
    )
    return Registry(CATALOG, context)


async def open_app(home: Home, config: Path, env: Mapping[str, str], *, whole: bool = False) -> App:
    """Put everything together over what is kept. Raises `BadInput`, `NotReady` with what to do.

    `whole`: also over sessions whose projects only the configuration has that the home last ran with.
    """
    core = await _open_core(home, config, env, whole=whole)
    kept = core.store.fleet
    intake = Intake(core)
    core.hooks.issues_changed.append(intake.wake)
    watches = (
        Completion(core.fleet, kept, core.sees),
        Accounts(core.fleet, kept),
        Credentials(core, kept),
        intake,
    )
    rounds = Rounds(core.fleet, lambda: _room(core), *watches)
    watcher = Watcher(home.projects, rounds.hear, core.clock)
    core.settings.on_change(lambda now: _make_folders(home, now, watcher))
    core.settings.on_change(lambda _now: core.adopt())
    return App(
        core=core,
        rounds=rounds,
        intake=intake,
        ticker=Ticker(core.fleet, rounds),
        watcher=watcher,
        announcer=_announcer(core),
        actions=Actions(core),
    )


async def _open_core(home: Home, config: Path, env: Mapping[str, str], *, whole: bool) -> Core:
    fleets: list[Fleet] = []  # filled below: plugins are made before there is a fleet to wake

    def wake(session: str) -> None:
        for fleet in fleets:
            fleet.wake_by_name(session)

    hook = faults.from_environment(env)
    registry = registry_for(home, env, wake, hook.reached)
    settings = SettingsNow(config, env, registry)
    _take_file(home, registry, settings)
    if whole:
        _complete(home, registry, settings)
    store = await Store.open(home, hook)
    settings.use_kept(store.policy)
    settings.use_people(store.people)
    fleet = _fleet(home, env, registry, settings, store)
    fleets.append(fleet)
    return _core(home, fleet, settings, store)


def _take_file(home: Home, registry: Registry, settings: SettingsNow) -> None:
    """Take over the file with the plugins that it names. Raises what is wrong with either."""
    settings.take(configuration.usable(settings.look(), registry, trust.Trusted(home)))


def _complete(home: Home, registry: Registry, settings: SettingsNow) -> None:
    """Projects that the file does not have are those of the file that this home last ran with, if it is usable."""
    last = last_run.configuration(home)
    if last is None or last == settings.path:
        return
    try:
        settings.complete(configuration.usable(load(last, settings.env), registry, trust.Trusted(home)))
    except AoError as error:
        log.warning("%s, which this home last ran with, is left out: %s", last, error)


def _core(home: Home, fleet: Fleet, settings: SettingsNow, store: Store) -> Core:
    return Core(
        home=home,
        fleet=fleet,
        settings=settings,
        registry=fleet.world.registry,
        store=store,
        clock=fleet.world.clock,
        unadopted=list(store.sessions),
    )


def _fleet(
    home: Home, env: Mapping[str, str], registry: Registry, settings: SettingsNow, store: Store
) -> Fleet:
    world = World(
        registry=registry,
        config=settings,
        clock=SystemClock(),
        ours=Ours(dict(env), own_programs(sys.prefix, sys.base_prefix)),
        projects=home.projects,
        files=Lanes(1, "ao-configuration"),
    )
    world.use_links(Links(store.links))
    return Fleet(
        world=world,
        keeping=store.keeper,
        log=store.log,
        performer=Act(),
        boundary=store.faults.reached,
    )


def own_programs(prefix: str, base: str) -> tuple[str, ...]:
    """The virtual environment that we are installed in, also where nobody activated it; none, if there is none."""
    return (prefix,) if prefix != base else ()


def _room(core: Core) -> Room:
    limits = core.settings.now.limits
    return Room(
        sessions=limits.sessions,
        per_project=limits.per_project,
        memory=int(limits.memory),
        free_memory=machine.free_memory(),
        brake=core.brake,
    )


def _make_folders(home: Home, settings: Settings, watcher: Watcher) -> None:
    for project in settings.project_ids:
        home.project(project).sessions.mkdir(mode=0o700, parents=True, exist_ok=True)
    watcher.refresh()


def _announcer(core: Core) -> Announcer:
    def rules(project: str) -> Rules | None:
        try:
            return core.settings.now.rules(project)
        except NotFound:
            return None

    return Announcer(
        log=core.store.log,
        positions=core.store.fleet,
        clock=core.clock,
        rules=rules,
        heard_by=lambda level: core.settings.now.heard_by(level),
        forget=core.registry.forget,
    )


def notifiers(core: Core, settings: Settings) -> dict[str, Notifier]:
    """Every configured notifier that can be made here; one that cannot is told and left out."""
    made: dict[str, Notifier] = {}
    for name, use in settings.notifiers.items():
        try:
            made[name] = core.registry.create(NOTIFIER, use.name, options_for(use, core.registry))
        except AoError as error:
            log.warning("notifier not made: %s", error, extra={"plugin": name})
    return made


@contextlib.asynccontextmanager
async def reading(home: Home, config: Path, env: Mapping[str, str]) -> AsyncIterator[Core]:
    """What is kept, as it is now: without the lock, and whatever is wrong with the configuration.

    Nothing is looked at outside, decided or written.
    """
    home.check()
    registry = registry_for(home, env, lambda _session: None)
    settings = SettingsNow(config, env, registry)
    try:
        _take_file(home, registry, settings)
    except AoError as error:
        settings.go_without(error)
    _complete(home, registry, settings)
    settings.complete_for_reading(home.project_ids())
    store = await Store.look(home)
    settings.use_people(store.people)
    core = _core(home, _fleet(home, env, registry, settings, store), settings, store)
    core.adopt()
    try:
        yield core
    finally:
        await _close(core)


@contextlib.asynccontextmanager
async def embedded(home: Home, config: Path, env: Mapping[str, str], what: str) -> AsyncIterator[App]:
    """The fleet for one command while no server runs; `settle` then runs the ring until it rests."""
    home.prepare()
    with hold(home, what=what, now=SystemClock().now()):
        app = await open_app(home, config, env, whole=True)
        try:
            await app.rounds.first()
            yield app
        finally:
            await app.close()


async def settle(app: App, limit: float = SETTLE_LIMIT) -> bool:
    """Run rounds until nothing is being done and nothing is due; False if that took too long."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(limit):
            while True:
                await app.rounds.round()
                if app.core.fleet.resting() and app.rounds.resting():
                    return True
                await app.core.fleet.changed()
    return False


async def serve(
    home: Home, config: Path, env: Mapping[str, str], ready: Callable[[App, Sequence[str]], None]
) -> tuple[Sequence[str], Sequence[str]]:
    """Run until SIGTERM or SIGINT; returns the sessions that were live, and those whose terminal ended with us.

    `ready` is told what else a person should know, a line each. The next start adopts the others.
    Raises `AoError`.
    """
    from bot.frontends.together import FrontEnds

    home.prepare()
    machine.hide_environment()
    with hold(home, what="ao start", now=SystemClock().now()):
        app = await open_app(home, config, env)
        core = app.core
        front_ends = FrontEnds(core, app.actions, home.api_socket)
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        try:
            app.watcher.start()
            for row in await found_at_start.tell(core):
                log.warning("%s", row)
            await core.files.run("home", last_run.remember, home, config)
            await links.forget_strangers(core, revoke=False)
            await app.ticker.start()
            await front_ends.start(app.ticker.pulse, app.announcer)

            def tell() -> None:
                app.announcer.use({**notifiers(core, core.settings.now), **front_ends.notifiers})

            core.settings.on_change(lambda _now: tell())
            front_ends.on_change(tell)
            core.serving.set()
            ready(app, front_ends.lines)
            await stop.wait()
            return [s.id for s in core.fleet.all()], [s.id for s in terminals.ending_with_us(core)]
        finally:
            await front_ends.stop()
            await app.close()


def environment() -> dict[str, str]:
    """A copy of this process's environment, the only place where it is read for the fleet."""
    return dict(os.environ)
