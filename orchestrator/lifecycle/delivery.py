"""Messages on their way to an agent: what its signals and the time say of each. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from orchestrator.domain.activity import PASTED, Activity, ActivityState, Receipt, ReceiptStage
from orchestrator.domain.event import Level
from orchestrator.domain.message import OPEN_STAGES, Message, MessageStage, digest
from orchestrator.domain.session import RuntimeState, Session, WantedState
from orchestrator.lifecycle.draft import Draft
from orchestrator.ports.agent import AgentLook

TYPED_WAIT = 15.0
"""Seconds that a typed message may lack the agent's own signal before Enter is pressed again."""
TRIES = 3
PERSON_QUIET = 10.0
"""Seconds that an attached person must not have typed before we do."""
KEPT_MESSAGES = 50
CLOCK_SLACK = 5.0
"""Seconds that the agent's clock may be behind ours."""
UNREAD = "the agent was interrupted before it did anything about it"

_STAGES = {
    ReceiptStage.ACCEPTED: MessageStage.ACCEPTED,
    ReceiptStage.WORKING: MessageStage.WORKING,
    ReceiptStage.ANSWERED: MessageStage.ANSWERED,
}
_NO_TERMINAL = {
    RuntimeState.NONE: "the agent is not started yet",
    RuntimeState.EXITED: "the agent is gone",
    RuntimeState.MISSING: "the agent's terminal is gone",
    RuntimeState.UNKNOWN: "nobody can tell whether the agent lives",
}
_ORDER = list(MessageStage)
_ON_THE_WAY = frozenset(
    {MessageStage.TYPING, MessageStage.TYPED, MessageStage.ACCEPTED, MessageStage.WORKING}
)


def stage(
    draft: Draft, message: Message, to: MessageStage, reason: str = "", level: Level | None = None
) -> None:
    """Move a message to a stage and tell of it; one that fails calls a person unless `level` says other."""
    level = level or (Level.ACTION if to is MessageStage.FAILED else Level.INFO)
    draft.put_message(replace(message, stage=to, stage_at=draft.now, reason=reason))
    words = f"message {message.number} is {to.value}" + (f": {reason}" if reason else "")
    draft.tell(f"message.{to.value}", words, level, number=message.number, reason=reason)


def take_receipts(draft: Draft, look: AgentLook) -> None:
    """The agent's own word moves messages on; never back, and each word serves one message."""
    for message in draft.session.messages:
        if message.stage not in _ON_THE_WAY:
            continue
        receipt = _receipt_of(draft.session, message, look.receipts)
        if receipt is None:
            continue
        if not message.receipt_at:
            draft.put_message(replace(message, receipt_at=receipt.since))
        furthest = _ORDER.index(_STAGES.get(receipt.stage, MessageStage.ACCEPTED))
        # One signal may say more than one stage at once; each stage is told.
        for target in _STAGES.values():
            current = _current(draft, message.number)
            if _ORDER.index(current.stage) < _ORDER.index(target) <= furthest:
                stage(draft, current, target)
        if receipt.stage is ReceiptStage.INTERRUPTED:
            stage(draft, _current(draft, message.number), MessageStage.FAILED, UNREAD, Level.WARNING)
    _by_activity(draft, look)
    _trim(draft)


def _receipt_of(session: Session, message: Message, receipts: Sequence[Receipt]) -> Receipt | None:
    """The agent's word about this message: the one that it has, else the first that no other message has."""
    name = digest(message.text)
    about = [r for r in receipts if r.text_digest == name]
    at = message.receipt_at
    if not at:
        taken = {m.receipt_at for m in session.messages if m.receipt_at and digest(m.text) == name}
        # After Enter was pressed again, `stage_at` is of that; the agent may have had it by the first.
        since = message.stage_at - CLOCK_SLACK - TYPED_WAIT * max(message.tries - 1, 0)
        at = next((r.since for r in about if r.since >= since and r.since not in taken), 0.0)
    return next((r for r in reversed(about) if r.since == at), None)


def _current(draft: Draft, number: int) -> Message:
    return next(m for m in draft.session.messages if m.number == number)


def _by_activity(draft: Draft, look: AgentLook) -> None:
    """Where an agent gives no receipts, turning busy after the typing is its signal."""
    if look.receipts or look.signal_at:
        return
    for message in draft.session.messages:
        busy = look.activity.state is ActivityState.BUSY
        if message.stage is MessageStage.TYPED and busy:
            stage(draft, message, MessageStage.ACCEPTED, "the agent turned busy")
        elif message.stage is MessageStage.ACCEPTED and look.activity.state is ActivityState.IDLE:
            stage(draft, message, MessageStage.ANSWERED, "its turn ended")


def _trim(draft: Draft) -> None:
    closed = [m for m in draft.session.messages if m.stage not in OPEN_STAGES]
    surplus = {m.number for m in closed[:-KEPT_MESSAGES]}
    if surplus:
        draft.set(messages=tuple(m for m in draft.session.messages if m.number not in surplus))


def fail_open(draft: Draft, why: str) -> None:
    """The session ends: whoever still waits for word of a message gets it now."""
    for message in draft.session.messages:
        if message.stage in OPEN_STAGES:
            stage(draft, message, MessageStage.FAILED, why, Level.INFO if message.key else Level.ACTION)


def next_to_type(session: Session) -> Message | None:
    """The message that may be typed now: the oldest queued, if none is still on its way."""
    if why_not_typing(session):
        return None
    return next((m for m in session.messages if m.stage is MessageStage.RECEIVED), None)


def why_not_typing(session: Session) -> str:
    """Why nothing may be typed into this session now; empty when it may."""
    if session.wanted.state is not WantedState.RUN:
        return "the session is paused" if session.wanted.state is WantedState.PAUSE else "the session ends"
    if session.runtime.state is not RuntimeState.ALIVE:
        return _NO_TERMINAL[session.runtime.state]
    if session.work.activity.dialog is not None:
        return "a dialog is open; only its own answer may go there"
    if not prompt_shown(session):
        busy = session.work.activity.state is ActivityState.BUSY
        return "the agent is busy" if busy else "the agent's prompt does not wait for text"
    if any(m.stage in {MessageStage.TYPING, MessageStage.TYPED} for m in session.messages):
        return "an earlier message is not confirmed yet"
    return ""


def why_waiting(session: Session) -> str:
    """What a queued message waits for, for a person; empty when it is typed next."""
    draft = session.work.activity.draft
    ours = any(is_draft_of(draft, message) for message in session.messages)
    if not why_not_typing(session) and draft and not ours and not is_part_of(draft, session.task.prompt):
        return "text that is not ours stands in the agent's prompt: somebody is typing there"
    return why_not_typing(session)


def prompt_shown(session: Session) -> bool:
    """Its prompt waits, empty or with a draft in it; whose draft that is, is looked at before typing."""
    return at_prompt(session.work.activity)


def at_prompt(activity: Activity) -> bool:
    """The same of one look."""
    return activity.accepts_text or bool(activity.draft)


def is_draft_of(draft: str, message: Message) -> bool:
    """Whether what stands in a prompt is (a part of) this message, however the terminal wrapped it."""
    if draft == PASTED:
        return message.stage in {MessageStage.TYPING, MessageStage.TYPED}
    return is_part_of(draft, message.text)


def is_part_of(draft: str, text: str) -> bool:
    """Whether a draft is (a part of) a text: what is shown of it stands there, in that order."""
    whole, at = "".join(text.split()), 0
    shown = [part for hidden in draft.split(PASTED) if (part := "".join(hidden.split()))]
    for part in shown:
        at = whole.find(part, at)
        if at < 0:
            return False
    return bool(shown)


def overdue(session: Session, now: float) -> Message | None:
    """A typed message that the agent has not confirmed in time."""
    for message in session.messages:
        if message.stage is MessageStage.TYPED and now - message.stage_at >= TYPED_WAIT:
            return message
    return None
