"""Machines for the shell's tests."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from typing_extensions import override

from bot.actions.action import Access, Bench
from bot.actions.runner import Actions
from bot.chat.request import Value
from bot.frontends.shell.machine import House, Machine, Surroundings


class NoMachine(Machine):
    """Fails whatever is asked of it."""

    @override
    async def serve(
        self, where: Surroundings, ready: Callable[[Path, Sequence[str], str], None]
    ) -> tuple[Sequence[str], Sequence[str]]:
        raise AssertionError(where)

    @override
    def embedded(self, where: Surroundings, access: Access) -> AbstractAsyncContextManager[House]:
        raise AssertionError(access)

    @override
    def play_demo(self, where: Surroundings, arguments: Mapping[str, Value]) -> int:
        raise AssertionError(arguments)

    @override
    def bench(self, where: Surroundings) -> Bench:
        raise AssertionError(where)


class Here(NoMachine, House):
    """Runs verbs in this process, and counts what was opened and settled."""

    def __init__(self, actions: Actions) -> None:
        self._actions = actions
        self.opened: list[Access] = []
        self.rested = 0

    @property
    @override
    def actions(self) -> Actions:
        return self._actions

    @property
    @override
    def troubles(self) -> Sequence[str]:
        return ("one file is broken",)

    @override
    def embedded(self, where: Surroundings, access: Access) -> AbstractAsyncContextManager[House]:
        self.opened.append(access)
        return self._open()

    @contextlib.asynccontextmanager
    async def _open(self) -> AsyncIterator[House]:
        yield self

    @override
    async def settled(self) -> bool:
        self.rested += 1
        return True
