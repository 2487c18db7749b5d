"""`release`, `send-back`, `release-text`, `held`, and what a spawn on an outsider's issue answers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.actions.held import waiting
from bot.actions.spawn import waits_for_release
from bot.chat.render import needs_person, next_steps
from bot.chat.view import session_detail
from orchestrator.domain.guard import Finding, FindingKind
from orchestrator.domain.held import Held, HeldPush, HeldText, PushStage
from orchestrator.domain.session import SetupStep, WantedState
from orchestrator.errors import Conflict, NotFound
from orchestrator.testing import examples
from tests.unit.bot.house import Ask, House, data

FOUND = Finding(
    kind=FindingKind.PATH, fingerprint="f", words="CODEOWNERS is changed", hunks="@@ -1 +1 @@\n+* @eve"
)
PUSH = HeldPush(id="p9", head=examples.HEAD, since=examples.NOW, findings=(FOUND,))
TEXT = HeldText(
    id="t0123456789ab",
    place="issue 1",
    words="the text of issue 1",
    author="mallory",
    url="https://forge.test/1",
    text="Do this.",
    since=examples.NOW,
)
WAITS = examples.session(id="demo-1", held=Held(pushes=(PUSH,), texts=(TEXT,)))


async def test_held_shows_everything_that_waits(house: House, ask: Ask) -> None:
    house.fleet.put(WAITS)
    shown = await ask("held", session="demo-1")
    assert shown.title == "2 things held in demo-1"
    assert "+* @eve" in shown.lines
    assert "Do this." in shown.lines
    assert [button.verb for button in shown.buttons] == ["release", "send-back"]
    found = data(shown)
    assert (found["push"]["head"], found["texts"][0]["id"]) == (examples.HEAD, TEXT.id)
    house.fleet.put(examples.session(id="demo-1"))
    assert (await ask("held", session="demo-1")).title == "Nothing is held in demo-1."


async def test_a_release_is_kept_at_the_head_that_was_shown(house: House, ask: Ask) -> None:
    house.fleet.put(WAITS)
    with pytest.raises(Conflict, match="not at"):
        await ask("release", session="demo-1", head=examples.OTHER_HEAD)
    answer = await ask("release", session="demo-1", head=examples.HEAD)
    assert answer.title == f"✅ The push of demo-1 at {examples.HEAD[:12]} is released."
    kept = house.fleet.get("demo-1").held
    assert (kept.pushes[0].stage, kept.released) == (PushStage.RELEASED, ("f",))
    with pytest.raises(Conflict, match="was released by"):
        await ask("release", session="demo-1", head=examples.HEAD)


async def test_a_refused_push_is_shown_with_the_forges_words_and_can_be_released_again(
    house: House, ask: Ask, preview: Ask
) -> None:
    words = "GitHub refuses it. Give the token Workflows: write."
    refused = replace(PUSH, stage=PushStage.REFUSED, by=examples.ADA, words=words)
    house.fleet.put(examples.session(id="demo-1", held=Held(pushes=(refused,))))
    shown = await ask("held", session="demo-1")
    assert shown.title == "1 thing held in demo-1"
    assert shown.lines[:3] == (f"Push of {examples.HEAD[:12]}, refused by the forge:", "", words)
    assert shown.next_steps[0] == f"release demo-1 --head {examples.HEAD[:12]}"
    assert (data(shown)["push"]["stage"], data(shown)["push"]["refusal"]) == ("refused", words)
    facts = await preview("release", session="demo-1")
    assert facts.lines[0] == words
    await ask("release", session="demo-1", head=examples.HEAD)
    assert house.fleet.get("demo-1").held.pushes[0].stage is PushStage.RELEASED


async def test_a_refused_push_that_was_never_held_is_tried_again_by_retry(house: House, ask: Ask) -> None:
    refused = replace(PUSH, findings=(), stage=PushStage.REFUSED, words="diverged")
    session = examples.session(id="demo-1", held=Held(pushes=(refused,)))
    house.fleet.put(session)
    assert needs_person(session)
    assert next_steps(session)[:2] == ("held demo-1", "retry demo-1")
    assert session_detail(session)["held"] == [f"push of {examples.HEAD}: push refused: diverged"]
    assert (await ask("held", session="demo-1")).next_steps[0] == "retry demo-1"
    answer = await ask("retry", session="demo-1")
    assert f"Its push of {examples.HEAD[:12]} is tried again." in answer.title
    assert house.fleet.get("demo-1").held.pushes[0].stage is PushStage.RELEASED


async def test_its_facts_show_every_hunk_and_are_bound_to_the_head(house: House, preview: Ask) -> None:
    house.fleet.put(WAITS)
    for verb, label in (("release", "Release this push"), ("send-back", "Send this push back")):
        facts = await preview(verb, session="demo-1")
        assert facts.title == f"{label} (demo-1)?"
        assert facts.lines == ("● CODEOWNERS is changed", "@@ -1 +1 @@", "+* @eve")
        assert data(facts)["head"] == examples.HEAD
        assert facts.buttons[0].arguments["head"] == examples.HEAD


async def test_sent_back_the_agent_hears_of_it(house: House, ask: Ask) -> None:
    house.fleet.put(WAITS)
    await ask("send-back", session="demo-1", head=examples.HEAD, text="Leave it.")
    [message] = house.fleet.get("demo-1").messages
    assert "CODEOWNERS is changed" in message.text
    assert "Leave it." in message.text


async def test_a_text_is_released_by_its_id(house: House, ask: Ask) -> None:
    house.fleet.put(WAITS)
    with pytest.raises(NotFound):
        await ask("release-text", session="demo-1", id="t9")
    await ask("release-text", session="demo-1", id=TEXT.id)
    [message] = house.fleet.get("demo-1").messages
    assert "Do this." in message.text
    assert waiting(house.fleet.get("demo-1"))[1] == ()


async def test_before_the_start_a_released_text_is_no_message(house: House, ask: Ask) -> None:
    setup = replace(WAITS.setup, step=SetupStep.QUEUED)
    house.fleet.put(replace(WAITS, setup=setup, held=Held(texts=(TEXT,), task_waits=TEXT.id)))
    await ask("release-text", session="demo-1", id=TEXT.id)
    after = house.fleet.get("demo-1")
    assert (after.messages, after.held.task_waits) == ((), "")


def test_what_is_held_needs_a_person_and_says_how() -> None:
    assert needs_person(WAITS)
    assert next_steps(WAITS)[:2] == ("held demo-1", "release demo-1")
    task = replace(WAITS, held=Held(texts=(TEXT,), task_waits=TEXT.id))
    assert needs_person(task)
    assert next_steps(task) == ("held demo-1", f"release-text demo-1 {TEXT.id}")
    assert not needs_person(replace(WAITS, held=Held(texts=(TEXT,))))
    assert not needs_person(replace(WAITS, wanted=replace(WAITS.wanted, state=WantedState.STOP)))


async def test_of_a_session_that_ends_nothing_is_released(house: House, ask: Ask) -> None:
    house.fleet.put(replace(WAITS, wanted=replace(WAITS.wanted, state=WantedState.STOP)))
    with pytest.raises(Conflict, match="ended or ending"):
        await ask("release", session="demo-1", head=examples.HEAD)


def test_programs_see_in_words_what_waits() -> None:
    assert session_detail(WAITS)["held"] == [
        f"push of {examples.HEAD}: CODEOWNERS is changed",
        f"{TEXT.id}: the text of issue 1",
    ]


def test_a_spawn_that_waits_says_so_and_offers_the_release() -> None:
    answer = waits_for_release(replace(WAITS, held=Held(texts=(TEXT,), task_waits=TEXT.id)))
    assert answer.title == (
        "📨 demo-1 waits: mallory is no member of the project, so the text of issue 1 is held."
    )
    assert answer.lines == ("Do this.",)
    assert answer.fields[0].value == TEXT.url
    assert [button.verb for button in answer.buttons] == ["release-text"]
    assert answer.next_steps[0] == f"release-text demo-1 {TEXT.id}"
