"""Everything that is kept under one home, opened and closed together."""

from __future__ import annotations

from dataclasses import dataclass, field

from orchestrator.domain.session import Session
from orchestrator.storage.audit import Audit
from orchestrator.storage.conversations import ConversationFiles
from orchestrator.storage.damage import Damaged
from orchestrator.storage.documents import Documents
from orchestrator.storage.events import EventLog
from orchestrator.storage.faults import Faults, NoFaults
from orchestrator.storage.fleet import FleetStore
from orchestrator.storage.ids import Ids
from orchestrator.storage.keep import Keeper
from orchestrator.storage.kept_links import KeptLinks
from orchestrator.storage.kept_people import KeptPeople
from orchestrator.storage.kept_policy import KeptPolicy
from orchestrator.storage.kept_tokens import KeptTokens
from orchestrator.storage.lanes import Lanes
from orchestrator.storage.layout import Home
from orchestrator.storage.migrations import check_format, has_format
from orchestrator.storage.requests import Requests


@dataclass(slots=True, kw_only=True)
class Store:
    """The kept state. Whoever opened one holds the home's lock; whoever looks at one only reads."""

    home: Home
    faults: Faults
    log: EventLog
    documents: Documents
    keeper: Keeper
    conversations: ConversationFiles
    requests: Requests
    audit: Audit
    fleet: FleetStore
    policy: KeptPolicy
    tokens: KeptTokens
    people: KeptPeople
    links: KeptLinks
    ids: Ids
    sessions: tuple[Session, ...] = ()
    """The live sessions as they were found at start."""
    damaged: list[Damaged] = field(default_factory=list)
    """What was found broken at start; people are told."""

    @classmethod
    async def open(cls, home: Home, faults: Faults) -> Store:
        """Load what is kept, heal what a crash cut off, and complete the log from the outboxes.

        The home is prepared and its lock is held. Raises `NotReady` for a home of a newer program.
        """
        start = Lanes(1, "ao-start")
        try:
            await start.run("format", check_format, home, faults)
        finally:
            await start.close()
        store = cls._of(home, faults, Documents(home, faults))
        await _load(store)
        return store

    @classmethod
    async def look(cls, home: Home) -> Store:
        """Sessions and events as they are now, for whoever does not hold the lock.

        Nothing is made, healed, moved or written; what only the writer needs is not opened. Events that a
        crash left in a document alone are told at the next `open`. Raises `NotReady` like `open`.
        """
        faults = NoFaults()
        store = cls._of(home, faults, Documents(home, faults, reader=True))
        start = Lanes(1, "ao-start")
        try:
            await start.run("format", has_format, home)
        finally:
            await start.close()
        await store.log.look()
        store.damaged.extend(await store.fleet.look())
        store.policy.open()
        store.tokens.open()
        store.people.open()
        await store.links.open()
        loaded = await store.documents.load_all()
        store.sessions = loaded.sessions
        store.damaged.extend(loaded.damaged)
        return store

    @classmethod
    def _of(cls, home: Home, faults: Faults, documents: Documents) -> Store:
        log = EventLog(home.events, faults)
        fleet = FleetStore(home, faults)
        return cls(
            home=home,
            faults=faults,
            log=log,
            documents=documents,
            keeper=Keeper(documents, log),
            conversations=ConversationFiles(home, faults, documents.lanes),
            requests=Requests(home.requests, faults),
            audit=Audit(home.audit, faults),
            fleet=fleet,
            policy=KeptPolicy(fleet),
            tokens=KeptTokens(fleet),
            people=KeptPeople(fleet),
            links=KeptLinks(home.links),
            ids=Ids(home, faults),
        )

    async def close(self) -> None:
        """Finish what is being written and empty the outboxes. Raises `TemporaryError` when it cannot."""
        try:
            await self.keeper.flush()
        finally:
            for part in (
                self.ids,
                self.links,
                self.fleet,
                self.audit,
                self.requests,
                self.documents,
                self.log,
            ):
                await part.close()


async def _load(store: Store) -> None:
    for part in (store.log, store.requests, store.audit, store.fleet):
        store.damaged.extend(await part.open())
    store.policy.open()
    store.tokens.open()
    store.people.open()
    await store.links.open()
    loaded = await store.keeper.open()
    store.sessions = loaded.sessions
    store.damaged.extend(loaded.damaged)
