"""The local forge keeps the promise of the scm port, with real git and real checks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from typing_extensions import override

from orchestrator.testing.contracts.scm import ScmBench, ScmContract
from tests.contracts.local_forge_bench import LocalBench

pytestmark = pytest.mark.git


class TestLocalScm(ScmContract):
    @override
    @pytest.fixture
    def bench(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ScmBench:
        bench = LocalBench(tmp_path)
        bench.count_git(monkeypatch)
        return bench

    @pytest_asyncio.fixture(autouse=True)
    async def checks_end(self, bench: ScmBench) -> AsyncIterator[None]:
        yield
        await bench.settled()
