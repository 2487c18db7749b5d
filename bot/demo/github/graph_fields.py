"""Fields of the GraphQL API: how they are registered, people, repositories, issues, comments, timelines."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.demo.github import rules, search, shapes
from bot.demo.github.access import Access, Who
from bot.demo.github.graph_paging import FORBIDDEN, NOT_FOUND, UNPROCESSABLE, connection, error
from bot.demo.github.limits import Limits
from bot.demo.github.model import Comment, Event, Issue, Label, Pull, Repository, User
from bot.demo.github.model_rules import Protection
from bot.demo.github.refusals import Json
from bot.demo.github.world import World, iso

Args = Mapping[str, Any]
Field = Callable[["Graph", Any, Args], Any]


@dataclass(slots=True)
class Graph:
    """What a field may look at while one query runs."""

    world: World
    access: Access
    limits: Limits
    who: Who
    points: int = 1
    nodes: int = 0
    noted: Json = field(default_factory=dict)

    def needs(self, repo: Repository, name: str, level: str = "read") -> None:
        """Raises GitHub's error where the token lacks a permission."""
        if not self.access.allows(self.who, repo, name, level):
            by = "integration" if self.who.is_installation else "personal access token"
            raise error(FORBIDDEN, f"Resource not accessible by {by}")


@dataclass(frozen=True, slots=True)
class Tip:
    """A branch at a commit, for Ref."""

    repo: Repository
    branch: str
    sha: str


@dataclass(frozen=True, slots=True)
class CommitAt:
    """A commit of a repository."""

    repo: Repository
    sha: str


FIELDS: dict[tuple[str, str], Field] = {}
"""Type and field -> how it is answered; a plain attribute of that name needs none."""


def of(kind: str, **fields: Field) -> None:
    """Fields of a type."""
    FIELDS.update({(kind, name): answer for name, answer in fields.items()})


def same(kind: str, **attributes: str) -> None:
    """Fields that are attributes by another name."""

    def read(name: str) -> Field:
        return lambda _graph, one, _args: getattr(one, name)

    of(kind, **{name: read(attribute) for name, attribute in attributes.items()})


def ordered(rows: list[Issue], args: Args) -> list[Issue]:
    """By `orderBy` of issues, else as made."""
    order = args.get("orderBy") or {"field": "CREATED_AT", "direction": "ASC"}
    key = {"UPDATED_AT": "updated_at", "CREATED_AT": "created_at"}.get(order["field"], "created_at")
    return sorted(rows, key=lambda one: (getattr(one, key), one.number), reverse=order["direction"] == "DESC")


def page(name: str, rows: Callable[[Graph, Any, Args], Any]) -> Field:
    """A connection of rows."""
    return lambda graph, one, args: connection(name, rows(graph, one, args), args)


def at(attribute: str) -> Field:
    """A time."""
    return lambda _graph, one, _args: iso(getattr(one, attribute))


# People.


for _kind in ("User", "Bot", "Organization"):
    same(_kind, id="node_id", databaseId="id")
    of(
        _kind,
        url=lambda g, one, _: g.world.page(f"/{one.login}"),
        avatarUrl=lambda g, one, _: g.world.page(f"/avatars/{one.id}"),
        resourcePath=lambda _g, one, _: f"/{one.login}",
    )
of("Bot", login=lambda _g, one, _: one.login.removesuffix("[bot]"))  # GraphQL leaves the suffix out


# Repositories.


def _repository(graph: Graph, _: object, args: Args) -> Repository:
    full_name = f"{args['owner']}/{args['name']}"
    found = graph.world.find(full_name)
    if found is None and args.get("followRenames", True) is not False:
        found = graph.world.renamed.get(full_name.lower())
    if found is None or not graph.access.sees(graph.who, found):
        raise error(NOT_FOUND, f"Could not resolve to a Repository with the name '{full_name}'.")
    return found


def _numbered(graph: Graph, repo: Repository, args: Args, kind: str) -> Any:  # noqa: ANN401 - an issue or a pull
    graph.needs(repo, "issues" if kind == "Issue" else "pull_requests")
    issue = repo.issues.get(args["number"])
    one = issue.pull if issue is not None and kind == "PullRequest" else issue
    if one is None or (kind == "Issue" and issue is not None and issue.pull is not None):
        words = "an Issue" if kind == "Issue" else "a PullRequest"
        raise error(NOT_FOUND, f"Could not resolve to {words} with the number of {args['number']}.")
    return one


def _either(graph: Graph, repo: Repository, args: Args) -> Issue | Pull:
    issue = repo.issues.get(args["number"])
    if issue is None:
        raise error(
            NOT_FOUND, f"Could not resolve to an issue or pull request with the number of {args['number']}."
        )
    graph.needs(repo, "pull_requests" if issue.pull else "issues")
    return issue.pull or issue


def _pulls(graph: Graph, repo: Repository, args: Args) -> list[Pull]:
    graph.needs(repo, "pull_requests")
    rows = [issue.pull for issue in ordered(list(repo.issues.values()), args) if issue.pull is not None]
    if args.get("states"):
        rows = [pull for pull in rows if pull_state(pull) in args["states"]]
    for name, attribute in (("headRefName", "head_ref"), ("baseRefName", "base_ref")):
        if args.get(name) is not None:
            rows = [pull for pull in rows if getattr(pull, attribute) == args[name]]
    if args.get("labels"):
        rows = [pull for pull in rows if {label.name for label in pull.issue.labels} & set(args["labels"])]
    return rows


def pull_state(pull: Pull) -> str:
    """OPEN, CLOSED or MERGED."""
    return "MERGED" if pull.merged_at is not None else pull.issue.state.upper()


def _issues(graph: Graph, repo: Repository, args: Args) -> list[Issue]:
    graph.needs(repo, "issues")
    wanted = args.get("filterBy") or {}
    rows = [issue for issue in ordered(list(repo.issues.values()), args) if issue.pull is None]
    states = args.get("states") or wanted.get("states")
    labels = args.get("labels") or wanted.get("labels")
    if states:
        rows = [issue for issue in rows if issue.state.upper() in states]
    if labels:
        rows = [issue for issue in rows if {label.name for label in issue.labels} & set(labels)]
    if wanted.get("since"):
        rows = search.since(rows, {"since": wanted["since"]})
    for name in ("assignee", "createdBy"):
        if name in wanted:
            rows = [issue for issue in rows if wanted[name] in _logins(issue, name)]
    return rows


def _logins(issue: Issue, name: str) -> set[str]:
    return {issue.author.login} if name == "createdBy" else {person.login for person in issue.assignees}


def tip(repo: Repository | None, branch: str) -> Tip | None:
    """A branch that is there."""
    sha = None if repo is None else repo.branch_heads.get(branch)
    return None if sha is None or repo is None else Tip(repo, branch, sha)


def merge_queue(graph: Graph, repo: Repository, branch: str) -> Json | None:
    """Of a branch that asks for it."""
    wanted = rules.protection(repo, branch)
    if wanted is None or not wanted.merge_queue:
        return None
    rows = [pull for pull in repo.queue if pull.base_ref == branch]
    url = graph.world.page(f"/{repo.full_name}/queue/{branch}")
    return {"kind": "MergeQueue", "id": f"MQ_{repo.node_id}", "rows": rows, "url": url}


def _owner(_graph: Graph, repo: Repository, _args: Args) -> User:
    return repo.owner


same(
    "Repository",
    id="node_id",
    databaseId="id",
    nameWithOwner="full_name",
    isPrivate="private",
    isArchived="archived",
)
of(
    "Repository",
    owner=_owner,
    url=lambda g, one, _: g.world.page(f"/{one.full_name}"),
    isFork=lambda _g, one, _: one.parent is not None,
    defaultBranchRef=lambda _g, one, _: tip(one, one.default_branch),
    ref=lambda _g, one, args: tip(one, args["qualifiedName"].removeprefix("refs/heads/")),
    pullRequest=lambda g, one, args: _numbered(g, one, args, "PullRequest"),
    issue=lambda g, one, args: _numbered(g, one, args, "Issue"),
    issueOrPullRequest=_either,
    pullRequests=page("pullRequests", _pulls),
    issues=page("issues", _issues),
    mergeQueue=lambda g, one, args: merge_queue(g, one, args.get("branch") or one.default_branch),
    mergeCommitAllowed=lambda _g, one, _: one.merging.merge,
    squashMergeAllowed=lambda _g, one, _: one.merging.squash,
    rebaseMergeAllowed=lambda _g, one, _: one.merging.rebase,
    autoMergeAllowed=lambda _g, one, _: one.merging.auto,
    deleteBranchOnMerge=lambda _g, one, _: one.merging.delete_branch,
    viewerPermission=lambda g, one, _: _permission(one.role_of(g.who.user)),
    label=lambda _g, one, args: one.labels.get(args["name"].lower()),
    labels=page("labels", lambda _g, one, args: _labels(one, args)),
)


def _permission(role: str) -> str | None:
    return None if role == "none" else role.upper()


def _labels(repo: Repository, args: Args) -> list[Label]:
    return [
        label for label in repo.labels.values() if (args.get("query") or "").lower() in label.name.lower()
    ]


same("Ref", name="branch")
of(
    "Ref",
    id=lambda _g, one, _: f"REF_{one.repo.node_id}:{one.branch}",
    prefix=lambda _g, _one, _args: "refs/heads/",
    target=lambda _g, one, _: CommitAt(one.repo, one.sha),
    branchProtectionRule=lambda _g, one, _: _rule(one),
)


def _rule(one: Tip) -> Json | None:
    found: Protection | None = one.repo.protections.get(one.branch)
    if found is None:
        return None
    return {
        "kind": "BranchProtectionRule", "id": f"BPR_{one.repo.node_id}:{one.branch}", "pattern": one.branch,
        "requiresApprovingReviews": found.approvals is not None, "requiredApprovingReviewCount": found.approvals,
        "requiresStatusChecks": bool(found.checks), "requiredStatusCheckContexts": found.checks,
        "requiresStrictStatusChecks": found.strict, "requiresCodeOwnerReviews": found.code_owners,
        "dismissesStaleReviews": found.dismiss_stale, "requiresConversationResolution": found.conversations,
        "requiresLinearHistory": found.linear, "isAdminEnforced": found.admins,
    }  # fmt: skip


# Issues and comments.


same("Label", id="node_id")
same("Issue", id="node_id", databaseId="id", fullDatabaseId="id", authorAssociation="association")
of(
    "Issue",
    url=lambda g, one, _: shapes.page_url(g.world, one),
    state=lambda _g, one, _: one.state.upper(),
    stateReason=lambda _g, one, _: one.state_reason.upper() if one.state_reason else None,
    createdAt=at("created_at"),
    updatedAt=at("updated_at"),
    lastEditedAt=at("edited_at"),
    closed=lambda _g, one, _: one.state == "closed",
    closedAt=at("closed_at"),
    labels=page("labels", lambda _g, one, _: one.labels),
    assignees=page("assignees", lambda _g, one, _: one.assignees),
    comments=page("comments", lambda _g, one, _: one.comments),
    repository=lambda _g, one, _: one.repo,
    timelineItems=page("timelineItems", lambda _g, one, args: timeline(one, args)),
    viewerDidAuthor=lambda g, one, _: g.who.user is one.author,
)
same("IssueComment", id="node_id", databaseId="id", fullDatabaseId="id", authorAssociation="association")
of(
    "IssueComment",
    url=lambda g, one, _: f"{shapes.page_url(g.world, one.issue)}#issuecomment-{one.id}",
    createdAt=at("created_at"),
    updatedAt=at("updated_at"),
    lastEditedAt=at("edited_at"),
    includesCreatedEdit=lambda _g, one, _: one.edited_at is not None,
    isMinimized=lambda _g, _one, _args: False,
)


# Timelines.

EVENTS = {
    "labeled": "LabeledEvent", "unlabeled": "UnlabeledEvent", "assigned": "AssignedEvent", "closed": "ClosedEvent",
    "reopened": "ReopenedEvent", "renamed": "RenamedTitleEvent", "merged": "MergedEvent",
    "head_ref_force_pushed": "HeadRefForcePushedEvent", "review_dismissed": "ReviewDismissedEvent",
}  # fmt: skip


def item_type(name: str) -> str:
    """LabeledEvent -> LABELED_EVENT, as `itemTypes` names them."""
    return "".join(
        f"_{letter}" if letter.isupper() and at_ else letter for at_, letter in enumerate(name)
    ).upper()


def timeline(issue: Issue, args: Args) -> list[Any]:
    """Events that the schema knows and comments, by time; with `itemTypes` only those."""
    rows: list[Any] = [row for row in issue.timeline if row.event in EVENTS]
    rows += issue.comments
    if issue.pull is not None:
        rows += [review for review in issue.pull.reviews if review.body or review.state != "COMMENTED"]
    rows.sort(key=lambda one: one.id)
    wanted = args.get("itemTypes")
    return [row for row in rows if wanted is None or item_type(_item_name(row)) in wanted]


def _item_name(row: object) -> str:
    if isinstance(row, Event):
        return EVENTS[row.event]
    return "IssueComment" if isinstance(row, Comment) else "PullRequestReview"


for _kind in EVENTS.values():
    same(_kind, id="node_id")
    of(_kind, createdAt=at("created_at"))
for _kind in ("LabeledEvent", "UnlabeledEvent"):
    of(_kind, label=lambda _g, one, _: _event_label(one))
of(
    "RenamedTitleEvent",
    currentTitle=lambda _g, one, _: one.data["rename"]["to"],
    previousTitle=lambda _g, one, _: one.data["rename"]["from"],
)
same("ReviewDismissedEvent", databaseId="id")
of(
    "ReviewDismissedEvent",
    dismissalMessage=lambda _g, one, _: one.data["dismissed_review"].get("dismissal_message"),
)


def _event_label(one: Event) -> Label:
    name, color = one.data["label"]["name"], one.data["label"]["color"]
    return Label(0, f"LA_{name}", name, color)


# What a query begins with.


def _node(graph: Graph, identity: str) -> object:
    found = graph.world.nodes.get(identity)
    repo = found if isinstance(found, Repository) else getattr(found, "repo", None)
    if found is None or (isinstance(repo, Repository) and not graph.access.sees(graph.who, repo)):
        raise error(NOT_FOUND, f"Could not resolve to a node with the global id of '{identity}'.")
    return found.pull if isinstance(found, Issue) and found.pull is not None else found


def _search(graph: Graph, _: object, args: Args) -> Json:
    if args["type"] != "ISSUE":
        raise error(UNPROCESSABLE, "The fake GitHub searches issues alone.")
    rows = [one for one in search.found(graph.world, args["query"]) if graph.access.sees(graph.who, one.repo)]
    return connection("search", [one.pull or one for one in rows], args, issueCount=len(rows))


def _rate_limit(graph: Graph, _: object, _args: Args) -> Json:
    bucket = graph.limits.bucket(graph.who.key, "graphql")
    return {
        "cost": graph.points, "limit": bucket.limit, "nodeCount": graph.nodes, "remaining": bucket.remaining,
        "resetAt": iso(bucket.resets_at), "used": bucket.used,
    }  # fmt: skip


def _nodes(graph: Graph, _: object, args: Args) -> list[object]:
    return [_node(graph, identity) for identity in args["ids"]]


of(
    "Query",
    repository=_repository,
    id=lambda _g, _one, _args: "query",
    viewer=lambda g, _one, _args: g.who.user,
    rateLimit=_rate_limit,
    node=lambda g, _one, args: _node(g, args["id"]),
    nodes=_nodes,
    search=_search,
)
