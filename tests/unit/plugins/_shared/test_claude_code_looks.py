"""Whole looks at Claude Code: when what lies outside its session's folder is read, and what that says."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from orchestrator.domain.activity import ActivityState, ReceiptStage, Source, Trouble
from orchestrator.domain.look import Seen
from orchestrator.domain.usage import Usage
from orchestrator.ports.agent import AgentLook, AgentTask, AgentView, AnswerFile
from orchestrator.ports.place import Completed
from orchestrator.ports.runtime import Keys, Presence, RuntimeLook
from orchestrator.testing.fakes.place import FakePlace
from plugins._shared.profile_agent import ProfileAgent, make
from tests.unit.plugins._shared.claude_code import PROFILE, SESSION, screen

NOW = 1_800_000_000.0
HOME = "/home/ada/.claude"
RECORD = f"{HOME}/projects/-app/c-1.jsonl"
STATUS = f"{HOME}/sessions/77.json"


class Desk:
    """One session of Claude Code at a time that a test sets."""

    def __init__(self) -> None:
        self.now = NOW
        self.outside: dict[str, bytes] = {}
        self.place = FakePlace(self._run)
        self.agent = self._made()
        self._events = 0

    def _made(self) -> ProfileAgent:
        return make(PROFILE, lambda: self.now, {})

    def restart(self) -> None:
        """`ao` is started anew."""
        self.agent = self._made()

    def _run(self, argv: Sequence[str]) -> Completed:
        data = self.outside.get(argv[-1])
        return Completed(code=0 if data else 1, stdout=(data or b"")[int(argv[2]) - 1 :], stderr=b"")

    def event(self, name: str, **fields: Any) -> None:
        self._events += 1
        raw = {"hook_event_name": name, "session_id": "c-1", "transcript_path": RECORD, **fields}
        self.place.files[f"/session/agent/events/{self._events}.json"] = json.dumps(raw).encode()

    def status(self, word: str, at: float, conversation: str = "c-1") -> None:
        said = {"status": word, "statusUpdatedAt": at * 1000, "sessionId": conversation}
        self.outside[STATUS] = json.dumps(said).encode()

    def used(self, dollars: float) -> None:
        said = {
            "session_id": "c-1",
            "cost": {"total_cost_usd": dollars},
            "context_window": {"used_percentage": 12.4},
            "model": {"display_name": "Opus"},
        }
        self.place.files["/session/agent/usage.json"] = json.dumps(said).encode()

    async def look(
        self, shows: str | None = None, cursor: tuple[int, int] | None = None, after: float = 0.0
    ) -> AgentLook:
        self.now += after
        runtime = RuntimeLook(presence=Presence.ALIVE, pid=77, screen=shows, cursor=cursor)
        view = AgentView(session=SESSION, place=self.place, runtime=runtime)
        seen = (await self.agent.observe([view]))[SESSION.id]
        assert isinstance(seen, Seen), seen
        return seen.value


async def _busy() -> Desk:
    desk = Desk()
    desk.event("UserPromptSubmit", prompt="Fix it")
    await desk.look()
    # The place's files have no times: the event is of this look.
    return desk


async def test_its_status_file_is_read_only_while_its_events_are_silent() -> None:
    desk = Desk()
    desk.event("SessionStart", source="startup")
    await desk.look()
    desk.event("Stop", last_assistant_message="Done")
    await desk.look(after=100)
    await desk.look(after=100)
    assert [argv for argv in desk.place.commands if argv[-1] == STATUS] == []
    busy = await _busy()
    busy.status("idle", NOW + 29)
    look = await busy.look(after=30)
    assert (look.activity.state, look.activity.source) == (ActivityState.IDLE, Source.STATUS_FILE)


async def test_the_status_of_another_conversation_is_not_its_own() -> None:
    desk = await _busy()
    desk.status("idle", NOW + 29, conversation="c-2")
    assert (await desk.look(after=30)).activity.state is ActivityState.BUSY


async def test_message_that_an_interrupt_puts_back_is_no_part_of_the_next_turn() -> None:
    desk = await _busy()
    await desk.agent.interrupt(SESSION)
    desk.status("idle", NOW + 1)
    look = await desk.look(screen("idle"), (2, 33), after=2)
    assert (look.activity.state, look.activity.source) == (ActivityState.IDLE, Source.STATUS_FILE)
    desk.event("UserPromptSubmit", prompt="Something else")
    desk.event("Stop", last_assistant_message="Done")
    stages = [r.stage for r in (await desk.look(after=5)).receipts]
    assert stages == [ReceiptStage.INTERRUPTED, ReceiptStage.ANSWERED]


async def test_an_interrupt_does_not_take_away_why_its_turn_failed() -> None:
    desk = await _busy()
    desk.event("StopFailure", error="invalid_request", last_assistant_message="Credit balance is too low")
    await desk.look(after=1)
    await desk.agent.interrupt(SESSION)
    look = await desk.look(screen("idle"), (2, 33), after=4)
    assert (look.activity.state, look.activity.trouble) == (ActivityState.BLOCKED, Trouble.CREDIT)


async def test_an_interrupt_is_seen_by_the_screen_where_no_signal_tells() -> None:
    desk = await _busy()
    assert desk.agent.needs_screen(SESSION)
    await desk.agent.interrupt(SESSION)
    desk.now += 1
    look = await desk.look(screen("idle"), (2, 33))
    assert (look.activity.state, look.activity.source) == (ActivityState.IDLE, Source.SCREEN)
    assert look.activity.accepts_text
    # And it stays so, also where the screen is not read.
    assert (await desk.look(after=1)).activity.state is ActivityState.IDLE


async def test_tokens_are_its_records_and_money_its_own_count() -> None:
    desk = Desk()
    message = {"id": "m1", "model": "claude-x", "usage": {"input_tokens": 100, "output_tokens": 7}}
    desk.outside[RECORD] = json.dumps({"type": "assistant", "message": message}).encode() + b"\n"
    desk.event("UserPromptSubmit", prompt="Fix it")
    desk.event("Stop")
    desk.used(0.12)
    wanted = Usage(input_tokens=100, output_tokens=7, dollars=0.12, context_percent=12, model="Opus")
    assert (await desk.look()).usage == wanted
    desk.restart()
    assert (await desk.look()).usage == wanted
    desk.place.files["/session/agent/usage.json"] = b"{half"
    assert (await desk.look()).usage == wanted


async def test_an_earlier_run_says_nothing_of_the_present_one() -> None:
    desk = Desk()
    desk.event("UserPromptSubmit", prompt="Fix it")
    desk.event("PermissionRequest", tool_name="Bash", tool_input={"command": "ls"})
    assert (await desk.look()).activity.dialog is not None
    await desk.agent.prepare(SESSION, desk.place, AgentTask(prompt="x"))
    look = await desk.look()
    assert (look.activity.state, look.activity.dialog) == (ActivityState.STARTING, None)
    assert look.conversation == "c-1"


async def _asks_leave() -> Desk:
    desk = Desk()
    desk.event("PermissionRequest", tool_name="Bash", tool_input={"command": "env > made.txt"})
    await desk.look(screen("permission"))
    return desk


async def test_keys_for_leave_are_those_of_the_dialog_on_its_screen() -> None:
    desk = await _asks_leave()
    dialog = (await desk.look(screen("permission"))).activity.dialog
    assert dialog is not None
    given = await desk.agent.answer(SESSION, desk.place, dialog, "Allow once")
    assert isinstance(given, AnswerFile)
    assert given.otherwise == Keys(keys=("1",))
    for shows in ("question", "idle", "trust_no"):
        await desk.look(screen(shows))
        given = await desk.agent.answer(SESSION, desk.place, dialog, "Allow once")
        assert isinstance(given, AnswerFile)
        assert given.otherwise is None, shows
