"""Runs requests: finds the verb, checks surface, role and head, then runs it. Every surface uses this."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from bot.actions import registry
from bot.actions.action import Access, Action, Bench, Confirmation, Context, Role
from bot.chat.message import Message
from bot.chat.request import Request
from orchestrator.clock import Clock, SystemClock
from orchestrator.domain.person import ActorKind
from orchestrator.errors import BadInput, NotAllowed

if TYPE_CHECKING:
    from orchestrator.services.core import Core

RoleOf: TypeAlias = Callable[[Request], Role | None]
"""The role in which a request is made; None has no rights at all."""


def owner_alone(request: Request) -> Role | None:
    """Rights where no people are configured: whoever runs `ao start` may do everything."""
    return Role.ADMIN if request.who.kind is ActorKind.OWNER else None


class Actions:
    """The verbs over one fleet, or over a configuration alone."""

    def __init__(
        self,
        core: Core | None,
        *,
        bench: Bench | None = None,
        role_of: RoleOf = owner_alone,
        clock: Clock | None = None,
    ) -> None:
        """One of `core` and `bench` must be there."""
        if core is not None:
            bench = Bench(home=core.home, registry=core.registry, settings=core.settings)
        if bench is None:
            msg = "verbs need a fleet or a bench"
            raise TypeError(msg)
        self._bench = bench
        self._core = core
        self._role_of = role_of
        self._clock = clock or SystemClock()

    def find(self, verb: str) -> Action:
        """The action of a verb or an alias. Raises `BadInput` for one that is not there."""
        words = verb.split()
        action, count = registry.find(words)
        if count != len(words):
            msg = f"There is no verb {verb!r}."
            raise BadInput(msg, next_step=f"There is {action.verb}.")
        return action

    async def run(self, request: Request) -> Message:
        """Run a request. Raises `AoError`; nothing was done when it is `BadInput` or `NotAllowed`."""
        action = self.allowed(request)
        if action.confirmation is Confirmation.HEAD and not request.text("head"):
            msg = f"{action.verb} needs the head commit that you saw."
            raise BadInput(msg, next_step=f"{action.usage}; `ao status <session>` shows the head.")
        return await action.run(self._context(), request)

    async def preview(self, request: Request) -> Message:
        """The facts that are shown before a yes is asked; changes nothing. Raises `AoError`."""
        action = self.allowed(request)
        if action.preview is None:
            msg = f"{action.verb} asks for no confirmation."
            raise BadInput(msg, next_step="Run it as it is.")
        return await action.preview(self._context(), request)

    def allowed(self, request: Request) -> Action:
        """The request's action, if it may be asked for here by whoever asks. Raises `AoError`."""
        action = self.find(request.verb)
        if request.surface not in action.surfaces or action.access is Access.MACHINE:
            where = ", ".join(sorted(surface.value for surface in action.surfaces))
            msg = f"{action.verb} cannot be asked for here."
            raise NotAllowed(msg, next_step=f"Only from: {where}.")
        role = self._role_of(request)
        if role is None or not role.covers(action.role):
            msg = f"{request.who} may not {action.verb}: that needs the role {action.role.value}."
            raise NotAllowed(msg, next_step="Ask an admin of the project.")
        return action

    def _context(self) -> Context:
        return Context(bench=self._bench, fleet=self._core, now=self._clock.now())
