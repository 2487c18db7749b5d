"""A fleet on fakes, the fake workspace, and the real Slack front end between them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from bot.actions.runner import Actions
from bot.chat.access import Access
from bot.chat.desk import Desk
from bot.demo.slack_person import SlackWorld
from bot.demo.slack_server import FakeSlack
from bot.demo.slack_workspace import ADA, BO, DEMO
from bot.frontends.chat import Chat
from bot.frontends.dispatch import Dispatch
from bot.frontends.slack.front import SlackFrontEnd
from orchestrator.domain.ids import SessionId
from orchestrator.domain.rights import People, Person, Role
from orchestrator.settings.chat_model import SlackKeys
from orchestrator.testing.ring import Ring
from orchestrator.testing.waiting import eventually

Json = dict[str, Any]
PEOPLE = People(
    (
        Person(handle="ada", ids={"slack": ADA}, roles={"*": Role.ADMIN}),
        Person(handle="bo", ids={"slack": BO}, roles={"demo": Role.APPROVER}),
    )
)
SESSION = SessionId("demo-1")


@dataclass
class Rig:
    """A fleet, a workspace, and the front end between them."""

    ring: Ring
    fake: FakeSlack
    slack: SlackWorld
    front: SlackFrontEnd
    desk: Desk

    async def passing(self, look: Callable[[], Awaitable[Any]]) -> Any:
        """Look until there is something, while time passes and the ring goes round."""

        async def pass_and_look() -> Any:
            self.ring.clock.advance(2.0)
            if not self.ring.dead:
                await self.ring.settle()
            return await look()

        return await eventually(pass_and_look, bool, 30.0)

    async def message(self, wanted: Callable[[Json], Any], user: str = ADA) -> Json:
        """A message that a person sees, once it is there."""

        seen: list[Json] = []

        async def look() -> Json | None:
            seen[:] = await self.slack.person(user).messages(DEMO)
            return next((one for one in reversed(seen) if wanted(one)), None)

        try:
            found: Json = await self.passing(look)
        except AssertionError as error:
            told = "\n".join(str(one.get("blocks") or one.get("text")) for one in seen)
            msg = f"it did not come; there are:\n{told}"
            raise AssertionError(msg) from error
        return found

    async def card(self, wanted: Callable[[Json], Any] = bool) -> Json:
        return await self.message(lambda m: is_card(m) and wanted(m))

    async def cards(self) -> list[Json]:
        return [m for m in await self.slack.person(ADA).messages(DEMO) if is_card(m)]


def is_card(message: Json) -> bool:
    blocks = message.get("blocks") or [{}]
    return thread_of(message) == "" and blocks[0].get("type") == "header"


def thread_of(message: Json) -> str:
    """The thread that a reply stands in."""
    thread = str(message.get("thread_ts") or "")
    return "" if thread == message["ts"] else thread


def says(message: Json, text: str) -> bool:
    return text in str(message)


async def make_rig(ring: Ring, fake: FakeSlack, slack: SlackWorld) -> Rig:
    core = ring.core
    actions = Actions(core, access=Access(lambda: PEOPLE), clock=core.clock)
    desk = Desk(actions, core.store.requests, core.clock.now)
    await desk.open()
    keys = SlackKeys(
        bot_token="xoxb-fake",  # noqa: S106 - opens nothing
        app_token="xapp-fake",  # noqa: S106
        api_url=fake.address("api/"),
        channel=DEMO,
    )
    chat = Chat(core=core, dispatch=Dispatch(core, actions, desk), desk=desk, access=actions.access)
    front = SlackFrontEnd(keys, chat)
    return Rig(ring, fake, slack, front, desk)
