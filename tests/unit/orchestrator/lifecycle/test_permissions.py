"""Dialogs that rules answer in a person's place, and calls that an agent's hook asks about."""

from __future__ import annotations

import asyncio
import json

import pytest

from orchestrator.domain.activity import ActivityState, Dialog, ToolCall, Verdict
from orchestrator.domain.event import Level
from orchestrator.domain.ids import SessionId
from orchestrator.domain.person import OWNER, ActorKind
from orchestrator.domain.policy import PERMISSION_OPTIONS, KeptRule, Policy, parse
from orchestrator.errors import BadInput
from orchestrator.ports.runtime import Keys
from orchestrator.services import kill
from orchestrator.services import rules as ruling
from orchestrator.services.answer import answer
from orchestrator.testing.ring import Ring
from orchestrator.testing.waiting import eventually

TRUST = Dialog(id="trust:1", text="Do you trust this folder?", options=("Yes", "No, exit"), remember=True)


def policy(verdict: Verdict, *rules: str) -> Policy:
    parsed = tuple(parse(verdict, rule) for rule in rules)
    return Policy(
        allow=parsed if verdict is Verdict.ALLOW else (),
        ask=parsed if verdict is Verdict.ASK else (),
        deny=parsed if verdict is Verdict.DENY else (),
    )


async def waiting(ring: Ring, command: str = "git status", issue: str = "1") -> SessionId:
    one = await ring.spawn(issue)
    ring.agent.asks_leave(one, command)
    await ring.look(one)
    return one


def keys_of(ring: Ring, session: SessionId) -> list[str]:
    sent = ring.runtime.terminals[session].sent
    return [key for one in sent if isinstance(one, Keys) for key in one.keys]


async def test_call_that_no_rule_speaks_of_is_asked_of_people(ring: Ring) -> None:
    one = await waiting(ring)
    question = ring.session(one).question
    assert question is not None
    assert question.call == ToolCall(tool="Bash", argument="git status", shell=True)  # noqa: S604 - a description
    assert ring.status(one) == "waiting_input"
    assert "question.asked" in await ring.told(one)


async def test_allowed_call_goes_on_without_anybody_being_woken(ring: Ring) -> None:
    ring.rules(policy=policy(Verdict.ALLOW, "Bash(git *)"))
    one = await waiting(ring)
    assert keys_of(ring, one) == ["1"]
    (given,) = ring.session(one).questions
    assert given.answered_by is not None
    assert (given.answered_by.kind, given.answered_by.name) == (ActorKind.RULE, "allow Bash(git *)")
    events = {event.type: event for event in await ring.events(one)}
    told = events["policy.allowed"]
    assert (told.level, told.data["tool"], told.data["argument"], told.data["rule"]) == (
        Level.INFO,
        "Bash",
        "git status",
        "allow Bash(git *)",
    )
    unheard = {"question.asked", "question.answered", "question.delivered", "session.waiting_input"}
    assert unheard.isdisjoint(events)


async def test_the_agents_own_ao_asks_nobody_for_leave(ring: Ring) -> None:
    one = await waiting(ring, "ao ask --plan-file - <<'PLAN'\nI greet.\nPLAN")
    assert keys_of(ring, one) == ["1"]
    assert "question.asked" not in await ring.told(one)


async def test_a_relative_path_is_denied_below_the_sessions_workspace(ring: Ring) -> None:
    ring.rules(policy=policy(Verdict.DENY, "Write(secret/*)"))
    one = await ring.spawn()
    call = ToolCall(tool="Write", argument=f"{ring.session(one).workspace}/secret/a.txt")
    dialog = Dialog(id="w:1", text="?", options=PERMISSION_OPTIONS, call=call)
    ring.agent.says(one, ActivityState.PERMISSION, dialog=dialog)
    await ring.look(one)
    assert ring.session(one).question is None
    assert "deny Write(secret/*)" in ring.session(one).questions[0].answer


async def test_denied_call_is_answered_with_the_rule_as_the_reason(ring: Ring) -> None:
    ring.rules(policy=policy(Verdict.DENY, "Bash(git push*)"))
    one = await waiting(ring, "cd x && git push TOKEN=abcdefgh12345")
    assert keys_of(ring, one) == ["3"]
    assert "deny Bash(git push*)" in ring.session(one).questions[0].answer
    told = next(event for event in await ring.events(one) if event.type == "policy.denied")
    assert "abcdefgh12345" not in f"{told.text} {told.data}"
    assert "question.asked" not in await ring.told(one)


async def test_rule_that_asks_leaves_it_to_people_whatever_else_is_allowed(ring: Ring) -> None:
    ring.rules(policy=Policy(allow=(parse(Verdict.ALLOW, "Bash"),), ask=(parse(Verdict.ASK, "Bash(git *)"),)))
    one = await waiting(ring)
    assert ring.session(one).question is not None


async def test_dialog_with_other_options_is_left_to_people(ring: Ring) -> None:
    ring.rules(policy=policy(Verdict.ALLOW, "Bash"))
    one = await ring.spawn()
    call = ToolCall(tool="Bash", argument="ls")
    ring.agent.says(
        one, ActivityState.PERMISSION, dialog=Dialog(id="d:1", text="?", options=("Go",), call=call)
    )
    await ring.look(one)
    assert ring.session(one).question is not None


async def test_call_that_waits_already_is_answered_once_there_is_a_rule(ring: Ring) -> None:
    one = await waiting(ring)
    ring.rules(policy=policy(Verdict.ALLOW, "Bash(git *)"))
    await ring.later(20)
    assert ring.session(one).question is None
    assert keys_of(ring, one) == ["1"]


async def test_same_call_elsewhere_is_answered_by_what_was_allowed_always(ring: Ring) -> None:
    one, two = await waiting(ring, issue="1"), await waiting(ring, issue="2")
    other = await waiting(ring, "git push", issue="3")
    await answer(ring.core, one, "allow always", by=OWNER)
    await ring.settle()
    assert [ring.session(s).question is None for s in (one, two, other)] == [True, True, False]
    assert keys_of(ring, two) == ["1"]
    three = await waiting(ring, issue="4")
    assert ring.session(three).question is None


async def test_what_is_allowed_in_a_session_holds_there_and_ends_with_it(ring: Ring) -> None:
    one, two = await waiting(ring, issue="1"), await waiting(ring, issue="2")
    await answer(ring.core, one, "allow always in this session", by=OWNER)
    await ring.settle()
    assert ring.session(two).question is not None
    ring.agent.says(one, ActivityState.BUSY)
    await ring.look(one)
    ring.agent.asks_leave(one, "git status")
    await ring.look(one)
    assert ring.session(one).question is None
    assert [kept.scope for kept in ring.core.store.policy.rules] == [f"session:{one}"]
    await kill.kill(ring.core, one, by=OWNER)
    await ring.settle()
    assert list(ring.core.store.policy.rules) == []


async def test_rule_that_was_taken_back_holds_no_more(ring: Ring) -> None:
    one = await waiting(ring)
    await answer(ring.core, one, "2", by=OWNER)
    (kept,) = ring.core.store.policy.rules
    await ruling.revoke(ring.core, kept.id, by=OWNER)
    two = await waiting(ring, issue="2")
    assert ring.session(two).question is not None


async def test_what_was_allowed_always_outlives_a_crash(ring: Ring) -> None:
    one = await waiting(ring)
    await answer(ring.core, one, "allow always", by=OWNER)
    again = await ring.crash()
    two = await waiting(again, issue="2")
    assert again.session(two).question is None


async def test_folder_is_trusted_once_for_a_project(ring: Ring) -> None:
    one, two = await ring.spawn("1"), await ring.spawn("2")
    for session, name in ((one, "trust:1"), (two, "trust:2")):
        dialog = Dialog(id=name, text=TRUST.text, options=TRUST.options, remember=True)
        ring.agent.says(session, ActivityState.ASKING, dialog=dialog)
    await ring.look()
    assert ring.session(two).question is not None
    await answer(ring.core, one, "1", by=OWNER)
    await ring.settle()
    assert ring.session(two).question is None
    assert keys_of(ring, one) == keys_of(ring, two) == ["1"]
    asked = (await ring.told()).count("question.asked")
    three = await ring.spawn("3")
    ring.agent.says(three, ActivityState.ASKING, dialog=TRUST)
    await ring.look(three)
    assert (keys_of(ring, three), (await ring.told()).count("question.asked")) == (["1"], asked)
    (given,) = ring.session(three).questions
    assert str(given.answered_by) == "owner's earlier answer"


# The hook before each tool -------------------------------------------------------------------------


def payload(argument: str, **more: object) -> str:
    return json.dumps({"tool": "Bash", "argument": argument, "shell": True, **more})


async def permit(ring: Ring, session: SessionId, *args: str) -> str:
    request = ring.ask(session, "permit", *args)
    await ring.settle()
    return ring.answer(session, request)


RULES = Policy(
    allow=(parse(Verdict.ALLOW, "Bash(git *)"),),
    ask=(parse(Verdict.ASK, "Bash(git push*)"),),
    deny=(parse(Verdict.DENY, "Bash(rm *)"),),
)


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("git status", "0\nallow: "),
        ("git push", "0\nask: "),
        ("git status; rm -rf /", "0\ndeny: "),
        ("ls", "0\n"),
    ],
)
async def test_hook_is_told_what_the_rules_say(ring: Ring, command: str, said: str) -> None:
    ring.rules(policy=RULES)
    one = await ring.spawn()
    found = await permit(ring, one, payload(command))
    assert found.startswith(said)
    assert found == "0\n" or "Bash(" in found
    assert ring.session(one).outcomes == ()


@pytest.mark.parametrize("args", [("{",), (), ("a", "b"), ("x" * (1024 * 1024),)])
async def test_call_that_cannot_be_read_is_denied_where_there_are_rules(
    ring: Ring, args: tuple[str, ...]
) -> None:
    one = await ring.spawn()
    assert await permit(ring, one, *args) == "0\n"
    ring.rules(policy=RULES)
    assert "deny: " in await permit(ring, one, *args)
    assert "could not be read" in await permit(ring, one, *args)


async def test_large_call_is_judged(ring: Ring) -> None:
    ring.rules(policy=RULES)
    one = await ring.spawn()
    assert "deny: " in await permit(ring, one, payload("rm x" + "y" * 900_000))


async def test_denied_call_is_told_once_in_a_row(ring: Ring) -> None:
    ring.rules(policy=RULES)
    one = await ring.spawn()
    for command in ("rm a", "rm a", "rm b", "rm a"):
        await permit(ring, one, payload(command))
    told = [event for event in await ring.events(one) if event.type == "policy.denied"]
    assert [event.data["argument"] for event in told] == ["rm a", "rm b", "rm a"]


async def test_agent_is_started_with_the_tools_that_are_judged(ring: Ring) -> None:
    ring.rules(policy=Policy(deny=(parse(Verdict.DENY, "*(x)"),), ask=(parse(Verdict.ASK, "Edit"),)))
    one = await ring.spawn()
    assert ring.agent.tasks[one].judged == {"*", "Edit"}


async def test_hook_is_answered_without_waiting_for_a_round(ring: Ring) -> None:
    ring.rules(policy=RULES)
    one = await ring.spawn()
    request = ring.ask(one, "permit", payload("rm x"))
    ring.rounds.hear(one)
    await ring.beside()
    assert "deny: " in ring.answer(one, request)


async def test_hook_is_answered_while_another_request_of_the_session_takes_long(ring: Ring) -> None:
    ring.rules(policy=RULES)
    one = await ring.spawn()
    await ring.workspace.commit(one, "a.py", "1")

    async def looks() -> int:
        return ring.workspace.calls.count("observe")

    before = await looks()
    gate = ring.workspace.gates["observe"] = asyncio.Event()
    slow = ring.ask(one, "pr", "create")
    ring.rounds.hear(one)
    await eventually(looks, lambda n: n > before)
    quick = ring.ask(one, "permit", payload("rm x"))
    ring.rounds.hear(one)

    async def answered() -> str:
        return ring.answer(one, quick)

    assert "deny: " in await eventually(answered, bool)
    assert ring.answer(one, slow) == ""
    gate.set()
    await ring.settle()
    assert ring.answer(one, slow).startswith("0\n#1")


async def test_nobody_is_heard_who_is_not_live(ring: Ring) -> None:
    ring.rounds.hear(SessionId("demo-99"))
    await ring.settle()


# What is kept --------------------------------------------------------------------------------------


async def test_kept_rules_are_bounded_and_what_is_no_rule_gives_no_right(ring: Ring) -> None:
    kept = ring.core.store.policy
    rule = KeptRule(id="r1", scope="project:demo", rule="Bash(ls)", by="ada", at=1.0)
    await ring.core.store.fleet.set(
        "policy",
        [
            {"id": f"r{n}", "scope": "project:demo", "rule": "Bash(ls)", "by": "a", "at": 0.0}
            for n in range(1000)
        ],
    )
    kept.open()
    with pytest.raises(BadInput, match="kept already"):
        await kept.add(KeptRule(id="new", scope="project:demo", rule="Bash(x)", by="a", at=0.0))
    row = {"id": "r1", "scope": "project:demo", "rule": "Bash(ls)", "by": "ada", "at": 1.0}
    await ring.core.store.fleet.set("policy", [row, {**row, "rule": "Bash("}, {"id": "x"}, "x"])
    kept.open()
    assert kept.rules == (rule,)
