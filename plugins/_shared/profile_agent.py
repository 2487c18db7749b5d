"""An agent plugin made from a profile: launches, reads signals, answers dialogs, interrupts."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace

from typing_extensions import override

from orchestrator.domain.activity import ActivityState, Dialog, Source, ToolCall
from orchestrator.domain.ids import SessionId
from orchestrator.domain.look import Look, Seen, Unseen
from orchestrator.domain.usage import Usage
from orchestrator.errors import AoError
from orchestrator.ports.agent import (
    Agent,
    AgentLook,
    AgentTask,
    AgentView,
    AnswerFile,
    ClearsPrompt,
    JudgesCalls,
    Launches,
    Prepared,
    Verdict,
)
from orchestrator.ports.place import Place
from orchestrator.ports.runtime import Keys, Launch, Presence, Text
from orchestrator.ports.session_ref import SessionRef
from plugins._shared.agent_answers import Shown as AnsweredNow
from plugins._shared.agent_answers import answer_of, verdict_text
from plugins._shared.agent_dialogs import call_of
from plugins._shared.agent_judgement import Evidence, judge, says_nothing
from plugins._shared.agent_launch import Launcher
from plugins._shared.agent_outside import OutsideReader
from plugins._shared.agent_profile import Profile
from plugins._shared.agent_screen import Shown, last_lines, read_screen, read_title
from plugins._shared.agent_signals import Signalled, newer
from plugins._shared.profile_looks import DialogRule
from plugins._shared.profile_signals import EventKind
from plugins._shared.signal_reader import SignalReader

AT_ONCE = 32
"""Places that are looked at beside each other."""
INTERRUPTED_FOR = 60.0
"""Seconds after an interrupt in which the screen is looked at for its effect."""


class ProfileAgent(Agent, ClearsPrompt, Launches):
    """One kind of agent, as its profile describes it."""

    def __init__(
        self, profile: Profile, now: Callable[[], float], ours: Mapping[str, str] | None = None
    ) -> None:
        self.profile = profile
        self._now = now
        self._launcher = Launcher(profile, ours or {})
        self._reader = SignalReader(profile)
        self._outside = OutsideReader(profile)
        self._suffices = profile.events is not None or profile.status is not None
        self._interrupted: dict[SessionId, float] = {}
        self._rules: dict[SessionId, tuple[str, DialogRule]] = {}
        """The dialog that a session's screen last showed, and how it is answered."""

    @override
    async def prepare(self, session: SessionRef, place: Place, task: AgentTask) -> Prepared:
        resumes = task.resume and bool(self.profile.resume) and self._can_resume(task)
        await self._launcher.write_files(session, place, task)
        await self._reader.launched(session.id, place, self._now())
        self._outside.launched(session.id)
        self._interrupted.pop(session.id, None)
        launch = Launch(
            argv=self._launcher.argv(session, place, task, resume=resumes),
            cwd=session.workspace or place.folder,
            environment=self._launcher.environment(session, place, task),
        )
        return Prepared(launch=launch, prompt_given=resumes or self.profile.prompt != "typed")

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
        if not self._suffices or known is None or says_nothing(known.state):
            return True
        if known.state is ActivityState.BUSY:
            return self._quiet(known) or self._asked_to_stop(session.id, known)
        return known.state is not ActivityState.IDLE

    @override
    async def answer(
        self, session: SessionRef, place: Place, dialog: Dialog, answer: str
    ) -> Text | Keys | AnswerFile:
        known = self._reader.known(session.id)
        same = known is not None and known.dialog is not None and known.dialog.id == dialog.id
        pending = known.pending if known is not None and same else None
        name, rule = self._rules.get(session.id, ("", None))
        # A hook's dialog has another name on the screen.
        stands = rule if pending is not None or name == dialog.id else None
        shown = AnsweredNow(dialog=dialog, pending=pending, rule=stands)
        return answer_of(self.profile, session, place, shown, answer)

    @override
    async def interrupt(self, session: SessionRef) -> Keys:
        self._interrupted[session.id] = self._now()
        return Keys(keys=self.profile.interrupt)

    @override
    def clear(self) -> Keys:
        prompt = self.profile.patterns.prompt
        return Keys(keys=prompt.clear if prompt is not None else ())

    @override
    def launched_as(self) -> str:
        word = self.profile.launch[0]
        if word == "{program}":
            word = self.profile.program[0] if self.profile.program else ""
        return "" if "{" in word else word

    def _can_resume(self, task: AgentTask) -> bool:
        needed = any("{conversation}" in word for word in self.profile.resume)
        return bool(task.conversation) or not needed

    def _quiet(self, known: Signalled) -> bool:
        return self._now() - known.signal_at > self.profile.quiet_after

    def _asked_to_stop(self, session: SessionId, known: Signalled) -> bool:
        """An interrupt was sent, and nothing was heard since: most agents give no signal of it."""
        at = self._interrupted.get(session, 0.0)
        return known.signal_at < at and self._now() - at < INTERRUPTED_FOR

    def _stopped(self, session: SessionId, seen: Evidence) -> Source | None:
        """What shows that a turn of which no event tells the end is over."""
        known = self._reader.known(session)
        if known is None or known.state is ActivityState.IDLE or known.event == EventKind.FAILED.value:
            return None  # An error has ended it, and that is why it rests.
        outside = seen.source is Source.STATUS_FILE and seen.signalled.state is ActivityState.IDLE
        return _rests(seen) if outside or self._asked_to_stop(session, known) else None

    async def _look(self, view: AgentView) -> Look[AgentLook]:
        session = view.session.id
        try:
            signalled, source = await self._signals(view)
            usage = await self._usage(view, signalled)
        except AoError as error:
            return Unseen(f"its signals could not be read: {error.what}")
        except Exception as error:  # noqa: BLE001 - one session's defect is its own failed look
            return Unseen(f"its signals could not be read: {type(error).__name__}: {error}")
        evidence = self._evidence(view, signalled, source)
        self._remember_rule(session, evidence.screen)
        if self._suffices and (told_by := self._stopped(session, evidence)) is not None:
            signalled = self._reader.interrupted(session, self._now(), told_by)
            evidence = replace(evidence, signalled=signalled)
        activity, disagreement = judge(evidence)
        return Seen(
            AgentLook(
                activity=activity,
                receipts=signalled.receipts,
                conversation=signalled.conversation,
                disagreement=disagreement,
                signal_at=signalled.signal_at,
                usage=usage,
            )
        )

    def _remember_rule(self, session: SessionId, screen: Shown | None) -> None:
        self._rules.pop(session, None)
        if screen is not None and screen.dialog is not None and screen.rule is not None:
            self._rules[session] = (screen.dialog.id, screen.rule)

    def _evidence(self, view: AgentView, signalled: Signalled, source: Source) -> Evidence:
        screen = view.runtime.screen
        shown = read_screen(self.profile, screen, view.runtime.cursor)
        # Patterns of an agent without signals name what matters of its screen, not all that it may show.
        told = self._suffices and self.profile.patterns.screen.given
        return Evidence(
            signalled=signalled,
            source=source,
            title=read_title(self.profile, view.runtime.title),
            screen=shown,
            screen_read=screen is not None and self.profile.patterns.screen.given,
            alive=view.runtime.presence is Presence.ALIVE,
            now=self._now(),
            quiet_after=self.profile.quiet_after,
            unfamiliar=last_lines(screen) if told and screen is not None and shown is None else "",
        )

    async def _signals(self, view: AgentView) -> tuple[Signalled, Source]:
        """Events and status file; the one outside the session's folder only while events are silent."""
        session, now = view.session.id, self._now()
        signalled, source = await self._reader.read(session, view.place, now)
        silent = signalled.state is ActivityState.BUSY and (
            self._quiet(signalled) or self._asked_to_stop(session, signalled)
        )
        if silent:
            values = self._launcher.places(view.session, view.place)
            status = await self._outside.status(view.place, values, view.runtime.pid, now)
            ours = not status or not status.conversation or status.conversation == signalled.conversation
            if status is not None and ours and status.at > signalled.at:
                return newer(signalled, status), Source.STATUS_FILE
        return signalled, source

    async def _usage(self, view: AgentView, signalled: Signalled) -> Usage | None:
        """Tokens from the record of the conversation, money and context from the agent's own count."""
        session = view.session.id
        values = self._launcher.places(view.session, view.place)
        tokens = await self._outside.usage(session, view.place, values, signalled, self._now())
        counted = self._reader.usage(session)
        if tokens is None or counted is None:
            return tokens or counted
        return replace(
            tokens,
            dollars=counted.dollars,
            context_percent=counted.context_percent,
            model=counted.model or tokens.model,
        )


def _rests(seen: Evidence) -> Source | None:
    """What shows that the turn is over although no event says so; None where nothing does."""
    if seen.source is Source.STATUS_FILE and seen.signalled.state is ActivityState.IDLE:
        return Source.STATUS_FILE
    if seen.screen is not None and seen.screen.state is ActivityState.IDLE:
        return Source.SCREEN
    return None


class JudgingAgent(ProfileAgent, JudgesCalls):
    """One whose hook asks before each call."""

    @override
    def tool_call(self, payload: str) -> ToolCall | None:
        fields = self.profile.events
        try:
            raw = json.loads(payload)
        except (ValueError, RecursionError):
            return None
        if fields is None or not isinstance(raw, dict) or not isinstance(raw.get(fields.tool), str):
            return None
        arguments = raw.get(fields.arguments)
        return call_of(self.profile, raw[fields.tool], arguments if isinstance(arguments, dict) else {})

    @override
    def verdict(self, verdict: Verdict, reason: str) -> str:
        verdicts = self.profile.verdicts
        if verdicts is None:
            return ""
        template = {
            Verdict.ALLOW: verdicts.allow,
            Verdict.ASK: verdicts.ask,
            Verdict.DENY: verdicts.deny,
        }[verdict]
        return verdict_text(template, reason)


def make(profile: Profile, now: Callable[[], float], ours: Mapping[str, str]) -> ProfileAgent:
    """The agent that a profile describes."""
    kind = JudgingAgent if profile.verdicts is not None else ProfileAgent
    return kind(profile, now, ours)
