"""Words to arguments: the one grammar of the shell, the chats and the API.

It takes what phones make of typing: long dashes, curly quotes, any case, `#123`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bot.actions.action import Action, Argument, Kind, is_option
from bot.chat.request import Value
from orchestrator.domain.ids import SHORTEST_SHA
from orchestrator.errors import BadInput

MAX_TEXT = 20_000
_DASHES = {"\u2013": "--", "\u2014": "--", "\u2212": "-"}  # en dash, em dash, minus sign
_QUOTES = {"\u2018": "'", "\u2019": "'", "\u201a": "'", "\u201c": '"', "\u201d": '"', "\u201e": '"'}
_SHA = re.compile(rf"[0-9a-f]{{{SHORTEST_SHA},64}}")
_NUMBER = re.compile(r"[0-9]{1,9}")
_QUOTED = re.compile(r"\"([^\"]*)\"|'([^']*)'")
_SESSION = re.compile(r"(?i)[a-z0-9][a-z0-9_-]{0,16}-[1-9][0-9]{0,6}")
_REFERENCE = re.compile(r"#?[0-9]{1,9}|[A-Za-z][A-Za-z0-9_]{0,15}-[0-9]{1,9}|https?://\S+")
# As "Formatting message text" of Slack's and "Message Formatting" of Discord's documentation have it.
_MENTION = re.compile(r"<@(?:([UW][A-Z0-9]{1,30})(?:\|([^<>|]{0,80}))?|!?([0-9]{1,20}))>")
_NAME = re.compile(r"(?:[a-z]{1,20}:)?[A-Za-z0-9][A-Za-z0-9._-]{0,38}")


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a line, and what stands at its place as it was typed."""

    text: str
    start: int
    end: int
    quoted: bool = False


def split(line: str) -> list[Word]:
    """The words of a line as typed in a chat. A quoted part is one word; an open quote is a letter."""
    plain = "".join(_QUOTES.get(letter, letter) for letter in line)
    words: list[Word] = []
    at = 0
    while at < len(plain):
        if plain[at].isspace():
            at += 1
            continue
        quoted = _QUOTED.match(plain, at)
        if quoted and (quoted.end() == len(plain) or plain[quoted.end()].isspace()):
            words.append(Word(line[at + 1 : quoted.end() - 1], at, quoted.end(), quoted=True))
            at = quoted.end()
            continue
        end = at
        while end < len(plain) and not plain[end].isspace():
            end += 1
        words.append(Word(line[at:end], at, end))
        at = end
    return words


def words_of(arguments: Sequence[str]) -> tuple[str, list[Word]]:
    """A shell's argument list as a line and its words, so that both are read by one grammar."""
    words, at = [], 0
    for text in arguments:
        words.append(Word(text, at, at + len(text), quoted=not text or any(map(str.isspace, text))))
        at += len(text) + 1
    return " ".join(arguments), words


def plain_option(text: str) -> str:
    """A word with the dashes that a phone put at its beginning made plain."""
    for letter, plain in _DASHES.items():
        if text.startswith(letter):
            return plain + text.lstrip(letter)
    return text


def is_reference(text: str) -> bool:
    """Whether a word looks like an issue or a pull request: `123`, `#123`, `ENG-42`, a link."""
    return _REFERENCE.fullmatch(text) is not None


@dataclass(slots=True)
class _Reading:
    action: Action
    line: str
    words: list[Word]
    found: dict[str, Value] = field(default_factory=dict)
    places: list[Word] = field(default_factory=list)
    in_thread: bool = False


def parse(action: Action, line: str, words: Sequence[Word], *, in_thread: bool = False) -> dict[str, Value]:
    """The arguments of a verb. `words` are those after the verb. Raises `BadInput` with the usage.

    In a session's thread the session is left out: only a whole session id is taken for one there.
    """
    reading = _Reading(action, line, list(words), in_thread=in_thread)
    _take_options(reading)
    _take_positional(reading)
    _require(action, reading.found)
    return reading.found


def parse_arguments(action: Action, arguments: Sequence[str]) -> dict[str, Value]:
    """`parse` for a shell's argument list."""
    line, words = words_of(arguments)
    return parse(action, line, words)


def check(action: Action, given: Mapping[str, object]) -> dict[str, Value]:
    """Arguments that came by name (from the API, from a button), read by the same rules."""
    known = {argument.name: argument for argument in action.arguments}
    found: dict[str, Value] = {}
    for name, raw in given.items():
        argument = known.get(name)
        if argument is None:
            raise _wrong(action, f"{action.verb} has no argument {name!r}.")
        if raw is not None:
            found[name] = _from_json(action, argument, raw)
    _require(action, found)
    return found


def _from_json(action: Action, argument: Argument, raw: object) -> Value:
    if argument.kind is Kind.FLAG:
        if not isinstance(raw, bool):
            raise _wrong(action, f"{argument.name} is true or false.")
        return raw
    if argument.kind is Kind.MANY:
        if not isinstance(raw, list | tuple) or not all(isinstance(item, str | int) for item in raw):
            raise _wrong(action, f"{argument.name} is a list of words.")
        return tuple(_one(action, argument, str(item)) for item in raw)
    if isinstance(raw, bool) or not isinstance(raw, str | int):
        raise _wrong(action, f"{argument.name} is a text.")
    value = _one(action, argument, str(raw))
    return int(value) if argument.kind is Kind.NUMBER else value


def _take_options(reading: _Reading) -> None:
    """Take every option that the verb has; other words stay in their order."""
    names = {argument.name: argument for argument in reading.action.options}
    words = iter(reading.words)
    for word in words:
        plain = plain_option(word.text)
        if plain == "--" and not word.quoted:
            reading.places.extend(words)
            return
        name, equals, inline = plain[2:].partition("=")
        option = plain.startswith("--") and not word.quoted
        argument = names.get(name.lower()) if option else None
        if argument is None:
            if option and name[:1].isalpha():
                _refuse_option(reading.action, word)
            reading.places.append(word)
        elif argument.kind is Kind.FLAG:
            reading.found[argument.name] = True
        else:
            following = None if equals else next(words, None)
            if not equals and following is None:
                raise _wrong(reading.action, f"--{argument.name} needs a value.")
            text = inline if following is None else following.text
            reading.found[argument.name] = _value(reading.action, argument, text)


def _take_positional(reading: _Reading) -> None:
    for index, argument in enumerate(reading.action.positional):
        if not reading.places:
            return
        if argument.kind is Kind.TEXT:
            reading.found[argument.name] = _text(reading)
            return
        _refuse_option(reading.action, reading.places[0])
        if argument.kind is Kind.MANY:
            for word in reading.places:
                _refuse_option(reading.action, word)
            texts = [part for word in reading.places for part in word.text.split(",") if part]
            reading.found[argument.name] = tuple(_one(reading.action, argument, text) for text in texts)
            return
        if _left_for_others(reading, index):
            continue
        reading.found[argument.name] = _value(reading.action, argument, reading.places.pop(0).text)
    if reading.places:
        _refuse_option(reading.action, reading.places[0])
        one = any(argument.kind is Kind.SESSION for argument in reading.action.arguments)
        hint = f": {reading.action.verb} takes one session at a time" if one else ""
        raise _wrong(reading.action, f"{reading.places[0].text!r} is one word too many{hint}.")


def _left_for_others(reading: _Reading, index: int) -> bool:
    """An argument that may be left out steps back when required ones need all the words there are."""
    argument, *behind = reading.action.positional[index:]
    if argument.kind is Kind.SESSION:
        return reading.in_thread and not _SESSION.fullmatch(reading.places[0].text)
    return not argument.required and len(reading.places) <= sum(later.required for later in behind)


def _text(reading: _Reading) -> str:
    """The rest as it was typed, line ends included; a single quoted word without its quotes."""
    places = reading.places
    if len(places) == 1 and places[0].quoted:
        return _bounded(reading.action, places[0].text)
    between = [word for word in reading.words if places[0].start <= word.start <= places[-1].start]
    if len(between) == len(places):
        return _bounded(reading.action, reading.line[places[0].start : places[-1].end])
    return _bounded(reading.action, " ".join(word.text for word in places))


def _bounded(action: Action, text: str) -> str:
    if len(text) > MAX_TEXT:
        raise _wrong(action, f"the text is longer than {MAX_TEXT} characters.")
    return text


def _value(action: Action, argument: Argument, text: str) -> Value:
    value = _one(action, argument, text)
    return int(value) if argument.kind is Kind.NUMBER else value


def _one(action: Action, argument: Argument, text: str) -> str:
    """One word by its kind. Raises `BadInput`."""
    if argument.kind is Kind.TEXT:
        return _bounded(action, text)
    text = text.strip()
    if len(text) > MAX_TEXT or "\0" in text:
        raise _wrong(action, f"{argument.name} is too long, or holds a NUL.")
    if argument.choices:
        return _choice(action, argument, text)
    if argument.kind is Kind.NUMBER and not _NUMBER.fullmatch(text):
        raise _wrong(action, f"{argument.name} is a number, and {text!r} is none.")
    if argument.kind is Kind.HEAD:
        return _head(action, text)
    if argument.kind is Kind.PERSON:
        return _person(action, argument, text)
    if argument.kind in {Kind.SESSION, Kind.ISSUE, Kind.MANY}:
        return _reference(text, lower=argument.kind is Kind.SESSION)
    return text


def _choice(action: Action, argument: Argument, text: str) -> str:
    if text.lower() not in argument.choices:
        raise _wrong(action, f"{argument.name} is one of {', '.join(argument.choices)}.")
    return text.lower()


def _head(action: Action, text: str) -> str:
    if not _SHA.fullmatch(text.lower()):
        raise _wrong(
            action, f"{text!r} is no commit: give at least {SHORTEST_SHA} of its hexadecimal digits."
        )
    return text.lower()


def _person(action: Action, argument: Argument, text: str) -> str:
    """`@ada` as `ada`; a mention, which a chat makes of what was typed, as `slack:U123|ada` or `discord:42`."""
    mention = _MENTION.fullmatch(text)
    if mention:
        slack, label, discord = mention.groups()
        return f"discord:{discord}" if discord else f"slack:{slack}|{label}" if label else f"slack:{slack}"
    name = text.removeprefix("@")
    if not _NAME.fullmatch(name):
        raise _wrong(action, f"{argument.name}: {text!r} is nobody's name: write @name, or mention them.")
    return name


def _reference(text: str, *, lower: bool) -> str:
    """`#123` as `123`; links as they are; a session's id in lower case, however a phone wrote it."""
    if text.startswith(("http://", "https://")):
        return text
    text = text.removeprefix("#").rstrip(".,;:!")
    return text.lower() if lower else text


def _require(action: Action, found: Mapping[str, Value]) -> None:
    for argument in action.arguments:
        if argument.required and found.get(argument.name) in (None, "", ()):
            raise _wrong(action, f"{action.verb} needs {argument.name}: {argument.help}.")


def _refuse_option(action: Action, word: Word) -> None:
    plain = plain_option(word.text)
    if plain.startswith("-") and len(plain) > 1 and not word.quoted:
        known = ", ".join(f"--{argument.name}" for argument in action.arguments if is_option(argument))
        text = any(argument.kind is Kind.TEXT for argument in action.positional)
        hint = " Text with dashes stands behind ` -- ` or in quotes." if text else ""
        raise _wrong(action, f"{action.verb} has no option {plain!r}. It has: {known or 'none'}.{hint}")


def _wrong(action: Action, what: str) -> BadInput:
    return BadInput(what, next_step=f"Usage: {action.usage}")
