"""Terminal `none`: opens nothing and says what to type. For servers, and where nothing else is configured."""

from __future__ import annotations

from collections.abc import Sequence

from typing_extensions import override

from orchestrator.domain.ids import SessionId
from orchestrator.ports.plugin import Options, Plugin, PluginContext
from orchestrator.ports.terminal import TERMINAL, Attach, Terminal
from plugins._shared import opening


class NoTerminal(Terminal):
    """No terminal."""

    @override
    async def open(self, what: Attach) -> str:
        reason = "no terminal is configured to be opened."
        raise opening.not_ready(reason, [what])

    @override
    async def open_all(self, what: Sequence[Attach]) -> str:
        if not what:
            return "nothing to open"
        reason = "no terminal is configured to be opened."
        raise opening.not_ready(reason, what)

    @override
    async def is_open(self, session: SessionId) -> bool:
        return False


def _create(options: Options, context: PluginContext) -> NoTerminal:
    del options, context
    return NoTerminal()


PLUGIN = Plugin(
    slot=TERMINAL, name="none", summary="opens nothing; says which command attaches", create=_create
)
