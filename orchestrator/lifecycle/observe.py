"""All the looking, in batches. Never raises for one session: a failed look is a value with a reason."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from orchestrator.domain.ids import SessionId
from orchestrator.domain.look import Look, Seen, Unseen
from orchestrator.domain.pull_request import PullRequest
from orchestrator.domain.session import Session
from orchestrator.lifecycle.looks import Due
from orchestrator.lifecycle.observation import Observation
from orchestrator.lifecycle.world import World
from orchestrator.ports.agent import Agent, AgentLook, AgentView
from orchestrator.ports.place import Place
from orchestrator.ports.runtime import Runtime, RuntimeLook
from orchestrator.ports.scm import Scm
from orchestrator.ports.workspace import Workspace, WorkspaceLook, WorkspaceView

T = TypeVar("T")
P = TypeVar("P")
Answers = dict[SessionId, Look[T]]

LIMIT = 20.0
"""Seconds that one batch of looks may take; then every look in it failed, with that reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A session and the looks that are due for it."""

    session: Session
    due: Due


async def observe(world: World, asked: Sequence[Asked]) -> dict[SessionId, Observation]:
    """Look at everything that is due. The slots are looked at beside each other."""
    terminals, forge, workspaces = await asyncio.gather(
        _terminals(world, [a.session for a in asked if a.due.runtime], _screens(world, asked)),
        _forge(world, [a.session for a in asked if a.due.forge]),
        _workspaces(world, [a.session for a in asked if a.due.workspace]),
    )
    agents = await _agents(world, [a.session for a in asked if a.due.agent], terminals)
    return {
        a.session.id: Observation(
            runtime=terminals.get(a.session.id),
            agent=agents.get(a.session.id),
            workspace=workspaces.get(a.session.id),
            pull_request=forge.get(a.session.id),
        )
        for a in asked
    }


def _screens(world: World, asked: Sequence[Asked]) -> frozenset[SessionId]:
    wanted: set[SessionId] = set()
    for a in asked:
        if not a.due.agent:
            continue
        try:
            if world.agent(a.session).needs_screen(world.ref(a.session)):
                wanted.add(a.session.id)
        except Exception:  # noqa: BLE001, S112 - the look at the agent itself will say what is wrong
            continue
    return frozenset(wanted)


async def _by_plugin(
    sessions: Sequence[Session],
    part: Callable[[Session], P],
    look: Callable[[P, list[Session]], Awaitable[Mapping[SessionId, Look[T]]]],
) -> Answers[T]:
    """One batch for each plugin instance, beside each other; a plugin that cannot be made is a failed look."""
    groups: dict[int, tuple[P, list[Session]]] = {}
    answers: Answers[T] = {}
    for session in sessions:
        try:
            instance = part(session)
        except Exception as error:  # noqa: BLE001 - a plugin's defect is a failed look, with its words
            answers[session.id] = Unseen(_words(error))
            continue
        groups.setdefault(id(instance), (instance, []))[1].append(session)
    batches = (_bounded(group, partial(look, instance, group)) for instance, group in groups.values())
    for batch in await asyncio.gather(*batches):
        answers |= batch
    return answers


async def _by_plugin_with_places(
    world: World,
    sessions: Sequence[Session],
    part: Callable[[Session], P],
    look: Callable[[P, list[tuple[Session, Place]]], Awaitable[Mapping[SessionId, Look[T]]]],
) -> Answers[T]:
    """The same where the look needs places: one that cannot be had is a failed look at its session alone."""
    found = await asyncio.gather(*(_bounded([s], partial(_place, world, s)) for s in sessions))
    places = {key: place for one in found for key, place in one.items()}
    unseen: Answers[T] = {key: place for key, place in places.items() if isinstance(place, Unseen)}

    async def with_places(instance: P, group: list[Session]) -> Mapping[SessionId, Look[T]]:
        there = ((s, places[s.id]) for s in group)
        return await look(instance, [(s, place.value) for s, place in there if isinstance(place, Seen)])

    return await _by_plugin([s for s in sessions if s.id not in unseen], part, with_places) | unseen


async def _place(world: World, session: Session) -> dict[SessionId, Look[Place]]:
    return {session.id: Seen(await world.place(session))}


def _words(error: BaseException) -> str:
    return str(error) or type(error).__name__


async def _bounded(
    sessions: Collection[Session], call: Callable[[], Awaitable[Mapping[SessionId, Look[T]]]]
) -> Answers[T]:
    """One batch: what it does not answer, or a failure of the whole, is a failed look for each."""
    try:
        async with asyncio.timeout(LIMIT):
            found = await call()
    except TimeoutError:
        return {s.id: Unseen(f"no answer within {LIMIT:.0f} s") for s in sessions}
    except Exception as error:  # noqa: BLE001 - a plugin's defect is a failed look, with its words
        return {s.id: Unseen(_words(error)) for s in sessions}
    return {s.id: found.get(s.id, Unseen("the look brought no answer for it")) for s in sessions}


async def _terminals(
    world: World, sessions: Sequence[Session], screens: frozenset[SessionId]
) -> Answers[RuntimeLook]:
    async def look(runtime: Runtime, group: list[Session]) -> Mapping[SessionId, Look[RuntimeLook]]:
        return await runtime.observe([world.ref(s) for s in group], screens & {s.id for s in group})

    return await _by_plugin(sessions, world.runtime, look)


async def _agents(
    world: World, sessions: Sequence[Session], terminals: Answers[RuntimeLook]
) -> Answers[AgentLook]:
    async def look(agent: Agent, group: list[tuple[Session, Place]]) -> Mapping[SessionId, Look[AgentLook]]:
        return await agent.observe(
            [
                AgentView(session=world.ref(s), place=place, runtime=terminal.value)
                for s, place in group
                if isinstance(terminal := terminals[s.id], Seen)
            ]
        )

    seen = [s for s in sessions if isinstance(terminals.get(s.id), Seen)]
    return await _by_plugin_with_places(world, seen, world.agent, look)


async def _workspaces(world: World, sessions: Sequence[Session]) -> Answers[WorkspaceLook]:
    async def look(
        workspace: Workspace, group: list[tuple[Session, Place]]
    ) -> Mapping[SessionId, Look[WorkspaceLook]]:
        return await workspace.observe(
            [WorkspaceView(session=world.ref(s), place=place) for s, place in group]
        )

    return await _by_plugin_with_places(world, sessions, world.workspace, look)


async def _forge(world: World, sessions: Sequence[Session]) -> Answers[PullRequest | None]:
    async def look(scm: Scm, group: list[Session]) -> Mapping[SessionId, Look[PullRequest | None]]:
        looks = await scm.observe([world.ref(s) for s in group])
        return {s.id: _shown(world, s, looks[s.id]) for s in group if s.id in looks}

    return await _by_plugin(sessions, world.scm, look)


def _shown(world: World, session: Session, look: Look[PullRequest | None]) -> Look[PullRequest | None]:
    return Seen(world.shown(session, look.value)) if isinstance(look, Seen) else look
