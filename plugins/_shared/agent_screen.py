"""What an agent's title and screen say, by the patterns of its profile. The least believable source."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from orchestrator.domain.activity import PASTED, ActivityState, Dialog, Trouble
from orchestrator.domain.outside_text import clean, excerpt, one_line
from plugins._shared.agent_dialogs import dialog_id
from plugins._shared.agent_profile import Profile
from plugins._shared.agent_troubles import PASSES, trouble_of
from plugins._shared.profile_looks import DialogRule, Looks, Prompt

MOST_SCREEN = 40_000
"""Characters of a screen that are looked at, so that a pattern's cost is bounded."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What was recognised."""

    state: ActivityState
    line: str
    """The line that told, cleaned."""
    dialog: Dialog | None = None
    draft: str = ""
    """What stands in the agent's prompt already, not sent; empty also where nobody can tell."""
    trouble: Trouble | None = None
    rule: DialogRule | None = None
    """How `dialog` is answered as it stands now."""


def read_title(profile: Profile, title: str) -> Shown | None:
    """What the title says; None when no pattern fits."""
    return _match(profile.patterns.title, one_line(title))


def read_screen(profile: Profile, screen: str | None, cursor: tuple[int, int] | None = None) -> Shown | None:
    """What the screen says; None when it was not read or nothing fits."""
    if screen is None:
        return None
    lines = [line.rstrip() for line in clean(screen[-MOST_SCREEN:]).splitlines() if line.strip()]
    shown = "\n".join(lines[-profile.patterns.screen.lines :])
    for rule in profile.dialogs:
        match = re.search(rule.pattern, shown, re.MULTILINE)
        if match:
            state = ActivityState.PERMISSION if rule.permission else ActivityState.ASKING
            return Shown(state, one_line(match.group()), _dialog(rule, match), rule=rule)
    found = _match(profile.patterns.screen, shown)
    if found is not None and found.state in {ActivityState.LIMITED, ActivityState.BLOCKED}:
        trouble = trouble_of(profile.troubles, found.line)
        # However often it tries again, a lost login does not come back by that.
        lasts = trouble is not None and trouble not in PASSES
        return replace(found, trouble=trouble, state=ActivityState.BLOCKED if lasts else found.state)
    if found is not None and found.state is ActivityState.IDLE and profile.patterns.prompt is not None:
        return replace(found, draft=_draft(profile.patterns.prompt, screen.splitlines(), cursor))
    return found


def last_lines(screen: str) -> str:
    """What stands at the end of a screen, on one line, for a person; empty where nothing does."""
    lines = [line.strip() for line in clean(screen[-MOST_SCREEN:]).splitlines() if line.strip()]
    return one_line(" / ".join(lines[-3:]), 160)


def _draft(prompt: Prompt, lines: Sequence[str], cursor: tuple[int, int] | None) -> str:
    """What stands in the prompt, from its first line to the cursor."""
    if cursor is None or cursor[1] >= len(lines):
        return ""
    column, row = cursor
    begins = next((n for n in range(row, -1, -1) if re.search(prompt.line, lines[n])), None)
    if begins is None or (begins == row and column <= prompt.column):
        return ""
    written = "\n".join(line[prompt.column :].rstrip() for line in lines[begins : row + 1])
    if prompt.pasted:
        written = re.sub(prompt.pasted, PASTED, written)
    return clean(written).strip() or "(blank)"


def _dialog(rule: DialogRule, match: re.Match[str]) -> Dialog:
    text = excerpt(match.groupdict().get("text") or match.group(), 1000).strip()
    return Dialog(
        id=dialog_id(rule.name, text),
        text=text,
        options=tuple(choice.label for choice in rule.choices),
        remember=rule.remember,
    )


def _match(looks: Looks, text: str) -> Shown | None:
    for state, patterns in looks.states():
        for pattern in patterns:
            match = re.search(pattern, text, re.MULTILINE)
            if match:
                return Shown(state, one_line(match.group(), 80))
    return None
