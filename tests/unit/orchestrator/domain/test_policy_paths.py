"""Rules about paths: those that begin at the session's workspace, and those that begin at the root."""

from __future__ import annotations

import pytest

from orchestrator.domain.activity import ToolCall, Verdict
from orchestrator.domain.policy import Policy, judge, parse


def below(workspace: str, *, allow: str, deny: str = "") -> Policy:
    return Policy(
        allow=(parse(Verdict.ALLOW, allow),),
        deny=(parse(Verdict.DENY, deny),) if deny else (),
        workspace=workspace,
    )


@pytest.mark.parametrize(
    "path",
    [
        "/work/demo-1/secret/a",
        "secret/a",
        "./secret/a",
        "/work/demo-1//./secret/a",
        "/work/demo-1/src/../secret/a",
        "/work/demo-1/../demo-1/secret/a",
        "src/../secret/a",
        "../demo-1/secret/a",
        "/private/work/demo-1/secret/a",
    ],
)
@pytest.mark.parametrize("rule", ["Write(secret/*)", "Write(./secret/*)", "*(secret/*)", "Write(*secret/*)"])
def test_relative_path_is_denied_however_it_is_spelled(path: str, rule: str) -> None:
    rules = below("/work/demo-1", allow="Write", deny=rule)
    assert judge(rules, ToolCall(tool="Write", argument=path)).verdict is Verdict.DENY


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/work/demo-1/src/a", True),
        ("src/a", True),
        ("/work/demo-1/src/../../../etc/passwd", False),
        ("src/../../x", False),
        ("/etc/src/a", False),
        ("/work/demo-10/src/a", False),
        ("/private/work/demo-1/src/a", False),
        ("/work/demo-1/secret/../src/a", False),
    ],
)
def test_relative_path_is_allowed_below_the_workspace_alone(path: str, *, allowed: bool) -> None:
    rules = below("/work/demo-1", allow="Write(src/*)")
    assert (judge(rules, ToolCall(tool="Write", argument=path)).verdict is Verdict.ALLOW) is allowed


def test_absolute_path_is_judged_as_before_where_there_is_a_workspace() -> None:
    rules = below("/work/demo-1", allow="Write(/work/*)", deny="Write(/work/demo-1/secret/*)")
    verdicts = [
        judge(rules, ToolCall(tool="Write", argument=path)).verdict
        for path in ("/work/x", "secret/a", "/work/demo-1/src/../secret/a", "https://work/demo-1/secret/a")
    ]
    assert verdicts == [Verdict.ALLOW, Verdict.DENY, Verdict.DENY, None]
