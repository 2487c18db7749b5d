"""The agent's own `ao` needs no leave, and nothing else passes for it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.domain.activity import ToolCall, Verdict
from orchestrator.domain.own_program import RULE
from orchestrator.domain.policy import Judgement, Policy, judge, parse


def shell(line: str) -> ToolCall:
    return ToolCall(tool="Bash", argument=line, shell=True)  # noqa: S604 - only a description of a call


@pytest.mark.parametrize(
    "line",
    [
        "ao done",
        "ao report 'I am half through; the rest > tomorrow'",
        'ao ask "Which? (a & b | c)" --option "one" --option two',
        'ao ask "she said \\"no\\""',
        "ao ask 'it'\\''s'",
        "ao ask --plan '1. This\n2. That $(not run) `nor this`'",
        'ao pr create --title "Fix" --body "What I did"',
        "ao pr update --body-file - --title x",
        "ao pr ready",
        "ao pr resolve PRRT_kwDO1",
        "ao pr reply PRRT_kwDO1 'It is meant so.'",
        "ao pr create --body-file=-",
        "ao report half 2>&1",
        "ao report one && ao pr create --title x",
        '"$AO_SESSION_DIR/bin/ao" report x',
        '"${AO_SESSION_DIR}/bin/ao" ask x',
        "ao ask --plan-file - <<'PLAN'\n1. `rm -rf /`; $(x) 'don\nPLAN",
        'ao pr create --title x --body-file - <<"B"\nEOF\nB\n',
    ],
)
def test_a_plain_call_is_allowed_by_a_rule_that_is_named(line: str) -> None:
    assert judge(Policy(), shell(line)) == Judgement(verdict=Verdict.ALLOW, words=RULE)


@pytest.mark.parametrize(
    "line",
    [
        "ao ask x; rm -rf /",
        "ao ask x && rm -rf /",
        "ao ask x | sh",
        "ao ask x\nrm -rf /",
        "ao ask x & rm -rf /",
        "ao ask $(rm -rf /)",
        'ao ask "$(rm -rf /)"',
        'ao ask "`rm -rf /`"',
        "ao ask x > ~/.bashrc",
        "ao ask < /etc/passwd",
        "ao report $SECRET",
        "ao report *",
        "ao report {a,b}",
        "ao report ~",
        "ao report !x",
        "ao report #x",
        "ao pr create --body-file ~/.ssh/id_rsa",
        "ao pr create --body-file /etc/passwd",
        "ao pr create --body-file=/etc/passwd",
        "ao pr create '--body-file' x",
        "ao pr create --bo'dy-fi'le x",
        "ao pr create --{body-file,x}",
        "ao ask --plan-file /etc/passwd",
        "ao ask --plan-file - --plan-file x",
        "ao",
        "ao kill demo-1",
        "ao pr",
        "ao pr merge",
        "ao push x",
        "aos ask x",
        "./ao ask x",
        "/opt/ao ask x",
        "sudo ao ask x",
        "PATH=. ao ask x",
        "PATH=.; ao ask x",
        "export PATH=.; ao ask x",
        "alias ao=rm; ao done",
        "ao() { rm -rf /; }; ao done",
        'AO_SESSION_DIR=/tmp; "$AO_SESSION_DIR/bin/ao" done',
        "$AO_SESSION_DIR/bin/aox done",
        "$AO_SESSION_DIR/../ao done",
        "ao ask --plan-file - <<PLAN\n$(rm -rf /)\nPLAN",
        "ao ask --plan-file - <<'PLAN'\nx\nPLAN\nrm -rf /",
        "ao ask --plan-file - <<'PLAN'; rm -rf /\nx\nPLAN",
        "ao ask --plan-file - <<'PLAN'\nx\nPLAN\nrm -rf /\nPLAN",
        "ao ask --plan-file - <<'PLAN'\nx",
        "rm -rf / <<'PLAN'\nx\nPLAN",
        "ao ask x; cat <<'PLAN'\nx\nPLAN",
        "ao ask 'unfinished",
        "ao ask x <<< y",
    ],
)
def test_nothing_else_passes_for_it(line: str) -> None:
    assert judge(Policy(), shell(line)) == Judgement()


def test_it_is_a_command_line_of_a_shell_only() -> None:
    assert judge(Policy(), ToolCall(tool="WebFetch", argument="ao done")) == Judgement()


@pytest.mark.parametrize("rule", ["Bash(ao *)", "Bash(*report*)", "*", "Bash"])
def test_a_persons_word_wins(rule: str) -> None:
    call = shell("ao report x")
    assert judge(Policy(deny=(parse(Verdict.DENY, rule),)), call).verdict is Verdict.DENY
    assert judge(Policy(ask=(parse(Verdict.ASK, rule),)), call).verdict is Verdict.ASK
    document = shell("ao ask --plan-file - <<'P'\nreport\nP")
    assert judge(Policy(deny=(parse(Verdict.DENY, rule),)), document).verdict is Verdict.DENY


def test_words_in_a_plan_are_no_commands() -> None:
    rules = Policy(deny=(parse(Verdict.DENY, "Bash(rm -rf*)"),))
    assert judge(rules, shell("ao ask --plan-file - <<'P'\nrm -rf build\nP")).verdict is Verdict.ALLOW
    assert judge(rules, shell("ao ask --plan-file - <<'P'\nx\nP\nrm -rf build")).verdict is Verdict.DENY


def test_it_is_allowed_beside_what_other_rules_allow() -> None:
    rules = replace(Policy(), allow=(parse(Verdict.ALLOW, "Bash(git commit *)"),))
    assert judge(rules, shell("git commit -m x && ao pr create")).words == f"allow Bash(git commit *), {RULE}"
    assert judge(rules, shell("git commit -m x && ls && ao pr create")) == Judgement()
