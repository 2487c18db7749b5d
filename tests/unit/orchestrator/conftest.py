"""What the tests of lifecycle and services share: a ring over an empty home."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from orchestrator.testing.ring import Ring, open_ring


@pytest.fixture
async def ring(tmp_path: Path) -> AsyncIterator[Ring]:
    """A fleet on fakes, at rest. A test that lets it crash closes the one that follows."""
    made = await open_ring(tmp_path)
    yield made
    await made.close()
