"""Accounts of ours at outside services: whether they are still let in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountState:
    """How the service answered one of our accounts."""

    name: str
    """`GITHUB_TOKEN at github.com`; holds no credential, and stays when the credential is renewed."""
    repository: str = ""
    """One that it is used for, `owner/name`."""
    refused: str = ""
    """Why it is not let in now, and what to do, in words; empty: it is."""


@runtime_checkable
class HasAccounts(Protocol):
    """A plugin that acts by credentials of ours, which may end."""

    def accounts(self) -> Sequence[AccountState]:
        """Those that the service has answered since the start. Makes no call."""
