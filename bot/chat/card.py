"""The card of a session: one message for each surface and channel, edited in place. Pure.

It says what does not move by itself: *since when*, never *for how long*; what was spent in coarse steps.
So time that passes is no edit, and two cards that are equal need none.
"""

from __future__ import annotations

import hashlib
import json

from bot.chat.message import Button, Field, Message, as_json
from bot.chat.offers import buttons, menu
from bot.chat.render import (
    EMOJI,
    checks_words,
    needs_person,
    reason_words,
    size_words,
    state_alone,
    task_words,
)
from orchestrator.domain.event import Level
from orchestrator.domain.ids import short_sha
from orchestrator.domain.outside_text import excerpt, one_line
from orchestrator.domain.session import Change, Session
from orchestrator.domain.status import Status
from orchestrator.domain.usage import Usage

_DOLLARS = (0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
_TOKENS = (10_000, 50_000, 100_000, 500_000, 1_000_000, 5_000_000, 10_000_000, 50_000_000)
_SILENT = frozenset({Status.WORKING, Status.SPAWNING, Status.MERGED})
"""States that need no reason beside their word."""
MOST_QUESTION = 600


def card(session: Session) -> Message:
    """A session as people follow it, with what can be done about it now."""
    line = session.status
    asked: tuple[Button, ...] = buttons(session)
    return Message(
        title=f"{session.id} · {task_words(session, 100)}",
        lines=tuple(text for text in (_need(session), *_question(session)) if text),
        fields=(
            Field("state", f"{EMOJI[line.status]} {state_alone(line.status)}", line.since),
            *_facts(session),
        ),
        buttons=asked,
        menu=menu(session),
        level=Level.ACTION if needs_person(session) else Level.INFO,
        session=session.id,
    )


def digest(message: Message) -> str:
    """A short name of what a message shows: equal for two that look the same."""
    text = json.dumps(as_json(message), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:16]


def _facts(session: Session) -> tuple[Field, ...]:
    found = [Field("agent", one_line(session.parts.agent, 40)), Field("branch", one_line(session.branch, 80))]
    if session.change is not None:
        found += _change(session.change)
    if session.used is not None and (spent := coarse(session.used.total)):
        found.append(Field("spent", spent))
    if session.unasked:
        found.append(Field("permissions", "⚠️ runs whatever it likes without asking"))
    push = session.held.push
    if push is not None and push.needs_person:
        why = push.words if push.refused else push.reasons
        found.append(Field(f"push {push.stage.value}", one_line(f"{short_sha(push.head)}: {why}", 200)))
    if session.hold:
        found.append(Field("hold", f"{session.hold} says that nobody merges this"))
    if session.rescues and session.ended:
        found.append(Field("rescued", session.rescues[-1].summary))
    return tuple(found)


def _change(change: Change) -> list[Field]:
    pr = change.pr
    found = [
        Field("pull request", f"#{pr.number} {pr.state.value} at {short_sha(pr.head)}, {size_words(pr)}"),
        Field("checks", checks_words(pr)),
    ]
    here = [given for given in change.approvals if given.head == pr.head]
    words = pr.decision.value.replace("_", " ")
    if here:
        words = f"approved by {', '.join(given.by.name for given in here)}"
    found.append(Field("review", words))
    if pr.url:
        found.append(Field("link", one_line(pr.url)))
    return found


def _need(session: Session) -> str:
    """The one thing needed now, or why it is where it is."""
    status = session.status.status
    if status in _SILENT:
        return ""
    head = short_sha(session.change.pr.head) if session.change else ""
    needed = {
        Status.REVIEW_PENDING: f"Needs a review at {head}.",
        Status.MERGEABLE: f"Can be merged at {head}.",
        Status.WAITING_INPUT: _input_needed(session),
    }
    return needed.get(status, reason_words(session, 200))


def _input_needed(session: Session) -> str:
    if session.question:
        return ""
    push = session.held.push
    if push is None:
        return "The agent waits for an answer."
    if push.refused:
        return f"The forge refused its push of {short_sha(push.head)}: {one_line(push.words, 300)}"
    return f"Its push of {short_sha(push.head)} is held: {one_line(push.reasons, 200)}"


def _question(session: Session) -> tuple[str, ...]:
    """What the agent asks, or wants to run."""
    question = session.question
    if question is None:
        return ()
    if question.call is not None:
        return (f"Wants to run {question.call.tool}: {one_line(question.call.argument, MOST_QUESTION)}",)
    return (f"Asks: {excerpt(question.text, MOST_QUESTION)}",)


def coarse(usage: Usage) -> str:
    """What was spent, in steps: `over $2`; empty below the first step."""
    if usage.dollars is not None:
        passed = [step for step in _DOLLARS if usage.dollars >= step]
        return f"over ${passed[-1]:g}" if passed else ""
    steps = [step for step in _TOKENS if usage.tokens >= step]
    return f"over {steps[-1] // 1000:,}k tokens" if steps else ""
