"""Asks for verbs as the owner in a shell."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bot.chat.message import Message
from bot.chat.request import Request, Surface
from orchestrator.domain.person import OWNER
from tests.unit.bot.house import Ask, House

ASKED = Request(id="r1", who=OWNER, surface=Surface.SHELL, verb="status", at=0.0)


@pytest.fixture
def ask(house: House) -> Ask:
    async def run(verb: str, /, **arguments: Any) -> Message:
        return await house.actions.run(replace(ASKED, verb=verb, arguments=arguments))

    return run


@pytest.fixture
def preview(house: House) -> Ask:
    async def run(verb: str, /, **arguments: Any) -> Message:
        return await house.actions.preview(replace(ASKED, verb=verb, arguments=arguments))

    return run
