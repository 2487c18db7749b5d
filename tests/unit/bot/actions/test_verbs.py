"""What the verbs answer, over real services and sessions that stand still."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.actions.action import Context
from bot.actions.approve import already_approved
from bot.actions.issues import next_steps as next_of_issues
from bot.actions.issues import title as issues_title
from bot.actions.spawn import task_of
from bot.chat.request import Request, Surface
from orchestrator.domain.activity import ActivityState
from orchestrator.domain.event import Event, Level
from orchestrator.domain.ids import ProjectId, SessionId
from orchestrator.domain.issue import Issue, IssueState
from orchestrator.domain.person import OWNER
from orchestrator.domain.pull_request import PullRequestState
from orchestrator.domain.session import (
    Approval,
    Intent,
    Question,
    RuntimeFact,
    RuntimeState,
    WantedState,
)
from orchestrator.domain.when import clock
from orchestrator.errors import BadInput, Conflict, NotFound
from orchestrator.services.ended import MOST
from orchestrator.testing import examples
from tests.unit.bot.house import Ask, House, data, rows

ASKED = Request(id="r1", who=OWNER, surface=Surface.SHELL, verb="status", at=0.0)
WITH_PR = examples.session(id="demo-1", changes=(examples.change(examples.pull_request()),))


async def test_status_of_nothing_says_how_to_begin(ask: Ask) -> None:
    message = await ask("status")
    assert (message.title, message.next_steps) == ("0 sessions", ("spawn <project> <issue>",))


async def test_status_says_how_many_old_ones_it_does_not_list(house: House, ask: Ask) -> None:
    store = house.core.store
    for number in range(1, MOST + 3):
        session = examples.session(id=f"demo-{number}")
        await store.documents.write(session)
        await store.documents.move_to_ended(session.project, session.id)
    message = await ask("status", all=True)
    assert message.title == f"{MOST} sessions"
    assert message.lines == ("2 older ended sessions not listed; each is shown by its id.",)
    assert data(message)["left_out"] == 2
    assert "left_out" not in data(await ask("status"))


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


@pytest.mark.parametrize(
    ("local", "published", "unpushed"),
    [
        (examples.HEAD, "", False),  # nothing was committed since it began
        (examples.OTHER_HEAD, "", True),
        (examples.OTHER_HEAD, examples.OTHER_HEAD, False),
        (examples.THIRD_HEAD, examples.OTHER_HEAD, True),
        ("", "", False),
    ],
)
async def test_kill_speaks_of_commits_only_where_there_are_some(
    house: House, preview: Ask, local: str, published: str, unpushed: bool
) -> None:
    house.fleet.put(examples.session(base_sha=examples.HEAD, local_head=local, published=published))
    labels = {field.label: field.value for field in (await preview("kill", session="1")).fields}
    assert ("not pushed" in labels["work"]) is unpushed


async def test_what_blocks_a_merge_is_said_before_the_question(house: House, preview: Ask) -> None:
    house.fleet.put(WITH_PR)
    with pytest.raises(Conflict, match="0 of 1 approvals") as refused:
        await preview("merge", session="demo-1")
    assert "`ao approve demo-1`" in refused.value.next_step
    house.fleet.put(replace(WITH_PR, changes=(examples.change(approvals=(examples.approval(),)),)))
    assert (await preview("merge", session="demo-1", head=examples.HEAD[:7])).buttons
    house.fleet.put(replace(house.fleet.get("demo-1"), hold=OWNER))
    with pytest.raises(Conflict, match="holds it") as refused:
        await preview("merge", session="demo-1")
    assert "`ao unhold demo-1`" in refused.value.next_step


async def test_an_outdated_head_is_refused_before_the_question(house: House, preview: Ask) -> None:
    house.fleet.put(WITH_PR)
    with pytest.raises(Conflict, match="now, not at"):
        await preview("approve", session="demo-1", head=examples.OTHER_HEAD[:12])
    merged = examples.pull_request(state=PullRequestState.MERGED)
    house.fleet.put(replace(WITH_PR, changes=(examples.change(merged),)))
    with pytest.raises(Conflict, match="merged already"):
        await preview("approve", session="demo-1")


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
    with pytest.raises(Conflict, match="asks nothing now: it is working"):
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


async def test_retry_sends_what_waits(house: House, ask: Ask) -> None:
    idle = replace(examples.session().work, activity=examples.activity(ActivityState.IDLE))
    house.fleet.put(examples.session(id="demo-1", work=idle))
    message = await ask("retry", session="demo-1", send=True)
    assert message.title == "🔁 demo-1 has all its attempts again. Its agent is told what waited."
    assert [m.by for m in house.fleet.get("demo-1").messages] == ["reaction agent-idle"]


async def test_hold_says_when_a_merge_may_have_come_through(house: House, ask: Ask) -> None:
    begun = Intent(key="merge", at=0.0, data={"head": examples.HEAD, "by": "bo", "begun": "yes"})
    house.fleet.put(replace(WITH_PR, intents=(begun,)))
    assert "whether it came through is looked up" in (await ask("hold", session="demo-1")).title
    house.fleet.put(replace(WITH_PR, id=SessionId("demo-2")))
    assert (await ask("hold", session="demo-2")).title == "🛑 Nobody merges demo-2 until it is unheld."


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
    with pytest.raises(BadInput, match="1 at least"):
        await ask("events", limit=0)


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


async def test_cleanup_asks_only_where_a_pull_request_is_open(house: House, preview: Ask) -> None:
    merged = examples.pull_request(state=PullRequestState.MERGED)
    house.fleet.put(examples.session(id="demo-1", changes=(examples.change(merged),)))
    assert not (await preview("cleanup")).buttons
    gone = RuntimeFact(state=RuntimeState.MISSING, at=0.0, reason="no such terminal")
    house.fleet.put(replace(WITH_PR, id=SessionId("demo-2"), runtime=gone))
    shown = await preview("cleanup")
    assert shown.buttons
    assert [field.label for field in shown.fields] == ["demo-1", "demo-2"]
    assert not (await preview("cleanup", **{"dry-run": True})).buttons


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


async def test_a_batch_names_an_unknown_project_once(ask: Ask) -> None:
    with pytest.raises(NotFound, match="demoo"):
        await ask("batch-spawn", project="demoo", issues=("1", "2"))


async def test_a_batch_of_which_something_does_not_start_has_failed(ask: Ask) -> None:
    message = await ask("batch-spawn", project="demo", issues=("1", "2"))
    assert message.title == "None of 2 sessions starts."
    assert data(message)["failed"] is True


async def test_issues_say_what_was_searched_for() -> None:
    assert issues_title("demo", 0, "nope") == "No open issue of demo has 'nope' in it."
    assert issues_title("demo", 1, "") == "1 open issue of demo"
    assert issues_title("demo", 2, "a b") == "2 open issues of demo with 'a b' in them"


def test_the_issue_that_is_offered_is_one_that_nobody_works_on() -> None:
    taken = Issue(ref="1", title="a", url="", state=IssueState.IN_PROGRESS)
    free = Issue(ref="2", title="b", url="", state=IssueState.OPEN)
    assert next_of_issues("demo", (taken, free), "") == ("spawn demo 2",)
    assert next_of_issues("demo", (taken,), "") == ("status",)


async def test_an_unknown_project_of_issues_is_named(ask: Ask) -> None:
    with pytest.raises(NotFound, match="demoo"):
        await ask("issues", project="demoo")


async def test_a_spawn_in_words_only_where_it_is_clear(house: House) -> None:
    context = Context(bench=house.actions._bench, fleet=house.core, now=0.0)
    request = replace(ASKED, verb="spawn", project="demo", arguments={"project": "fix", "issue": "it"})
    assert task_of(context, request) == ("demo", "", "fix it")


async def test_a_configuration_that_is_not_trusted_or_empty_is_not_called_right(
    ask: Ask, tmp_path: Path
) -> None:
    file = tmp_path / "other.yaml"
    file.write_text("projects: {}\n")
    empty = await ask("config check", file=str(file))
    assert "right" not in empty.title
    assert empty.next_steps == ("project add <path>",)
    file.write_text(f"projects: {{app: {{path: {tmp_path}, postCreate: [make install]}}}}\n")
    message = await ask("config check", file=str(file))
    assert "right" not in message.title
    assert any(line.startswith("not trusted yet:") and "make install" in line for line in message.lines)
    assert message.next_steps == ("trust",)
    assert not data(message)["failed"]


async def test_a_configuration_that_was_asked_for_is_the_one_that_is_named(ask: Ask, tmp_path: Path) -> None:
    message = await ask("config check", file=str(tmp_path / "absent.yaml"))
    assert str(tmp_path / "absent.yaml") in message.lines[0]
    assert message.next_steps == ()


async def test_trust_shows_what_it_would_allow(preview: Ask) -> None:
    assert (await preview("trust")).title.startswith("Trust ")


async def test_a_message_that_waits_says_for_what_and_is_seen_in_the_status(house: House, ask: Ask) -> None:
    house.fleet.put(examples.session(id="demo-1"))
    sent = await ask("send", session="demo-1", text="use the\nother module")
    assert "waits (the agent is busy)" in sent.title
    assert sent.next_steps == ("status demo-1",)
    card = await ask("status", session="demo-1")
    labels = {field.label: field.value for field in card.fields}
    assert labels["message 1"] == "waits (the agent is busy): use the other module"
    await ask("pause", session="demo-1")
    card = await ask("status", session="demo-1")
    assert any("the session is paused" in field.value for field in card.fields)


async def test_send_needs_a_session(ask: Ask) -> None:
    with pytest.raises(BadInput, match="needs a session"):
        await ask("send", text="hello")


async def test_second_click_says_that_it_was_so_and_since_when(house: House, ask: Ask) -> None:
    for verb, inverse, never in (("hold", "unhold", "is not held"), ("pause", "unpause", "is not paused")):
        house.fleet.put(WITH_PR)
        assert never in (await ask(inverse, session="demo-1")).title
        first = (await ask(verb, session="demo-1")).title
        second = (await ask(verb, session="demo-1")).title
        assert first != second
        assert "already, by owner since" in second
        assert never not in (await ask(inverse, session="demo-1")).title
    given = examples.change(approvals=(Approval(by=OWNER, head=examples.HEAD, at=examples.NOW),))
    words = f"approved already, by owner at {clock(examples.NOW)}"
    assert words in already_approved(examples.session(changes=(given,)), examples.HEAD[:9], OWNER)
    assert already_approved(examples.session(changes=(given,)), examples.OTHER_HEAD, OWNER) == ""


async def test_brake_is_seen_in_the_status_and_its_release_is_named(house: House, ask: Ask) -> None:
    house.fleet.put(WITH_PR)
    assert (await ask("pause", all=True)).next_steps == ("unpause --all",)
    shown = await ask("status")
    assert "The brake is on, by owner since" in shown.lines[0]
    assert shown.next_steps == ("unpause --all",)
    assert "goes on: demo-1" in (await ask("unpause", all=True)).title
    assert (await ask("status")).lines == ()
