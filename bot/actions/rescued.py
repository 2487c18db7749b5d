"""Which piece of saved work a request means: by its ref, or by its session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.actions.action import Argument, Context
from bot.chat.request import Request
from orchestrator.errors import NotFound

if TYPE_CHECKING:
    from orchestrator.services.rescue import Saved

REF = Argument(name="ref", help="a ref of `rescue ls`, or a session: its newest one", required=True)


async def project_of_saved(context: Context, request: Request) -> str:
    """The project of the piece that is meant. Raises `NotFound`."""
    return (await saved_of(context, request)).project


async def saved_of(context: Context, request: Request) -> Saved:
    """The piece that is meant. Raises `NotFound`."""
    from orchestrator.services import rescue

    text = request.text("ref").lower().removeprefix("#")
    for saved in await rescue.ls(context.core):
        if text in {saved.rescue.ref, saved.session}:
            return saved
    msg = f"there is no saved work {text!r}."
    raise NotFound(msg, next_step="`ao rescue ls` lists it.")
