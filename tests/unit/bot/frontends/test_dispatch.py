"""What people say on a chat surface: fresh, out of date, twice, forged."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.actions.runner import Actions
from bot.chat import offers, payload
from bot.chat.access import Access
from bot.chat.desk import Desk
from bot.chat.message import Button, Message
from bot.chat.request import Surface
from bot.frontends.dispatch import Dispatch, Said, steps_of
from orchestrator.domain.activity import ToolCall
from orchestrator.domain.person import Actor, ActorKind
from orchestrator.domain.policy import PERMISSION_OPTIONS
from orchestrator.domain.rights import People, Person, Role
from orchestrator.domain.session import Question, Session, StatusLine
from orchestrator.domain.status import Status
from orchestrator.testing import examples
from tests.unit.bot.house import House

ANA = Actor(kind=ActorKind.PERSON, name="ana", via="slack")
BO = Actor(kind=ActorKind.PERSON, name="bo", via="web")
STRANGER = Actor(kind=ActorKind.PERSON, name="slack:U9", via="slack")
ASKED = Question(id="q12345678", text="One or two?", asked_at=examples.NOW, options=("one", "two"))


PEOPLE = People(
    (
        Person(handle="ana", ids={"slack": "U1"}, roles={"*": Role.ADMIN}),
        Person(handle="bo", ids={"web": "1"}, roles={"demo": Role.APPROVER}),
    )
)


@pytest.fixture
def dispatch(house: House) -> Dispatch:
    actions = Actions(house.core, access=Access(lambda: PEOPLE))
    return Dispatch(house.core, actions, Desk(actions, house.core.store.requests, house.core.clock.now))


def said(text: str = "", who: Actor = ANA, **fields: Any) -> Said:
    return Said(who=who, surface=Surface.SLACK, text=text, **fields)


async def command(dispatch: Dispatch, text: str, **fields: Any) -> Message:
    return await (await dispatch.command(said(text, **fields))).answer()


async def reply(dispatch: Dispatch, text: str, **fields: Any) -> Message:
    return await (await dispatch.reply(said(text, session="demo-1", **fields))).answer()


async def press(dispatch: Dispatch, button: Button | str, text: str = "", **fields: Any) -> Message:
    pressed = button if isinstance(button, str) else payload.encode(button)
    return await (await dispatch.press(pressed, said(text, session="demo-1", **fields))).answer()


def put(house: House, status: Status = Status.WORKING, **fields: Any) -> Session:
    line = StatusLine(status=status, reason="because", evidence="", since=examples.NOW)
    session = examples.session(status=line, **fields)
    house.fleet.put(session)
    return session


async def test_phone_typing_is_understood(house: House, dispatch: Dispatch) -> None:
    put(house)
    assert (await command(dispatch, "Status DEMO-1")).session == "demo-1"
    assert "sessions" not in (await command(dispatch, "status #1")).title
    assert "What can be asked" in str(await command(dispatch, "")) or (await command(dispatch, "")).title
    odd = await command(dispatch, "statsu")
    assert odd.private
    assert "Did you mean `status`" in odd.lines[0]


@pytest.mark.parametrize(
    "typed", ["ao status demo-1", "/ao status demo-1", "`status demo-1`", "`ao status demo-1`"]
)
async def test_what_is_copied_along_with_a_command_is_dropped(
    house: House, dispatch: Dispatch, typed: str
) -> None:
    put(house)
    assert (await command(dispatch, typed)).session == "demo-1"


def test_next_steps_that_cannot_be_asked_for_here_are_left_out() -> None:
    steps = ("attach demo-1", "status demo-1", "start", "people add <person> admin")
    assert steps_of(steps, Surface.SLACK) == ("status demo-1", "people add <person> admin")


async def test_an_answer_offers_what_can_be_asked_for_here(house: House, dispatch: Dispatch) -> None:
    shown = await command(dispatch, "help attach")
    assert shown.title.startswith("ao attach")
    assert shown.next_steps == ()


async def test_a_name_in_a_chat_is_who_was_seen_there_by_it(house: House, dispatch: Dispatch) -> None:
    await house.core.store.people.put(PEOPLE.persons[0])
    unknown = await command(dispatch, "people add @Cy approver")
    assert unknown.private
    assert "nobody was added" in unknown.title
    assert "mention" in unknown.lines[0]
    assert len(house.core.settings.people.persons) == 1
    await command(dispatch, "status", who=STRANGER, called="cy")
    added = await command(dispatch, "people add @Cy approver")
    assert added.title.startswith("👤 Cy is approver")
    cy = house.core.settings.people.by_handle("cy")
    assert cy is not None
    assert cy.ids == {"slack": "U9"}


async def test_a_name_that_two_were_called_by_is_nobodys(house: House, dispatch: Dispatch) -> None:
    await command(dispatch, "status", who=STRANGER, called="cy")
    await command(dispatch, "status", who=replace(STRANGER, name="slack:U10"), called="Cy")
    refused = await command(dispatch, "people add @cy approver")
    assert refused.title.startswith("⚠️ Several people here were called cy")
    assert house.core.settings.people.persons == ()


async def test_a_plain_reply_is_told_to_the_agent_with_where_it_was_said(
    house: House, dispatch: Dispatch
) -> None:
    put(house)
    await reply(dispatch, "use the other module", source="slack:C1:17.5", key="Ev1")
    [message] = house.fleet.get("demo-1").messages
    assert (message.text, message.by, message.source) == ("use the other module", "ana", "slack:C1:17.5")


async def test_an_event_that_comes_twice_is_one(house: House, dispatch: Dispatch) -> None:
    put(house)
    for _ in range(3):
        await reply(dispatch, "hello", key="Ev1")
    taken = await dispatch.reply(said("hello", session="demo-1", key="Ev1"))
    assert taken.again
    assert len(house.fleet.get("demo-1").messages) == 1


async def test_a_plain_reply_answers_an_open_question(house: House, dispatch: Dispatch) -> None:
    put(house, Status.WAITING_INPUT, questions=(ASKED,))
    await reply(dispatch, "one")
    [question] = house.fleet.get("demo-1").questions
    assert (question.answer, question.answered_by) == ("one", ANA)


async def test_a_passing_remark_gives_no_leave(house: House, dispatch: Dispatch) -> None:
    call = ToolCall(tool="Bash", argument="rm -rf /", shell=True)  # noqa: S604 - a value of ours
    put(house, Status.WAITING_INPUT, questions=(replace(ASKED, call=call, options=PERMISSION_OPTIONS),))
    await reply(dispatch, "1 yes")
    assert house.fleet.get("demo-1").questions[0].open
    assert house.fleet.get("demo-1").messages[0].text == "1 yes"


async def test_verbs_in_a_thread_are_about_its_session(house: House, dispatch: Dispatch) -> None:
    put(house)
    assert (await reply(dispatch, "!pause")).session == "demo-1"
    assert house.fleet.get("demo-1").wanted.state.value == "pause"
    kill = await reply(dispatch, "!kill")
    assert kill.title == "Kill demo-1?"


async def test_a_typed_kill_answers_with_its_facts_and_its_button(house: House, dispatch: Dispatch) -> None:
    put(house)
    shown = await command(dispatch, "kill demo-1")
    assert house.fleet.get("demo-1").wanted.state.value == "run"
    assert [button.verb for button in shown.buttons] == ["kill"]
    await press(dispatch, shown.buttons[0])
    assert house.fleet.get("demo-1").wanted.state.value == "stop"


async def test_an_option_is_chosen_by_its_button(house: House, dispatch: Dispatch) -> None:
    session = put(house, Status.WAITING_INPUT, questions=(ASKED,))
    two = offers.answers(session, ASKED)[1]
    await press(dispatch, two)
    assert house.fleet.get("demo-1").questions[0].answer == "two"
    late = await press(dispatch, offers.answers(session, ASKED)[0], who=BO)
    assert late.private
    assert "ana answered first" in late.title


async def test_a_no_with_its_reason_is_one_press(house: House, dispatch: Dispatch) -> None:
    call = ToolCall(tool="Bash", argument="make", shell=True)  # noqa: S604 - a value of ours
    asked = replace(ASKED, call=call, options=PERMISSION_OPTIONS)
    session = put(house, Status.WAITING_INPUT, questions=(asked,))
    await press(dispatch, offers.answers(session, asked)[3], "use tox")
    assert house.fleet.get("demo-1").questions[0].answer == "Deny: use tox"


async def test_a_button_of_an_older_head_does_nothing_and_says_so(house: House, dispatch: Dispatch) -> None:
    old = examples.change(examples.pull_request())
    session = put(house, Status.REVIEW_PENDING, changes=(old,))
    button = offers.approve(session, old)
    put(
        house,
        Status.REVIEW_PENDING,
        changes=(examples.change(examples.pull_request(head=examples.OTHER_HEAD)),),
    )
    answer = await press(dispatch, button)
    assert answer.private
    assert "#7 is at bbbbbbbbbbbb now, not at aaaaaaaaaaaa" in answer.title
    assert house.fleet.get("demo-1").changes[0].approvals == ()


async def test_a_question_that_was_withdrawn_is_answered_by_no_button(
    house: House, dispatch: Dispatch
) -> None:
    gone = replace(ASKED, withdrawn=True)
    session = put(house, questions=(gone,))
    answer = await press(dispatch, offers.answers(session, ASKED)[0])
    assert "went on without an answer" in answer.title


@pytest.mark.parametrize(
    "forged",
    [
        "",
        "{}",
        "1|merge|demo-1",
        "1|start|",
        "1|nothing|demo-1",
        "1|merge|demo-1|h1234567|=by=ana",
        "1|answer|demo-1|qnone|o1",
        "1|kill|other-9",
        "2|kill|demo-1",
    ],
)
async def test_a_forged_button_changes_nothing(house: House, dispatch: Dispatch, forged: str) -> None:
    before = put(house, Status.MERGEABLE, changes=(examples.change(examples.pull_request()),))
    answer = await press(dispatch, forged)
    assert answer.private
    assert answer.title.startswith("⚠️ ")
    assert house.fleet.get("demo-1") is before


async def test_who_has_no_role_is_told_privately_and_nothing_is_done(
    house: House, dispatch: Dispatch
) -> None:
    session = put(house)
    for answer in (
        await command(dispatch, "pause demo-1", who=STRANGER),
        await reply(dispatch, "hello", who=STRANGER),
        await press(dispatch, offers.kill(session), who=STRANGER),
    ):
        assert answer.private
        assert "may not" in answer.title
    assert house.fleet.get("demo-1") is session


async def test_changes_asked_for_in_words_are_bound_to_the_head_that_is_there(
    house: House, dispatch: Dispatch
) -> None:
    put(house, Status.REVIEW_PENDING, changes=(examples.change(examples.pull_request()),))
    taken = await dispatch.reply(said("!request-changes please add a test", session="demo-1"))
    assert taken.request, taken.said
    assert house.core.store.requests.find(taken.request).asked.arguments["head"] == examples.HEAD  # type: ignore[union-attr]


async def test_what_is_asked_is_kept_with_its_place_before_it_is_acknowledged(
    house: House, dispatch: Dispatch
) -> None:
    put(house)
    taken = await dispatch.command(said("pause demo-1", place='{"channel":"C1"}'))
    record = house.core.store.requests.find(taken.request)
    assert record is not None
    assert (record.asked.place, record.asked.by, record.asked.surface) == ('{"channel":"C1"}', ANA, "slack")
    await taken.answer()
