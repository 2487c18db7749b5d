"""The TCP listener for the API's tests."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.unit.bot.frontends.api.served import Served
from tests.unit.bot.house import House


@pytest.fixture
async def served(house: House) -> AsyncIterator[Served]:
    """A house, and what of it was started."""
    made = Served(house)
    yield made
    await made.close()
