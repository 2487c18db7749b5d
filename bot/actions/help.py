"""`help`: the verbs, or one of them."""

from __future__ import annotations

from bot.actions import registry
from bot.actions.action import Access, Action, Argument, Context, Kind, Role, Scope, is_option
from bot.chat.message import Field, Message, Table
from bot.chat.request import Request


async def run(context: Context, request: Request) -> Message:
    """What can be asked for where it is asked."""
    del context
    words = request.text("verb").split()
    if words:
        action, _ = registry.find(words)
        return of_action(action)
    rows = tuple(
        (action.usage, action.summary)
        for action in registry.all_actions()
        if request.surface in action.surfaces
    )
    return Message(title="What can be asked", table=Table(("verb", "what it does"), rows, wrap=True))


def of_action(action: Action) -> Message:
    """One verb in full."""
    fields = [
        Field(f"--{argument.name}" if is_option(argument) else f"<{argument.name}>", argument.help)
        for argument in action.arguments
    ]
    if action.aliases:
        fields.append(Field("also", ", ".join(action.aliases)))
    if action.inverse:
        fields.append(Field("taken back by", action.inverse))
    return Message(
        title=f"ao {action.usage}",
        lines=(action.summary[0].upper() + action.summary[1:] + ".",),
        fields=tuple(fields),
        next_steps=action.examples,
    )


ACTION = Action(
    verb="help",
    summary="list the verbs, or explain one",
    role=Role.VIEWER,
    scope=Scope.SEEN,
    access=Access.FILES,
    run=run,
    arguments=(Argument(name="verb", help="the verb", kind=Kind.TEXT),),
    examples=("help merge",),
)
