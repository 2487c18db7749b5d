"""Typing to the agent: messages, Enter, answers. Intent before, outcome after."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from orchestrator.domain.activity import ActivityState, Dialog
from orchestrator.domain.event import Level
from orchestrator.domain.look import Unseen
from orchestrator.domain.message import Message, MessageStage
from orchestrator.domain.person import ActorKind
from orchestrator.domain.session import Question, Session
from orchestrator.errors import Conflict, NotFound, TemporaryError
from orchestrator.lifecycle import acts, agent_folder, delivery
from orchestrator.lifecycle.decide import ANSWERING
from orchestrator.lifecycle.draft import Draft
from orchestrator.lifecycle.fleet import Fleet
from orchestrator.ports.agent import AgentLook, AgentView, AnswerFile, ClearsPrompt
from orchestrator.ports.place import Place
from orchestrator.ports.runtime import Keys, Presence, RuntimeLook, Text

HOOK_LOOKS, HOOK_PAUSE = 40, 0.1
"""How often, and how many seconds apart, it is looked whether a hook took its answer."""
KEY_ROUNDS, KEY_LOOKS, KEY_PAUSE = 5, 25, 0.2
"""How often keys are pressed in one dialog, and how often and long its screen is looked at after each time:
some agents drop keys that come right after a dialog.
"""
STEADY_LOOKS = 3
"""How many looks in a row must find a dialog ready for its next keys: some agents draw it anew soon after it opened, and
then stands again what stood at first; Enter would choose that.
"""


def find(draft: Draft, number: int) -> Message | None:
    """The message of that number."""
    return next((m for m in draft.session.messages if m.number == number), None)


def fail(draft: Draft, number: int, reason: str) -> None:
    """The message will not arrive."""
    message = find(draft, number)
    if message is not None:
        delivery.stage(draft, message, MessageStage.FAILED, reason)


async def type_message(fleet: Fleet, session: Session, act: acts.TypeMessage) -> None:
    """Look once more, keep the intent, type, keep the outcome."""
    await _prompt_waits(fleet, session)
    await _bring_base(fleet, session, act.number)

    def begin(draft: Draft) -> None:
        message = find(draft, act.number)
        if message is not None and message.stage is MessageStage.RECEIVED:
            tried = replace(message, tries=message.tries + 1)
            delivery.stage(draft, tried, MessageStage.TYPING)

    begun = await fleet.change(session.id, begin)
    message = next(m for m in begun.messages if m.number == act.number)
    if message.stage is not MessageStage.TYPING:
        return
    runtime = fleet.world.runtime(session)
    await runtime.send(fleet.world.ref(session), Text(text=message.text))

    def typed(draft: Draft) -> None:
        now_at = find(draft, act.number)
        if now_at is not None and now_at.stage is MessageStage.TYPING:
            delivery.stage(draft, now_at, MessageStage.TYPED)

    await fleet.change(session.id, typed)
    fleet.wake(session.id)


async def _bring_base(fleet: Fleet, session: Session, number: int) -> None:
    """Who is told to bring the base in finds the newest one in the mirror."""
    message = next(m for m in session.messages if m.number == number)
    if message.key.startswith("merge-conflicts:"):
        project = fleet.world.config.project(session.project)
        await fleet.world.scm(session).base(project, session.base)


async def _prompt_waits(fleet: Fleet, session: Session) -> None:
    """The kept look may be seconds old: text goes only into a prompt that waits right now, and is empty."""
    activity = (await look_now(fleet, session)).activity
    if activity.draft and activity.dialog is None and await clear_own_draft(fleet, session, activity.draft):
        activity = (await look_now(fleet, session)).activity
    if activity.dialog is None and activity.accepts_text:
        return
    msg = "its prompt does not wait for text now"
    if activity.draft:
        msg = "text that is not ours stands in its prompt; somebody may be writing there"
    raise TemporaryError(msg, session=session.id, delay=2.0)


async def clear_own_draft(fleet: Fleet, session: Session, draft: str) -> bool:
    """Empty the prompt if what stands there is ours: an agent that is interrupted early puts its text back."""
    agent = fleet.world.agent(session)
    if not isinstance(agent, ClearsPrompt) or not await _is_ours(fleet, session, draft):
        return False
    await fleet.world.runtime(session).send(fleet.world.ref(session), agent.clear())
    return True


async def _is_ours(fleet: Fleet, session: Session, draft: str) -> bool:
    if any(delivery.is_draft_of(draft, message) for message in session.messages):
        return True
    place = await fleet.world.place(session)
    try:
        task = await place.read(f"{place.folder}/prompt.md")
    except NotFound:
        return False
    return delivery.is_part_of(draft, task.decode(errors="replace"))


async def look_now(fleet: Fleet, session: Session) -> AgentLook:
    """What the agent does right now. Raises `TemporaryError` when nobody can tell, or a person types."""
    world = fleet.world
    ref = world.ref(session)
    agent = world.agent(session)
    # The screen even where signals suffice: a menu that a person opened is seen nowhere else.
    seen = (await world.runtime(session).observe([ref], [session.id]))[session.id]
    if isinstance(seen, Unseen):
        msg = f"its terminal could not be looked at: {seen.reason}"
        raise TemporaryError(msg, session=session.id)
    _terminal_free(fleet, session, seen.value)
    view = AgentView(session=ref, place=await world.place(session), runtime=seen.value)
    look = (await agent.observe([view]))[session.id]
    if isinstance(look, Unseen):
        msg = f"its agent could not be looked at: {look.reason}"
        raise TemporaryError(msg, session=session.id)
    return look.value


def _terminal_free(fleet: Fleet, session: Session, look: RuntimeLook) -> None:
    if look.presence is not Presence.ALIVE:
        msg = f"its terminal is {look.presence.value}"
        raise TemporaryError(msg, session=session.id)
    if look.mode:
        msg = f"its terminal is in {look.mode}; a person reads there"
        raise TemporaryError(msg, session=session.id)
    typing = fleet.keyboards.of(session.id, fleet.now)
    if typing is not None:
        msg = f"{typing.who.name} has its keyboard"
        raise TemporaryError(msg, session=session.id)
    if look.attached and fleet.now - look.person_at < delivery.PERSON_QUIET:
        msg = "a person types in its terminal"
        raise TemporaryError(msg, session=session.id)


async def press_enter(fleet: Fleet, session: Session, act: acts.PressEnter) -> None:
    """Typed and not confirmed: submit once more, if it still stands in the prompt or the prompt is empty."""
    activity = (await look_now(fleet, session)).activity
    typed = next(m for m in session.messages if m.number == act.number)
    if activity.dialog is not None or not (
        activity.accepts_text or delivery.is_draft_of(activity.draft, typed)
    ):
        msg = "its prompt does not wait for text now"
        raise TemporaryError(msg, session=session.id, delay=2.0)

    def count(draft: Draft) -> None:
        message = find(draft, act.number)
        if message is not None:
            draft.put_message(replace(message, tries=message.tries + 1, stage_at=draft.now))

    await fleet.change(session.id, count)
    await fleet.world.runtime(session).send(fleet.world.ref(session), Keys(keys=("Enter",)))
    fleet.wake(session.id)


async def deliver_answer(fleet: Fleet, session: Session, act: acts.DeliverAnswer) -> None:
    """An `ask` gets its answer file; a dialog gets its own answer, and only if it still is that dialog."""
    question = next(q for q in session.questions if q.id == act.question)
    if question.source == "ask" and session.work.activity.state is ActivityState.IDLE:
        # Its turn is over, so nobody waits for the answer file any more (tools have time limits).
        await fleet.change(session.id, lambda d: _answer_as_message(d, question))
    elif question.source == "ask":
        place = await fleet.world.place(session)
        await agent_folder.answer(place, question.request, 0, question.answer)
    else:
        await _answer_dialog(fleet, session, question)

    def done(draft: Draft) -> None:
        questions = tuple(
            replace(q, delivered=True, delivered_at=draft.now)
            if q.id == act.question or (q.more and q.standing == question.standing and not q.gone)
            else q
            for q in draft.session.questions
        )
        draft.set(questions=questions)
        draft.close_intent(_answering(act.question))
        if not (question.call is not None and by_rule(question)):
            draft.tell("question.delivered", "the agent has the answer", question=act.question)

    await fleet.change(session.id, done)
    fleet.wake(session.id)


def by_rule(question: Question) -> bool:
    """Whether a rule answered: people were told of its decision, and asked nothing."""
    return question.answered_by is not None and question.answered_by.kind is ActorKind.RULE


def _answer_as_message(draft: Draft, question: Question) -> None:
    key = f"answer:{question.id}"
    if all(m.key != key for m in draft.session.messages):
        text = f"You asked: {question.text}\n\nThe answer: {question.answer}"
        draft.enqueue(text, by=str(question.answered_by), key=key)


def _answering(question: str) -> str:
    return f"{ANSWERING}{question}"


async def _answer_dialog(fleet: Fleet, session: Session, question: Question) -> None:
    world = fleet.world
    current = (await look_now(fleet, session)).activity.dialog
    begun = any(i.key == _answering(question.id) for i in session.intents)
    now_at = next(q for q in fleet.get(session.id).questions if q.id == question.id)
    if now_at.gone or current is None or current.id != question.standing:
        if begun:
            return  # We died after giving the answer, and the dialog is gone: it was taken.
        msg = "the dialog that was answered is not open any more"
        raise Conflict(msg, session=session.id)
    await fleet.change(session.id, lambda d: d.open_intent(_answering(question.id)))
    for _ in range(KEY_ROUNDS):
        ref, place = world.ref(session), await world.place(session)
        asked = replace(current, given=question.given)
        given = await world.agent(session).answer(ref, place, asked, question.answer)
        if isinstance(given, AnswerFile):
            if not await _taken(place, given):
                await _on_screen(fleet, session, question)
            return
        await world.runtime(session).send(ref, given)
        after = await _after_keys(fleet, session, question, given)
        if after is None or isinstance(given, Text):
            return
        current = after
    msg = "the dialog still stands on its screen"
    raise TemporaryError(msg, session=session.id)


async def _after_keys(
    fleet: Fleet, session: Session, question: Question, given: Text | Keys
) -> Dialog | None:
    """The dialog if it still stands and wants keys: others once it stays so, the same again after a while."""
    world, found, looks, steady = fleet.world, None, 0, 0
    while looks < KEY_LOOKS or steady:
        looks += 1
        try:
            found = (await look_now(fleet, session)).activity.dialog
        except TemporaryError:
            return None  # Its terminal went, or a person took over: nothing is pressed blindly.
        if found is None or found.id != question.standing:
            return None
        place = await world.place(session)
        wanted = await world.agent(session).answer(world.ref(session), place, found, question.answer)
        steady = steady + 1 if wanted != given else 0
        if steady >= STEADY_LOOKS:
            return found
        await asyncio.sleep(KEY_PAUSE)
    return found


async def _taken(place: Place, given: AnswerFile) -> bool:
    """Lay the answer where a hook waits for it; whether the hook took it."""
    await place.write(given.path, given.data)
    folder, _, name = given.path.rpartition("/")
    for _ in range(HOOK_LOOKS):
        if all(entry.name != name for entry in await place.list(folder)):
            return True
        await asyncio.sleep(HOOK_PAUSE)
    await place.remove(given.path)
    return False


async def _on_screen(fleet: Fleet, session: Session, question: Question) -> None:
    """The hook waits no more: the same answer by keys, if the dialog still is the one that was shown."""
    world = fleet.world
    current = (await look_now(fleet, session)).activity.dialog
    if current is None:
        return  # It was answered in the terminal, or the hook took it at the last moment.
    keys: Text | Keys | None = None
    if current.id == question.standing:
        # Asked again: which keys choose it depends on what its screen shows now.
        place = await world.place(session)
        asked = replace(current, given=question.given)
        given = await world.agent(session).answer(world.ref(session), place, asked, question.answer)
        keys = given.otherwise if isinstance(given, AnswerFile) else given
    if keys is None:
        msg = "the agent's hook waits for it no more, and its screen does not offer that answer"
        raise Conflict(msg, session=session.id)
    await world.runtime(session).send(world.ref(session), keys)


def undeliverable(draft: Draft, question_id: str, reason: str) -> None:
    """The answer will not arrive: whoever gave it is told."""
    questions = tuple(
        replace(q, withdrawn=True) if q.id == question_id else q for q in draft.session.questions
    )
    draft.set(questions=questions)
    draft.close_intent(_answering(question_id))
    draft.tell(
        "question.undelivered", f"the answer did not arrive: {reason}", Level.ACTION, question=question_id
    )
