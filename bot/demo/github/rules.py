"""What a branch's protection and rulesets ask of a pull request, and what is missing. Pure."""

from __future__ import annotations

from dataclasses import replace
from fnmatch import fnmatchcase

from bot.demo.github.model import ROLES, Pull, Repository, Review, User
from bot.demo.github.model_checks import PASSING
from bot.demo.github.model_rules import Protection, Ruleset

_OPINIONS = {"APPROVED", "CHANGES_REQUESTED", "DISMISSED"}


def applies(ruleset: Ruleset, repo: Repository, branch: str) -> bool:
    """Whether a ruleset is for this branch."""
    return any(
        pattern == "~ALL" or (pattern == "~DEFAULT_BRANCH" and branch == repo.default_branch)
        or fnmatchcase(branch, pattern.removeprefix("refs/heads/"))
        for pattern in ruleset.branches
    )  # fmt: skip


def protection(repo: Repository, branch: str) -> Protection | None:
    """Protection and rulesets together; None: anything goes."""
    layers = [one.rules for one in repo.rulesets if applies(one, repo, branch)]
    if branch in repo.protections:
        layers.insert(0, repo.protections[branch])
    if not layers:
        return None
    whole = replace(layers[0], checks=list(layers[0].checks))
    for layer in layers[1:]:
        whole.checks += [name for name in layer.checks if name not in whole.checks]
        if layer.approvals is not None:
            whole.approvals = max(whole.approvals or 0, layer.approvals)
        for flag in ("strict", "code_owners", "dismiss_stale", "conversations", "merge_queue", "linear"):
            setattr(whole, flag, getattr(whole, flag) or getattr(layer, flag))
        whole.admins = True  # rulesets hold for admins too, unless they may bypass them
    if repo.rulesets and branch not in repo.protections:
        whole.admins = True
    return whole


def methods(repo: Repository, branch: str) -> list[str]:
    """Merge methods that are allowed."""
    names = [name for name in ("merge", "squash", "rebase") if repo.merging.allows(name)]
    for ruleset in repo.rulesets:
        if applies(ruleset, repo, branch):
            names = [name for name in names if name in ruleset.methods]
    rules = protection(repo, branch)
    return [name for name in names if name != "merge" or rules is None or not rules.linear]


def state_of_check(repo: Repository, sha: str, name: str) -> str:
    """success, failure, pending or expected (nothing has reported), by check runs and statuses of that name."""
    seen = [
        "pending" if run.status != "completed" else "success" if run.conclusion in PASSING else "failure"
        for run in repo.checks.latest(sha)
        if run.name == name
    ]
    words = {"success": "success", "pending": "pending", "failure": "failure", "error": "failure"}
    seen += [words[status.state] for status in repo.checks.contexts(sha) if status.context == name]
    return next((word for word in ("failure", "pending", "success") if word in seen), "expected")


def rollup(repo: Repository, sha: str) -> str | None:
    """GraphQL's StatusState over all checks and statuses; None when there are none."""
    states = [status.state.upper() for status in repo.checks.contexts(sha)]
    for run in repo.checks.latest(sha):
        if run.status != "completed":
            states.append("PENDING")
        else:
            states.append("SUCCESS" if run.conclusion in PASSING else "FAILURE")
    order = ("ERROR", "FAILURE", "PENDING", "EXPECTED", "SUCCESS")
    return next((state for state in order if state in states), None)


def latest_reviews(pull: Pull) -> list[Review]:
    """The newest opinion of each reviewer."""
    newest: dict[str, Review] = {}
    for review in pull.reviews:
        if review.state in _OPINIONS:
            newest.pop(review.author.login, None)
            newest[review.author.login] = review
        elif review.state == "COMMENTED":
            newest.setdefault(review.author.login, review)
    return list(newest.values())


def counts(pull: Pull, by: User) -> bool:
    """Whether a review by them counts: who may push, no App's bot, not the author."""
    role = pull.repo.role_of(by)
    return by.type == "User" and by is not pull.issue.author and ROLES.index(role) >= ROLES.index("write")


def _votes(pull: Pull) -> tuple[list[User], list[User]]:
    valid = [review for review in latest_reviews(pull) if counts(pull, review.author)]
    approved = [review.author for review in valid if review.state == "APPROVED"]
    return approved, [review.author for review in valid if review.state == "CHANGES_REQUESTED"]


def _owners_missing(pull: Pull, rules: Protection, approved: list[User]) -> list[str]:
    if not rules.code_owners or not pull.code_owners:
        return []
    seen, author = {user.login.lower() for user in approved}, pull.issue.author.login.lower()
    people = {name.lower(): _people(pull.repo, name) - {author} for name in pull.code_owners}
    asked = {name for name, logins in people.items() if logins}
    return sorted(asked) if asked and not any(people[name] & seen for name in asked) else []


def _people(repo: Repository, owner: str) -> set[str]:
    """Logins behind a name of CODEOWNERS: a person, or the team `org/slug`."""
    _, slash, slug = owner.partition("/")
    return {name.lower() for name in repo.owner.teams.get(slug, set())} if slash else {owner.lower()}


def decision(pull: Pull) -> str | None:
    """GraphQL's reviewDecision; None where no review is asked for."""
    rules = protection(pull.repo, pull.base_ref)
    if rules is None or rules.approvals is None:
        return None
    approved, against = _votes(pull)
    if against:
        return "CHANGES_REQUESTED"
    enough = len(approved) >= rules.approvals and not _owners_missing(pull, rules, approved)
    if enough and (rules.approvals or rules.code_owners):
        return "APPROVED"
    return None if enough else "REVIEW_REQUIRED"


def missing(pull: Pull) -> list[str]:
    """What stands against a merge, in GitHub's words; empty when nothing does."""
    rules = protection(pull.repo, pull.base_ref)
    if rules is None:
        return []
    said = _missing_checks(pull, rules) + _missing_reviews(pull, rules)
    if rules.conversations and any(thread.resolved_by is None for thread in pull.threads):
        said.append("A conversation must be resolved before this pull request can be merged.")
    return said


def _missing_checks(pull: Pull, rules: Protection) -> list[str]:
    words = {"failure": "is failing", "pending": "is in progress", "expected": "is expected"}
    states = {name: state_of_check(pull.repo, pull.head_sha, name) for name in rules.checks}
    open_ones = {name: state for name, state in states.items() if state != "success"}
    if len(open_ones) > 1:
        worst = next(s for s in ("failure", "pending", "expected") if s in open_ones.values())
        tail = {"failure": "have not succeeded", "pending": "are pending", "expected": "are expected"}[worst]
        return [f"{len(open_ones)} of {len(rules.checks)} required status checks {tail}."]
    return [f'Required status check "{name}" {words[state]}.' for name, state in open_ones.items()]


def _missing_reviews(pull: Pull, rules: Protection) -> list[str]:
    if rules.approvals is None:
        return []
    approved, against = _votes(pull)
    said = []
    if against:
        names = ", ".join(user.login for user in against)
        said.append(f"Changes were requested by {names}.")
    if len(approved) < rules.approvals:
        plural = "s are" if rules.approvals != 1 else " is"
        said.append(
            f"At least {rules.approvals} approving review{plural} required by reviewers with write access."
        )
    if owners := _owners_missing(pull, rules, approved):
        said.append(f"Waiting on code owner review from {', '.join(owners)}.")
    return said


def merge_state(pull: Pull) -> str:
    """REST's mergeable_state: unknown, dirty, draft, blocked, behind, unstable or clean."""
    if not pull.is_open or pull.mergeable is None:
        return "unknown"
    if not pull.mergeable:
        return "dirty"
    if pull.draft:
        return "draft"
    rules = protection(pull.repo, pull.base_ref)
    if missing(pull):
        return "blocked"
    if rules is not None and rules.strict and pull.behind:
        return "behind"
    state = rollup(pull.repo, pull.head_sha)
    return "unstable" if state not in (None, "SUCCESS") else "clean"
