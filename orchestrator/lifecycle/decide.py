"""Facts + what was seen + now -> new facts. Pure: no I/O, time passed in.

One function a fact. `decide` runs them in order on a draft; the status is derived afterwards by
`settle`, which also every other change of a session goes through.
"""

from __future__ import annotations

from dataclasses import replace

from orchestrator.domain.activity import ActivityState, Asked, Dialog
from orchestrator.domain.event import Level
from orchestrator.domain.ids import short_sha
from orchestrator.domain.look import Seen, Unseen
from orchestrator.domain.message import digest as message_digest
from orchestrator.domain.rules import Rules
from orchestrator.domain.session import (
    Question,
    RuntimeFact,
    RuntimeState,
    Session,
    SetupStep,
    WantedState,
    Work,
)
from orchestrator.domain.usage import counted
from orchestrator.lifecycle import changes, delivery, merging, permissions, uncarried
from orchestrator.lifecycle.draft import Draft
from orchestrator.lifecycle.observation import Observation
from orchestrator.ports.agent import AgentLook
from orchestrator.ports.runtime import Presence, RuntimeLook

KEPT_QUESTIONS = 20
ANSWERING = "answer:"
"""With a question's id: the key of the intent to give its answer."""
BY_AN_ANSWER = 15.0
"""Seconds between an answer and the end of a program that it may have been the reason of."""
STILL_THERE = 60.0
"""Seconds after its answer was given for which a dialog may still be seen on the screen."""


def decide(draft: Draft, seen: Observation, rules: Rules) -> None:
    """Put what was seen into the draft's facts."""
    session = draft.session
    if session.setup.step is not SetupStep.READY or session.wanted.state is WantedState.STOP:
        return
    if seen.runtime is not None:
        fact = _runtime(draft.session.runtime, seen.runtime, rules, draft.now)
        if fact.state is RuntimeState.EXITED:
            fact = replace(fact, reason=f"{fact.reason}{_after_an_answer(draft.session, fact)}")
        draft.set(runtime=fact)
    if isinstance(seen.agent, Seen):
        _agent(draft, seen.agent.value, seen.runtime)
        _dialog(draft, rules)
        delivery.take_receipts(draft, seen.agent.value)
    if isinstance(seen.workspace, Seen) and seen.workspace.value.exists:
        _workspace(draft, seen.workspace.value.head, seen.workspace.value.dirty)
    if seen.pull_request is not None:
        changes.decide_change(draft, seen.pull_request)
        merging.follow(draft)
        uncarried.follow(draft)


def _runtime(old: RuntimeFact, look: Seen[RuntimeLook] | Unseen, rules: Rules, now: float) -> RuntimeFact:
    """Alive, exited, missing; or unknown while in doubt. A failed look is never a death."""
    since = old.doubt_since if old.doubt_since is not None else now
    if isinstance(look, Unseen):
        return replace(old, state=RuntimeState.UNKNOWN, at=now, reason=look.reason, doubt_since=since)
    if look.value.presence is Presence.ALIVE:
        return RuntimeFact(state=RuntimeState.ALIVE, at=now)
    if look.value.presence is Presence.EXITED:
        code = look.value.exit_code
        words = "its program ended" if code is None else f"its program ended with code {code}"
        return RuntimeFact(state=RuntimeState.EXITED, at=now, reason=words, exit_code=code, doubt_since=since)
    if old.state is RuntimeState.MISSING:
        return replace(old, at=now)  # the first words said more: alone, or with all others
    doubts = old.doubts + 1
    if doubts >= rules.detecting_looks:
        words = f"its terminal is not there ({doubts} looks in a row)"
        state = RuntimeState.MISSING
    else:
        words = f"its terminal was not found (look {doubts} of {rules.detecting_looks})"
        state = RuntimeState.UNKNOWN
    return replace(old, state=state, at=now, reason=words, doubts=doubts, doubt_since=since)


def _after_an_answer(session: Session, fact: RuntimeFact) -> str:
    """The answer that it ended by, in words: some dialogs offer `No, exit`. Empty where none was just given."""
    ended = fact.doubt_since or fact.at
    for question in reversed(session.questions):
        given = question.source == "dialog" and question.call is None and question.delivered
        if given and abs(ended - question.delivered_at) <= BY_AN_ANSWER:
            asked = question.text.split("\n", 1)[0][:120]
            words = f" after {question.answered_by} answered {question.answer!r} to {asked!r}"
            kept = (
                "; `ao rules` lists that answer, and `ao rules rm` takes it back" if question.remember else ""
            )
            return f"{words}{kept}"
    return ""


def _agent(draft: Draft, look: AgentLook, runtime: Seen[RuntimeLook] | Unseen | None) -> None:
    old = draft.session.work
    screen = runtime.value.screen if isinstance(runtime, Seen) else None
    digest = old.screen_digest if screen is None else message_digest(screen)
    # Nobody could tell what it does, now or before: that is no sign of progress.
    known = ActivityState.UNKNOWN not in {look.activity.state, old.activity.state}
    moved = (
        (known and look.activity.state is not old.activity.state)
        or look.signal_at > old.activity.at
        or digest != old.screen_digest
    )
    activity = replace(look.activity, at=max(look.activity.at, look.signal_at))
    went_on = old.activity.state is not ActivityState.BUSY and activity.state is ActivityState.BUSY
    again = old.reported_done and went_on  # `ao done` holds until the agent works again
    draft.set(
        work=Work(
            activity=activity,
            at=draft.now,
            progress_at=draft.now if moved else old.progress_at,
            screen_digest=digest,
            disagreement=look.disagreement,
            conversation=look.conversation or old.conversation,
            reported="" if again else old.reported,
            reported_done=old.reported_done and not again,
            reported_at=old.reported_at,
        )
    )
    _usage(draft, look)


def _usage(draft: Draft, look: AgentLook) -> None:
    """What the agent has used, told when a turn's tokens were counted."""
    if look.usage is None:
        return
    old = draft.session.used
    new = counted(old, look.usage)
    if new == old:
        return
    draft.set(used=new)
    total, busy = new.total, look.activity.state is ActivityState.BUSY
    if total.tokens and not busy and (old is None or total.tokens != old.total.tokens):
        money = "" if total.dollars is None else f", ${total.dollars:.2f}"
        draft.tell(
            "agent.usage",
            f"used {total.tokens} tokens so far{money}",
            input_tokens=total.input_tokens,
            cached_tokens=total.cached_tokens,
            output_tokens=total.output_tokens,
            dollars=total.dollars if total.dollars is not None else "",
            model=total.model,
        )


def _dialog(draft: Draft, rules: Rules) -> None:
    """A dialog on the screen is a question, to people unless a rule answers; gone from there, it is withdrawn."""
    dialog = draft.session.work.activity.dialog
    _dialogs_gone(draft, but="" if dialog is None else dialog.id)
    if dialog is None:
        return
    before = [q for q in draft.session.questions if q.source == "dialog" and q.standing == dialog.id]
    last = before[-1] if before else None
    if last is not None and not _asked_again(last, draft.now):
        return
    question = _question(draft, dialog, again=bool(before))
    question = replace(question, for_people=last is not None and not last.gone)
    _open(draft, question)
    if not permissions.answered_by_rule(draft, question, rules):
        _tell_people(draft, question)


def _question(draft: Draft, dialog: Dialog, *, again: bool, given: tuple[str, ...] = ()) -> Question:
    """What is asked next of a dialog of whose questions some are answered already."""
    asked = (Asked(text=dialog.text, options=dialog.options, many=dialog.many), *dialog.further)
    one = asked[len(given)]
    number = f"({len(given) + 1} of {len(asked)}) " if len(asked) > 1 else ""
    return Question(
        # A name of its own for each appearance: an answer, or a button, of an earlier one is none to this.
        id=f"{dialog.id}.{draft.session.event_serial}" if again else dialog.id,
        dialog=dialog.id if again else "",
        text=f"{number}{one.text}",
        asked_at=draft.now,
        options=one.options,
        source="dialog",
        call=dialog.call,
        remember=dialog.remember,
        many=one.many,
        given=given,
        more=len(given) + 1 < len(asked),
    )


def ask_next(draft: Draft, answered: Question) -> None:
    """A question was answered: the next one of its dialog, if that still stands."""
    dialog = draft.session.work.activity.dialog
    if answered.more and dialog is not None and dialog.id == answered.standing:
        ask(draft, _question(draft, dialog, again=True, given=(*answered.given, answered.answer)))


def _dialogs_gone(draft: Draft, but: str = "") -> None:
    """All dialogs that were asked about have gone, except the one of this name: nobody waits for an answer."""
    # While keys are pressed its screen may show anything; what became of it is known once they are.
    answering = {intent.key for intent in draft.session.intents}
    for question in draft.session.questions:
        if question.source != "dialog" or question.gone or question.standing == but:
            continue
        if f"{ANSWERING}{question.id}" in answering:
            continue
        after = replace(question, gone=True, withdrawn=question.withdrawn or question.open)
        draft.set(questions=tuple(after if q.id == after.id else q for q in draft.session.questions))
        if question.open:
            draft.tell("question.withdrawn", "the agent went on without an answer", question=question.id)


def _asked_again(last: Question, now: float) -> bool:
    """Whether a dialog that was asked about before is a new question: it went meanwhile, or no answer took it away."""
    if last.gone or last.withdrawn:
        return True
    return last.delivered and now - last.delivered_at > STILL_THERE


def ask(draft: Draft, question: Question) -> None:
    """Open a question to people."""
    _open(draft, question)
    _tell_people(draft, question)


def _open(draft: Draft, question: Question) -> None:
    closed = [q for q in draft.session.questions if not q.open][-KEPT_QUESTIONS:]
    still_open = [q for q in draft.session.questions if q.open]
    draft.set(questions=(*closed, *still_open, question))


def _tell_people(draft: Draft, question: Question) -> None:
    draft.tell(
        "question.asked",
        question.text,
        Level.URGENT,
        question=question.id,
        options=" | ".join(question.options),
    )


def _workspace(draft: Draft, head: str, dirty: int) -> None:
    session = draft.session
    if head == session.local_head and dirty == session.dirty:
        return
    moved = bool(session.local_head) and head != session.local_head
    draft.set(local_head=head, dirty=dirty, work=replace(session.work, progress_at=draft.now))
    if moved:
        draft.tell("work.committed", f"new commit {short_sha(head)}", head=head)
