"""The console as a notifier: what concerns no session stands above the board; what is urgent may call a hidden tab."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from typing_extensions import override

from bot.frontends.web.board import View
from orchestrator.domain.event import Level
from orchestrator.domain.notification import Notification
from orchestrator.ports.notifier import Delivered, Notifier

MOST = 20
"""Notices that are shown; older ones are in `ao events`, as are all after a restart."""
CALLS = frozenset({Level.URGENT, Level.ACTION})
"""Levels of which a browser may tell whoever looks elsewhere."""


class Notices(Notifier):
    """Keeps what is shown, and hands each one on to the pages that are open."""

    def __init__(self, tell: Callable[[Notification], None]) -> None:
        self._tell = tell
        self._shown: deque[Notification] = deque(maxlen=MOST)
        self._keys: deque[str] = deque(maxlen=1000)

    @override
    async def notify(self, notification: Notification) -> Delivered:
        if notification.key not in self._keys:
            self._keys.append(notification.key)
            if not notification.session:
                self._shown.append(notification)
            self._tell(notification)
        return Delivered(detail="shown in the console")

    @override
    async def ready(self) -> str:
        return ""

    @override
    async def aclose(self) -> None:
        """There is nothing to let go of."""

    def shown(self, view: View) -> tuple[Notification, ...]:
        """What stands above the board of somebody, newest first."""
        return tuple(notice for notice in reversed(self._shown) if visible(notice, view))


def visible(notice: Notification, view: View) -> bool:
    """Whether somebody may see it: what names no project concerns those who see all."""
    return view.visible is None or notice.project in view.visible


def calls(notices: list[Notification], view: View) -> tuple[Notification, ...]:
    """Those of which a browser may tell whoever looks elsewhere."""
    return tuple(notice for notice in notices if notice.level in CALLS and visible(notice, view))
