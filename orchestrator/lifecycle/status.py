"""Session + rules + now -> the status that people see, with reason and evidence. Pure.

`RULES` is the order of precedence: the first rule that has something to say decides.
"""

from __future__ import annotations

from collections.abc import Callable

from orchestrator.domain.activity import Activity, ActivityState, in_words, shown
from orchestrator.domain.ids import short_sha
from orchestrator.domain.pull_request import Checks, Mergeable, PullRequestState, ReviewDecision
from orchestrator.domain.rules import Rules
from orchestrator.domain.session import (
    Change,
    Question,
    RuntimeState,
    Session,
    SetupStep,
    StatusLine,
    StopReason,
    WantedState,
)
from orchestrator.domain.status import Status
from orchestrator.lifecycle import changes, merging, uncarried
from orchestrator.lifecycle.changes import OPEN

Rule = Callable[[Session, Rules, float], tuple[Status, str] | None]

UNFAMILIAR_FOR = 25.0
"""Seconds for which a screen that nobody understands may stand unchanged: what works moves on it."""

_ENDS = {
    StopReason.KILLED: Status.KILLED,
    StopReason.MERGED: Status.MERGED,
    StopReason.FAILED: Status.ERRORED,
}
_TERMINAL = {
    RuntimeState.NONE: "it has no terminal",
    RuntimeState.ALIVE: "its terminal runs",
    RuntimeState.EXITED: "its program has ended",
    RuntimeState.MISSING: "its terminal is gone",
    RuntimeState.UNKNOWN: "nobody can tell whether its terminal runs",
}
_WAITS_FOR_AGENT = frozenset({ActivityState.IDLE, ActivityState.UNKNOWN, ActivityState.STARTING})


def derive(session: Session, rules: Rules, now: float) -> StatusLine:
    """The status now. `since` is kept from before while the status is the same."""
    for rule in RULES:
        found = rule(session, rules, now)
        if found is not None:
            status, reason = found
            same = session.status.status is status
            since = session.status.since if same else now
            return StatusLine(status=status, reason=reason, evidence=_evidence(session), since=since)
    msg = f"no rule says what {session.id} is"  # the last rule always answers
    raise AssertionError(msg)


def _evidence(session: Session) -> str:
    """What the statement rests on, in words and without times that only pass."""
    activity = session.work.activity
    parts = [_TERMINAL[session.runtime.state], in_words(activity)]
    if activity.tool:
        parts.append(f"runs {activity.tool}")
    if session.work.disagreement:
        parts.append(session.work.disagreement)
    if session.change is not None:
        pr = session.change.pr
        parts.append(f"#{pr.number} {pr.state.value} at {short_sha(pr.head)}, checks {pr.checks.value}")
    push = session.held.push
    if push is not None and push.needs_person:
        parts.append(f"push of {short_sha(push.head)} {push.stage.value}")
    return "; ".join(parts)


def _wanted_stop(session: Session, _rules: Rules, _now: float) -> tuple[Status, str] | None:
    if session.wanted.state is not WantedState.STOP:
        return None
    status = _ENDS[session.wanted.reason or StopReason.KILLED]
    words = session.wanted.words or f"{status.value} by {session.wanted.by}"
    if session.ending.reason:
        words += f"; clean-up waits: {session.ending.reason}"
    return status, words


def _setup(session: Session, _rules: Rules, _now: float) -> tuple[Status, str] | None:
    step = session.setup.step
    if step is SetupStep.READY:
        return None
    if step is SetupStep.FAILED:
        return Status.ERRORED, session.setup.reason or "it could not be set up"
    if step is SetupStep.QUEUED:
        return Status.QUEUED, session.setup.reason or "waits for its turn"
    return Status.SPAWNING, session.setup.reason or f"step {step.value}"


def _merged(session: Session, _rules: Rules, _now: float) -> tuple[Status, str] | None:
    change = session.change
    if change is None or change.pr.state is not PullRequestState.MERGED:
        return None
    return Status.MERGED, f"#{change.pr.number} is in {change.pr.base}"


def _merging(session: Session, _rules: Rules, _now: float) -> tuple[Status, str] | None:
    intent = merging.intent_of(session)
    if intent is None:
        return None
    head, holder = short_sha(intent.data.get("head", "")), merging.taken_back_by(intent)
    if holder:
        return Status.MERGING, f"{holder} took the merge of {head} back; whether it came through is looked up"
    words = f"{intent.data.get('by', 'a rule')} merges {head}"
    where = merging.queued_words(intent)
    return Status.MERGING, f"{words}: {where}" if where else words


def _paused(session: Session, _rules: Rules, _now: float) -> tuple[Status, str] | None:
    if session.wanted.state is not WantedState.PAUSE:
        return None
    return Status.PAUSED, session.wanted.words or f"paused by {session.wanted.by}"


def _runtime(session: Session, rules: Rules, now: float) -> tuple[Status, str] | None:
    fact = session.runtime
    if fact.state in {RuntimeState.ALIVE, RuntimeState.NONE}:
        return None
    if fact.state is RuntimeState.UNKNOWN:
        since = fact.doubt_since if fact.doubt_since is not None else fact.at
        if now - since > rules.detecting_for:
            return Status.STUCK, f"nobody could tell for {_span(now - since)} whether it lives: {fact.reason}"
        return Status.DETECTING, fact.reason
    if _people_can_finish(session):
        return None
    finished = session.work.reported_done or (
        fact.state is RuntimeState.EXITED and fact.exit_code == 0 and _open(session) is None
    )
    if finished:
        return Status.DONE, "the agent finished and exited"
    return Status.ERRORED, fact.reason


def _people_can_finish(session: Session) -> bool:
    """The agent is gone, but what it left needs people and no agent."""
    change = _open(session)
    if change is None:
        return False
    pr = change.pr
    return (
        changes.green(pr)
        and pr.mergeable is not Mergeable.CONFLICTED
        and pr.decision is not ReviewDecision.CHANGES_REQUESTED
        and pr.state is PullRequestState.OPEN
    )


def _question(session: Session, _rules: Rules, _now: float) -> tuple[Status, str] | None:
    question = session.question
    if question is not None:
        return Status.WAITING_INPUT, question.text.split("\n", 1)[0][:200]
    given = _given(session)
    if given is not None:
        return Status.WORKING, f"{given.answered_by} answered what it asked; it gets the answer"
    if session.work.activity.state in {ActivityState.ASKING, ActivityState.PERMISSION}:
        return Status.WAITING_INPUT, shown(session.work.activity, "the agent waits for a person")
    return None


def _given(session: Session) -> Question | None:
    """The answer to the dialog that stands there, on its way: nobody is waited for."""
    dialog = session.work.activity.dialog
    if dialog is None:
        return None
    asked = next((q for q in reversed(session.questions) if q.standing == dialog.id), None)
    waits = asked is None or asked.answered_at is None or asked.withdrawn or asked.gone
    return None if waits else asked


def _limits(session: Session, _rules: Rules, _now: float) -> tuple[Status, str] | None:
    activity = session.work.activity
    if activity.state is ActivityState.LIMITED:
        return Status.LIMITED, _trouble(activity) or shown(activity, "the model's provider makes it wait")
    if activity.state is ActivityState.BLOCKED:
        return Status.STUCK, _trouble(activity) or shown(activity, "the agent cannot go on by itself")
    return None


def _trouble(activity: Activity) -> str:
    """`rate limit until 15:30 UTC: API Error: …`; empty where it is not known."""
    if activity.trouble is None:
        return ""
    until = ""
    if activity.until is not None:
        minutes = int(activity.until) % 86400 // 60
        until = f" until {minutes // 60:02d}:{minutes % 60:02d} UTC"
    return f"{activity.trouble.value}{until}: {activity.evidence}"


def _held(session: Session, _rules: Rules, _now: float) -> tuple[Status, str] | None:
    """A push waits for a person, or was refused by the forge, and the agent has nothing else to do."""
    push = session.held.push
    busy = session.work.activity.state in {ActivityState.BUSY, ActivityState.STARTING}
    if push is None or not push.needs_person or busy:
        return None
    if push.refused and session.local_head not in {"", push.head}:
        return None  # the branch went on, or back: this head is nobody's concern any more
    return Status.WAITING_INPUT, push.why


def _silent(session: Session, rules: Rules, now: float) -> tuple[Status, str] | None:
    """Busy without a tool call and without any progress for too long."""
    activity = session.work.activity
    quiet = now - session.work.progress_at
    works = activity.state in {ActivityState.BUSY, ActivityState.STARTING}
    if works and not activity.tool and quiet > rules.stuck_after:
        return Status.STUCK, f"no sign of progress for {_span(rules.stuck_after)} while it should work"
    return None


def _unfamiliar(session: Session, _rules: Rules, now: float) -> tuple[Status, str] | None:
    """Its screen shows something that nobody knows, and stays so: most likely it waits for a person there."""
    activity = session.work.activity
    if not activity.unfamiliar or now - session.work.progress_at <= UNFAMILIAR_FOR:
        return None
    if session.work.reported_done or _people_can_finish(session):
        return None
    return Status.STUCK, (
        f"its screen is not understood and has not changed for {_span(UNFAMILIAR_FOR)}: {activity.unfamiliar}; "
        f"`ao output {session.id}` shows it, `ao attach {session.id}` lets you answer there"
    )


def _pull_request(session: Session, rules: Rules, now: float) -> tuple[Status, str] | None:
    change = _open(session)
    if change is None:
        return None
    for judge in (_needs_agent, _needs_people):
        found = judge(session, change, rules, now)
        if found is not None:
            return found
    at = short_sha(change.pr.head)
    words = "; ".join(changes.merge_blockers(change, rules, held_by=str(session.hold or "")))
    return Status.PR_OPEN, f"#{change.pr.number} at {at}: {words}"


def _needs_agent(session: Session, change: Change, rules: Rules, now: float) -> tuple[Status, str] | None:
    """Conflicts, red checks, requested changes: the agent's turn, and stuck if it does not take it."""
    pr = change.pr
    if pr.mergeable is Mergeable.CONFLICTED:
        status, words = Status.CONFLICTED, f"#{pr.number} conflicts with {pr.base}"
    elif pr.checks is Checks.FAILING:
        names = ", ".join(run.name for run in changes.failing(pr))
        status, words = Status.CI_FAILED, f"checks failed at {short_sha(pr.head)}: {names}"
    elif pr.decision is ReviewDecision.CHANGES_REQUESTED:
        status, words = Status.CHANGES_REQUESTED, f"changes are asked for on #{pr.number}"
    else:
        return None
    waits = session.work.activity.state in _WAITS_FOR_AGENT
    if waits and now - quiet_since(session) > rules.stuck_after:
        return Status.STUCK, f"{words}, and the agent has done nothing for {_span(rules.stuck_after)}"
    return status, words


def quiet_since(session: Session) -> float:
    """When anything last happened that the agent's silence is counted from."""
    progress = session.work.progress_at
    change = _open(session)
    if change is None or session.work.activity.state not in _WAITS_FOR_AGENT:
        return progress
    return max([progress, change.since, *(m.stage_at for m in session.messages)])


def _needs_people(session: Session, change: Change, rules: Rules, _now: float) -> tuple[Status, str] | None:
    pr = change.pr
    blockers = changes.merge_blockers(change, rules, held_by=str(session.hold or ""))
    if not blockers:
        return Status.MERGEABLE, f"#{pr.number} at {short_sha(pr.head)} can be merged"
    if pr.state is PullRequestState.DRAFT or not changes.green(pr):
        return None
    words = "; ".join((*blockers, *uncarried.words(change)))
    return (Status.APPROVED if changes.approved(change, rules) else Status.REVIEW_PENDING), words


def _alone(session: Session, rules: Rules, now: float) -> tuple[Status, str] | None:
    """No open pull request: what the agent does is all there is."""
    state = session.work.activity.state
    if session.change is not None and session.change.pr.state is PullRequestState.CLOSED:
        return Status.IDLE, f"#{session.change.pr.number} was closed without a merge"
    refused = f"; its pull request was not taken: {session.held.not_taken}" if session.held.not_taken else ""
    if session.work.reported_done and state is not ActivityState.BUSY:
        return Status.DONE, f"the agent says that it is done{refused}"
    if state is ActivityState.IDLE:
        return Status.IDLE, f"its turn is over and no pull request is open{refused}"
    unclear = _unclear(session.work.activity, _span(rules.stuck_after))
    if unclear and now - session.work.progress_at > rules.stuck_after:
        return Status.STUCK, unclear
    if state is ActivityState.BUSY:
        return Status.WORKING, "the agent works on what it was told"
    return Status.WORKING, in_words(session.work.activity)


def _unclear(activity: Activity, quiet: str) -> str:
    """Why nobody knows whether it works: that counts as work only for a while. Empty where it is clear."""
    if activity.state is ActivityState.EXITED:
        return "the agent said that it ended, and its terminal runs on"
    if activity.state is ActivityState.UNKNOWN:
        why = activity.evidence or "no source says anything"
        return f"nobody can tell what it does: {why}, and nothing moved for {quiet}"
    return ""


def _open(session: Session) -> Change | None:
    change = session.change
    return change if change is not None and change.pr.state in OPEN else None


def _span(seconds: float) -> str:
    minutes = int(seconds // 60)
    if minutes < 1:
        return f"{int(seconds)} s"
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h"


RULES: tuple[Rule, ...] = (
    _wanted_stop,
    _merged,
    _merging,
    _paused,
    _setup,
    _runtime,
    _question,
    _limits,
    _silent,
    _unfamiliar,
    _held,
    _pull_request,
    _alone,
)
