"""Claude Code, the real program in a real tmux against a model server of ours, keeps the agent port's promise."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pytest
from typing_extensions import override

from orchestrator import resources
from orchestrator.domain.activity import ActivityState, Trouble
from orchestrator.ports.agent import Agent
from orchestrator.ports.plugin import PluginContext
from orchestrator.ports.runtime import Keys
from orchestrator.testing.contracts.agent import Start
from plugins.agent.claude_code import PLUGIN
from tests.contracts import real_agents
from tests.contracts.real_agent_contract import RealAgent, RealAgentLeave, RealAgentPromise
from tests.contracts.real_agents import ModelServer, says

pytestmark = [pytest.mark.slow, pytest.mark.tmux, pytest.mark.timeout(700)]


class ClaudeCode(RealAgent):
    @override
    @pytest.fixture
    def agent(self, tmp_path: Path, server: ModelServer) -> Agent:
        options = PLUGIN.options.model_validate(
            {"program": [real_agents.program("claude-code")], "permissions": self.permissions}
        )
        context = PluginContext(
            home=tmp_path / "home",
            data=resources.text,
            now=time.time,
            environment=real_agents.environment(server),
        )
        return PLUGIN.create(options, context)


class TestPromise(RealAgentPromise, ClaudeCode):
    async def test_what_it_used_is_counted_once(self, start: Start) -> None:
        started = await start(
            f"Count. {says({'text_before': 'I look.', 'sh': 'true', 'usage': [100, 10]}, {'say': 'Done.', 'usage': [200, 20]})}"
        )
        look = await started.until(lambda look: look.usage is not None and look.usage.output_tokens >= 30)
        assert look.usage is not None
        assert (look.usage.input_tokens, look.usage.output_tokens) == (300, 30)
        look = await started.until(lambda look: look.usage is not None and look.usage.dollars)
        assert look.usage is not None
        assert look.usage.model

    async def test_a_running_tool_is_named(self, start: Start) -> None:
        started = await start(self.long_task)
        look = await started.until(lambda look: look.activity.tool)
        assert (look.activity.state, look.activity.tool) == (ActivityState.BUSY, "Bash")

    async def test_interrupted_before_it_began_its_text_stands_in_the_prompt_again(
        self, start: Start, server: ModelServer
    ) -> None:
        hang = f"Hang. {says({'hang': 600})}"
        started = await start(hang)
        for _ in range(5):
            before = len(server.played())
            await started.until(lambda _look: len(server.played()) > before)  # noqa: B023
            await started.runtime.send(started.session, await started.agent.interrupt(started.session))
            look = await started.until(lambda look: look.activity.draft or look.activity.accepts_text)
            if look.activity.draft:
                break
            # On a busy machine it had shown something already, and so has begun: once more.
            await started.type(hang)
        assert look.activity.draft.startswith("Hang.")
        assert not look.activity.accepts_text
        clear = started.agent.clear()  # type: ignore[attr-defined]
        assert isinstance(clear, Keys)
        await started.runtime.send(started.session, clear)
        await started.until_it_waits()

    @pytest.mark.parametrize(
        ("status", "words", "trouble", "state"),
        [
            (401, "stub", Trouble.LOGIN, ActivityState.BLOCKED),
            (
                400,
                "prompt is too long: 250000 tokens > 200000 maximum",
                Trouble.CONTEXT,
                ActivityState.BLOCKED,
            ),
            (400, "Your credit balance is too low", Trouble.CREDIT, ActivityState.BLOCKED),
            (400, "stub", Trouble.REFUSED, ActivityState.BLOCKED),
            (429, "stub", Trouble.RATE, ActivityState.LIMITED),
            (529, "stub", Trouble.OVERLOAD, ActivityState.LIMITED),
        ],
    )
    async def test_what_stops_it_is_told_apart(
        self, start: Start, status: int, words: str, trouble: Trouble, state: ActivityState
    ) -> None:
        await self.is_told_apart(start, status, words, trouble, state)

    async def test_killed_it_goes_on_in_its_conversation(self, start: Start) -> None:
        started = await start()
        look = await started.until(lambda look: look.activity.accepts_text and look.conversation)
        seen = (await started.runtime.observe([started.session]))[started.session.id]
        await started.place.run(["kill", "-9", str(seen.value.pid)])  # type: ignore[union-attr]
        await started.runtime.stop(started.session)
        again = await start(resume=True, conversation=look.conversation)
        await again.until_it_waits()
        assert again.agent is started.agent


class TestLeave(RealAgentLeave, ClaudeCode):
    """Dialogs about leave, with the default mode."""

    permissions = "auto-edit"
    asks: ClassVar = {"sh": "env > made.txt"}

    @pytest.mark.parametrize(
        ("answer", "runs"), [("Allow once", True), ("Allow always", True), ("Deny", False)]
    )
    async def test_a_command_runs_only_with_leave(self, start: Start, answer: str, runs: bool) -> None:
        await self.runs_only_with_leave(start, answer, runs)

    async def test_its_own_question_is_answered(self, start: Start) -> None:
        question = {
            "question": "One word or two?",
            "header": "Words",
            "multiSelect": False,
            "options": [
                {"label": "One word", "description": "as one"},
                {"label": "Two words", "description": "as two"},
            ],
        }
        started = await start(
            f"Ask. {says({'tool': 'AskUserQuestion', 'input': {'questions': [question]}}, {'say': 'Good.'})}"
        )
        look = await started.until(lambda look: look.activity.dialog and not look.activity.dialog.remember)
        dialog = look.activity.dialog
        assert dialog is not None
        assert look.activity.state is ActivityState.ASKING
        assert dialog.options == ("One word", "Two words")
        assert dialog.text.startswith("One word or two?")
        await started.give(dialog, "Two words")
        await started.until_it_waits()
        await started.shows("Two words")

    async def test_each_of_its_questions_gets_its_own_answer(self, start: Start) -> None:
        def asks(question: str, *labels: str, many: bool = False) -> dict[str, object]:
            options = [{"label": label, "description": f"as {label}"} for label in labels]
            return {"question": question, "header": "Choice", "multiSelect": many, "options": options}

        questions = [asks("Which colour?", "red", "blue"), asks("Which sizes?", "small", "large", many=True)]
        step = {"tool": "AskUserQuestion", "input": {"questions": questions}}
        started = await start(f"Ask. {says(step, {'say': 'Good.'})}")
        look = await started.until(lambda look: look.activity.dialog and not look.activity.dialog.remember)
        dialog = look.activity.dialog
        assert dialog is not None
        assert [(a.options, a.many) for a in dialog.further] == [(("small", "large"), True)]
        await started.give(replace(dialog, given=("blue",)), "small, large")
        await started.until_it_waits()
        await started.shows("Which colour? → blue", "Which sizes? → small, large")
