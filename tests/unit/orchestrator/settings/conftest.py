"""A configuration from a text, in a home that holds nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator.settings.loader import Loaded, load

Write = Callable[..., Loaded]


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """An environment with homes of its own."""
    return {"HOME": str(tmp_path / "user"), "AO_HOME": str(tmp_path / "home")}


@pytest.fixture
def write(tmp_path: Path, env: dict[str, str]) -> Write:
    """Load a text as `agent-orchestrator.yaml`, with extra variables."""

    def _write(text: str, **variables: str) -> Loaded:
        file = tmp_path / "repo" / "agent-orchestrator.yaml"
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return load(file, {**env, **variables})

    return _write
