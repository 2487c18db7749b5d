"""One look: which source is believed, whether text is taken, and what contradicts what."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.domain.activity import ActivityState, Dialog, Source, Trouble
from plugins._shared.agent_judgement import Evidence, judge
from plugins._shared.agent_screen import Shown
from plugins._shared.agent_signals import Signalled

NOW = 10_000.0
S = ActivityState
LEAVE = Dialog(id="leave:1", text="Run ls?", options=("yes", "no"))
PROMPT = Shown(S.IDLE, "prompt")
DRAFT = Shown(S.IDLE, "prompt", draft="fix it")
WORKS = Shown(S.BUSY, "esc to interrupt")
MENU = Shown(S.PERMISSION, "Do you want to", dialog=LEAVE)
RETRY = Shown(S.LIMITED, "retrying in 5s", trouble=Trouble.OVERLOAD)


def _seen(
    state: ActivityState = S.UNKNOWN,
    screen: Shown | None = None,
    title: Shown | None = None,
    *,
    age: float = 10.0,
    read: bool = True,
    alive: bool = True,
) -> Evidence:
    known = state is not S.UNKNOWN
    dialog = LEAVE if state in {S.ASKING, S.PERMISSION} else None
    at = NOW - age if known else 0.0
    signalled = Signalled(state=state, at=at, signal_at=at, event=state.value if known else "", dialog=dialog)
    return Evidence(
        signalled=signalled,
        source=Source.HOOK if known else Source.NONE,
        title=title,
        screen=screen,
        screen_read=read or screen is not None,
        alive=alive,
        now=NOW,
        quiet_after=20.0,
    )


@pytest.mark.parametrize(
    ("seen", "state", "source", "takes_text", "contradicted"),
    [
        # Its own signal, with a screen that agrees or was not needed.
        (_seen(S.IDLE, read=False), S.IDLE, Source.HOOK, True, False),
        (_seen(S.IDLE, PROMPT), S.IDLE, Source.HOOK, True, False),
        (_seen(S.BUSY, WORKS), S.BUSY, Source.HOOK, False, False),
        # The prompt is not there, or something stands in it.
        (_seen(S.IDLE, DRAFT), S.IDLE, Source.HOOK, False, False),
        (_seen(S.IDLE), S.IDLE, Source.HOOK, False, False),
        (_seen(S.IDLE, PROMPT, alive=False), S.IDLE, Source.HOOK, False, False),
        # Too early: the screen may still show what was before.
        (_seen(S.IDLE, WORKS, age=1), S.IDLE, Source.HOOK, False, False),
        (_seen(S.BUSY, PROMPT, age=1), S.BUSY, Source.HOOK, False, False),
        (_seen(S.BUSY, MENU, age=1), S.BUSY, Source.HOOK, False, False),
        # A busy one is believed until it was quiet for long, except where a dialog stands.
        (_seen(S.BUSY, PROMPT, age=10), S.BUSY, Source.HOOK, False, False),
        (_seen(S.BUSY, PROMPT, age=30), S.IDLE, Source.SCREEN, True, True),
        (_seen(S.BUSY, RETRY, age=30), S.LIMITED, Source.SCREEN, False, True),
        (_seen(S.BUSY, MENU, age=5), S.PERMISSION, Source.SCREEN, False, True),
        (_seen(S.BUSY, WORKS, age=900), S.BUSY, Source.HOOK, False, False),
        (_seen(S.BUSY, read=False, age=900), S.BUSY, Source.HOOK, False, False),
        # Idle by its signal, and something else on the screen.
        (_seen(S.IDLE, WORKS), S.BUSY, Source.SCREEN, False, True),
        (_seen(S.IDLE, MENU), S.PERMISSION, Source.SCREEN, False, True),
        # Its turn ended badly: its prompt waits all the same.
        (_seen(S.LIMITED, PROMPT), S.LIMITED, Source.HOOK, True, False),
        (_seen(S.BLOCKED, PROMPT), S.BLOCKED, Source.HOOK, True, False),
        (_seen(S.BLOCKED, DRAFT), S.BLOCKED, Source.HOOK, False, False),
        (_seen(S.BLOCKED, WORKS), S.BUSY, Source.SCREEN, False, True),
        # Dialogs never take text.
        (_seen(S.PERMISSION, MENU), S.PERMISSION, Source.HOOK, False, False),
        (_seen(S.ASKING, MENU), S.ASKING, Source.HOOK, False, False),
        (_seen(S.ASKING, read=False), S.ASKING, Source.HOOK, False, False),
        (_seen(S.PERMISSION, PROMPT, age=1), S.PERMISSION, Source.HOOK, False, False),
        (_seen(S.PERMISSION, PROMPT), S.IDLE, Source.SCREEN, True, True),
        # No word of its own yet.
        (_seen(read=False), S.STARTING, Source.NONE, False, False),
        (_seen(), S.UNKNOWN, Source.NONE, False, False),
        (_seen(screen=PROMPT), S.IDLE, Source.SCREEN, True, False),
        (_seen(screen=DRAFT), S.IDLE, Source.SCREEN, False, False),
        (_seen(screen=MENU), S.PERMISSION, Source.SCREEN, False, False),
        (_seen(title=Shown(S.IDLE, "waits"), read=False), S.IDLE, Source.TITLE, False, False),
        (_seen(title=Shown(S.BUSY, "works"), screen=PROMPT), S.BUSY, Source.TITLE, False, False),
        (_seen(title=Shown(S.BUSY, "works"), screen=MENU), S.PERMISSION, Source.SCREEN, False, False),
        (_seen(S.STARTING, PROMPT), S.IDLE, Source.SCREEN, True, False),
        (_seen(S.STARTING), S.STARTING, Source.NONE, False, False),
        # It said that it ended.
        (_seen(S.EXITED, alive=False), S.EXITED, Source.HOOK, False, False),
        (_seen(S.EXITED, PROMPT), S.IDLE, Source.SCREEN, True, True),
    ],
)  # fmt: skip
def test_what_is_believed(
    seen: Evidence, state: ActivityState, source: Source, takes_text: bool, contradicted: bool
) -> None:
    activity, disagreement = judge(seen)
    assert (activity.state, activity.source, activity.accepts_text, bool(disagreement)) == (
        state,
        source,
        takes_text,
        contradicted,
    )
    assert activity.evidence
    if activity.dialog is not None:
        assert not activity.accepts_text


def test_a_draft_is_told() -> None:
    assert judge(_seen(S.IDLE, DRAFT))[0].draft == "fix it"
    assert judge(_seen(screen=DRAFT))[0].draft == "fix it"


def test_trouble_is_told_with_its_words() -> None:
    seen = _seen(S.BLOCKED, PROMPT)
    known = replace(seen.signalled, trouble=Trouble.LOGIN, words="Please run /login", until=NOW + 5)
    activity, _ = judge(replace(seen, signalled=known))
    assert (activity.trouble, activity.until) == (Trouble.LOGIN, NOW + 5)
    assert "Please run /login" in activity.evidence
    assert judge(_seen(S.BUSY, RETRY, age=30))[0].trouble is Trouble.OVERLOAD
