"""Events of Claude Code as its hooks leave them, and what they say one after the other."""

from __future__ import annotations

import json
from typing import Any

import pytest

from orchestrator.domain.activity import ActivityState, ReceiptStage, Source, Trouble
from orchestrator.domain.message import digest
from plugins._shared.agent_signals import AgentEvent, Signalled, fold, newer, read_event, read_status
from plugins._shared.profile_signals import EventKind
from tests.unit.plugins._shared.claude_code import PROFILE

NOW = 1_800_000_000.0
S = ActivityState


def _bytes(name: str, **fields: Any) -> bytes:
    """As it comes: what tells the event is at the beginning."""
    head = {
        "session_id": "c-1",
        "transcript_path": "/home/ada/.claude/projects/-app/c-1.jsonl",
        "cwd": "/app",
    }
    return json.dumps({**head, "hook_event_name": name, **fields}).encode()


def _event(name: str, at: float = NOW - 60, **fields: Any) -> AgentEvent:
    assert PROFILE.events is not None
    event = read_event(PROFILE.events, _bytes(name, **fields), at, NOW, name="7.json")
    assert event is not None
    return event


def _after(*events: AgentEvent) -> Signalled:
    signalled = Signalled()
    for event in events:
        signalled = fold(PROFILE, signalled, event)
    return signalled


def _tool(hook: str, tool: str = "Bash", use: str = "t1", **arguments: Any) -> AgentEvent:
    more: dict[str, Any] = {} if hook == "PermissionRequest" else {"tool_use_id": use}
    return _event(hook, tool_name=tool, tool_input=arguments, **more)


@pytest.mark.parametrize(
    ("name", "fields", "kind"),
    [
        ("SessionStart", {"source": "startup"}, EventKind.SESSION_START),
        ("SessionStart", {"source": "compact"}, EventKind.WORKING),
        ("PreToolUse", {"tool_name": "Bash"}, EventKind.TOOL_START),
        ("PostToolUseFailure", {"tool_name": "Bash"}, EventKind.TOOL_END),
        ("PermissionRequest", {"tool_name": "Bash"}, EventKind.PERMISSION),
        ("PermissionRequest", {"tool_name": "AskUserQuestion"}, EventKind.ASKING),
        ("Stop", {}, EventKind.STOP),
        ("StopFailure", {"error": "x"}, EventKind.FAILED),
    ],
)
def test_events_are_known_by_their_narrowest_name(name: str, fields: dict[str, Any], kind: EventKind) -> None:
    event = _event(name, **fields)
    assert (event.kind, event.conversation) == (kind, "c-1")


def test_an_event_that_is_not_ours_to_know_says_nothing() -> None:
    assert PROFILE.events is not None
    assert read_event(PROFILE.events, _bytes("Notification", message="x"), NOW, NOW) is None


def test_compacting_ends_no_turn() -> None:
    signalled = _after(
        _event("UserPromptSubmit", prompt="Fix it"),
        _event("PreCompact"),
        _event("SessionStart", source="compact"),
    )
    assert (signalled.state, signalled.turns) == (S.BUSY, 0)


@pytest.mark.parametrize(
    ("words", "trouble", "state"),
    [
        ("Please run /login · API Error: 401 x", Trouble.LOGIN, S.BLOCKED),
        ("Prompt is too long", Trouble.CONTEXT, S.BLOCKED),
        ("Credit balance is too low", Trouble.CREDIT, S.BLOCKED),
        ("API Error: Request rejected (429) · x", Trouble.RATE, S.LIMITED),
        ("API Error: 529 x", Trouble.OVERLOAD, S.LIMITED),
        ("Unable to connect to API (ConnectionRefused)", Trouble.NETWORK, S.LIMITED),
        ("API Error: 400 no such model", Trouble.REFUSED, S.BLOCKED),
        ("", Trouble.REFUSED, S.BLOCKED),
    ],
)
def test_a_turn_that_failed_says_why(words: str, trouble: Trouble, state: ActivityState) -> None:
    signalled = _after(
        _event("UserPromptSubmit", prompt="x"), _event("StopFailure", last_assistant_message=words)
    )
    assert (signalled.trouble, signalled.state, signalled.words) == (trouble, state, words)
    # What was sent is not answered by an error, and the next turn clears it.
    assert signalled.receipts[0].stage is ReceiptStage.ACCEPTED
    again = fold(PROFILE, signalled, _event("UserPromptSubmit", prompt="y"))
    assert (again.trouble, again.state, again.words, again.until) == (None, S.BUSY, "", None)


def test_a_limits_end_is_read_from_its_words() -> None:
    failed = _event("StopFailure", last_assistant_message="You've hit your limit · try again in 20 minutes")
    assert _after(failed).until == failed.at + 1200


def test_leave_waits_for_an_answer_until_the_tool_begins() -> None:
    asked = _after(_tool("PreToolUse", command="ls"), _tool("PermissionRequest", command="ls"))
    assert (asked.state, asked.pending and asked.pending.event) == (S.PERMISSION, "7.json")
    given = fold(PROFILE, asked, _tool("PostToolUse", command="ls"))
    assert (given.state, given.dialog, given.pending) == (S.BUSY, None, None)


@pytest.mark.parametrize("hook", ["PreToolUse", "PostToolUse", "PostToolUseFailure"])
def test_another_tool_of_the_same_turn_leaves_the_dialog_open(hook: str) -> None:
    asked = _after(
        _tool("PreToolUse", "Read", "t1", file_path="/a"),
        _tool("PreToolUse", "Bash", "t2", command="env"),
        _tool("PermissionRequest", "Bash", command="env"),
    )
    beside = fold(PROFILE, asked, _tool(hook, "Read", "t1", file_path="/a"))
    assert (beside.state, beside.dialog, beside.pending) == (S.PERMISSION, asked.dialog, asked.pending)
    assert (beside.tools == asked.tools) is False


def test_the_end_of_a_turn_closes_the_dialog() -> None:
    asked = _after(_tool("PermissionRequest", command="env"))
    for name in ("Stop", "UserPromptSubmit", "SessionEnd"):
        assert fold(PROFILE, asked, _event(name)).dialog is None


@pytest.mark.parametrize(
    ("name", "state"), [("PreToolUse", S.BUSY), ("PostToolUse", S.BUSY), ("PermissionRequest", S.PERMISSION)]
)
def test_an_event_that_was_cut_off_is_known_by_its_beginning(name: str, state: ActivityState) -> None:
    assert PROFILE.events is not None
    whole = _bytes(name, tool_name="Write", tool_use_id="t9", tool_input={"content": 'x" \\' * 150_000})
    assert len(whole) > 600_000
    event = read_event(PROFILE.events, whole[: 512 * 1024], 5.0, NOW, "7.json")
    assert event is not None
    assert (event.tool, event.conversation, event.arguments) == ("Write", "c-1", {})
    assert fold(PROFILE, Signalled(), event).state is state
    assert read_event(PROFILE.events, whole, 5.0, NOW, "7.json") is not None


def test_a_pasted_text_is_known_by_what_was_typed() -> None:
    text = 'Line 1\n\n  Line 2 with <tags> & "quotes"\n'
    shown = f'\n<pasted_content id="a1">\n{text}\n</pasted_content id="a1">\n'
    for prompt in (text, shown):
        assert _after(_event("UserPromptSubmit", prompt=prompt)).receipts[0].text_digest == digest(text)
    beside = f"See: {shown}"
    assert _after(_event("UserPromptSubmit", prompt=beside)).receipts[0].text_digest == digest(beside)


def _status(word: str, at: float, conversation: str = "c-1") -> Signalled:
    assert PROFILE.status is not None
    data = json.dumps(
        {"pid": 7, "status": word, "statusUpdatedAt": round(at * 1000), "sessionId": conversation}
    )
    said = read_status(PROFILE.status, data.encode(), 0.0, NOW)
    assert said is not None
    return said


def test_its_status_file_counts_milliseconds() -> None:
    said = _status("waiting", NOW - 5)
    assert (said.state, said.at, said.conversation) == (S.PERMISSION, NOW - 5, "c-1")
    assert _status("idle", NOW * 2).at == NOW


def test_a_newer_status_file_tells_the_state_and_no_more() -> None:
    busy = _after(_event("UserPromptSubmit", prompt="x"), _tool("PreToolUse", command="ls"))
    idle = newer(busy, _status("idle", NOW - 1))
    assert (idle.state, idle.at, idle.tools, idle.receipts) == (S.IDLE, NOW - 1, (), busy.receipts)
    assert newer(busy, _status("busy", NOW - 1)).tools == busy.tools
    asked = _after(_tool("PermissionRequest", "AskUserQuestion", questions=[{"question": "?"}]))
    # `waiting` is its word for each kind of dialog.
    waits = newer(asked, _status("waiting", NOW - 1))
    assert (waits.state, waits.dialog, waits.pending) == (S.ASKING, asked.dialog, asked.pending)
    assert newer(asked, _status("busy", NOW - 1)).dialog is None


def test_what_told_of_an_interrupt_is_forgotten_with_the_next_event() -> None:
    told = Signalled(state=S.IDLE, told_by=Source.SCREEN)
    assert fold(PROFILE, told, _event("UserPromptSubmit", prompt="x")).told_by is None
