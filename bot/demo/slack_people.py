"""What people do in the fake workspace: commands, messages, clicks, forms; each sees only what is on their screen."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from bot.demo.slack_callbacks import Responses, Triggers
from bot.demo.slack_refusals import Json, Refused
from bot.demo.slack_socket import NotAcknowledged, SocketMode
from bot.demo.slack_views import CannotDo, Views, chosen
from bot.demo.slack_workspace import APP_ID, SLACKBOT, TEAM, TEAM_NAME, Channel, Workspace

_TYPED = re.compile(r"(?<![\w@])@([\w.-]*\w)|(?<![\w#&])#([\w-]+)")


class People:
    """The hands of everybody in the workspace. All methods raise `CannotDo` for what is not on the screen."""

    def __init__(
        self,
        workspace: Workspace,
        socket: SocketMode,
        triggers: Triggers,
        responses: Responses,
        views: Views,
    ) -> None:
        self.workspace = workspace
        self.views = views
        self.response_url: Callable[[str], str] = lambda token: token
        """Makes an address of a response URL's secret part."""
        self._socket = socket
        self._triggers = triggers
        self._responses = responses

    # Words.

    def channel(self, user: str, name: str) -> Channel:
        """A channel that the person is in."""
        try:
            channel = self.workspace.channel(name)
        except Refused:
            channel = None
        if user not in self.workspace.people:
            raise CannotDo(why=f"There is no person {user}.")
        if channel is None or user not in channel.members:
            raise CannotDo(why=f"{self.workspace.people[user].name} sees no channel {name}.")
        return channel

    def say(self, user: str, name: str, text: str, thread_ts: str = "") -> Json:
        """Write a message, or a reply; what is typed as `@ao` is a mention."""
        channel = self.channel(user, name)
        if not text.strip():
            raise CannotDo(why="There is nothing to send.")
        author = {"user": user, "user_team": self.workspace.people[user].team}
        content = {"text": self.as_sent(text), **({"thread_ts": thread_ts} if thread_ts else {})}
        try:
            return self.workspace.post(channel, {**author, **content})
        except Refused as refused:
            raise CannotDo(why=f"The thread {thread_ts} is not there: {refused.code}.") from refused

    def as_sent(self, text: str, *, named: bool = False) -> str:
        """What Slack makes of typed text: `&`, `<`, `>` escaped, `@ada` and `#demo` as ids (with names)."""
        escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        people = {person.name: person.id for person in self.workspace.people.values()}
        rooms = {channel.name: channel.id for channel in self.workspace.channels.values()}

        def link(found: re.Match[str]) -> str:
            person, room = found[1], found[2]
            if person in {"here", "channel", "everyone"}:
                return f"<!{person}>"
            if person in people:
                return f"<@{people[person]}{f'|{person}' if named else ''}>"
            if room in rooms:
                return f"<#{rooms[room]}|{room}>"
            return found[0]

        return _TYPED.sub(link, escaped)

    def edit(self, user: str, name: str, ts: str, text: str) -> None:
        """Change a message of one's own."""
        channel, message = self._own(user, name, ts)
        self.workspace.edit(channel, message, user, text=self.as_sent(text))

    def delete(self, user: str, name: str, ts: str) -> None:
        """Take a message of one's own away."""
        channel, message = self._own(user, name, ts)
        self.workspace.delete(channel, message)

    def _own(self, user: str, name: str, ts: str) -> tuple[Channel, Json]:
        channel = self.channel(user, name)
        message = channel.messages.get(ts)
        if message is None or message.get("user") != user:
            raise CannotDo(why=f"{ts} is no message of {user}.")
        return channel, message

    def react(self, user: str, name: str, ts: str, emoji: str) -> None:
        """Add a reaction."""
        try:
            self.workspace.react(self.channel(user, name), ts, user, emoji)
        except Refused as refused:
            raise CannotDo(why=refused.code) from refused

    # Commands.

    async def slash(self, user: str, name: str, text: str, command: str = "/ao") -> Json:
        """Type a command; `acked`, the acknowledgement's text, and the `token` by which later answers come."""
        channel = self.channel(user, name)
        token = self._responses.new(user, channel)
        payload = {
            "command": command,
            "text": self.as_sent(text, named=True).strip(),
            "user_id": user,
            "user_name": self.workspace.people[user].name,
            "channel_id": channel.id,
            "channel_name": "directmessage" if channel.direct else channel.name,
            "team_id": self.workspace.people[user].team,
            "team_domain": "fake",
            "api_app_id": APP_ID,
            "is_enterprise_install": "false",
            "response_url": self.response_url(token),
            "trigger_id": self._triggers.new(user),
        }
        answer = await self._ask("slash_commands", payload, channel, user, f"{command} {text}".strip())
        done: Json = {"acked": answer is not None, "text": "", "blocks": [], "token": token}
        if answer and (answer.get("text") or answer.get("blocks")):
            content = {"text": answer.get("text") or "", "blocks": answer.get("blocks") or []}
            self._responses.show(self._responses.invitation(token), content, answer)
            done |= content
        return done

    async def _ask(
        self, kind: str, payload: Json, channel: Channel | None, user: str, what: str
    ) -> Json | None:
        """The app's answer; None when it gave none, which the person then reads."""
        try:
            return await self._socket.ask(kind, payload)
        except NotAcknowledged as error:
            words = f"{what}: ao did not respond ({error})."
            if channel is not None:
                self.workspace.whisper(channel, user, {"user": SLACKBOT, "text": words, "failed": True})
            return None

    # Buttons and menus.

    async def click(self, user: str, name: str, ts: str, what: str, *, confirm: bool = False) -> Json:
        """Press the button with that action id or label; one that asks first needs `confirm`."""
        return await self._act(user, name, ts, what, confirm=confirm)

    async def choose(
        self, user: str, name: str, ts: str, what: str, option: str, *, confirm: bool = False
    ) -> Json:
        """Choose an option (value or label) of the menu with that action id."""
        return await self._act(user, name, ts, what, option=option, confirm=confirm)

    async def _act(
        self, user: str, name: str, ts: str, what: str, *, option: str = "", confirm: bool = False
    ) -> Json:
        channel = self.channel(user, name)
        message = channel.messages.get(ts) or channel.ephemerals.get(ts)
        if message is None or message.get("for", user) != user:
            raise CannotDo(why=f"There is no message {ts} in #{channel.name} for {user}.")
        block, element = find(message.get("blocks") or [], what, user)
        action = self._action(block, element, option, confirm=confirm)
        hidden = bool(message.get("is_ephemeral"))
        thread = {"thread_ts": message["thread_ts"]} if message.get("thread_ts") else {}
        place = {"channel_id": channel.id, "is_ephemeral": hidden, **thread}
        token = self._responses.new(user, channel, ts=ts, thread_ts=message.get("thread_ts", ""))
        payload = {
            **self._actor("block_actions", user),
            "container": {"type": "message", "message_ts": ts, **place},
            "channel": {"id": channel.id, "name": channel.name},
            "response_url": self.response_url(token),
            "state": {"values": {}},
            "actions": [action],
            **({} if hidden else {"message": message}),
        }
        answer = await self._ask("interactive", payload, channel, user, action_name(element))
        return {"acked": answer is not None, "token": token}

    def _actor(self, kind: str, user: str) -> Json:
        person = self.workspace.people[user]
        who = {"id": user, "username": person.name, "name": person.name, "team_id": person.team}
        return {
            "type": kind,
            "user": who,
            "team": {"id": TEAM, "domain": "fake", "name": TEAM_NAME},
            "api_app_id": APP_ID,
            "trigger_id": self._triggers.new(user),
            "is_enterprise_install": False,
            "enterprise": None,
        }

    def _action(self, block: Json, element: Json, option: str, *, confirm: bool) -> Json:
        asks = element.get("confirm")
        if asks and not confirm:
            raise CannotDo(why=f"It asks first: {asks['title']['text']}: {asks['text']['text']}")
        told = {name: value for name, value in element.items() if name not in {"confirm", "options"}}
        action = {**told, "block_id": block.get("block_id", ""), "action_ts": self.workspace.ts()}
        if element["type"] == "button":
            if option:
                raise CannotDo(why=f"{action_name(element)} is a button and has no options.")
            return action
        if not option:
            raise CannotDo(why=f"{action_name(element)} is a menu: choose an option.")
        return {**action, "selected_option": chosen(element, option)}

    # Modals and the Home tab.

    async def submit(self, user: str, typed: dict[str, Any], view_id: str = "") -> Json:
        """Fill in the modal on top (by block id or action id) and submit it; `errors` when it was refused."""
        view = self.views.top(user, view_id)
        filled = {**view, "state": {"values": self.views.filled(view, typed)}}
        payload = {**self._actor("view_submission", user), "view": filled, "response_urls": []}
        answer = await self._ask("interactive", payload, None, user, "submit")
        if answer is None:
            words = "We had some trouble connecting. Try again?"
            self.views.stacks[user][-1] = {**view, "errors": {"": words}}
            self.workspace.touch()
            return {"acked": False, "errors": {"": words}, "open": True}
        try:
            self.views.answered(user, view, answer)
        except Refused as refused:
            return {"acked": True, "errors": {"": f"ao answered badly: {refused.body}"}, "open": True}
        return {
            "acked": True,
            "errors": answer.get("errors") or {},
            "open": bool(self.views.stacks.get(user)),
        }

    async def dismiss(self, user: str) -> None:
        """Close the modal on top."""
        view = self.views.close(user)
        if view.get("notify_on_close"):
            payload = {**self._actor("view_closed", user), "view": view, "is_cleared": False}
            await self._ask("interactive", payload, None, user, "close")

    async def act_in_view(self, user: str, what: str, option: str = "", *, home: bool = False) -> Json:
        """Press a button or choose an option in the modal on top or in the Home tab."""
        view = self.views.homes.get(user) if home else self.views.top(user)
        if view is None:
            raise CannotDo(why=f"{user} has no Home tab.")
        block, element = find(view["blocks"], what, user)
        action = self._action(block, element, option, confirm=True)
        container = {"type": "view", "view_id": view["id"]}
        payload = {
            **self._actor("block_actions", user),
            "container": container,
            "view": view,
            "actions": [action],
        }
        answer = await self._ask("interactive", payload, None, user, action_name(element))
        return {"acked": answer is not None}

    def open_home(self, user: str) -> None:
        """Look at the app's Home tab."""
        direct = self.workspace.direct(user)
        event = {"type": "app_home_opened", "user": user, "channel": direct.id, "tab": "home"}
        self.workspace.event(event, direct)


def elements(blocks: list[Json], user: str = "") -> Iterator[tuple[Json, Json]]:
    """What can be pressed in blocks, each with its block; what is not for that person is left out."""
    for block in blocks:
        inside = [*(block.get("elements") or []), block.get("accessory"), block.get("element")]
        for element in inside:
            if isinstance(element, dict) and "action_id" in element:
                only = element.get("visible_to_user_ids")
                if not only or not user or user in only:
                    yield block, element


def action_name(element: Json) -> str:
    """What stands on it, or its id."""
    text = element.get("text") or {}
    return str(text.get("text") or element.get("action_id"))


def find(blocks: list[Json], what: str, user: str) -> tuple[Json, Json]:
    """The element with that action id or label, with its block. Raises `CannotDo`."""
    there = list(elements(blocks, user))
    for block, element in there:
        if what in {element["action_id"], action_name(element)}:
            return block, element
    names = ", ".join(action_name(element) for _block, element in there) or "nothing"
    raise CannotDo(why=f"There is no {what!r} to press; there is: {names}.")
