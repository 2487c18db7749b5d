"""An account of ours that a service refuses, in a house."""

from __future__ import annotations

from collections.abc import Sequence

from typing_extensions import override

from orchestrator.ports.account import AccountState, HasAccounts
from orchestrator.ports.plugin import Options, Plugin
from orchestrator.ports.scm import SCM
from orchestrator.testing.fakes.scm import FakeScm
from tests.unit.bot.house import House


class RefusedScm(FakeScm, HasAccounts):
    def __init__(self, words: str) -> None:
        super().__init__()
        self._words = words

    @override
    def accounts(self) -> Sequence[AccountState]:
        return [AccountState(name="TOKEN at forge", refused=self._words)]


def use_account(house: House, words: str) -> None:
    """Have a plugin whose account is refused."""
    made = RefusedScm(words)
    name = "guarded"
    house.core.registry.add(
        Plugin(slot=SCM, name=name, summary="", create=lambda _options, _context: made, options=Options), name
    )
    house.core.registry.create(SCM, name, {})
