"""The browser view of the fake Slack: channels, messages, a thread, and boxes to type into."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from importlib import resources
from urllib.parse import urlencode

from bot.demo.slack_blocks import Blocks
from bot.demo.slack_html import Safe, emoji, join, mrkdwn, tag
from bot.demo.slack_refusals import Json
from bot.demo.slack_socket import SocketMode
from bot.demo.slack_views import Views
from bot.demo.slack_workspace import ADA, BOT, SLACKBOT, Channel, Workspace

SECURITY = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_HOME = "home"
_TITLE = "Fake Slack (for the demo)"
_FOLDER = resources.files("bot.demo")
_ASSETS = {name: _FOLDER.joinpath(name).read_text("utf-8") for name in ("slack.js", "slack.css")}
Parts = dict[str, object]


class _Look:
    """Where a person is looking: who they are, which channel, which thread."""

    def __init__(self, workspace: Workspace, query: Mapping[str, str]) -> None:
        people = [person.id for person in workspace.people.values() if not person.bot]
        self.user = query.get("you", "") if query.get("you") in people else ADA
        rooms = {channel.id: channel for channel in workspace.visible(self.user)}
        wanted = query.get("channel", "")
        self.home = wanted == _HOME
        self.channel: Channel | None = rooms.get(wanted) or next(iter(rooms.values()), None)
        thread = query.get("thread", "")
        self.thread = thread if self.channel is not None and thread in self.channel.messages else ""

    def address(self, **changes: str) -> str:
        """A link from here."""
        channel = _HOME if self.home else self.channel.id if self.channel else ""
        query = {"you": self.user, "channel": channel, "thread": self.thread, **changes}
        return "/?" + urlencode({name: value for name, value in query.items() if value})


class Page:
    """Draws the whole page, and its parts again when something changed."""

    def __init__(self, workspace: Workspace, views: Views, socket: SocketMode) -> None:
        self._workspace = workspace
        self._views = views
        self._socket = socket

    def asset(self, name: str) -> str:
        """The script or the style sheet."""
        return _ASSETS[name]

    def whole(self, query: Mapping[str, str]) -> str:
        """The page as it is now; the script fetches its parts again when something changes."""
        look = _Look(self._workspace, query)
        rows = self._home(look) if look.home else self._messages(look)
        head = tag(
            "head",
            tag("meta", charset="utf-8"),
            tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
            tag("title", _TITLE),
            tag("link", rel="stylesheet", href="/slack.css"),
            tag("link", rel="icon", href="data:,"),
            tag("script", src="/slack.js", defer=True),
        )
        body = tag(
            "body",
            self._top(look),
            tag("nav", tag("div", self._channels(look)), id="channels", aria_label="Channels"),
            self._room(look, rows),
            self._side(look),
            tag("dialog", id="modal"),
            tag("dialog", id="confirm"),
            tag("p", id="note", role="status"),
            data_you=look.user,
            data_channel=look.channel.id if look.channel else "",
            data_thread=look.thread,
            class_="with-thread" if look.thread else None,
        )
        return f"<!doctype html>{tag('html', head, body, lang='en')}"

    def _top(self, look: _Look) -> Safe:
        people = [person for person in self._workspace.people.values() if not person.bot]
        links = [
            tag(
                "a",
                person.real_name or person.name,
                href=look.address(you=person.id, thread=""),
                aria_current="true" if person.id == look.user else None,
            )
            for person in people
        ]
        who = tag("span", "You are:", *links, class_="people")
        return tag("header", tag("strong", _TITLE), tag("span", id="sockets"), who)

    def _room(self, look: _Look, rows: list[list[str]]) -> Safe:
        name = "Home of ao" if look.home else _room_name(look.channel)
        hint = "Message, or /ao help" if not look.home else ""
        composer = _composer("room", hint) if look.channel and not look.home else ""
        return tag("main", tag("h1", name), tag("div", _pieces(rows), id="messages", tabindex="0"), composer)

    def _side(self, look: _Look) -> Safe:
        if not look.thread:
            return Safe("")
        close = tag("a", "Close", href=look.address(thread=""), class_="close")
        return tag(
            "aside",
            tag("h2", "Thread", close),
            tag("div", _pieces(self._thread(look)), id="thread", tabindex="0"),
            _composer("thread", "Reply"),
            aria_label="Thread",
        )

    def parts(self, query: Mapping[str, str]) -> Parts:
        """What may have changed: lists of pieces, each with its id."""
        look = _Look(self._workspace, query)
        stack = self._views.stacks.get(look.user)
        modal = stack[-1] if stack else None
        connected = self._socket.connected
        return {
            "version": self._workspace.version,
            "channels": [["channels", self._channels(look)]],
            "messages": self._home(look) if look.home else self._messages(look),
            "thread": self._thread(look),
            "modal": self._modal(look, modal) if modal else "",
            "modal_id": f"{modal['id']} {modal['hash']} {modal.get('errors', '')}" if modal else "",
            "sockets": f"ao is connected ({connected})" if connected else "ao is not connected",
        }

    def _channels(self, look: _Look) -> Safe:
        def link(channel: str, name: str, *, here: bool) -> Safe:
            return tag(
                "a",
                name,
                href=look.address(channel=channel, thread=""),
                aria_current="page" if here else None,
            )

        rows = [
            link(room.id, _room_name(room), here=not look.home and room is look.channel)
            for room in self._workspace.visible(look.user)
        ]
        direct = any(room.direct for room in self._workspace.visible(look.user))
        if not direct:
            rows.append(tag("button", "Message ao", type="button", class_="press", data_do="direct"))
        return join(*rows, link(_HOME, "Home of ao", here=look.home))

    def _messages(self, look: _Look) -> list[list[str]]:
        if look.channel is None:
            return []
        own = [one for one in look.channel.ephemerals.values() if one["for"] == look.user]
        rows = [*look.channel.timeline(), *(one for one in own if not one.get("thread_ts"))]
        return self._drawn(look, sorted(rows, key=lambda one: float(one["ts"])), in_thread=False)

    def _thread(self, look: _Look) -> list[list[str]]:
        if look.channel is None or not look.thread:
            return []
        own = look.channel.ephemerals.values()
        mine = [one for one in own if one["for"] == look.user and one.get("thread_ts") == look.thread]
        rows = sorted([*look.channel.thread(look.thread), *mine], key=lambda one: float(one["ts"]))
        return self._drawn(look, rows, in_thread=True)

    def _drawn(self, look: _Look, rows: list[Json], *, in_thread: bool) -> list[list[str]]:
        return [[f"{in_thread}-{one['ts']}", self._message(look, one, in_thread=in_thread)] for one in rows]

    def _message(self, look: _Look, message: Json, *, in_thread: bool) -> Safe:
        channel = look.channel.id if look.channel else ""
        where = {"data_channel": channel, "data_ts": message["ts"]}
        blocks = message.get("blocks") or []
        draw = Blocks(self._name, look.user, where)
        body = draw.draw(blocks) if blocks else mrkdwn(str(message.get("text", "")), self._name)
        files = [
            tag("div", f"📄 {file['title']} ({file['size']} bytes)", class_="file")
            for file in message.get("files", [])
        ]
        user = str(message.get("user", ""))
        author = "Slackbot" if user == SLACKBOT else self._name(user)
        badge = tag("span", "APP", class_="badge") if user == BOT else ""
        at = datetime.fromtimestamp(float(message["ts"]), tz=UTC).astimezone()
        when = tag("time", f"{at:%H:%M}", datetime=at.isoformat())
        edited = tag("small", "(edited)") if message.get("edited") else ""
        private = tag("small", "Only visible to you", class_="private") if message.get("is_ephemeral") else ""
        return tag(
            "article",
            tag("span", author[:1].upper(), class_="face bot" if user == BOT else "face", aria_hidden="true"),
            tag(
                "div",
                tag("div", tag("strong", author), badge, when, edited, private, class_="by"),
                tag("div", body, *files, class_="body"),
                self._reactions(message),
                "" if in_thread else _replies(look, message),
                class_="message",
            ),
            class_="own" if message.get("is_ephemeral") else None,
        )

    def _reactions(self, message: Json) -> Safe:
        rows = message.get("reactions") or []
        shown = [
            tag(
                "span",
                f"{emoji(row['name'])} {row['count']}",
                title=f":{row['name']}: by {', '.join(self._name(user) for user in row['users'])}",
            )
            for row in rows
        ]
        return tag("div", *shown, class_="reactions") if shown else Safe("")

    def _name(self, key: str) -> str:
        if key in self._workspace.people:
            person = self._workspace.people[key]
            return person.name if person.bot else person.real_name or person.name
        return self._workspace.channels[key].name if key in self._workspace.channels else key

    def _home(self, look: _Look) -> list[list[str]]:
        view = self._views.homes.get(look.user)
        draw = Blocks(self._name, look.user, {"data_view": "home"})
        inside = draw.draw(view["blocks"]) if view else tag("p", "ao has published nothing here yet.")
        return [["home", tag("section", inside, class_="body")]]

    def _modal(self, look: _Look, view: Json) -> Safe:
        draw = Blocks(self._name, look.user, {"data_view": "modal"})
        errors = [tag("p", words, class_="error", role="alert") for words in view.get("errors", {}).values()]
        submit = (view.get("submit") or {}).get("text", "")
        close = (view.get("close") or {}).get("text", "Close")
        return tag(
            "form",
            tag("h2", str(view["title"]["text"])),
            *errors,
            draw.draw(view["blocks"]),
            tag(
                "div",
                tag("button", str(close), type="button", class_="press", data_do="dismiss"),
                tag("button", str(submit), type="submit", class_="press primary") if submit else "",
                class_="actions end",
            ),
            data_do="submit",
            class_="body",
        )


def _pieces(rows: list[list[str]]) -> Safe:
    """As the script puts them."""
    return join(*(tag("div", Safe(drawn)) for _id, drawn in rows))


def _room_name(channel: Channel | None) -> str:
    if channel is None:
        return "No channel"
    return "ao (direct)" if channel.direct else f"# {channel.name}"


def _replies(look: _Look, message: Json) -> Safe:
    count = message.get("reply_count", 0)
    if message.get("is_ephemeral"):
        return Safe("")
    words = f"{count} repl{'y' if count == 1 else 'ies'}" if count else "Reply in thread"
    root = str(message.get("thread_ts") or message["ts"])
    return tag("a", words, href=look.address(thread=root), class_="replies" if count else "replies none")


def _composer(name: str, hint: str) -> Safe:
    box = tag("input", type="text", name="text", placeholder=hint, aria_label=hint, autocomplete="off")
    send = tag("button", "Send", type="submit", class_="press primary")
    return tag("form", box, send, data_do="say", data_pane=name, class_="composer")
