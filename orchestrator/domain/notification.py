"""What a notifier is handed: words, a link, and actions as data, in no platform's dialect."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.domain.event import Level


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationAction:
    """Something that a person can do about it, as a verb of ours."""

    label: str
    verb: str
    """A verb with its arguments, as typed after `ao`: `merge demo-1`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """One notification. `key` is the same for the same thing: a receiver shows it once."""

    key: str
    level: Level
    title: str
    lines: tuple[str, ...] = ()
    project: str = ""
    session: str = ""
    event_type: str = ""
    at: float = 0.0
    link: str = ""
    actions: tuple[NotificationAction, ...] = ()
