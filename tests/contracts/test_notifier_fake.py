"""The fake notifier keeps the promise of the port."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from typing_extensions import override

from orchestrator.errors import TemporaryError
from orchestrator.testing.contracts.notifier import NotifierContract
from orchestrator.testing.fakes.notifier import FakeNotifier


class TestFakeNotifier(NotifierContract):
    @override
    @pytest.fixture(autouse=True)
    def notifier(self) -> FakeNotifier:
        self.fake = FakeNotifier()
        return self.fake

    @override
    async def received(self) -> Sequence[str]:
        return [f"{n.title} {n.lines} {n.session}" for n in self.fake.shown]

    @override
    async def break_receiver(self) -> None:
        self.fake.broken = TemporaryError("nobody there.")
