"""The fake agent keeps the promise of the port."""

from __future__ import annotations

import pytest
from typing_extensions import override

from orchestrator.domain.activity import ActivityState
from orchestrator.domain.ids import session_id
from orchestrator.ports.runtime import Runtime
from orchestrator.testing.contracts.agent import SignallingAgentContract
from orchestrator.testing.fakes.agent import FakeAgent
from orchestrator.testing.fakes.runtime import FakeRuntime, FakeTerminal

LONG = "Take your time."
SESSION = session_id("demo-1")


class _Agent(FakeAgent):
    """Takes long over one task."""

    @override
    def program(self, terminal: FakeTerminal) -> None:
        self.slow = any(task.prompt == LONG for task in self.tasks.values())
        super().program(terminal)


class TestFakeAgent(SignallingAgentContract):
    long_task = LONG

    @override
    @pytest.fixture
    def agent(self) -> FakeAgent:
        return _Agent(now=lambda: 1_000.0)

    @override
    @pytest.fixture
    def runtime(self, agent: FakeAgent) -> Runtime:
        return FakeRuntime(program=agent.program)


def test_the_fake_says_what_a_test_lets_it_say() -> None:
    agent = FakeAgent()
    agent.says(SESSION, ActivityState.PERMISSION, tool="rm")
    assert agent.looks[SESSION].activity.tool == "rm"
