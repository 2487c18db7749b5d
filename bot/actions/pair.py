"""`pair`: whoever has the code that `ao start` printed is the first admin."""

from __future__ import annotations

from bot.actions.action import Action, Argument, Context, Role, Scope
from bot.chat.message import Message
from bot.chat.request import Request, Surface


async def run(context: Context, request: Request) -> Message:
    """Only while nobody is known: later an admin adds people."""
    from orchestrator.services import people

    name = request.text("name") or request.called
    person = await people.pair(context.core, request.text("code"), by=request.who, name=name)
    return Message(
        title=f"👤 {person.handle} is admin in all projects, and the owner of the machine that ao runs on.",
        next_steps=("people add @ada operator", "status"),
        data={"name": person.handle},
    )


ACTION = Action(
    verb="pair",
    summary="be the first admin, by the code that `ao start` prints while nobody is known",
    role=Role.ADMIN,
    scope=Scope.ANYBODY,
    surfaces=frozenset({Surface.SLACK, Surface.DISCORD, Surface.WEB}),
    inverse="people rm",
    run=run,
    arguments=(
        Argument(name="code", help="the code: eight letters and digits", required=True),
        Argument(name="name", help="what you are to be called"),
    ),
    examples=("pair ABCD2345",),
)
