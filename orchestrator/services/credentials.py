"""Credentials of ours that an outside service does not take any more: said wherever people look, and told once."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from orchestrator.domain.event import Event, Level
from orchestrator.domain.ids import ProjectId
from orchestrator.lifecycle.announcer import Positions
from orchestrator.ports.account import AccountState, HasAccounts
from orchestrator.services.core import Core

log = logging.getLogger(__name__)
KEY = "refused_accounts"
"""By account: when it was first refused (epoch seconds)."""


def words(core: Core) -> tuple[str, ...]:
    """What is not taken now, one sentence for each account."""
    return tuple(state.refused for state in _states(core).values() if state.refused)


class Credentials:
    """Looked at after every round. What was told is kept, so that a restart tells it neither twice nor never."""

    def __init__(self, core: Core, kept: Positions) -> None:
        self._core = core
        self._kept = kept

    async def look(self) -> None:
        """Tell of each account that is refused, and of each that is let in again."""
        known: dict[str, float] = dict(self._kept.get(KEY, {}))
        after, now = dict(known), self._core.clock.now()
        for name, state in _states(self._core).items():
            if state.refused and name not in known:
                after[name] = now
                await self._core.fleet.tell_once(self._event(state, now))
            elif not state.refused and name in known:
                del after[name]
                await self._core.fleet.tell_once(self._event(state, known[name]))
        if after != known:
            await self._kept.set(KEY, after)

    def _event(self, state: AccountState, since: float) -> Event:
        over = not state.refused
        return Event(
            id=f"forge:{state.name}:{int(1000 * since)}{':over' if over else ''}",
            type="forge.let_in" if over else "forge.refused",
            at=self._core.clock.now(),
            project=self._project(state.repository),
            text=f"{state.name} is taken again" if over else state.refused,
            level=Level.INFO if over else Level.ACTION,
            data={"account": state.name},
        )

    def _project(self, repository: str) -> ProjectId:
        """The first project of that repository, else the first of all."""
        settings = self._core.settings.now
        names = settings.project_ids
        fitting = (n for n in names if settings.project(n).repo.lower() == repository.lower())
        return next(fitting, next(iter(names), ProjectId("")))


def _states(core: Core) -> dict[str, AccountState]:
    """By name; several plugins may use one account, and what one of them is refused counts."""
    found: dict[str, AccountState] = {}
    for made in core.registry.made():
        for state in _of(made):
            known = found.get(state.name)
            if known is None or (state.refused and not known.refused):
                found[state.name] = state
    return found


def _of(made: object) -> Iterator[AccountState]:
    if not isinstance(made, HasAccounts):
        return
    try:
        yield from made.accounts()
    except Exception:  # a plugin's defect hides its own accounts and no session
        log.exception("a plugin cannot say whether it is let in")
