"""Every button that is ever shown, in every role, from every chat surface: fresh, out of date, twice, forged."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from bot.actions import registry
from bot.actions.action import Access as Needs
from bot.actions.runner import Actions
from bot.chat import offers, payload
from bot.chat.access import Access
from bot.chat.card import card
from bot.chat.desk import Desk
from bot.chat.message import Button, Message
from bot.chat.request import Surface
from bot.chat.story import question_entry
from bot.frontends.dispatch import Dispatch, Said, Taken
from orchestrator.domain.activity import ToolCall
from orchestrator.domain.held import Held, HeldPush, HeldText, PushStage
from orchestrator.domain.person import OWNER, Actor, ActorKind
from orchestrator.domain.policy import PERMISSION_OPTIONS
from orchestrator.domain.rights import People, Person, Role
from orchestrator.domain.session import Question, RuntimeFact, RuntimeState, Session, StatusLine
from orchestrator.domain.status import Status
from orchestrator.testing import examples
from tests.unit.bot.house import House

CHATS = (Surface.SLACK, Surface.DISCORD, Surface.WEB)
ROLES: tuple[Role | None, ...] = (None, *Role)
ROOT = Person(handle="root", roles={"*": Role.ADMIN})
CALL = ToolCall(tool="Bash", argument="make", shell=True)  # noqa: S604 - a value of ours
ASKED = Question(id="q12345678", text="One or two?", asked_at=examples.NOW, options=("one", "two"))
PUSH = HeldPush(id="p1", head=examples.HEAD, since=examples.NOW, findings=())
TEXT = HeldText(
    id="t0123456789ab",
    place="issue 1",
    words="the text of issue 1",
    author="eve",
    url="",
    text="x",
    since=1.0,
)
LEAVE = replace(ASKED, call=CALL, options=PERMISSION_OPTIONS)


@dataclass(frozen=True)
class Shown:
    """A button, and the session that it was shown for."""

    button: Button
    session: Session

    @property
    def words(self) -> str:
        return "because" if self.button.ask else ""


def sessions() -> Iterator[Session]:
    change = examples.change(examples.pull_request())
    red = replace(change, red_heads=(examples.HEAD,))
    gone = RuntimeFact(state=RuntimeState.EXITED, at=0.0)
    for status in Status:
        line = StatusLine(status=status, reason="because", evidence="", since=examples.NOW)
        made = examples.session(status=line, created_by=OWNER)
        yield from (made, replace(made, changes=(change,)), replace(made, changes=(red,)))
        yield from (replace(made, runtime=gone), replace(made, hold=OWNER, changes=(change,)))
        yield replace(made, held=Held(pushes=(PUSH,)))
        yield replace(made, held=Held(texts=(TEXT,), task_waits=TEXT.id))
        yield from (
            replace(made, questions=(question,)) for question in (ASKED, LEAVE, replace(ASKED, options=()))
        )


def every_button() -> list[Shown]:
    """One of each kind: verb, what it is bound to, what it asks for."""
    found: dict[tuple[str, tuple[str, ...], bool], Shown] = {}
    for session in sessions():
        shown = card(session)
        asked = question_entry(session, session.question).message.buttons if session.question else ()
        for button in (*shown.buttons, *shown.menu, *asked, offers.kill(session)):
            kind = (button.verb, tuple(button.arguments), bool(button.ask))
            found.setdefault(kind, Shown(button, session))
    return list(found.values())


BUTTONS = every_button()
IDS = [f"{shown.button.verb}: {shown.button.label}" for shown in BUTTONS]
BOUND = [shown for shown in BUTTONS if {"head", "question", "id"} & set(shown.button.arguments)]
"""Those that are bound to more than their session."""
CASES = list(itertools.product(ROLES, CHATS))


class Stand:
    """A house with one person in one role."""

    def __init__(self, house: House, role: Role | None) -> None:
        self.house = house
        ada = Person(handle="ada", roles={"demo": role} if role else {})
        actions = Actions(house.core, access=Access(lambda: People((ada, ROOT))))
        self.dispatch = Dispatch(
            house.core, actions, Desk(actions, house.core.store.requests, house.core.clock.now)
        )

    async def press(self, text: str, shown: Shown, surface: Surface, key: str = "") -> tuple[Taken, Message]:
        who = Actor(kind=ActorKind.PERSON, name="ada", via=surface.value)
        said = Said(who=who, surface=surface, text=shown.words, session="demo-1", key=key)
        taken = await self.dispatch.press(text, said)
        return taken, await taken.answer()


def suffices(shown: Shown, role: Role | None) -> bool:
    action = registry.load(shown.button.verb)
    return role is not None and role.covers(action.role)


def denied(answer: Message) -> bool:
    return answer.private and "may not" in answer.title


def test_every_button_is_of_a_verb_that_chats_have() -> None:
    for shown in BUTTONS:
        action = registry.load(shown.button.verb)
        assert set(CHATS) <= action.surfaces, action.verb
        assert action.access is not Needs.MACHINE


@pytest.mark.parametrize("shown", BUTTONS, ids=IDS)
async def test_fresh_it_does_what_a_role_may(house: House, shown: Shown) -> None:
    for role, surface in CASES:
        house.fleet.put(shown.session)
        _, answer = await Stand(house, role).press(payload.encode(shown.button), shown, surface)
        assert denied(answer) is not suffices(shown, role), (role, surface, answer.title)
        if denied(answer):
            assert house.fleet.get("demo-1") is shown.session
            assert "root has it" in answer.lines[0]


@pytest.mark.parametrize("shown", BOUND, ids=lambda shown: f"{shown.button.verb}: {shown.button.label}")
async def test_out_of_date_it_changes_nothing(house: House, shown: Shown) -> None:
    newer = examples.change(examples.pull_request(head=examples.OTHER_HEAD))
    answered = replace(ASKED, answer="one", answered_by=OWNER, answered_at=examples.NOW)
    push = replace(PUSH, id="p2", head=examples.OTHER_HEAD)
    held = Held(pushes=(replace(PUSH, stage=PushStage.OVERTAKEN), push), texts=(replace(TEXT, gone=True),))
    now = replace(
        shown.session,
        changes=(newer,) if shown.session.changes else (),
        questions=(answered,),
        held=held if shown.session.held != Held() else Held(),
    )
    for role, surface in CASES:
        house.fleet.put(now)
        _, answer = await Stand(house, role).press(payload.encode(shown.button), shown, surface)
        assert answer.private
        assert denied(answer) is not suffices(shown, role)
        assert house.fleet.get("demo-1") is now


@pytest.mark.parametrize("shown", BUTTONS, ids=IDS)
async def test_delivered_twice_it_is_done_once(house: House, shown: Shown) -> None:
    for surface in CHATS:
        house.fleet.put(shown.session)
        stand = Stand(house, Role.ADMIN)
        first, _ = await stand.press(payload.encode(shown.button), shown, surface, key=f"{surface.value}-1")
        after = house.fleet.sessions.get("demo-1")
        second, _ = await stand.press(payload.encode(shown.button), shown, surface, key=f"{surface.value}-1")
        if first.request:
            assert (second.again, second.request) == (True, first.request)
        assert house.fleet.sessions.get("demo-1") is after


@pytest.fixture
def two_projects(house: House) -> House:
    file = house.core.settings.path
    file.write_text(file.read_text() + "  web:\n    path: .\n    sessionPrefix: web\n    agent: rehearsal\n")
    house.core.settings.take(house.core.settings.look().require())
    return house


@pytest.mark.parametrize("shown", BUTTONS, ids=IDS)
async def test_forged_it_is_no_right(two_projects: House, shown: Shown) -> None:
    """The text of a button is what anybody can write: another session's name in it gives nothing."""
    other = replace(
        shown.session, id=examples.session(id="web-2").id, project=examples.session(project="web").project
    )
    real = payload.encode(shown.button)
    for role, surface in CASES:
        two_projects.fleet.put(shown.session)
        two_projects.fleet.put(other)
        stand = Stand(two_projects, role)
        _, answer = await stand.press(real.replace("demo-1", "web-2"), shown, surface)
        assert denied(answer), (role, answer.title)
        for text in (real.replace("1|", "2|", 1), f"{real}|x", real.replace("demo-1", "demo-9"), ""):
            _, answer = await stand.press(text, shown, surface)
            assert answer.private, text
        assert two_projects.fleet.get("web-2") is other
        assert two_projects.fleet.get("demo-1") is shown.session
