"""What an agent is told at its start, in layers: base, project, issue, rules, task. Pure.

The words are in `config/prompts/*.md`. Text of trackers is fenced and labelled; what the project's own
configuration and the person who asked say is not, since they may give orders.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from orchestrator import resources
from orchestrator.domain import outsiders
from orchestrator.domain.issue import Issue
from orchestrator.domain.outside_text import bound, clean, excerpt, fence, one_line
from orchestrator.domain.outsiders import MOST_COMMENT
from orchestrator.domain.project import Project
from orchestrator.domain.session import Session

MOST_COMMENTS = 20
MOST_RULES = 16_000
MOST_TASK = 16_000

# Read once, when this is imported: later reads would block the loop.
_WORDS = {
    name: resources.text(f"prompts/{name}.md")
    for name in ("base", "project", "issue", "rules", "plan", "task")
}
_PLACEHOLDER = re.compile(r"\{\{([a-z]+)\}\}")


def worker(
    *,
    project: Project,
    session: Session,
    issue: Issue | None = None,
    rules: str = "",
    released: Collection[str] = (),
) -> str:
    """The whole prompt of an agent that works on one task.

    `rules` are the project's own: `agentRules` and the text of `agentRulesFile`. Of what outsiders wrote
    only the edits in `released` are in it; of the rest it is said how many there are.
    """
    about = {
        "session": session.id,
        "project": one_line(project.name),
        "branch": session.branch,
        "base": session.base,
    }
    layers = [_fill(_WORDS["base"], about), _fill(_WORDS["project"], about)]
    if issue is not None:
        layers.append(
            _fill(_WORDS["issue"], {"issue": one_line(issue.ref, 80), "text": _issue(issue, released)})
        )
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


def _issue(issue: Issue, released: Collection[str]) -> str:
    ref = one_line(issue.ref, 80)
    held = {text.place for text in outsiders.of_issue(issue, 0.0) if text.id not in released}
    blocks = []
    if outsiders.issue_place(issue) not in held:
        blocks.append(fence(f"issue {ref}", outsiders.issue_text(issue)))
    comments = [c for c in issue.comments if outsiders.comment_place(issue, c) not in held]
    if held:
        are = "text is" if len(held) == 1 else "texts are"
        blocks.append(
            f"{len(held)} more {are} held, since people outside the project wrote them. "
            "A person decides whether you get them; do not look for them yourself."
        )
    left_out = len(comments) - MOST_COMMENTS
    if left_out > 0:
        blocks.append(f"{left_out} older comments are left out.")
    blocks += [
        fence(
            f"comment by {one_line(comment.author, 60)} on issue {ref}", excerpt(comment.body, MOST_COMMENT)
        )
        for comment in comments[-MOST_COMMENTS:]
    ]
    return "\n\n".join(blocks)


def _fill(text: str, values: Mapping[str, str]) -> str:
    # In one pass, so that placeholders inside a value stay as they are.
    return _PLACEHOLDER.sub(lambda match: values.get(match.group(1), match.group(0)), text)
