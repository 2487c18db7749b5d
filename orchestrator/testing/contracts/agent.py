"""What every agent plugin must do. Subclass a contract, give the fixtures `agent` and `runtime`, and run it.

`SignallingAgentContract` is for an agent with signals of its own, `AgentContract` for any other. The agent's real program runs in the runtime that the subclass gives.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from typing_extensions import override

from orchestrator.domain.activity import ActivityState, Dialog, Receipt, ReceiptStage
from orchestrator.domain.ids import ProjectId, session_id
from orchestrator.domain.look import Seen, Unseen
from orchestrator.domain.message import digest
from orchestrator.domain.project import Project
from orchestrator.errors import BadInput, TemporaryError
from orchestrator.lifecycle import agent_folder
from orchestrator.ports.agent import (
    Agent,
    AgentLook,
    AgentTask,
    AgentView,
    AnswerFile,
    ClearsPrompt,
    Prepared,
)
from orchestrator.ports.place import Entry, Place
from orchestrator.ports.runtime import Presence, Runtime, RuntimeLook, Text
from orchestrator.ports.session_ref import SessionRef
from orchestrator.testing.fakes.place import FakePlace
from orchestrator.testing.waiting import eventually

TASK = "Say hello.\n\nPolitely: `$HOME` \"quoted\" 'quoted' \\ ünïcode."


@dataclass(frozen=True)
class Started:
    """An agent that runs."""

    agent: Agent
    runtime: Runtime
    session: SessionRef
    place: Place
    prepared: Prepared
    patience: float = 10.0
    """Seconds after which something that should be seen counts as not coming."""

    async def look(self) -> AgentLook:
        """One look, as the lifecycle makes it."""
        screens = [self.session.id] if self.agent.needs_screen(self.session) else []
        seen = (await self.runtime.observe([self.session], screens))[self.session.id]
        assert isinstance(seen, Seen), seen
        view = AgentView(session=self.session, place=self.place, runtime=seen.value)
        answer = (await self.agent.observe([view]))[self.session.id]
        assert isinstance(answer, Seen), answer
        return answer.value

    async def until(self, wanted: Callable[[AgentLook], object]) -> AgentLook:
        """Look until what is seen is as wanted. Whether the folder is trusted, a person answers by yes."""

        async def look() -> AgentLook:
            look = await self.look()
            dialog = look.activity.dialog
            if dialog is not None and dialog.remember:
                await self.give(dialog, dialog.options[0])
                await asyncio.sleep(0.3)
            return look

        return await eventually(look, wanted, self.patience)

    async def give(self, dialog: Dialog, answer: str) -> None:
        """Answer a dialog as the lifecycle does."""
        given = await self.agent.answer(self.session, self.place, dialog, answer)
        if isinstance(given, AnswerFile):
            await self.place.write(given.path, given.data)
        else:
            await self.runtime.send(self.session, given)

    async def until_it_waits(self) -> AgentLook:
        """Look until the agent's prompt waits for text; what it put back there is taken away."""
        while True:
            look = await self.until(lambda look: look.activity.accepts_text or look.activity.draft)
            if look.activity.accepts_text or not isinstance(self.agent, ClearsPrompt):
                return look
            await self.runtime.send(self.session, self.agent.clear())
            await asyncio.sleep(0.5)

    async def shows(self, *texts: str) -> None:
        """Wait until its screen shows these, however it wraps them: it may draw after its own signals came."""

        async def look() -> str:
            seen = (await self.runtime.observe([self.session], [self.session.id]))[self.session.id]
            return "".join(str(seen.value.screen).split()) if isinstance(seen, Seen) else ""

        wanted = ["".join(text.split()) for text in texts]
        await eventually(look, lambda screen: all(text in screen for text in wanted), self.patience)

    async def type(self, text: str) -> None:
        """Type a message and submit it."""
        await self.runtime.send(self.session, Text(text=text))


Start = Callable[..., Awaitable[Started]]


class AgentContract:
    """The promise of `orchestrator.ports.agent`, as tests."""

    long_task = ""
    """A task that keeps the agent busy until it is interrupted."""
    patience = 10.0
    """Seconds; more for a program that takes long on a busy machine."""

    @pytest.fixture
    def agent(self) -> Agent:
        """The plugin."""
        raise NotImplementedError

    @pytest.fixture
    def runtime(self, agent: Agent) -> Runtime:
        """A runtime that the agent's program can run in."""
        raise NotImplementedError

    @pytest.fixture
    def session(self, tmp_path: Path) -> SessionRef:
        """A session with a workspace."""
        folder = tmp_path / "home" / "projects" / "demo" / "sessions" / "demo-1"
        workspace = tmp_path / "home" / "projects" / "demo" / "worktrees" / "demo-1"
        for path in (folder, workspace):
            path.mkdir(parents=True, mode=0o700)
        project = Project(
            id=ProjectId("demo"),
            name="demo",
            path=tmp_path / "repository",
            default_branch="main",
            prefix="demo",
            folder=tmp_path / "home" / "projects" / "demo",
        )
        return SessionRef(
            id=session_id("demo-1"),
            project=project,
            folder=folder,
            branch="feat/1",
            workspace=str(workspace),
            environment={
                "PATH": "/usr/local/bin:/usr/bin:/bin",
                "AO_SESSION_DIR": str(folder),
                "HOME": str(folder),
            },
        )

    @pytest.fixture
    def start(self, agent: Agent, runtime: Runtime, session: SessionRef) -> Start:
        """Starts the agent with a task."""

        async def start(prompt: str = TASK, *, resume: bool = False, conversation: str = "") -> Started:
            place = await runtime.place(session)
            await agent_folder.install(place)
            await place.write(f"{place.folder}/prompt.md", prompt.encode())
            task = AgentTask(prompt=prompt, resume=resume, conversation=conversation)
            prepared = await agent.prepare(session, place, task)
            await runtime.start(session, prepared.launch)
            started = Started(agent, runtime, session, place, prepared, self.patience)
            if not prepared.prompt_given:
                await started.until_it_waits()
                await started.type(prompt)
            return started

        return start

    async def test_it_takes_its_task_and_then_waits(self, start: Start) -> None:
        started = await start()
        look = await started.until_it_waits()
        assert look.activity.state is ActivityState.IDLE
        assert look.activity.evidence

    async def test_after_a_message_it_waits_again(self, start: Start) -> None:
        started = await start()
        await started.until_it_waits()
        await started.type("A second thing.\nIt has `two` lines.")
        await started.until_it_waits()

    async def test_an_interrupted_turn_ends_at_the_prompt(self, start: Start) -> None:
        started = await start(self.long_task)
        await started.until(lambda look: look.activity.state is ActivityState.BUSY)
        assert not (await started.look()).activity.accepts_text
        await started.runtime.send(started.session, await started.agent.interrupt(started.session))
        await started.until_it_waits()

    async def test_preparing_is_repeatable_and_leaves_the_workspace_alone(
        self, agent: Agent, runtime: Runtime, session: SessionRef
    ) -> None:
        place = await runtime.place(session)
        session = replace(session, workspace=f"{place.workspaces}/{session.id}")
        task = AgentTask(prompt=TASK)
        first = await agent.prepare(session, place, task)
        assert await agent.prepare(session, place, task) == first
        assert await place.list(session.workspace) == ()
        assert first.launch.argv
        assert first.launch.cwd == session.workspace

    async def test_a_terminal_without_its_program_takes_no_text(self, start: Start) -> None:
        started = await start()
        await started.until_it_waits()
        look = await _seen(started, RuntimeLook(presence=Presence.EXITED, exit_code=1, screen="> "))
        assert not look.activity.accepts_text

    async def test_a_dialog_takes_only_its_own_answers(
        self, agent: Agent, runtime: Runtime, session: SessionRef
    ) -> None:
        dialog = Dialog(id="event:1", text="Run it?", options=("Yes", "No"))
        with pytest.raises(BadInput):
            await agent.answer(session, await runtime.place(session), dialog, "rm -rf /")

    async def test_nobody_to_look_at_is_no_trouble(self, agent: Agent) -> None:
        assert await agent.observe([]) == {}


class SignallingAgentContract(AgentContract):
    """Further, for an agent that tells what it does and which texts it got, and that can be resumed."""

    async def test_its_task_has_a_receipt(self, start: Start) -> None:
        started = await start()
        look = await started.until(lambda look: _receipt(look, TASK, ReceiptStage.ANSWERED))
        assert look.signal_at > 0

    async def test_a_message_is_followed_until_it_is_answered(self, start: Start) -> None:
        started = await start()
        await started.until_it_waits()
        message = "A second thing.\nIt has `two` lines."
        await started.type(message)
        look = await started.until(lambda look: _receipt(look, message, ReceiptStage.ANSWERED))
        assert look.activity.accepts_text

    async def test_it_goes_on_in_its_conversation(self, start: Start) -> None:
        started = await start()
        # Its prompt may stand on the screen before its own signals name the conversation.
        look = await started.until(lambda look: look.activity.accepts_text and look.conversation)
        await started.runtime.stop(started.session)
        again = await start(resume=True, conversation=look.conversation)
        after = await again.until(lambda look: look.activity.accepts_text and look.conversation)
        assert after.conversation == look.conversation

    async def test_signals_of_an_earlier_run_do_not_tell_of_this_one(
        self, start: Start, agent: Agent
    ) -> None:
        started = await start()
        await started.until_it_waits()
        await agent.prepare(started.session, started.place, AgentTask(prompt=TASK))
        look = await _seen(started, RuntimeLook(presence=Presence.ALIVE))
        assert look.activity.state in {ActivityState.STARTING, ActivityState.UNKNOWN}

    async def test_one_that_cannot_be_looked_at_does_not_spoil_the_others(self, start: Start) -> None:
        started = await start()
        await started.until_it_waits()
        other = replace(started.session, id=session_id("demo-2"))
        alive = RuntimeLook(presence=Presence.ALIVE)
        views = [
            AgentView(session=other, place=Unreachable(), runtime=alive),
            AgentView(session=started.session, place=started.place, runtime=alive),
        ]
        looks = await started.agent.observe(views)
        assert set(looks) == {other.id, started.session.id}
        assert isinstance(looks[started.session.id], Seen)
        failed = looks[other.id]
        assert isinstance(failed, Unseen)
        assert "unplugged" in failed.reason


class Unreachable(FakePlace):
    """A place that cannot be reached."""

    @override
    async def list(self, path: str) -> tuple[Entry, ...]:
        msg = f"{path}: the cable is unplugged."
        raise TemporaryError(msg)


def _receipt(look: AgentLook, text: str, stage: ReceiptStage) -> Receipt | None:
    wanted = digest(text)
    return next((r for r in look.receipts if r.text_digest == wanted and r.stage is stage), None)


async def _seen(started: Started, runtime: RuntimeLook) -> AgentLook:
    view = AgentView(session=started.session, place=started.place, runtime=runtime)
    answer = (await started.agent.observe([view]))[started.session.id]
    assert isinstance(answer, Seen)
    return answer.value
