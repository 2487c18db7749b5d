"""The fake workspace: people, channels, messages and the rules of threads; knows no network."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from bot.demo.slack_refusals import Code, Json, Refused

TEAM, TEAM_NAME = "T0000FAKE", "Fake workspace"
APP_ID, BOT_ID, BOT = "A0000000AO", "B0000000AO", "U0000000AO"
ADA, BO, CY = "U000000ADA", "U0000000BO", "U0000000CY"
DEMO, GENERAL = "C00000DEMO", "C000GENERAL"
SLACKBOT = "USLACKBOT"


class Clock:
    """The workspace's time; a test may put it forward."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._ahead = 0.0

    def now(self) -> float:
        """Seconds since 1970."""
        return self._now() + self._ahead

    def advance(self, seconds: float) -> None:
        """Let that much time have passed."""
        self._ahead += seconds


@dataclass(slots=True)
class Person:
    """Somebody with an account here; `team` is another one for people of a shared channel."""

    id: str
    name: str
    real_name: str = ""
    email: str = ""
    team: str = TEAM
    bot: bool = False
    guest: bool = False
    gone: bool = False

    def form(self) -> Json:
        """As `users.info` gives it."""
        real = self.real_name or self.name.capitalize()
        return {
            "id": self.id,
            "team_id": self.team,
            "name": self.name,
            "real_name": real,
            "deleted": self.gone,
            "is_bot": self.bot,
            "is_restricted": self.guest,
            "is_ultra_restricted": False,
            "tz": "Etc/UTC",
            "tz_offset": 0,
            "profile": {"email": self.email, "real_name": real, "display_name": self.name},
        }


@dataclass(slots=True)
class Channel:
    """A room: its messages by their `ts`, and beside them what only one person sees."""

    id: str
    name: str
    members: set[str] = field(default_factory=set)
    private: bool = False
    archived: bool = False
    direct: str = ""
    """The person of a direct conversation with the app."""
    messages: dict[str, Json] = field(default_factory=dict)
    ephemerals: dict[str, Json] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """`im`, `group` or `channel`, as events name it."""
        return "im" if self.direct else "group" if self.private else "channel"

    def form(self) -> Json:
        """As `conversations.info` gives it."""
        here = {"id": self.id, "is_archived": self.archived, "is_member": BOT in self.members}
        if self.direct:
            return {**here, "is_im": True, "user": self.direct}
        more = {"is_channel": not self.private, "is_group": self.private, "is_private": self.private}
        return {**here, **more, "name": self.name, "is_im": False, "num_members": len(self.members)}

    def thread(self, root: str) -> list[Json]:
        """The message and its replies, oldest first."""
        replies = (
            one for one in self.messages.values() if one.get("thread_ts") == root and one["ts"] != root
        )
        return [self.messages[root], *sorted(replies, key=_moment)]

    def timeline(self) -> list[Json]:
        """What stands in the channel itself, oldest first: no replies, but those that were broadcast."""
        return sorted((one for one in self.messages.values() if not _is_reply(one)), key=_moment)


def _moment(message: Json) -> float:
    return float(message["ts"])


def _is_reply(message: Json) -> bool:
    root = message.get("thread_ts")
    return bool(root) and root != message["ts"] and message.get("subtype") != "thread_broadcast"


class Workspace:
    """Everything that is in it. `tell_app` is called with each event that the app is subscribed to."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.people: dict[str, Person] = {}
        self.channels: dict[str, Channel] = {}
        self.files: dict[str, Json] = {}
        self.tell_app: Callable[[Json], None] = lambda _event: None
        self.version = 0
        self._moved = asyncio.Event()
        self._last_ts = 0
        self._numbers = itertools.count(1)
        self._furnish()

    def _furnish(self) -> None:
        self.add_person(Person(BOT, "ao", "Agent Orchestrator", bot=True))
        self.add_person(Person(ADA, "ada", "Ada", "ada@example.org"))
        self.add_person(Person(BO, "bo", "Bo", "bo@example.org"))
        self.add_person(Person(CY, "cy", "Cy (a stranger)", "cy@example.org"))
        self.add_channel(Channel(DEMO, "demo", {BOT, ADA, BO, CY}))
        self.add_channel(Channel(GENERAL, "general", {ADA, BO, CY}))

    # What changes is announced, so that a browser or a test can wait for it.

    def touch(self) -> None:
        """Something that a person can see changed."""
        self.version += 1
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()

    async def moved(self, after: int) -> int:
        """Wait until there is a later version than `after`; returns it."""
        while self.version <= after:
            await self._moved.wait()
        return self.version

    def ts(self) -> str:
        """A new timestamp: later than all before."""
        self._last_ts = max(self._last_ts + 1, int(self.clock.now() * 1_000_000))
        return f"{self._last_ts // 1_000_000}.{self._last_ts % 1_000_000:06d}"

    def number(self, letter: str) -> str:
        """A new id."""
        return f"{letter}{next(self._numbers):09d}"

    # People and channels.

    def add_person(self, person: Person) -> None:
        """A new account."""
        self.people[person.id] = person
        self.touch()

    def add_channel(self, channel: Channel) -> None:
        """A new channel."""
        self.channels[channel.id] = channel
        self.touch()

    def person(self, user: str) -> Person:
        """Raises `Refused`: user_not_found."""
        if user not in self.people:
            raise Refused(Code.USER_NOT_FOUND)
        return self.people[user]

    def channel(self, name: str) -> Channel:
        """By id, or as `#name`. Raises `Refused`: channel_not_found."""
        if name in self.channels:
            return self.channels[name]
        for channel in self.channels.values():
            if name.removeprefix("#") == channel.name:
                return channel
        raise Refused(Code.CHANNEL_NOT_FOUND)

    def app_channel(self, name: str, *, to_write: bool = True) -> Channel:
        """One in which the app is. Raises `Refused`: channel_not_found, not_in_channel, is_archived."""
        channel = self.channel(name)
        if BOT not in channel.members:
            raise Refused(Code.CHANNEL_NOT_FOUND if channel.private else "not_in_channel")
        if channel.archived and to_write:
            raise Refused(Code.IS_ARCHIVED)
        return channel

    def direct(self, user: str) -> Channel:
        """The conversation of a person with the app; made when there is none. Raises `Refused`."""
        person = self.person(user)
        if person.bot:
            raise Refused(Code.CANNOT_DM_BOT)
        if person.gone:
            raise Refused(Code.USER_DISABLED)
        for channel in self.channels.values():
            if channel.direct == user:
                return channel
        channel = Channel(f"D{user[1:]}", f"dm-{person.name}", {BOT, user}, private=True, direct=user)
        self.add_channel(channel)
        return channel

    def join(self, channel: Channel, user: str) -> None:
        """A person or the app comes in."""
        channel.members.add(user)
        self.touch()
        event = {"type": "member_joined_channel", "user": user, "channel": channel.id, "team": TEAM}
        self.event({**event, "channel_type": "G" if channel.private else "C"}, channel)

    # Messages.

    def message(self, channel: Channel, ts: str) -> Json:
        """Raises `Refused`: message_not_found."""
        message = channel.messages.get(ts)
        if message is None or message.get("subtype") == "tombstone":
            raise Refused(Code.MESSAGE_NOT_FOUND)
        return message

    def root(self, channel: Channel, thread_ts: str) -> Json:
        """What can be replied to. Raises `Refused`: thread_not_found, cannot_reply_to_message."""
        root = channel.messages.get(thread_ts)
        if root is None:
            raise Refused(Code.THREAD_NOT_FOUND)
        if root.get("thread_ts", thread_ts) != thread_ts:
            raise Refused(Code.CANNOT_REPLY_TO_MESSAGE, "thread_ts is that of a reply; use its parent's")
        return root

    def post(self, channel: Channel, message: Json) -> Json:
        """Add a message (with its author and content); returns it with `ts`. Raises `Refused` for its thread."""
        if thread := message.get("thread_ts"):
            self.root(channel, thread)
        ts = self.ts()
        added: Json = {"type": "message", "team": TEAM, **self._with_ids(message), "ts": ts}
        channel.messages[ts] = added
        if thread:
            self._count(channel, thread)
        self.touch()
        self.event({**public(added), "channel": channel.id, "channel_type": channel.kind}, channel)
        return added

    def _count(self, channel: Channel, thread: str) -> None:
        _root, *replies = channel.thread(thread)
        root = channel.messages[thread]
        root.update(reply_count=len(replies), thread_ts=thread)
        root["reply_users"] = sorted({reply["user"] for reply in replies})
        root["latest_reply"] = replies[-1]["ts"] if replies else thread

    def edit(self, channel: Channel, message: Json, by: str, **changes: object) -> None:
        """Change what a message says."""
        before = dict(message)
        message.update(self._with_ids(changes))
        if changes.get("text") is not None and not changes.get("blocks"):
            message["edited"] = {"user": by, "ts": self.ts()}
        self.touch()
        event = {"type": "message", "subtype": "message_changed", "hidden": True, "ts": self.ts()}
        pair = {"message": public(message), "previous_message": public(before)}
        self.event({**event, **pair, "channel": channel.id, "channel_type": channel.kind}, channel)

    def delete(self, channel: Channel, message: Json) -> None:
        """Take a message away; one that has replies leaves a tombstone."""
        ts, thread = message["ts"], message.get("thread_ts")
        gone = channel.messages.pop(ts)
        if gone.get("reply_count"):
            kept = {name: gone[name] for name in ("thread_ts", "reply_count", "reply_users", "latest_reply")}
            words = {"subtype": "tombstone", "text": "This message was deleted.", "user": SLACKBOT}
            channel.messages[ts] = {"type": "message", "ts": ts, **words, **kept}
        elif thread in channel.messages and thread != ts:
            self._count(channel, str(thread))
        self.touch()
        event = {"type": "message", "subtype": "message_deleted", "hidden": True, "ts": self.ts()}
        more = {"deleted_ts": ts, "previous_message": public(gone), "channel": channel.id}
        self.event({**event, **more, "channel_type": channel.kind}, channel)

    def whisper(self, channel: Channel, user: str, content: Json) -> Json:
        """Show one person something; returns it."""
        ts = self.ts()
        shown: Json = {"type": "message", "ts": ts, "for": user, "user": BOT, "is_ephemeral": True}
        shown |= self._with_ids(content)
        channel.ephemerals[ts] = shown
        self.touch()
        return shown

    def _with_ids(self, content: Json) -> Json:
        """Slack gives each block an id that has none."""
        if not isinstance(content.get("blocks"), list):
            return content
        return {**content, "blocks": [{"block_id": self.number("b"), **block} for block in content["blocks"]]}

    def react(self, channel: Channel, ts: str, user: str, name: str) -> None:
        """Raises `Refused`: message_not_found, already_reacted."""
        message = self.message(channel, ts)
        reactions: list[Json] = message.setdefault("reactions", [])
        row = next((row for row in reactions if row["name"] == name), None)
        if row is None:
            row = {"name": name, "users": [], "count": 0}
            reactions.append(row)
        if user in row["users"]:
            raise Refused(Code.ALREADY_REACTED)
        row["users"].append(user)
        self._reacted(channel, message, row, "reaction_added", user)

    def unreact(self, channel: Channel, ts: str, user: str, name: str) -> None:
        """Raises `Refused`: message_not_found, no_reaction."""
        message = self.message(channel, ts)
        row = next((row for row in message.get("reactions", []) if row["name"] == name), None)
        if row is None or user not in row["users"]:
            raise Refused(Code.NO_REACTION)
        row["users"].remove(user)
        self._reacted(channel, message, row, "reaction_removed", user)

    def _reacted(self, channel: Channel, message: Json, row: Json, kind: str, user: str) -> None:
        row["count"] = len(row["users"])
        message["reactions"] = [one for one in message["reactions"] if one["count"]]
        self.touch()
        item = {"type": "message", "channel": channel.id, "ts": message["ts"]}
        event = {"type": kind, "user": user, "reaction": row["name"], "item": item}
        self.event({**event, "item_user": message.get("user", "")}, channel)

    def event(self, event: Json, channel: Channel) -> None:
        """Tell the app, when it is there to see it."""
        if BOT not in channel.members:
            return
        self.tell_app({"event_ts": self.ts(), **event})
        said = event["type"] == "message" and "subtype" not in event and event.get("user") != BOT
        if said and not channel.direct and f"<@{BOT}>" in event["text"]:
            mention = {name: value for name, value in event.items() if name != "channel_type"}
            self.tell_app({"event_ts": event["ts"], **mention, "type": "app_mention"})

    def visible(self, user: str) -> Iterator[Channel]:
        """The channels that a person is in."""
        return (channel for channel in self.channels.values() if user in channel.members)


def public(message: Json) -> Json:
    """A message as events and histories give it: without its metadata."""
    return {name: value for name, value in message.items() if name != "metadata"}
