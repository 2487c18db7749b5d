"""tmux keeps the promise of the runtime port."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from typing_extensions import override

from orchestrator.ports.plugin import PluginContext
from orchestrator.ports.runtime import Runtime
from orchestrator.testing.contracts.runtime_programs import TerminalContract
from plugins.runtime.tmux import PLUGIN


@pytest.mark.tmux
class TestTmuxRuntime(TerminalContract):
    @override
    @pytest.fixture
    def runtime(self, tmp_path: Path) -> Iterator[Runtime]:
        server = f"ao-test-{uuid4().hex[:8]}"
        yield PLUGIN.create(PLUGIN.options(), PluginContext(home=tmp_path / "home", data=str, server=server))
        subprocess.run(["tmux", "-L", server, "kill-server"], check=False, capture_output=True)
