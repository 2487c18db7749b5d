"""A session's thread: which events are told there, as what. Pure.

One post for each thing that an entry is *about*: a later entry about the same thing takes its place, so a
question becomes its answer with who and when, and a message to the agent goes through its stages.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from bot.chat import offers
from bot.chat.held import push_message, text_message
from bot.chat.message import Button, Message
from bot.chat.render import message_stage
from orchestrator.domain.agent_request import PLAN_ANSWERS, is_plan
from orchestrator.domain.event import HERE, Event, Level, LoggedEvent
from orchestrator.domain.ids import short_sha
from orchestrator.domain.message import Message as AgentMessage
from orchestrator.domain.message import MessageStage
from orchestrator.domain.outside_text import excerpt, one_line, unfenced
from orchestrator.domain.person import Actor, ActorKind
from orchestrator.domain.pull_request import Approving, PullRequestState
from orchestrator.domain.session import Approval, Change, Question, Session

MOST_TEXT = 3000
_PLAIN = {
    "session.working": "🔨 The agent works.",
    "session.paused": "⏸️ Paused.",
    "session.limited": "⏳ Made to wait by its provider.",
    "session.stuck": "🧱 Stuck.",
    "session.errored": "💥 The agent is gone.",
    "session.done": "🏁 Done.",
    "session.killed": "⛔ Ended.",
    "session.restored": "🌱 Brought back.",
    "session.restoring": "🌱 Its terminal was gone; it is brought back.",
    "session.interrupted": "✋ Interrupted.",
    "keyboard.taken": "⌨️ Somebody types in its terminal.",
    "rescue.saved": "🛟 Unsaved work was kept.",
    "ci.failing": "❌ Checks failed.",
    "ci.passing": "✅ Checks passed.",
    "review.changes_requested": "📝 Changes are asked for.",
    "review.changes_asked_here": "📝 Changes are asked for.",
    "review.waits": "⏳ Not on the forge yet.",
    "review.not_carried": "⚠️ Not carried to the forge.",
    "review.commented": "💬 New review comments.",
    "merge.conflicts": "🔀 It conflicts with its base.",
    "merge.refused": "⚠️ Not merged.",
    "merge.asked": "🚚 Merging.",
    "merge.queued": "🚚 The forge merges it in its turn.",
    "merge.dropped": "⚠️ It left the forge's queue without a merge.",
    "merge.taken_back": "🚚 The merge was taken back.",
    "merge.held": "✋ Nobody merges this for now.",
    "merge.released": "👉 The merge is released.",
    "pr.opened": "📬 Pull request opened.",
    "pr.updated": "📬 New commits.",
    "pr.draft": "📝 A draft again.",
    "pr.ready": "📬 Ready for review.",
    "pr.base_merged": "⤵️ Its base is merged in.",
    "pr.refused": "⚠️ No pull request.",
    "pr.closed": "📪 Pull request closed.",
    "pr.merged": "🎉 Merged.",
    "push.refused": "⚠️ Not pushed.",
    "issue.told": "🎫 Its issue.",
    "text.more": "📨 More texts by outsiders are held.",
    "reaction.escalated": "🔔 Needs a person.",
    "question.undelivered": "⚠️ The answer did not arrive.",
    "policy.denied": "⛔ Refused by a rule.",
    "base.note": "⚠️ About its base.",
}
"""Event type -> its title. What is not here, and not handled below, is no part of the conversation."""

_HEAD_BOUND = frozenset({"review.pending", "merge.ready"})
_STAGE_EMOJI = {
    MessageStage.RECEIVED: "🕒",
    MessageStage.TYPING: "⌨️",
    MessageStage.TYPED: "⌨️",
    MessageStage.ACCEPTED: "👀",
    MessageStage.WORKING: "🔨",
    MessageStage.ANSWERED: "✅",
    MessageStage.FAILED: "⚠️",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One post of a thread."""

    about: str
    """`question:q1a2b3c4`, `message:3`, `review:<head>`, or the event's own id."""
    message: Message
    at: float
    author: str = ""
    """Who it is from: a person's handle, the agent's name, nothing for `ao` itself."""
    source: str = ""
    """The key of what a person posted, where this tells what became of it: `slack:C1:17.5`."""
    stage: MessageStage | None = None
    """Of a message to the agent: how far it has come."""
    mention: bool = False
    """A person is needed."""
    whom: str = ""
    """The handle of who is asked first: who made the session."""
    only_edit: bool = False
    """It takes the place of an earlier one; where there is none, nothing is posted."""


def entries(logged: LoggedEvent, session: Session) -> tuple[Entry, ...]:
    """What an event adds to, or changes in, its session's thread; `session` as it is now."""
    event = logged.event
    kind = event.type
    if kind.startswith("question."):
        return _of_question(event, session)
    if kind.startswith("message."):
        return _of_message(event, session)
    if kind in _HEAD_BOUND:
        return _waiting(event, session)
    told = kind in _PLAIN and not event.data.get(HERE) and not _first_refusal(event, session)
    found = [_plain(event, session)] if told else []
    return (*_of_held(event, session), *found, *_overtaken(event, session))


def _first_refusal(event: Event, session: Session) -> bool:
    """A push that nobody had to release was refused: its own post is new, and says it."""
    push = next((p for p in session.held.pushes if p.id == event.data.get("push")), None)
    return event.type == "push.refused" and push is not None and push.by is None


def _of_held(event: Event, session: Session) -> tuple[Entry, ...]:
    """A push or a text that is held, or what became of it."""
    names = {event.data.get("push"), event.data.get("held")} - {None, ""}
    if not names:
        return ()
    return tuple(
        replace(entry, at=event.at)
        for entry in held_entries(session)
        if entry.about.partition(":")[2] in names
    )


def held_entries(session: Session) -> tuple[Entry, ...]:
    """Everything of it that is or was held."""
    whom = session.created_by.name
    pushes = (
        Entry(
            about=f"push:{push.id}",
            at=push.since,
            mention=push.waits or (push.refused and push.by is None),
            whom=whom,
            message=push_message(session, push),
        )
        for push in session.held.pushes
    )
    texts = (
        Entry(
            about=f"text:{text.id}",
            at=text.since,
            mention=text.waits and text.id == session.held.task_waits,
            whom=whom,
            message=text_message(session, text),
        )
        for text in session.held.texts
    )
    return (*pushes, *texts)


def _of_question(event: Event, session: Session) -> tuple[Entry, ...]:
    name = str(event.data.get("question", ""))
    question = next((q for q in session.questions if q.id == name), None)
    if question is None:
        return ()
    told = event.type == "question.undelivered"
    extra = (_plain(event, session),) if told else ()
    return (*extra, question_entry(session, question))


def question_entry(session: Session, question: Question) -> Entry:
    """What the agent asks with its buttons, or what became of it."""
    call = question.call
    title = f"❓ {session.id} asks" if call is None else f"🔐 {session.id} wants to run {call.tool}"
    words = question.text if call is None else call.argument
    outcome = _outcome(question)
    if question.many and question.open:
        outcome = "Several may be chosen: reply with their numbers, such as `1,3`."
    return Entry(
        about=f"question:{question.id}",
        at=question.asked_at,
        author=session.parts.agent,
        mention=question.open,
        whom=session.created_by.name,
        message=Message(
            title=title,
            lines=(
                *excerpt(words, MOST_TEXT).splitlines(),
                *_hint(question),
                *((outcome,) if outcome else ()),
            ),
            verbatim=call is not None,
            buttons=tuple(offers.answers(session, question)) if question.open else (),
            level=Level.URGENT if question.open else Level.INFO,
            session=session.id,
        ),
    )


def _hint(question: Question) -> tuple[str, ...]:
    return (f"✏️ Or reply: {PLAN_ANSWERS}.",) if question.open and is_plan(question.options) else ()


def _outcome(question: Question) -> str:
    if question.withdrawn:
        return "⏭️ The agent went on without an answer."
    if question.answered_at is None:
        return ""
    who = question.answered_by.placed if question.answered_by else "somebody"
    return f"✅ {who} answered: {one_line(question.answer, 300)}"


def _of_message(event: Event, session: Session) -> tuple[Entry, ...]:
    number = event.data.get("number")
    message = next((m for m in session.messages if m.number == number), None)
    if message is None:
        return ()
    told = message_entry(session, message)
    return (told, _lost(session, message)) if message.source and told.mention else (told,)


def _lost(session: Session, message: AgentMessage) -> Entry:
    """A person's own post shows only a sign that it did not arrive; here is why."""
    return Entry(
        about=f"failed:{message.number}",
        at=message.stage_at,
        mention=True,
        whom=message.by,
        message=Message(
            title="⚠️ Your message did not arrive.",
            lines=(one_line(message.reason, 300), one_line(message.text, 300)),
            level=Level.WARNING,
            session=session.id,
        ),
    )


def message_entry(session: Session, message: AgentMessage) -> Entry:
    """What the agent was told, by whom, and how far it has come."""
    failed = message.stage is MessageStage.FAILED
    by_rule = message.by.startswith("reaction ")
    return Entry(
        about=f"message:{message.number}",
        at=message.at,
        author=message.by,
        source=message.source,
        stage=message.stage,
        mention=failed and not by_rule,
        whom=message.by,
        message=Message(
            title=f"✉️ {one_line(message.by, 80)} to {session.id}",
            lines=(
                *excerpt(unfenced(message.text), 600 if by_rule else MOST_TEXT).splitlines(),
                f"{_STAGE_EMOJI[message.stage]} It {message_stage(session, message)}.",
            ),
            level=Level.WARNING if failed else Level.INFO,
            session=session.id,
        ),
    )


def _waiting(event: Event, session: Session) -> tuple[Entry, ...]:
    """A review or a merge that waits for a person, bound to its head."""
    change, head = session.change, str(event.data.get("head", ""))
    if change is None or not head:
        return ()
    return (waiting_entry(event.type, session, change, head, event.at),)


def waiting_entry(kind: str, session: Session, change: Change, head: str, at: float) -> Entry:
    """As it stands now: with its buttons while that head is the newest and nobody has decided."""
    review = kind == "review.pending"
    outcome = _decided(change, head, review=review)
    title = f"👀 Review wanted at {short_sha(head)}" if review else f"✅ Can be merged at {short_sha(head)}"
    found: tuple[Button, ...] = ()
    if not outcome:
        found = (offers.request_changes(session, change),)
        if not review:
            found = (offers.merge(session, change), *found)
        elif change.pr.approving is not Approving.NOWHERE:
            found = (offers.approve(session, change), *found)
    return Entry(
        about=f"{'review' if review else 'merge'}:{head[:12]}",
        at=at,
        mention=not outcome,
        whom=session.created_by.name,
        message=Message(
            title=title,
            lines=outcome or offers.merge_facts(session, change),
            buttons=found,
            level=Level.INFO if outcome else Level.ACTION,
            session=session.id,
        ),
    )


def _decided(change: Change, head: str, *, review: bool) -> tuple[str, ...]:
    """What became of it, in words, the earliest first; empty while it waits.

    Who decided and where stays when more becomes of it: a thread is also the record of that.
    """
    pr = change.pr
    given = [approval for approval in change.approvals if approval.head == head] if review else []
    told = [f"👍 Approved by {', '.join(map(_approved_by, given))}."] if given else []
    if pr.head != head:
        told.append(f"⏭️ Superseded: #{pr.number} is at {short_sha(pr.head)} now.")
    elif pr.state is PullRequestState.MERGED and change.merged_by:
        who = Actor(kind=ActorKind.PERSON, name=change.merged_by, via=change.merged_via)
        as_ = f", as {change.merged_as}" if change.merged_as else ""
        told.append(f"🎉 Merged by {who.placed}{as_}.")
    elif pr.over:
        told.append(f"🎉 #{pr.number} is {pr.state.value}.")
    return tuple(told)


def _approved_by(approval: Approval) -> str:
    how = f" {one_line(approval.carried, 200)}" if approval.carried else ""
    return f"{approval.by.placed}{how}"


def _overtaken(event: Event, session: Session) -> tuple[Entry, ...]:
    """Earlier posts that an event settles: of a head that was approved, merged, closed or replaced."""
    change = session.change
    if change is None or event.type not in {
        "pr.updated",
        "pr.merged",
        "pr.closed",
        "review.approved_here",
        "review.carried",
        "review.approved",
    }:
        return ()
    heads = dict.fromkeys([str(event.data.get("was", "")), str(event.data.get("head", ""))])
    found = [
        waiting_entry(kind, session, change, head, event.at)
        for head in heads
        if head
        for kind in ("review.pending", "merge.ready")
    ]
    return tuple(
        Entry(about=entry.about, message=entry.message, at=entry.at, only_edit=True)
        for entry in found
        if not entry.message.buttons
    )


def _plain(event: Event, session: Session) -> Entry:
    urgent = event.level in {Level.URGENT, Level.ACTION} and event.type != "pr.merged"
    text = excerpt(event.text, MOST_TEXT)
    return Entry(
        about=event.id,
        at=event.at,
        mention=urgent,
        whom=session.created_by.name,
        message=Message(
            title=_PLAIN[event.type],
            lines=tuple(line for line in text.splitlines() if line),
            buttons=_buttons(event, session),
            level=event.level,
            session=session.id,
        ),
    )


def _buttons(event: Event, session: Session) -> tuple[Button, ...]:
    here = {"session": str(session.id)}
    if event.type in {"session.errored", "session.killed", "rescue.saved"}:
        return (Button(label=f"Restore {session.id}", verb="restore", arguments=here),)
    if event.type in {"reaction.escalated", "session.stuck"}:
        return (
            Button(label="Show its screen", verb="output", arguments=here),
            Button(label="Tell it", verb="send", arguments=here, ask="What should it know?"),
        )
    return ()
