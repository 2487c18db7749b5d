"""A JSON body, read into a request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bot.actions import grammar
from bot.actions.action import Action, Confirmation
from bot.actions.runner import Actions
from bot.chat.request import Request, Surface
from orchestrator.domain.person import Actor
from orchestrator.errors import BadInput


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Who asks, and from where."""

    who: Actor
    surface: Surface
    local: bool = False
    """A process of this machine's owner: its shell has verbs that the API has not."""


def read(
    actions: Actions, body: Mapping[str, object], by: Asker, *, key: str = "", at: float
) -> tuple[Action, Request]:
    """A request as it came, checked. Raises `AoError`: then nothing is kept and nothing was done."""
    verb, given = body.get("verb"), body.get("arguments", {})
    if not isinstance(verb, str) or not isinstance(given, dict):
        msg = "a request is {verb, arguments}."
        raise BadInput(msg)
    action = actions.find(verb)
    named = dict(given) | ({"head": body["head"]} if body.get("head") else {})
    request = Request(
        id="",
        who=by.who,
        surface=by.surface,
        verb=action.verb,
        at=at,
        arguments=grammar.check(action, named),
        key=key,
    )
    actions.allowed(request)
    if action.confirmation is Confirmation.HEAD and not body.get("preview") and not request.text("head"):
        msg = f"{action.verb} needs `head`: the commit that you saw."
        raise BadInput(msg)
    return action, request
