"""An agent's own signals: event files, one per event, folded into what it does now. Pure.

Events arrive in the order of their names. What an agent writes is outside text.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from orchestrator.domain.activity import ActivityState, Dialog, Receipt, ReceiptStage
from orchestrator.domain.message import digest
from orchestrator.domain.outside_text import excerpt, one_line
from plugins._shared.agent_profile import EventFields, EventKind, StatusFile
from plugins._shared.agent_screen import dialog_id

KEPT_RECEIPTS = 30
MOST_TIME = 1e12
"""Numbers beyond this are no epoch seconds (nor is NaN, which is less than nothing)."""
_STATES = {
    EventKind.SESSION_START: ActivityState.STARTING,
    EventKind.PROMPT_SUBMIT: ActivityState.BUSY,
    EventKind.TOOL_START: ActivityState.BUSY,
    EventKind.TOOL_END: ActivityState.BUSY,
    EventKind.WORKING: ActivityState.BUSY,
    EventKind.ASKING: ActivityState.ASKING,
    EventKind.PERMISSION: ActivityState.PERMISSION,
    EventKind.LIMITED: ActivityState.LIMITED,
    EventKind.BLOCKED: ActivityState.BLOCKED,
    EventKind.STOP: ActivityState.IDLE,
    EventKind.INTERRUPTED: ActivityState.IDLE,
    EventKind.SESSION_END: ActivityState.EXITED,
}
_PROGRESS = frozenset({EventKind.TOOL_START, EventKind.TOOL_END, EventKind.WORKING})
_TURN_OVER = frozenset(
    {EventKind.STOP, EventKind.INTERRUPTED, EventKind.SESSION_END, EventKind.SESSION_START}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentEvent:
    """One event as the agent left it."""

    kind: EventKind
    at: float
    text: str = ""
    tool: str = ""
    tool_id: str = ""
    conversation: str = ""
    options: tuple[str, ...] = ()
    until: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Signalled:
    """What all events so far say."""

    state: ActivityState = ActivityState.UNKNOWN
    at: float = 0.0
    """When the event behind `state` was made."""
    event: str = ""
    tools: tuple[tuple[str, str], ...] = ()
    """Tool calls that run: (id, name)."""
    dialog: Dialog | None = None
    until: float | None = None
    conversation: str = ""
    receipts: tuple[Receipt, ...] = ()
    signal_at: float = 0.0
    """When the newest event of any kind was made."""


def read_event(fields: EventFields, data: bytes, modified: float, now: float) -> AgentEvent | None:
    """The event in a file; None when it is none that we know."""
    raw = _object(data)
    kind = _kind(fields, raw) if raw is not None else None
    if raw is None or kind is None:
        return None
    options = raw.get(fields.options)
    return AgentEvent(
        kind=kind,
        at=_time(raw.get(fields.at), modified, now),
        # Kept as it came: the digest must be that of the text that was typed.
        text=str(raw.get(fields.text) or ""),
        tool=one_line(str(raw.get(fields.tool) or ""), 80),
        tool_id=str(raw.get(fields.tool_id) or "")[:100],
        conversation=one_line(str(raw.get(fields.conversation) or ""), 100),
        options=tuple(one_line(str(o), 75) for o in options[:10]) if isinstance(options, list) else (),
        until=_number(raw.get(fields.until)),
    )


def read_status(file: StatusFile, data: bytes, modified: float, now: float) -> Signalled | None:
    """What a status file says; None when it says nothing that we know."""
    raw = _object(data) or {}
    state = file.values.get(str(raw.get(file.field)))
    if state is None:
        return None
    at = _time(raw.get(file.at), modified, now)
    conversation = one_line(str(raw.get(file.conversation) or ""), 100)
    return Signalled(state=state, at=at, event=state.value, conversation=conversation, signal_at=at)


def fold(so_far: Signalled, event: AgentEvent, *, counts: bool = True) -> Signalled:
    """What is known after one more event.

    An event of an earlier run does not count: it is remembered for its receipts and conversation only.
    """
    known = replace(
        so_far,
        conversation=event.conversation or so_far.conversation,
        receipts=_receipts(so_far.receipts, event)[-KEPT_RECEIPTS:],
        signal_at=max(so_far.signal_at, event.at),
    )
    if not counts:
        return known
    return replace(
        known,
        state=_STATES[event.kind],
        at=event.at,
        event=event.kind.value,
        tools=_tools(so_far.tools, event),
        dialog=_dialog(event),
        until=event.until,
    )


def _tools(running: tuple[tuple[str, str], ...], event: AgentEvent) -> tuple[tuple[str, str], ...]:
    if event.kind in _TURN_OVER or event.kind is EventKind.PROMPT_SUBMIT:
        return ()
    if event.kind is EventKind.TOOL_START:
        return (*running[-20:], (event.tool_id or event.tool, event.tool))
    if event.kind is EventKind.TOOL_END:
        ended = event.tool_id or event.tool
        left = [tool for tool in running if tool[0] != ended]
        return tuple(left if len(left) < len(running) else running[1:])
    return running


def _dialog(event: AgentEvent) -> Dialog | None:
    if event.kind not in {EventKind.ASKING, EventKind.PERMISSION}:
        return None
    text = excerpt(event.text or event.tool or "It asks something on its screen.", 1000).strip()
    return Dialog(
        id=dialog_id("event", event.tool_id, text, *event.options, str(event.at)),
        text=text,
        options=event.options,
    )


def _receipts(receipts: tuple[Receipt, ...], event: AgentEvent) -> tuple[Receipt, ...]:
    if event.kind is EventKind.PROMPT_SUBMIT:
        new = Receipt(
            text_digest=digest(event.text),
            stage=ReceiptStage.ACCEPTED,
            at=event.at,
            evidence="the agent says that it got the text",
        )
        return (*receipts, new)
    if event.kind in _PROGRESS:
        return tuple(
            replace(r, stage=ReceiptStage.WORKING, at=event.at, evidence=f"{event.kind.value} after it")
            if r.stage is ReceiptStage.ACCEPTED
            else r
            for r in receipts
        )
    if event.kind in {EventKind.STOP, EventKind.INTERRUPTED}:
        return tuple(
            replace(
                r, stage=ReceiptStage.ANSWERED, at=event.at, evidence=f"its turn ended ({event.kind.value})"
            )
            if r.stage is not ReceiptStage.ANSWERED
            else r
            for r in receipts
        )
    return receipts


def _kind(fields: EventFields, raw: Mapping[str, Any]) -> EventKind | None:
    parts = [str(raw[name]) for name in fields.event if raw.get(name) is not None]
    for length in range(len(parts), 0, -1):
        kind = fields.names.get(":".join(parts[:length]))
        if kind is not None:
            return kind
    return None


def _object(data: bytes) -> Mapping[str, Any] | None:
    try:
        raw = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return raw if isinstance(raw, dict) else None


def _time(value: object, otherwise: float, now: float) -> float:
    """An agent's clock is believed up to now, never beyond: the future would pass for news for ever."""
    at = _number(value)
    return min(otherwise if at is None else at, now)


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < MOST_TIME:
        return None
    return float(value)
