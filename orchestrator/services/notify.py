"""Send a test through the notifiers, and say of each whether it took it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from orchestrator.domain.event import Level
from orchestrator.domain.notification import Notification
from orchestrator.domain.person import Actor
from orchestrator.errors import AoError, NotFound
from orchestrator.ports.notifier import NOTIFIER
from orchestrator.services.core import Core
from orchestrator.settings.plugin_check import options_for
from orchestrator.settings.plugin_choice import PluginUse

LIMIT = 30.0
"""Seconds that one notifier may take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Whether one notifier took the test."""

    notifier: str
    ok: bool
    detail: str


async def test(core: Core, only: str, *, by: Actor) -> list[Outcome]:
    """Test every configured notifier, or with `only` the one of that name. Raises `NotFound` for a name that is none."""
    uses = core.settings.now.notifiers
    if only and only not in uses:
        msg = f"there is no notifier {only!r}."
        raise NotFound(msg, next_step=f"There are: {', '.join(uses) or 'none'}.")
    chosen = {name: use for name, use in uses.items() if only in {"", name}}
    now = core.clock.now()
    notification = Notification(
        key=f"test:{now}",
        level=Level.INFO,
        title="Test of a notifier",
        lines=(f"{by} sent this to see whether it arrives.",),
        event_type="notify.test",
        at=now,
    )
    return list(await asyncio.gather(*(_one(core, name, use, notification) for name, use in chosen.items())))


async def _one(core: Core, name: str, use: PluginUse, notification: Notification) -> Outcome:
    try:
        notifier = core.registry.create(NOTIFIER, use.name, options_for(use, core.registry))
        async with asyncio.timeout(LIMIT):
            delivered = await notifier.notify(notification)
    except TimeoutError:
        return Outcome(notifier=name, ok=False, detail=f"no answer within {LIMIT:.0f} s")
    except AoError as error:
        return Outcome(notifier=name, ok=False, detail=str(error))
    return Outcome(notifier=name, ok=True, detail=delivered.detail)
