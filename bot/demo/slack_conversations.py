"""`conversations.*` of the fake Slack: channels, their history, and threads, page by page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bot.demo.slack_refusals import Code, Json, Refused, required
from bot.demo.slack_workspace import BOT, Channel, Workspace, public

_MOST = 999


class Conversations:
    """Methods about channels."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def methods(self) -> Mapping[str, Callable[[Json], Json]]:
        """Each by its name."""
        return {
            "conversations.history": self._history,
            "conversations.info": self._info,
            "conversations.join": self._join,
            "conversations.list": self._list,
            "conversations.members": self._members,
            "conversations.open": self._open,
            "conversations.replies": self._replies,
        }

    def _open(self, arguments: Json) -> Json:
        users = [name for name in str(arguments.get("users") or "").split(",") if name]
        if not users:
            raise Refused(Code.USERS_LIST_NOT_SUPPLIED)
        if len(users) > 1:
            raise Refused(
                Code.METHOD_NOT_SUPPORTED_FOR_CHANNEL_TYPE, "the fake Slack has no group conversations"
            )
        known = {channel.direct for channel in self._workspace.channels.values()}
        channel = self._workspace.direct(users[0])
        form = channel.form() if is_true(arguments.get("return_im")) else {"id": channel.id}
        return {"channel": form, "already_open": users[0] in known, "no_op": users[0] in known}

    def _history(self, arguments: Json) -> Json:
        required(arguments, ["channel"])
        channel = self._workspace.app_channel(str(arguments["channel"]), to_write=False)
        newest_first = channel.timeline()[::-1]
        return _page(_within(newest_first, arguments), arguments, default=100)

    def _replies(self, arguments: Json) -> Json:
        required(arguments, ["channel", "ts"])
        channel = self._workspace.app_channel(str(arguments["channel"]), to_write=False)
        ts = str(arguments["ts"])
        if ts not in channel.messages:
            raise Refused(Code.THREAD_NOT_FOUND)
        root, *replies = channel.thread(str(channel.messages[ts].get("thread_ts", ts)))
        return _page([root, *_within(replies, arguments)], arguments, default=1_000)

    def _info(self, arguments: Json) -> Json:
        required(arguments, ["channel"])
        return {"channel": self._seen(str(arguments["channel"])).form()}

    def _seen(self, name: str) -> Channel:
        """A channel that the app may know of."""
        channel = self._workspace.channel(name)
        if channel.private and BOT not in channel.members:
            raise Refused(Code.CHANNEL_NOT_FOUND)
        return channel

    def _members(self, arguments: Json) -> Json:
        required(arguments, ["channel"])
        return {"members": sorted(self._seen(str(arguments["channel"])).members)}

    def _list(self, arguments: Json) -> Json:
        types = str(arguments.get("types") or "public_channel").split(",")
        kinds = {"public_channel": "channel", "private_channel": "group", "im": "im"}
        wanted = {kinds.get(kind.strip(), "") for kind in types}
        found = [
            channel.form()
            for channel in self._workspace.channels.values()
            if channel.kind in wanted
            and (not channel.private or BOT in channel.members)
            and not (channel.archived and is_true(arguments.get("exclude_archived")))
        ]
        start, limit = _cursor(arguments), _limit(arguments, 100)
        more = str(start + limit) if start + limit < len(found) else ""
        return {"channels": found[start : start + limit], "response_metadata": {"next_cursor": more}}

    def _join(self, arguments: Json) -> Json:
        required(arguments, ["channel"])
        channel = self._seen(str(arguments["channel"]))
        if channel.private:
            raise Refused(Code.METHOD_NOT_SUPPORTED_FOR_CHANNEL_TYPE)
        if channel.archived:
            raise Refused(Code.IS_ARCHIVED)
        if BOT in channel.members:
            return {"channel": channel.form(), "warning": "already_in_channel"}
        self._workspace.join(channel, BOT)
        return {"channel": channel.form()}


def is_true(value: object) -> bool:
    """Whether an argument says yes: forms carry words."""
    return value is True or str(value).lower() in {"1", "true"}


def whole(value: Any, name: str) -> int:  # noqa: ANN401 - a form's or JSON's value
    """A whole number. Raises `Refused`."""
    try:
        return int(value)
    except (TypeError, ValueError) as error:
        raise Refused(Code.INVALID_ARGUMENTS, f"{name} must be a whole number") from error


def _limit(arguments: Json, default: int) -> int:
    limit = whole(arguments.get("limit") or default, "limit")
    if not 1 <= limit <= max(_MOST, default):
        raise Refused(Code.INVALID_LIMIT)
    return limit


def _cursor(arguments: Json) -> int:
    cursor = str(arguments.get("cursor") or "0")
    if not cursor.isdigit():
        raise Refused(Code.INVALID_CURSOR)
    return int(cursor)


def _within(messages: list[Json], arguments: Json) -> list[Json]:
    """Those between `oldest` and `latest`; the ends themselves only with `inclusive`."""
    try:
        oldest = float(arguments.get("oldest") or 0)
        latest = float(arguments.get("latest") or "inf")
    except ValueError as error:
        raise Refused(Code.INVALID_TS_OLDEST) from error
    inclusive = is_true(arguments.get("inclusive"))
    return [
        one
        for one in messages
        if oldest < float(one["ts"]) < latest or (inclusive and float(one["ts"]) in {oldest, latest})
    ]


def _page(messages: list[Json], arguments: Json, default: int) -> Json:
    start, limit = _cursor(arguments), _limit(arguments, default)
    rows = messages[start : start + limit]
    if not is_true(arguments.get("include_all_metadata")):
        rows = [public(one) for one in rows]
    more = start + limit < len(messages)
    following = {"next_cursor": str(start + limit)} if more else {"next_cursor": ""}
    return {"messages": rows, "has_more": more, "response_metadata": following}
