"""What Slack hands out for an answer later: trigger ids (3 seconds, once) and response URLs (30 minutes, 5 times)."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from bot.demo.slack_limits import check_blocks
from bot.demo.slack_refusals import Code, Json, Refused
from bot.demo.slack_workspace import BOT, BOT_ID, Channel, Workspace

TRIGGER_SECONDS = 3.0
RESPONSE_SECONDS = 30 * 60.0
RESPONSE_USES = 5


class Triggers:
    """Trigger ids, each of one person."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._given: dict[str, tuple[str, float]] = {}
        self._used: set[str] = set()

    def new(self, user: str) -> str:
        """An id that opens one modal for the person, soon."""
        trigger = f"{len(self._given)}.{secrets.token_hex(8)}"
        self._given[trigger] = user, self._now()
        return trigger

    def use(self, trigger: str) -> str:
        """Whose it is. Raises `Refused`: invalid_trigger_id, exchanged_trigger_id, expired_trigger_id."""
        if trigger in self._used:
            raise Refused(Code.EXCHANGED_TRIGGER_ID)
        if trigger not in self._given:
            raise Refused(Code.INVALID_TRIGGER_ID)
        user, since = self._given[trigger]
        if self._now() - since > TRIGGER_SECONDS:
            raise Refused(Code.EXPIRED_TRIGGER_ID)
        self._used.add(trigger)
        return user


@dataclass(slots=True)
class Invitation:
    """One response URL: for whom, where, and the message that it may replace."""

    user: str
    channel: Channel
    since: float
    ts: str = ""
    thread_ts: str = ""
    uses: int = 0
    shown: list[Json] = field(default_factory=list)
    """What was posted to it."""


class Responses:
    """The response URLs."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._given: dict[str, Invitation] = {}

    def new(self, user: str, channel: Channel, *, ts: str = "", thread_ts: str = "") -> str:
        """The secret part of a new URL."""
        token = secrets.token_hex(12)
        now = self._workspace.clock.now()
        self._given[token] = Invitation(user, channel, now, ts=ts, thread_ts=thread_ts)
        return token

    def invitation(self, token: str) -> Invitation:
        """Raises `Refused`: no such URL."""
        if token not in self._given:
            raise Refused(Code.INVALID_URL, status=404)
        return self._given[token]

    def post(self, token: str, body: Json) -> None:
        """What the app posts to one. Raises `Refused`: expired_url, used_url, and what messages are refused for."""
        invitation = self.invitation(token)
        if self._workspace.clock.now() - invitation.since > RESPONSE_SECONDS:
            raise Refused(Code.EXPIRED_URL, status=404)
        if invitation.uses >= RESPONSE_USES:
            raise Refused(Code.USED_URL, status=404)
        invitation.uses += 1
        if body.get("delete_original"):
            self._delete(invitation)
            return
        content = {
            "text": body.get("text") or "",
            "blocks": check_blocks(body.get("blocks") or [], "message"),
        }
        if not any(content.values()):
            raise Refused(Code.NO_TEXT)
        if body.get("replace_original") and self._original(invitation) is not None:
            self._replace(invitation, content)
        else:
            self.show(invitation, content, body)
        invitation.shown.append(body)
        self._workspace.touch()

    def show(self, invitation: Invitation, content: Json, how: Json) -> Json:
        """Show the content: to the person alone, or with `response_type: in_channel` to all."""
        thread = how.get("thread_ts") or invitation.thread_ts
        where = {"thread_ts": thread} if thread else {}
        if how.get("response_type") == "in_channel":
            author = {"user": BOT, "bot_id": BOT_ID}
            return self._workspace.post(invitation.channel, {**author, **content, **where})
        return self._workspace.whisper(invitation.channel, invitation.user, {**content, **where})

    def _original(self, invitation: Invitation) -> Json | None:
        channel = invitation.channel
        return channel.messages.get(invitation.ts) or channel.ephemerals.get(invitation.ts)

    def _replace(self, invitation: Invitation, content: Json) -> None:
        message = self._original(invitation)
        if message is None:
            raise Refused(Code.MESSAGE_NOT_FOUND, status=404)
        if message.get("is_ephemeral"):
            message.update(content)
        else:
            self._workspace.edit(invitation.channel, message, BOT, **content)

    def _delete(self, invitation: Invitation) -> None:
        channel = invitation.channel
        if channel.ephemerals.pop(invitation.ts, None) is None and invitation.ts in channel.messages:
            self._workspace.delete(channel, channel.messages[invitation.ts])
        self._workspace.touch()
