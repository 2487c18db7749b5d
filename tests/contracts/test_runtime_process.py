"""Terminals that `ao` holds itself keep the promise of the runtime port."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from typing_extensions import override

from orchestrator.ports.plugin import PluginContext
from orchestrator.ports.runtime import Runtime
from orchestrator.testing.contracts.runtime_programs import TerminalContract
from plugins.runtime.process import PLUGIN, ProcessRuntime


class TestProcessRuntime(TerminalContract):
    many = 30

    @override
    @pytest.fixture
    async def runtime(self, tmp_path: Path) -> AsyncIterator[Runtime]:
        runtime = PLUGIN.create(PLUGIN.options(), PluginContext(home=tmp_path / "home", data=str))
        assert isinstance(runtime, ProcessRuntime)
        yield runtime
        await runtime.aclose()
