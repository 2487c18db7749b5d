"""All the looking, in batches. Never raises for one session: a failed look is a value with a reason."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from orchestrator.domain.ids import SessionId
from orchestrator.domain.look import Look, Seen, Unseen
from orchestrator.domain.pull_request import PullRequest
from orchestrator.domain.session import Session
from orchestrator.lifecycle.looks import Due
from orchestrator.lifecycle.observation import Observation
from orchestrator.lifecycle.world import World
from orchestrator.ports.agent import AgentLook, AgentView
from orchestrator.ports.runtime import RuntimeLook
from orchestrator.ports.workspace import WorkspaceLook, WorkspaceView

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


def _by_part(
    sessions: Sequence[Session], part: Callable[[Session], P]
) -> tuple[dict[int, tuple[P, list[Session]]], Answers[object]]:
    """Group by plugin instance; a plugin that cannot be made is a failed look."""
    groups: dict[int, tuple[P, list[Session]]] = {}
    failed: Answers[object] = {}
    for session in sessions:
        try:
            instance = part(session)
        except Exception as error:  # noqa: BLE001 - a plugin's defect is a failed look, with its words
            failed[session.id] = Unseen(_words(error))
            continue
        groups.setdefault(id(instance), (instance, []))[1].append(session)
    return groups, failed


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
    groups, failed = _by_part(sessions, world.runtime)
    answers: Answers[RuntimeLook] = dict(failed)  # type: ignore[arg-type]  # only Unseen in it
    for runtime, group in groups.values():
        refs = [world.ref(s) for s in group]
        needed = screens & {s.id for s in group}
        answers |= await _bounded(group, lambda r=runtime, f=refs, n=needed: r.observe(f, n))  # type: ignore[misc]
    return answers


async def _agents(
    world: World, sessions: Sequence[Session], terminals: Answers[RuntimeLook]
) -> Answers[AgentLook]:
    seen = [s for s in sessions if isinstance(terminals.get(s.id), Seen)]
    groups, failed = _by_part(seen, world.agent)
    answers: Answers[AgentLook] = dict(failed)  # type: ignore[arg-type]  # only Unseen in it
    for agent, group in groups.values():
        views = []
        for session in group:
            look = terminals[session.id]
            assert isinstance(look, Seen)  # noqa: S101 - `seen` holds no other
            views.append(
                AgentView(session=world.ref(session), place=await world.place(session), runtime=look.value)
            )
        answers |= await _bounded(group, lambda a=agent, v=views: a.observe(v))  # type: ignore[misc]
    return answers


async def _workspaces(world: World, sessions: Sequence[Session]) -> Answers[WorkspaceLook]:
    groups, failed = _by_part(sessions, world.workspace)
    answers: Answers[WorkspaceLook] = dict(failed)  # type: ignore[arg-type]  # only Unseen in it
    for workspace, group in groups.values():
        views = [WorkspaceView(session=world.ref(s), place=await world.place(s)) for s in group]
        answers |= await _bounded(group, lambda w=workspace, v=views: w.observe(v))  # type: ignore[misc]
    return answers


async def _forge(world: World, sessions: Sequence[Session]) -> Answers[PullRequest | None]:
    groups, failed = _by_part(sessions, world.scm)
    answers: Answers[PullRequest | None] = dict(failed)  # type: ignore[arg-type]  # only Unseen in it
    for scm, group in groups.values():
        refs = [world.ref(s) for s in group]
        answers |= await _bounded(group, lambda c=scm, f=refs: c.observe(f))  # type: ignore[misc]
    return answers
