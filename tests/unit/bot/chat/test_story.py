"""A session's thread: one post for each thing, with its buttons while they do something."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.chat.held import MOST_SHOWN
from bot.chat.story import Entry, entries
from orchestrator.domain.activity import ToolCall
from orchestrator.domain.event import Event, Level, LoggedEvent, Scalar
from orchestrator.domain.guard import Finding, FindingKind
from orchestrator.domain.held import Held, HeldPush, HeldText, PushStage
from orchestrator.domain.message import Message, MessageStage
from orchestrator.domain.outside_text import fence
from orchestrator.domain.person import OWNER
from orchestrator.domain.policy import PERMISSION_OPTIONS
from orchestrator.domain.pull_request import Approving, PullRequestState
from orchestrator.domain.session import Approval, Question, Session, StatusLine
from orchestrator.domain.status import Status
from orchestrator.testing import examples


def session(status: Status = Status.WORKING, **fields: Any) -> Session:
    line = StatusLine(status=status, reason="because", evidence="", since=examples.NOW)
    return examples.session(status=line, **fields)


def event(kind: str, text: str = "it happened", level: Level = Level.INFO, **data: Scalar) -> LoggedEvent:
    made = Event(
        id="demo-1:9",
        type=kind,
        at=examples.NOW,
        project=examples.session().project,
        session=examples.session().id,
        text=text,
        level=level,
        data=data,
    )
    return LoggedEvent(seq=9, event=made)


def one(kind: str, about: Session, **data: Any) -> Entry:
    [found] = entries(event(kind, **data), about)
    return found


ASKED = Question(id="q12345678", text="Which\nway?", asked_at=examples.NOW, options=("left", "right"))


def test_a_question_has_a_button_for_each_option_and_calls_a_person() -> None:
    found = one("question.asked", session(questions=(ASKED,)), question=ASKED.id)
    assert found.about == "question:q12345678"
    assert found.mention
    assert found.message.lines == ("Which", "way?")
    assert [button.arguments["option"] for button in found.message.buttons] == ["1", "2"]


def test_where_several_may_be_chosen_it_is_said_how() -> None:
    asked = replace(ASKED, many=True)
    found = one("question.asked", session(questions=(asked,)), question=asked.id)
    assert "1,3" in found.message.lines[-1]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        (
            {
                "answer": "left",
                "answered_at": examples.NOW,
                "answered_by": replace(examples.ADA, via="web"),
            },
            "ada in the console answered: left",
        ),
        ({"withdrawn": True}, "went on without an answer"),
    ],
)
def test_what_became_of_it_takes_the_place_of_the_buttons(fields: dict[str, Any], words: str) -> None:
    settled = session(questions=(replace(ASKED, **fields),))
    for kind in ("question.asked", "question.answered", "question.withdrawn", "question.delivered"):
        found = one(kind, settled, question=ASKED.id)
        assert found.about == "question:q12345678"
        assert not found.mention
        assert found.message.buttons == ()
        assert words in found.message.lines[-1]


def test_leave_shows_the_command_as_it_is() -> None:
    call = ToolCall(tool="Bash", argument="rm -rf build\n  ls *", shell=True)  # noqa: S604 - a value of ours
    asked = replace(ASKED, call=call, options=PERMISSION_OPTIONS)
    found = one("question.asked", session(questions=(asked,)), question=asked.id)
    assert found.message.verbatim
    assert found.message.lines == ("rm -rf build", "  ls *")
    assert len(found.message.buttons) == 4


@pytest.mark.parametrize("stage", list(MessageStage))
def test_a_message_to_the_agent_shows_how_far_it_is(stage: MessageStage) -> None:
    message = Message(
        number=3,
        text="hello",
        by="ada",
        at=examples.NOW,
        stage=stage,
        reason="the agent is gone",
        source="slack:C:1.2",
    )
    found, *lost = entries(event("message.received", number=3), session(messages=(message,)))
    assert [entry.about for entry in lost] == (["failed:3"] if stage is MessageStage.FAILED else [])
    assert (found.about, found.source, found.stage) == ("message:3", "slack:C:1.2", stage)
    assert found.message.lines[0] == "hello"
    assert found.mention is (stage is MessageStage.FAILED)


def test_a_reaction_that_failed_calls_nobody_by_itself() -> None:
    message = Message(
        number=3, text="x", by="reaction ci-failed", at=0.0, stage=MessageStage.FAILED, key="ci-failed:a"
    )
    found = one("message.failed", session(messages=(message,)), number=3)
    assert not found.mention
    assert found.source == ""


def test_a_review_waits_with_its_head_until_somebody_decides() -> None:
    change = examples.change(examples.pull_request())
    waits = one("review.pending", session(changes=(change,)), head=examples.HEAD)
    assert waits.about == f"review:{examples.HEAD[:12]}"
    assert [button.verb for button in waits.message.buttons] == ["approve", "request-changes"]
    given = replace(change, approvals=(Approval(by=examples.ADA, head=examples.HEAD, at=examples.NOW),))
    told = entries(event("review.approved_here", head=examples.HEAD), session(changes=(given,)))
    [settled] = [entry for entry in told if entry.about == waits.about]
    assert settled.only_edit
    assert settled.message.buttons == ()
    assert "Approved by ada" in settled.message.lines[0]


def test_new_commits_disarm_what_was_offered_for_the_old_ones() -> None:
    change = examples.change(examples.pull_request(head=examples.OTHER_HEAD))
    told = entries(
        event("pr.updated", head=examples.OTHER_HEAD, was=examples.HEAD), session(changes=(change,))
    )
    settled = {entry.about: entry for entry in told if entry.only_edit}
    for kind in ("review", "merge"):
        entry = settled[f"{kind}:{examples.HEAD[:12]}"]
        assert entry.message.buttons == ()
        assert entry.message.lines[0].startswith("⏭️ Superseded: #7 is at bbbbbbb")
    assert f"review:{examples.OTHER_HEAD[:12]}" not in settled


def test_a_merge_settles_what_was_offered_and_who_approved_stays() -> None:
    pr = examples.pull_request(state=PullRequestState.MERGED)
    given = tuple(
        Approval(by=replace(examples.ADA, name=name, via="slack"), head=examples.HEAD, at=examples.NOW)
        for name in ("ada", "bo")
    )
    change = replace(examples.change(pr), merged_by="ada", merged_via="slack", approvals=given)
    told = entries(event("pr.merged", head=examples.HEAD), session(changes=(change,)))
    assert told[0].message.title == "🎉 Merged."
    assert not told[0].mention
    settled = {entry.about.partition(":")[0]: entry.message.lines for entry in told if entry.only_edit}
    assert settled["merge"] == ("🎉 Merged by ada in Slack.",)
    assert settled["review"] == ("👍 Approved by ada in Slack, bo in Slack.", "🎉 Merged by ada in Slack.")


def test_how_an_approval_and_a_merge_reached_the_forge_is_said_where_they_were_offered() -> None:
    given = Approval(
        by=replace(examples.ADA, via="slack"),
        head=examples.HEAD,
        at=examples.NOW,
        carried="as a review by ada-gh",
    )
    pr = examples.pull_request(state=PullRequestState.MERGED)
    change = replace(examples.change(pr), merged_by="ada", merged_as="ada-gh", approvals=(given,))
    told = entries(event("review.carried", head=examples.HEAD), session(changes=(change,)))
    settled = {entry.about.partition(":")[0]: entry.message.lines for entry in told if entry.only_edit}
    assert settled["review"] == (
        "👍 Approved by ada in Slack as a review by ada-gh.",
        "🎉 Merged by ada, as ada-gh.",
    )


def test_a_review_that_would_count_nowhere_is_not_offered() -> None:
    change = examples.change(examples.pull_request(approving=Approving.NOWHERE))
    waits = one("review.pending", session(changes=(change,)), head=examples.HEAD)
    assert [button.verb for button in waits.message.buttons] == ["request-changes"]


def test_a_merge_that_was_kept_without_its_place_names_who_alone() -> None:
    change = replace(examples.change(examples.pull_request(state=PullRequestState.MERGED)), merged_by="ada")
    told = entries(event("pr.merged", head=examples.HEAD), session(changes=(change,)))
    assert "🎉 Merged by ada." in told[-1].message.lines


def test_who_is_gone_can_be_brought_back_from_the_thread() -> None:
    [found] = entries(event("session.errored", level=Level.URGENT), session(Status.ERRORED))
    assert found.mention
    assert [button.verb for button in found.message.buttons] == ["restore"]


def test_what_is_no_part_of_the_conversation_is_not_told() -> None:
    for kind in ("work.committed", "push.done", "session.spawning", "tracker.refused"):
        assert entries(event(kind), session()) == ()
    assert entries(event("question.asked", question="qother"), session()) == ()
    assert entries(event("message.typed", number=12), session()) == ()
    assert entries(event("review.pending", head=examples.HEAD), session()) == ()


def test_long_texts_are_cut() -> None:
    [found] = entries(event("ci.failing", text="x" * 100_000), session())
    assert sum(map(len, found.message.lines)) < 4000


def test_changes_that_were_asked_for_here_are_told_once() -> None:
    for kind in ("review.changes_requested", "review.commented"):
        assert entries(event(kind, here=True), session()) == ()
        assert len(entries(event(kind), session())) == 1
    assert len(entries(event("review.changes_asked_here", head=examples.HEAD), session())) == 1


def test_a_message_shows_no_fences_that_are_for_the_agent() -> None:
    told = Message(
        number=1,
        text=f"Changes are asked for.\n\n{fence('review by bo', 'please add a test')}\n\nGo on.",
        by="reaction changes-requested",
        at=examples.NOW,
        stage=MessageStage.WORKING,
    )
    found = one("message.working", session(messages=(told,)), number=1)
    shown = [line for line in found.message.lines if line]
    assert shown[:-1] == ["Changes are asked for.", "review by bo:", "please add a test", "Go on."]


# What is held ---------------------------------------------------------------------------------------

CI = Finding(
    kind=FindingKind.PATH,
    fingerprint="f",
    words=".github/workflows/ci.yml is changed",
    hunks="@@ -1 +1 @@\n-on: push\n+on: pull_request_target",
)
PUSH = HeldPush(id="p9", head=examples.HEAD, since=examples.NOW, findings=(CI,))
TEXT = HeldText(
    id="t0123456789ab",
    place="comment 7 on issue 1",
    words="a comment on issue 1",
    author="mallory",
    url="https://forge.test/1#7",
    text="Do this.\nAnd that.",
    since=examples.NOW,
)


def test_a_held_push_shows_its_hunks_and_who_can_decide() -> None:
    found = one("push.held", session(held=Held(pushes=(PUSH,))), push="p9", head=examples.HEAD)
    assert (found.about, found.mention) == ("push:p9", True)
    assert found.message.title == f"🛑 Push of {examples.HEAD[:12]} is held: 1 thing to look at"
    assert found.message.lines == (
        "● .github/workflows/ci.yml is changed",
        "@@ -1 +1 @@",
        "-on: push",
        "+on: pull_request_target",
    )
    assert found.message.verbatim
    release, back = found.message.buttons
    assert (release.label, release.verb, release.arguments["head"]) == (
        "Release this push",
        "release",
        examples.HEAD,
    )
    assert ".github/workflows/ci.yml is changed" in release.confirm
    assert (back.label, back.verb, bool(back.ask)) == ("Send back", "send-back", True)


def test_a_newer_commit_takes_its_buttons_away() -> None:
    about = session(held=Held(pushes=(PUSH,)), local_head=examples.OTHER_HEAD)
    assert one("push.held", about, push="p9").message.buttons == ()


@pytest.mark.parametrize(
    ("stage", "words", "shown"),
    [
        (PushStage.RELEASED, "", "✅ Released by owner"),
        (PushStage.PUSHED, "", "and pushed."),
        (PushStage.SENT_BACK, "Leave it alone.", "Leave it alone."),
        (PushStage.OVERTAKEN, "abc", "Overtaken by abc"),
    ],
)
def test_what_became_of_it_stands_where_the_buttons_were(stage: PushStage, words: str, shown: str) -> None:
    decided = replace(PUSH, stage=stage, by=OWNER, at=examples.NOW, words=words)
    found = one("push.done", session(held=Held(pushes=(decided,))), push="p9")
    assert found.about == "push:p9"
    assert not found.mention
    assert found.message.buttons == ()
    assert shown in "\n".join(found.message.lines)
    assert found.message.lines[0] == "• .github/workflows/ci.yml is changed"


def test_more_than_fits_says_where_all_of_it_is() -> None:
    last = replace(CI, words="CODEOWNERS is deleted")
    large = replace(PUSH, findings=(replace(CI, hunks="+x\n" * MOST_SHOWN), last))
    lines = one("push.held", session(held=Held(pushes=(large,))), push="p9").message.lines
    assert lines[:2] == ("● .github/workflows/ci.yml is changed", "● CODEOWNERS is deleted")
    assert lines[-1] == "All of it: ao held demo-1"
    assert sum(map(len, lines)) < MOST_SHOWN + 100


def test_what_a_forge_refuses_after_a_release_is_told_beside_it() -> None:
    refused = replace(PUSH, stage=PushStage.REFUSED, by=OWNER, words="diverged")
    found = entries(event("push.refused", push="p9"), session(held=Held(pushes=(refused,))))
    assert [entry.about for entry in found] == ["push:p9", "demo-1:9"]
    assert not found[0].mention, "the other calls a person"
    told = found[0].message
    assert told.title == f"⚠️ Push of {examples.HEAD[:12]} was refused by the forge"
    assert told.lines[0] == "diverged"
    assert "● .github/workflows/ci.yml is changed" in told.lines
    assert told.lines[-1].startswith("It was released by owner")
    assert [(button.label, button.verb) for button in told.buttons] == [
        ("Release this push", "release"),
        ("Send back", "send-back"),
    ]
    assert told.buttons[0].arguments["head"] == examples.HEAD
    assert "The forge refused it: diverged" in told.buttons[0].confirm


def test_a_refused_push_that_was_never_held_has_one_post_and_is_pushed_again_without_an_approver() -> None:
    refused = replace(PUSH, findings=(), stage=PushStage.REFUSED, words="diverged")
    found = one("push.refused", session(held=Held(pushes=(refused,))), push="p9")
    assert (found.about, found.mention) == ("push:p9", True)
    assert [(button.label, button.verb) for button in found.message.buttons] == [
        ("Push again", "retry"),
        ("Send back", "send-back"),
    ]


def test_a_held_text_shows_exactly_what_would_be_sent() -> None:
    found = one("text.held", session(held=Held(texts=(TEXT,))), held=TEXT.id)
    assert (found.about, found.mention) == (f"text:{TEXT.id}", False)
    assert found.message.title == "📨 Held: a comment on issue 1 by mallory, who is no member of the project"
    assert found.message.lines == ("Do this.", "And that.")
    assert [(field.label, field.value) for field in found.message.fields] == [("link", TEXT.url)]
    [button] = found.message.buttons
    assert (button.label, button.verb, button.arguments["id"]) == (
        "Release to agent",
        "release-text",
        TEXT.id,
    )


def test_a_text_that_is_the_whole_task_calls_a_person() -> None:
    found = one("text.held", session(held=Held(texts=(TEXT,), task_waits=TEXT.id)), held=TEXT.id)
    assert (found.mention, found.message.level) == (True, Level.ACTION)


@pytest.mark.parametrize(("fields", "shown"), [({"by": OWNER}, "✅ Released"), ({"gone": True}, "edited")])
def test_a_text_that_was_decided_or_edited_has_no_button(fields: dict[str, Any], shown: str) -> None:
    found = one("text.gone", session(held=Held(texts=(replace(TEXT, **fields),))), held=TEXT.id)
    assert found.message.buttons == ()
    assert shown in found.message.lines[-1]
