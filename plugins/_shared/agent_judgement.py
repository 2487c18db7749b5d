"""One look at one agent: what its signals, its title and its screen say together. Pure.

Its own signals are believed first, the title next, the screen last. Where they contradict each other,
both are told, and text is typed only if none of them says that the prompt does not wait.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from orchestrator.domain.activity import Activity, ActivityState, Source
from plugins._shared.agent_screen import Shown
from plugins._shared.agent_signals import Signalled

SETTLING = 3.0
"""Seconds after a signal in which the screen may still show what was before."""

_NO_WORD = frozenset({ActivityState.UNKNOWN, ActivityState.STARTING})
_WAITS = frozenset({ActivityState.ASKING, ActivityState.PERMISSION})
_AT_PROMPT = frozenset({ActivityState.IDLE, ActivityState.LIMITED, ActivityState.BLOCKED})
"""Its turn is over, well or not: its prompt waits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Everything that one look at one agent brought."""

    signalled: Signalled
    source: Source
    title: Shown | None
    screen: Shown | None
    screen_read: bool
    alive: bool
    now: float
    quiet_after: float
    """Seconds of silence after which a busy agent's screen is believed more than its last signal."""
    unfamiliar: str = ""
    """The screen's last lines, where they fit none of the patterns of an agent whose signals tell the rest."""

    @property
    def settled(self) -> bool:
        """The signal is old enough for the screen to show it."""
        return self.now - self.signalled.at > SETTLING

    @property
    def quiet(self) -> bool:
        """Its signals have been silent for long."""
        return self.now - self.signalled.signal_at > self.quiet_after


def says_nothing(state: ActivityState) -> bool:
    """Whether signals of this state tell nothing of what the agent does."""
    return state in _NO_WORD


def judge(seen: Evidence) -> tuple[Activity, str]:
    """What the agent does, and in words what contradicts it."""
    state = seen.signalled.state
    if state is ActivityState.EXITED and seen.alive:
        return _by_looks(seen), "its last word was that it ended, and its terminal lives"
    if state in _NO_WORD:
        activity = _by_looks(seen)
        # A dialog may stand there that comes before its first signal, or that is new to us.
        odd = seen.unfamiliar if activity.state in _NO_WORD and seen.alive else ""
        return replace(activity, unfamiliar=odd), ""
    if seen.screen is not None and _overruled(state, seen):
        words = f"its {seen.source.value} says {state.value}, its screen shows {seen.screen.state.value}"
        return _by_looks(seen), words
    activity = _by_signal(seen)
    works = seen.title is not None and seen.title.state is ActivityState.BUSY
    if state is ActivityState.BUSY and not activity.tool and seen.quiet and seen.alive and not works:
        return replace(activity, unfamiliar=seen.unfamiliar), ""
    return activity, ""


def _overruled(state: ActivityState, seen: Evidence) -> bool:
    """Whether the screen is to be believed more: it shows something that signals do not tell of."""
    screen = seen.screen
    if screen is None or screen.state is state or not seen.settled:
        return False
    if state is ActivityState.BUSY:
        # An interrupt in the terminal gives no signal, nor do some dialogs.
        return seen.quiet or screen.dialog is not None
    if state in _AT_PROMPT and screen.state is ActivityState.IDLE:
        return False
    return not (state in _WAITS and screen.state in _WAITS)


def _by_signal(seen: Evidence) -> Activity:
    signalled = seen.signalled
    shown = seen.screen if seen.screen is not None and seen.screen.state is ActivityState.IDLE else None
    prompt_empty = not seen.screen_read or (shown is not None and not shown.draft)
    words = f": {signalled.words}" if signalled.words else ""
    source = signalled.told_by or seen.source
    return Activity(
        state=signalled.state,
        source=source,
        at=signalled.at,
        evidence=f"{source.value} {signalled.event}{words}",
        accepts_text=signalled.state in _AT_PROMPT and seen.alive and prompt_empty,
        draft=shown.draft if shown is not None else "",
        dialog=signalled.dialog,
        tool=signalled.tools[-1][1] if signalled.tools else "",
        until=signalled.until,
        trouble=signalled.trouble,
    )


def _by_looks(seen: Evidence) -> Activity:
    """By title and screen. The prompt waits only if the screen itself shows it."""
    shown, source = (seen.title, Source.TITLE) if seen.title else (seen.screen, Source.SCREEN)
    if seen.screen is not None and (shown is None or seen.screen.dialog is not None or seen.signalled.event):
        shown, source = seen.screen, Source.SCREEN
    if shown is None:
        starting = seen.alive and not seen.screen_read
        return Activity(
            state=ActivityState.STARTING if starting or seen.signalled.event else ActivityState.UNKNOWN,
            evidence="no signal yet" if starting else "nothing that it shows is known",
        )
    prompt = seen.screen if seen.screen is not None and seen.screen.state is ActivityState.IDLE else None
    waits = prompt is not None and not prompt.draft
    return Activity(
        state=shown.state,
        source=source,
        evidence=f"{source.value} shows {shown.line!r}",
        accepts_text=waits and shown.state is ActivityState.IDLE and seen.alive,
        draft=prompt.draft if prompt is not None else "",
        dialog=shown.dialog,
        trouble=shown.trouble,
    )
