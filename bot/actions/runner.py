"""Runs requests: finds the verb, checks surface, role and head, then runs it. Every surface uses this."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bot.actions import registry
from bot.actions.action import Access as Needs
from bot.actions.action import Action, Bench, Confirmation, Context, Role, Scope
from bot.actions.place import place_of
from bot.chat.access import Access
from bot.chat.message import Message
from bot.chat.request import Request
from orchestrator.clock import Clock, SystemClock
from orchestrator.domain.rights import Allowed, Decision, Denied, People
from orchestrator.errors import BadInput, NotAllowed

if TYPE_CHECKING:
    from orchestrator.services.core import Core


class Actions:
    """The verbs over one fleet, or over a configuration alone."""

    def __init__(
        self,
        core: Core | None,
        *,
        bench: Bench | None = None,
        access: Access | None = None,
        clock: Clock | None = None,
    ) -> None:
        """One of `core` and `bench` must be there. Without a fleet only the owner of the machine is known."""
        if core is not None:
            bench = Bench(home=core.home, registry=core.registry, settings=core.settings)
        if bench is None:
            msg = "verbs need a fleet or a bench"
            raise TypeError(msg)
        self._bench = bench
        self._core = core
        settings = bench.settings
        self._access = access or Access(People if core is None else lambda: settings.people)
        self._clock = clock or SystemClock()

    def find(self, verb: str) -> Action:
        """The action of a verb or an alias. Raises `BadInput` for one that is not there."""
        words = verb.split()
        action, count = registry.find(words)
        if count != len(words):
            msg = f"There is no verb {verb!r}."
            raise BadInput(msg, next_step=f"There is {action.verb}.")
        return action

    @property
    def access(self) -> Access:
        """Who may do what, for front ends: who an identity is, and what they may see."""
        return self._access

    async def run(self, request: Request) -> Message:
        """Run a request. Raises `AoError`; nothing was done when it is `BadInput` or `NotAllowed`."""
        action = self.allowed(request)
        if action.confirmation is Confirmation.HEAD and not request.text("head"):
            msg = f"{action.verb} needs the head commit that you saw."
            raise BadInput(msg, next_step=f"{action.usage}; `ao status <session>` shows the head.")
        context = self._context(request)
        return await action.run(context, await self._permitted(context, action, request))

    async def preview(self, request: Request) -> Message:
        """The facts that are shown before a yes is asked; changes nothing. Raises `AoError`."""
        action = self.allowed(request)
        if action.preview is None:
            msg = f"{action.verb} asks for no confirmation."
            raise BadInput(msg, next_step="Run it as it is.")
        context = self._context(request)
        return await action.preview(context, await self._permitted(context, action, request))

    def allowed(self, request: Request) -> Action:
        """The request's action, if who asks may ask for it here in any project. Raises `AoError`.

        Whether they may in the very project is found out when it is run: that may need a look at the disk.
        """
        action = self.find(request.verb)
        if request.surface not in action.surfaces or action.access is Needs.MACHINE:
            where = ", ".join(sorted(surface.value for surface in action.surfaces))
            msg = f"{action.verb} cannot be asked for here."
            raise NotAllowed(msg, next_step=f"Only from: {where}.")
        needed = Role.VIEWER if action.requesters else action.role
        if action.scope is Scope.FLEET:
            self._insist(request, self._access.decide(request.who, needed, None, owners=action.owners))
        elif action.scope is not Scope.ANYBODY:
            self._insist(request, self._access.somewhere(request.who, needed, owners=action.owners))
        return action

    async def _permitted(self, context: Context, action: Action, request: Request) -> Request:
        """The request as whoever really asks, if they may in every project that it is about."""
        acting = replace(request, who=self._access.acting(request.who, request.surface))
        everywhere = self._access.decide(request.who, action.role, None, owners=action.owners)
        if action.scope is Scope.ANYBODY or isinstance(everywhere, Allowed):
            return acting
        place = await place_of(context, action, acting)
        own = place.asked_for_by is not None and self._access.people.same(place.asked_for_by, acting.who)
        needed = Role.VIEWER if action.requesters and own else action.role
        for project in place.projects:
            self._insist(request, self._access.decide(request.who, needed, project, owners=action.owners))
        return place.request

    def _insist(self, request: Request, decision: Decision) -> None:
        if isinstance(decision, Denied):
            verb = f"use `{request.verb}`" if " " in request.verb else request.verb
            msg = f"{request.who} may not {verb}: {decision.missing}."
            raise NotAllowed(msg, next_step=decision.next_step)

    def _context(self, request: Request) -> Context:
        return Context(
            bench=self._bench,
            fleet=self._core,
            now=self._clock.now(),
            sees=lambda project: self._access.sees(request.who, project),
        )
