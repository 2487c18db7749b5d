"""Agent `custom`, known by patterns alone, keeps the promise of the agent port: a program in a real tmux."""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest
from typing_extensions import override

from orchestrator import resources
from orchestrator.ports.agent import Agent
from orchestrator.ports.plugin import PluginContext
from orchestrator.ports.runtime import Runtime
from orchestrator.testing.contracts.agent import AgentContract
from plugins.agent.custom import PLUGIN
from tests.contracts.real_tmux import tmux_runtime

PATTERNS = {
    "screen": {"lines": 1, "busy": [r"\(esc to interrupt\)$"], "idle": ["^>"]},
}


class Custom(AgentContract):
    """The rehearsal agent's program again, of which nothing but its screen is looked at."""

    long_task = f"```rehearsal\n{json.dumps([{'hang': True}])}\n```\n"
    options: ClassVar[dict[str, object]] = {}

    @override
    @pytest.fixture
    def agent(self, tmp_path: Path) -> Agent:
        program = shutil.which("ao-rehearsal", path=str(Path(sys.executable).parent))
        options = PLUGIN.options.model_validate(
            {"program": [program], "patterns": PATTERNS, "permissions": "auto-edit", **self.options}
        )
        return PLUGIN.create(options, PluginContext(home=tmp_path, data=resources.text, now=time.time))

    @override
    @pytest.fixture
    def runtime(self, tmp_path: Path) -> Iterator[Runtime]:
        with tmux_runtime(tmp_path) as runtime:
            yield runtime


@pytest.mark.tmux
class TestCustomTyped(Custom):
    options: ClassVar[dict[str, object]] = {"launch": ["{program}"], "prompt": "typed"}


@pytest.mark.tmux
class TestCustomFile(Custom):
    options: ClassVar[dict[str, object]] = {
        "launch": ["{program}", "--prompt-file", "{prompt_file}"],
        "prompt": "file",
    }
