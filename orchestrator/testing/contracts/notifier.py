"""What every notifier must do. Subclass `NotifierContract`, give `notifier`, `received` and `break_receiver`."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from orchestrator.domain.event import Level
from orchestrator.domain.notification import Notification, NotificationAction
from orchestrator.errors import PermanentError, TemporaryError
from orchestrator.ports.notifier import Delivered, Notifier

HOSTILE = "<b>a</b> \"; touch trap; $(touch trap) `touch trap` 'x \\ -- --help %s {0}"


def notification(number: int = 1, level: Level = Level.ACTION, title: str = "") -> Notification:
    """One notification with everything in it."""
    return Notification(
        key=f"demo-1:{number}",
        level=level,
        title=title or f"CI failed for the {number}. time",
        lines=("tests: 2 of 30 failed", "E   assert 1 == 2"),
        project="demo",
        session="demo-1",
        event_type="ci.failing",
        at=1_800_000_000.0,
        link="https://example.org/pull/7",
        actions=(NotificationAction(label="Retry", verb="retry demo-1"),),
    )


class NotifierContract:
    """The promise of `orchestrator.ports.notifier`, as tests."""

    @pytest.fixture
    def notifier(self) -> Notifier:
        """A notifier whose receiver works."""
        raise NotImplementedError

    async def received(self) -> Sequence[str]:
        """All that the receiver got, one text for each notification that it shows."""
        raise NotImplementedError

    async def break_receiver(self) -> None:
        """From now on the receiver takes nothing."""
        raise NotImplementedError

    async def test_what_is_delivered_is_at_the_receiver(self, notifier: Notifier) -> None:
        assert isinstance(await notifier.notify(notification()), Delivered)
        (text,) = await self.received()
        for words in ("CI failed for the 1. time", "2 of 30 failed", "demo-1"):
            assert words in text

    @pytest.mark.parametrize("level", list(Level))
    async def test_every_level_is_delivered(self, notifier: Notifier, level: Level) -> None:
        await notifier.notify(notification(level=level))
        assert len(await self.received()) == 1

    async def test_other_notifications_are_shown_beside_it(self, notifier: Notifier) -> None:
        for number in (1, 2, 3):
            await notifier.notify(notification(number))
        assert len(await self.received()) == 3

    async def test_outside_text_is_only_text(self, notifier: Notifier) -> None:
        await notifier.notify(notification(title=HOSTILE))
        (text,) = await self.received()
        assert "touch trap" in text

    async def test_it_never_says_delivered_when_it_was_not(self, notifier: Notifier) -> None:
        await self.break_receiver()
        with pytest.raises((TemporaryError, PermanentError)):
            await notifier.notify(notification())
        assert len(await self.received()) == 0

    async def test_it_is_ready(self, notifier: Notifier) -> None:
        assert await notifier.ready() == ""

    async def test_closing_twice_is_no_error(self, notifier: Notifier) -> None:
        await notifier.notify(notification())
        await notifier.aclose()
        await notifier.aclose()
