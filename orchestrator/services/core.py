"""What every service is given: the fleet, the settings, the plugins and what is kept."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from orchestrator.clock import Clock
from orchestrator.domain.ids import ProjectId, SessionId
from orchestrator.domain.person import Actor
from orchestrator.domain.session import Session
from orchestrator.domain.when import clock
from orchestrator.lifecycle.fleet import Fleet
from orchestrator.registry import Registry
from orchestrator.services.console import Door
from orchestrator.services.hook_news import HookNews
from orchestrator.services.pairing import Pairing
from orchestrator.services.settings_now import SettingsNow
from orchestrator.services.sign_ins import SignIns
from orchestrator.storage.audit import AuditEntry
from orchestrator.storage.lanes import Lanes
from orchestrator.storage.layout import Home
from orchestrator.storage.logins import FILE, Logins
from orchestrator.storage.store import Store

BRAKE = "brake"
"""In `fleet.json`: `by` whom the fleet's brake is on, and since when (`at`, epoch seconds)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Core:
    """The collaborators of all services."""

    home: Home
    fleet: Fleet
    settings: SettingsNow
    registry: Registry
    store: Store
    clock: Clock
    unadopted: list[Session] = field(default_factory=list)
    """Kept sessions of projects that the configuration does not have; taken up when it does again."""
    spawning: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while a spawn looks for duplicates and reserves: two spawns of one issue never both pass."""
    serving: asyncio.Event = field(default_factory=asyncio.Event)
    """Set in `ao start`: what is held in memory counts for those who ask later."""
    pairing: Pairing = field(default_factory=Pairing)
    """The code by which the first person is made an admin, while nobody is known."""
    naming: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while people are changed: of two admins who take each other away the second is refused."""
    restoring: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while a session is brought back: of two who ask at once the second hears who was first."""
    door: Door = field(default_factory=Door)
    """How people come into the web console."""
    hooks: HookNews = field(default_factory=HookNews)
    """What webhooks told us."""
    logins: Logins = field(init=False)
    """The browsers that are logged in there; `open` it before use."""
    surfaces: dict[str, Callable[[], tuple[str, str]]] = field(default_factory=dict)
    """Chat surfaces by name: what is wrong with one now, and what to do about it; both empty while all is well."""
    whispers: dict[str, Callable[[str, str], Awaitable[None]]] = field(default_factory=dict)
    """Chat surfaces by name: say something later to whoever asked alone, given their request's place."""
    sign_ins: SignIns = field(default_factory=SignIns)
    """Sign-ins at forges that people have begun."""
    addresses: dict[str, str] = field(default_factory=dict)
    """Where surfaces are found, by name, in words."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "logins", Logins(self.home.path / FILE, self.files))

    @property
    def files(self) -> Lanes:
        """Threads for reading and writing files of the configuration."""
        return self.fleet.world.files

    def sees(self, project: ProjectId) -> bool:
        """Whether this process has the project in its configuration, and all of its live sessions."""
        return self.settings.knows(project) and all(s.project != project for s in self.unadopted)

    @property
    def brake(self) -> str:
        """The fleet's brake in words: who put it on, when; empty while it is off."""
        kept = self.store.fleet.get(BRAKE)
        return f"the brake is on, by {kept['by']} since {clock(kept['at'])}" if kept else ""

    def adopt(self) -> None:
        """Take up kept sessions whose project is known; the others wait until it is."""
        known = [s for s in self.unadopted if self.settings.knows(s.project)]
        self.fleet.adopt(known)
        self.unadopted[:] = [s for s in self.unadopted if s not in known]

    async def audit(self, by: Actor, verb: str, session: SessionId, head: str = "", text: str = "") -> None:
        """Keep who decided what, at which SHA."""
        entry = AuditEntry(at=self.clock.now(), by=by, verb=verb, session=session, head=head, text=text)
        await self.store.audit.record(entry)
