"""Which events become notifications, at which level, for whom. Pure.

Reactions with `action: notify` set the level of what they are about; everything else keeps its own.
"""

from __future__ import annotations

from orchestrator.domain.activity import FLEET_TROUBLES
from orchestrator.domain.event import Event, Level, LoggedEvent
from orchestrator.domain.notification import Notification, NotificationAction
from orchestrator.domain.rules import ReactionRule, Rules

REACTION_OF: dict[str, str] = {
    "question.asked": "agent-needs-input",
    "session.stuck": "agent-stuck",
    "session.errored": "agent-exited",
    "ci.failing": "ci-failed",
    "review.changes_requested": "changes-requested",
    "merge.conflicts": "merge-conflicts",
    "merge.ready": "approved-and-green",
    "pr.closed": "pr-closed",
    "fleet.complete": "all-complete",
}
"""Event type -> the reaction whose rule says how loud it is."""

TOLD = frozenset(
    {
        *REACTION_OF,
        "agent.account",
        "fleet.lost",
        "intake.refused",
        "intake.trouble",
        "merge.dropped",
        "merge.refused",
        "message.failed",
        "pr.merged",
        "pr.opened",
        "pr.refused",
        "push.held",
        "push.refused",
        "question.undelivered",
        "reaction.escalated",
        "reaction.waits",
        "rescue.saved",
        "review.not_carried",
        "review.pending",
        "session.done",
        "session.limited",
        "storage.damaged",
        "text.held",
    }
)
"""Events that somebody wants to hear of. Everything else is read in `ao events`."""

_FOR_ALL = frozenset(trouble.value for trouble in FLEET_TROUBLES)
"""Told once for all sessions of an agent (`agent.account`)."""
_ONLY_LOUD = frozenset({"reaction.waits", "text.held"})
"""Told only where a person is needed."""
_SENT = frozenset({"ci-failed", "changes-requested", "merge-conflicts"})
"""Reactions that write to the agent: it is told, or `reaction.waits` says that it waits for leave."""


def level(event: Event, rules: Rules | None) -> Level | None:
    """How loud an event is; None: nobody is told.

    A failing check that goes to the agent by itself is no news for people; its escalation is. What
    waits for leave to be sent is, unless its rule's priority is `info` (an agent that merely idles).
    """
    if event.type not in TOLD or (event.type in _ONLY_LOUD and event.level is Level.INFO):
        return None
    if event.data.get("trouble") in _FOR_ALL and event.session is not None:
        return None
    rule = _rule(event, rules)
    if rule is None:
        return event.level
    if rule.action == "send-to-agent" and (rule.auto or rule.key in _SENT):
        return None
    if rule.action == "auto-merge" and rule.auto:
        return None
    return rule.priority


def _rule(event: Event, rules: Rules | None) -> ReactionRule | None:
    return rules.reactions.get(REACTION_OF.get(event.type, "")) if rules else None


def notification(logged: LoggedEvent, at: Level, rules: Rules | None = None) -> Notification:
    """The event as a notifier is handed it, with what its rule says besides.

    The key is the event's id: told twice, shown once.
    """
    event = logged.event
    rule = _rule(event, rules)
    said = rule.message if rule is not None and rule.action == "notify" else ""
    summary = str(event.data.get("summary", "")) if rule is not None and rule.include_summary else ""
    lines = (line for text in (event.text, said, summary) for line in text.splitlines() if line)
    session = event.session or ""
    where = session or event.project or "ao"
    return Notification(
        key=event.id,
        level=at,
        title=f"{where}: {_TITLES.get(event.type, event.type)}",
        lines=tuple(lines)[:20],
        project=event.project,
        session=session,
        event_type=event.type,
        at=event.at,
        link=str(event.data.get("url", "")),
        actions=_actions(event),
    )


_TITLES = {
    "question.asked": "the agent asks",
    "question.undelivered": "your answer did not arrive",
    "session.stuck": "stuck",
    "session.errored": "the agent is gone",
    "session.done": "done",
    "session.limited": "made to wait by the provider",
    "ci.failing": "checks failed",
    "review.changes_requested": "changes requested",
    "review.pending": "review wanted",
    "review.not_carried": "a review is not on the forge",
    "merge.conflicts": "conflicts",
    "merge.ready": "can be merged",
    "merge.dropped": "left the merge queue",
    "merge.refused": "not merged",
    "message.failed": "a message did not arrive",
    "pr.opened": "pull request opened",
    "pr.closed": "pull request closed",
    "pr.merged": "merged",
    "pr.refused": "its pull request was not taken",
    "push.held": "a push is held",
    "push.refused": "not pushed",
    "text.held": "a text by an outsider is held",
    "rescue.saved": "unsaved work was kept",
    "reaction.escalated": "needs a person",
    "reaction.waits": "waits for your word",
    "agent.account": "an agent's account needs a person",
    "intake.refused": "an issue was not taken up",
    "intake.trouble": "the label queue cannot be read",
    "fleet.lost": "terminals are gone",
    "fleet.complete": "all sessions have ended",
    "storage.damaged": "a kept file was damaged",
}


_AT_HEAD = {
    "merge.ready": ("Merge", "merge"),
    "review.pending": ("Approve", "approve"),
    "push.held": ("Release this push", "release"),
}
"""What is decided at the head that is told of."""


def _actions(event: Event) -> tuple[NotificationAction, ...]:
    session, head = event.session, event.data.get("head")
    if session is None:
        return ()
    if event.type == "question.asked":
        options = [o for o in str(event.data.get("options", "")).split(" | ") if o]
        # Bound to its question, and `--` since an option is the agent's own text.
        start = f"answer {session} --question {event.data.get('question')} --"
        return tuple(NotificationAction(label=o, verb=f"{start} {o}") for o in options)
    if event.type in _AT_HEAD and head:
        label, verb = _AT_HEAD[event.type]
        return (NotificationAction(label=label, verb=f"{verb} {session} --head {head}"),)
    if event.type == "text.held" and event.data.get("held"):
        verb = f"release-text {session} {event.data['held']}"
        return (NotificationAction(label="Release to agent", verb=verb),)
    if event.type == "reaction.waits":
        return (NotificationAction(label="Send", verb=f"retry {session} --send"),)
    if event.type == "session.errored":
        return (NotificationAction(label="Restore", verb=f"restore {session}"),)
    return ()
