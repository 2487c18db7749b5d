"""Slack as a room of conversations: `chat.postMessage`, `chat.update`, reactions, and how a post is found again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.chat.room import CARD, Spot
from bot.chat.story import Entry
from bot.frontends.slack import blocks
from bot.frontends.slack.calls import HARMLESS, Calls
from orchestrator.domain.message import MessageStage
from orchestrator.domain.session import Session
from orchestrator.errors import NotFound

EVENT = "ao_post"
PACE = 3.0
"""Seconds between two edits of one card: `chat.update` is tier 3, about 50 a minute for the workspace."""
_REACTION = "reaction:"
_STAGES = {
    MessageStage.RECEIVED: "eyes",
    MessageStage.TYPING: "eyes",
    MessageStage.TYPED: "eyes",
    MessageStage.ACCEPTED: "white_check_mark",
    MessageStage.WORKING: "white_check_mark",
    MessageStage.ANSWERED: "white_check_mark",
    MessageStage.FAILED: "warning",
}
_BEFORE = {
    "eyes": (),
    "white_check_mark": ("eyes",),
    "warning": ("eyes", "white_check_mark"),
}
_HISTORY = 200
_SKEW = 3600.0
"""Seconds that our clock may be ahead of Slack's."""
_REMEMBERED = 500


@dataclass(kw_only=True)
class SlackRoom:
    """Implements `bot.chat.room.Room`."""

    client: AsyncWebClient
    calls: Calls
    channel_of: Callable[[str], str]
    """A project's channel; empty where it has none."""
    user_of: Callable[[str], str]
    """A person's Slack id by their handle; empty for one who has none."""
    surface: str = "slack"
    pace: float = PACE
    _reacted: dict[str, str] = field(default_factory=dict)
    """The sign on a person's post, as far as it is known here."""

    def channel(self, session: Session) -> str:
        """The project's channel."""
        return self.channel_of(session.project)

    async def post(self, spot: Spot, entry: Entry, key: str) -> str:
        """Post it, with its key as metadata. A person's own post gets a reaction instead of a post about it."""
        if entry.source.startswith("slack:"):
            return await self._react(entry)
        answer = await self.calls.call(
            f"post:{spot.channel}",
            lambda: self.client.chat_postMessage(
                channel=spot.channel,
                thread_ts=spot.thread or None,
                metadata={"event_type": EVENT, "event_payload": {"key": key}},
                unfurl_links=False,
                unfurl_media=False,
                **self._content(entry),
            ),
        )
        return str(answer["ts"])

    async def edit(self, spot: Spot, post: str, entry: Entry) -> None:
        """`chat.update`; the metadata stays."""
        if post.startswith(_REACTION):
            await self._react(entry)
            return
        await self.calls.call(
            f"update:{spot.channel}",
            lambda: self.client.chat_update(
                channel=spot.channel, ts=post, **self._content(entry, edited=True)
            ),
        )

    async def find(self, spot: Spot, key: str, since: float) -> str | None:
        """Look through what was posted there since, by metadata."""
        oldest = f"{max(since - _SKEW, 0):.6f}"
        if spot.thread:
            answer = await self.calls.call(
                "replies",
                lambda: self.client.conversations_replies(
                    channel=spot.channel,
                    ts=spot.thread,
                    oldest=oldest,
                    limit=_HISTORY,
                    include_all_metadata=True,
                ),
            )
        else:
            answer = await self.calls.call(
                "history",
                lambda: self.client.conversations_history(
                    channel=spot.channel, oldest=oldest, limit=_HISTORY, include_all_metadata=True
                ),
            )
        messages: list[dict[str, Any]] = answer.get("messages") or []
        return next((str(message["ts"]) for message in messages if _key(message) == key), None)

    def _content(self, entry: Entry, *, edited: bool = False) -> dict[str, Any]:
        if entry.about == CARD:
            return {"text": blocks.entry_text(entry), "blocks": blocks.card_blocks(entry.message)}
        # An edit mentions nobody anew.
        who = self.user_of(entry.whom) if entry.mention and not edited else ""
        mention = f"<@{who}>" if who else ""
        return {
            "text": blocks.entry_text(entry, mention),
            "blocks": blocks.entry_blocks(entry, mention),
        }

    async def _react(self, entry: Entry) -> str:
        """Show how far a message is on the post that it was said in. Repeatable."""
        _, channel, ts = entry.source.split(":", 2)
        name = _STAGES[entry.stage or MessageStage.RECEIVED]
        made = f"{_REACTION}{channel}:{ts}"
        if self._reacted.get(made) == name:
            return made
        await self._one(name, channel, ts, add=True)
        for former in _BEFORE[name]:
            await self._one(former, channel, ts, add=False)
        self._reacted[made] = name
        while len(self._reacted) > _REMEMBERED:
            del self._reacted[next(iter(self._reacted))]
        return made

    async def _one(self, name: str, channel: str, ts: str, *, add: bool) -> None:
        call = self.client.reactions_add if add else self.client.reactions_remove
        try:
            await self.calls.call("reactions", lambda: call(name=name, channel=channel, timestamp=ts))
        except NotFound:
            return  # the person took the post away: there is nothing to show it on
        except SlackApiError as error:
            if error.response.get("error") not in HARMLESS:
                raise


def _key(message: Mapping[str, Any]) -> str:
    metadata = message.get("metadata") or {}
    if metadata.get("event_type") != EVENT:
        return ""
    return str((metadata.get("event_payload") or {}).get("key", ""))
