"""The fake terminal keeps the promise of the port."""

from __future__ import annotations

import pytest
from typing_extensions import override

from orchestrator.testing.contracts.terminal import TerminalContract
from orchestrator.testing.fakes.terminal import FakeTerminal


class TestFakeTerminal(TerminalContract):
    @override
    @pytest.fixture
    def terminal(self) -> FakeTerminal:
        return FakeTerminal()
