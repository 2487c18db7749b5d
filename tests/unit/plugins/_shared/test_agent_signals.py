"""Signals of agents: what a row of events means, and what damaged ones do not."""

from __future__ import annotations

import json

import pytest

from orchestrator.domain.activity import ActivityState, ReceiptStage
from orchestrator.domain.message import digest
from plugins._shared.agent_profile import Profile
from plugins._shared.agent_signals import AgentEvent, Signalled, fold, read_event, read_status
from plugins._shared.profile_signals import Decisions, EventFields, EventKind, StatusFile, Tool

NOW = 2_000.0
PROFILE = Profile(launch=("x",))
OWN = EventFields()
OTHER = EventFields(
    event=("hook_event_name", "notification_type"),
    names={
        "UserPromptSubmit": EventKind.PROMPT_SUBMIT,
        "Notification": EventKind.WORKING,
        "Notification:permission_prompt": EventKind.PERMISSION,
    },
    text=("prompt",),
    conversation="session_id",
)


def _after(*events: AgentEvent) -> Signalled:
    signalled = Signalled()
    for event in events:
        signalled = fold(PROFILE, signalled, event)
    return signalled


def _event(kind: EventKind, at: float = 1.0, **fields: object) -> AgentEvent:
    return AgentEvent(kind=kind, at=at, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kinds", "state"),
    [
        ([EventKind.SESSION_START], ActivityState.STARTING),
        ([EventKind.PROMPT_SUBMIT], ActivityState.BUSY),
        ([EventKind.PROMPT_SUBMIT, EventKind.TOOL_START, EventKind.TOOL_END], ActivityState.BUSY),
        ([EventKind.PROMPT_SUBMIT, EventKind.STOP], ActivityState.IDLE),
        ([EventKind.PROMPT_SUBMIT, EventKind.INTERRUPTED], ActivityState.IDLE),
        ([EventKind.PERMISSION], ActivityState.PERMISSION),
        ([EventKind.PERMISSION, EventKind.TOOL_START], ActivityState.BUSY),
        ([EventKind.ASKING], ActivityState.ASKING),
        ([EventKind.LIMITED], ActivityState.LIMITED),
        ([EventKind.BLOCKED], ActivityState.BLOCKED),
        ([EventKind.STOP, EventKind.SESSION_END], ActivityState.EXITED),
        ([EventKind.SESSION_END, EventKind.SESSION_START], ActivityState.STARTING),
    ],
)
def test_the_last_event_tells_the_state(kinds: list[EventKind], state: ActivityState) -> None:
    assert _after(*(_event(kind) for kind in kinds)).state is state


def test_a_running_tool_is_known_until_it_ends() -> None:
    begun = _after(
        _event(EventKind.TOOL_START, tool="make test", tool_id="1"),
        _event(EventKind.TOOL_START, tool="grep", tool_id="2"),
    )
    assert [name for _, name in begun.tools] == ["make test", "grep"]
    assert [name for _, name in fold(PROFILE, begun, _event(EventKind.TOOL_END, tool_id="1")).tools] == [
        "grep"
    ]
    assert len(fold(PROFILE, begun, _event(EventKind.TOOL_END, tool_id="unknown")).tools) == 1
    assert fold(PROFILE, begun, _event(EventKind.STOP)).tools == ()


def test_an_agent_works_on_once_its_hook_has_the_answer() -> None:
    profile = Profile(
        launch=("x",),
        decisions=Decisions(allow={}, deny={}),
        tools={"Fetch": Tool(argument="url")},
    )
    waits = _event(EventKind.PERMISSION, name="9-1-a.json", tool="Fetch", arguments={"url": "a"})
    asked = fold(profile, _after(_event(EventKind.PROMPT_SUBMIT)), waits)
    assert asked.dialog is not None
    taken = read_event(OTHER, b'{"ao_answered": "9-1-a.json"}', 1.0, NOW)
    assert taken is not None
    after = fold(profile, asked, taken)
    assert (after.state, after.dialog, after.pending) == (ActivityState.BUSY, None, None)
    another = read_event(OTHER, b'{"ao_answered": "9-1-b.json"}', 1.0, NOW)
    assert another is not None
    assert fold(profile, asked, another).dialog == asked.dialog


def test_a_message_goes_from_accepted_to_answered() -> None:
    stages: list[ReceiptStage] = []
    signalled = Signalled()
    for kind in (EventKind.PROMPT_SUBMIT, EventKind.TOOL_START, EventKind.STOP):
        signalled = fold(PROFILE, signalled, _event(kind, at=len(stages) + 1.0, text="Fix\n  it"))
        stages.append(signalled.receipts[0].stage)
    assert stages == [ReceiptStage.ACCEPTED, ReceiptStage.WORKING, ReceiptStage.ANSWERED]
    assert signalled.receipts[0].text_digest == digest("Fix it")
    assert signalled.receipts[0].at == 3.0


def test_a_message_is_not_answered_by_the_end_of_the_agent() -> None:
    signalled = _after(_event(EventKind.PROMPT_SUBMIT, text="x"), _event(EventKind.SESSION_END))
    assert signalled.receipts[0].stage is ReceiptStage.ACCEPTED


def test_a_message_is_not_answered_by_the_turn_of_another_after_an_interrupt() -> None:
    """An agent that is stopped at once puts the text back; nobody ever worked on it."""
    unread = _after(
        _event(EventKind.PROMPT_SUBMIT, text="first"),
        _event(EventKind.INTERRUPTED),
        _event(EventKind.PROMPT_SUBMIT, text="second"),
        _event(EventKind.TOOL_START),
        _event(EventKind.STOP),
    )
    assert [r.stage for r in unread.receipts] == [ReceiptStage.INTERRUPTED, ReceiptStage.ANSWERED]
    begun = _after(
        _event(EventKind.PROMPT_SUBMIT, text="first"),
        _event(EventKind.TOOL_START),
        _event(EventKind.INTERRUPTED),
    )
    assert begun.receipts[0].stage is ReceiptStage.ANSWERED


def test_the_same_text_twice_has_two_receipts() -> None:
    signalled = _after(
        *[
            _event(kind, text="x")
            for kind in (EventKind.PROMPT_SUBMIT, EventKind.STOP, EventKind.PROMPT_SUBMIT)
        ]
    )
    assert [r.stage for r in signalled.receipts] == [ReceiptStage.ANSWERED, ReceiptStage.ACCEPTED]
    assert len({r.since for r in signalled.receipts}) == 2, "also where both have the same time"


def test_an_earlier_run_leaves_receipts_and_conversation_only() -> None:
    event = _event(EventKind.PROMPT_SUBMIT, at=5.0, text="x", conversation="c1")
    signalled = fold(PROFILE, Signalled(), event, counts=False)
    assert signalled.state is ActivityState.UNKNOWN
    assert (signalled.conversation, len(signalled.receipts), signalled.signal_at) == ("c1", 1, 5.0)


def test_a_dialog_is_another_one_when_it_asks_something_else() -> None:
    first = _after(_event(EventKind.PERMISSION, text="Run ls?", options=("Yes", "No"))).dialog
    second = _after(_event(EventKind.PERMISSION, text="Run rm?", options=("Yes", "No"))).dialog
    assert first is not None
    assert second is not None
    assert first.id != second.id
    assert first.options == ("Yes", "No")


def test_events_of_other_agents_are_read_by_their_names() -> None:
    raw = {"hook_event_name": "UserPromptSubmit", "prompt": "Hello", "session_id": "abc"}
    event = read_event(OTHER, json.dumps(raw).encode(), 1_999.0, NOW)
    assert event == AgentEvent(kind=EventKind.PROMPT_SUBMIT, at=1_999.0, text="Hello", conversation="abc")
    narrow = {"hook_event_name": "Notification", "notification_type": "permission_prompt"}
    assert read_event(OTHER, json.dumps(narrow).encode(), 0, NOW).kind is EventKind.PERMISSION  # type: ignore[union-attr]
    wide = {"hook_event_name": "Notification", "notification_type": "idle"}
    assert read_event(OTHER, json.dumps(wide).encode(), 0, NOW).kind is EventKind.WORKING  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"1",
        b'{"event": "no such"}',
        b'{"event": {"a": 1}}',
        b"\xff\xfe",
        b"[" * 100_000,
    ],
)
def test_a_damaged_event_is_none(data: bytes) -> None:
    assert read_event(OWN, data, 1.0, NOW) is None


@pytest.mark.parametrize("at", ["1e400", "NaN", "-Infinity", '"soon"', "true", "1" + "0" * 400, "null", "[]"])
def test_a_time_that_is_none_is_the_files_own(at: str) -> None:
    event = read_event(OWN, f'{{"event": "stop", "at": {at}}}'.encode(), 1_234.0, NOW)
    assert event is not None
    assert event.at == 1_234.0


def test_the_future_is_not_believed() -> None:
    event = read_event(OWN, b'{"event": "stop", "at": 9999999999}', 1.0, NOW)
    assert event is not None
    assert event.at == NOW


def test_a_status_file_is_read_by_its_own_words() -> None:
    file = StatusFile(values={"waiting": ActivityState.PERMISSION}, at="since")
    said = read_status(file, b'{"status": "waiting", "since": 1500}', 1.0, NOW)
    assert said is not None
    assert (said.state, said.at) == (ActivityState.PERMISSION, 1_500.0)
    assert read_status(file, b'{"status": "dancing"}', 1.0, NOW) is None
    assert read_status(file, b"", 1.0, NOW) is None
