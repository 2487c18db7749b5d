"""What the verbs answer, over real services and sessions that stand still."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.actions.action import Context
from bot.actions.spawn import task_of
from bot.chat.message import Message
from bot.chat.request import Request, Surface
from orchestrator.domain.event import Event, Level
from orchestrator.domain.ids import ProjectId, SessionId
from orchestrator.domain.person import OWNER
from orchestrator.domain.pull_request import PullRequestState
from orchestrator.domain.session import Question, WantedState
from orchestrator.errors import BadInput, Conflict, NotFound
from orchestrator.testing import examples
from tests.unit.bot.house import Ask, House, data, rows

ASKED = Request(id="r1", who=OWNER, surface=Surface.SHELL, verb="status", at=0.0)
WITH_PR = examples.session(id="demo-1", changes=(examples.change(examples.pull_request()),))


@pytest.fixture
def ask(house: House) -> Ask:
    async def run(verb: str, /, **arguments: Any) -> Message:
        return await house.actions.run(replace(ASKED, verb=verb, arguments=arguments))

    return run


@pytest.fixture
def preview(house: House) -> Ask:
    async def run(verb: str, /, **arguments: Any) -> Message:
        return await house.actions.preview(replace(ASKED, verb=verb, arguments=arguments))

    return run


async def test_status_of_nothing_says_how_to_begin(ask: Ask) -> None:
    message = await ask("status")
    assert (message.title, message.next_steps) == ("0 sessions", ("spawn <project> <issue>",))


async def test_status_counts_whom_it_waits_for(house: House, ask: Ask) -> None:
    asks = Question(id="q1", text="Which?", asked_at=0.0)
    house.fleet.put(examples.session(id="demo-1"))
    message = await ask("status", project="DEMO")
    assert rows(message)[0][0] == "demo-1"
    house.fleet.put(examples.session(id="demo-1", questions=(asks,)))
    assert "Asks: Which?" in (await ask("status", session="demo-1")).lines


async def test_kill_previews_what_would_end(house: House, preview: Ask) -> None:
    house.fleet.put(replace(WITH_PR, dirty=3))
    shown = await preview("kill", session="1")
    assert any("3 uncommitted" in field.value for field in shown.fields)
    assert shown.buttons[0].arguments == {"session": "demo-1"}
    assert shown.buttons[0].danger


async def test_kill_is_wanted_and_says_how_to_come_back(house: House, ask: Ask) -> None:
    house.fleet.put(WITH_PR)
    message = await ask("kill", session="demo-1")
    assert house.fleet.get("demo-1").wanted.state is WantedState.STOP
    assert "restore demo-1" in message.next_steps


async def test_pause_one_and_all(house: House, ask: Ask) -> None:
    house.fleet.put(examples.session(id="demo-1"))
    house.fleet.put(examples.session(id="demo-2"))
    await ask("pause", session="demo-1")
    assert house.fleet.get("demo-2").wanted.state is WantedState.RUN
    message = await ask("pause", all=True)
    assert house.fleet.get("demo-2").wanted.state is WantedState.PAUSE
    assert "demo-2" in message.title
    await ask("unpause", all=True)
    assert {s.wanted.state for s in house.fleet.live()} == {WantedState.RUN}


async def test_answer_is_bound_to_the_question(house: House, ask: Ask) -> None:
    house.fleet.put(examples.session(id="demo-1", questions=(Question(id="q1", text="?", asked_at=0.0),)))
    message = await ask("answer", session="demo-1", text="yes")
    assert data(message)["question"] == "q1"
    with pytest.raises(NotFound, match="asks nothing"):
        await ask("answer", session="demo-1", text="no")


async def test_approve_shows_facts_then_binds_to_the_head(house: House, preview: Ask) -> None:
    house.fleet.put(WITH_PR)
    shown = await preview("approve", session="demo-1")
    labels = {field.label: field.value for field in shown.fields}
    assert labels["PR"].startswith("#7")
    assert labels["checks"]
    assert shown.buttons[0].arguments["head"] == examples.HEAD


async def test_approve_of_another_head_is_a_conflict(house: House, ask: Ask) -> None:
    house.fleet.put(WITH_PR)
    with pytest.raises(Conflict):
        await ask("approve", session="demo-1", head=examples.OTHER_HEAD)


async def test_without_a_pull_request_there_is_nothing_to_approve(house: House, preview: Ask) -> None:
    house.fleet.put(examples.session(id="demo-1"))
    with pytest.raises(NotFound, match="no pull request"):
        await preview("approve", session="demo-1")


async def test_retry_clears_the_red_heads(house: House, ask: Ask) -> None:
    house.fleet.put(replace(WITH_PR, changes=(replace(WITH_PR.changes[0], red_heads=("a", "b")),)))
    await ask("retry", session="demo-1")
    assert house.fleet.get("demo-1").changes[0].red_heads == ()


async def test_events_are_the_newest_of_the_session(house: House, ask: Ask) -> None:
    house.fleet.put(examples.session(id="demo-1"))
    house.fleet.put(examples.session(id="demo-2"))
    for session in ("demo-1", "demo-2", "demo-2"):
        await ask("hold", session=session)
        await ask("unhold", session=session)
    everything = await ask("events")
    assert data(everything)["after"] == len(everything.lines) == 6
    assert len((await ask("events", session="demo-1")).lines) == 2
    assert len((await ask("events", after=5)).lines) == 1
    assert len((await ask("events", session="demo-2", limit=1)).lines) == 1


async def test_a_quiet_session_is_heard_among_the_many_events_of_others(house: House, ask: Ask) -> None:
    house.fleet.put(examples.session(id="demo-1"))
    await ask("hold", session="demo-1")
    await ask("unhold", session="demo-1")
    noise = [
        Event(
            id=f"demo-2:{n}",
            type="x",
            at=1.0,
            project=ProjectId("demo"),
            session=SessionId("demo-2"),
            text="x",
        )
        for n in range(1, 3001)
    ]
    await house.core.store.log.append(noise)
    assert len((await ask("events", session="demo-1")).lines) == 2
    (newest,) = data(await ask("events", session="demo-1", limit=1))["events"]
    assert newest["seq"] == 2
    assert len((await ask("events", session="demo-1", after=1)).lines) == 1


async def test_cleanup_says_which(house: House, ask: Ask) -> None:
    assert (await ask("cleanup", project="Demo")).title == "Nothing to clean up."
    merged = examples.pull_request(state=PullRequestState.MERGED)
    house.fleet.put(examples.session(id="demo-1", changes=(examples.change(merged),)))
    message = await ask("cleanup", **{"dry-run": True})
    assert rows(message) == (("demo-1", "#7 is merged"),)
    assert house.fleet.get("demo-1").wanted.state is WantedState.RUN


async def test_projects_are_listed(ask: Ask) -> None:
    message = await ask("project ls")
    assert data(message)["projects"][0]["id"] == "demo"


async def test_a_project_is_taken_out_only_after_the_facts(preview: Ask, ask: Ask) -> None:
    assert "demo" in (await preview("project rm", project="Demo")).title
    with pytest.raises(NotFound):
        await preview("project rm", project="other")


async def test_help_knows_every_verb_of_the_surface(ask: Ask) -> None:
    assert any(row[0].startswith("merge") for row in rows(await ask("help")))
    assert (await ask("help", verb="rescue show")).title == "ao rescue show <ref>"


async def test_notify_test_without_notifiers(ask: Ask) -> None:
    message = await ask("notify test")
    assert message.level in {Level.INFO, Level.ACTION}


@pytest.mark.parametrize(
    ("arguments", "task"),
    [
        ({"project": "demo", "issue": "1"}, ("demo", "1", "")),
        ({"project": "1"}, ("demo", "1", "")),
        ({"project": "ENG-4", "issue": "and", "words": "more"}, ("demo", "ENG-4", "and more")),
        ({"project": "Demo", "issue": "fix", "words": "the tests"}, ("demo", "", "fix the tests")),
        ({"project": "demo", "issue": "fix the tests"}, ("demo", "", "fix the tests")),
        ({"project": "demo", "issue": "1", "words": "keep it small"}, ("demo", "1", "keep it small")),
        ({"project": "demo", "issue": "1", "prompt": "small"}, ("demo", "1", "small")),
        ({"project": "demoo", "issue": "1"}, ("demoo", "1", "")),
        ({"prompt": "do it"}, ("demo", "", "do it")),
    ],
)
async def test_a_task_is_an_issue_or_words(house: House, arguments: Any, task: Any) -> None:
    context = Context(bench=house.actions._bench, fleet=house.core, now=0.0)
    assert task_of(context, replace(ASKED, verb="spawn", arguments=arguments)) == task


async def test_an_unknown_project_is_named(ask: Ask) -> None:
    with pytest.raises(NotFound, match="demoo"):
        await ask("spawn", project="demoo", issue="1")


async def test_a_spawn_in_words_only_where_it_is_clear(house: House) -> None:
    context = Context(bench=house.actions._bench, fleet=house.core, now=0.0)
    request = replace(ASKED, verb="spawn", project="demo", arguments={"project": "fix", "issue": "it"})
    assert task_of(context, request) == ("demo", "", "fix it")


async def test_trust_shows_what_it_would_allow(preview: Ask) -> None:
    assert (await preview("trust")).title.startswith("Trust ")


async def test_send_needs_a_session(ask: Ask) -> None:
    with pytest.raises(BadInput, match="needs a session"):
        await ask("send", text="hello")
