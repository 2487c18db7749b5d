"""An agent's own signals: event files, one per event, folded into what it does now. Pure.

Events arrive in the order in which they were made. What an agent writes is outside text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from orchestrator.domain.activity import ActivityState, Dialog, Receipt, ReceiptStage, Source, Trouble
from orchestrator.domain.message import digest
from orchestrator.domain.outside_text import one_line
from plugins._shared.agent_dialogs import Pending, dialog_of
from plugins._shared.agent_profile import Profile
from plugins._shared.agent_troubles import PASSES, reset_time, trouble_of
from plugins._shared.profile_signals import EventFields, EventKind, StatusFile

KEPT_RECEIPTS = 30
MOST_TIME = 1e14
"""Numbers beyond this are no time (nor is NaN, which is less than nothing)."""
_MILLISECONDS = 1e11
"""Numbers beyond this are milliseconds since the epoch."""
_STATES = {
    EventKind.SESSION_START: ActivityState.STARTING,
    EventKind.PROMPT_SUBMIT: ActivityState.BUSY,
    EventKind.TOOL_START: ActivityState.BUSY,
    EventKind.TOOL_END: ActivityState.BUSY,
    EventKind.WORKING: ActivityState.BUSY,
    EventKind.ASKING: ActivityState.ASKING,
    EventKind.PERMISSION: ActivityState.PERMISSION,
    EventKind.ANSWERED: ActivityState.BUSY,
    EventKind.LIMITED: ActivityState.LIMITED,
    EventKind.BLOCKED: ActivityState.BLOCKED,
    EventKind.STOP: ActivityState.IDLE,
    EventKind.FAILED: ActivityState.BLOCKED,
    EventKind.INTERRUPTED: ActivityState.IDLE,
    EventKind.SESSION_END: ActivityState.EXITED,
}
_WAITING = frozenset({ActivityState.ASKING, ActivityState.PERMISSION})
_DIALOGS = frozenset({EventKind.ASKING, EventKind.PERMISSION})
_PROGRESS = frozenset({EventKind.TOOL_START, EventKind.TOOL_END, EventKind.WORKING})
_TURN_OVER = frozenset(
    {
        EventKind.STOP,
        EventKind.FAILED,
        EventKind.INTERRUPTED,
        EventKind.SESSION_END,
        EventKind.SESSION_START,
    }
)
_ANSWERED = "ao_answered"
"""The field by which our own hook says what it took the answer to: the name of an event's file."""
_HEAD = 4096
_HEAD_FIELD = r'"{}"\s*:\s*"((?:[^"\\]|\\.){{0,200}})"'


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentEvent:
    """One event as the agent left it."""

    kind: EventKind
    at: float
    name: str = ""
    """The file's name."""
    text: str = ""
    tool: str = ""
    tool_id: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    conversation: str = ""
    transcript: str = ""
    options: tuple[str, ...] = ()
    answers: str = ""
    """The event whose dialog was answered."""
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
    pending: Pending | None = None
    """The hook that waits for an answer to `dialog`."""
    until: float | None = None
    trouble: Trouble | None = None
    words: str = ""
    """The agent's own words about its trouble."""
    conversation: str = ""
    transcript: str = ""
    """Where the agent says that its record of the conversation lies."""
    turns: int = 0
    """How many turns ended."""
    told_by: Source | None = None
    """What told of the state, where it was none of the agent's events."""
    receipts: tuple[Receipt, ...] = ()
    signal_at: float = 0.0
    """When the newest event of any kind was made."""


def read_event(
    fields: EventFields, data: bytes, modified: float, now: float, name: str = ""
) -> AgentEvent | None:
    """The event in a file; None when it is none that we know.

    Of one that was cut off because of its size, what stands at its beginning is known.
    """
    raw = _object(data) or _beginning(fields, data)
    kind = _kind(fields, raw)
    if kind is None:
        return None
    options, arguments = raw.get(fields.options), raw.get(fields.arguments)
    return AgentEvent(
        kind=kind,
        at=_time(raw.get(fields.at), modified, now),
        name=name,
        # Kept as it came: the digest must be that of the text that was typed.
        text=_typed(fields, next((str(raw[key]) for key in fields.text if raw.get(key)), "")),
        tool=one_line(str(raw.get(fields.tool) or ""), 80),
        tool_id=str(raw.get(fields.tool_id) or "")[:100],
        arguments=arguments if isinstance(arguments, dict) else {},
        conversation=one_line(str(raw.get(fields.conversation) or ""), 100),
        transcript=str(raw.get(fields.transcript) or "")[:4096],
        options=tuple(one_line(str(o), 75) for o in options[:10]) if isinstance(options, list) else (),
        answers=str(raw.get(_ANSWERED) or "")[:100],
        until=_number(raw.get(fields.until)),
    )


def _typed(fields: EventFields, text: str) -> str:
    """A text without what the agent puts round a pasted one."""
    match = re.fullmatch(fields.wrapped, text) if fields.wrapped else None
    return match["text"] if match else text


def _beginning(fields: EventFields, data: bytes) -> Mapping[str, Any]:
    """The plain fields at the beginning of an object that is not whole."""
    head = data[:_HEAD].decode(errors="replace")
    wanted = (*fields.event, fields.conversation, fields.transcript, fields.tool, fields.tool_id)
    found = {name: re.search(_HEAD_FIELD.format(re.escape(name)), head) for name in wanted}
    return {name: match[1] for name, match in found.items() if match}


def read_status(file: StatusFile, data: bytes, modified: float, now: float) -> Signalled | None:
    """What a status file says; None when it says nothing that we know."""
    raw = _object(data) or {}
    state = file.values.get(str(raw.get(file.field)))
    if state is None:
        return None
    at = _time(raw.get(file.at), modified, now)
    conversation = one_line(str(raw.get(file.conversation) or ""), 100)
    return Signalled(state=state, at=at, event=state.value, conversation=conversation, signal_at=at)


def newer(so_far: Signalled, status: Signalled) -> Signalled:
    """What a status file tells of the state, where it is newer than the events; the rest is theirs."""
    asks = so_far.state in _WAITING and status.state in _WAITING
    same = asks or so_far.state is status.state
    return replace(
        so_far,
        state=so_far.state if asks else status.state,
        at=status.at,
        event=status.event,
        dialog=so_far.dialog if same else None,
        pending=so_far.pending if same else None,
        tools=so_far.tools if status.state is ActivityState.BUSY or same else (),
        trouble=so_far.trouble if same else None,
        words=so_far.words if same else "",
        until=so_far.until if same else None,
        conversation=status.conversation or so_far.conversation,
        signal_at=max(status.at, so_far.signal_at),
    )


def fold(profile: Profile, so_far: Signalled, event: AgentEvent, *, counts: bool = True) -> Signalled:
    """What is known after one more event.

    An event of an earlier run does not count: it is remembered for its receipts and conversation only.
    """
    known = replace(
        so_far,
        conversation=event.conversation or so_far.conversation,
        transcript=event.transcript or so_far.transcript,
        turns=so_far.turns + (event.kind in _TURN_OVER),
        receipts=_receipts(so_far.receipts, event)[-KEPT_RECEIPTS:],
        signal_at=max(so_far.signal_at, event.at),
    )
    if not counts:
        return known
    tools = _tools(so_far.tools, event)
    dialog, pending = dialog_of(profile, event.kind, event) if event.kind in _DIALOGS else (None, None)
    if dialog is None and _still_asks(so_far, event):
        # Another call of the same turn began, ended or was answered beside the one that waits.
        return replace(known, tools=tools)
    after = replace(
        known,
        state=_STATES[event.kind],
        at=event.at,
        event=event.kind.value,
        tools=tools,
        dialog=dialog,
        pending=pending,
        until=event.until,
        trouble=None,
        words="",
        told_by=None,
    )
    return _failed(profile, after, event) if event.kind is EventKind.FAILED else after


def _still_asks(so_far: Signalled, event: AgentEvent) -> bool:
    """Whether the dialog that was open is about another call than the one that this event is of."""
    if event.kind is EventKind.ANSWERED:
        return so_far.pending is None or so_far.pending.event != event.answers
    if so_far.pending is None or event.kind not in {EventKind.TOOL_START, EventKind.TOOL_END}:
        return False
    return event.tool != so_far.pending.tool or event.arguments != so_far.pending.arguments


def _failed(profile: Profile, after: Signalled, event: AgentEvent) -> Signalled:
    """What an error that ended a turn means."""
    trouble = trouble_of(profile.troubles, event.text) or Trouble.REFUSED
    return replace(
        after,
        state=ActivityState.LIMITED if trouble in PASSES else ActivityState.BLOCKED,
        trouble=trouble,
        words=one_line(event.text, 200),
        until=event.until if event.until is not None else reset_time(event.text, event.at),
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


def _receipts(receipts: tuple[Receipt, ...], event: AgentEvent) -> tuple[Receipt, ...]:
    if event.kind is EventKind.PROMPT_SUBMIT:
        name = digest(event.text)
        same = [r.accepted_at for r in receipts if r.text_digest == name]
        new = Receipt(
            text_digest=name,
            stage=ReceiptStage.ACCEPTED,
            at=event.at,
            # Some clocks know whole seconds only, and two receipts for one text must differ.
            accepted_at=max([event.at, *(at + 0.001 for at in same)]),
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
        return tuple(_over(receipt, event) for receipt in receipts)
    return receipts


def _over(receipt: Receipt, event: AgentEvent) -> Receipt:
    """What the end of a turn says of a message: an agent that is stopped at once puts it back unread."""
    if receipt.stage in {ReceiptStage.ANSWERED, ReceiptStage.INTERRUPTED}:
        return receipt
    unread = event.kind is EventKind.INTERRUPTED and receipt.stage is ReceiptStage.ACCEPTED
    stage = ReceiptStage.INTERRUPTED if unread else ReceiptStage.ANSWERED
    return replace(receipt, stage=stage, at=event.at, evidence=f"its turn ended ({event.kind.value})")


def _kind(fields: EventFields, raw: Mapping[str, Any]) -> EventKind | None:
    if raw.get(_ANSWERED):
        return EventKind.ANSWERED
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
    if at is not None and at > _MILLISECONDS:
        at /= 1000
    return min(otherwise if at is None else at, now)


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < MOST_TIME:
        return None
    return float(value)
