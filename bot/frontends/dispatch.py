"""What every chat surface does with what people say: commands, replies in a thread, pressed buttons.

A front end turns its own events into `Said` and the answers into its own form; all else is here. What is asked
is kept before `take` returns, so a surface may acknowledge it then; the answer comes when the work is done.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bot.actions import grammar, registry
from bot.actions.action import Access, Action, Confirmation
from bot.actions.runner import Actions
from bot.chat import payload
from bot.chat.desk import Desk
from bot.chat.message import Button, Json, Message, from_json
from bot.chat.request import Request, Surface, Value
from orchestrator.domain.event import Level
from orchestrator.domain.person import Actor
from orchestrator.errors import AoError, BadInput
from orchestrator.storage.requests import Outcome

if TYPE_CHECKING:
    from orchestrator.services.core import Core

_IN_THREAD = {"stop": "interrupt"}
"""Words that mean another verb in a session's thread: `!stop` stops what the agent does, not `ao`."""
_CHATS = frozenset({Surface.SLACK, Surface.DISCORD})
"""Where people have an id that is not their name here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What somebody said or pressed, where."""

    who: Actor
    surface: Surface
    text: str = ""
    """A command without its `/ao`, a reply in a thread, or the text that was given with a button."""
    project: str = ""
    """The project of the place."""
    session: str = ""
    """The session whose thread it is."""
    called: str = ""
    """What they are called there: for a name to be shown, never for rights."""
    key: str = ""
    """The surface's own id of this event: delivered twice, it is one."""
    place: str = ""
    """Where the answer goes, in the surface's own words."""
    source: str = ""
    """The surface's own name for the post, so that its fate can be shown there."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of it: an answer, or the work that gives one."""

    said: Message | None = None
    request: str = ""
    """Its id, where it is kept."""
    task: asyncio.Task[Outcome] | None = None
    again: bool = False
    """The very same event came before: it is answered already."""

    surface: Surface | None = None
    """Where it was said: next steps that cannot be asked for there are left out of the answer."""

    async def answer(self) -> Message:
        """The answer, once it is there. Whoever waits may leave; the work goes on."""
        if self.task is None:
            return self._here(self.said or Message(title="It was asked before.", private=True))
        return self._here(read_outcome(await asyncio.shield(self.task)))

    def _here(self, message: Message) -> Message:
        if self.surface is None or not message.next_steps:
            return message
        return replace(message, next_steps=steps_of(message.next_steps, self.surface))


class Dispatch:
    """One for all surfaces."""

    def __init__(self, core: Core, actions: Actions, desk: Desk) -> None:
        self._core = core
        self._actions = actions
        self._desk = desk
        self._seen: dict[tuple[Surface, str], set[str]] = {}
        """What people were called on a surface, in lower case, and who they are there; since this process began."""

    async def command(self, said: Said) -> Taken:
        """`spawn demo 1`, as typed after `/ao`, after a mention or after `!` in a thread."""
        try:
            action, arguments = self._parse(said)
            return await self._ask(action, arguments, said)
        except AoError as error:
            return Taken(refusal(error))

    async def reply(self, said: Said) -> Taken:
        """A post in a session's thread: `!verb`, the answer to its open question, or something to tell it."""
        text = said.text.strip()
        if text.startswith("!"):
            return await self.command(replace(said, text=text[1:]))
        live = next((s for s in self._core.fleet.all() if s.id == said.session), None)
        question = live.question if live is not None else None
        # Leave is given by its buttons or by `!answer` alone: no passing remark allows anything.
        answers = question is not None and question.call is None
        arguments: dict[str, Value] = {"session": said.session, "text": text}
        if answers and question is not None:
            arguments["question"] = question.id
        try:
            action = registry.load("answer" if answers else "send")
            return await self._ask(action, grammar.check(action, arguments), said)
        except AoError as error:
            return Taken(refusal(error))

    async def press(self, pressed: str, said: Said, *, confirmed: bool = True) -> Taken:
        """A button, by its short text. What it was bound to is compared with what is kept.

        `confirmed`: the surface has shown what a yes was asked for; else the facts are answered first.
        """
        try:
            read = payload.read(pressed)
            given: dict[str, object] = dict(read.arguments)
            if said.text.strip():
                given["text"] = said.text.strip()
            action = self._actions.find(read.verb)
            arguments = grammar.check(action, given)
            return await self._ask(action, arguments, said, pressed=confirmed)
        except AoError as error:
            return Taken(refusal(error))

    async def _ask(
        self, action: Action, arguments: dict[str, Value], said: Said, *, pressed: bool = False
    ) -> Taken:
        """Run it, or show first what a yes is asked for. A button carries what its presser saw already."""
        request = Request(
            id="",
            who=said.who,
            surface=said.surface,
            verb=action.verb,
            at=self._desk.now,
            arguments=arguments,
            project=said.project,
            session=said.session,
            key=said.key,
            place=said.place,
            source=said.source,
            called=said.called,
        )
        self._see(said)
        self._actions.allowed(request)
        if action.verb == "people add":
            request = self._reachable(request)
        if not pressed and action.confirmation is not Confirmation.NONE:
            if action.verb != "request-changes":
                shown = await self._preview(action, request)
                if shown is not None:
                    return Taken(shown, surface=said.surface)
            elif not request.text("head"):
                request = self._at_its_head(request)
        kept, task = await self._desk.ask(action, request)
        if task is not None:
            return Taken(None, kept, task, surface=said.surface)
        outcome = self._desk.outcome(kept)
        ended = read_outcome(outcome) if outcome else None
        return Taken(ended, kept, again=True, surface=said.surface)

    def _see(self, said: Said) -> None:
        if not said.called:
            return
        person = self._actions.access.people.by_handle(said.who.name)
        identity = said.who.name.removeprefix(f"{said.surface.value}:")
        if person is not None:
            identity = person.ids.get(said.surface.value, "")
        if identity:
            self._seen.setdefault((said.surface, said.called.lower()), set()).add(identity)

    def _reachable(self, request: Request) -> Request:
        """Somebody who is named in a chat and not known yet is whoever was seen there by that name.

        Raises `BadInput`: a person who is nobody there could never do anything.
        """
        name, people = request.text("person"), self._actions.access.people
        if request.surface not in _CHATS or ":" in name:
            return request
        if people.by_handle(name) is not None or people.by_handle(request.text("name")) is not None:
            return request
        found = self._seen.get((request.surface, name.lower()), set())
        if len(found) != 1:
            why = "several people here were" if found else "nobody who spoke here since ao started was"
            msg = f"{why} called {name}: nobody was added."
            step = "Name them by a mention, as the chat completes it, or have them type a command or press a button once first."
            raise BadInput(msg, next_step=step)
        person = f"{request.surface.value}:{next(iter(found))}|{name}"
        return replace(request, arguments={**request.arguments, "person": person})

    async def _preview(self, action: Action, request: Request) -> Message | None:
        """The facts, with the button that does it; None where there is nothing to lose."""
        shown = await self._actions.preview(request)
        if not shown.buttons:
            return None if action.confirmation is Confirmation.RISK else replace(shown, private=True)
        return replace(shown, buttons=tuple(_fitting(shown.buttons)), private=True)

    def _at_its_head(self, request: Request) -> Request:
        """Words are no merge: they are bound to the head that is there now, and the answer names it."""
        found = next((s for s in self._core.fleet.all() if s.id == request.target()), None)
        if found is None or found.change is None:
            return request
        return replace(request, arguments={**request.arguments, "head": found.change.pr.head})

    def _parse(self, said: Said) -> tuple[Action, dict[str, Value]]:
        line = _bare(said.text)
        words = grammar.split(line)
        if not words:
            return registry.load("help"), {}
        names = [word.text for word in words]
        if said.session:
            names[0] = _IN_THREAD.get(names[0].lower(), names[0])
        action, count = registry.find(names)
        return action, grammar.parse(action, line, words[count:], in_thread=bool(said.session))


def _bare(text: str) -> str:
    """A command without what people copy along with it: `ao`, `/ao`, the backticks of a next step."""
    line = re.sub(r"\A`+([^`]*)`*", r"\1", text.strip())
    first, _, rest = line.partition(" ")
    return rest.strip() if first.lower() in {"ao", "/ao"} else line


def _fitting(buttons: tuple[Button, ...]) -> list[Button]:
    found = []
    for button in buttons:
        try:
            payload.encode(button)
        except ValueError as error:
            msg = "what was asked is too long for a button."
            raise BadInput(msg, next_step="Ask it in a shell, or with fewer words.") from error
        found.append(button)
    return found


def steps_of(steps: tuple[str, ...], surface: Surface) -> tuple[str, ...]:
    """Those that can be asked for on that surface."""
    return tuple(step for step in steps if _works(step, surface))


def _works(step: str, surface: Surface) -> bool:
    try:
        action, _ = registry.find(_bare(step).split())
    except BadInput:
        return True  # no verb, but something that a person does elsewhere
    return surface in action.surfaces and action.access is not Access.MACHINE


def read_outcome(outcome: Outcome) -> Message:
    """How a request ended, as its answer."""
    if outcome.ok:
        message = outcome.data.get("message")
        return from_json(message) if isinstance(message, dict) else Message(title=outcome.text or "Done.")
    error = outcome.data.get("error")
    error = error if isinstance(error, dict) else {}
    return _failed(
        str(error.get("what") or outcome.text),
        str(error.get("next_step") or ""),
        str(error.get("session") or ""),
        code=str(error.get("code") or ""),
    )


def refusal(error: AoError) -> Message:
    """An error in words, for whoever asked alone."""
    return _failed(error.what, error.next_step, error.session or "", code=error.code)


def _capital(words: str) -> str:
    """A sentence; names that begin it stay as they are written."""
    first = words.partition(" ")[0]
    return words[:1].upper() + words[1:] if first.isalpha() and first.isascii() else words


def _failed(what: str, next_step: str, session: str, *, code: str) -> Message:
    words = f"{session}: {what}" if session else what
    data: dict[str, Json] = {"error": code}
    return Message(
        title=f"⚠️ {_capital(words)}",
        lines=(next_step,) if next_step else (),
        level=Level.WARNING,
        private=True,
        session=session,
        data=data,
    )
