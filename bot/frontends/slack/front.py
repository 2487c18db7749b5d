"""The Slack front end: its app in Socket Mode, its room of conversations, and what it is asked."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from bot.chat.access import Identity
from bot.chat.conversations import Conversations
from bot.chat.desk import RESTARTED
from bot.chat.message import Button, Message
from bot.chat.request import Surface
from bot.frontends.chat import Chat, Figures
from bot.frontends.dispatch import Said, Taken, refusal
from bot.frontends.slack import blocks, events
from bot.frontends.slack.calls import Calls
from bot.frontends.slack.connection import SlackConnection
from bot.frontends.slack.events import Post, Press, Where
from bot.frontends.slack.listener import Listener
from bot.frontends.slack.room import SlackRoom
from orchestrator.domain.ids import SessionId
from orchestrator.domain.notification import Notification
from orchestrator.domain.session import Session
from orchestrator.errors import AoError, NotFound
from orchestrator.ports.notifier import Delivered

if TYPE_CHECKING:
    from orchestrator.settings.chat_model import SlackKeys

log = logging.getLogger(__name__)


class SlackFrontEnd:
    """One workspace. Implements the notifier port, and `listener.Ears`. Made inside the loop."""

    def __init__(self, keys: SlackKeys, chat: Chat) -> None:
        self._keys = keys
        self._chat = chat
        self._core = core = chat.core
        self._calls = Calls(core.clock)
        self._line = SlackConnection(keys, self._calls, core.clock)
        self._listener = Listener(self, keys.command, lambda: self._line.bot_user)
        self.conversations = Conversations(
            room=SlackRoom(
                client=self._line.client,
                calls=self._calls,
                channel_of=self._channel_of,
                user_of=self._user_of,
            ),
            sessions=core.fleet,
            find=self._find,
            kept=core.store.conversations,
            log=core.store.log,
            positions=core.store.fleet,
            clock=core.clock,
        )

    async def start(self) -> None:
        """Begin; a Slack that is away is waited for, and nothing of ours waits for Slack."""
        await self.conversations.start()
        self._line.connect(self._listener.register, self._answer_cut_off)

    async def stop(self) -> None:
        """Answer what is in hand, then say nothing more. Repeatable."""
        await self._line.acknowledged()
        await self._listener.close()
        await self._line.close()
        await self.conversations.stop()

    async def _answer_cut_off(self) -> None:
        """Whoever asked when we were ended is told that we were."""
        for record in self._chat.desk.unanswered(Surface.SLACK):
            where = events.where_of(record.asked.place)
            try:
                if where is not None:
                    await self.answer(where, refusal(RESTARTED))
                await self._chat.desk.give_up(record.id)
            except AoError as error:
                log.warning("not answered after a restart: %s", error)

    # What is asked (`listener.Ears`)

    async def command(self, where: Where, text: str, key: str, called: str) -> Taken:
        """`/ao …`."""
        said = replace(self._said(where, text, key=key), called=called)
        return await self._chat.dispatch.command(said)

    async def post(self, post: Post) -> Taken | None:
        """A reply in a session's thread, or words to us anywhere else."""
        session = await self._session_at(post.where)
        said = self._said(post.where, post.text, session=session, key=post.source, source=post.source)
        if session:
            return await self._chat.dispatch.reply(said)
        if post.mentioned:
            return await self._chat.dispatch.command(said)
        return None

    async def press(self, press: Press) -> Taken:
        """A button; one in a menu that needs a yes shows its facts first."""
        said = replace(self._said(press.where, press.words, key=press.key), called=press.called)
        return await self._chat.dispatch.press(press.payload, said, confirmed=not press.in_menu)

    async def ask(self, press: Press) -> None:
        """Open the form."""
        client = self._line.client
        button = Button(label=press.label, verb="", ask=press.label)
        view = blocks.modal(button, events.carried(press))
        await self._calls.call("views", lambda: client.views_open(trigger_id=press.trigger, view=view))

    async def answer(self, where: Where, message: Message) -> None:
        """To whoever asked, alone; where they look: in the thread, or in the channel for what was pressed there."""
        client = self._line.client
        text = blocks.answer_text(message)
        await self._calls.call(
            "ephemeral",
            lambda: client.chat_postEphemeral(
                channel=where.channel,
                user=where.user,
                thread_ts=where.answered_in or None,
                text=text,
                blocks=blocks.answer_blocks(message),
            ),
        )

    async def whisper(self, place: str, words: str) -> None:
        """Say something later to whoever asked there, alone. Raises `TemporaryError`, `PermanentError`."""
        where = events.where_of(place)
        if where is not None:
            await self.answer(where, Message(title=words, private=True))

    def refresh(self, press: Press, message: Message) -> None:
        """A press that came too late: the card is shown as it is now."""
        if message.private and message.session:
            session = next((s for s in self._core.fleet.all() if s.id == message.session), None)
            if session is not None:
                self.conversations.refresh(session)

    # The notifier port

    async def notify(self, notification: Notification) -> Delivered:
        """What is of a session stands in its thread already; what is of the fleet goes to the channel."""
        if notification.session:
            return Delivered(detail="in its thread")
        channel, client = self._keys.channel or "", self._line.client
        if not channel:
            return Delivered(detail="no channel for what is of the fleet")
        lines = "\n".join(map(blocks.escape, (notification.title, *notification.lines)))
        await self._calls.call(
            f"post:{channel}",
            lambda: client.chat_postMessage(channel=channel, text=lines[: blocks.MOST_TEXT]),
        )
        return Delivered(detail=channel)

    async def ready(self) -> str:
        """Why nothing comes and goes."""
        return self._line.trouble

    def condition(self) -> tuple[str, str]:
        """What is wrong now, for doctor, and what to do about it; both empty while all is well."""
        behind = self.conversations.trouble
        if self._line.trouble:
            return (
                self._line.trouble,
                "What happens is told there once it answers; look at the tokens of `chat.slack`.",
            )
        if behind:
            name, why = next(iter(behind.items()))
            more = f" and {len(behind) - 1} more" if len(behind) > 1 else ""
            return f"behind with {name}{more}: {why}", "It is tried again; the log of `ao start` says more."
        return "", ""

    @property
    def figures(self) -> Figures:
        """It in numbers, since it was made."""
        return Figures(
            surface=Surface.SLACK.value, behind=len(self.conversations.trouble), calls=self._calls.made
        )

    async def aclose(self) -> None:
        """`stop` does it: a reload tells the same front end anew."""

    def _said(self, where: Where, text: str, *, session: str = "", key: str = "", source: str = "") -> Said:
        who = self._chat.access.actor(Identity(surface=Surface.SLACK, id=where.user))
        return Said(
            who=who,
            surface=Surface.SLACK,
            text=text,
            project=self._project_of(where.channel),
            session=session,
            key=key,
            place=where.text(),
            source=source,
        )

    async def _session_at(self, where: Where) -> str:
        """The session whose thread it is; nothing where it is none."""
        if not where.thread:
            return ""
        return str(self.conversations.session_at(where.channel, where.thread) or "")

    def _project_of(self, channel: str) -> str:
        """The one project that is bound to a channel; nothing where there are several."""
        bound = [name for name, one in self._keys.channels.items() if one == channel]
        if not bound and channel == self._keys.channel:
            known = self._core.settings.now.project_ids
            bound = [name for name in known if name not in self._keys.channels]
        return bound[0] if len(bound) == 1 else ""

    def _channel_of(self, project: str) -> str:
        return self._keys.channels.get(project) or self._keys.channel or ""

    def _user_of(self, handle: str) -> str:
        person = self._chat.access.people.by_handle(handle)
        return person.ids.get("slack", "") if person is not None else ""

    async def _find(self, session: SessionId) -> Session | None:
        from orchestrator.services import sessions

        try:
            return await sessions.one(self._core, session)
        except NotFound:
            return None
