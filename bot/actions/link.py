"""`link`: sign in to the forge once, so that what one approves and merges is done there as oneself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.actions.action import Action, Argument, Context, Kind, Role, Scope
from bot.chat.message import Button, Message
from bot.chat.request import Request
from orchestrator.domain.outside_text import one_line
from orchestrator.domain.when import clock

if TYPE_CHECKING:
    from orchestrator.services.links import Tell

SERVICE = Argument(name="service", help="where: github", choices=("github",), required=True)
PROJECT = Argument(
    name="project", help="whose host, where projects are on several", kind=Kind.PROJECT, option=True
)


async def run(context: Context, request: Request) -> Message:
    """Shows a code to whoever asks alone; who they are is waited for, and told there."""
    from orchestrator.services import links

    tell = _whisper(context, request)
    linking = await links.begin(context.core, by=request.who, project=request.text("project"), tell=tell)
    again = {"service": "github", **({"project": p} if (p := request.text("project")) else {})}
    if linking.begun is None:
        return Message(
            title=f"🔗 You are {one_line(linking.login, 60)} on {linking.host}.",
            lines=("What you approve and merge is done there as you.",),
            private=True,
            next_steps=("unlink github",),
            data={"host": linking.host, "login": linking.login},
        )
    code, url = one_line(linking.begun.code, 40), one_line(linking.begun.url, 200)
    return Message(
        title=f"🔗 Open {url} and type {code} there.",
        lines=(
            f"It is good until {clock(linking.begun.expires_at)}, for you alone; never type a code that somebody sent you.",
            "Once you have, what you approve and merge is done as you; "
            + ("you are told here." if tell else "`link github` says so."),
        ),
        private=True,
        buttons=(Button(label="I have done it", verb="link", arguments=again),),
        next_steps=("unlink github",),
        data={"host": linking.host, "url": url, "code": code, "expires_at": linking.begun.expires_at},
    )


def _whisper(context: Context, request: Request) -> Tell | None:
    """Says it where it was asked, where that surface can say something later."""
    whisper = context.core.whispers.get(request.surface.value)
    if whisper is None or not request.place:
        return None
    place = request.place
    return lambda words: whisper(place, words)


ACTION = Action(
    verb="link",
    summary="sign in to GitHub once: then you approve and merge there as yourself",
    role=Role.OPERATOR,
    scope=Scope.SEEN,
    inverse="unlink",
    run=run,
    arguments=(SERVICE, PROJECT),
    examples=("link github",),
)
