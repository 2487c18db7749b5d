"""What an agent's events ask of people: a dialog with its text and options, and the hook that waits. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from orchestrator.domain.activity import Asked, Dialog, ToolCall
from orchestrator.domain.outside_text import clean, excerpt, one_line
from orchestrator.domain.policy import PERMISSION_OPTIONS
from plugins._shared.agent_profile import Profile
from plugins._shared.profile_signals import EventKind, Tool

MOST_TEXT = 1000
MOST_SHOWN = 1500
MOST_OPTIONS = 10
_UNKNOWN = "It asks something on its screen."


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """A hook of the agent that waits for an answer."""

    event: str
    """Name of the event's file; the answer's file has the same name."""
    tool: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


class Asking(Protocol):
    """What is needed of an event."""

    @property
    def name(self) -> str:
        """The file's name."""

    @property
    def at(self) -> float:
        """When it was made."""

    @property
    def text(self) -> str:
        """What was said."""

    @property
    def tool(self) -> str:
        """The tool."""

    @property
    def arguments(self) -> Mapping[str, Any]:
        """What it is used on."""

    @property
    def options(self) -> tuple[str, ...]:
        """The answers that the agent offers."""


def dialog_of(profile: Profile, kind: EventKind, event: Asking) -> tuple[Dialog, Pending | None]:
    """What the event asks, and the hook that waits for the answer where there is one."""
    waits = profile.decisions is not None and bool(event.name)
    pending = Pending(event=event.name, tool=event.tool, arguments=event.arguments) if waits else None
    if pending is not None and kind is EventKind.PERMISSION:
        return _leave(profile, pending), pending
    if pending is not None and event.arguments.get("questions"):
        return _questions(pending), pending
    text = excerpt(event.text or event.tool or _UNKNOWN, MOST_TEXT).strip()
    name = dialog_id("event", text, *event.options, str(event.at))
    return Dialog(id=name, text=text, options=event.options), None


def call_of(profile: Profile, tool: str, arguments: Mapping[str, Any]) -> ToolCall:
    """A call as rules are matched with it. Of a tool that the profile does not know, all arguments count."""
    known = profile.tools.get(tool)
    if known is None:
        return ToolCall(tool=tool, argument=json.dumps(arguments, sort_keys=True, ensure_ascii=False))
    given = arguments.get(known.argument)
    argument = given if isinstance(given, str) else json.dumps(given, ensure_ascii=False)
    return ToolCall(tool=tool, argument=argument, shell=known.shell)


def _leave(profile: Profile, pending: Pending) -> Dialog:
    call = call_of(profile, pending.tool, pending.arguments)
    known = profile.tools.get(pending.tool)
    lines = [f"It wants to run {pending.tool}: {excerpt(call.argument, MOST_TEXT).strip()}"]
    lines += _shown(known, pending.arguments) if known else []
    reason = pending.arguments.get("description")
    if isinstance(reason, str) and reason:
        lines.append(f"({one_line(reason, 200)})")
    name = dialog_id("leave", pending.event, call.tool, call.argument, *lines)
    return Dialog(id=name, text="\n".join(lines), options=PERMISSION_OPTIONS, call=call)


def _shown(tool: Tool, arguments: Mapping[str, Any]) -> list[str]:
    lines: list[str] = []
    for name, mark in tool.shows.items():
        given = arguments.get(name)
        if isinstance(given, str) and given:
            lines += [f"{mark}{line}" for line in clean(excerpt(given, MOST_SHOWN)).splitlines()]
    return lines


def _questions(pending: Pending) -> Dialog:
    """Questions of the agent: people are asked one after the other, each with its own options."""
    asked = [_asked(q) for q in pending.arguments["questions"] if isinstance(q, dict)]
    first, *further = asked or [Asked(text=_UNKNOWN)]
    parts = [part for each in (first, *further) for part in (each.text, *each.options)]
    return Dialog(
        id=dialog_id("question", pending.event, *parts),
        text=first.text,
        options=first.options,
        many=first.many,
        further=tuple(further),
    )


def _asked(question: Mapping[str, Any]) -> Asked:
    text = clean(excerpt(str(question.get("question") or ""), MOST_TEXT)).strip() or _UNKNOWN
    given = question.get("options")
    offered = [o for o in given if isinstance(o, dict)][:MOST_OPTIONS] if isinstance(given, list) else []
    options = tuple(one_line(str(o.get("label") or ""), 75) for o in offered)
    lines = [text, *(f"- {one_line(_described(o), 200)}" for o in offered if o.get("description"))]
    many = bool(question.get("multiSelect")) and len(options) > 1
    if many:
        lines.append("(Several may be chosen: `1, 2`.)")
    return Asked(text="\n".join(lines), options=options, many=many)


def _described(option: Mapping[str, Any]) -> str:
    return f"{option.get('label')}: {option.get('description')}"


def answered(pending: Pending, answers: Sequence[str]) -> dict[str, Any]:
    """The arguments of the questions with their answers, in order, as the agent takes them back."""
    asked = [q for q in pending.arguments.get("questions") or [] if isinstance(q, dict)]
    given = {str(q.get("question")): _labels(q, answer) for q, answer in zip(asked, answers, strict=False)}
    return {**pending.arguments, "answers": given}


def _labels(question: Mapping[str, Any], answer: str) -> str:
    """The agent's own words of what was chosen: what people saw was cleaned."""
    given = question.get("options")
    offered = [o for o in given if isinstance(o, dict)] if isinstance(given, list) else []
    own = {one_line(str(o.get("label") or ""), 75): str(o.get("label") or "") for o in offered}
    if not question.get("multiSelect"):
        return own.get(answer, answer)
    chosen, rest = [], answer
    while rest:
        # A label may hold a comma itself: the longest that fits is meant.
        label = max((name for name in own if f"{rest}, ".startswith(f"{name}, ")), key=len, default=None)
        if label is None:
            return answer
        chosen.append(own[label])
        rest = rest[len(label) :].removeprefix(", ")
    return ", ".join(chosen)


def dialog_id(name: str, *parts: str) -> str:
    """A dialog's id: changes with what is asked."""
    return f"{name}:{hashlib.sha256(chr(0).join(parts).encode()).hexdigest()[:12]}"
