"""The buttons that make sense in a session's state, each bound to what is shown beside it. Pure."""

from __future__ import annotations

from bot.chat.held import push_buttons, text_button
from bot.chat.message import Button
from bot.chat.render import agent_is_gone, checks_words, size_words
from orchestrator.domain.counted import counted
from orchestrator.domain.ids import short_sha
from orchestrator.domain.outside_text import one_line
from orchestrator.domain.policy import DENY, DENY_WITH_REASON
from orchestrator.domain.pull_request import Approving, PullRequestState
from orchestrator.domain.session import Change, Question, Session, WantedState
from orchestrator.domain.status import Status

MOST_OPTIONS = 3
"""Options of a question that a card has buttons for; its thread has all of them."""
_MOST_LABEL = 70
_REVIEWED = frozenset({Status.REVIEW_PENDING, Status.PR_OPEN, Status.CHANGES_REQUESTED})
_RUNS = frozenset({Status.WORKING, Status.STUCK, Status.IDLE, Status.CI_FAILED, Status.CONFLICTED})


def buttons(session: Session) -> tuple[Button, ...]:
    """At most four, the likeliest first; what destroys is in `menu`."""
    asked = answers(session, session.question)[:MOST_OPTIONS] if session.question else []
    found = [*asked, *_of_held(session), *_of_change(session), *_of_state(session)]
    return tuple(found[:4])


def _of_held(session: Session) -> list[Button]:
    """About what waits for a release: the push, and the text that its task is."""
    push = session.held.push
    found = list(push_buttons(session, push)) if push is not None else []
    waits = next((t for t in session.held.texts if t.id == session.held.task_waits and t.waits), None)
    return found if waits is None else [*found, text_button(session, waits)]


def _of_change(session: Session) -> list[Button]:
    """About its pull request, each bound to the head that is shown."""
    status, change = session.status.status, session.change
    if change is None:
        return []
    found = []
    if change.pr.state is PullRequestState.DRAFT and status in _REVIEWED:
        here = {"session": str(session.id)}
        found.append(Button(label="Ready for review", verb="ready", arguments=here))
    if status is Status.MERGEABLE:
        found.append(merge(session, change))
    if status in _REVIEWED and change.pr.approving is not Approving.NOWHERE:
        found.append(approve(session, change))
    if status in _REVIEWED | {Status.MERGEABLE}:
        found.append(request_changes(session, change))
    if status in {Status.CI_FAILED, Status.STUCK} and change.red_heads:
        found.append(Button(label="Try again", verb="retry", arguments={"session": str(session.id)}))
    return found


def _of_state(session: Session) -> list[Button]:
    """About the agent: go on, come back, stop, hear."""
    here = {"session": str(session.id)}
    status = session.status.status
    found = []
    if status is Status.PAUSED:
        found.append(Button(label="Go on", verb="unpause", arguments=here))
    if session.ended or status in {Status.KILLED, Status.ERRORED} or agent_is_gone(session):
        found.append(Button(label=f"Restore {session.id}", verb="restore", arguments=here))
    if status is Status.WORKING or (status is Status.STUCK and session.question is None):
        found.append(Button(label="Interrupt", verb="interrupt", arguments=here))
    if status in _RUNS and not agent_is_gone(session):
        found.append(Button(label="Tell it", verb="send", arguments=here, ask="What should it know?"))
    return found


def menu(session: Session) -> tuple[Button, ...]:
    """What is asked for more rarely, and what ends something."""
    here = {"session": str(session.id)}
    if session.ended or session.wanted.state is WantedState.STOP:
        return ()
    found: list[Button] = [Button(label="Show its screen", verb="output", arguments=here)]
    if session.wanted.state is WantedState.RUN:
        found.append(Button(label="Pause", verb="pause", arguments=here))
    open_change = session.change is not None and session.change.pr.state is PullRequestState.OPEN
    if session.hold:
        found.append(Button(label="Release the merge", verb="unhold", arguments=here))
    elif open_change:
        found.append(Button(label="Hold the merge", verb="hold", arguments=here))
    found.append(kill(session))
    return tuple(found)


def approve(session: Session, change: Change) -> Button:
    """Bound to the head that is shown. `here`: whoever presses it, the forge does not count it."""
    here = " here" if change.pr.approving is Approving.HERE else ""
    return Button(label=f"Approve{here} {session.id}", verb="approve", arguments=_at(session, change))


def request_changes(session: Session, change: Change) -> Button:
    """Likewise; what should change is asked for."""
    return Button(
        label="Request changes",
        verb="request-changes",
        arguments=_at(session, change),
        ask="What should change?",
    )


def merge(session: Session, change: Change) -> Button:
    """Bound to the head that is shown, and confirmed with everything that a person must know."""
    return Button(
        label=f"Merge {session.id}",
        verb="merge",
        arguments=_at(session, change),
        confirm=merge_facts(session, change),
    )


def merge_facts(session: Session, change: Change) -> tuple[str, ...]:
    """What is read before a merge: pull request, commit, size, checks, reviews, who asked for the work."""
    pr = change.pr
    here = [given.by.name for given in change.approvals if given.head == pr.head]
    return (
        f"#{pr.number} at {short_sha(pr.head)} into {one_line(pr.base, 60)}",
        f"{size_words(pr)} lines",
        *(one_line(note, 100) for note in pr.notes),
        f"Checks: {checks_words(pr)}",
        f"Approved by {', '.join(here)}" if here else f"Review: {pr.decision.value.replace('_', ' ')}",
        f"Asked for by {session.created_by}",
    )


def kill(session: Session) -> Button:
    """Ends it; what is unsaved is kept first."""
    files = f"{counted(session.dirty, 'uncommitted file')} {'is' if session.dirty == 1 else 'are'}"
    unsaved = files if session.dirty else "Whatever is unsaved is"
    return Button(
        label=f"Kill {session.id}",
        verb="kill",
        arguments={"session": str(session.id)},
        danger=True,
        confirm=(
            f"The agent of {session.id} is ended.",
            f"{unsaved} rescued first; Restore brings it back.",
        ),
    )


def answers(session: Session, question: Question) -> list[Button]:
    """One for each option, or one that asks for words."""
    bound = {"session": str(session.id), "question": question.id}
    if not question.options:
        return [Button(label="Answer", verb="answer", arguments=bound, ask=one_line(question.text, 100))]
    found = []
    for number, option in enumerate(question.options, 1):
        if option == DENY_WITH_REASON:
            found.append(
                Button(
                    label=option, verb="answer", arguments={**bound, "option": str(number)}, ask="Why not?"
                )
            )
            continue
        found.append(
            Button(
                label=one_line(option, _MOST_LABEL) or f"Option {number}",
                verb="answer",
                arguments={**bound, "option": str(number)},
                danger=question.call is not None and option == DENY,
            )
        )
    return found


def _at(session: Session, change: Change) -> dict[str, str]:
    return {"session": str(session.id), "head": change.pr.head}
