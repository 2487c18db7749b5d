"""What an agent's title and screen say, by the patterns of its profile. The least believable source."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from orchestrator.domain.activity import ActivityState, Dialog
from orchestrator.domain.outside_text import clean, excerpt, one_line
from plugins._shared.agent_profile import DialogRule, Looks, Profile

MOST_SCREEN = 40_000
"""Characters of a screen that are looked at, so that a pattern's cost is bounded."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What was recognised."""

    state: ActivityState
    line: str
    """The line that told, cleaned."""
    dialog: Dialog | None = None


def read_title(profile: Profile, title: str) -> Shown | None:
    """What the title says; None when no pattern fits."""
    return _match(profile.patterns.title, one_line(title))


def read_screen(profile: Profile, screen: str | None) -> Shown | None:
    """What the screen says; None when it was not read or nothing fits."""
    if screen is None:
        return None
    lines = [line.rstrip() for line in clean(screen[-MOST_SCREEN:]).splitlines() if line.strip()]
    shown = "\n".join(lines[-profile.patterns.screen.lines :])
    for rule in profile.dialogs:
        match = re.search(rule.pattern, shown, re.MULTILINE)
        if match:
            state = ActivityState.PERMISSION if rule.permission else ActivityState.ASKING
            return Shown(state, one_line(match.group()), _dialog(rule, match))
    return _match(profile.patterns.screen, shown)


def dialog_id(name: str, *parts: str) -> str:
    """A dialog's id: changes with what is asked."""
    return f"{name}:{hashlib.sha256(chr(0).join(parts).encode()).hexdigest()[:12]}"


def _dialog(rule: DialogRule, match: re.Match[str]) -> Dialog:
    text = excerpt(match.groupdict().get("text") or match.group(), 1000).strip()
    return Dialog(
        id=dialog_id(rule.name, text), text=text, options=tuple(choice.label for choice in rule.choices)
    )


def _match(looks: Looks, text: str) -> Shown | None:
    for state, patterns in looks.states():
        for pattern in patterns:
            match = re.search(pattern, text, re.MULTILINE)
            if match:
                return Shown(state, one_line(match.group(), 80))
    return None
