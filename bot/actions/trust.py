"""`trust`: let what a configuration runs and grants count, as the file is now."""

from __future__ import annotations

from bot.actions import facts
from bot.actions.action import Access, Action, Confirmation, Context, Role, Scope
from bot.chat.message import Field, Message
from bot.chat.request import Request, Surface


async def preview(context: Context, request: Request) -> Message:
    """What would run and what would be granted, word for word."""
    from orchestrator.services import trust

    bench = context.bench

    def missing() -> list[str]:
        settings = bench.settings.look().require()
        return trust.words(trust.missing(settings, bench.registry, trust.Trusted(bench.home)))

    found = await context.fleet.files.run("configuration", missing) if context.fleet else missing()
    rows = tuple(Field(str(number), words) for number, words in enumerate(found, 1))
    return facts.plain(request, f"Trust {bench.settings.path} as it is now?", *rows)


async def run(context: Context, request: Request) -> Message:
    """Bound to the files' contents: an edit ends it."""
    from orchestrator.services import configuration, trust

    del request
    if context.fleet:
        allowed = await configuration.trust(context.fleet)
    else:
        bench = context.bench
        settings = bench.settings.look().require()
        allowed = trust.words(trust.trust(settings, bench.registry, trust.Trusted(bench.home)))
    title = "🔏 Trusted." if allowed else "Nothing in it needs trust, or it is trusted already."
    return Message(title=title, lines=tuple(allowed), data={"allowed": list(allowed)})


ACTION = Action(
    verb="trust",
    summary="let what the configuration runs and grants count, as the file is now",
    role=Role.ADMIN,
    scope=Scope.FLEET,
    owners=True,
    access=Access.CONFIGURATION,
    surfaces=frozenset({Surface.SHELL}),
    confirmation=Confirmation.FACTS,
    preview=preview,
    run=run,
    examples=("trust",),
)
