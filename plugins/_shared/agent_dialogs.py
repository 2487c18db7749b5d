"""What an agent's events ask of people: a dialog with its text and options, and the hook that waits. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from orchestrator.domain.activity import Dialog, ToolCall
from orchestrator.domain.outside_text import clean, excerpt, one_line
from orchestrator.domain.policy import PERMISSION_OPTIONS
from plugins._shared.agent_profile import Profile
from plugins._shared.profile_signals import EventKind, Tool

MOST_TEXT = 1000
MOST_SHOWN = 1500


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
    text = excerpt(event.text or event.tool or "It asks something on its screen.", MOST_TEXT).strip()
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
    """Questions of the agent: the options of a single one, else words for all of them."""
    asked = [q for q in pending.arguments["questions"] if isinstance(q, dict)]
    texts = [clean(excerpt(str(q.get("question") or ""), MOST_TEXT)).strip() for q in asked]
    options: tuple[str, ...] = ()
    if len(asked) == 1 and not asked[0].get("multiSelect"):
        offered = [o for o in asked[0].get("options") or [] if isinstance(o, dict)]
        options = tuple(one_line(str(o.get("label") or ""), 75) for o in offered[:10])
        texts += [f"- {one_line(_described(o), 200)}" for o in offered[:10] if o.get("description")]
    text = "\n".join(texts) or "It asks something on its screen."
    return Dialog(id=dialog_id("question", pending.event, text, *options), text=text, options=options)


def _described(option: Mapping[str, Any]) -> str:
    return f"{option.get('label')}: {option.get('description')}"


def answered(pending: Pending, answer: str) -> dict[str, Any]:
    """The arguments of the questions with their answers, as the agent takes them back."""
    asked = [q for q in pending.arguments.get("questions") or [] if isinstance(q, dict)]
    answers = {str(q.get("question")): _label(q, answer) for q in asked}
    return {**pending.arguments, "answers": answers}


def _label(question: Mapping[str, Any], answer: str) -> str:
    """The agent's own words of the option that was chosen: what people saw was cleaned."""
    for option in question.get("options") or []:
        if isinstance(option, dict) and one_line(str(option.get("label") or ""), 75) == answer:
            return str(option["label"])
    return answer


def dialog_id(name: str, *parts: str) -> str:
    """A dialog's id: changes with what is asked."""
    return f"{name}:{hashlib.sha256(chr(0).join(parts).encode()).hexdigest()[:12]}"
