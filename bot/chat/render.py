"""Sessions, pull requests and events as messages: phone-short, a state always as emoji and word.

Titles, questions and branch names are outside text: they are cleaned and put on one line here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.chat.held import push_buttons
from bot.chat.message import Button, Field, Json, Message, Table
from bot.chat.view import event_data, session_data, session_detail
from orchestrator.domain.activity import in_words
from orchestrator.domain.agent_request import PLAN_ANSWERS, is_plan
from orchestrator.domain.counted import counted
from orchestrator.domain.event import Level, LoggedEvent
from orchestrator.domain.ids import short_sha
from orchestrator.domain.message import OPEN_STAGES, MessageStage
from orchestrator.domain.message import Message as AgentMessage
from orchestrator.domain.outside_text import excerpt, one_line
from orchestrator.domain.pull_request import CheckState, Mergeable, PullRequest, PullRequestState
from orchestrator.domain.session import Change, Question, Session, WantedState
from orchestrator.domain.status import NEEDS_PERSON, Status
from orchestrator.domain.usage import Usage
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
_OPEN = frozenset({PullRequestState.DRAFT, PullRequestState.OPEN})
_AGENTS_TURN = frozenset({Status.CI_FAILED, Status.CHANGES_REQUESTED, Status.CONFLICTED})
MOST_PLAN = 4000
_COLUMNS = ("session", "status", "for", "PR", "why", "task")
LEVEL_EMOJI = {Level.INFO: "·", Level.WARNING: "⚠️", Level.ACTION: "👉", Level.URGENT: "🔔"}

_ALONE = {
    Status.WAITING_INPUT: "Waiting for input",
    Status.MERGEABLE: "Can be merged",
    Status.CI_FAILED: "Checks failed",
    Status.PR_OPEN: "Pull request open",
}


def state(status: Status) -> str:
    """A status for people: emoji and word."""
    return f"{EMOJI[status]} {status.value.replace('_', ' ')}"


def state_alone(status: Status) -> str:
    """A status where it stands alone, as a sentence: `Waiting for input`."""
    return _ALONE.get(status, status.value.replace("_", " ").capitalize())


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


def size_words(pr: PullRequest) -> str:
    """How much a pull request changes: `2 files, +5 -1`."""
    return f"{counted(pr.files, 'file')}, +{pr.additions} -{pr.deletions}"


def needs_person(session: Session) -> bool:
    """Whether it goes on only if somebody does something: also where the agent whose turn it is is gone."""
    status, push = session.status.status, session.held.push
    held = (push is not None and push.needs_person) or bool(session.held.task_waits)
    lives = session.wanted.state is not WantedState.STOP
    return (held and lives) or status in NEEDS_PERSON or (status in _AGENTS_TURN and agent_is_gone(session))


def sessions_table(sessions: Sequence[Session], now: float, *, brake: str = "") -> Message:
    """The fleet, one line a session; those that need a person are counted in the title."""
    rows = tuple(_row(session, now) for session in sessions)
    waiting = sum(needs_person(session) for session in sessions)
    title = f"{len(sessions)} session{'' if len(sessions) == 1 else 's'}"
    if waiting:
        title += f", {waiting} need{'s' if waiting == 1 else ''} a person"
    lines, steps = _of_all(sessions, brake)
    return Message(
        title=title,
        lines=lines,
        table=Table(_COLUMNS, rows, cut=("why", "task")) if rows else None,
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
        "" if session.status.status is Status.WORKING else reason_words(session, 120),
        task_words(session),
    )


def session_card(session: Session, now: float) -> Message:
    """One session: status with reason and evidence, its pull request, its question, what to do."""
    line = session.status
    lines = [reason_words(session, 300)]
    if line.evidence and line.evidence != line.reason:
        lines.append(f"Evidence: {one_line(line.evidence, 300)}")
    if agent_is_gone(session):
        why = one_line(session.runtime.reason, 200)
        lines.append(f"Its agent is gone{f': {why}' if why else ''}.")
    question = session.question
    if question is not None:
        lines += _asked(question)
    return Message(
        title=f"{session.id} {state(line.status)} for {duration(now - line.since)}",
        lines=tuple(text for text in lines if text),
        fields=(
            *_session_fields(session, now),
            *(pull_request_fields(session.change) if session.change else ()),
        ),
        level=Level.ACTION if needs_person(session) else Level.INFO,
        buttons=buttons(session),
        next_steps=next_steps(session),
        session=session.id,
        data=session_detail(session),
    )


def _session_fields(session: Session, now: float) -> tuple[Field, ...]:
    found = [
        Field("task", task_words(session, 120)),
        Field("agent", _agent_words(session, now)),
        Field("branch", _branch_words(session)),
    ]
    if session.unasked:
        found.append(Field("permissions", "runs whatever it likes without asking (permissionless)"))
    if session.used is not None:
        found.append(Field("used", used_words(session.used.total)))
    merged = session.merged
    if merged is not None and merged is not session.change:
        found.append(Field("merged before", f"#{merged.pr.number} as {short_sha(merged.pr.merge_commit)}"))
    if session.hold:
        found.append(Field("hold", f"{session.hold} says that nobody merges this"))
    if session.dirty:
        found.append(Field("uncommitted", f"{session.dirty} file{'' if session.dirty == 1 else 's'}"))
    found += _messages(session)
    if session.rescues:
        found.append(Field("rescued", f"{session.rescues[-1].ref} ({session.rescues[-1].summary})"))
    return tuple(found)


def used_words(usage: Usage) -> str:
    """What an agent has used: `23k tokens, $0.41, context 12 % full`."""
    tokens = usage.tokens
    parts = [f"{tokens / 1000:.0f}k tokens" if tokens >= 10_000 else f"{tokens} tokens"] if tokens else []
    if usage.dollars is not None:
        parts.append(f"${usage.dollars:.2f}")
    if usage.context_percent is not None:
        parts.append(f"context {usage.context_percent} % full")
    if usage.model:
        parts.append(one_line(usage.model, 40))
    return ", ".join(parts) or "nothing yet"


def _messages(session: Session) -> list[Field]:
    """What the agent was told and has not answered yet."""
    return [
        Field(
            f"message {message.number}",
            f"{message_stage(session, message)}: {one_line(message.text, 80)}",
        )
        for message in session.messages
        if message.stage in OPEN_STAGES
    ]


def message_stage(session: Session, message: AgentMessage) -> str:
    """How far a message to the agent has come, and what it waits for while nobody has typed it."""
    from orchestrator.lifecycle.delivery import why_waiting  # brings a library that help does without

    if message.stage is not MessageStage.RECEIVED:
        return f"is {message.stage.value}" + (f" ({one_line(message.reason, 120)})" if message.reason else "")
    return f"waits ({why_waiting(session) or 'it is typed next'})"


def reason_words(session: Session, limit: int) -> str:
    """Why it is in its state; errors name their session, which stands here already."""
    return one_line(session.status.reason.removeprefix(f"{session.id}: "), limit)


def _agent_words(session: Session, now: float) -> str:
    """What the agent does, who says so and since when; the signal's own name comes last."""
    activity = session.work.activity
    at = f" at {clock(activity.at, now)}" if activity.at else ""
    name = f" ({one_line(activity.evidence, 100)})" if activity.evidence else ""
    return f"{in_words(activity)}{at}{name}"


def _branch_words(session: Session) -> str:
    branch, base = one_line(session.branch), one_line(session.base)
    return branch if branch == base else f"{branch} from {base}"


def pull_request_fields(change: Change) -> tuple[Field, ...]:
    """What a person must see before approving or merging."""
    pr = change.pr
    found = [
        Field("PR", f"#{pr.number} {one_line(pr.title, 100)}"),
        Field("state", f"{pr.state.value}, head {short_sha(pr.head)} into {one_line(pr.base)}"),
        Field("size", size_words(pr)),
        Field("checks", checks_words(pr)),
        Field("review", _review_words(change)),
    ]
    if pr.state in _OPEN and (pr.mergeable is not Mergeable.CLEAN or pr.blockers):
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
    push = session.held.push
    found: list[Button] = [*(push_buttons(session, push) if push is not None else ())]
    if change is not None:
        shown = {**here, "head": change.pr.head}
        if status in {Status.REVIEW_PENDING, Status.PR_OPEN}:
            found.append(Button(label="Approve", verb="approve", arguments=shown))
        if status is Status.MERGEABLE:
            found.append(Button(label="Merge", verb="merge", arguments=shown))
        if status in {Status.CI_FAILED, Status.STUCK} and change.red_heads:
            found.append(Button(label="Retry", verb="retry", arguments=here))
    if session.ended or status in {Status.KILLED, Status.ERRORED} or agent_is_gone(session):
        found.append(Button(label="Restore", verb="restore", arguments=here))
    if status is Status.PAUSED:
        found.append(Button(label="Go on", verb="unpause", arguments=here))
    elif not session.ended and status not in {Status.KILLED, Status.ERRORED}:
        found.append(Button(label="Kill", verb="kill", arguments=here, danger=True))
    return tuple(found)


def _asked(question: Question) -> list[str]:
    """What is asked, with its options; a plan stands there as it was written."""
    options = [f"  {number}. {one_line(option, 200)}" for number, option in enumerate(question.options, 1)]
    if not is_plan(question.options):
        return [f"Asks: {one_line(question.text, 500)}", *options]
    return [*excerpt(question.text, MOST_PLAN).splitlines(), *options, f"  {PLAN_ANSWERS}"]


def next_steps(session: Session) -> tuple[str, ...]:
    """What can be typed next, the likeliest first."""
    status = session.status.status
    push = session.held.push
    if push is not None and push.needs_person and session.question is None:
        out = f"release {session.id}" if push.findings else f"retry {session.id}"
        return (f"held {session.id}", out, f"send-back {session.id} <text>")
    if session.held.task_waits:
        return (f"held {session.id}", f"release-text {session.id} {session.held.task_waits}")
    steps = {
        Status.WAITING_INPUT: (f"answer {session.id} <text>", f"attach {session.id}"),
        Status.STUCK: (f"output {session.id}", f"interrupt {session.id}", f"send {session.id} <text>"),
        Status.REVIEW_PENDING: (f"approve {session.id}", f"request-changes {session.id} <text>"),
        Status.MERGEABLE: (f"merge {session.id}",),
        Status.CI_FAILED: (f"output {session.id}", f"retry {session.id}"),
        Status.PAUSED: (f"unpause {session.id}",),
        Status.ERRORED: (f"restore {session.id}", *(() if session.ended else (f"kill {session.id}",))),
        Status.KILLED: (f"restore {session.id}",),
    }
    back = (f"restore {session.id}",) if agent_is_gone(session) else ()
    return tuple(dict.fromkeys((*steps.get(status, ()), *back)))


def agent_is_gone(session: Session) -> bool:
    """Nobody ended it, and yet nothing runs there any more."""
    return session.runtime.gone and session.wanted.state is not WantedState.STOP


def event_line(logged: LoggedEvent, now: float) -> str:
    """One event on one line."""
    return event_data_line(event_data(logged), now)


def event_data_line(data: Mapping[str, Json], now: float) -> str:
    """One event on one line, from the data that the stream carries."""
    at = data.get("at")
    level = Level(str(data.get("level") or Level.INFO.value))
    subject = data.get("session") or data.get("project") or ""
    words = one_line(str(data.get("text") or ""), 300)
    when = clock(at if isinstance(at, int | float) else 0.0, now)
    return f"{when} {LEVEL_EMOJI[level]} {subject} {data.get('type', '')} {words}".rstrip()


def events_message(events: Sequence[LoggedEvent], now: float) -> Message:
    """Some of the log."""
    return Message(
        title=f"{len(events)} event{'' if len(events) == 1 else 's'}",
        lines=tuple(event_line(logged, now) for logged in events),
        data={"events": [event_data(logged) for logged in events], "after": events[-1].seq if events else 0},
    )
