"""Sessions, pull requests and events as messages: phone-short, a state always as emoji and word.

Titles, questions and branch names are outside text: they are cleaned and put on one line here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.chat.message import Button, Field, Json, Message, Table
from bot.chat.view import event_data, session_data, session_detail
from orchestrator.domain.event import Level, LoggedEvent
from orchestrator.domain.outside_text import one_line
from orchestrator.domain.pull_request import CheckState, Mergeable, PullRequest
from orchestrator.domain.session import Change, Session
from orchestrator.domain.status import NEEDS_PERSON, Status
from orchestrator.domain.when import clock

EMOJI = {
    Status.QUEUED: "🕒",
    Status.SPAWNING: "🌱",
    Status.WORKING: "🔨",
    Status.WAITING_INPUT: "❓",
    Status.IDLE: "💤",
    Status.PAUSED: "⏸️",
    Status.LIMITED: "⏳",
    Status.STUCK: "🧱",
    Status.DETECTING: "🔍",
    Status.PR_OPEN: "📬",
    Status.CI_FAILED: "❌",
    Status.REVIEW_PENDING: "👀",
    Status.CHANGES_REQUESTED: "📝",
    Status.CONFLICTED: "🔀",
    Status.APPROVED: "👍",
    Status.MERGEABLE: "✅",
    Status.MERGING: "🚚",
    Status.MERGED: "🎉",
    Status.DONE: "🏁",
    Status.ERRORED: "💥",
    Status.KILLED: "⛔",
}
LEVEL_EMOJI = {Level.INFO: "·", Level.WARNING: "⚠️", Level.ACTION: "👉", Level.URGENT: "🔔"}
_SHORT_SHA = 9


def state(status: Status) -> str:
    """A status for people: emoji and word."""
    return f"{EMOJI[status]} {status.value.replace('_', ' ')}"


def duration(seconds: float) -> str:
    """How long, in one unit or two: `40s`, `12m`, `3h 05m`, `2d 4h`."""
    whole = max(int(seconds), 0)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m"
    if whole < 86400:
        return f"{whole // 3600}h {whole % 3600 // 60:02d}m"
    return f"{whole // 86400}d {whole % 86400 // 3600}h"


def short_sha(sha: str) -> str:
    """A commit as people read it."""
    return sha[:_SHORT_SHA]


def task_words(session: Session, limit: int = 60) -> str:
    """What the session is about, on one line."""
    words = one_line(session.task.title or session.task.prompt, limit)
    return f"#{session.task.issue} {words}".strip() if session.task.issue else words


def checks_words(pr: PullRequest) -> str:
    """All check runs of a head in a few words: `failing: lint, tests`, `passing (3)`."""
    failed = [one_line(run.name, 40) for run in pr.runs if run.state is CheckState.FAILED]
    if failed:
        return f"failing: {', '.join(failed[:5])}"
    return f"{pr.checks.value} ({len(pr.runs)})" if pr.runs else pr.checks.value


def sessions_table(sessions: Sequence[Session], now: float, *, brake: str = "") -> Message:
    """The fleet, one line a session; those that need a person are counted in the title."""
    rows = tuple(_row(session, now) for session in sessions)
    waiting = sum(session.status.status in NEEDS_PERSON for session in sessions)
    title = f"{len(sessions)} session{'' if len(sessions) == 1 else 's'}"
    if waiting:
        title += f", {waiting} need{'s' if waiting == 1 else ''} a person"
    lines, steps = _of_all(sessions, brake)
    return Message(
        title=title,
        lines=lines,
        table=Table(("session", "status", "for", "PR", "checks", "task"), rows) if rows else None,
        level=Level.ACTION if waiting else Level.INFO,
        next_steps=steps if rows or steps else ("spawn <project> <issue>",),
        data={"sessions": [session_data(session) for session in sessions]},
    )


def _of_all(sessions: Sequence[Session], brake: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What concerns the fleet as a whole, and what can be typed about it."""
    lines, steps = [], []
    if brake:
        lines.append(f"{brake[:1].upper()}{brake[1:]}: nothing new starts.")
        steps.append("unpause --all")
    lost = [session.id for session in sessions if session.runtime.lost]
    if lost:
        lines.append(f"{len(lost)} terminals are gone together: {', '.join(lost)}. Their work is safe.")
        steps.append("restore --all")
    return tuple(lines), tuple(steps)


def _row(session: Session, now: float) -> tuple[str, ...]:
    change = session.change
    return (
        session.id,
        state(session.status.status),
        duration(now - session.status.since),
        f"#{change.pr.number}" if change else "",
        change.pr.checks.value if change else "",
        task_words(session),
    )


def session_card(session: Session, now: float) -> Message:
    """One session: status with reason and evidence, its pull request, its question, what to do."""
    line = session.status
    lines = [one_line(line.reason, 300)]
    if line.evidence and line.evidence != line.reason:
        lines.append(f"Evidence: {one_line(line.evidence, 300)}")
    question = session.question
    if question is not None:
        lines.append(f"Asks: {one_line(question.text, 500)}")
        lines += [f"  {number}. {one_line(option, 200)}" for number, option in enumerate(question.options, 1)]
    return Message(
        title=f"{session.id} {state(line.status)} for {duration(now - line.since)}",
        lines=tuple(text for text in lines if text),
        fields=(*_session_fields(session), *(pull_request_fields(session.change) if session.change else ())),
        level=Level.ACTION if line.status in NEEDS_PERSON else Level.INFO,
        buttons=buttons(session),
        next_steps=next_steps(session),
        session=session.id,
        data=session_detail(session),
    )


def _session_fields(session: Session) -> tuple[Field, ...]:
    found = [
        Field("task", task_words(session, 120)),
        Field("agent", one_line(session.work.activity.evidence or session.work.activity.state.value, 120)),
        Field("branch", f"{one_line(session.branch)} from {one_line(session.base)}"),
    ]
    merged = session.merged
    if merged is not None and merged is not session.change:
        found.append(Field("merged before", f"#{merged.pr.number} as {short_sha(merged.pr.merge_commit)}"))
    if session.hold:
        found.append(Field("hold", f"{session.hold} says that nobody merges this"))
    if session.dirty:
        found.append(Field("uncommitted", f"{session.dirty} file{'' if session.dirty == 1 else 's'}"))
    if session.rescues:
        found.append(Field("rescued", f"{session.rescues[-1].ref} ({session.rescues[-1].summary})"))
    return tuple(found)


def pull_request_fields(change: Change) -> tuple[Field, ...]:
    """What a person must see before approving or merging."""
    pr = change.pr
    found = [
        Field("PR", f"#{pr.number} {one_line(pr.title, 100)}"),
        Field("state", f"{pr.state.value}, head {short_sha(pr.head)} into {one_line(pr.base)}"),
        Field("size", f"{pr.files} file{'' if pr.files == 1 else 's'}, +{pr.additions} -{pr.deletions}"),
        Field("checks", checks_words(pr)),
        Field("review", _review_words(change)),
    ]
    if pr.mergeable is not Mergeable.CLEAN or pr.blockers:
        reasons = "; ".join(one_line(text, 120) for text in pr.blockers)
        found.append(Field("merge", f"{pr.mergeable.value}{f': {reasons}' if reasons else ''}"))
    if change.unseen:
        found.append(Field("last look", f"failed: {one_line(change.unseen)}"))
    if pr.url:
        found.append(Field("link", one_line(pr.url)))
    return tuple(found)


def _review_words(change: Change) -> str:
    ours = [given.by.name for given in change.approvals if given.head == change.pr.head]
    words = change.pr.decision.value.replace("_", " ")
    return f"{words}; approved here by {', '.join(ours)}" if ours else words


def buttons(session: Session) -> tuple[Button, ...]:
    """What a person can ask for from this session's card, with the head that the card shows."""
    here = {"session": str(session.id)}
    status, change = session.status.status, session.change
    found: list[Button] = []
    if change is not None:
        shown = {**here, "head": change.pr.head}
        if status in {Status.REVIEW_PENDING, Status.PR_OPEN}:
            found.append(Button(label="Approve", verb="approve", arguments=shown))
        if status is Status.MERGEABLE:
            found.append(Button(label="Merge", verb="merge", arguments=shown))
        if status in {Status.CI_FAILED, Status.STUCK} and change.red_heads:
            found.append(Button(label="Retry", verb="retry", arguments=here))
    if session.ended or status in {Status.KILLED, Status.ERRORED}:
        found.append(Button(label="Restore", verb="restore", arguments=here))
    elif status is Status.PAUSED:
        found.append(Button(label="Go on", verb="unpause", arguments=here))
    else:
        found.append(Button(label="Kill", verb="kill", arguments=here, danger=True))
    return tuple(found)


def next_steps(session: Session) -> tuple[str, ...]:
    """What can be typed next, the likeliest first."""
    status = session.status.status
    steps = {
        Status.WAITING_INPUT: (f"answer {session.id} <text>", f"attach {session.id}"),
        Status.STUCK: (f"output {session.id}", f"send {session.id} <text>"),
        Status.REVIEW_PENDING: (f"approve {session.id}", f"request-changes {session.id} <text>"),
        Status.MERGEABLE: (f"merge {session.id}",),
        Status.CI_FAILED: (f"output {session.id}", f"retry {session.id}"),
        Status.PAUSED: (f"unpause {session.id}",),
        Status.ERRORED: (f"restore {session.id}", *(() if session.ended else (f"kill {session.id}",))),
        Status.KILLED: (f"restore {session.id}",),
    }
    return steps.get(status, ())


def event_line(logged: LoggedEvent) -> str:
    """One event on one line."""
    return event_data_line(event_data(logged))


def event_data_line(data: Mapping[str, Json]) -> str:
    """One event on one line, from the data that the stream carries."""
    at = data.get("at")
    level = Level(str(data.get("level") or Level.INFO.value))
    subject = data.get("session") or data.get("project") or ""
    words = one_line(str(data.get("text") or ""), 300)
    when = clock(at if isinstance(at, int | float) else 0.0)
    return f"{when} {LEVEL_EMOJI[level]} {subject} {data.get('type', '')} {words}".rstrip()


def events_message(events: Sequence[LoggedEvent]) -> Message:
    """Some of the log."""
    return Message(
        title=f"{len(events)} event{'' if len(events) == 1 else 's'}",
        lines=tuple(event_line(logged) for logged in events),
        data={"events": [event_data(logged) for logged in events], "after": events[-1].seq if events else 0},
    )
