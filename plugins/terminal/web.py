"""Terminal `web`: the live terminal in the web console. Says its address; whoever follows it is logged in there."""

from __future__ import annotations

from collections.abc import Sequence

from typing_extensions import override

from orchestrator.domain.ids import SessionId
from orchestrator.ports.plugin import Options, Plugin, PluginContext
from orchestrator.ports.terminal import TERMINAL, Attach, Terminal
from plugins._shared import opening


class WebTerminal(Terminal):
    """A page, which opens nothing on this screen."""

    @override
    async def open(self, what: Attach) -> str:
        return await self.open_all([what])

    @override
    async def open_all(self, what: Sequence[Attach]) -> str:
        without = [each for each in what if not each.link]
        if without:
            reason = "no web console listens: `ao start` opens it, unless `console.listen` is off."
            raise opening.not_ready(reason, without)
        return "\n".join(f"{each.session}: {each.link}" for each in what) or "nothing to open"

    @override
    async def is_open(self, session: SessionId) -> bool:
        return False  # Who has which page open, only the console knows.


def _create(options: Options, context: PluginContext) -> WebTerminal:
    del options, context
    return WebTerminal()


PLUGIN = Plugin(
    slot=TERMINAL, name="web", summary="the live terminal in the web console, by its address", create=_create
)
