"""What GitHub requires of a pull request into a branch: protection and rulesets, as far as we may see them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from orchestrator.domain.outside_text import one_line
from orchestrator.errors import AoError
from plugins._shared.github_client import GitHub

OURS = "ao/approval"
"""The commit status by which our own approvals can be required."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseRules:
    """The stricter of everything that holds."""

    protected: bool
    reviews: int = 0
    """Approving reviews that are required."""
    code_owners: bool = False
    contexts: tuple[str, ...] = ()
    """Checks and statuses that are required."""

    @property
    def requires_ours(self) -> bool:
        """Our own approvals hold a merge there."""
        return OURS in self.contexts


async def base_rules(hub: GitHub, repo: str, branch: str) -> BaseRules:
    """Read them. Raises what the client raises for the branch itself; what we may not see besides is left out."""
    name = quote(branch, safe="")
    seen = (await hub.rest("GET", f"/repos/{repo}/branches/{name}")).data or {}
    protection = (
        await _asked(hub, f"/repos/{repo}/branches/{name}/protection") if seen.get("protected") else {}
    )
    rows = await _asked(hub, f"/repos/{repo}/rules/branches/{name}")
    summary = (seen.get("protection") or {}).get("required_status_checks") or {}
    contexts = list(summary.get("contexts") or ())
    reviews, owners = _of_protection(protection)
    for kind, parameters in _of_rulesets(rows):
        if kind == "pull_request":
            reviews = max(reviews, int(parameters.get("required_approving_review_count") or 0))
            owners = owners or bool(parameters.get("require_code_owner_review"))
        elif kind == "required_status_checks":
            checks = parameters.get("required_status_checks") or ()
            contexts += [str(check.get("context", "")) for check in checks if isinstance(check, dict)]
    return BaseRules(
        protected=bool(seen.get("protected")) or bool(rows),
        reviews=reviews,
        code_owners=owners,
        contexts=tuple(dict.fromkeys(one_line(str(name), 100) for name in contexts if name)),
    )


async def _asked(hub: GitHub, path: str) -> Any:  # noqa: ANN401 - JSON
    """What admins alone, or nobody on older servers, may see is not there for us."""
    try:
        return (await hub.rest("GET", path)).data or {}
    except AoError:
        return {}


def _of_protection(protection: Mapping[str, Any]) -> tuple[int, bool]:
    asked = protection.get("required_pull_request_reviews") if isinstance(protection, dict) else None
    if not isinstance(asked, dict):
        return 0, False
    return int(asked.get("required_approving_review_count") or 0), bool(
        asked.get("require_code_owner_reviews")
    )


def _of_rulesets(rows: object) -> list[tuple[str, Mapping[str, Any]]]:
    if not isinstance(rows, list):
        return []
    return [(str(row.get("type", "")), row.get("parameters") or {}) for row in rows if isinstance(row, dict)]
