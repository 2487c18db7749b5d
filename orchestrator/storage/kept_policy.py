"""What people decided for longer than one time: rules of "Allow always", and remembered answers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from typing import Any, TypeVar

from orchestrator.domain.activity import Verdict
from orchestrator.domain.ids import SessionId
from orchestrator.domain.policy import KeptRule, Remembered, parse
from orchestrator.errors import BadInput, NotFound
from orchestrator.storage.fleet import FleetStore

log = logging.getLogger(__name__)
RULES = "policy"
ANSWERS = "remembered"
MOST = 1000
"""Of each: all of them are written at each change, and looked through for each call."""
Kept = TypeVar("Kept", KeptRule, Remembered)


class KeptPolicy:
    """Two lists among the values of the fleet; read once, changed here only."""

    def __init__(self, fleet: FleetStore) -> None:
        self._fleet = fleet
        self._listeners: list[Callable[[], None]] = []
        self._changing = asyncio.Lock()
        self.rules: tuple[KeptRule, ...] = ()
        self.answers: tuple[Remembered, ...] = ()

    def open(self) -> None:
        """Take over what is kept. A row that is no rule gives no right: it is named in the log and left out."""
        self.rules = tuple(_read(self._fleet.get(RULES, ()), _rule))
        self.answers = tuple(_read(self._fleet.get(ANSWERS, ()), _answer))

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call `listener` whenever something was added or taken away."""
        self._listeners.append(listener)

    async def add(self, rule: KeptRule) -> None:
        """Keep a rule; one that is there already stays as it is. Raises `BadInput`, `TemporaryError`."""
        async with self._changing:
            if all(kept.id != rule.id for kept in self.rules):
                _room(len(self.rules))
                await self._set_rules((*self.rules, rule))

    async def remember(self, answer: Remembered) -> None:
        """Keep an answer, in place of an earlier one to the same dialog. Raises as `add` does."""
        async with self._changing:
            others = tuple(kept for kept in self.answers if kept.id != answer.id)
            _room(len(others))
            await self._set_answers((*others, answer))

    async def drop(self, name: str) -> KeptRule | Remembered:
        """Take one of either away by its id. Raises `NotFound`."""
        async with self._changing:
            for rule in self.rules:
                if rule.id == name:
                    await self._set_rules(tuple(kept for kept in self.rules if kept is not rule))
                    return rule
            for answer in self.answers:
                if answer.id == name:
                    await self._set_answers(tuple(kept for kept in self.answers if kept is not answer))
                    return answer
        msg = f"no rule {name!r} is kept."
        raise NotFound(msg, next_step="`ao rules` lists them; those of the configuration are edited there.")

    async def end_session(self, session: SessionId) -> None:
        """The session ends: what was allowed in it alone is allowed no more."""
        async with self._changing:
            left = tuple(kept for kept in self.rules if kept.scope != f"session:{session}")
            if left != self.rules:
                await self._set_rules(left)

    async def _set_rules(self, rules: tuple[KeptRule, ...]) -> None:
        await self._fleet.set(RULES, [asdict(rule) for rule in rules] or None)
        self.rules = rules
        self._changed()

    async def _set_answers(self, answers: tuple[Remembered, ...]) -> None:
        await self._fleet.set(ANSWERS, [asdict(answer) for answer in answers] or None)
        self.answers = answers
        self._changed()

    def _changed(self) -> None:
        for listener in self._listeners:
            listener()


def _room(kept: int) -> None:
    if kept >= MOST:
        msg = f"{MOST} are kept already."
        raise BadInput(
            msg, next_step="`ao rules rm` takes some away; or write a rule into the configuration."
        )


def _rule(row: Mapping[str, Any]) -> KeptRule:
    rule = KeptRule(**row)
    parse(Verdict.ALLOW, rule.rule)
    return rule


def _answer(row: Mapping[str, Any]) -> Remembered:
    return Remembered(**row)


def _read(rows: Iterable[Mapping[str, Any]], one: Callable[[Mapping[str, Any]], Kept]) -> Iterable[Kept]:
    for row in rows:
        try:
            yield one(row)
        except (TypeError, AttributeError, BadInput) as error:
            log.warning("a kept rule cannot be read and does not count: %s", error)
