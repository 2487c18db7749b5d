"""Deliveries of webhooks, taken: verified by the project's scm, kept, and the sessions concerned are woken.

Nothing is asked outside here: a delivery only means that somebody looks sooner.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from orchestrator.domain.ids import ProjectId
from orchestrator.errors import AoError, BadInput, NotAllowed, NotFound, TemporaryError
from orchestrator.ports.scm import SCM, Heard, Hears
from orchestrator.services import hook_secret
from orchestrator.services.core import Core
from orchestrator.services.hook_news import Outcome
from orchestrator.settings.effective import Settings
from orchestrator.storage.deliveries import Deliveries, Taken
from orchestrator.storage.lanes import Lanes

LARGE = 64 * 1024
"""Bytes from which a body is read in a thread: below, it takes less than a millisecond."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A project that deliveries of a path may be for."""

    project: ProjectId
    most: int
    """Bytes that a delivery may have."""
    named: bool = False
    """The path is this project's alone."""


class Receiver:
    """Takes deliveries for the whole fleet. `open` it before use."""

    def __init__(self, core: Core, deliveries: Deliveries) -> None:
        self._core = core
        self._deliveries = deliveries
        self._lanes = Lanes(1, "ao-webhooks")

    async def open(self) -> None:
        """Read what was taken before, and the secret that we made. Raises `NotReady`, `TemporaryError`."""
        core = self._core
        core.store.damaged.extend(await self._deliveries.open(core.clock.now()))
        core.hooks.secrets = await self._lanes.run("secret", hook_secret.read, core.home)
        for project, taken in self._deliveries.newest().items():
            core.hooks.took(ProjectId(project), taken.event, taken.at)

    async def close(self) -> None:
        """Finish what is being kept."""
        await self._deliveries.close()
        await self._lanes.close()

    def ways(self, path: str) -> Sequence[Way]:
        """The projects whose deliveries come to this path; none for any other path."""
        return tuple(_ways(self._core.settings.now, path))

    async def receive(self, ways: Sequence[Way], headers: Mapping[str, str], body: bytes) -> Outcome:
        """Take one delivery; what comes back, `TAKEN` or `REPEATED`, is on the disk.

        Raises `NotAllowed` for what nobody of ours signed, `BadInput` for what cannot be read, `NotFound` for
        another repository's, `TemporaryError` when it could not be kept: it was obeyed all the same.
        """
        refused: list[AoError] = []
        outcomes: list[Outcome] = []
        for way in ways:
            try:
                scm = self._scm(way.project)
                heard = await self._hear(scm, way, headers, body)
            except AoError as error:
                refused.append(error)
                continue
            outcomes.append(await self._take(scm, way.project, heard))
        if not outcomes:
            raise _most_telling(refused)
        return Outcome.TAKEN if Outcome.TAKEN in outcomes else Outcome.REPEATED

    def _scm(self, project: ProjectId) -> Hears:
        settings, registry = self._core.settings, self._core.registry
        name = settings.parts(project).scm
        scm = registry.create(SCM, name, settings.options(project, "scm", name))
        if not isinstance(scm, Hears):
            msg = f"{name} knows no webhooks."
            raise NotFound(msg)
        return scm

    async def _hear(self, scm: Hears, way: Way, headers: Mapping[str, str], body: bytes) -> Heard:
        known = self._core.settings.project(way.project)
        secrets = hook_secret.of_project(self._core, way.project)
        hear = partial(scm.hear, known, headers, body, secrets, named=way.named)
        return await self._lanes.run("reading", hear) if len(body) > LARGE else hear()

    async def _take(self, scm: Hears, project: ProjectId, heard: Heard) -> Outcome:
        hooks, now = self._core.hooks, self._core.clock.now()
        try:
            is_new = await self._deliveries.keep(
                Taken(project=project, id=heard.id, event=heard.event, at=now)
            )
        except TemporaryError:
            self._obey(scm, project, heard, now)
            hooks.count(Outcome.FAILED, heard.event)
            raise
        if not is_new:
            hooks.count(Outcome.REPEATED, heard.event)
            return Outcome.REPEATED
        self._obey(scm, project, heard, now)
        hooks.count(Outcome.TAKEN, heard.event)
        return Outcome.TAKEN

    def _obey(self, scm: Hears, project: ProjectId, heard: Heard, now: float) -> None:
        scm.take(heard)
        self._core.hooks.took(project, heard.event, now)
        for session in heard.sessions:
            self._core.fleet.forge_told(session)
        for came in tuple(self._core.hooks.deliveries_came):
            came(project, heard.event)
        if heard.issues:
            for told in self._core.hooks.issues_changed:
                told(project)


def _ways(settings: Settings, path: str) -> Iterator[Way]:
    block = settings.config.webhooks
    if block is None:
        return
    for project in settings.project_ids:
        keys = settings.keys(project)
        own = keys.scm.webhook if keys.scm else None
        if own is not None and not own.enabled:
            continue
        usual = f"{block.path}/{settings.plugin(project, 'scm').name}"
        if path in {usual, f"{usual}/{project}"} or (own is not None and path == own.path):
            most = own.max_body_bytes if own is not None and own.max_body_bytes else int(block.max_body_bytes)
            yield Way(project=project, most=most, named=path != usual)


def _most_telling(errors: Sequence[AoError]) -> AoError:
    """Of several projects' refusals: who signed it knows more of it than who did not."""
    for kind in (TemporaryError, BadInput, NotFound, NotAllowed):
        for error in errors:
            if isinstance(error, kind):
                return error
    return errors[0]


def rows(core: Core) -> list[tuple[str, str]]:
    """Each project whose scm can be told by webhooks, and how that does; nothing where nobody listens."""
    settings = core.settings.now
    block = settings.config.webhooks
    if block is None or not core.hooks.address:
        return []
    now = core.clock.now()
    return [
        (project, core.hooks.row(project, now))
        for project in settings.project_ids
        if any(way.project == project for way in _ways(settings, address(settings, project)))
        and _hears(core, project)
    ]


def address(settings: Settings, project: ProjectId) -> str:
    """The path of a project's deliveries: `/hooks/github/demo`."""
    block = settings.config.webhooks
    return f"{block.path if block else ''}/{settings.plugin(project, 'scm').name}/{project}"


def _hears(core: Core, project: ProjectId) -> bool:
    name = core.settings.parts(project).scm
    try:
        return isinstance(core.registry.create(SCM, name, core.settings.options(project, "scm", name)), Hears)
    except AoError:
        return False
