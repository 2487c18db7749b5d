"""An agent that does what a test says, and a program for `FakeRuntime` that behaves like one."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace

from typing_extensions import override

from orchestrator.domain.activity import (
    Activity,
    ActivityState,
    Dialog,
    Receipt,
    ReceiptStage,
    Source,
    ToolCall,
    Verdict,
)
from orchestrator.domain.ids import SessionId, session_id
from orchestrator.domain.look import Look, Seen, Unseen
from orchestrator.domain.message import digest
from orchestrator.domain.policy import PERMISSION_OPTIONS
from orchestrator.errors import AoError, BadInput
from orchestrator.ports.agent import Agent, AgentLook, AgentTask, AgentView, AnswerFile, Prepared
from orchestrator.ports.place import Place
from orchestrator.ports.runtime import Keys, Launch, Presence, Text
from orchestrator.ports.session_ref import SessionRef
from orchestrator.testing.fakes.runtime import FakeTerminal

PROGRAM = "fake-agent"
_STARTING = Activity(state=ActivityState.STARTING, evidence="no signal yet")


class FakeAgent(Agent):
    """Says what a test lets it say.

    `says` sets what a session's agent does. `program`, given to `FakeRuntime(program=...)`, plays an
    agent that answers each text at once; with `slow` it stays busy until `finish`. `screens` names
    sessions whose screen is needed. `unreadable` gives a reason for sessions that cannot be looked at,
    `fail_next` makes the next call to `prepare` fail.
    """

    def __init__(self, now: Callable[[], float] = lambda: 0.0) -> None:
        self.looks: dict[SessionId, AgentLook] = {}
        self.tasks: dict[SessionId, AgentTask] = {}
        """What each session was last prepared with."""
        self.screens: set[SessionId] = set()
        self.unreadable: dict[SessionId, str] = {}
        self.typed = False
        """The prompt is not in the launch: it must be typed."""
        self.slow = False
        self.calls = 0
        """Looks that were made, however many sessions each was for."""
        self._now = now
        self._failure: AoError | None = None
        self._dialogs = 0

    def fail_next(self, error: AoError) -> None:
        """Let the next `prepare` fail with this error."""
        self._failure = error

    def says(self, session: SessionId, state: ActivityState, **activity: object) -> None:
        """Let the agent signal something; further words are fields of `Activity`."""
        now = self._now()
        said = Activity(
            state=state,
            source=Source.HOOK,
            at=now,
            evidence=f"hook {state.value}",
            accepts_text=state is ActivityState.IDLE,
        )
        said = replace(said, **activity)  # type: ignore[arg-type]
        self.looks[session] = replace(self._look(session), activity=said, signal_at=now)

    def asks_leave(self, session: SessionId, command: str, *, shell: bool = True) -> Dialog:
        """Let the agent wait for leave to run a command. Each time it is a dialog of its own."""
        self._dialogs += 1
        dialog = Dialog(
            id=f"leave:{self._dialogs}",
            text=f"Run {command}?",
            options=PERMISSION_OPTIONS,
            call=ToolCall(tool="Bash" if shell else "Edit", argument=command, shell=shell),
        )
        self.says(session, ActivityState.PERMISSION, dialog=dialog)
        return dialog

    def gets(self, session: SessionId, text: str, stage: ReceiptStage = ReceiptStage.ACCEPTED) -> None:
        """Let the agent say that it has a message."""
        look = self._look(session)
        name, now = digest(text), self._now()
        before = next((r for r in look.receipts if r.text_digest == name), None)
        others = tuple(r for r in look.receipts if r.text_digest != name)
        accepted = now if before is None else before.since
        if before is not None and stage is ReceiptStage.ACCEPTED:
            accepted = max(now, before.since + 0.001)  # The same text again; a test's clock may stand still.
        receipt = Receipt(text_digest=name, stage=stage, at=now, evidence="hook", accepted_at=accepted)
        self.looks[session] = replace(look, receipts=(*others, receipt), signal_at=self._now())

    def finish(self, session: SessionId) -> None:
        """Let its turn end: what it got is answered, and its prompt waits."""
        look = self._look(session)
        answered = tuple(replace(r, stage=ReceiptStage.ANSWERED, at=self._now()) for r in look.receipts)
        self.looks[session] = replace(look, receipts=answered)
        self.says(session, ActivityState.IDLE)

    def program(self, terminal: FakeTerminal) -> None:
        """Behave like an agent in this terminal."""
        if terminal.launch.argv[:1] != (PROGRAM,):
            return
        session = session_id(terminal.launch.argv[1])
        if not terminal.sent:
            self.says(session, ActivityState.IDLE)
            task = self.tasks[session]
            self._hears(session, "" if self.typed or task.resume else task.prompt)
        elif isinstance(terminal.sent[-1], Text):
            self._hears(session, terminal.sent[-1].text)
        elif terminal.sent[-1].keys == ("Escape",):
            self.finish(session)
        elif self._look(session).activity.dialog is not None:
            self.says(session, ActivityState.BUSY)  # Keys in a dialog choose, and it is gone.

    @override
    async def prepare(self, session: SessionRef, place: Place, task: AgentTask) -> Prepared:
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure
        self.tasks[session.id] = task
        # What an earlier run signalled does not tell of this one.
        self.looks[session.id] = replace(self._look(session.id), activity=_STARTING)
        launch = Launch(argv=(PROGRAM, session.id), cwd=session.workspace or place.folder)
        return Prepared(launch=launch, prompt_given=not self.typed)

    @override
    async def observe(self, views: Collection[AgentView]) -> Mapping[SessionId, Look[AgentLook]]:
        self.calls += 1
        return {view.session.id: await self._seen(view) for view in views}

    @override
    def needs_screen(self, session: SessionRef) -> bool:
        return session.id in self.screens

    @override
    async def answer(
        self, session: SessionRef, place: Place, dialog: Dialog, answer: str
    ) -> Text | Keys | AnswerFile:
        if not dialog.options:
            return Text(text=answer)
        option = answer.partition(":")[0]
        if option not in dialog.options:
            msg = f"{answer!r} is no answer to this dialog."
            raise BadInput(msg, session=session.id)
        return Keys(keys=(str(dialog.options.index(option) + 1),))

    def tool_call(self, payload: str) -> ToolCall | None:
        """The call in a payload that is an object of JSON with the fields of `ToolCall`."""
        try:
            return ToolCall(**json.loads(payload))
        except (TypeError, ValueError):
            return None

    def verdict(self, verdict: Verdict, reason: str) -> str:
        """The verdict and its reason on one line."""
        return f"{verdict.value}: {reason}"

    @override
    async def interrupt(self, session: SessionRef) -> Keys:
        return Keys(keys=("Escape",))

    def _hears(self, session: SessionId, text: str) -> None:
        if not text:
            return
        self.gets(session, text)
        self.says(session, ActivityState.BUSY)
        if not self.slow:
            self.finish(session)

    def _look(self, session: SessionId) -> AgentLook:
        nothing = AgentLook(activity=_STARTING, conversation=f"fake-{session}")
        return self.looks.get(session, nothing)

    async def _seen(self, view: AgentView) -> Look[AgentLook]:
        session = view.session.id
        try:
            await view.place.list(f"{view.place.folder}/agent")  # A place that fails is a failed look.
        except AoError as error:
            return Unseen(error.what)
        if session in self.unreadable:
            return Unseen(self.unreadable[session])
        look = self._look(session)
        if view.runtime.presence is not Presence.ALIVE:
            look = replace(look, activity=replace(look.activity, accepts_text=False))
        return Seen(look)
