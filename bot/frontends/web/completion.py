"""What the command box offers while somebody types: verbs, projects, sessions, options; by the one grammar."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.actions import grammar, registry
from bot.actions.action import Access, Action, Argument, Kind
from bot.chat.render import task_words
from bot.chat.request import Surface
from orchestrator.domain.session import Session

MOST = 12


@dataclass(frozen=True, slots=True)
class Offer:
    """What the box may hold next."""

    line: str
    """The whole line with it."""
    word: str
    hint: str


def offers(line: str, sessions: Sequence[Session], projects: Sequence[str]) -> list[Offer]:
    """The likeliest first; none where nothing is known."""
    words = [word.text for word in grammar.split(line)]
    typed = "" if not words or line[-1:].isspace() else words.pop()
    head = line[: len(line) - len(typed)]
    if head and not words:
        head = ""
    found = (
        Offer(f"{head}{word} ", word, hint)
        for word, hint in _next(words, sessions, projects)
        if word.lower().startswith(typed.lower())
    )
    return [offer for offer, _ in zip(found, range(MOST), strict=False)]


def verbs() -> tuple[Action, ...]:
    """Every verb that can be asked for here."""
    return tuple(
        action
        for action in registry.all_actions()
        if Surface.WEB in action.surfaces and action.access is not Access.MACHINE
    )


def _next(
    words: Sequence[str], sessions: Sequence[Session], projects: Sequence[str]
) -> Iterable[tuple[str, str]]:
    """What can stand behind `words`, with a hint."""
    action = _action(words)
    if action is None:
        return _verb_words(words)
    places = [word for word in words[len(action.verb.split()) :] if not word.startswith("-")]
    argument = action.positional[len(places)] if len(places) < len(action.positional) else None
    options = [(f"--{option.name}", option.help) for option in action.options]
    return [*(_values(argument, sessions, projects) if argument else ()), *options]


def _action(words: Sequence[str]) -> Action | None:
    known = {action.verb: action for action in verbs()}
    for count in (2, 1):
        found = known.get(" ".join(words[:count]).lower()) if len(words) >= count else None
        if found is not None:
            return found
    return None


def _verb_words(words: Sequence[str]) -> Iterable[tuple[str, str]]:
    typed = [word.lower() for word in words]
    return [
        (" ".join(parts[len(typed) :]), action.summary)
        for action in verbs()
        if len(parts := action.verb.split()) > len(typed) and parts[: len(typed)] == typed
    ]


def _values(
    argument: Argument, sessions: Sequence[Session], projects: Sequence[str]
) -> Iterable[tuple[str, str]]:
    if argument.choices:
        return [(choice, argument.help) for choice in argument.choices]
    if argument.kind is Kind.SESSION:
        return [(str(session.id), task_words(session, 60)) for session in sessions]
    if argument.kind is Kind.PROJECT or argument.name == "project":
        return [(project, "project") for project in projects]
    return []
