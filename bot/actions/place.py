"""In which project somebody asks for something: that of its session, of its argument, or of its place."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bot.actions.action import Action, Context, Kind, Scope
from bot.actions.target import project_of, session_of, spelled
from bot.chat.request import Request
from orchestrator.errors import NotFound

if TYPE_CHECKING:
    from orchestrator.domain.person import Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What a request is about."""

    projects: tuple[str | None, ...]
    """The role is needed in each; None stands for all. Nothing: in any."""
    request: Request
    """The same, its session named so that nobody else's can take its place meanwhile."""
    asked_for_by: Actor | None = None
    """Who asked for the session that it is about."""


async def place_of(context: Context, action: Action, request: Request) -> Place:
    """Find it. Raises `BadInput`, `NotFound` as the verb itself would."""
    if action.scope is Scope.FLEET or (action.scope is Scope.PROJECT and request.flag("all")):
        return Place(projects=(None,), request=request)
    if action.project is not None:
        return Place(projects=(await action.project(context, request),), request=request)
    named = {argument.kind: argument.name for argument in action.arguments}
    projects = [spelled(context, text) for text in [request.text(named.get(Kind.PROJECT, ""))] if text]
    session = named.get(Kind.SESSION, "")
    if session and (request.text(session) or request.session):
        return await _of_session(context, request, session, projects)
    if projects:
        return Place(projects=tuple(projects), request=request)
    return Place(projects=_elsewhere(context, action, request, named), request=request)


async def _of_session(context: Context, request: Request, name: str, projects: list[str]) -> Place:
    from orchestrator.services import damaged

    try:
        found = await session_of(context, request, name)
    except NotFound:
        lost = await damaged.named(context.core, request.target(name))
        if lost is None:
            raise
        return Place(projects=(*projects, lost.project), request=request)
    bound = {**request.arguments, name: found.id} if request.text(name) else request.arguments
    return Place(
        projects=(*projects, found.project),
        request=replace(request, arguments=bound),
        asked_for_by=found.created_by,
    )


def _elsewhere(
    context: Context, action: Action, request: Request, named: dict[Kind, str]
) -> tuple[str | None, ...]:
    """Neither a session nor a project is named."""
    if action.scope is Scope.SEEN:
        return (spelled(context, request.project),) if request.project and context.fleet else ()
    if Kind.PROJECT in named:
        return (project_of(context, request, named[Kind.PROJECT]),)
    if Kind.SESSION in named:
        request.target(named[Kind.SESSION])
    return (None,)
