"""The fake place keeps the promise of the port, as far as it is about files."""

from __future__ import annotations

import pytest
from typing_extensions import override

from orchestrator.testing.contracts.place import PlaceContract
from orchestrator.testing.fakes.place import FakePlace


class TestFakePlace(PlaceContract):
    @override
    @pytest.fixture
    def place(self) -> FakePlace:
        return FakePlace()
