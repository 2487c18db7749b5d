"""`doctor`: what is not as it should be."""

from __future__ import annotations

from bot.actions.action import Access, Action, Context, Role, Scope
from bot.chat.message import Json, Message, Table
from bot.chat.request import Request
from orchestrator.domain.event import Level

MARKS = {"ok": "✅ ok", "warning": "⚠️ warning", "failure": "❌ failure"}
"""How a level is shown."""


async def run(context: Context, request: Request) -> Message:
    """Looks at everything; changes nothing."""
    from orchestrator.services import doctor

    del request
    findings = await doctor.doctor(context.core)
    bad = [finding for finding in findings if finding.level != "ok"]
    rows = tuple((MARKS.get(f.level, f.level), f.subject, sentence(f.text, f.next_step)) for f in findings)
    data: list[Json] = [
        {"level": f.level, "subject": f.subject, "text": f.text, "next_step": f.next_step} for f in findings
    ]
    failed = any(finding.level == "failure" for finding in bad)
    return Message(
        title=f"{len(bad)} of {len(findings)} things need a look." if bad else "All is well.",
        table=Table(("", "what", "found"), rows, wrap=True) if rows else None,
        level=Level.ACTION if failed else Level.WARNING if bad else Level.INFO,
        data={"findings": data, "failed": failed},
    )


def sentence(text: str, step: str) -> str:
    """What was found, and what to do about it."""
    return f"{text.rstrip('.')}. {step}" if step else text


ACTION = Action(
    verb="doctor",
    summary="look for what is not as it should be",
    role=Role.VIEWER,
    scope=Scope.SEEN,
    access=Access.READS,
    run=run,
    examples=("doctor",),
)
