"""What agents may run: the rules of the configuration and those that people added by their answers."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from orchestrator.domain import own_program
from orchestrator.domain.ids import ProjectId, project_id
from orchestrator.domain.message import digest
from orchestrator.domain.person import Actor
from orchestrator.domain.policy import KeptRule, Policy, Remembered, Rule, kind_of_dialog, scope_words
from orchestrator.domain.session import Question, Session
from orchestrator.errors import AoError
from orchestrator.services.core import Core
from orchestrator.settings.policy_model import joined
from orchestrator.storage.audit import AuditEntry

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One rule, and where it holds."""

    rule: str
    """In its own words; for a remembered answer, what was asked and answered."""
    scope: str
    """In words: `in every project`, `in project demo`."""
    id: str = ""
    """Empty for what stands in the configuration, where it is changed, and for what is built in."""
    by: str = ""
    at: float = 0.0
    project: str | None = None
    """Where it holds; None: in every project."""


_BUILT_IN = Listed(rule=own_program.RULE, scope="in every session", by="built in")


async def listed(core: Core, *, project: str | None = None) -> list[Listed]:
    """Deny first, as it wins; then what is built in and what people added, oldest first. Raises `NotFound` for an unknown project."""
    if project is not None:
        core.settings.project(project_id(project))
    names = [ProjectId(project)] if project else list(core.settings.now.project_ids)
    found = [*_configured(core, names), _BUILT_IN]
    for kept in core.store.policy.rules:
        if project is None or _project_of(core, kept.scope) == project:
            words = f"allow {kept.rule}"
            where = _project_of(core, kept.scope)
            scope = scope_words(kept.scope)
            found.append(Listed(rule=words, scope=scope, id=kept.id, by=kept.by, at=kept.at, project=where))
    for answer in core.store.policy.answers:
        if project in {None, answer.project}:
            words = f"answer {answer.answer!r} to the {answer.dialog} dialog of {answer.agent}"
            scope = f"in project {answer.project}"
            found.append(
                Listed(
                    rule=words,
                    scope=scope,
                    id=answer.id,
                    by=answer.by,
                    at=answer.at,
                    project=answer.project,
                )
            )
    return found


def _configured(core: Core, projects: list[ProjectId]) -> list[Listed]:
    config = core.settings.now.config
    scopes: list[tuple[str | None, Policy]] = [(None, joined(config.policy))]
    scopes += [(name, joined(config.projects[name].policy)) for name in projects if name in config.projects]
    return [
        Listed(rule=str(rule), scope=f"in project {name}" if name else "in every project", project=name)
        for name, policy in scopes
        for rule in (*policy.deny, *policy.ask, *policy.allow)
    ]


def project_of(core: Core, name: str) -> str:
    """The project in which a rule or an answer holds, by its id; empty for one that nobody knows any more."""
    policy = core.store.policy
    for rule in policy.rules:
        if rule.id == name:
            return _project_of(core, rule.scope)
    return next((answer.project for answer in policy.answers if answer.id == name), "")


def _project_of(core: Core, scope: str) -> str:
    kind, _, name = scope.partition(":")
    if kind == "project":
        return name
    return next((s.project for s in core.fleet.all() if s.id == name), "")


async def revoke(core: Core, name: str, *, by: Actor) -> KeptRule | Remembered:
    """Take a rule away that a person added; from now on people are asked again. Raises `NotFound`."""
    dropped = await core.store.policy.drop(name)
    words = dropped.rule if isinstance(dropped, KeptRule) else f"{dropped.dialog}: {dropped.answer}"
    scope = dropped.scope if isinstance(dropped, KeptRule) else f"project:{dropped.project}"
    text = f"{words} {scope_words(scope)}"
    await core.store.audit.record(AuditEntry(at=core.clock.now(), by=by, verb="rules rm", text=text))
    return dropped


async def allow_always(core: Core, session: Session, rule: Rule, *, scope: str, by: Actor) -> KeptRule:
    """Keep the rule for the session's project, or for the session alone; who waits for the same is answered."""
    where = f"session:{session.id}" if scope == "session" else f"project:{session.project}"
    kept = KeptRule(
        id=f"r{digest(f'{where} {rule.text}')[:8]}",
        scope=where,
        rule=rule.text,
        by=str(by),
        at=core.clock.now(),
    )
    await core.store.policy.add(kept)
    await answer_waiting(core, session.project)
    return kept


async def remember(core: Core, session: Session, question: Question, *, by: Actor) -> None:
    """Keep the answer for every session of the project with this agent; who waits for it is answered."""
    about = (session.project, session.parts.agent, kind_of_dialog(question.id))
    await core.store.policy.remember(
        Remembered(
            id=f"a{digest(' '.join(about))[:8]}",
            project=about[0],
            agent=about[1],
            dialog=about[2],
            answer=question.answer,
            by=str(by),
            at=core.clock.now(),
        )
    )
    await answer_waiting(core, session.project)


async def answer_waiting(core: Core, project: ProjectId) -> None:
    """Let the rules answer what sessions of the project ask people now."""
    for session in core.fleet.live(project):
        if session.question is None:
            continue
        try:
            await core.fleet.change(session.id, lambda _draft: None)
        except AoError as error:
            # Its own next look answers it.
            log.warning("not answered by the new rule yet: %s", error, extra={"session": session.id})
