"""A shell's command line taken apart, as far as rules about commands need it. Pure.

It reads what sh, bash and zsh have in common. Where they part ways, or where a line hides what it
runs, it says so: then no allow rule holds, and rules that forbid search the whole text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

BLANKS = " \t\n"
"""What a shell takes for nothing around a command. Other spaces are parts of words to it."""
MOST_CHARACTERS = 32_768
MOST_NESTING = 8
MOST_COMMANDS = 500
MOST_FORMS = 60
"""Commands behind prefixes (`sudo env nohup …`) of one command; nobody who means well writes more."""

_HARMLESS = re.compile(r"(?:(?:>{1,2}|<)[ \t]*/dev/null|[<>]&[0-9])(?=[\s;|&)]|\Z)")
_REDIRECTION = re.compile(r"(?:<<<|[<>]{1,2})[|!&]?")
_ORDINARY = re.compile(r"[^'\"\\$`<>;|&\n() \t]+")
_IN_QUOTES = re.compile(r"[^\"\\$`]+")
_DESCRIPTOR = re.compile(r"[0-9]+|\{\w+\}")
_PLAIN_VARIABLE = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*\}")
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\[[^\]]*\])?\+?=", re.DOTALL)
_NUMBER = re.compile(r"[0-9.]+[smhd]?")
_WITH_SCRIPT = re.compile(r"[-+][A-Za-z]*c")
_SHELLS = frozenset({"ash", "bash", "dash", "ksh", "rbash", "sh", "zsh"})
_PREFIXES = frozenset(
    {
        *("!", "{", "coproc", "do", "elif", "else", "if", "then", "time", "until", "while"),
        *("builtin", "busybox", "command", "doas", "env", "exec", "ionice", "nice", "nohup", "parallel"),
        *("setsid", "stdbuf", "sudo", "timeout", "unshare", "watch", "xargs"),
    }
)
"""Words behind which the command stands that is really run."""
_RUN_BEHIND = frozenset({"-exec", "-execdir", "-ok", "-okdir"})


class Unreadable(ValueError):
    """The line cannot be taken apart with certainty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandLine:
    """What a command line holds."""

    parts: tuple[str, ...]
    """Its commands as written, in order, without what separates them."""
    plain: bool
    """Nothing in it but these commands: no substitution, no grouping, no comment, no file written or read by it."""
    runs: tuple[str, ...]
    """Every command that it may run, also inside substitutions and behind prefixes, as its bare words."""


def take_apart(text: str, *, nesting: int = 0) -> CommandLine:
    """The commands in `text`. Raises `Unreadable`."""
    if len(text) > MOST_CHARACTERS or nesting > MOST_NESTING:
        msg = "it is too long or too deep"
        raise Unreadable(msg)
    reader = _Reader(text)
    reader.read()
    runs: list[str] = []
    for words in reader.commands:
        for form in _forms(words):
            runs += _spellings(form)
            reader.inner += _scripts(form)
    for inner in reader.inner:
        within = take_apart(inner, nesting=nesting + 1)
        runs += (*within.parts, *within.runs)
    return CommandLine(parts=tuple(reader.parts), plain=reader.plain, runs=tuple(dict.fromkeys(runs)))


@dataclass(slots=True)
class _Level:
    """The command being read, at one depth of brackets."""

    begin: int
    words: list[str] = field(default_factory=list)
    word: str | None = None
    skip: bool = False
    """The next word is where a redirection leads."""

    def add(self, text: str) -> None:
        self.word = (self.word or "") + text

    def close_word(self) -> None:
        if self.word is not None:
            if not self.skip:
                self.words.append(self.word)
            self.skip = False
        self.word = None


class _Reader:
    """Reads a line once, from left to right, as a shell does."""

    def __init__(self, text: str) -> None:
        self.parts: list[str] = []
        self.commands: list[tuple[str, ...]] = []
        self.inner: list[str] = []
        """Texts in it that are command lines themselves."""
        self.plain = True
        self._text = text
        self._at = 0
        self._depth = 0

    def read(self, closing: str = "") -> None:
        """Read to the end, or to the bracket that closes what was opened."""
        self._depth += 1
        if self._depth > MOST_NESTING:
            msg = "it is too deep"
            raise Unreadable(msg)
        level = _Level(self._at)
        while (char := self._here()) != closing:
            self._one(level, char)
        self._end(level)
        self._depth -= 1

    def _here(self, ahead: int = 0) -> str:
        at = self._at + ahead
        return self._text[at] if at < len(self._text) else ""

    def _one(self, level: _Level, char: str) -> None:
        if char == "":
            msg = "a bracket is not closed"
            raise Unreadable(msg)
        if char in "'\"\\$`":
            self._quoted(level, char)
        elif char in "<>":
            self._redirection(level)
        elif char in ";|&\n":  # also the & of `&>`, which some shells read so
            self._end(level)
            self._at += 1
            level.begin = self._at
        elif char in "()":
            self._bracket(level, char)
        elif char in " \t":
            level.close_word()
            self._at += 1
        elif char == "#" and level.word is None:
            self.plain = False
            end = self._text.find("\n", self._at)
            self._at = len(self._text) if end < 0 else end
        else:
            level.add(self._run_of(_ORDINARY, char))

    def _run_of(self, kind: re.Pattern[str], char: str) -> str:
        """The character, with all of the kind that follow it."""
        run = kind.match(self._text, self._at + 1)
        text = char + (run.group() if run else "")
        self._at += len(text)
        return text

    def _end(self, level: _Level) -> None:
        level.close_word()
        written = self._text[level.begin : self._at].strip(BLANKS)
        if level.words:
            self.commands.append(tuple(level.words))
        if len(self.commands) > MOST_COMMANDS:
            msg = "it holds too many commands"
            raise Unreadable(msg)
        if written and self._depth == 1:
            self.parts.append(written)
        level.words = []
        level.skip = False

    def _bracket(self, level: _Level, char: str) -> None:
        if char == ")":
            msg = "a bracket is closed that was not opened"
            raise Unreadable(msg)
        self.plain = False
        self._end(level)
        self._at += 1
        self.read(")")
        self._at += 1
        level.begin = self._at

    def _redirection(self, level: _Level) -> None:
        if level.word is not None and _DESCRIPTOR.fullmatch(level.word):
            level.word = None
        level.close_word()
        harmless = _HARMLESS.match(self._text, self._at)
        if harmless:
            self._at = harmless.end()
            return
        self.plain = False
        operator = _REDIRECTION.match(self._text, self._at)
        if operator is None or (operator.group().startswith("<<") and operator.group() != "<<<"):
            msg = "it holds a here-document"
            raise Unreadable(msg)
        self._at = operator.end()
        level.skip = self._here() != "("

    def _quoted(self, level: _Level, char: str) -> None:
        if char == "'":
            level.add(self._to("'"))
        elif char == '"':
            level.add("")
            self._double(level)
        elif char == "\\":
            after = self._here(1)
            if after == "":
                msg = "it ends within an escape"
                raise Unreadable(msg)
            if after != "\n":
                level.add(after)
            self._at += 2
        elif char == "$" and self._here(1) == "'":
            msg = "shells read $'…' differently"
            raise Unreadable(msg)
        else:
            self._active(level, char)

    def _double(self, level: _Level) -> None:
        self._at += 1
        while (char := self._here()) != '"':
            if char == "":
                msg = "a quote is not closed"
                raise Unreadable(msg)
            if char in "$`":
                self._active(level, char)
            elif char == "\\" and self._here(1) in tuple('$`"\\\n'):
                level.add(self._here(1).strip("\n"))
                self._at += 2
            else:
                level.add(self._run_of(_IN_QUOTES, char))
        self._at += 1

    def _active(self, level: _Level, char: str) -> None:
        """What is replaced by something else before the command runs, in double quotes too."""
        begin = self._at
        if char == "`":
            self.plain = False
            self.inner.append(re.sub(r"\\([\\$`])", r"\1", self._backticks()))
        elif self._here(1) == "(":
            self.plain = False
            self._at += 2
            self.read(")")
            self._at += 1
        elif self._here(1) == "{":
            variable = _PLAIN_VARIABLE.match(self._text, self._at)
            if variable is None:
                msg = "it computes with a variable"
                raise Unreadable(msg)
            self._at = variable.end()
        else:
            self.plain = self.plain and self._here(1) != "["
            self._at += 1
        level.add(self._text[begin : self._at])

    def _to(self, quote: str) -> str:
        end = self._text.find(quote, self._at + 1)
        if end < 0:
            msg = "a quote is not closed"
            raise Unreadable(msg)
        text = self._text[self._at + 1 : end]
        self._at = end + 1
        return text

    def _backticks(self) -> str:
        found = re.compile(r"`((?:[^`\\]|\\.)*)`", re.DOTALL).match(self._text, self._at)
        if found is None:
            msg = "a backtick is not closed"
            raise Unreadable(msg)
        self._at = found.end()
        return found.group(1)


def _forms(words: tuple[str, ...]) -> list[tuple[str, ...]]:
    """The command, and the commands that stand behind its prefixes, each with its arguments."""
    found: list[tuple[str, ...]] = []
    waiting, known = [0], {0}
    while waiting:
        form = words[waiting[-1] :]
        begin = waiting.pop()
        found.append(form)
        if len(found) > MOST_FORMS:
            msg = "its commands stand behind too many prefixes"
            raise Unreadable(msg)
        for start in _behind(form):
            if begin + start not in known and begin + start < len(words):
                known.add(begin + start)
                waiting.append(begin + start)
    return found


def _behind(words: tuple[str, ...]) -> Iterator[int]:
    """Where a command may begin behind the first word."""
    if _ASSIGNMENT.match(words[0]):
        yield 1
    elif _name(words[0]) in _PREFIXES:
        yield from _behind_options(words)
    yield from (at + 1 for at, word in enumerate(words) if word in _RUN_BEHIND)


def _behind_options(words: tuple[str, ...]) -> Iterator[int]:
    """Behind a prefix's own options. Which of them take a value is not known, so both are offered."""
    may_be_value = False
    for at, word in enumerate(words[1:], 1):
        if word.startswith("-") or _ASSIGNMENT.match(word) or _NUMBER.fullmatch(word):
            may_be_value = word.startswith("-")
            continue
        yield at
        if not may_be_value:
            return
        may_be_value = False


def _spellings(words: tuple[str, ...]) -> Iterator[str]:
    yield " ".join(words)
    if "/" in words[0]:
        yield " ".join((_name(words[0]), *words[1:]))


def _scripts(words: tuple[str, ...]) -> Iterator[str]:
    """Arguments of a command that are command lines themselves."""
    name = _name(words[0])
    if name == "eval":
        yield " ".join(words[1:])
    elif name == "trap" or (name == "env" and len(words) > 1):
        yield from (word for word in words[1:] if " " in word)
    elif name in _SHELLS:
        options = [at for at, word in enumerate(words) if _WITH_SCRIPT.match(word)]
        if options:
            yield from (word for word in words[options[0] + 1 :] if not word.startswith("-"))


def _name(word: str) -> str:
    """A program's name without the folder that it is in."""
    return word.rpartition("/")[2]
