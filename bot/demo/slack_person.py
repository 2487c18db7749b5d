"""A client of the fake Slack for tests and the demo: act as a person, break something, look."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import aiohttp

from bot.demo.slack_people import action_name, elements
from bot.demo.slack_refusals import Json
from bot.demo.slack_views import CannotDo

PATIENCE = 15.0
"""Seconds that something may take to appear."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a person got for a command or a click."""

    acked: bool
    """False: "ao did not respond"."""
    text: str
    """The acknowledgement's text, or that of the first answer that came later."""
    shown: tuple[Json, ...]
    """What was posted to the response URL so far."""
    modal: Json | None
    """The modal that is open now."""


@dataclass(frozen=True, slots=True)
class Submitted:
    """What became of a modal that was submitted."""

    acked: bool
    errors: dict[str, str]
    open: bool
    """Whether a modal is still there."""


class SlackWorld:
    """The fake Slack at an address (`http://127.0.0.1:PORT/`): everything that is nobody's own."""

    def __init__(self, address: str) -> None:
        self._address = address.rstrip("/")
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(trust_env=False)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def ask(self, request: str, /, **body: object) -> Json:
        """One request to `/control/…`. Raises `CannotDo` with the fake's own words."""
        if self._session is None:
            raise CannotDo(why="Use it as `async with SlackWorld(address) as slack`.")
        try:
            async with self._session.post(f"{self._address}/control/{request}", json=body) as response:
                answer: Json = await response.json()
        except aiohttp.ClientError as error:
            raise CannotDo(why=f"The fake Slack does not answer: {type(error).__name__}.") from error
        if response.status != 200:
            raise CannotDo(why=str(answer.get("error")))
        return answer

    def person(self, user: str) -> SlackPerson:
        """Act as that person (an id)."""
        return SlackPerson(self, user)

    # Faults: see `Control` for all of them.

    async def down(self, seconds: float) -> None:
        """Refuse everything for that long and cut the sockets; 0: be back."""
        await self.ask("down", seconds=seconds)

    async def burst(self, calls: int, seconds: int = 1, method: str = "") -> None:
        """Answer the next calls with 429."""
        await self.ask("burst", calls=calls, seconds=seconds, method=method)

    async def drop(self, method: str) -> None:
        """Perform the next call of that method, and drop its answer."""
        await self.ask("drop", method=method)

    async def fail(self, method: str, error: str) -> None:
        """Answer the next call of that method with this error code."""
        await self.ask("fail", method=method, error=error)

    async def cut(self) -> None:
        """Cut all sockets."""
        await self.ask("cut")

    async def refresh(self) -> None:
        """Ask the app for new sockets."""
        await self.ask("refresh")

    async def sockets(self, opened: int = 0) -> int:
        """How many sockets are connected; waits until `opened` were connected in all."""
        return int((await self.ask("sockets", opened=opened, wait=PATIENCE))["connected"])

    async def advance(self, seconds: float) -> None:
        """Put the workspace's clock forward."""
        await self.ask("advance", seconds=seconds)

    async def remove_message(self, channel: str, ts: str) -> None:
        """Take a message away, as an administrator can."""
        await self.ask("remove_message", channel=channel, ts=ts)

    async def calls(self, method: str = "") -> list[Json]:
        """The log's lines about calls (of that method)."""
        lines = (await self.ask("calls"))["calls"]
        return [line for line in lines if line["kind"] == "call" and method in {"", line["method"]}]

    async def until(
        self, look: Callable[[Json], Any], what: str = "it", user: str = "", patience: float = PATIENCE
    ) -> Any:  # noqa: ANN401 - what `look` returns
        """Wait until `look` finds something in the state; returns that. Raises `CannotDo` when nothing came."""
        limit = asyncio.get_running_loop().time() + patience
        after = -1
        while True:
            left = limit - asyncio.get_running_loop().time()
            state = await self.ask("state", user=user, after=after, wait=max(0.0, left))
            if found := look(state):
                return found
            if left <= 0:
                raise CannotDo(why=f"Nothing came in {patience:g} s: {what}.")
            after = state["version"]


class SlackPerson:
    """One person at the fake Slack."""

    def __init__(self, world: SlackWorld, user: str) -> None:
        self.world = world
        self.user = user

    async def slash(self, channel: str, text: str, *, wait: float = 5.0) -> Answer:
        """Type `/ao text`; waits for an answer when the acknowledgement said nothing."""
        return _answer(await self._ask("slash", channel=channel, text=text, wait=wait))

    async def say(self, channel: str, text: str) -> str:
        """Write a message; returns its ts. `@ao` mentions the app."""
        return str((await self._ask("say", channel=channel, text=text))["ts"])

    async def reply(self, channel: str, thread_ts: str, text: str) -> str:
        """Write into a thread; returns the reply's ts."""
        return str((await self._ask("say", channel=channel, text=text, thread_ts=thread_ts))["ts"])

    async def click(
        self, channel: str, ts: str, what: str, *, confirm: bool = False, wait: float = 0.0
    ) -> Answer:
        """Press a button by action id or label. Raises `CannotDo` if it is not there, or asks and `confirm` is not given."""
        return _answer(
            await self._ask("click", channel=channel, ts=ts, what=what, confirm=confirm, wait=wait)
        )

    async def choose(
        self, channel: str, ts: str, what: str, option: str, *, confirm: bool = False, wait: float = 0.0
    ) -> Answer:
        """Choose an option (value or label) of an overflow menu or a select."""
        how = {"option": option, "confirm": confirm, "wait": wait}
        return _answer(await self._ask("choose", channel=channel, ts=ts, what=what, **how))

    async def submit(self, values: dict[str, Any]) -> Submitted:
        """Fill in the modal on top, by block id or action id, and submit it."""
        done = await self._ask("submit", values=values)
        return Submitted(done["acked"], done["errors"], done["open"])

    async def dismiss(self) -> None:
        """Close the modal on top."""
        await self._ask("dismiss")

    async def state(self) -> Json:
        """Everything that this person sees."""
        return await self._ask("state")

    async def messages(self, channel: str) -> list[Json]:
        """What stands in a channel, threads and what only this person sees included, oldest first."""
        return _messages(await self.state(), channel)

    async def until(
        self,
        channel: str,
        look: Callable[[Json], bool],
        what: str = "the message",
        patience: float = PATIENCE,
    ) -> Json:
        """Wait for a message in the channel (threads and ephemerals included) that `look` accepts."""
        found: Json = await self.world.until(
            lambda state: next((one for one in _messages(state, channel) if look(one)), None),
            what,
            self.user,
            patience,
        )
        return found

    async def _ask(self, request: str, /, **body: object) -> Json:
        return await self.world.ask(request, user=self.user, **body)


def _messages(state: Json, channel: str) -> list[Json]:
    rooms = [room for room in state["channels"] if channel in {room["id"], room["name"]}]
    found = [one for room in rooms for one in (*room["messages"], *room["ephemerals"])]
    return sorted(found, key=lambda one: float(one["ts"]))


def _answer(done: Json) -> Answer:
    shown = tuple(done["shown"])
    text = done.get("text") or next((one.get("text", "") for one in shown), "")
    return Answer(done["acked"], text, shown, done["modal"])


def buttons(message: Json) -> list[str]:
    """What stands on the buttons and menus of a message."""
    return [action_name(element) for _block, element in elements(message.get("blocks") or [])]
