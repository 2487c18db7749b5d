"""A person's hand in the fake Slack, for the scenario: types, presses, replies, and looks."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.demo.cast import WITHOUT_PROXIES, Cast
from bot.demo.scenario import NotSeen
from bot.demo.slack_person import SlackPerson, SlackWorld, buttons
from bot.demo.slack_views import CannotDo
from bot.demo.slack_workspace import ADA, CY, DEMO
from orchestrator.errors import NotReady

PATIENCE = 20.0
LOOK = 0.1
_ON_IT = "🕒 On it"
"""How an acknowledgement begins whose answer comes later."""
_STRANGER = ("may not", "nobody here knows")
"""What stands in the denial of somebody who is not known."""
_CODE = re.compile(r"pair ([A-Z0-9]+)")
_CONFIG = """\
chat:
  slack:
    botToken: xoxb-demo
    appToken: xapp-demo
    apiUrl: {api}
    channel: {channel}
"""
Json = dict[str, Any]


@dataclass
class FakeServer:
    """The fake Slack as a process of its own."""

    process: subprocess.Popen[str]
    api: str
    page: str

    @classmethod
    def start(cls, log: Path | None = None) -> FakeServer:
        """Raises `NotReady`."""
        argv = [sys.executable, "-m", "bot.demo.slack_server", "--port", "0", "--with-parent"]
        argv += ["--log", str(log)] if log is not None else []
        made = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        line = made.stdout.readline() if made.stdout is not None else ""
        if not line:
            msg = f"the fake Slack ended with code {made.wait(10)}."
            raise NotReady(msg)
        told = json.loads(line)
        return cls(made, str(told["api"]), str(told["page"]))

    @property
    def configuration(self) -> str:
        """What the sandbox's configuration needs to reach it."""
        return _CONFIG.format(api=self.api, channel=DEMO)

    def outlive_exec(self) -> None:
        """Stay until the program that this one becomes ends."""
        if self.process.stdin is not None:
            os.set_inheritable(self.process.stdin.fileno(), True)  # noqa: FBT003 - the standard library's own form

    def close(self) -> None:
        """End it."""
        self.process.kill()
        self.process.wait(10)
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()


@dataclass
class SlackHand:
    """Ada, who pairs herself, and Cy, whom nobody knows. Implements `scenario.Hand`."""

    server: FakeServer
    name: str = "in Slack"
    _runner: asyncio.Runner = field(default_factory=asyncio.Runner)
    _world: SlackWorld | None = None
    _replies: dict[str, str] = field(default_factory=dict)

    def cast(self) -> Cast:
        """Slack in the configuration."""
        return Cast(fleet=self.server.configuration, environment=WITHOUT_PROXIES)

    def begin(self, log: Path) -> str:
        """Pair: the code that `ao start` prints makes the first admin."""
        found = self._wait(
            lambda: _CODE.search(log.read_text(errors="replace")), "the pairing code that ao start prints"
        )
        self._do(lambda world: world.sockets(opened=1))
        told = self._answer(ADA, f"pair {found[1]}")
        if "is admin" not in told:
            msg = f"Ada was not paired; she was told {told!r}"
            raise NotSeen(msg)
        return "Ada paired herself with the code that ao start printed, and is admin"

    def denied(self, words: str) -> str:
        """Cy asks; the answer is for Cy alone."""
        told = self._answer(CY, words)
        if not all(part in told for part in _STRANGER):
            msg = f"Cy, whom nobody knows, was told {told!r}"
            raise NotSeen(msg)
        seen = [m for m in self._messages() if "may not" in str(m)]
        if seen:
            msg = "the denial was shown to everybody"
            raise NotSeen(msg)
        return told[:100]

    def command(self, words: str) -> None:
        """`/ao words`."""
        told = self._answer(ADA, words)
        if "may not" in told or told.startswith("⚠️"):
            msg = f"/ao {words} was refused: {told}"
            raise NotSeen(msg)

    def told(self, words: str) -> str:
        """The answer to `/ao words`, which Ada alone sees."""
        return self._answer(ADA, words)

    def sees_card(self, session: str, words: str) -> None:
        """One card, which shows it."""
        self._wait(lambda: _says(self._card(session), words), f"{words!r} on the card of {session}")

    def sees_thread(self, session: str, words: str) -> None:
        """In its thread."""
        self._wait(
            lambda: any(_says(m, words) for m in self._thread(session)), f"{words!r} in {session}'s thread"
        )

    def sees_no_button(self, session: str, label: str) -> None:
        """Neither on the card nor in the thread."""
        self._wait(
            lambda: all(label not in buttons(m) for m in [self._card(session), *self._thread(session)]),
            f"no button {label!r}",
        )

    def press(self, session: str, label: str, *, confirm: bool = False) -> None:
        """The newest one with that label."""

        def where() -> Json | None:
            shown = [self._card(session), *self._thread(session)]
            return next((m for m in reversed(shown) if label in buttons(m)), None)

        message = self._wait(where, f"a button {label!r} of {session}")
        self._do(lambda _world: self._ada.click(DEMO, message["ts"], label, confirm=confirm))

    def reply(self, session: str, words: str) -> None:
        """In the thread."""
        card = self._card(session)["ts"]
        self._replies[words] = self._do(lambda _world: self._ada.reply(DEMO, card, words))

    def delivered(self, session: str, words: str) -> None:
        """A tick on the post."""

        def ticked() -> bool:
            post = next((m for m in self._thread(session) if m["ts"] == self._replies[words]), {})
            return "white_check_mark" in str(post.get("reactions"))

        self._wait(ticked, "the tick on what Ada wrote")

    def again(self) -> None:
        """Once the new process is connected."""
        self._do(lambda world: world.sockets(opened=2))

    def close(self) -> None:
        """The client and the fake."""
        if self._world is not None:
            self._runner.run(self._world.__aexit__(None, None, None))
        self._runner.close()
        self.server.close()

    @property
    def _ada(self) -> SlackPerson:
        assert self._world is not None  # noqa: S101 - `_do` made it
        return self._world.person(ADA)

    def _do(self, what: Callable[[SlackWorld], Awaitable[Any]]) -> Any:  # noqa: ANN401 - what it returns
        async def run() -> Any:  # noqa: ANN401
            if self._world is None:
                self._world = SlackWorld(self.server.page)
                await self._world.__aenter__()
            return await what(self._world)

        try:
            return self._runner.run(run())
        except CannotDo as error:
            raise NotSeen(str(error)) from error

    def _answer(self, user: str, words: str) -> str:
        """What somebody is told about `/ao words`: at once, or later where first came that it is being done."""

        async def ask(world: SlackWorld) -> str:
            person = world.person(user)
            before = {message["ts"] for message in await person.messages(DEMO)}
            answer = await person.slash(DEMO, words)
            if not answer.acked:
                msg = f"/ao {words} was not acknowledged"
                raise NotSeen(msg)
            if not answer.text.startswith(_ON_IT):
                return answer.text

            def told(message: Json) -> bool:
                fresh = bool(message.get("is_ephemeral")) and message["ts"] not in before
                return fresh and not str(message.get("text")).startswith(_ON_IT)

            return str((await person.until(DEMO, told, f"the answer to /ao {words}", PATIENCE))["text"])

        return str(self._do(ask))

    def _messages(self) -> list[Json]:
        found: list[Json] = self._do(lambda _world: self._ada.messages(DEMO))
        return found

    def _card(self, session: str) -> Json:
        cards = [m for m in self._messages() if _is_card(m) and _says(m, f"{session} ·")]
        if len(cards) > 1:
            msg = f"{session} has {len(cards)} cards"
            raise NotSeen(msg)
        return cards[0] if cards else {"ts": "", "blocks": []}

    def _thread(self, session: str) -> list[Json]:
        card = self._card(session)["ts"]
        return [m for m in self._messages() if card and m.get("thread_ts") == card and m["ts"] != card]

    def _wait(self, look: Callable[[], Any], what: str) -> Any:  # noqa: ANN401 - what `look` returns
        async def pause() -> None:
            await asyncio.sleep(LOOK)

        for _ in range(int(PATIENCE / LOOK)):
            found = look()
            if found:
                return found
            self._runner.run(pause())
        msg = f"nothing came within {PATIENCE:.0f} s: {what}"
        raise NotSeen(msg)


def _is_card(message: Json) -> bool:
    blocks = message.get("blocks") or [{}]
    return message.get("thread_ts") in {None, "", message["ts"]} and blocks[0].get("type") == "header"


def _says(message: Json, words: str) -> bool:
    return words in json.dumps(message, ensure_ascii=False)
