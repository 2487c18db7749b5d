"""The `ao` command. Imports little: what a verb needs is imported when it is asked for."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from bot.actions.action import Access, Bench
    from bot.actions.runner import Actions
    from bot.app import App
    from bot.chat.request import Value
    from bot.frontends.shell.machine import House, Surroundings
    from orchestrator.storage.layout import Home

VERSION = "0.1.0"
"""The same as in the metadata (a test compares them), whose reading would cost more than all else here."""
_LINE = 300
"""Longest line of what is wrong, beside an answer."""


def main(words: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    words = list(sys.argv[1:] if words is None else words)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    if words[:1] in (["--version"], ["-V"], ["version"]):
        sys.stdout.write(f"ao {VERSION}\n")
        return 0
    if words[:1] == ["__complete"]:
        from bot.frontends.shell.completion import candidates

        sys.stdout.write("".join(f"{word}\n" for word in candidates(words[1:])))
        return 0
    from bot.frontends.shell.command import run

    return run(words, _Program())


class _Program:
    """The whole program, as the shell asks for it; each part is imported when it is needed."""

    async def serve(
        self, where: Surroundings, ready: Callable[[Path, Sequence[str], Sequence[str]], None]
    ) -> tuple[Sequence[str], Sequence[str]]:
        from bot import app
        from orchestrator.storage.layout import Home

        home, config = Home.default(where.env), _configuration(where)
        return await app.serve(
            home,
            config,
            where.env,
            lambda made, lines: ready(config, made.core.settings.now.project_ids, lines),
        )

    def embedded(self, where: Surroundings, access: Access) -> AbstractAsyncContextManager[House]:
        from contextlib import asynccontextmanager

        opened = {"changes": _changing, "reads": _reading}.get(access.value, _configuring)
        return asynccontextmanager(opened)(where)

    def play_demo(self, where: Surroundings, arguments: Mapping[str, Value]) -> int:
        from bot.demo import command

        return command.run(where.env, arguments)

    def bench(self, where: Surroundings) -> Bench:
        return _bench(where)


def _configuration(where: Surroundings) -> Path:
    """The configuration file that counts here. Raises `NotFound`."""
    from pathlib import Path

    from orchestrator.settings.discovery import discover
    from orchestrator.storage import last_run
    from orchestrator.storage.layout import Home

    last = last_run.configuration(Home.default(where.env))
    return discover(where.env, Path(where.cwd), Path(where.config) if where.config else None, last)


class _House:
    def __init__(self, actions: Actions, app: App | None = None, troubles: Sequence[str] = ()) -> None:
        self.actions = actions
        self.troubles = troubles
        self._app = app

    async def settled(self) -> bool:
        from bot import app

        return self._app is None or await app.settle(self._app)


async def _changing(where: Surroundings) -> AsyncIterator[House]:
    from bot import app
    from orchestrator.storage.layout import Home

    async with app.embedded(Home.default(where.env), _configuration(where), where.env, "ao") as made:
        yield _House(made.actions, made)


async def _reading(where: Surroundings) -> AsyncIterator[House]:
    """What is kept, without the lock and without a look at the world."""
    from bot import app
    from bot.actions.runner import Actions
    from orchestrator.domain.outside_text import one_line
    from orchestrator.services import terminals
    from orchestrator.storage.layout import Home

    home = Home.default(where.env)
    async with app.reading(home, _configuration_or_none(where, home), where.env) as core:
        terminals.show_as_ended(core)
        why = core.settings.unusable
        troubles = [f"The configuration cannot be used: {one_line(why.what, _LINE)}"] if why else []
        yield _House(Actions(core), troubles=[*troubles, *map(str, core.store.damaged)])


def _configuration_or_none(where: Surroundings, home: Home) -> Path:
    """Likewise; where something is kept, a path that nothing is found at will do. Raises `NotFound`."""
    from pathlib import Path

    from orchestrator.errors import NotFound
    from orchestrator.storage import last_run

    try:
        return _configuration(where)
    except NotFound:
        if not home.format.exists():
            raise
        if where.config:
            return Path(where.cwd) / where.config
        return last_run.configuration(home) or home.config


async def _configuring(where: Surroundings) -> AsyncIterator[House]:
    from bot.actions.runner import Actions

    yield _House(Actions(None, bench=_bench(where)))


def _bench(where: Surroundings) -> Bench:
    """The configuration and the plugins, however wrong the configuration is."""
    from pathlib import Path

    from bot import app
    from bot.actions.action import Bench
    from orchestrator.errors import NotFound
    from orchestrator.services.settings_now import SettingsNow
    from orchestrator.storage.layout import Home

    home = Home.default(where.env)
    try:
        config = _configuration(where)
    except NotFound:
        named = where.config or where.env.get("AO_CONFIG_PATH")
        config = Path(where.cwd) / named if named else home.config
    registry = app.registry_for(home, where.env, lambda _session: None)
    return Bench(home=home, registry=registry, settings=SettingsNow(config, where.env, registry))
