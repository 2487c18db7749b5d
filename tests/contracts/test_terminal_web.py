"""The console's terminal keeps the promise of the port: it says its address, or what to do where there is none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from typing_extensions import override

from orchestrator.errors import NotReady
from orchestrator.ports.plugin import PluginContext
from orchestrator.ports.terminal import Terminal
from orchestrator.testing.contracts.terminal import TerminalContract, attach
from plugins.terminal.web import PLUGIN


class TestWebTerminal(TerminalContract):
    @override
    @pytest.fixture
    def terminal(self, tmp_path: Path) -> Terminal:
        return PLUGIN.create(PLUGIN.options(), PluginContext(home=tmp_path, data=str))

    async def test_the_address_is_said(self, terminal: Terminal) -> None:
        assert "http://127.0.0.1:8410/sessions/demo-1/terminal" in await terminal.open(attach())

    async def test_without_a_console_it_says_what_to_type(self, terminal: Terminal) -> None:
        with pytest.raises(NotReady, match="Type: attach-to demo-1"):
            await terminal.open(replace(attach(), link=""))
