"""A button as the short text that a chat platform hands back when it is pressed: everything, and no state.

`1|merge|demo-1|h6474a6c12345`: version, verb, session, then what it is bound to. At most 100 characters
(Discord's custom_id; Slack takes 2,000). A head goes as 12 hexadecimal digits; the whole one is compared
with what is kept when the button is pressed. Anybody can forge one: it carries a wish, never a right.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, unquote

from bot.chat.message import Button
from orchestrator.errors import BadInput

VERSION = "1"
LONGEST = 100
HEAD_DIGITS = 12
_SEPARATOR = "|"
_SHORT = {"head": "h", "question": "q", "option": "o"}
_LONG = {letter: name for name, letter in _SHORT.items()}
_VERB = re.compile(r"[a-z][a-z-]{0,19}(?: [a-z]{1,12})?")
_SESSION = re.compile(r"[a-z0-9][a-z0-9_-]{0,23}")
_NAME = re.compile(r"[a-z][a-z0-9-]{0,19}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pressed:
    """What a pressed button asks for. Nothing of it is checked against what is kept."""

    verb: str
    session: str
    arguments: dict[str, str | bool]


def encode(button: Button) -> str:
    """The text for a button. Raises `ValueError` for one that does not fit: no such button is shown."""
    parts = [VERSION, button.verb, button.arguments.get("session", "")]
    for name, value in button.arguments.items():
        if name == "session":
            continue
        if name == "head":
            value = value[:HEAD_DIGITS]
        short = _SHORT.get(name)
        parts.append(f"{short}{quote(value, safe='')}" if short else f"={name}={quote(value, safe=' ')}")
    text = _SEPARATOR.join(parts)
    if len(text) > LONGEST or read(text).verb != button.verb:
        msg = f"the button {button.label!r} does not fit into {LONGEST} characters: {text[:120]!r}"
        raise ValueError(msg)
    return text


def read(text: str) -> Pressed:
    """What was pressed. Raises `BadInput` for a text that is none of ours, or of another version."""
    parts = text.split(_SEPARATOR)
    if len(text) > LONGEST or len(parts) < 3 or parts[0] != VERSION:
        msg = "this button is of another version of ao, or none of ours."
        raise BadInput(msg, next_step="The card is refreshed; use its buttons.")
    verb, session = parts[1], parts[2]
    if not _VERB.fullmatch(verb) or (session and not _SESSION.fullmatch(session)):
        msg = "this button says nothing that is understood."
        raise BadInput(msg, next_step="Use the buttons of the card.")
    arguments: dict[str, str | bool] = {"session": session} if session else {}
    for part in parts[3:]:
        name, value = _argument(part)
        arguments[name] = value
    return Pressed(verb=verb, session=session, arguments=arguments)


def _argument(part: str) -> tuple[str, str | bool]:
    if part[:1] in _LONG:
        return _LONG[part[0]], unquote(part[1:])
    name, equals, value = part[1:].partition("=")
    if part[:1] == "+" and _NAME.fullmatch(part[1:]):
        return part[1:], True
    if part[:1] != "=" or not equals or not _NAME.fullmatch(name):
        msg = "this button says nothing that is understood."
        raise BadInput(msg, next_step="Use the buttons of the card.")
    return name, unquote(value)
