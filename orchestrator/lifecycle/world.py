"""The outside as the lifecycle meets it: each session's plugins, its place and its environment."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Protocol, TypeVar, cast

from orchestrator.clock import Clock
from orchestrator.domain.ids import ProjectId, SessionId
from orchestrator.domain.project import Project
from orchestrator.domain.pull_request import Approving, PullRequest
from orchestrator.domain.rules import Rules
from orchestrator.domain.session import Session
from orchestrator.errors import NotAllowed
from orchestrator.lifecycle.as_person import Links
from orchestrator.lifecycle.environment import Ours, search_path, session_environment
from orchestrator.ports.agent import AGENT, Agent
from orchestrator.ports.place import Place
from orchestrator.ports.plugin import Slot
from orchestrator.ports.runtime import RUNTIME, Runtime
from orchestrator.ports.scm import SCM, Credential, Scm
from orchestrator.ports.session_ref import SessionRef
from orchestrator.ports.tracker import TRACKER, Tracker
from orchestrator.ports.workspace import WORKSPACE, Workspace
from orchestrator.registry import Registry
from orchestrator.storage.lanes import Lanes

T = TypeVar("T")


class Config(Protocol):
    """What the lifecycle reads of the configuration; always the newest good one."""

    def project(self, project: ProjectId) -> Project:
        """The project. Raises `NotFound`."""

    def rules(self, project: ProjectId) -> Rules:
        """Reactions and thresholds, with every override merged in. Raises `NotFound`."""

    def options(self, project: ProjectId, slot: str, name: str) -> Mapping[str, object]:
        """The block of the configuration that is for this plugin of the project."""

    def agent_rules(self, project: ProjectId) -> str:
        """`agentRules` and the text of `agentRulesFile`."""

    async def end_session(self, session: SessionId) -> None:
        """Let go what was allowed in this session alone. Raises `TemporaryError`."""


class World:
    """Finds the plugins of a session. Instances with equal options are one and the same."""

    def __init__(
        self,
        *,
        registry: Registry,
        config: Config,
        clock: Clock,
        ours: Ours,
        projects: Path,
        files: Lanes,
    ) -> None:
        self.registry = registry
        self.config = config
        self.clock = clock
        self._ours = ours
        self._projects = projects
        self.files = files
        """Threads for reading files of the configuration: never on the loop, never the loop's own."""
        self._links: Links | None = None
        self._places: dict[SessionId, Place] = {}
        self._refs: dict[SessionId, tuple[tuple[object, ...], SessionRef]] = {}
        self._made: dict[tuple[str, ProjectId, str], tuple[object, object]] = {}

    def use_links(self, links: Links) -> None:
        """Act as people who are linked, from now on; until then everything is done as ourselves."""
        self._links = links

    def has_program(self, program: str) -> bool:
        """Whether sessions find this program. Reads the disk: not for the loop.

        One that is relative to a workspace nobody knows yet.
        """
        if "/" in program and not program.startswith("/"):
            return True
        return shutil.which(program, path=search_path(self._ours)) is not None

    def ref(self, session: Session) -> SessionRef:
        """The session as ports are told of it. Made anew only when something in it changed."""
        project, place = self.config.project(session.project), self._places.get(session.id)
        made_from = (project, place, session.branch, session.workspace, session.task)
        known = self._refs.get(session.id)
        if known is None or known[0] != made_from:
            known = self._refs[session.id] = (made_from, self._new_ref(session, project, place))
        return known[1]

    def _new_ref(self, session: Session, project: Project, place: Place | None) -> SessionRef:
        folder = self._projects / session.project / "sessions" / session.id
        inside = place.folder if place is not None else str(folder)
        return SessionRef(
            id=session.id,
            project=project,
            folder=folder,
            branch=session.branch,
            workspace=session.workspace,
            environment=session_environment(
                self._ours,
                project=project,
                session=session,
                folder=inside,
            ),
        )

    async def place(self, session: Session) -> Place:
        """The session's place, kept while the session lives."""
        place = self._places.get(session.id)
        if place is None:
            place = await self.runtime(session).place(self.ref(session))
            self._places[session.id] = place
        return place

    def forget(self, session: SessionId) -> None:
        """The session has ended: let its place go."""
        self._places.pop(session, None)
        self._refs.pop(session, None)

    def _make(self, slot: Slot[T], project: ProjectId, name: str) -> T:
        key, options = (slot.name, project, name), self.config.options(project, slot.name, name)
        known = self._made.get(key)
        if known is None or known[0] != options:
            known = self._made[key] = (options, self.registry.create(slot, name, options))
        return cast("T", known[1])

    def runtime(self, session: Session) -> Runtime:
        """What holds its terminal."""
        return self._make(RUNTIME, session.project, session.parts.runtime)

    def runtimes(self) -> list[Runtime]:
        """Every runtime that was used since the start."""
        return [made for made in self.registry.made() if isinstance(made, Runtime)]

    def agent(self, session: Session) -> Agent:
        """How its agent is driven."""
        return self._make(AGENT, session.project, session.parts.agent)

    def workspace(self, session: Session) -> Workspace:
        """What makes its files."""
        return self._make(WORKSPACE, session.project, session.parts.workspace)

    def scm(self, session: Session) -> Scm:
        """Where it is pushed and merged."""
        return self._make(SCM, session.project, session.parts.scm)

    async def credential(self, session: Session, who: str) -> Credential | None:
        """With what we act as a person on the session's forge; None: as ourselves. Raises like `Links`."""
        if self._links is None:
            return None
        project = self.config.project(session.project)
        return await self._links.credential(self.scm(session), project, who, self.clock.now())

    async def signed_out(self, session: Session, who: str) -> NotAllowed:
        """The forge does not take what we have of a person: forget it; the error that says so."""
        if self._links is None:
            return NotAllowed(f"{who} is not signed in.", session=session.id)
        project = self.config.project(session.project)
        return await self._links.over(self.scm(session), project, who)

    def shown(self, session: Session, pull: PullRequest | None) -> PullRequest | None:
        """A pull request as the forge has it, with what we know of approvals there."""
        if pull is None or self._links is None:
            return pull
        project = self.config.project(session.project)
        if not self._links.only_here(self.scm(session), project, pull.author):
            return replace(pull, approving=Approving.COUNTS)
        asked = self.config.rules(session.project).approvals
        return replace(pull, approving=Approving.HERE if asked else Approving.NOWHERE)

    def tracker(self, session: Session) -> Tracker:
        """Where its issue is."""
        return self._make(TRACKER, session.project, session.parts.tracker)
