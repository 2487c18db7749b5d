"""What an agent is told at its start, in layers: base, project, issue, rules, task. Pure.

The words are in `config/prompts/*.md`. Text of trackers is fenced and labelled; what the project's own
configuration and the person who asked say is not, since they may give orders.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from orchestrator import resources
from orchestrator.domain.issue import Issue
from orchestrator.domain.outside_text import bound, clean, excerpt, fence, one_line
from orchestrator.domain.project import Project
from orchestrator.domain.session import Session

MOST_ISSUE = 32_000
MOST_COMMENT = 4_000
MOST_COMMENTS = 20
MOST_RULES = 16_000
MOST_TASK = 16_000

# Read once, when this is imported: later reads would block the loop.
_WORDS = {
    name: resources.text(f"prompts/{name}.md")
    for name in ("base", "project", "issue", "rules", "plan", "task")
}
_PLACEHOLDER = re.compile(r"\{\{([a-z]+)\}\}")


def worker(*, project: Project, session: Session, issue: Issue | None = None, rules: str = "") -> str:
    """The whole prompt of an agent that works on one task.

    `rules` are the project's own: `agentRules` and the text of `agentRulesFile`.
    """
    about = {
        "session": session.id,
        "project": one_line(project.name),
        "branch": session.branch,
        "base": session.base,
    }
    layers = [_fill(_WORDS["base"], about), _fill(_WORDS["project"], about)]
    if issue is not None:
        layers.append(_fill(_WORDS["issue"], {"issue": one_line(issue.ref, 80), "text": _issue(issue)}))
    if rules.strip():
        layers.append(_fill(_WORDS["rules"], {"text": bound(clean(rules).strip(), MOST_RULES)}))
    if session.task.plan:
        layers.append(_fill(_WORDS["plan"], about))
    layers.append(_fill(_WORDS["task"], {"text": _task(session, issue)}))
    return "\n\n".join(layer.strip() for layer in layers) + "\n"


def _task(session: Session, issue: Issue | None) -> str:
    asked = bound(clean(session.task.prompt).strip(), MOST_TASK)
    if asked:
        return asked
    if issue is None:
        return "None yet: wait for a message."
    return f"Do what issue {one_line(issue.ref, 80)} asks for."


def _issue(issue: Issue) -> str:
    ref = one_line(issue.ref, 80)
    title = excerpt(one_line(issue.title, 400), 500)
    labels = ", ".join(one_line(label, 60) for label in issue.labels[:20])
    head = "\n".join(filter(None, (title, f"Labels: {labels}" if labels else "", "")))
    blocks = [fence(f"issue {ref}", f"{head}\n\n{excerpt(issue.body, MOST_ISSUE)}")]
    left_out = len(issue.comments) - MOST_COMMENTS
    if left_out > 0:
        blocks.append(f"{left_out} older comments are left out.")
    blocks += [
        fence(
            f"comment by {one_line(comment.author, 60)} on issue {ref}", excerpt(comment.body, MOST_COMMENT)
        )
        for comment in issue.comments[-MOST_COMMENTS:]
    ]
    return "\n\n".join(blocks)


def _fill(text: str, values: Mapping[str, str]) -> str:
    # In one pass, so that placeholders inside a value stay as they are.
    return _PLACEHOLDER.sub(lambda match: values.get(match.group(1), match.group(0)), text)
