"""A real tmux server for one test, ended with it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from orchestrator.ports.plugin import PluginContext
from orchestrator.ports.runtime import Runtime
from plugins.runtime.tmux import PLUGIN


@contextmanager
def tmux_runtime(tmp_path: Path) -> Iterator[Runtime]:
    """The tmux runtime on a socket of its own."""
    server = f"ao-test-{uuid4().hex[:8]}"
    try:
        yield PLUGIN.create(PLUGIN.options(), PluginContext(home=tmp_path / "home", data=str, server=server))
    finally:
        subprocess.run(["tmux", "-L", server, "kill-server"], check=False, capture_output=True)
