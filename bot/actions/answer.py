"""`answer`: answer what an agent asked."""

from __future__ import annotations

from bot.actions.action import Action, Argument, Context, Kind, Role
from bot.actions.target import SESSION, session_of
from bot.chat.message import Message
from bot.chat.request import Request
from orchestrator.domain.outside_text import one_line


async def run(context: Context, request: Request) -> Message:
    """Bound to the question that is open now, or to the one named."""
    from orchestrator.services import answer

    session = await session_of(context, request)
    question = await answer.answer(
        context.core, session.id, request.text("text"), by=request.who, question=request.text("question")
    )
    return Message(
        title=f"💬 {session.id} is answered: {one_line(question.answer, 120)}",
        session=session.id,
        data={"session": session.id, "question": question.id, "answer": question.answer},
    )


ACTION = Action(
    verb="answer",
    aliases=("reply",),
    summary="answer what an agent asked; the first answer counts",
    role=Role.OPERATOR,
    run=run,
    arguments=(
        SESSION,
        Argument(name="text", help="the answer, or the number of an option", kind=Kind.TEXT, required=True),
        Argument(name="question", help="the question's id, when it is not the open one", option=True),
    ),
    examples=("answer demo-2 yes", "answer demo-2 2"),
)
