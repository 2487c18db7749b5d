"""Makes a project's `Rules` out of the built-in table, the fleet's keys and the project's keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from orchestrator.domain.rules import ReactionRule, Rules
from orchestrator.settings import builtin, guard_model, policy_model
from orchestrator.settings.models import Config
from orchestrator.settings.project_model import ProjectKeys
from orchestrator.settings.reaction_model import Reaction

_STUCK_AFTER = Rules().stuck_after


def rules_of(config: Config, project: ProjectKeys) -> Rules:
    """Every override laid field by field: built-in table, then the fleet's, then the project's."""
    reactions = merged(builtin.reactions(), config.reactions, project.reactions)
    stuck, idle = reactions["agent-stuck"], reactions["agent-idle"]
    if idle.threshold is None:
        reactions["agent-idle"] = replace(idle, threshold=config.ready_threshold_ms / 1000)
    defaults, lifecycle = config.defaults, config.lifecycle
    return Rules(
        reactions=reactions,
        approvals=defaults.approvals if project.approvals is None else project.approvals,
        stuck_after=_STUCK_AFTER if stuck.threshold is None else stuck.threshold,
        detecting_for=lifecycle.detecting_for,
        detecting_looks=lifecycle.detecting_looks,
        merge_method=project.merge_method or defaults.merge_method,
        on_merge=project.on_merge or defaults.on_merge,
        cleanup_on_merge=lifecycle.auto_cleanup_on_merge,
        cleanup_grace=lifecycle.merge_cleanup_idle_grace_ms / 1000,
        restore=project.restore or defaults.restore,
        guard=guard_model.joined(config.guard, project.guard),
        policy=policy_model.joined(config.policy, project.policy),
    )


def merged(*tables: Mapping[str, Reaction]) -> dict[str, ReactionRule]:
    """One rule for every key; later tables change only the fields that they write."""
    written: dict[str, dict[str, Any]] = {}
    for table in tables:
        for key, reaction in table.items():
            fields = {name: getattr(reaction, name) for name in reaction.model_fields_set}
            written.setdefault(key, {}).update(fields)
    return {key: _rule(key, Reaction.model_construct(**fields)) for key, fields in written.items()}


def _rule(key: str, reaction: Reaction) -> ReactionRule:
    limit = reaction.escalate_after
    shown = {"priority": reaction.priority} if reaction.priority else {}
    return ReactionRule(
        key=key,
        auto=True if reaction.auto is None else reaction.auto,
        action=reaction.action or "notify",
        message=reaction.message or "",
        retries=reaction.retries,
        escalate_after_count=limit if isinstance(limit, int) else None,
        escalate_after=limit if isinstance(limit, float) else None,
        threshold=reaction.threshold,
        include_summary=bool(reaction.include_summary),
        **shown,
    )
