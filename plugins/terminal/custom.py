"""Terminal `custom`: a launch line from the configuration, as a list of arguments.

    launch: [kitty, --title, "{title}", "{command...}"]

`{title}` and `{session}` may stand anywhere in a word; a word that is `{command...}` stands for the
attaching command's arguments one by one, and `{command}` for all of them in one, quoted for a shell
(some programs want a string). The line is started and left to itself: it belongs to the person.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence

from typing_extensions import override

from orchestrator.domain.ids import SessionId
from orchestrator.domain.outside_text import one_line
from orchestrator.errors import PermanentError
from orchestrator.ports.plugin import OptionProblem, Options, Plugin, PluginContext
from orchestrator.ports.terminal import TERMINAL, Attach, Terminal
from plugins._shared import opening

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_KNOWN = ("title", "session", "command", "command...")
_ALL = "{command...}"
# The program goes to the background of a shell that ends at once; its words are never a shell's text.
_DETACH = 'command -v -- "$1" >/dev/null || exit 127; "$@" </dev/null >/dev/null 2>&1 &'
_NO_PROGRAM = 127


class CustomTerminalOptions(Options):
    """The `terminalConfig` block."""

    launch: tuple[str, ...]
    """The program and its arguments, with placeholders."""

    @override
    @classmethod
    def problems(cls, raw: Mapping[str, object]) -> list[OptionProblem]:
        found = super().problems(raw)
        return found or [
            OptionProblem(path=("launch",), text=text)
            for text in _wrong(cls.model_validate(dict(raw)).launch)
        ]


class CustomTerminal(Terminal):
    """Whatever terminal program the person likes."""

    def __init__(self, launch: Sequence[str], run: opening.Runner = opening.run_as_person) -> None:
        self._launch = tuple(launch)
        self._run = run

    @override
    async def open(self, what: Attach) -> str:
        argv = launch_line(self._launch, what)
        try:
            done = await self._run(("/bin/sh", "-c", _DETACH, "sh", *argv))
        except PermanentError as error:
            raise opening.not_ready(error.what, [what]) from error
        if done.code == _NO_PROGRAM:
            reason = f"there is no program {argv[0]!r}, which `terminalConfig.launch` names."
            raise opening.not_ready(reason, [what])
        return f"started {argv[0]} for {what.session}"

    @override
    async def open_all(self, what: Sequence[Attach]) -> str:
        return "\n".join([await self.open(each) for each in what])

    @override
    async def is_open(self, session: SessionId) -> bool:
        return False  # The program belongs to the person; nobody tells us when it is closed.


def launch_line(launch: Sequence[str], what: Attach) -> tuple[str, ...]:
    """The words of the launch line with their placeholders filled; what is filled in is never filled again."""
    values = {"title": one_line(what.title), "session": what.session, "command": shlex.join(what.command)}
    words: list[str] = []
    for word in launch:
        if word == _ALL:
            words.extend(what.command)
        else:
            words.append(_PLACEHOLDER.sub(lambda match: values[match[1]], word))
    return tuple(words)


def _wrong(launch: Sequence[str]) -> list[str]:
    if not launch or not launch[0]:
        return ["names no program"]
    names = [name for word in launch for name in _PLACEHOLDER.findall(word)]
    found = [
        f"{{{name}}} is no placeholder; there are {', '.join(_KNOWN)}" for name in names if name not in _KNOWN
    ]
    if not any("{command" in word for word in launch):
        found.append("needs {command...} or {command}, or nothing would be attached to")
    found += [
        f"{word!r}: {_ALL} must be a word of its own" for word in launch if _ALL in word and word != _ALL
    ]
    return found


def _create(options: Options, context: PluginContext) -> CustomTerminal:
    del context
    assert isinstance(options, CustomTerminalOptions)  # noqa: S101 - the registry validated them as such
    return CustomTerminal(options.launch)


PLUGIN = Plugin(
    slot=TERMINAL,
    name="custom",
    summary="any terminal program, by a launch line from the configuration",
    create=_create,
    options=CustomTerminalOptions,
    launches=("launch",),
    runs_code=("launch",),
)
