"""What Slack sends, read: commands, posts, presses, forms. Pure; what is none of ours is None."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from bot.frontends.slack.blocks import ASK, MENU, words_of_modal

_POSTS = frozenset({None, "file_share", "thread_broadcast"})
"""Subtypes of a message that a person wrote just now; all others are edits, joins, bots."""
_ENTITY = {"&lt;": "<", "&gt;": ">", "&amp;": "&"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """The place of something, as it is kept with a request and carried by a form."""

    channel: str
    user: str
    thread: str = ""
    at_root: bool = False
    """It was pressed on the message that the thread hangs from: who did that looks at the channel."""

    @property
    def answered_in(self) -> str:
        """The thread that an answer goes to, so that who asked sees it; nothing: the channel itself."""
        return "" if self.at_root else self.thread

    def text(self) -> str:
        """As JSON."""
        kept: dict[str, object] = {"channel": self.channel, "user": self.user, "thread": self.thread}
        return json.dumps({**kept, "root": True} if self.at_root else kept)


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A person's post in a channel or a thread."""

    where: Where
    ts: str
    text: str
    mentioned: bool
    """It begins with a mention of us, which is taken off."""

    @property
    def source(self) -> str:
        """Our name for it: the same for the message and the mention that Slack sends of one post."""
        return f"slack:{self.where.channel}:{self.ts}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Press:
    """A pressed button, a chosen line of a menu, or a form with the words that go with a button."""

    where: Where
    payload: str
    key: str
    label: str = ""
    words: str = ""
    asks: bool = False
    """It is a button that first asks for words."""
    in_menu: bool = False
    called: str = ""
    """What who pressed it is called there."""
    trigger: str = ""


def where_of(text: str) -> Where | None:
    """A place as it was kept. None for what is none."""
    try:
        data = json.loads(text)
        return Where(
            channel=str(data["channel"]),
            user=str(data["user"]),
            thread=str(data.get("thread") or ""),
            at_root=data.get("root") is True,
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def post(event: Mapping[str, Any], bot_user: str) -> Post | None:
    """A post that a person wrote; None for everything else, our own posts included."""
    if event.get("subtype") not in _POSTS or event.get("bot_id") or event.get("hidden"):
        return None
    user, channel, ts = event.get("user"), event.get("channel"), event.get("ts")
    if not user or not channel or not ts or user in {bot_user, "USLACKBOT"}:
        return None
    text = str(event.get("text") or "")
    bare = re.sub(rf"^\s*<@{re.escape(bot_user)}(?:\|[^>]*)?>[\s,:]*", "", text) if bot_user else text
    thread = str(event.get("thread_ts") or "")
    return Post(
        where=Where(channel=str(channel), user=str(user), thread="" if thread == ts else thread),
        ts=str(ts),
        text=plain(bare),
        mentioned=bare != text,
    )


def plain(text: str) -> str:
    """What a person typed: Slack escapes three letters and wraps links; mentions stay as they are."""
    text = re.sub(r"<(https?://[^|>\s]+)(?:\|[^>]*)?>", r"\1", text)
    return re.sub("&lt;|&gt;|&amp;", lambda found: _ENTITY[found.group()], text)


def press(body: Mapping[str, Any]) -> Press | None:
    """A block action of ours."""
    actions = body.get("actions") or [{}]
    action, container = actions[0], body.get("container") or {}
    channel = str((body.get("channel") or {}).get("id") or container.get("channel_id") or "")
    user = str((body.get("user") or {}).get("id") or "")
    message = body.get("message") or {}
    chosen = action.get("selected_option") or {}
    value = str(chosen.get("value") or action.get("value") or "")
    if not value or not channel or not user:
        return None
    ts = str(message.get("ts") or container.get("message_ts") or "")
    thread = str(message.get("thread_ts") or container.get("thread_ts") or ts)
    return Press(
        where=Where(channel=channel, user=user, thread=thread, at_root=thread == ts),
        payload=value,
        key=f"slack:{channel}:{ts}:{user}:{action.get('action_ts', '')}:{value}",
        label=str((chosen.get("text") or action.get("text") or {}).get("text") or "Send"),
        asks=str(action.get("action_id", "")).startswith(ASK),
        in_menu=str(action.get("action_id", "")).startswith(MENU),
        called=_called(body),
        trigger=str(body.get("trigger_id") or ""),
    )


def _called(body: Mapping[str, Any]) -> str:
    user = body.get("user") or {}
    return str(user.get("username") or user.get("name") or "")


def carried(pressed: Press) -> str:
    """What a form brings back with it."""
    return json.dumps({"where": pressed.where.text(), "payload": pressed.payload})


def submitted(body: Mapping[str, Any]) -> Press | None:
    """A form of ours that was sent."""
    view = body.get("view") or {}
    try:
        data = json.loads(view.get("private_metadata") or "")
    except ValueError:
        return None
    where = where_of(str(data.get("where") or "")) if isinstance(data, dict) else None
    user = str((body.get("user") or {}).get("id") or "")
    if where is None or not user:
        return None
    return Press(
        # Who sends the form acts, not who opened it.
        where=replace(where, user=user),
        payload=str(data.get("payload") or ""),
        key=f"slack:view:{view.get('id', '')}:{view.get('hash', '')}",
        words=words_of_modal(dict(view)),
        called=_called(body),
    )
