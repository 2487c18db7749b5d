"""One `ao` command from words to exit code."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from bot.actions import grammar, registry
from bot.actions.action import Access, Action
from bot.chat.message import Json, Message
from bot.chat.request import Value
from bot.frontends.shell import confirm, exit_codes, gateway, options
from bot.frontends.shell.console import Console
from bot.frontends.shell.machine import Machine, Surroundings
from orchestrator.errors import AoError, BadInput

_FAILED = 1


def run(words: Sequence[str], machine: Machine) -> int:
    """Run a command; returns its exit code. Raises nothing that is ours."""
    console = Console(json="--json" in words)
    try:
        asked, rest = options.take(words)
        env = dict(os.environ)
        server = asked.server or env.get("AO_SERVER", "")
        where = Surroundings(env=env, cwd=_cwd(), config=asked.config, server=server, yes=asked.yes)
        return _Command(console, machine, where, asked).run(rest)
    except AoError as error:
        console.error(error)
        return exit_codes.of_error(error.code)
    except KeyboardInterrupt:
        return exit_codes.INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has enough; what is left in the buffer has no reader.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 0


class _Command:
    def __init__(
        self, console: Console, machine: Machine, where: Surroundings, asked: options.Options
    ) -> None:
        self._console = console
        self._machine = machine
        self._where = where
        self._asked = asked

    def run(self, words: Sequence[str]) -> int:
        if not words or words[0] == "help":
            return self._help(words[1:])
        action, count = registry.find(words)
        if self._asked.help:
            return self._help(action.verb.split())
        arguments = grammar.parse_arguments(action, words[count:])
        arguments = gateway.absolute(action, arguments, self._where)
        if action.access is Access.MACHINE:
            return self._machine_verb(action, arguments)
        if arguments.get("watch") or arguments.get("follow"):
            return self._watch(action, arguments)
        return self._ask(action, arguments)

    def _help(self, words: Sequence[str]) -> int:
        from bot.frontends.shell import help_text

        self._console.say(help_text.of(words, self._console.width))
        return 0

    def _ask(self, action: Action, arguments: Mapping[str, Value]) -> int:
        secret = ""
        if action.verb == "token add" and not arguments.get("digest"):
            from bot.frontends.shell import token_add

            secret, arguments = token_add.made(arguments)
        asking = confirm.needed(action, arguments, self._console, yes=self._asked.yes)
        answer = gateway.run(self._machine, self._where, action, arguments, asking)
        for trouble in answer.troubles:
            self._console.note(trouble)
        message = token_add.shown(answer.message, secret) if secret else answer.message
        if action.access is Access.READS:
            message = _as_seen(answer)
            if not answer.watched:
                self._console.note(gateway.not_watched_since(answer.last_seen))
        if action.verb in {"attach", "open"} and not self._console.json:
            gateway.refuse_elsewhere(self._where, action)
            from bot.frontends.shell import windows

            return windows.show(self._machine, self._where, self._console, message)
        self._console.show(message)
        if not answer.settled:
            self._console.note(gateway.NOT_SETTLED)
        if not answer.watched and action.access is Access.CHANGES:
            self._console.note(gateway.NOT_WATCHED)
        data = message.data
        return _FAILED if isinstance(data, dict) and data.get("failed") is True else 0

    def _watch(self, action: Action, arguments: Mapping[str, Value]) -> int:
        from bot.frontends.shell import watch

        client = gateway.client_for(self._where)
        if action.verb == "events":
            return watch.events(client, arguments, self._console)
        return watch.status(client, action, arguments, self._console)

    def _machine_verb(self, action: Action, arguments: Mapping[str, Value]) -> int:
        if self._asked.server:
            raise gateway.only_there(action)
        here = replace(self._where, server="")  # AO_SERVER is for verbs that can be asked elsewhere
        if action.verb == "demo":
            if self._console.json:
                msg = "demo tells its story in words and has no --json."
                raise BadInput(msg, next_step="Its exit code says whether the story came true.")
            return self._machine.play_demo(here, arguments)
        module = importlib.import_module(f"bot.frontends.shell.{action.verb.replace(' ', '_')}")
        found: Local = module.run
        return found(self._machine, here, self._console, arguments)


def _as_seen(answer: gateway.Answer) -> Message:
    """An answer whose data also says whether somebody watches what it tells of."""
    data = answer.message.data
    if not isinstance(data, dict):
        return answer.message
    seen: dict[str, Json] = {} if answer.watched else {"last_seen": answer.last_seen}
    return replace(answer.message, data={**data, "watched": answer.watched, **seen})


Local = Callable[[Machine, Surroundings, Console, Mapping[str, Value]], int]
"""What does a verb of this machine: `run` of the module of its name; returns the exit code."""


def _cwd() -> str:
    try:
        return os.getcwd()  # noqa: PTH109 - pathlib costs milliseconds and adds nothing here
    except FileNotFoundError:
        return "/"
