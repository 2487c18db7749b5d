"""What the fake GitHub knows: people, repositories, issues, pull requests. Times are seconds since 1970."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

from bot.demo.github.model_checks import Checks
from bot.demo.github.model_rules import Protection, Ruleset
from bot.demo.github.refusals import Json

ROLES = ("none", "read", "triage", "write", "maintain", "admin")
"""Rights in a repository, each with all before it."""


@dataclass(slots=True, eq=False)
class User:
    """Somebody: `type` is User, Bot or Organization."""

    id: int
    login: str
    node_id: str
    type: str = "User"
    name: str = ""
    email: str = ""
    members: set[str] = field(default_factory=set)
    """Of an organization: logins."""
    teams: dict[str, set[str]] = field(default_factory=dict)
    """Of an organization: slug -> logins, for CODEOWNERS."""


@dataclass(slots=True, eq=False)
class Label:
    """A label of a repository."""

    id: int
    node_id: str
    name: str
    color: str = "ededed"
    description: str = ""


@dataclass(slots=True, eq=False)
class Comment:
    """A comment on an issue or a pull request."""

    id: int
    node_id: str
    author: User
    body: str
    created_at: float
    updated_at: float
    association: str
    issue: Issue
    edited_at: float | None = None


@dataclass(slots=True, eq=False)
class Event:
    """A line of an issue's timeline: labeled, closed, head_ref_force_pushed and so on."""

    id: int
    node_id: str
    event: str
    actor: User
    created_at: float
    data: Json = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Issue:
    """An issue; a pull request is one too, with `pull`."""

    id: int
    node_id: str
    number: int
    repo: Repository
    author: User
    association: str
    title: str
    body: str
    created_at: float
    updated_at: float
    state: str = "open"
    state_reason: str | None = None
    labels: list[Label] = field(default_factory=list)
    assignees: list[User] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)
    timeline: list[Event] = field(default_factory=list)
    closed_at: float | None = None
    closed_by: User | None = None
    edited_at: float | None = None
    pull: Pull | None = None


@dataclass(slots=True, eq=False)
class Hook:
    """A repository's webhook."""

    id: int
    url: str
    secret: str
    events: list[str]
    content_type: str
    created_at: float
    updated_at: float
    active: bool = True
    last_response: Json = field(default_factory=lambda: {"code": None, "status": "unused", "message": None})
    deliveries: list[Json] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Merging:
    """What a repository allows."""

    merge: bool = True
    squash: bool = True
    rebase: bool = True
    auto: bool = True
    delete_branch: bool = False

    def allows(self, method: str) -> bool:
        """Whether this method (merge, squash, rebase) may be used."""
        return {"merge": self.merge, "squash": self.squash, "rebase": self.rebase}.get(method, False)


@dataclass(slots=True, eq=False)
class Repository:
    """A repository: its git folder and everything around it."""

    id: int
    node_id: str
    owner: User
    name: str
    path: Path
    created_at: float
    updated_at: float
    checks: Checks
    default_branch: str = "main"
    private: bool = False
    archived: bool = False
    parent: Repository | None = None
    merging: Merging = field(default_factory=Merging)
    collaborators: dict[str, str] = field(default_factory=dict)
    """Login -> role."""
    labels: dict[str, Label] = field(default_factory=dict)
    """By lower-case name."""
    issues: dict[int, Issue] = field(default_factory=dict)
    transferred: dict[int, Issue] = field(default_factory=dict)
    """Number that an issue had here -> the issue elsewhere that it became."""
    protections: dict[str, Protection] = field(default_factory=dict)
    """By branch."""
    rulesets: list[Ruleset] = field(default_factory=list)
    hooks: dict[int, Hook] = field(default_factory=dict)
    queue: list[Pull] = field(default_factory=list)
    """The merge queue, first first."""
    associations: dict[str, str] = field(default_factory=dict)
    """Login -> author association, where it is not what follows from the rights."""
    branch_heads: dict[str, str] = field(default_factory=dict)
    """Branch -> SHA, as of the last look at the git folder."""
    deleted: set[int] = field(default_factory=set)
    """Numbers of issues that were deleted."""
    following: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while what a push moved is followed."""
    merge_lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    ci: dict[str, list[str]] = field(default_factory=dict)
    """Check name -> the command that the fake runs for each pushed head of a pull request."""

    @property
    def full_name(self) -> str:
        """owner/name."""
        return f"{self.owner.login}/{self.name}"

    def role_of(self, user: User | None) -> str:
        """What somebody may do here; `none` means that it does not exist for them."""
        role = "none" if self.private else "read"
        if user is None:
            return role
        if user is self.owner:
            return "admin"
        if user.login in self.owner.members:
            role = max(role, "read", key=ROLES.index)
        return max(role, self.collaborators.get(user.login, "none"), key=ROLES.index)

    def association_of(self, user: User) -> str:
        """GitHub's author association."""
        if user.login in self.associations:
            return self.associations[user.login]
        if user is self.owner:
            return "OWNER"
        if user.login in self.owner.members:
            return "MEMBER"
        if user.login in self.collaborators:
            return "COLLABORATOR"
        merged = any(
            i.author is user and i.pull and i.pull.merged_at is not None for i in self.issues.values()
        )
        return "CONTRIBUTOR" if merged else "NONE"

    def pulls(self) -> list[Pull]:
        """All pull requests, oldest first."""
        return [issue.pull for issue in self.issues.values() if issue.pull is not None]


@dataclass(slots=True, eq=False)
class Review:
    """A review; `state` is APPROVED, CHANGES_REQUESTED, COMMENTED, DISMISSED or PENDING."""

    id: int
    node_id: str
    author: User
    state: str
    body: str
    commit: str
    submitted_at: float
    association: str
    pull: Pull


@dataclass(slots=True, eq=False)
class ReviewComment:
    """A comment in a thread on a line."""

    id: int
    node_id: str
    author: User
    body: str
    created_at: float
    updated_at: float
    association: str
    thread: Thread
    review: Review
    edited_at: float | None = None


@dataclass(slots=True, eq=False)
class Thread:
    """A conversation on a line of the change."""

    node_id: str
    pull: Pull
    path: str
    line: int | None
    commit: str
    side: str = "RIGHT"
    resolved_by: User | None = None
    outdated: bool = False
    comments: list[ReviewComment] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class AutoMerge:
    """GitHub's own auto-merge, switched on by somebody."""

    by: User
    method: str
    at: float
    title: str | None = None
    message: str | None = None


@dataclass(slots=True)
class Change:
    """How large the change is, computed when a head or base moves."""

    additions: int = 0
    deletions: int = 0
    files: tuple[tuple[str, int, int, str], ...] = ()
    """Path, additions, deletions, status."""
    commits: tuple[str, ...] = ()
    """Oldest first."""


@dataclass(slots=True, eq=False)
class Pull:
    """A pull request; what it shares with issues lies in `issue`."""

    id: int
    node_id: str
    issue: Issue
    head_repo: Repository | None
    head_ref: str
    head_sha: str
    base_ref: str
    base_sha: str
    head_owner: User
    draft: bool = False
    mergeable: bool | None = None
    """None: not computed yet for this head and base."""
    behind: bool = False
    change: Change | None = None
    """None: not computed yet."""
    merged_at: float | None = None
    merged_by: User | None = None
    merge_sha: str | None = None
    reviewers: list[User] = field(default_factory=list)
    reviews: list[Review] = field(default_factory=list)
    threads: list[Thread] = field(default_factory=list)
    auto_merge: AutoMerge | None = None
    code_owners: tuple[str, ...] | None = None
    """Logins whose review CODEOWNERS asks for; None: not computed yet."""

    @property
    def repo(self) -> Repository:
        """The base repository."""
        return self.issue.repo

    @property
    def number(self) -> int:
        """Its number."""
        return self.issue.number

    @property
    def is_open(self) -> bool:
        """Neither closed nor merged."""
        return self.issue.state == "open"

    @property
    def is_queued(self) -> bool:
        """Whether it stands in the merge queue."""
        return self in self.repo.queue
