"""The agent's own `ao`, which says something to us: which command lines are that and nothing else. Pure.

What it can do is ours to answer and bound, so it needs nobody's leave; but only where every word of the
line is a literal one, so that a shell makes nothing else of it.
"""

from __future__ import annotations

import re
import shlex

RULE = "allow ao (the session's own program: pr, ask, report, done; run plainly)"
"""As people are shown it among the rules."""

_PROGRAM = re.compile(r'"?\$AO_SESSION_DIR/bin/ao"?(?=[ \t])|"?\$\{AO_SESSION_DIR\}/bin/ao"?(?=[ \t])')
_LITERAL = re.compile(
    r"""(?:[A-Za-z0-9_./:,=@%+-]|'[^']*'|"(?:[^"$`\\!]|\\["$`\\])*"|\\['"]|[ \t])+""",
)
"""Words, quoted texts and blanks: no variable, no pattern, no brace, nothing that ends the command."""
_HARMLESS = re.compile(r"[ \t]+2>(?:&1|/dev/null)\Z")
_DOCUMENT = re.compile(
    r"""(?P<command>.*\S)[ \t]*(?<!<)<<[ \t]*(?P<quote>['"])(?P<word>\w+)(?P=quote)[ \t]*"""
)
_ON_PULL_REQUESTS = ("create", "update", "ready", "reply", "resolve")
_VERBS = frozenset(
    {("ask",), ("done",), ("help",), ("report",), *(("pr", verb) for verb in _ON_PULL_REQUESTS)}
)
_FILES = ("--body-file", "--plan-file")
_REBINDS = frozenset(
    {
        *(".", "alias", "builtin", "declare", "enable", "eval", "export", "hash", "local", "readonly", "set"),
        *("source", "typeset", "unalias", "unset"),
    }
)
"""Commands after which `ao` may be another program in the same line."""


def is_call(command: str) -> bool:
    """Whether one command is a plain call of it that reads no file: text comes in words or by standard input."""
    command = _HARMLESS.sub("", command)
    written = _PROGRAM.sub("ao", command, count=1) if command.startswith(('"$', "$")) else command
    if _LITERAL.fullmatch(written) is None:
        return False
    try:
        words = shlex.split(written)
    except ValueError:
        return False
    return words[:1] == ["ao"] and _is_verb(words[1:]) and not _reads_file(words)


def may_rebind(command: str) -> bool:
    """Whether after this command, in the same line, `ao` may be something else."""
    word = command.split(None, 1)[0] if command.strip() else ""
    return word in _REBINDS or "=" in word


def without_document(line: str) -> str:
    """The command of a line that is a call of it with a quoted here-document; empty for any other line.

    The shell changes nothing in such a document, and hands it over as standard input.
    """
    first, *rest = line.strip().split("\n")
    found = _DOCUMENT.fullmatch(first)
    if found is None or found["word"] not in rest or rest.index(found["word"]) != len(rest) - 1:
        return ""
    command = found["command"].strip()
    return command if is_call(command) else ""


def _is_verb(words: list[str]) -> bool:
    return tuple(words[:1]) in _VERBS or tuple(words[:2]) in _VERBS


def _reads_file(words: list[str]) -> bool:
    for at, word in enumerate(words):
        option, equals, value = word.partition("=")
        if option in _FILES and (value if equals else "".join(words[at + 1 : at + 2])) != "-":
            return True
    return False
