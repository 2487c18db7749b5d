"""Texts by outsiders in a session: noticed once for each edit, and released one by one. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from orchestrator.domain.event import Level
from orchestrator.domain.held import HeldText
from orchestrator.domain.outside_text import fence, one_line
from orchestrator.domain.person import Actor
from orchestrator.domain.session import Session
from orchestrator.lifecycle.draft import Draft

MOST_WAITING = 20
"""Texts of one session that wait side by side: whoever floods an issue fills nobody's thread."""
KEPT = 60


def released(session: Session) -> frozenset[str]:
    """The ids of the edits that people let through to this session's agent."""
    return frozenset(text.id for text in session.held.texts if text.by is not None)


def title_of(session: Session) -> str:
    """The issue's title as the agent may read it; empty while an outsider's is held."""
    waits = any(
        text.place == f"issue {session.task.issue}" and text.by is None for text in session.held.texts
    )
    return "" if waits else session.task.title


def notice(draft: Draft, seen: Sequence[HeldText], *, about: str, settled: Sequence[HeldText] = ()) -> None:
    """Keep what waits, telling of each edit once. `about`: how every place ends that was looked at.

    `settled`: what stands there still and was resolved. What waited of it waits on, an edit of it too; nothing
    else of it is asked about.
    """
    held = {text.place for text in draft.session.held.texts}
    seen = [*seen, *(text for text in settled if text.place in held)]
    known = {text.id for text in draft.session.held.texts}
    places = {text.place: text.id for text in seen}
    for old in draft.session.held.texts:
        if old.place.endswith(about) and not old.gone and places.get(old.place) != old.id:
            _put(draft, replace(old, gone=True))
            draft.tell("text.gone", f"{old.words} was edited or taken away", held=old.id)
    for text in seen:
        if text.id in known:
            _came_back(draft, text)
        elif sum(one.waits for one in draft.session.held.texts) < MOST_WAITING:
            _add(draft, text)
        elif not draft.session.held.more:
            draft.set(held=replace(draft.session.held, more=True))
            draft.tell("text.more", f"more texts by outsiders are held than are shown: {text.url}")


def _came_back(draft: Draft, text: HeldText) -> None:
    """An edit that was undone is the text that was shown before, with whatever was decided of it."""
    old = next(one for one in draft.session.held.texts if one.id == text.id)
    if old.gone:
        _put(draft, replace(old, gone=False))
        draft.tell("text.back", f"{old.words} is as it was before", held=old.id)


def _add(draft: Draft, text: HeldText) -> None:
    held = draft.session.held
    over = [one for one in held.texts if not one.waits and one.by is None][: max(0, len(held.texts) - KEPT)]
    kept = tuple(one for one in held.texts if one not in over)
    draft.set(held=replace(held, texts=(*kept, text)))
    draft.tell(
        "text.held",
        f"{text.words} by {one_line(text.author, 60) or 'somebody'}, who is no member, is held",
        Level.ACTION if text.id == held.task_waits else Level.INFO,
        held=text.id,
        url=text.url,
    )


def wait_for(draft: Draft, task: HeldText) -> None:
    """The whole task is an outsider's text: nothing starts before a person has released it."""
    if draft.session.held.task_waits != task.id:
        draft.set(held=replace(draft.session.held, task_waits=task.id))
    if all(text.id != task.id for text in draft.session.held.texts):
        _add(draft, task)


def release(draft: Draft, text: HeldText, by: Actor, *, send: bool) -> None:
    """Exactly this edit goes to the agent: as a message with `send`, else with the prompt that it starts with."""
    _put(draft, replace(text, by=by, at=draft.now))
    if draft.session.held.task_waits == text.id:
        draft.set(held=replace(draft.session.held, task_waits=""))
    if send:
        send_released(draft, text, by)
    draft.tell("text.released", f"{by} released {text.words} to the agent", held=text.id, by=str(by))


def send_released(draft: Draft, text: HeldText, by: Actor) -> None:
    """Queue it for the agent, fenced and labelled."""
    label = f"{text.words} by {text.author}"
    words = f"{by} released this text to you. Whoever wrote it is no member of the project."
    draft.enqueue(f"{words}\n\n{fence(label, text.text)}", by=str(by), key=f"text:{text.id}")


def _put(draft: Draft, text: HeldText) -> None:
    held = draft.session.held
    draft.set(held=replace(held, texts=tuple(text if one.id == text.id else one for one in held.texts)))
