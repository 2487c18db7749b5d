"""A whole fleet on fakes: real storage, settings, lifecycle and services; a world that a test plays.

`open_ring` makes one, `Ring.crash` ends it as SIGKILL would and opens the next over the same files
and the same world.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from typing_extensions import override

from orchestrator.domain.event import Event
from orchestrator.domain.ids import ProjectId, SessionId
from orchestrator.domain.issue import Issue
from orchestrator.domain.person import OWNER
from orchestrator.domain.pull_request import CheckRun, CheckState
from orchestrator.domain.rules import Rules
from orchestrator.domain.session import Session
from orchestrator.lifecycle.accounts import Accounts
from orchestrator.lifecycle.act import Act
from orchestrator.lifecycle.as_person import Links
from orchestrator.lifecycle.completion import Completion
from orchestrator.lifecycle.environment import Ours
from orchestrator.lifecycle.fleet import Fleet, Keeping
from orchestrator.lifecycle.queue import Room
from orchestrator.lifecycle.rounds import Rounds
from orchestrator.lifecycle.world import World
from orchestrator.ports.agent import AGENT
from orchestrator.ports.notifier import NOTIFIER
from orchestrator.ports.plugin import Options, Plugin, PluginContext, Slot
from orchestrator.ports.runtime import RUNTIME
from orchestrator.ports.scm import SCM
from orchestrator.ports.tracker import TRACKER
from orchestrator.ports.workspace import WORKSPACE
from orchestrator.registry import Registry
from orchestrator.services import spawn
from orchestrator.services.core import Core
from orchestrator.services.credentials import Credentials
from orchestrator.services.intake import Intake
from orchestrator.services.settings_now import SettingsNow
from orchestrator.storage.faults import NoFaults
from orchestrator.storage.lanes import Lanes
from orchestrator.storage.layout import Home
from orchestrator.storage.store import Store
from orchestrator.testing.fakes.agent import FakeAgent
from orchestrator.testing.fakes.clock import FakeClock
from orchestrator.testing.fakes.notifier import FakeNotifier
from orchestrator.testing.fakes.place import FakePlace
from orchestrator.testing.fakes.runtime import FakeRuntime
from orchestrator.testing.fakes.scm import FakeScm
from orchestrator.testing.fakes.tracker import FakeTracker
from orchestrator.testing.fakes.workspace import FakeWorkspace

CHECK = "tests"
CONFIG = """\
defaults: {{runtime: fake, agent: fake, workspace: fake}}
projects:
  demo:
    path: {repository}
    sessionPrefix: demo
    defaultBranch: main
    tracker: {{plugin: fake}}
    scm: {{plugin: fake}}
"""
_BESIDE = ("acts of ", "requests of ", "intake of ")
"""Names of the tasks that run beside the rounds."""


class FakeWorld:
    """What outlives `ao`: clock, terminals, agents, files, forge and tracker."""

    def __init__(self, issues: int = 40) -> None:
        self.clock = FakeClock()
        self.agent = FakeAgent(self.clock.now)
        self.runtime = FakeRuntime(self.agent.program)
        self.scm = FakeScm(runs=(CHECK,), trees=lambda sha: self.workspace.files_of(sha))
        self.workspace = FakeWorkspace(lambda: self.scm.forge.branches.values())
        self.tracker = FakeTracker(
            *(Issue(ref=str(n), title=f"Issue {n}", body=f"Do {n}.") for n in range(1, issues + 1))
        )
        self.notifier = FakeNotifier()
        self.requests = itertools.count(1)

    def registry(self, home: Home) -> Registry:
        """A registry in which every slot has the plugin `fake`."""
        context = PluginContext(home=home.path, data=str, now=self.clock.now)
        registry = Registry({}, context)
        for slot, made in self._parts():
            registry.add(
                Plugin(slot=slot, name="fake", summary="for tests", create=_always(made)), "the test"
            )
        return registry

    def _parts(self) -> tuple[tuple[Slot[Any], object], ...]:
        return (
            (RUNTIME, self.runtime),
            (AGENT, self.agent),
            (WORKSPACE, self.workspace),
            (SCM, self.scm),
            (TRACKER, self.tracker),
            (NOTIFIER, self.notifier),
        )


def _always(made: object) -> Callable[[Options, PluginContext], Any]:
    return lambda _options, _context: made


class RingSettings(SettingsNow):
    """The settings of a real file; `fields` of the rules are as a test says."""

    fields: Mapping[str, Any] = {}

    @override
    def rules(self, project: ProjectId) -> Rules:
        rules = super().rules(project)
        return replace(rules, **self.fields) if self.fields else rules


@dataclass(slots=True, kw_only=True)
class Ring:
    """One `ao` process over a home and a world."""

    world: FakeWorld
    core: Core
    rounds: Rounds
    intake: Intake
    settings: RingSettings
    room: list[Room] = field(default_factory=lambda: [Room(sessions=30)])
    """The newest one counts."""
    dead: bool = False
    after: Ring | None = None
    """The one that came after this one crashed."""

    @property
    def fleet(self) -> Fleet:
        """The live sessions."""
        return self.core.fleet

    @property
    def clock(self) -> FakeClock:
        """Time."""
        return self.world.clock

    @property
    def scm(self) -> FakeScm:
        """The forge."""
        return self.world.scm

    @property
    def runtime(self) -> FakeRuntime:
        """The terminals."""
        return self.world.runtime

    @property
    def agent(self) -> FakeAgent:
        """The agents."""
        return self.world.agent

    @property
    def workspace(self) -> FakeWorkspace:
        """The files."""
        return self.world.workspace

    @property
    def tracker(self) -> FakeTracker:
        """The issues."""
        return self.world.tracker

    # Verbs ----------------------------------------------------------------------------------------

    def rules(self, **fields: Any) -> None:  # noqa: ANN401 - the fields of Rules
        """From now on these fields of the rules are other than the file says."""
        self.settings.fields = {**self.settings.fields, **fields}

    async def spawn(self, issue: str = "1", **ask: Any) -> SessionId:  # noqa: ANN401 - the fields of SpawnAsk
        """Ask for a session on an issue and let the ring bring it to work."""
        made = await spawn.spawn(self.core, spawn.SpawnAsk(project="demo", issue=issue, **ask), by=OWNER)
        await self.settle()
        return made.id

    def session(self, session: SessionId) -> Session:
        """The session as it is now."""
        return self.fleet.get(session)

    def status(self, session: SessionId) -> str:
        """The word that people see."""
        return self.fleet.get(session).status.status.value

    async def settle(self, most: int = 100) -> None:
        """Run rounds until nothing is being done, nothing is due and nobody woke the ring."""
        for _ in range(most):
            await self.rounds.look_at_forge()
            await self.rounds.round()
            await self.beside()
            if self.fleet.resting() and self.rounds.resting() and not self.fleet.awake.is_set():
                return
        msg = f"the ring does not rest within {most} rounds"
        raise AssertionError(msg)

    async def beside(self) -> None:
        """Wait for what runs beside the rounds."""
        while running := [t for t in asyncio.all_tasks() if t.get_name().startswith(_BESIDE)]:
            await asyncio.wait(running, timeout=5)
            await asyncio.sleep(0)

    async def later(self, seconds: float, step: float = 5.0) -> None:
        """Let time pass, with the rounds that the ticker would make."""
        end = self.clock.now() + seconds
        while self.clock.now() < end:
            self.clock.advance(min(step, end - self.clock.now()))
            await self.settle()

    async def look(self, session: SessionId | None = None) -> None:
        """As when somebody wakes the ring: look at the session, or at all, and let it settle."""
        for found in [session] if session else [s.id for s in self.fleet.all()]:
            self.fleet.wake(found)
        await self.settle()

    def ask(self, session: SessionId, *words: str) -> str:
        """The agent puts a request into its outbox and wakes us. Returns its name."""
        name = f"{int(self.clock.now())}-{next(self.world.requests)}-x"
        data = "".join(f"{word}\0" for word in words).encode()
        self.place(session).files[f"/session/outbox/{name}"] = data
        self.fleet.wake(session)
        return name

    def answer(self, session: SessionId, request: str) -> str:
        """What the agent reads as its answer; empty while there is none."""
        return self.place(session).files.get(f"/session/inbox/{request}", b"").decode()

    def place(self, session: SessionId) -> FakePlace:
        """The session's place."""
        place = self.runtime.places[session]
        assert isinstance(place, FakePlace)
        return place

    async def pull_request(self, session: SessionId, name: str = "hello.py", text: str = "1") -> str:
        """The agent commits and opens a pull request (or brings it up to date). Returns the head."""
        head = await self.workspace.commit(session, name, text)
        self.ask(session, "pr", "create", "--title", f"Change {name}")
        await self.settle()
        return head

    async def checks(self, session: SessionId, *, passed: bool, tail: str = "") -> None:
        """The forge's checks of the head end."""
        state = CheckState.PASSED if passed else CheckState.FAILED
        self.scm.set_checks(session, CheckRun(name=CHECK, state=state, tail="" if passed else tail))
        await self.look(session)

    async def events(self, session: SessionId | None = None) -> list[Event]:
        """Everything that was told, in order."""
        log = self.core.store.log
        return [logged.event for logged in await log.read(0, 100_000, session=session)]

    async def told(self, session: SessionId | None = None) -> list[str]:
        """The types of everything that was told, in order."""
        return [event.type for event in await self.events(session)]

    # The end --------------------------------------------------------------------------------------

    async def close(self) -> None:
        """Stop as `ao stop` does; where it crashed, stop the one after it."""
        if self.after is not None:
            await self.after.close()
        if self.dead:
            return
        await self.rounds.close()
        await self.intake.close()
        await self.fleet.stop()
        await self.core.files.close()
        await self.core.store.close()

    async def crash(self, keeping: Callable[[Keeping], Keeping] = lambda keeper: keeper) -> Ring:
        """End as by SIGKILL: nothing more is written; then start anew, with the first round."""
        await self.die()
        root = self.core.home.path.parent
        self.after = await open_ring(root, world=self.world, before=self, keeping=keeping)
        return self.after

    async def die(self) -> None:
        """End as by SIGKILL: outboxes stay as they are. Repeatable."""
        if self.dead:
            return
        self.dead = True
        await self.rounds.close()
        await self.intake.close()
        await self.fleet.stop()
        await self.core.files.close()
        store = self.core.store
        for part in (store.ids, store.fleet, store.audit, store.requests, store.documents, store.log):
            await part.close()


async def open_ring(
    root: Path,
    *,
    world: FakeWorld | None = None,
    before: Ring | None = None,
    config: str = CONFIG,
    keeping: Callable[[Keeping], Keeping] = lambda keeper: keeper,
) -> Ring:
    """A ring over `root/home`, its first round made. `keeping` may wrap what keeps the sessions."""
    world = world or FakeWorld()
    home = Home(root / "home")
    registry = world.registry(home)
    settings = await asyncio.to_thread(_prepare, root, home, registry, "" if before else config)
    settings.fields = before.settings.fields if before else {}
    store = await Store.open(home, NoFaults())
    settings.use_kept(store.policy)
    settings.use_people(store.people)
    outside = _outside(world, home, registry, settings, store)
    fleet = Fleet(world=outside, keeping=keeping(store.keeper), log=store.log, performer=Act())
    core = Core(
        home=home,
        fleet=fleet,
        settings=settings,
        registry=registry,
        store=store,
        clock=world.clock,
        unadopted=list(store.sessions),
    )
    settings.on_change(lambda _now: core.adopt())
    room = before.room if before else [Room(sessions=30)]
    intake = Intake(core)
    kept = store.fleet
    alarms = (Accounts(fleet, kept), Credentials(core, kept))
    watches = (Completion(fleet, kept, core.sees), *alarms, intake)
    rounds = Rounds(fleet, lambda: replace(room[-1], brake=core.brake), *watches)
    ring = Ring(world=world, core=core, rounds=rounds, intake=intake, settings=settings, room=room)
    await rounds.first()
    await ring.settle()
    return ring


def _outside(world: FakeWorld, home: Home, registry: Registry, settings: SettingsNow, store: Store) -> World:
    outside = World(
        registry=registry,
        config=settings,
        clock=world.clock,
        ours=Ours(settings.env),
        projects=home.projects,
        files=Lanes(1, "ao-configuration"),
    )
    outside.use_links(Links(store.links))
    return outside


def _prepare(root: Path, home: Home, registry: Registry, config: str) -> RingSettings:
    """The files of a home, in a thread of their own as they would block the loop."""
    home.prepare()
    (root / "repository").mkdir(exist_ok=True)
    file = root / "agent-orchestrator.yaml"
    if config:
        file.write_text(config.format(repository=root / "repository"))
    env = {"AO_HOME": str(home.path), "HOME": str(root), "PATH": "/usr/bin:/bin"}
    settings = RingSettings(file, env, registry)
    settings.take(settings.look().require())
    return settings
