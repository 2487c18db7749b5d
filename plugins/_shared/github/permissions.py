"""Which permissions we need on GitHub, for what, and which are more than that. Pure.

Names are GitHub's own (docs.github.com: *Scopes for OAuth apps*, *Permissions required for GitHub Apps*);
docs/github.md shows the same table.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

_LEVELS = ("", "read", "write", "admin")
READ, WRITE = "read", "write"


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """One permission of fine-grained tokens and Apps."""

    name: str
    level: str
    what: str
    """What it is for, in words."""
    optional: bool = False
    """Without it everything else works."""


NEEDS = (
    Need(name="metadata", level=READ, what="see the repository"),
    Need(name="contents", level=WRITE, what="push branches and merge"),
    Need(name="pull_requests", level=WRITE, what="open, review and merge pull requests"),
    Need(name="checks", level=READ, what="see check runs"),
    Need(name="statuses", level=WRITE, what="see commit statuses and set ao/approval"),
    Need(name="actions", level=WRITE, what="read logs of failing jobs and run them again"),
    Need(name="issues", level=WRITE, what="read, label and comment on issues"),
    Need(name="repository_hooks", level=WRITE, what="install webhooks", optional=True),
)
_HARMLESS_SCOPES = frozenset(
    {
        "repo",
        "public_repo",
        "repo:status",
        "repo_deployment",
        "read:org",
        "read:user",
        "user:email",
        "read:project",
    }
)
_WORKFLOWS = (
    "may change workflows, which run with the repository's secrets: needed only where agents are meant to "
    "change workflow files"
)
_WHY_SCOPES = {
    "workflow": _WORKFLOWS,
    "delete_repo": "may delete repositories",
    "gist": "may write gists",
    "user": "may change the account",
    "codespace": "may use codespaces",
    "security_events": "may see security alerts",
    "audit_log": "may read audit logs",
}
_WHY_PERMISSIONS = {
    "workflows": _WORKFLOWS,
    "administration": "may change the repository's settings and protection",
    "secrets": "may reach secrets",
    "members": "may see or change members of the organization",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Lack:
    """A permission that is missing."""

    name: str
    what: str
    optional: bool = False


def missing_scopes(scopes: Collection[str], *, private: bool) -> tuple[Lack, ...]:
    """Of a classic token, or of an OAuth App's: one scope holds everything."""
    if "repo" in scopes or (not private and "public_repo" in scopes):
        return ()
    name = "repo" if private else "public_repo"
    return (Lack(name=name, what="everything but reading what is public"),)


def needless_scopes(scopes: Collection[str]) -> tuple[tuple[str, str], ...]:
    """Scopes that nothing here needs, each with what it would allow."""
    found = sorted(scope for scope in scopes if scope and scope not in _HARMLESS_SCOPES)
    return tuple((scope, _WHY_SCOPES.get(scope, _scope_words(scope))) for scope in found)


def missing_permissions(given: Mapping[str, str], *, issues: bool) -> tuple[Lack, ...]:
    """Of an App's installation. `issues`: the tracker is GitHub too."""
    return tuple(
        Lack(name=f"{need.name}: {need.level}", what=need.what, optional=need.optional)
        for need in NEEDS
        if (issues or need.name != "issues") and not covers(given.get(need.name, ""), need.level)
    )


def needless_permissions(given: Mapping[str, str], *, issues: bool) -> tuple[tuple[str, str], ...]:
    """Permissions above what is needed, each with what it would allow."""
    needed = {need.name: need.level for need in NEEDS if issues or need.name != "issues"}
    found = sorted(name for name, level in given.items() if level and not covers(needed.get(name, ""), level))
    return tuple(
        (f"{name}: {given[name]}", _WHY_PERMISSIONS.get(name, "is used by nothing here")) for name in found
    )


def covers(given: str, needed: str) -> bool:
    """Whether a level holds another."""
    return _rank(given) >= _rank(needed)


def _rank(level: str) -> int:
    return _LEVELS.index(level) if level in _LEVELS else 0


def _scope_words(scope: str) -> str:
    kind, _, what = scope.rpartition(":")
    if kind == "admin":
        return f"may administer {what.replace('_', ' ')}"
    return f"may {kind} {what.replace('_', ' ')}" if kind else "is used by nothing here"
