"""GitHub keeps the promise of the scm port, against the fake GitHub with real git over smart HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from typing_extensions import override

from orchestrator.testing.contracts.scm import ScmBench, ScmContract
from tests.contracts.github_bench import GitHubBench

pytestmark = pytest.mark.git


class TestGitHubScm(ScmContract):
    @override
    @pytest.fixture
    def bench(self, tmp_path: Path) -> ScmBench:
        return GitHubBench(tmp_path)

    @pytest_asyncio.fixture(autouse=True)
    async def served(self, bench: GitHubBench) -> AsyncIterator[None]:
        async with bench:
            yield
        assert bench.github.control.unknown == []
