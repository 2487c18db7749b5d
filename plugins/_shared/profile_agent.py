"""An agent plugin made from a profile: launches, reads signals, answers dialogs, interrupts.

Its own signals are believed first, the title next, the screen last. Where they contradict each other,
both are told, and text is typed only if none of them says that the prompt does not wait.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from typing_extensions import override

from orchestrator.domain.activity import Activity, ActivityState, Dialog, Source
from orchestrator.domain.ids import SessionId
from orchestrator.domain.look import Look, Seen, Unseen
from orchestrator.domain.outside_text import one_line
from orchestrator.errors import AoError, BadInput
from orchestrator.ports.agent import Agent, AgentLook, AgentTask, AgentView, Launches, Prepared
from orchestrator.ports.place import Place
from orchestrator.ports.runtime import Keys, Launch, Presence, Text
from orchestrator.ports.session_ref import SessionRef
from plugins._shared.agent_profile import Profile, fill, fill_text, prompt_argument
from plugins._shared.agent_screen import Shown, read_screen, read_title
from plugins._shared.agent_signals import Signalled
from plugins._shared.signal_reader import SignalReader

AT_ONCE = 32
"""Places that are looked at beside each other."""
SETTLING = 3.0
"""Seconds after a signal in which the screen may still show what was before."""

_NO_WORD = frozenset({ActivityState.UNKNOWN, ActivityState.STARTING})
_WAITS = frozenset({ActivityState.ASKING, ActivityState.PERMISSION})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Evidence:
    """Everything that one look at one agent brought."""

    signalled: Signalled
    source: Source
    title: Shown | None
    screen: Shown | None
    screen_read: bool
    alive: bool
    now: float

    @property
    def settled(self) -> bool:
        """The signal is old enough for the screen to show it."""
        return self.now - self.signalled.at > SETTLING


class ProfileAgent(Agent, Launches):
    """One kind of agent, as its profile describes it."""

    def __init__(self, profile: Profile, now: Callable[[], float]) -> None:
        self.profile = profile
        self._now = now
        self._reader = SignalReader(profile)
        self._suffices = profile.events is not None or profile.status is not None

    @override
    async def prepare(self, session: SessionRef, place: Place, task: AgentTask) -> Prepared:
        profile = self.profile
        resumes = task.resume and bool(profile.resume) and self._can_resume(task)
        values = self._values(session, place, task)
        for path, text in profile.files.items():
            await place.write(f"{place.folder}/{path}", fill_text(text, values).encode())
        await self._reader.launched(session.id, place, self._now())
        launch = Launch(
            argv=fill(profile.resume if resumes else profile.launch, values, self._lists()),
            cwd=session.workspace or place.folder,
            environment={key: fill_text(text, values) for key, text in profile.environment.items()},
        )
        return Prepared(launch=launch, prompt_given=resumes or profile.prompt != "typed")

    @override
    async def observe(self, views: Collection[AgentView]) -> Mapping[SessionId, Look[AgentLook]]:
        limit = asyncio.Semaphore(AT_ONCE)

        async def look(view: AgentView) -> Look[AgentLook]:
            async with limit:
                return await self._look(view)

        answers = await asyncio.gather(*(look(view) for view in views))
        return {view.session.id: answer for view, answer in zip(views, answers, strict=True)}

    @override
    def needs_screen(self, session: SessionRef) -> bool:
        if not self.profile.patterns.screen.given and not self.profile.dialogs:
            return False
        known = self._reader.known(session.id)
        if not self._suffices or known is None or known.state in _NO_WORD:
            return True
        if known.state is ActivityState.BUSY:
            return self._now() - known.signal_at > self.profile.quiet_after
        return known.state is not ActivityState.IDLE

    @override
    async def answer(self, session: SessionRef, dialog: Dialog, answer: str) -> Text | Keys:
        chosen = _chosen(dialog, answer)
        rule = next((r for r in self.profile.dialogs if dialog.id.startswith(f"{r.name}:")), None)
        if rule is not None and chosen is not None:
            return Keys(keys=rule.choices[chosen].keys)
        if chosen is not None and self.profile.numbered:
            return Keys(keys=(str(chosen + 1),))
        if dialog.options or rule is not None:
            options = ", ".join(dialog.options)
            msg = f"{one_line(answer, 80)!r} is no answer to this dialog: {options}."
            raise BadInput(msg, session=session.id)
        return Text(text=answer)

    @override
    async def interrupt(self, session: SessionRef) -> Keys:
        return Keys(keys=self.profile.interrupt)

    @override
    def launched_as(self) -> str:
        word = self.profile.launch[0]
        if word == "{program}":
            word = self.profile.program[0] if self.profile.program else ""
        return "" if "{" in word else word

    def _can_resume(self, task: AgentTask) -> bool:
        needed = any("{conversation}" in word for word in self.profile.resume)
        return bool(task.conversation) or not needed

    def _values(self, session: SessionRef, place: Place, task: AgentTask) -> Mapping[str, str]:
        prompt_file = f"{place.folder}/prompt.md"
        return {
            "prompt": prompt_argument(task.prompt, prompt_file),
            "prompt_file": prompt_file,
            "conversation": task.conversation,
            "folder": place.folder,
            "workspace": session.workspace,
            "session": session.id,
            "model": self.profile.model,
        }

    def _lists(self) -> Mapping[str, tuple[str, ...]]:
        profile = self.profile
        return {
            "program": profile.program,
            "permission_flags": profile.permission_flags.get(profile.permissions, ()),
            "model_flags": profile.model_flags if profile.model else (),
        }

    async def _look(self, view: AgentView) -> Look[AgentLook]:
        now = self._now()
        try:
            signalled, source = await self._reader.read(view.session.id, view.place, now)
        except AoError as error:
            return Unseen(f"its signals could not be read: {error.what}")
        except Exception as error:  # noqa: BLE001 - one session's defect is its own failed look
            return Unseen(f"its signals could not be read: {type(error).__name__}: {error}")
        evidence = _Evidence(
            signalled=signalled,
            source=source,
            title=read_title(self.profile, view.runtime.title),
            screen=read_screen(self.profile, view.runtime.screen),
            screen_read=view.runtime.screen is not None and self.profile.patterns.screen.given,
            alive=view.runtime.presence is Presence.ALIVE,
            now=now,
        )
        activity, disagreement = self._judge(evidence)
        return Seen(
            AgentLook(
                activity=activity,
                receipts=signalled.receipts,
                conversation=signalled.conversation,
                disagreement=disagreement,
                signal_at=signalled.signal_at,
            )
        )

    def _judge(self, seen: _Evidence) -> tuple[Activity, str]:
        state = seen.signalled.state
        if state is ActivityState.EXITED and seen.alive:
            return _by_looks(seen), "its last word was that it ended, and its terminal lives"
        if state in _NO_WORD:
            return _by_looks(seen), ""
        if seen.screen is not None and self._overruled(state, seen):
            words = f"its {seen.source.value} says {state.value}, its screen shows {seen.screen.state.value}"
            return _by_looks(seen), words
        return _by_signal(seen), ""

    def _overruled(self, state: ActivityState, seen: _Evidence) -> bool:
        """Whether the screen is to be believed more: it shows something that signals do not tell of."""
        screen = seen.screen
        if screen is None or screen.state is state or not seen.settled:
            return False
        if state is ActivityState.BUSY:
            # An interrupt in the terminal gives no signal, nor do some dialogs.
            quiet = seen.now - seen.signalled.signal_at > self.profile.quiet_after
            return quiet or screen.dialog is not None
        return not (state in _WAITS and screen.state in _WAITS)


def _by_signal(seen: _Evidence) -> Activity:
    signalled = seen.signalled
    idle = signalled.state is ActivityState.IDLE
    prompt_shown = not seen.screen_read or (
        seen.screen is not None and seen.screen.state is ActivityState.IDLE
    )
    return Activity(
        state=signalled.state,
        source=seen.source,
        at=signalled.at,
        evidence=f"{seen.source.value} {signalled.event}",
        accepts_text=idle and seen.alive and prompt_shown,
        dialog=signalled.dialog,
        tool=signalled.tools[-1][1] if signalled.tools else "",
        until=signalled.until,
    )


def _by_looks(seen: _Evidence) -> Activity:
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
    waits = seen.screen is not None and seen.screen.state is ActivityState.IDLE
    return Activity(
        state=shown.state,
        source=source,
        evidence=f"{source.value} shows {shown.line!r}",
        accepts_text=waits and shown.state is ActivityState.IDLE and seen.alive,
        dialog=shown.dialog,
    )


def _chosen(dialog: Dialog, answer: str) -> int | None:
    """The number of the option that the answer names, by its words or its number from 1."""
    wanted = answer.strip().casefold()
    for index, option in enumerate(dialog.options):
        if wanted in {option.casefold(), str(index + 1)}:
            return index
    return None
