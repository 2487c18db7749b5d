"""`token ls`: personal tokens, by whom they are used; never the tokens themselves."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bot.actions.action import Access, Action, Context, Role, Scope
from bot.chat.message import Json, Message, Table
from bot.chat.request import Request, Surface

if TYPE_CHECKING:
    from orchestrator.domain.token import PersonalToken


async def run(context: Context, request: Request) -> Message:
    """One's own; an admin of all projects sees all."""
    from orchestrator.services import tokens

    found = tokens.listed(context.core, request.who)
    rows = tuple(
        (
            one.id,
            one.person or "owner",
            one.label or "-",
            _day(one.made),
            _day(one.used) if one.used else "never",
            _state(one, context.now, known=tokens.known(context.core, one)),
        )
        for one in found
    )
    data: list[Json] = [
        {**token_data(one), "counts": one.holds(context.now) and tokens.known(context.core, one)}
        for one in found
    ]
    return Message(
        title=f"{len(found)} token{'' if len(found) == 1 else 's'}",
        table=Table(("id", "person", "label", "made", "last used", "until"), rows, cut=("label",))
        if rows
        else None,
        next_steps=("token add",) if not rows else (),
        data={"tokens": data},
    )


def token_data(token: PersonalToken) -> dict[str, Json]:
    """A token for programs."""
    return {
        "id": token.id,
        "person": token.person or "owner",
        "label": token.label,
        "by": token.by,
        "made": token.made,
        "used": token.used or None,
        "expires": token.expires or None,
    }


def _state(token: PersonalToken, now: float, *, known: bool) -> str:
    if not known:
        return f"counts no more: nobody knows {token.person}"
    return until(token.expires) if token.holds(now) else "expired"


def until(expires: float) -> str:
    """The day on which it expires."""
    return _day(expires) if expires else "taken back"


def _day(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d")


ACTION = Action(
    verb="token ls",
    aliases=("token list", "tokens", "tokens ls"),
    summary="list personal tokens: whose, what for, when last used, until when",
    role=Role.VIEWER,
    scope=Scope.SEEN,
    owners=True,
    access=Access.READS,
    surfaces=frozenset({Surface.SHELL, Surface.API, Surface.WEB}),
    run=run,
    examples=("token ls",),
)
