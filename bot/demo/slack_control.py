"""What a test or the browser view asks of the fake Slack: act as a person, break something, look at everything."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from bot.demo.slack_callbacks import Responses
from bot.demo.slack_faults import Faults
from bot.demo.slack_people import People
from bot.demo.slack_refusals import Json, Refused
from bot.demo.slack_socket import SocketMode
from bot.demo.slack_views import CannotDo
from bot.demo.slack_workspace import Channel, Person, Workspace

Do = Callable[[Json], Awaitable[Json]]
LONGEST_WAIT = 30.0


class Control:
    """One named request each, with a JSON object in and out. Raises `CannotDo` for what is not possible."""

    def __init__(
        self, people: People, responses: Responses, faults: Faults, socket: SocketMode, calls: list[Json]
    ) -> None:
        self.people = people
        self.workspace: Workspace = people.workspace
        self._responses = responses
        self._faults = faults
        self._socket = socket
        self._calls = calls
        self._known: Mapping[str, Do] = {
            "slash": self._slash,
            "click": self._click,
            "choose": self._click,
            "submit": self._submit,
            "dismiss": self._dismiss,
            "press_view": self._press_view,
            "state": self._state,
            "calls": self._read_calls,
            "sockets": self._sockets,
            "refresh": self._refresh,
            **{name: _at_once(do) for name, do in self._quick().items()},
        }

    def _quick(self) -> Mapping[str, Callable[[Json], Json | None]]:
        people, faults, socket, workspace = self.people, self._faults, self._socket, self.workspace
        return {
            "say": lambda b: {
                "ts": people.say(b["user"], b["channel"], b["text"], b.get("thread_ts", ""))["ts"]
            },
            "edit": lambda b: people.edit(b["user"], b["channel"], b["ts"], b["text"]),
            "delete": lambda b: people.delete(b["user"], b["channel"], b["ts"]),
            "react": lambda b: people.react(b["user"], b["channel"], b["ts"], b["name"]),
            "open_home": lambda b: people.open_home(b["user"]),
            "direct": lambda b: {"channel": workspace.direct(b["user"]).id},
            "down": lambda b: self._down(b["seconds"]),
            "burst": lambda b: faults.burst(b["calls"], b.get("seconds", 1), b.get("method", "")),
            "drop": lambda b: faults.drop(b["method"]),
            "fail": lambda b: faults.fail(b["method"], b["error"]),
            "pacing": lambda b: setattr(faults, "pacing", b["on"]),
            "revoke": lambda b: setattr(faults, "revoked", b.get("on", True)),
            "repeat": lambda b: setattr(socket, "repeat", b["times"]),
            "cut": lambda _b: socket.cut(),
            "advance": lambda b: workspace.clock.advance(b["seconds"]),
            "remove_message": self._remove_message,
            "add_person": lambda b: workspace.add_person(Person(**b)),
            "change_person": self._change_person,
            "add_channel": self._add_channel,
            "archive": lambda b: setattr(workspace.channel(b["channel"]), "archived", b.get("on", True)),
            "join": lambda b: workspace.join(workspace.channel(b["channel"]), b["user"]),
            "leave": lambda b: workspace.channel(b["channel"]).members.discard(b["user"]),
        }

    async def do(self, what: str, body: Json) -> Json:
        """Perform a request. Raises `CannotDo`."""
        if what not in self._known:
            raise CannotDo(why=f"There is no request {what}.")
        try:
            return await self._known[what](body)
        except Refused as refused:
            raise CannotDo(why=f"{what}: {refused.code}") from refused
        except KeyError as error:
            raise CannotDo(why=f"{what} needs {error}.") from error

    # As a person.

    async def _slash(self, body: Json) -> Json:
        done = await self.people.slash(
            body["user"], body["channel"], body["text"], body.get("command", "/ao")
        )
        return await self._what_came(done, body)

    async def _click(self, body: Json) -> Json:
        confirm, option = bool(body.get("confirm")), body.get("option")
        where = body["user"], body["channel"], body["ts"], body["what"]
        if option is None:
            done = await self.people.click(*where, confirm=confirm)
        else:
            done = await self.people.choose(*where, option, confirm=confirm)
        return await self._what_came(done, body)

    async def _what_came(self, done: Json, body: Json) -> Json:
        """Wait until the person sees an answer beside an empty acknowledgement: `wait` seconds at most."""
        shown = self._responses.invitation(done["token"]).shown
        stacks, user = self.people.views.stacks, body["user"]

        def came() -> bool:
            return (
                bool(done.get("text") or done.get("blocks") or shown or stacks.get(user)) or not done["acked"]
            )

        await self._until(came, body.get("wait", 0.0))
        modal = stacks[user][-1] if stacks.get(user) else None
        return {**done, "shown": list(shown), "modal": modal}

    async def _until(self, holds: Callable[[], bool], seconds: float) -> None:
        """Look again after each change."""
        loop = asyncio.get_running_loop()
        limit = loop.time() + min(seconds, LONGEST_WAIT)
        while not holds() and (left := limit - loop.time()) > 0:
            try:
                await asyncio.wait_for(self.workspace.moved(self.workspace.version), left)
            except TimeoutError:
                return

    async def _submit(self, body: Json) -> Json:
        values: dict[str, Any] = body.get("values") or {}
        return await self.people.submit(body["user"], values, body.get("view_id", ""))

    async def _dismiss(self, body: Json) -> Json:
        await self.people.dismiss(body["user"])
        return {}

    async def _press_view(self, body: Json) -> Json:
        home = bool(body.get("home"))
        return await self.people.act_in_view(body["user"], body["what"], body.get("option", ""), home=home)

    # Looks.

    async def _state(self, body: Json) -> Json:
        """Everything (or what `user` sees), once there is a version after `after`, or `wait` seconds have passed."""
        after = body.get("after", -1)
        await self._until(lambda: self.workspace.version > after, body.get("wait", 0.0))
        user = body.get("user", "")
        rooms = self.workspace.visible(user) if user else self.workspace.channels.values()
        views = self.people.views
        return {
            "version": self.workspace.version,
            "sockets": self._socket.connected,
            "people": [person.form() for person in self.workspace.people.values()],
            "channels": [_room(channel, user) for channel in rooms],
            "modals": {
                name: stack[-1] for name, stack in views.stacks.items() if stack and user in {"", name}
            },
            "homes": {name: view for name, view in views.homes.items() if user in {"", name}},
            "files": [_without_content(row) for row in self.workspace.files.values()],
        }

    async def _read_calls(self, body: Json) -> Json:
        """The log: calls and envelopes from number `after` on."""
        after = body.get("after", 0)
        return {"calls": self._calls[after:], "next": len(self._calls)}

    async def _sockets(self, body: Json) -> Json:
        """How many are connected; waits until `opened` were connected in all."""
        if opened := body.get("opened"):
            await asyncio.wait_for(self._socket.wait_opened(opened), body.get("wait", LONGEST_WAIT))
        return {"connected": self._socket.connected, "opened": self._socket.opened}

    # What goes wrong.

    def _down(self, seconds: float) -> None:
        self._faults.down(seconds)
        if seconds:
            self._socket.cut()

    async def _refresh(self, body: Json) -> Json:
        await self._socket.refresh(body.get("reason", "refresh_requested"))
        return {}

    def _remove_message(self, body: Json) -> None:
        channel = self.workspace.channel(body["channel"])
        self.workspace.delete(channel, self.workspace.message(channel, body["ts"]))

    def _change_person(self, body: Json) -> None:
        person = self.workspace.person(body.pop("id"))
        for name in body:
            if name not in Person.__slots__:
                raise CannotDo(why=f"A person has no {name}.")
            setattr(person, name, body[name])

    def _add_channel(self, body: Json) -> None:
        members = set(body.pop("members"))
        self.workspace.add_channel(Channel(members=members, **body))


def _at_once(do: Callable[[Json], Json | None]) -> Do:
    async def done(body: Json) -> Json:
        return do(body) or {}

    return done


def _room(channel: Channel, user: str) -> Json:
    return {
        "id": channel.id,
        "name": channel.name,
        "direct": channel.direct,
        "private": channel.private,
        "archived": channel.archived,
        "members": sorted(channel.members),
        "messages": list(channel.messages.values()),
        "ephemerals": [one for one in channel.ephemerals.values() if user in {"", one["for"]}],
    }


def _without_content(row: Json) -> Json:
    return {name: value for name, value in row.items() if name not in {"content", "secret"}}
