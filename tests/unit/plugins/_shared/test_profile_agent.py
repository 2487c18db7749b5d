"""An agent made from a profile: which source is believed, when text is taken, how it is launched."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from orchestrator import resources
from orchestrator.domain.activity import ActivityState, Dialog, ReceiptStage, Source
from orchestrator.domain.look import Seen
from orchestrator.errors import BadInput
from orchestrator.ports.agent import AgentLook, AgentTask, AgentView
from orchestrator.ports.runtime import Keys, Presence, RuntimeLook, Text
from orchestrator.testing import examples
from orchestrator.testing.fakes.place import FakePlace
from plugins._shared.agent_profile import MOST_ARGUMENT, Profile, load
from plugins._shared.profile_agent import ProfileAgent

NOW = 10_000.0
SESSION = examples.session_ref()
SCREEN: dict[str, Any] = {
    "screen": {"lines": 3, "busy": ["esc to interrupt"], "idle": ["^>"], "limited": ["limit reached"]},
    "title": {"busy": ["working"], "idle": ["waiting"]},
}
YES_NO = {
    "name": "trust",
    "pattern": r"(?P<text>Do you trust .*\?)",
    "choices": [{"label": "Yes", "keys": ["Up", "Enter"]}, {"label": "No", "keys": ["Enter"]}],
}


def _profile(**fields: Any) -> Profile:
    return Profile.model_validate({"launch": ["x"], "patterns": SCREEN, "dialogs": [YES_NO], **fields})


class Watched:
    """One agent in a place of its own."""

    def __init__(self, **fields: Any) -> None:
        self.agent = ProfileAgent(_profile(**fields), lambda: NOW)
        self.place = FakePlace()
        self._count = 0

    def event(self, kind: str, at: float = NOW - 10, **fields: object) -> None:
        self._count += 1
        data = json.dumps({"event": kind, "at": at, **fields}).encode()
        self.place.files[f"/session/agent/events/{self._count:06d}.json"] = data

    async def look(
        self, screen: str | None = None, title: str = "", presence: Presence = Presence.ALIVE
    ) -> AgentLook:
        seen = RuntimeLook(presence=presence, title=title, screen=screen)
        view = AgentView(session=SESSION, place=self.place, runtime=seen)
        answer = (await self.agent.observe([view]))[SESSION.id]
        assert isinstance(answer, Seen)
        return answer.value


async def test_its_own_signals_come_first() -> None:
    watched = Watched(events={})
    watched.event("stop")
    activity = (await watched.look(title="working")).activity
    assert (activity.state, activity.source, activity.accepts_text) == (ActivityState.IDLE, Source.HOOK, True)


async def test_text_is_taken_only_by_a_prompt_that_is_seen_where_it_is_looked_at() -> None:
    watched = Watched(events={})
    watched.event("stop", at=NOW - 1)
    assert (await watched.look("> \n")).activity.accepts_text
    assert not (await watched.look("a pager\n(END)")).activity.accepts_text
    assert not (await watched.look("* busy (esc to interrupt)")).activity.accepts_text
    assert not (await watched.look("> \n", presence=Presence.EXITED)).activity.accepts_text


async def test_a_dialog_that_no_signal_tells_of_is_seen_on_the_screen() -> None:
    watched = Watched(events={})
    watched.event("stop")
    look = await watched.look("Do you trust this folder?\n> No, exit\n")
    assert look.activity.state is ActivityState.PERMISSION
    assert look.activity.dialog is not None
    assert look.activity.dialog.text == "Do you trust this folder?"
    assert not look.activity.accepts_text
    assert "screen shows permission" in look.disagreement


async def test_an_interrupt_without_a_signal_is_seen_once_the_agent_was_quiet() -> None:
    watched = Watched(events={}, quietAfter=20)
    watched.event("tool_start", at=NOW - 10, tool="sleep")
    assert (await watched.look("> ")).activity.state is ActivityState.BUSY
    late = Watched(events={}, quietAfter=20)
    late.event("tool_start", at=NOW - 30, tool="sleep")
    look = await late.look("> ")
    assert (look.activity.state, look.activity.accepts_text) == (ActivityState.IDLE, True)
    assert look.disagreement


ODD = "Meet the new one\n\n> 1. Try it\n  2. Stay\n  enter confirm\n"
"""A dialog that no pattern knows; its second line is none of the last three that are looked at."""


@pytest.mark.parametrize(
    ("kind", "age", "screen", "unfamiliar"),
    [
        ("", 0, ODD, "> 1. Try it / 2. Stay / enter confirm"),
        ("session_start", 1, ODD, "> 1. Try it / 2. Stay / enter confirm"),
        ("prompt_submit", 21, ODD, "> 1. Try it / 2. Stay / enter confirm"),
        ("prompt_submit", 19, ODD, ""),
        ("tool_start", 600, ODD, ""),
        ("stop", 600, ODD, ""),
        ("prompt_submit", 600, "* thinking (esc to interrupt)", ""),
        ("prompt_submit", 600, "  \n", ""),
        ("prompt_submit", 600, None, ""),
    ],
)
async def test_screen_that_nobody_understands_is_told_where_no_signal_says_more(
    kind: str, age: float, screen: str | None, unfamiliar: str
) -> None:
    watched = Watched(
        events={}, quietAfter=20, patterns={**SCREEN, "screen": {**SCREEN["screen"], "idle": ["^>$"]}}
    )
    if kind:
        watched.event(kind, at=NOW - age, tool="make")
    assert (await watched.look(screen)).activity.unfamiliar == unfamiliar


async def test_patterns_of_an_agent_without_signals_name_not_all_that_it_shows() -> None:
    assert (await Watched().look("building...")).activity.unfamiliar == ""


async def test_message_that_an_interrupt_put_back_is_told_as_unread() -> None:
    """Also where the agent's own status file, outside the session's folder, says first that it rests."""
    watched = Watched(events={}, quietAfter=20)
    watched.event("prompt_submit", at=NOW - 5, text="go on")
    await watched.look()
    await watched.agent.interrupt(SESSION)
    look = await watched.look("> ")
    assert [r.stage for r in look.receipts] == [ReceiptStage.INTERRUPTED]


async def test_a_running_tool_is_work_however_long_it_is_silent() -> None:
    watched = Watched(events={})
    watched.event("prompt_submit", at=NOW - 5_000)
    watched.event("tool_start", at=NOW - 4_000, tool="make")
    activity = (await watched.look("* make (esc to interrupt)")).activity
    assert (activity.state, activity.tool) == (ActivityState.BUSY, "make")


async def test_before_its_first_signal_title_and_screen_tell() -> None:
    watched = Watched(events={})
    assert (await watched.look()).activity.state is ActivityState.STARTING
    assert (await watched.look("odd")).activity.state is ActivityState.UNKNOWN
    title = (await watched.look(title="waiting")).activity
    assert (title.state, title.source, title.accepts_text) == (ActivityState.IDLE, Source.TITLE, False)
    both = (await watched.look("> ", title="waiting")).activity
    assert both.accepts_text
    assert (await watched.look("limit reached\n> ")).activity.state is ActivityState.LIMITED


async def test_one_that_said_it_ended_and_lives_is_looked_at() -> None:
    watched = Watched(events={})
    watched.event("session_end")
    assert (await watched.look("> ")).disagreement
    ended = await watched.look(presence=Presence.EXITED)
    assert ended.activity.state is ActivityState.EXITED


async def test_the_screen_is_read_only_when_it_is_needed() -> None:
    watched = Watched(events={}, quietAfter=20)
    assert watched.agent.needs_screen(SESSION)
    for kind, at, needed in (
        ("session_start", NOW - 40, True),
        ("prompt_submit", NOW - 5, False),
        ("stop", NOW - 4, False),
        ("permission", NOW - 3, True),
        ("tool_start", NOW - 30, True),
    ):
        one = Watched(events={}, quietAfter=20)
        one.event(kind, at=at)
        await one.look()
        assert one.agent.needs_screen(SESSION) is needed, kind
    assert Watched().agent.needs_screen(SESSION)
    assert not Watched(events={}, patterns={}, dialogs=[]).agent.needs_screen(SESSION)


async def test_patterns_alone_give_no_time_of_a_signal() -> None:
    look = await Watched().look("> ")
    assert (look.activity.state, look.activity.accepts_text, look.signal_at) == (
        ActivityState.IDLE,
        True,
        0.0,
    )
    assert look.receipts == ()


async def test_only_the_last_lines_of_the_screen_count() -> None:
    watched = Watched()
    old = "* make (esc to interrupt)\n" + "line\n" * 5
    assert (await watched.look(f"{old}\n\n> \n\n")).activity.state is ActivityState.IDLE


@pytest.mark.parametrize(
    ("answer", "keys"), [("Yes", ("Up", "Enter")), ("no", ("Enter",)), ("1", ("Up", "Enter"))]
)
async def test_a_dialog_is_answered_by_its_own_keys(answer: str, keys: tuple[str, ...]) -> None:
    watched = Watched()
    dialog = (await watched.look("Do you trust this folder?")).activity.dialog
    assert dialog is not None
    assert await watched.agent.answer(SESSION, watched.place, dialog, answer) == Keys(keys=keys)
    with pytest.raises(BadInput):
        await watched.agent.answer(SESSION, watched.place, dialog, "perhaps")


async def test_dialogs_of_events_are_answered_by_number_or_in_words() -> None:
    numbered = Watched(events={}, numbered=True).agent
    dialog = Dialog(id="event:1", text="Run?", options=("Yes", "No"))
    assert await numbered.answer(SESSION, FakePlace(), dialog, "No") == Keys(keys=("2",))
    words = Dialog(id="event:2", text="What name?")
    assert await numbered.answer(SESSION, FakePlace(), words, "Ada") == Text(text="Ada")
    with pytest.raises(BadInput):
        await Watched(events={}).agent.answer(SESSION, FakePlace(), dialog, "No")


async def _prepared(task: AgentTask, **fields: Any) -> tuple[tuple[str, ...], bool]:
    watched = Watched(**fields)
    prepared = await watched.agent.prepare(SESSION, watched.place, task)
    return prepared.launch.argv, prepared.prompt_given


@pytest.mark.parametrize(
    ("fields", "argv", "given"),
    [
        ({"launch": ["x", "{prompt}"], "prompt": "argument"}, ("x", "do {folder} it"), True),
        ({"launch": ["x", "@{prompt_file}"], "prompt": "file"}, ("x", "@/session/prompt.md"), True),
        ({"launch": ["x", "{folder}/a", "{session}"]}, ("x", "/session/a", "demo-1"), False),
        ({"launch": ["{program}", "{permission_flags}"], "program": ["y", "-v"]}, ("y", "-v"), False),
        (
            {"launch": ["x", "{permission_flags}", "{model_flags}"], "permissions": "ask", "model": "m",
             "permissionFlags": {"ask": ["--ask", "all"]}, "modelFlags": ["--model", "{model}"]},
            ("x", "--ask", "all", "--model", "m"),
            False,
        ),
        (
            {"launch": ["x", "{flags}", "{judge_flags}", "{home_flags}"], "flags": ["-c", "a={A}"],
             "judgeFlags": ["--judge"], "environment": {"A": "1"},
             "home": {"variable": "X_HOME", "folder": ".x", "flags": ["--own", "{B}"], "defaults": {"B": "2"}}},
            ("x", "-c", "a=1"),
            False,
        ),
        (
            {"launch": ["x", "{home_flags}"], "isolated": True,
             "home": {"variable": "X_HOME", "folder": ".x", "flags": ["--own", "{B}"], "defaults": {"B": "2"}}},
            ("x", "--own", "2"),
            False,
        ),
        ({"launch": ["x", '{"a": {"b": 1}}']}, ("x", '{"a": {"b": 1}}'), False),
    ],
)  # fmt: skip
async def test_command_lines(fields: dict[str, Any], argv: tuple[str, ...], given: bool) -> None:
    assert await _prepared(AgentTask(prompt="do {folder} it"), **fields) == (argv, given)


async def test_a_prompt_too_long_for_an_argument_is_read_from_its_file() -> None:
    argv, given = await _prepared(
        AgentTask(prompt="x" * (MOST_ARGUMENT + 1)), launch=["x", "{prompt}"], prompt="argument"
    )
    assert argv == ("x", "Read /session/prompt.md and do what it says.")
    assert given


async def test_it_resumes_only_a_conversation_that_is_known() -> None:
    fields: dict[str, Any] = {
        "launch": ["x", "{prompt}"],
        "resume": ["x", "-r", "{conversation}"],
        "prompt": "argument",
    }
    known = AgentTask(prompt="p", resume=True, conversation="c1")
    assert await _prepared(known, **fields) == (("x", "-r", "c1"), True)
    assert await _prepared(AgentTask(prompt="p", resume=True), **fields) == (("x", "p"), True)


async def test_files_are_written_into_the_sessions_folder_only() -> None:
    watched = Watched(files={"agent/settings.json": '{"in": "{folder}"}'}, environment={"X": "{workspace}"})
    prepared = await watched.agent.prepare(SESSION, watched.place, AgentTask(prompt="p"))
    assert watched.place.files["/session/agent/settings.json"] == b'{"in": "/session"}'
    assert prepared.launch.environment == {"X": "/work/demo-1"}
    assert prepared.launch.cwd == "/work/demo-1"


@pytest.mark.parametrize(
    "wrong",
    [
        {"launch": []},
        {"prompt": "argument"},
        {"prompt": "file"},
        {"patterns": {"screen": {"idle": ["("]}}},
        {"files": {"../x": ""}},
        {"files": {"agent/../../x": ""}},
        {"dialogs": [{**YES_NO, "choices": []}]},
        {"launchh": ["x"]},
        {"events": {"names": {"x": "dance"}}},
    ],
)
def test_a_wrong_profile_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        _profile(**wrong)


def test_profiles_that_we_bring_are_right() -> None:
    for name in resources.names("agents", ".yaml"):
        assert load(resources.text(f"agents/{name}")).launch


@pytest.mark.parametrize("text", ["", "launch: [", "[]", "launch: x"])
def test_a_profile_that_is_none_is_bad_input(text: str) -> None:
    with pytest.raises(BadInput):
        load(text)
