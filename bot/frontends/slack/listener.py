"""Bolt's listeners: each event is kept, acknowledged, and answered when the work is done.

Bolt never acknowledges what no listener takes, nor what a listener raises for within 10 ms of its `ack()`:
hence a catch-all for every kind, and no exception ever reaches Bolt.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Protocol

from slack_bolt.async_app import AsyncApp

from bot.chat.message import Message
from bot.frontends.dispatch import Taken
from bot.frontends.slack import blocks, events
from bot.frontends.slack.events import Post, Press, Where

log = logging.getLogger(__name__)
Ack = Callable[..., Awaitable[Any]]
SOON = 0.05
"""Seconds that an acknowledgement waits for the answer, to be one message instead of two."""
_SEEN = 2000


class Ears(Protocol):
    """Where what people say goes; `front.SlackFrontEnd`."""

    async def command(self, where: Where, text: str, key: str, called: str) -> Taken:
        """A slash command; `called` is what its person is called there."""

    async def post(self, post: Post) -> Taken | None:
        """A post in a channel or a thread; None when it is none of ours."""

    async def press(self, press: Press) -> Taken:
        """A button."""

    async def ask(self, press: Press) -> None:
        """Open the form for a button that needs words."""

    async def answer(self, where: Where, message: Message) -> None:
        """Say something to somebody, in its place."""

    def refresh(self, press: Press, message: Message) -> None:
        """The press was out of date, if the answer says so: show what is."""


class Listener:
    """Registers itself with an app."""

    def __init__(self, ears: Ears, command: str, bot_user: Callable[[], str]) -> None:
        self._ears = ears
        self._command = command
        self._bot_user = bot_user
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._working: set[asyncio.Task[None]] = set()

    def register(self, app: AsyncApp) -> None:
        """Take all that Slack sends."""
        app.command(self._command)(self._on_command)
        app.command(re.compile(".*"))(_acknowledge)
        app.event("message")(self._on_post)
        app.event("app_mention")(self._on_post)
        app.event(re.compile(".*"))(_nothing)
        app.action(re.compile(r"^ao:"))(self._on_press)
        app.action(re.compile(".*"))(_acknowledge)
        app.view(blocks.ASK)(self._on_form)
        app.view(re.compile(".*"))(_acknowledge)
        app.shortcut(re.compile(".*"))(_acknowledge)
        app.options(re.compile(".*"))(_no_options)

    async def close(self) -> None:
        """Let what is being answered end, for a moment."""
        if self._working:
            _, late = await asyncio.wait(self._working, timeout=2.0)
            for task in late:
                task.cancel()

    async def _on_command(self, ack: Ack, body: dict[str, Any]) -> None:
        where = Where(channel=str(body.get("channel_id", "")), user=str(body.get("user_id", "")))
        try:
            text = events.plain(str(body.get("text") or ""))
            key = f"slack:command:{body.get('trigger_id', '')}"
            taken = await self._ears.command(where, text, key, str(body.get("user_name") or ""))
        except Exception:
            log.exception("a command was not taken")
            await ack("⚠️ That failed inside ao; nothing was done. Its log says more.")
            return
        message = await _soon(taken)
        if message is not None:
            await ack(**_form(message))
            return
        await ack(f"🕒 On it: {blocks.escape(text)[:200]}")
        self._later(self._answered(where, taken))

    async def _on_post(self, event: dict[str, Any]) -> None:
        post = events.post(event, self._bot_user())
        if post is None or self._came_before(post.source):
            return
        self._later(self._post(post))

    async def _post(self, post: Post) -> None:
        taken = await self._ears.post(post)
        if taken is None or taken.again:
            return
        message = await taken.answer()
        # A message to the agent shows its fate on the post itself, an answer in the question's place.
        told = (
            message.session and not message.private and not post.text.startswith("!") and not post.mentioned
        )
        if not told:
            await self._ears.answer(post.where, message)

    async def _on_press(self, ack: Ack, body: dict[str, Any]) -> None:
        press = events.press(body)
        try:
            if press is None:
                await ack()
                return
            if press.asks:
                await ack()
                self._later(self._ears.ask(press))
                return
            taken = await self._ears.press(press)
        except Exception:
            log.exception("a press was not taken")
            await ack()
            return
        await ack()
        self._later(self._pressed(press, taken))

    async def _on_form(self, ack: Ack, body: dict[str, Any]) -> None:
        press = events.submitted(body)
        try:
            if press is None:
                await ack()
                return
            taken = await self._ears.press(press)
        except Exception:
            log.exception("a form was not taken")
            await ack(response_action="errors", errors={"words": "That failed inside ao; nothing was done."})
            return
        if taken.said is not None and taken.said.private and not taken.request:
            await ack(response_action="errors", errors={"words": blocks.answer_text(taken.said)[:150]})
            return
        await ack()
        self._later(self._pressed(press, taken))

    async def _pressed(self, press: Press, taken: Taken) -> None:
        message = await taken.answer()
        if taken.again:
            return
        self._ears.refresh(press, message)
        # What a press did is shown where the buttons were; whoever pressed hears errors, and what they asked to see.
        if message.private or message.verbatim or not message.session:
            await self._ears.answer(press.where, message)

    async def _answered(self, where: Where, taken: Taken) -> None:
        await self._ears.answer(where, await taken.answer())

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(_logged(work), name="slack answer")
        self._working.add(task)
        task.add_done_callback(self._working.discard)

    def _came_before(self, key: str) -> bool:
        """One post comes as a message and as a mention, and again when an acknowledgement was late."""
        if key in self._seen:
            return True
        self._seen[key] = None
        if len(self._seen) > _SEEN:
            self._seen.popitem(last=False)
        return False


async def _soon(taken: Taken) -> Message | None:
    if taken.task is not None:
        await asyncio.wait({taken.task}, timeout=SOON)
        if not taken.task.done():
            return None
    return await taken.answer()


def _form(message: Message) -> dict[str, Any]:
    return {"text": blocks.answer_text(message), "blocks": blocks.answer_blocks(message)}


async def _logged(work: Coroutine[Any, Any, None]) -> None:
    try:
        await work
    except Exception:
        log.exception("an answer did not get through to Slack")


async def _acknowledge(ack: Ack) -> None:
    await ack()


async def _no_options(ack: Ack) -> None:
    await ack(options=[])


async def _nothing() -> None:
    """Bolt has acknowledged the event; nobody asked anything of us."""
