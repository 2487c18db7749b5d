"""`config show`: the configuration with every default, secrets hidden."""

from __future__ import annotations

from bot.actions.action import Access, Action, Context, Role, Scope
from bot.chat.message import Message
from bot.chat.request import Request, Surface


async def run(context: Context, request: Request) -> Message:
    """As it counts now; without a running fleet as it would count."""
    from orchestrator.settings.show import show

    del request
    settings = context.bench.settings
    now = context.core.settings.now if context.fleet else settings.look().require()
    text = show(now)
    return Message(
        title=f"# {settings.path}", lines=tuple(text.splitlines()), verbatim=True, data={"yaml": text}
    )


ACTION = Action(
    verb="config show",
    summary="show the configuration as it counts, with every default, secrets hidden",
    role=Role.ADMIN,
    scope=Scope.FLEET,
    access=Access.CONFIGURATION,
    surfaces=frozenset({Surface.SHELL, Surface.API}),
    run=run,
    examples=("config show",),
)
