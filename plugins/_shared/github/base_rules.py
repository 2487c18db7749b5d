"""What GitHub requires of a pull request into a branch: protection and rulesets, as far as we may see them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from orchestrator.domain.outside_text import one_line
from orchestrator.errors import AoError, NotFound
from plugins._shared.github.client import GitHub

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


DOCUMENT = """
query BaseRules($owner: String!, $name: String!, $ref: String!) {
  repository(owner: $owner, name: $name) {
    ref(qualifiedName: $ref) {
      refUpdateRule { requiredApprovingReviewCount requiredStatusCheckContexts requiresCodeOwnerReviews }
    }
  }
}
"""
"""Protection as everybody may see it who may read; the REST call for it is for admins alone."""


async def base_rules(hub: GitHub, repo: str, branch: str) -> BaseRules:
    """Read them. Raises `NotFound` for a branch that is not there, else what the client raises."""
    owner, _, name = repo.partition("/")
    variables = {"owner": owner, "name": name, "ref": f"refs/heads/{branch}"}
    said = await hub.graphql(DOCUMENT, variables)
    ref = (said.data.get("repository") or {}).get("ref")
    if ref is None:
        msg = f"{repo} has no branch {branch}."
        raise NotFound(msg)
    protection = ref.get("refUpdateRule") or {}
    rows = await _asked(hub, f"/repos/{repo}/rules/branches/{quote(branch, safe='')}")
    contexts = list(protection.get("requiredStatusCheckContexts") or ())
    reviews = int(protection.get("requiredApprovingReviewCount") or 0)
    owners = bool(protection.get("requiresCodeOwnerReviews"))
    for kind, parameters in _of_rulesets(rows):
        if kind == "pull_request":
            reviews = max(reviews, int(parameters.get("required_approving_review_count") or 0))
            owners = owners or bool(parameters.get("require_code_owner_review"))
        elif kind == "required_status_checks":
            checks = parameters.get("required_status_checks") or ()
            contexts += [str(check.get("context", "")) for check in checks if isinstance(check, dict)]
    return BaseRules(
        protected=bool(protection) or bool(rows),
        reviews=reviews,
        code_owners=owners,
        contexts=tuple(dict.fromkeys(one_line(str(name), 100) for name in contexts if name)),
    )


async def _asked(hub: GitHub, path: str) -> Any:  # noqa: ANN401 - JSON
    """Older servers have no rulesets."""
    try:
        return (await hub.rest("GET", path)).data or {}
    except AoError:
        return {}


def _of_rulesets(rows: object) -> list[tuple[str, Mapping[str, Any]]]:
    if not isinstance(rows, list):
        return []
    return [(str(row.get("type", "")), row.get("parameters") or {}) for row in rows if isinstance(row, dict)]
