"""No terminal keeps the promise of the port: it says what to type instead."""

from __future__ import annotations

from pathlib import Path

import pytest
from typing_extensions import override

from orchestrator.ports.plugin import PluginContext
from orchestrator.ports.terminal import Terminal
from orchestrator.testing.contracts.terminal import TerminalContract
from plugins.terminal.none import PLUGIN


class TestNoTerminal(TerminalContract):
    available = False

    @override
    @pytest.fixture
    def terminal(self, tmp_path: Path) -> Terminal:
        return PLUGIN.create(PLUGIN.options(), PluginContext(home=tmp_path, data=str))
