"""`claim`: give an existing pull request to a session."""

from __future__ import annotations

from bot.actions.action import Action, Argument, Context, Kind, Role
from bot.actions.target import about, project_of, session_of
from bot.chat.message import Message
from bot.chat.request import Request


async def run(context: Context, request: Request) -> Message:
    """To a new session on its branch, or to the one named."""
    from orchestrator.services import claim

    project = project_of(context, request)
    session = (await session_of(context, request)).id if request.text("session") else None
    number = request.number("number")
    claimed = await claim.claim(context.core, project, number, session=session, by=request.who)
    what = "goes to {} once its workspace is made" if claimed.claiming else "belongs to {} now"
    return about(claimed, f"📬 #{number} {what.format(claimed.id)}.", f"status {claimed.id}")


ACTION = Action(
    verb="claim",
    aliases=("claim-pr",),
    summary="give an existing pull request to a session",
    role=Role.OPERATOR,
    run=run,
    arguments=(
        Argument(
            name="project", help="a project; may be left out where there is only one", kind=Kind.PROJECT
        ),
        Argument(name="number", help="the pull request's number", kind=Kind.NUMBER, required=True),
        Argument(
            name="session",
            help="the session that gets it; a new one unless told",
            kind=Kind.SESSION,
            option=True,
        ),
    ),
    examples=("claim demo 12",),
)
