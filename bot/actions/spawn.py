"""`spawn`: start an agent on an issue, or on a task in words."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bot.actions.action import Action, Argument, Context, Kind, Role
from bot.actions.grammar import is_reference
from bot.actions.target import about, is_project, project_of, spelled
from bot.chat.held import text_message
from bot.chat.message import Message
from bot.chat.request import Request
from orchestrator.domain.event import Level
from orchestrator.domain.outside_text import one_line

if TYPE_CHECKING:
    from orchestrator.domain.session import Session


async def run(context: Context, request: Request) -> Message:
    """Answers once the session is kept; the ring makes its workspace and starts the agent."""
    from orchestrator.services import base_note, spawn

    project, issue, prompt = task_of(context, request)
    ask = spawn.SpawnAsk(
        project=project,
        issue=issue,
        prompt=prompt,
        agent=request.text("agent"),
        branch=request.text("branch"),
        again=request.flag("again"),
        plan=request.flag("plan"),
    )
    session = await spawn.spawn(context.core, ask, by=request.who)
    if session.held.task_waits:
        return waits_for_release(session)
    what = f"issue {session.task.issue}" if session.task.issue else "your task"
    title = f"🌱 {session.id} starts on {what} in {session.project}{_where(session, ask.branch)}."
    note = await base_note.of_session(context.core, session)
    answer = about(session, title, f"status {session.id}", f"attach {session.id}")
    return replace(answer, lines=(note,), level=Level.WARNING) if note else answer


def waits_for_release(session: Session) -> Message:
    """Nothing starts yet: what would be sent is shown, with the button that releases exactly that."""
    shown = next(text for text in session.held.texts if text.id == session.held.task_waits)
    held = text_message(session, shown)
    title = f"📨 {session.id} waits: {one_line(shown.author, 60) or 'who wrote issue ' + session.task.issue}"
    answer = about(session, f"{title} is no member of the project, so {shown.words} is held.")
    steps = (f"release-text {session.id} {shown.id}", f"kill {session.id}")
    return replace(
        answer,
        lines=held.lines,
        verbatim=True,
        fields=held.fields,
        buttons=held.buttons,
        level=Level.WARNING,
        next_steps=steps,
    )


def _where(session: Session, branch: str) -> str:
    """The branch, where somebody named it: nobody should take a new one for one that was there."""
    if not branch:
        return ""
    kind = f"{session.branch} as it is ({session.restored_from[:10]})" if session.restored_from else ""
    return f", on {kind}" if kind else f", on the new branch {session.branch}"


def task_of(context: Context, request: Request) -> tuple[str, str, str]:
    """Project, issue and prompt from `demo 1`, `#1`, `demo fix the tests`, `demo 1 but keep it small`."""
    project, issue = request.text("project"), request.text("issue")
    words = [request.text("words")]
    if project and not is_project(context, project) and (is_reference(project) or request.project):
        words.insert(0, issue)
        project, issue = "", project
    in_words = any(words) or any(map(str.isspace, issue))
    if issue and not is_reference(issue) and in_words:
        words.insert(0, issue)
        issue = ""
    prompt = " ".join(part for part in (*words, request.text("prompt")) if part)
    known = spelled(context, project) if project else project_of(context, request, "")
    return known, issue.removeprefix("#"), prompt


async def _project(context: Context, request: Request) -> str:
    return task_of(context, request)[0]


ACTION = Action(
    verb="spawn",
    aliases=("start-session", "new"),
    summary="start an agent on an issue, or on a task in your words",
    role=Role.OPERATOR,
    project=_project,
    inverse="kill",
    run=run,
    arguments=(
        Argument(
            name="project", help="a project; may be left out where there is only one", kind=Kind.PROJECT
        ),
        Argument(name="issue", help="an issue: `123`, `#123`, a link", kind=Kind.ISSUE),
        Argument(name="words", help="what to do, or what to mind, in words", kind=Kind.TEXT),
        Argument(name="prompt", help="likewise, for scripts", option=True),
        Argument(name="agent", help="another agent than the project's", option=True),
        Argument(
            name="branch",
            help="the branch to work on: yours as it is, not checked out; a new one if there is none",
            option=True,
        ),
        Argument(name="plan", help="its plan is approved before it changes anything", kind=Kind.FLAG),
        Argument(name="again", help="although a session works on this issue", kind=Kind.FLAG),
    ),
    examples=("spawn demo 1", "spawn demo 1 but keep it small", 'spawn demo "fix the flaky test"'),
)
