"""Answers to dialogs: to a hook that waits, by keys one after the other; and text of ours in the prompt."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typing_extensions import override

from orchestrator.domain.activity import PASTED, ActivityState, Asked, Dialog
from orchestrator.domain.ids import SessionId
from orchestrator.domain.person import OWNER
from orchestrator.lifecycle.delivery import TYPED_WAIT
from orchestrator.ports.agent import AnswerFile, ClearsPrompt
from orchestrator.ports.place import Entry, Place
from orchestrator.ports.runtime import Keys, Text
from orchestrator.ports.session_ref import SessionRef
from orchestrator.services.answer import answer
from orchestrator.services.interrupt import interrupt
from orchestrator.services.send import send
from orchestrator.testing.fakes.agent import FakeAgent
from orchestrator.testing.fakes.place import FakePlace
from orchestrator.testing.fakes.runtime import FakeTerminal
from orchestrator.testing.ring import FakeWorld, Ring, open_ring

RUN = Dialog(id="leave:1", text="Run make?", options=("Allow once", "Deny"))
OTHER = Dialog(id="leave:2", text="Delete everything?", options=("Allow once", "Deny"))
FILE = "/session/agent/answers/7.json"
YES = Keys(keys=("Enter",))
DOWN = Keys(keys=("Down",))
CLEAR = Keys(keys=("Escape", "Escape"))
"""Other keys than those of an interrupt: what empties a prompt is no interrupt."""


class Claude(FakeAgent, ClearsPrompt):
    """An agent whose hook waits (`hook`), or whose dialogs are answered by keys (`keys`)."""

    hook = False
    otherwise: Keys | None = YES
    keys: Callable[[Dialog], Keys] = staticmethod(lambda _dialog: YES)
    deaf = False
    """It takes text and never says that it has it."""
    pressed: Callable[[SessionId, Text | Keys], None] = staticmethod(lambda _session, _what: None)
    """What the agent does about what it gets."""

    @override
    async def answer(
        self, session: SessionRef, place: Place, dialog: Dialog, answer: str
    ) -> Text | Keys | AnswerFile:
        if self.hook:
            answers = "|".join((*dialog.given, answer))
            return AnswerFile(path=FILE, data=answers.encode(), otherwise=self.otherwise)
        return self.keys(dialog)

    @override
    def clear(self) -> Keys:
        return CLEAR

    @override
    def program(self, terminal: FakeTerminal) -> None:
        if terminal.sent and isinstance(terminal.sent[-1], Keys):
            self.pressed(SessionId(terminal.launch.argv[1]), terminal.sent[-1])
        elif not self.deaf:
            super().program(terminal)


class Answers(FakePlace):
    """A place in which the answer's file is seen to be looked for, and to be taken back."""

    looked: Callable[[], None] = staticmethod(lambda: None)
    taken_back: Callable[[], None] = staticmethod(lambda: None)

    @override
    async def list(self, path: str) -> tuple[Entry, ...]:
        if FILE in self.files and path == "/session/agent/answers":
            self.looked()
        return await super().list(path)

    @override
    async def remove(self, path: str) -> None:
        await super().remove(path)
        if path == FILE:
            self.taken_back()


class House:
    """A ring whose agent is a `Claude`, with one session that works."""

    def __init__(self, ring: Ring, agent: Claude, place: Answers, session: SessionId) -> None:
        self.ring, self.agent, self.place, self.session = ring, agent, place, session

    @property
    def sent(self) -> list[Text | Keys]:
        return self.ring.runtime.terminals[self.session].sent

    async def asks(self, dialog: Dialog = RUN, **more: Any) -> None:
        self.agent.says(self.session, ActivityState.PERMISSION, dialog=dialog, accepts_text=False, **more)
        await self.ring.look(self.session)

    def goes_on(self) -> None:
        self.agent.says(self.session, ActivityState.BUSY, dialog=None)

    async def answered(self, words: str = "Allow once") -> None:
        await answer(self.ring.core, self.session, words, by=OWNER)
        await self.ring.settle()

    async def told(self) -> list[str]:
        return [t for t in await self.ring.told(self.session) if t.startswith("question.")][1:]


@pytest.fixture
async def house(tmp_path: Path) -> Any:
    world = FakeWorld()
    agent = Claude(world.clock.now)
    world.agent = agent
    world.runtime._program = agent.program
    place = Answers()
    world.runtime.places[SessionId("demo-1")] = place
    ring = await open_ring(tmp_path, world=world)
    made = House(ring, agent, place, await ring.spawn())
    yield made
    await ring.close()


async def test_a_hook_that_waits_gets_its_file_and_no_key_is_pressed(house: House) -> None:
    house.agent.hook = True
    given: list[bytes] = []

    def takes() -> None:
        given.append(house.place.files.pop(FILE))
        house.goes_on()

    house.place.looked = takes
    await house.asks()
    await house.answered()
    assert (house.sent, await house.told()) == ([], ["question.answered", "question.delivered"])
    assert given == [b"Allow once"]


async def test_several_questions_are_asked_one_after_the_other_and_answered_together(house: House) -> None:
    house.agent.hook = True
    given: list[bytes] = []

    def takes() -> None:
        given.append(house.place.files.pop(FILE))
        house.goes_on()

    house.place.looked = takes
    further = (
        Asked(text="Which sizes?", options=("S", "M", "L"), many=True),
        Asked(text="What name?"),
    )
    await house.asks(Dialog(id="question:1", text="Which colour?", options=("red", "blue"), further=further))
    asked = []
    for words in ("2", "3, 1", "Ada"):
        question = house.ring.session(house.session).question
        assert question is not None
        asked.append((question.text, question.options))
        assert given == [], "the agent gets all answers at once"
        await house.answered(words)
        await house.ring.look(house.session)
    assert asked == [
        ("(1 of 3) Which colour?", ("red", "blue")),
        ("(2 of 3) Which sizes?", ("S", "M", "L")),
        ("(3 of 3) What name?", ()),
    ]
    assert given == [b"blue|S, L|Ada"]
    assert [(q.answer, q.delivered) for q in house.ring.session(house.session).questions] == [
        ("blue", True),
        ("S, L", True),
        ("Ada", True),
    ]


async def test_answers_of_questions_that_went_are_given_to_nobody(house: House) -> None:
    house.agent.hook = True
    await house.asks(
        Dialog(id="question:1", text="Which?", options=("a", "b"), further=(Asked(text="And why?"),))
    )
    await house.answered("1")
    house.goes_on()
    await house.ring.look(house.session)
    assert [(q.open, q.delivered) for q in house.ring.session(house.session).questions] == [
        (False, False)
    ] * 2


async def test_a_hook_that_waits_no_more_leaves_it_to_the_keys(house: House) -> None:
    house.agent.hook = True
    house.agent.pressed = lambda *_: house.goes_on()
    await house.asks()
    await house.answered()
    assert (house.sent, (await house.told())[-1]) == ([YES], "question.delivered")
    # Nothing lies there for a hook that comes later.
    assert FILE not in house.place.files


@pytest.mark.slow  # each waits as long as a hook may take
@pytest.mark.parametrize(
    ("then", "otherwise", "told"),
    [
        (OTHER, YES, "question.undelivered"),
        (RUN, None, "question.undelivered"),
        (None, YES, "question.delivered"),
    ],
)
async def test_keys_are_pressed_only_in_the_dialog_that_was_answered(
    house: House, then: Dialog | None, otherwise: Keys | None, told: str
) -> None:
    """Another one stands there, these words have no keys, or somebody answered it in the terminal."""
    house.agent.hook, house.agent.otherwise = True, otherwise

    state = ActivityState.PERMISSION if then else ActivityState.BUSY
    house.place.taken_back = lambda: house.agent.says(house.session, state, dialog=then, accepts_text=False)
    await house.asks()
    await house.answered()
    assert house.sent == []
    assert told in await house.told()


async def test_keys_follow_what_is_selected_now(house: House) -> None:
    """As for trust: Down while `No` is selected, Enter once `Yes` is."""
    selected = ["no"]
    house.agent.keys = lambda _dialog: DOWN if selected[-1] == "no" else YES
    house.agent.pressed = lambda _session, what: selected.append("yes") if what == DOWN else house.goes_on()
    await house.asks()
    await house.answered()
    assert (house.sent, (await house.told())[-1]) == ([DOWN, YES], "question.delivered")


async def test_keys_that_were_dropped_are_sent_again(house: House) -> None:
    def hears(_session: SessionId, _what: Text | Keys) -> None:
        if len(house.sent) == 2:
            house.goes_on()

    house.agent.pressed = hears
    await house.asks()
    await house.answered()
    assert (house.sent, (await house.told())[-1]) == ([YES, YES], "question.delivered")


async def test_a_dialog_that_changed_meanwhile_is_not_pressed(house: House) -> None:
    house.agent.pressed = lambda session, _what: house.agent.says(
        session, ActivityState.PERMISSION, dialog=OTHER, accepts_text=False
    )
    await house.asks()
    await house.answered()
    assert house.sent == [YES]
    await house.ring.look(house.session)
    waiting = house.ring.session(house.session).question
    assert waiting is not None
    assert waiting.id == OTHER.id


async def test_a_person_who_took_the_terminal_over_is_not_pressed_into(house: House) -> None:
    house.agent.pressed = lambda session, _what: house.ring.runtime.show(session, "", mode="copy mode")
    await house.asks()
    await house.answered()
    assert house.sent == [YES]


# Drafts -------------------------------------------------------------------------------------------


def _waits(house: House, draft: str = "") -> None:
    house.agent.says(house.session, ActivityState.IDLE, draft=draft, accepts_text=not draft)


def _clears(house: House) -> None:
    house.agent.pressed = lambda _session, what: _waits(house) if what == CLEAR else None


async def _sends(house: House, text: str = "go on") -> None:
    await send(house.ring.core, house.session, text, by=OWNER)
    await house.ring.settle()


@pytest.mark.parametrize("draft", ["Do 1.", "go\n  on"])
async def test_text_of_ours_in_the_prompt_is_taken_away(house: House, draft: str) -> None:
    """An agent that is interrupted early puts the task or the message back."""
    _clears(house)
    house.place.files["/session/prompt.md"] = b"# Issue 1\n\nDo 1.\n"
    _waits(house, draft)
    await house.ring.look(house.session)
    await _sends(house)
    assert house.sent == [CLEAR, Text(text="go on")]


@pytest.mark.parametrize("draft", ["a person's own words", PASTED, "(blank)"])
async def test_a_strangers_draft_is_waited_for(house: House, draft: str) -> None:
    _clears(house)
    _waits(house, draft)
    await house.ring.look(house.session)
    await _sends(house)
    assert (house.sent, house.ring.session(house.session).messages[-1].stage.value) == ([], "received")
    _waits(house)
    await house.ring.later(30)
    assert house.sent == [Text(text="go on")]


@pytest.mark.parametrize(
    ("draft", "pressed"),
    [("go on", True), ("go", True), (PASTED, True), ("", True), ("something else", False)],
)
async def test_enter_is_pressed_behind_text_of_ours_only(house: House, draft: str, pressed: bool) -> None:
    _waits(house)
    await house.ring.look(house.session)
    house.agent.deaf = True
    await _sends(house)
    _waits(house, draft)
    await house.ring.later(TYPED_WAIT + 1, step=1)
    assert (YES in house.sent) is pressed


async def test_an_interrupt_takes_its_own_text_away(house: House) -> None:
    def hears(_session: SessionId, what: Text | Keys) -> None:
        _waits(house, "Do 1." if what == Keys(keys=("Escape",)) else "")

    house.agent.pressed = hears
    house.place.files["/session/prompt.md"] = b"Do 1.\n"
    house.goes_on()
    await house.ring.look(house.session)
    said = await asyncio.wait_for(interrupt(house.ring.core, house.session, by=OWNER), 10)
    assert said == "the agent stopped and waits at its prompt"
    assert house.sent == [Keys(keys=("Escape",)), CLEAR]
