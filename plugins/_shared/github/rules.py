"""What a base branch asks for before a merge: rulesets by REST, classic protection as GraphQL shows it.

Needs no more than to read the repository: `GET /repos/{repo}/rules/branches/{branch}` and
`Ref.refUpdateRule` are shown to whoever may read it; `/branches/{branch}/protection` only to admins.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from orchestrator.errors import AoError, NotAllowed, NotFound, TemporaryError
from plugins._shared.github.client import GitHub, Json
from plugins._shared.github.conditional import Conditional
from plugins._shared.github.pull import BranchRules
from plugins._shared.github.words import Node, node, text, whole

log = logging.getLogger(__name__)


async def branch_rules(rules: Conditional, repo: str, pull: Node) -> BranchRules:
    """The rules for the base of a pull request. Rulesets that cannot be read are left out.

    GitHub's own verdict (`mergeStateStatus`) holds all the same; only the words get poorer.
    """
    base = text(pull.get("baseRefName"))
    path = f"/repos/{repo}/rules/branches/{quote(base, safe='')}"
    try:
        of_rulesets = await rules.get(path, from_rulesets, query={"per_page": 100})
    except TemporaryError:
        raise
    except (NotFound, NotAllowed):
        of_rulesets = BranchRules()
    except AoError as error:
        log.warning("the rules of %s in %s could not be read: %s", base, repo, error)
        of_rulesets = BranchRules()
    return together(of_rulesets, from_protection(pull))


BASE_RULES = """
query BaseRules($owner: String!, $name: String!, $ref: String!) {
  repository(owner: $owner, name: $name) {
    ref(qualifiedName: $ref) {
      refUpdateRule {
        requiredApprovingReviewCount requiredStatusCheckContexts requiresCodeOwnerReviews
        requiresConversationResolution
      }
    }
  }
}
"""


async def rules_of(hub: GitHub, repo: str, branch: str) -> tuple[BranchRules, bool]:
    """The rules of a branch by name, and whether it has any. Raises `NotFound` for a branch that is not there."""
    owner, _, name = repo.partition("/")
    said = await hub.graphql(BASE_RULES, {"owner": owner, "name": name, "ref": f"refs/heads/{branch}"})
    ref = node(said.data.get("repository")).get("ref")
    if ref is None:
        msg = f"{repo} has no branch {branch}."
        raise NotFound(msg)
    try:
        rows = (await hub.rest("GET", f"/repos/{repo}/rules/branches/{quote(branch, safe='')}")).data
    except AoError:
        rows = []  # older servers have no rulesets
    found = together(from_rulesets(rows), from_protection({"baseRef": ref}))
    return found, bool(rows) or bool(node(node(ref).get("refUpdateRule")))


def from_rulesets(rows: Json) -> BranchRules:
    """Of the active rules of a branch, from all rulesets (REST: "Get rules for a branch")."""
    found = BranchRules()
    for row in rows if isinstance(rows, list) else ():
        given = node(node(row).get("parameters"))
        kind = node(row).get("type")
        if kind == "required_status_checks":
            contexts = (text(node(one).get("context")) for one in _list(given, "required_status_checks"))
            found = together(found, BranchRules(required=frozenset(filter(None, contexts))))
        elif kind == "pull_request":
            found = together(
                found,
                BranchRules(
                    approvals=whole(given.get("required_approving_review_count")),
                    code_owners=given.get("require_code_owner_review") is True,
                    conversations=given.get("required_review_thread_resolution") is True,
                ),
            )
    return found


def from_protection(pull: Node) -> BranchRules:
    """Of classic branch protection."""
    rule = node(node(pull.get("baseRef")).get("refUpdateRule"))
    contexts = _list(rule, "requiredStatusCheckContexts")
    return BranchRules(
        required=frozenset(filter(None, map(text, contexts))),
        approvals=whole(rule.get("requiredApprovingReviewCount")),
        code_owners=rule.get("requiresCodeOwnerReviews") is True,
        conversations=rule.get("requiresConversationResolution") is True,
    )


def together(one: BranchRules, other: BranchRules) -> BranchRules:
    """Both hold."""
    return BranchRules(
        required=one.required | other.required,
        approvals=max(one.approvals, other.approvals),
        code_owners=one.code_owners or other.code_owners,
        conversations=one.conversations or other.conversations,
    )


def _list(of: Node, name: str) -> Sequence[Any]:
    value = of.get(name)
    return value if isinstance(value, list) else ()
