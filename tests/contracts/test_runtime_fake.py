"""The fake runtime keeps the promise of the port."""

from __future__ import annotations

import pytest
from typing_extensions import override

from orchestrator.ports.runtime import Runtime
from orchestrator.ports.session_ref import SessionRef
from orchestrator.testing.contracts.runtime import RuntimeContract
from orchestrator.testing.fakes.runtime import FakeRuntime


class TestFakeRuntime(RuntimeContract):
    @override
    @pytest.fixture
    def runtime(self) -> FakeRuntime:
        return FakeRuntime()

    @override
    def calls(self, runtime: Runtime) -> int:
        assert isinstance(runtime, FakeRuntime)
        return runtime.calls

    @override
    async def make_exit(self, runtime: Runtime, session: SessionRef, code: int) -> None:
        assert isinstance(runtime, FakeRuntime)
        runtime.exit(session.id, code)
