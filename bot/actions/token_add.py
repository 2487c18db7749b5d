"""`token add`: a personal token, for a colleague's shell or a program."""

from __future__ import annotations

from bot.actions.action import Action, Argument, Context, Kind, Role, Scope
from bot.actions.token_ls import token_data, until
from bot.chat.message import Field, Message
from bot.chat.request import Request, Surface
from orchestrator.errors import BadInput


async def run(context: Context, request: Request) -> Message:
    """Keep it by its digest: the token itself is made by whoever asks, and is seen nowhere else."""
    from orchestrator.domain.token import DAYS
    from orchestrator.services import tokens

    digest = request.text("digest")
    if not digest:
        msg = (
            "token add needs digest: the SHA-256 of a token that you made (ao_ and 43 letters of base64url)."
        )
        raise BadInput(msg, next_step="In a shell, `ao token add` makes and prints one.")
    token = await tokens.add(
        context.core,
        digest.lower(),
        person=request.text("for"),
        label=request.text("label"),
        days=request.number("days", DAYS),
        by=request.who,
    )
    return Message(
        title=f"🔑 Token {token.id} is for {token.person or 'the owner'}.",
        fields=(
            Field("label", token.label or "-"),
            Field("until", until(token.expires)),
        ),
        next_steps=(f"token rm {token.id}",),
        data=token_data(token),
    )


ACTION = Action(
    verb="token add",
    aliases=("tokens add",),
    summary="make a personal token for `ao --server` or a program; it is printed once",
    role=Role.VIEWER,
    scope=Scope.SEEN,
    owners=True,
    run=run,
    surfaces=frozenset({Surface.SHELL, Surface.API}),
    arguments=(
        Argument(
            name="for",
            help="whose rights it has: somebody of `people`; yours if left out, others' need an admin",
            option=True,
        ),
        Argument(name="label", help="what it is for", option=True),
        Argument(
            name="days",
            help="days until it expires, 90 if left out; 0 is never",
            kind=Kind.NUMBER,
            option=True,
        ),
        Argument(name="digest", help="the SHA-256 of a token that a program made itself", option=True),
    ),
    inverse="token rm",
    examples=("token add", "token add --for ada --label laptop --days 30"),
)
