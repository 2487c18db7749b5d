"""A push that is held or was refused: found, released, sent back, overtaken, tried again, out. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from orchestrator.domain.event import Level
from orchestrator.domain.guard import Finding
from orchestrator.domain.held import MOST_REFUSAL, HeldPush, PullRequestWords, PushStage
from orchestrator.domain.ids import short_sha
from orchestrator.domain.outside_text import one_line
from orchestrator.domain.person import Actor
from orchestrator.domain.session import Session
from orchestrator.errors import Conflict
from orchestrator.lifecycle.draft import Draft

KEPT = 5
"""Pushes of a session that are remembered."""
MOST_RELEASED = 500
"""Fingerprints that are remembered; of what was released longest ago a person is asked again."""


class PushHeld(Conflict):
    """A push waits for a person, or was sent back by one. Nothing of it went out."""

    code = "held"


def words_of(session: Session) -> PullRequestWords | None:
    """What the push that is held was to open a pull request with: a newer one of its branch still is."""
    return session.held.push.opens if session.held.push is not None else None


def sent_back(session: Session, head: str) -> PushHeld | None:
    """The refusal of a head that a person has sent back."""
    for push in session.held.pushes:
        if push.head == head and push.stage is PushStage.SENT_BACK:
            said = f": {push.words}" if push.words else "."
            msg = f"{push.by} sent {short_sha(head)} back{said}"
            return PushHeld(msg, next_step="Change it, commit, and push again.")
    return None


def refusal(head: str, push: HeldPush | None) -> PushHeld:
    """What the agent is told: it neither waits nor works around it."""
    why = push.reasons if push is not None else "it needs a look"
    msg = f"{short_sha(head)} is held and not pushed yet, until a person has looked at it: {why}."
    step = (
        "There is nothing for you to do about it: go on, or end your turn. Once it is released ao itself "
        "pushes it, and opens the pull request that you asked for; you are told if it is sent back."
    )
    return PushHeld(msg, next_step=step)


def hold(draft: Draft, head: str, found: Sequence[Finding], words: PullRequestWords | None) -> HeldPush:
    """Keep that this head waits, and tell of it once."""
    old = draft.session.held.push
    if old is not None and old.waits and (old.head, old.findings) == (head, tuple(found)):
        kept = replace(old, opens=words or old.opens)
        _put(draft, kept)
        return kept
    _overtake(draft, head)
    number = draft.session.event_serial + 1
    push = HeldPush(id=f"p{number}", head=head, since=draft.now, findings=tuple(found), opens=words)
    _add(draft, push)
    draft.tell(
        "push.held", f"push of {short_sha(head)} held: {push.reasons}", Level.ACTION, push=push.id, head=head
    )
    return push


def release(draft: Draft, push: HeldPush, by: Actor) -> None:
    """A person has looked at exactly this: it goes out, and the same later too. Refused ones are tried anew."""
    held = draft.session.held
    released = dict.fromkeys((*held.released, *(finding.fingerprint for finding in push.findings)))
    draft.set(held=replace(held, released=tuple(released)[-MOST_RELEASED:]))
    _decide(draft, push, PushStage.RELEASED, by)
    text = f"{by} released the push of {short_sha(push.head)}: {push.reasons or 'the forge had refused it'}"
    draft.tell("push.released", text, push=push.id, head=push.head, by=str(by))


def send_back(draft: Draft, push: HeldPush, by: Actor, words: str) -> None:
    """A person refuses it: the agent is told what and why, and that head is pushed no more."""
    _decide(draft, push, PushStage.SENT_BACK, by, words)
    reasons = "\n".join(
        [
            *(f"- {finding.words}" for finding in push.findings),
            *([f"- the forge refused it: {one_line(push.words, MOST_REFUSAL)}"] if push.refused else []),
        ]
    )
    said = f"\n\n{by} says:\n{words}" if words else ""
    again = "run `ao pr create` again" if push.opens else "push again"
    draft.enqueue(
        f"Your push of {short_sha(push.head)} was {push.stage.value} and is now sent back by {by}; nothing of it "
        f"went out. It was {push.stage.value} because of:\n{reasons}{said}\n\nChange that, commit, and {again}.",
        by=str(by),
        key=f"sent-back:{push.id}",
    )
    text = f"{by} sent the push of {short_sha(push.head)} back" + (f": {words}" if words else "")
    draft.tell("push.sent_back", text, push=push.id, head=push.head, by=str(by))


def went_out(draft: Draft, head: str) -> None:
    """That head is on the forge, and told so: whatever waited of this branch is over."""
    push = draft.session.held.push
    if push is not None and push.head == head:
        _decide(draft, push, PushStage.PUSHED, push.by, push.words, at=push.at)
    elif push is not None:
        _overtake(draft, head)
    draft.tell("push.done", f"{short_sha(head)} is pushed", head=head, push=push.id if push else "")


def refused(draft: Draft, head: str, why: str) -> HeldPush:
    """The forge would not take it: it waits for a person, released before or not. The push, for who tells of it."""
    push = draft.session.held.push
    if push is None or push.head != head:
        opens = words_of(draft.session)
        _overtake(draft, head)
        number = draft.session.event_serial + 1
        push = HeldPush(id=f"p{number}", head=head, since=draft.now, findings=(), opens=opens)
        _add(draft, push)
    _decide(draft, push, PushStage.REFUSED, push.by, why, at=push.at)
    return push


def again(draft: Draft, by: Actor) -> HeldPush | None:
    """What the forge refused is tried anew, in the name of who had released it. None: nothing was refused."""
    push = draft.session.held.push
    if push is None or not push.refused:
        return None
    released = push.by is not None
    _decide(draft, push, PushStage.RELEASED, push.by or by, at=push.at if released else None)
    text = f"{by} has the push of {short_sha(push.head)} tried again"
    draft.tell("push.again", text, push=push.id, head=push.head, by=str(by))
    return push


def seen_on_forge(draft: Draft, head: str) -> None:
    """The forge shows that head: if its push was refused, somebody else brought it there."""
    push = draft.session.held.push
    if push is not None and push.refused and push.head == head:
        went_out(draft, head)


def _overtake(draft: Draft, head: str) -> None:
    push = draft.session.held.push
    if push is not None:
        _decide(draft, push, PushStage.OVERTAKEN, push.by, short_sha(head), at=push.at)
        text = f"the held push of {short_sha(push.head)} is overtaken by {short_sha(head)}"
        draft.tell("push.overtaken", text, push=push.id, head=push.head)


def _decide(
    draft: Draft,
    push: HeldPush,
    stage: PushStage,
    by: Actor | None,
    words: str = "",
    *,
    at: float | None = None,
) -> None:
    """What was shown is of no use any more, once it is decided: it is not kept."""
    told = tuple(replace(finding, hunks="") for finding in push.findings)
    when = draft.now if at is None else at
    _put(draft, replace(push, stage=stage, by=by, at=when, words=words, findings=told))


def _add(draft: Draft, push: HeldPush) -> None:
    held = draft.session.held
    draft.set(held=replace(held, pushes=(*held.pushes, push)[-KEPT:]))


def _put(draft: Draft, push: HeldPush) -> None:
    held = draft.session.held
    pushes = tuple(push if one.id == push.id else one for one in held.pushes)
    draft.set(held=replace(held, pushes=pushes))


def not_taken(draft: Draft, error: Conflict) -> None:
    """The forge has something in the way of the agent's pull request: people are told, once for each reason."""
    why = f"{error.what} {error.next_step}".strip()
    if isinstance(error, PushHeld) or draft.session.held.not_taken == why:
        return
    draft.set(held=replace(draft.session.held, not_taken=why))
    draft.tell("pr.refused", f"its pull request was not taken: {why}", Level.ACTION)


def taken(draft: Draft) -> None:
    """The forge took what the session has: nothing is in the way any more."""
    if draft.session.held.not_taken:
        draft.set(held=replace(draft.session.held, not_taken=""))
