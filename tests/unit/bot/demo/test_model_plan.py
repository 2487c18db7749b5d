"""What the stub model plays: reading plans, finding the last human message, choosing the step."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bot.demo.model_answer import Answer, Tried, choose
from bot.demo.model_conversation import Ask, Tool, ToolResult, Turn, find_place
from bot.demo.model_plan import BadPlan, Plan, Step, block_of, plan_of_block
from bot.demo.model_tools import Call, fill

BASH = Tool(
    {
        "properties": {"command": {"type": "string"}, "timeout": {"type": "number"}},
        "required": ["command", "mood"],
    }
)
WRITE = Tool({"properties": {"file_path": {"type": "string"}, "content": {"type": "string"}}})
CLAUDE = {"Bash": BASH, "Write": WRITE}
CODEX = {
    "exec_command": Tool({"properties": {"cmd": {"type": "string"}, "yield_time_ms": {"type": "number"}}})
}
RESULT = ToolResult()


def _user(*parts: str | ToolResult) -> Turn:
    return Turn(of_model=False, parts=parts)


MODEL = Turn(of_model=True)


def _ask(*turns: Turn, tools: dict[str, Tool] | None = None, **more: Any) -> Ask:
    return Ask(api="anthropic", model="m", turns=turns, tools=CLAUDE if tools is None else tools, **more)


def _choose(plan: object, *turns: Turn, tried: Tried | None = None, **more: Any) -> Answer:
    return choose(_ask(*turns, **more), Plan.read(plan), {} if tried is None else tried)


def _after(results: int) -> list[Turn]:
    """A conversation with one human message and so many results."""
    return [_user("go"), *(turn for _ in range(results) for turn in (MODEL, _user(RESULT)))]


def _block(plan: object) -> str:
    return f"```model-plan\n{json.dumps(plan, indent=1)}\n```"


def test_steps_are_played_one_after_the_other() -> None:
    plan = [{"sh": "one", "text_before": "hm"}, {"write": "a.txt", "text": ["x", "y"]}, {"say": "done"}]
    first, second, third = (_choose(plan, *_after(results)) for results in range(3))
    assert (first.text, first.calls) == ("hm", (Call("Bash", {"command": "one", "mood": "stub"}),))
    assert second.calls == (Call("Write", {"file_path": "a.txt", "content": "x\ny"}),)
    assert (third.text, third.calls, third.step) == ("done", (), 2)
    assert _choose(plan[:2], *_after(2)).text == "The plan has no further step."


def test_the_first_rule_that_fits_is_played() -> None:
    plan = {
        "rules": [
            {"when": "tests", "all": ["fail.*ed"], "steps": [{"say": "both"}]},
            {"when": "tests", "steps": [{"say": "one"}]},
        ],
    }
    assert _choose(plan, _user("tests have fail\nand ed")).text == "both"
    assert _choose(plan, _user("tests")).rule == "tests"
    unknown = _choose(plan, _user('hello\n"you"'))
    assert (
        unknown.text
        == 'No rule of this stub model\'s plan fits the message "hello "you"", so nothing was done.'
    )
    assert unknown.rule == "none"
    assert _choose({**plan, "otherwise": [{"say": "else"}]}, _user("x")).text == "else"


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        ("x", "must be an object"),
        ({"rule": []}, "unknown keys: rule"),
        ({"rules": [{"when": "x"}]}, "rule 1 has"),
        ({"rules": [{"when": "(", "steps": []}]}, "no regular expression"),
        ([{"shell": "x"}], "unknown key: shell"),
        ([{"sh": "x", "say": "y"}], "needs one of"),
        ([{"delay": 1}], "needs one of"),
        ([{"sh": 1}], "does not fit sh"),
        ([{"say": ["x", 1]}], "does not fit say"),
        ([{"status": 200}], "does not fit status"),
        ([{"status": True}], "does not fit status"),
        ([{"say": "x", "usage": [1]}], "does not fit usage"),
        ([{"calls": [{"say": "x"}]}], "must be one of sh, read, write"),
        (["x"], "step 1 of the plan must be an object"),
    ],
)
def test_a_bad_plan_is_named(plan: object, words: str) -> None:
    with pytest.raises(BadPlan, match=words):
        Plan.read(plan)


def test_a_plan_that_is_no_json_is_named() -> None:
    with pytest.raises(BadPlan, match="no JSON"):
        Plan.parse("{")


def test_a_message_brings_its_own_plan() -> None:
    own = 'Do it.\nSTUB-PLAN: [{"say": "mine [1]"}]\nThanks [2]'
    assert _choose([{"say": "the server's"}], _user(own)).text == "mine [1]"
    assert _choose([{"say": "the server's"}], _user(own), MODEL, _user("go")).text == "the server's"
    assert "cannot read its plan: STUB-PLAN is no JSON" in _choose([], _user("STUB-PLAN: [x]")).text


def test_a_block_in_the_first_message_rules_the_whole_conversation() -> None:
    block = _block(
        {
            "rules": [
                {"when": "checks", "steps": [{"say": "mended"}]},
                {"when": "^Task", "steps": [{"say": "ok"}]},
            ]
        }
    )
    task = _user(f"Task 1\n\n{block}\n\nPlease.")
    server = [{"say": "the server's"}]
    assert _choose(server, task).text == "ok", "the block itself is not looked at by the rules"
    assert _choose(server, task, MODEL, _user("The checks failed.")).text == "mended"
    assert _choose(server, task, MODEL, _user(_block([{"say": "later"}]))).rule == "none"
    assert "rule 1 has" in _choose(server, _user(_block({"rules": [{}]}))).text


def test_a_block_survives_that_the_conversation_is_made_shorter() -> None:
    turns = [_user("Task\n" + _block([{"say": "x"}])), MODEL]
    summary = _choose([], *turns, _user("CRITICAL: Respond with TEXT ONLY. Do NOT call any tools.\n..."))
    assert summary.rule == ""
    again = _user(f"This session is being continued from a previous conversation.\n{summary.text}")
    assert plan_of_block(block_of([again])) == Plan.read([{"say": "x"}])
    assert (
        "<summary>"
        in _choose([], _user("You are performing a CONTEXT CHECKPOINT COMPACTION."), tools={}).text
    )


@pytest.mark.parametrize(
    ("parts", "human"),
    [
        ([RESULT, "[Request interrupted by user for tool use]\n", "then this"], "then this"),
        ([RESULT, "[Request interrupted by user for tool use]"], "go"),
        (["<bash-input>ls</bash-input>", "<bash-stdout>a</bash-stdout><bash-stderr></bash-stderr>"], "go"),
        (["<turn_aborted>\nwhy\n</turn_aborted>", "after"], "after"),
        (["early", "[Request interrupted by user]\n", "late"], "late"),
        (["first", "<system-reminder>x</system-reminder>", "second"], "first\n\nsecond"),
        (["a <system-reminder>\nx\n</system-reminder> b"], "a  b"),
        (["# AGENTS.md instructions for /x\n\n<INSTRUCTIONS>\nx\n</INSTRUCTIONS>"], "go"),
        (["<environment_context>\n<cwd>x</cwd>\n</environment_context>"], "go"),
        (["<permissions instructions>x"], "go"),
        ([RESULT, "The user sent a new message while you were working:\nnew\n\nThis is how Claude Code surfaces it"], "new"),
        ([RESULT, "The user sent a new message while you were working:\nnew\n\nlines"], "new\n\nlines"),
    ],
)  # fmt: skip
def test_only_what_a_person_typed_is_a_human_message(parts: list[str | ToolResult], human: str) -> None:
    place = find_place([_user("go"), MODEL, _user(*parts)])
    assert place.human == human
    assert place.results == (RESULT in parts and human == "go")
    assert (place.ordinal == 1) == (human == "go")


def test_words_that_come_with_results_begin_anew() -> None:
    plan = [{"sh": "one"}, {"sh": "two"}, {"say": "done"}]
    answer = _choose(plan, *_after(1), MODEL, _user(RESULT, "[Request interrupted by user]", "again"))
    assert (answer.step, answer.human) == (0, "again")


def test_what_is_no_work_plays_no_step() -> None:
    plan = [{"sh": "one"}]
    title = _choose(plan, _user("<session>\ngo\n</session>\n\nWrite the title"), tools={})
    assert (title.text, title.step, title.rule) == ("Play a written plan", None, "")
    assert _choose(plan, _user("quota"), max_tokens=1).calls == ()
    schema = {
        "properties": {"title": {"type": "string"}, "n": {"type": ["integer"]}},
        "required": ["title", "n"],
    }
    wanted = _choose(plan, _user("x"), tools={}, wanted=schema)
    assert json.loads(wanted.text) == {"title": "Play a written plan", "n": 1}
    noise = _choose(plan, _user("go"), MODEL, _user("<bash-stdout>hi</bash-stdout>"))
    assert (noise.text, noise.calls) == ("Noted.", ())


def test_calls_side_by_side_are_one_step() -> None:
    plan = [{"calls": [{"sh": "a"}, {"tool": "Read", "input": {"p": 1}}]}, {"say": "done"}]
    both = _choose(plan, _user("go"))
    assert [call.name for call in both.calls] == ["Bash", "Read"]
    assert both.calls[1].input == {"p": 1}
    assert _choose(plan, _user("go"), MODEL, _user(RESULT, RESULT)).text == "done"


def test_an_error_stays_until_it_happened_so_many_times() -> None:
    tried: Tried = {}
    error = {"status": 529, "times": 2, "error": "full", "retry_after": 0.5}
    plan: list[object] = [{"sh": "a"}, error, {"sh": "b"}, {"say": "done"}]
    answers = [_choose(plan, *_after(1), tried=tried) for _ in range(3)]
    assert [answer.status for answer in answers] == [529, 529, 200]
    assert (answers[0].error, answers[0].retry_after) == ("full", 0.5)
    assert answers[2].calls[0].input == {"command": "b", "mood": "stub"}
    assert _choose(plan, *_after(2), tried=tried).text == "done"
    assert _choose(plan, *_after(1), tried=tried, conversation="another").status == 529


def test_an_error_beside_a_step_comes_before_it() -> None:
    tried: Tried = {}
    plan = [{"sh": "a", "hang": 3, "times": 1}, {"say": "done"}]
    assert _choose(plan, _user("go"), tried=tried).hang == 3
    assert _choose(plan, _user("go"), tried=tried).calls != ()
    assert _choose(plan, *_after(1), tried=tried).text == "done"


def test_an_error_without_a_number_stays() -> None:
    tried: Tried = {}
    plan = [{"sh": "a"}, {"status": 400}, {"say": "never"}]
    assert [_choose(plan, *_after(results), tried=tried).status for results in (0, 1, 1, 2)] == [
        200,
        400,
        400,
        400,
    ]


def test_each_agent_gets_the_tools_that_it_has() -> None:
    plan = [{"sh": "ls"}]
    assert _choose(plan, _user("x"), tools=CODEX).calls == (
        Call("exec_command", {"cmd": "ls", "yield_time_ms": 30_000}),
    )
    old = {"shell": Tool({"properties": {"command": {"type": "array"}}})}
    assert _choose(plan, _user("x"), tools=old).calls[0].input == {"command": ["bash", "-lc", "ls"]}
    local = {"local_shell": Tool({}, "local_shell")}
    assert _choose(plan, _user("x"), tools=local).calls[0].input == {"command": ["bash", "-lc", "ls"]}
    nothing = _choose(plan, _user("x"), tools={"Read": Tool({})})
    assert nothing.text == "This stub model found no shell among the tools: Read."


def test_a_file_is_written_with_what_there_is() -> None:
    plan = [{"write": "a b/c.txt", "text": "x\ny\n"}]
    patch = "*** Begin Patch\n*** Add File: a b/c.txt\n+x\n+y\n*** End Patch\n"
    custom = {"apply_patch": Tool({}, "custom"), **CODEX}
    assert _choose(plan, _user("x"), tools=custom).calls == (Call("apply_patch", patch),)
    function = {"apply_patch": Tool({"properties": {"input": {"type": "string"}}})}
    assert _choose(plan, _user("x"), tools=function).calls[0].input == {"input": patch}
    command = "mkdir -p 'a b' && printf %s 'x\ny\n' > 'a b/c.txt'"
    assert _choose(plan, _user("x"), tools=CODEX).calls[0].input == {"cmd": command, "yield_time_ms": 30_000}


def test_usage_is_guessed_unless_it_is_given() -> None:
    assert _choose([{"say": "x" * 40}], _user("go"), size=400).usage == (100, 22)
    assert _choose([{"say": "x", "usage": [7, 9]}], _user("go")).usage == (7, 9)


def test_all_that_a_schema_requires_is_filled() -> None:
    schema = {"properties": {"a": {"type": "ARRAY"}, "b": {}}, "required": ["a", "b", "c"]}
    assert fill(schema, {}) == {"a": [], "b": "stub", "c": "stub"}


def test_a_step_that_only_fails_has_no_result() -> None:
    assert Step.read({"status": 500}).results == 0
