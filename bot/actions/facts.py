"""What is shown before a yes is asked: the facts as they are now, and a button bound to them."""

from __future__ import annotations

from bot.actions.action import Context
from bot.actions.target import session_of
from bot.chat.held import push_lines
from bot.chat.message import Button, Field, Json, Message
from bot.chat.render import pull_request_fields, state, task_words
from bot.chat.request import Request
from orchestrator.domain.counted import counted
from orchestrator.domain.event import Level
from orchestrator.domain.ids import short_sha
from orchestrator.domain.session import Session


async def of_pull_request(context: Context, request: Request) -> Message:
    """For approve and request-changes. Raises what the verb would refuse: nothing is asked in vain."""
    return _pull_request(request, await session_of(context, request))


async def of_merge(context: Context, request: Request) -> Message:
    """For merge: likewise, and what holds the merge is said now, not after a yes."""
    from orchestrator.services import merge

    session = await session_of(context, request)
    shown = _pull_request(request, session)
    merge.refuse(context.core, session, request.text("head") or str(shown.buttons[0].arguments["head"]))
    return shown


def _pull_request(request: Request, session: Session) -> Message:
    from orchestrator.services.head import open_change

    seen = session.change.pr.head if session.change else ""
    change = open_change(session, request.text("head") or seen)
    arguments = {**_texts(request), "session": str(session.id), "head": change.pr.head}
    return Message(
        title=f"{request.verb.replace('-', ' ').capitalize()} {session.id}?",
        fields=(Field("session", _line(session)), *pull_request_fields(change)),
        buttons=(
            Button(label=request.verb.replace("-", " ").capitalize(), verb=request.verb, arguments=arguments),
        ),
        level=Level.ACTION,
        session=session.id,
        data={"head": change.pr.head, "session": session.id, "arguments": _json(arguments)},
    )


async def of_held_push(context: Context, request: Request) -> Message:
    """For release and send-back: every hunk that waits. Raises what the verb would refuse."""
    from orchestrator.services import held

    session = await session_of(context, request)
    push = held.push_at(session, request.text("head"))
    label = "Release this push" if request.verb == "release" else "Send this push back"
    arguments = {**_texts(request), "session": str(session.id), "head": push.head}
    return Message(
        title=f"{label} ({session.id})?",
        lines=push_lines(push),
        verbatim=True,
        fields=(
            Field("session", _line(session)),
            Field("push", f"{short_sha(push.head)} to {session.branch}"),
        ),
        buttons=(Button(label=label, verb=request.verb, arguments=arguments),),
        level=Level.ACTION,
        session=session.id,
        data={"head": push.head, "session": session.id, "arguments": _json(arguments)},
    )


async def of_session(context: Context, request: Request) -> Message:
    """For kill: what would end, and what of it lies nowhere else yet."""
    from orchestrator.services import kill

    session = await kill.as_it_is(context.core, await session_of(context, request))
    unsaved = counted(session.dirty, "uncommitted file") if session.dirty else "nothing uncommitted"
    if session.local_head not in {"", session.base_sha, session.published}:
        unsaved += ", commits that were not pushed"
    arguments = {**_texts(request), "session": str(session.id)}
    fields = (
        Field("session", _line(session)),
        Field("reason", session.status.reason),
        Field("work", f"{unsaved}; what is unsaved is rescued first"),
        *(pull_request_fields(session.change) if session.change else ()),
    )
    return Message(
        title=f"{request.verb.capitalize()} {session.id}?",
        fields=fields,
        buttons=(
            Button(label=request.verb.capitalize(), verb=request.verb, arguments=arguments, danger=True),
        ),
        level=Level.ACTION,
        session=session.id,
        data={"session": session.id, "arguments": _json(arguments)},
    )


def plain(request: Request, title: str, *fields: Field) -> Message:
    """For what concerns no session."""
    arguments = _texts(request)
    return Message(
        title=title,
        fields=fields,
        buttons=(Button(label="Yes", verb=request.verb, arguments=arguments, danger=True),),
        level=Level.ACTION,
        data={"arguments": _json(arguments)},
    )


def _line(session: Session) -> str:
    return f"{session.id} {state(session.status.status)}, {task_words(session)}"


def _texts(request: Request) -> dict[str, str]:
    return {name: value for name, value in request.arguments.items() if isinstance(value, str)}


def _json(arguments: dict[str, str]) -> dict[str, Json]:
    return dict(arguments)
