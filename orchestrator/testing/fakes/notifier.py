"""A notifier that only remembers, for tests of whatever notifies."""

from __future__ import annotations

from typing_extensions import override

from orchestrator.domain.notification import Notification
from orchestrator.errors import AoError
from orchestrator.ports.notifier import Delivered, Notifier


class FakeNotifier(Notifier):
    """What was shown, in order, each key once. `broken` is raised by every delivery while it is set."""

    def __init__(self) -> None:
        self.shown: list[Notification] = []
        self.attempts: list[Notification] = []
        self.broken: AoError | None = None
        self.closed = False

    @override
    async def notify(self, notification: Notification) -> Delivered:
        self.attempts.append(notification)
        if self.broken is not None:
            raise self.broken
        if all(each.key != notification.key for each in self.shown):
            self.shown.append(notification)
        return Delivered(detail=notification.key)

    @override
    async def ready(self) -> str:
        return "" if self.broken is None else self.broken.what

    @override
    async def aclose(self) -> None:
        self.closed = True
