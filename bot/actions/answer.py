"""`answer`: answer what an agent asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.actions.action import Action, Argument, Context, Kind, Role
from bot.actions.target import SESSION, session_of
from bot.chat.message import Json, Message
from bot.chat.request import Request
from orchestrator.domain.outside_text import one_line
from orchestrator.domain.policy import ALLOW_ALWAYS, scope_words, shown
from orchestrator.errors import BadInput

if TYPE_CHECKING:
    from orchestrator.domain.session import Session


async def run(context: Context, request: Request) -> Message:
    """Bound to the question that is open now, or to the one named."""
    from orchestrator.services import answer

    session = await session_of(context, request)
    given = await answer.give(
        context.core, session.id, _words(session, request), by=request.who, question=request.text("question")
    )
    question, kept = given.question, given.kept
    data: dict[str, Json] = {"session": session.id, "question": question.id, "answer": question.answer}
    if kept is None:
        return Message(
            title=f"💬 {session.id} is answered: {one_line(question.answer, 120)}",
            session=session.id,
            data=data,
        )
    return Message(
        title=f"💬 {session.id} is answered: {ALLOW_ALWAYS} {scope_words(kept.scope)}",
        lines=(f"The rule: allow {shown(kept.rule)} {scope_words(kept.scope)}",),
        next_steps=(f"rules rm {kept.id}",),
        session=session.id,
        data={**data, "rule": {"id": kept.id, "rule": kept.rule, "scope": kept.scope}},
    )


def _words(session: Session, request: Request) -> str:
    """The answer in words: those that were typed, or the option of that number, with what was added to it."""
    number, text = request.number("option"), request.text("text")
    if not number:
        if not text:
            msg = "the answer is empty."
            raise BadInput(msg, session=session.id, next_step=f"`ao answer {session.id} <text>`")
        return text
    wanted = request.text("question")
    asked = next((q for q in session.questions if q.id == wanted), None) if wanted else session.question
    if asked is None or not 1 <= number <= len(asked.options):
        msg = f"there is no option {number}."
        raise BadInput(msg, session=session.id, next_step=f"`ao status {session.id}` shows the question.")
    option = asked.options[number - 1]
    return f"{option}: {text}" if text else option


ACTION = Action(
    verb="answer",
    aliases=("reply",),
    summary="answer what an agent asked; the first answer counts",
    role=Role.OPERATOR,
    run=run,
    arguments=(
        SESSION,
        Argument(name="text", help="the answer, or the number of an option", kind=Kind.TEXT),
        Argument(name="option", help="the number of the option", kind=Kind.NUMBER, option=True),
        Argument(name="question", help="the question's id, when it is not the open one", option=True),
    ),
    examples=("answer demo-2 yes", "answer demo-2 2"),
)
