"""Sessions, pull requests and events as plain data: what `--json` prints and the API serves.

These shapes are a promise to programs: keys are added, never renamed. Nothing here is kept.
"""

from __future__ import annotations

from bot.chat.message import Json
from orchestrator.domain.event import LoggedEvent
from orchestrator.domain.message import Message as AgentMessage
from orchestrator.domain.outside_text import excerpt
from orchestrator.domain.session import Change, Question, Rescue, Session
from orchestrator.domain.usage import Usage


def session_data(session: Session) -> dict[str, Json]:
    """A session, short: one row of `ao status --json`."""
    return {
        "id": session.id,
        "project": session.project,
        "status": session.status.status.value,
        "reason": session.status.reason,
        "evidence": session.status.evidence,
        "since": session.status.since,
        "created_at": session.created_at,
        "created_by": session.created_by.name,
        "issue": session.task.issue,
        "title": session.task.title or session.task.prompt[:200],
        "url": session.task.url,
        "agent": session.parts.agent,
        "branch": session.branch,
        "base": session.base,
        "wanted": session.wanted.state.value,
        "hold": session.hold.name if session.hold else "",
        "ended": session.ended,
        "used": _used(session.used.total) if session.used else None,
        "pull_request": _change(session.change),
        "question": _question(session.question),
    }


def session_detail(session: Session) -> dict[str, Json]:
    """A session, in full: `ao status <session> --json` and `GET /sessions/{id}`."""
    return {
        **session_data(session),
        "workspace": session.workspace,
        "setup": {"step": session.setup.step.value, "reason": session.setup.reason},
        "runtime": {"state": session.runtime.state.value, "reason": session.runtime.reason},
        "work": {
            "state": session.work.activity.state.value,
            "source": session.work.activity.source.value,
            "evidence": session.work.activity.evidence,
            "reported": session.work.reported,
            "reported_done": session.work.reported_done,
            "disagreement": session.work.disagreement,
            "trouble": session.work.activity.trouble.value if session.work.activity.trouble else "",
            "until": session.work.activity.until,
        },
        "uncommitted_files": session.dirty,
        "local_head": session.local_head,
        "messages": [message_data(message) for message in session.messages],
        "questions": [_question(question) for question in session.questions],
        "held": _held(session),
        "rescues": [rescue_data(rescue) for rescue in session.rescues],
        "ending": {"step": session.ending.step.value, "reason": session.ending.reason},
    }


def _held(session: Session) -> list[Json]:
    """What waits for a release, in words; `ao held` shows it in full."""
    push = session.held.push
    found: list[Json] = []
    if push is not None and push.needs_person:
        found.append(f"push of {push.head}: {push.why if push.refused else push.reasons}")
    return [*found, *(f"{text.id}: {text.words}" for text in session.held.texts if text.waits)]


def _used(usage: Usage) -> Json:
    return {
        "input_tokens": usage.input_tokens,
        "cached_tokens": usage.cached_tokens,
        "output_tokens": usage.output_tokens,
        "dollars": usage.dollars,
        "context_percent": usage.context_percent,
        "model": usage.model,
    }


def _change(change: Change | None) -> Json:
    if change is None:
        return None
    pr = change.pr
    runs: list[Json] = [{"name": run.name, "state": run.state.value, "url": run.url} for run in pr.runs]
    return {
        "number": pr.number,
        "url": pr.url,
        "title": pr.title,
        "state": pr.state.value,
        "head": pr.head,
        "base": pr.base,
        "checks": pr.checks.value,
        "runs": runs,
        "review": pr.decision.value,
        "approvals": [
            {"by": given.by.name, "head": given.head, "at": given.at} for given in change.approvals
        ],
        "mergeable": pr.mergeable.value,
        "blockers": list(pr.blockers),
        "additions": pr.additions,
        "deletions": pr.deletions,
        "files": pr.files,
        "notes": list(pr.notes),
        "red_heads": list(change.red_heads),
        "merge_commit": pr.merge_commit,
        "unseen": change.unseen,
    }


def _question(question: Question | None) -> Json:
    if question is None:
        return None
    return {
        "id": question.id,
        "text": question.text,
        "options": list(question.options),
        "many": question.many,
        "asked_at": question.asked_at,
        "open": question.open,
        "call": None
        if question.call is None
        else {"tool": question.call.tool, "argument": excerpt(question.call.argument, 2000)},
        "answer": question.answer,
        "answered_by": question.answered_by.name if question.answered_by else "",
    }


def message_data(message: AgentMessage) -> Json:
    """A message to an agent, with how far it has come."""
    return {
        "number": message.number,
        "by": message.by,
        "at": message.at,
        "stage": message.stage.value,
        "reason": message.reason,
        "text": message.text,
    }


def rescue_data(rescue: Rescue) -> Json:
    """One piece of saved work."""
    return {"ref": rescue.ref, "commit": rescue.commit, "at": rescue.at, "summary": rescue.summary}


def event_data(logged: LoggedEvent) -> dict[str, Json]:
    """One line of the event stream."""
    event = logged.event
    return {
        "seq": logged.seq,
        "id": event.id,
        "type": event.type,
        "at": event.at,
        "project": event.project,
        "session": event.session,
        "level": event.level.value,
        "text": event.text,
        "data": dict(event.data),
    }
