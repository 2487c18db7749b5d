"""The rehearsal agent, its real program in a real tmux, keeps the promise of the agent port."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from typing_extensions import override

from orchestrator import resources
from orchestrator.ports.agent import Agent
from orchestrator.ports.plugin import PluginContext
from orchestrator.ports.runtime import Runtime
from orchestrator.testing.contracts.agent import SignallingAgentContract
from plugins.agent.rehearsal import PLUGIN
from tests.contracts.real_tmux import tmux_runtime


@pytest.mark.tmux
class TestRehearsal(SignallingAgentContract):
    long_task = f"```rehearsal\n{json.dumps([{'hang': True}])}\n```\n"

    @override
    @pytest.fixture
    def agent(self, tmp_path: Path) -> Agent:
        context = PluginContext(home=tmp_path / "home", data=resources.text, now=time.time)
        return PLUGIN.create(PLUGIN.options(), context)

    @override
    @pytest.fixture
    def runtime(self, tmp_path: Path) -> Iterator[Runtime]:
        with tmux_runtime(tmp_path) as runtime:
            yield runtime
