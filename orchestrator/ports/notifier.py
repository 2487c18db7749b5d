"""Slot `notifier`: tells people something, one way. Front ends implement it too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from orchestrator.domain.notification import Notification
from orchestrator.ports.plugin import Slot


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """The receiver took it. `detail` names where it can be found (an id, a link)."""

    detail: str = ""


class Notifier(Protocol):
    """Delivers notifications at least once; the same `key` twice is shown once where it can be."""

    async def notify(self, notification: Notification) -> Delivered:
        """Deliver within the notifier's own time limit.

        Raises `TemporaryError` when it is worth trying again (the caller does, with back-off and
        the given delay), `PermanentError` when it is not. Never says delivered when it was not.
        """

    async def ready(self) -> str:
        """Why nothing can be delivered from here now, in words; empty when all is well."""

    async def aclose(self) -> None:
        """Let go of connections. Repeatable."""


NOTIFIER: Slot[Notifier] = Slot("notifier")
