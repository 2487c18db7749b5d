"""Fields of the GraphQL API: pull requests, reviews, threads, commits, checks, the merge queue."""

from __future__ import annotations

import re
from typing import Any

from bot.demo.github import pulls, rules, shapes, shapes_checks
from bot.demo.github.graph_fields import (
    Args,
    CommitAt,
    Graph,
    at,
    merge_queue,
    of,
    page,
    pull_state,
    same,
    timeline,
    tip,
)
from bot.demo.github.graph_paging import connection
from bot.demo.github.model import AutoMerge, Issue, Pull, Review, Thread
from bot.demo.github.model_checks import CheckRun, Status, Suite
from bot.demo.github.refusals import Json
from bot.demo.github.world import iso


def _mergeable(graph: Graph, pull: Pull, _args: Args) -> str:
    pulls.look(graph.world, pull)
    if not pull.is_open or pull.mergeable is None:
        return "UNKNOWN"
    return "MERGEABLE" if pull.mergeable else "CONFLICTING"


def _state_status(graph: Graph, pull: Pull, _args: Args) -> str:
    pulls.look(graph.world, pull)
    return rules.merge_state(pull).upper()


async def _additions(graph: Graph, pull: Pull, _args: Args) -> int:
    return (await pulls.measure(graph.world, pull)).additions


async def _deletions(graph: Graph, pull: Pull, _args: Args) -> int:
    return (await pulls.measure(graph.world, pull)).deletions


async def _changed_files(graph: Graph, pull: Pull, _args: Args) -> int:
    return len((await pulls.measure(graph.world, pull)).files)


async def _files(graph: Graph, pull: Pull, args: Args) -> Json:
    change = await pulls.measure(graph.world, pull)
    words = {"removed": "DELETED"}
    rows = [
        {"path": path, "additions": added, "deletions": deleted, "changeType": words.get(kind, kind.upper())}
        for path, added, deleted, kind in change.files
    ]
    return connection("files", rows, args)


async def _commits(graph: Graph, pull: Pull, args: Args) -> Json:
    if args.get("last") == 1:  # what is asked at every look needs no git
        shas: tuple[str, ...] = (pull.head_sha,)
    else:
        shas = (await pulls.measure(graph.world, pull)).commits
    rows = [{"kind": "PullRequestCommit", "id": f"PURC_{pull.node_id}:{sha}", "commit": CommitAt(pull.repo, sha),
             "url": graph.world.page(f"/{pull.repo.full_name}/pull/{pull.number}/commits/{sha}")}
            for sha in shas]  # fmt: skip
    return connection("commits", rows, args)


def _closing(pull: Pull) -> list[Issue]:
    numbers = re.findall(r"(?i)\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?):?\s+#(\d+)", pull.issue.body)
    found = [pull.repo.issues.get(int(number)) for number in dict.fromkeys(numbers)]
    return [issue for issue in found if issue is not None and issue.pull is None]


def _requests(pull: Pull) -> list[Json]:
    return [
        {"kind": "ReviewRequest", "id": f"RR_{pull.node_id}:{person.id}", "databaseId": person.id,
         "asCodeOwner": person.login in (pull.code_owners or ()), "requestedReviewer": person, "pullRequest": pull}
        for person in pull.reviewers
    ]  # fmt: skip


def _reviews(pull: Pull, args: Args) -> list[Review]:
    rows = [row for row in pull.reviews if not args.get("states") or row.state in args["states"]]
    return [row for row in rows if args.get("author") in (None, row.author.login)]


def _opinions(pull: Pull, args: Args) -> list[Review]:
    rows = [row for row in rules.latest_reviews(pull) if row.state != "COMMENTED"]
    return [row for row in rows if not args.get("writersOnly") or rules.counts(pull, row.author)]


def entry(pull: Pull) -> Json | None:
    """Its place in the merge queue."""
    if not pull.is_queued:
        return None
    position = [one for one in pull.repo.queue if one.base_ref == pull.base_ref].index(pull) + 1
    return {
        "kind": "MergeQueueEntry", "id": f"MQE_{pull.node_id}", "position": position, "pullRequest": pull,
        "state": "AWAITING_CHECKS" if position == 1 else "QUEUED", "jump": False, "solo": False,
        "enqueuer": pull.issue.author, "enqueuedAt": iso(pull.issue.updated_at),
    }  # fmt: skip


def _auto(pull: Pull) -> Json | None:
    found: AutoMerge | None = pull.auto_merge
    if found is None:
        return None
    return {
        "kind": "AutoMergeRequest", "enabledAt": iso(found.at), "enabledBy": found.by, "pullRequest": pull,
        "mergeMethod": found.method.upper(), "commitHeadline": found.title, "commitBody": found.message,
    }  # fmt: skip


def _issue(name: str) -> Any:  # noqa: ANN401 - a field
    return lambda _g, pull, _: getattr(pull.issue, name)


def _rollup(repo_and_sha: CommitAt) -> Json | None:
    state = rules.rollup(repo_and_sha.repo, repo_and_sha.sha)
    if state is None:
        return None
    return {
        "kind": "StatusCheckRollup",
        "id": f"SCR_{repo_and_sha.sha}",
        "state": state,
        "commit": repo_and_sha,
    }


def _rollup_of(graph: Graph, where: CommitAt, _args: Args) -> Json | None:
    graph.needs(where.repo, "checks")
    graph.needs(where.repo, "statuses")
    return _rollup(where)


same("PullRequest", id="node_id", databaseId="id", fullDatabaseId="id", isDraft="draft", headRefName="head_ref",
     headRefOid="head_sha", headRepository="head_repo", headRepositoryOwner="head_owner", baseRefName="base_ref",
     baseRefOid="base_sha", baseRepository="repo", repository="repo", mergedBy="merged_by",
     isInMergeQueue="is_queued")  # fmt: skip
of(
    "PullRequest",
    title=_issue("title"),
    body=_issue("body"),
    author=_issue("author"),
    authorAssociation=_issue("association"),
    url=lambda g, one, _: shapes.page_url(g.world, one.issue),
    state=lambda _g, one, _: pull_state(one),
    merged=lambda _g, one, _: one.merged_at is not None,
    mergedAt=at("merged_at"),
    mergeCommit=lambda _g, one, _: CommitAt(one.repo, one.merge_sha) if one.merge_sha else None,
    headRef=lambda _g, one, _: tip(one.head_repo, one.head_ref),
    baseRef=lambda _g, one, _: tip(one.repo, one.base_ref),
    isCrossRepository=lambda _g, one, _: one.head_repo is not one.repo,
    mergeable=_mergeable,
    mergeStateStatus=_state_status,
    reviewDecision=lambda _g, one, _: rules.decision(one),
    additions=_additions,
    deletions=_deletions,
    changedFiles=_changed_files,
    createdAt=lambda _g, one, _: iso(one.issue.created_at),
    updatedAt=lambda _g, one, _: iso(one.issue.updated_at),
    lastEditedAt=lambda _g, one, _: iso(one.issue.edited_at),
    closed=lambda _g, one, _: not one.is_open,
    closedAt=lambda _g, one, _: iso(one.issue.closed_at),
    autoMergeRequest=lambda _g, one, _: _auto(one),
    isMergeQueueEnabled=lambda g, one, _: merge_queue(g, one.repo, one.base_ref) is not None,
    mergeQueueEntry=lambda _g, one, _: entry(one),
    mergeQueue=lambda g, one, _: merge_queue(g, one.repo, one.base_ref),
    reviewRequests=page("reviewRequests", lambda _g, one, _: _requests(one)),
    reviews=page("reviews", lambda _g, one, args: _reviews(one, args)),
    latestReviews=page("latestReviews", lambda _g, one, _: rules.latest_reviews(one)),
    latestOpinionatedReviews=page("latestOpinionatedReviews", lambda _g, one, args: _opinions(one, args)),
    reviewThreads=page("reviewThreads", lambda _g, one, _: one.threads),
    commits=_commits,
    comments=page("comments", lambda _g, one, _: one.issue.comments),
    labels=page("labels", lambda _g, one, _: one.issue.labels),
    assignees=page("assignees", lambda _g, one, _: one.issue.assignees),
    closingIssuesReferences=page("closingIssuesReferences", lambda _g, one, _: _closing(one)),
    files=_files,
    timelineItems=page("timelineItems", lambda _g, one, args: timeline(one.issue, args)),
    viewerDidAuthor=lambda g, one, _: g.who.user is one.issue.author,
    maintainerCanModify=lambda _g, _one, _args: False,
    statusCheckRollup=lambda g, one, _: _rollup_of(g, CommitAt(one.repo, one.head_sha), {}),
)

# Reviews and threads.

same("PullRequestReview", id="node_id", databaseId="id", fullDatabaseId="id", authorAssociation="association")
of(
    "PullRequestReview",
    url=lambda g, one, _: f"{shapes.page_url(g.world, one.pull.issue)}#pullrequestreview-{one.id}",
    commit=lambda _g, one, _: CommitAt(one.pull.repo, one.commit),
    authorCanPushToRepository=lambda _g, one, _: one.pull.repo.role_of(one.author) in {"write", "maintain", "admin"},
    submittedAt=at("submitted_at"),
    createdAt=at("submitted_at"),
    updatedAt=at("submitted_at"),
    lastEditedAt=lambda _g, _one, _args: None,
    comments=page("comments", lambda _g, one, _: [
        comment for thread in one.pull.threads for comment in thread.comments if comment.review is one
    ]),
)  # fmt: skip


def _may_write(graph: Graph, thread: Thread) -> bool:
    user = graph.who.user
    return (
        thread.pull.repo.role_of(user) in {"write", "maintain", "admin"} or user is thread.pull.issue.author
    )


same("PullRequestReviewThread", id="node_id", isOutdated="outdated", originalLine="line", diffSide="side",
     resolvedBy="resolved_by", pullRequest="pull")  # fmt: skip
of(
    "PullRequestReviewThread",
    isResolved=lambda _g, one, _: one.resolved_by is not None,
    isCollapsed=lambda _g, one, _: one.resolved_by is not None or one.outdated,
    line=lambda _g, one, _: None if one.outdated else one.line,
    comments=page("comments", lambda _g, one, _: one.comments),
    viewerCanResolve=lambda g, one, _: _may_write(g, one) and one.resolved_by is None,
    viewerCanUnresolve=lambda g, one, _: _may_write(g, one) and one.resolved_by is not None,
    viewerCanReply=lambda g, _one, _args: g.who.user is not None,
)
same("PullRequestReviewComment", id="node_id", databaseId="id", fullDatabaseId="id", authorAssociation="association",
     pullRequestReview="review")  # fmt: skip
of(
    "PullRequestReviewComment",
    createdAt=at("created_at"),
    updatedAt=at("updated_at"),
    lastEditedAt=at("edited_at"),
    path=lambda _g, one, _: one.thread.path,
    line=lambda _g, one, _: None if one.thread.outdated else one.thread.line,
    originalLine=lambda _g, one, _: one.thread.line,
    url=lambda g, one, _: f"{shapes.page_url(g.world, one.thread.pull.issue)}#discussion_r{one.id}",
    diffHunk=lambda _g, _one, _args: "",
    originalCommit=lambda _g, one, _: CommitAt(one.thread.pull.repo, one.thread.commit),
    replyTo=lambda _g, one, _: None if one is one.thread.comments[0] else one.thread.comments[0],
    outdated=lambda _g, one, _: one.thread.outdated,
)

# Commits and checks.


def _contexts(graph: Graph, rollup: Json, args: Args) -> Json:
    where: CommitAt = rollup["commit"]
    rows: list[CheckRun | Status] = [
        *where.repo.checks.latest(where.sha),
        *where.repo.checks.contexts(where.sha),
    ]
    graph.noted[where.sha] = where.repo
    return connection("contexts", rows, args)


def _is_required(graph: Graph, one: CheckRun | Status, args: Args) -> bool:
    repo = graph.noted.get(one.sha)
    if repo is None:
        repo = next((r for r in graph.world.repositories.values() if one.sha in r.checks.by_sha), None)
    pull = None if repo is None else _asked_for(repo.pulls(), args)
    name = one.name if isinstance(one, CheckRun) else one.context
    return pull is not None and shapes_checks.required(pull.repo, pull.base_ref, name)


def _asked_for(rows: list[Pull], args: Args) -> Pull | None:
    number, identity = args.get("pullRequestNumber"), args.get("pullRequestId")
    return next((pull for pull in rows if number == pull.number or identity == pull.node_id), None)


same("Commit", oid="sha")
of(
    "Commit",
    id=lambda _g, one, _: f"C_{one.repo.node_id}:{one.sha}",
    abbreviatedOid=lambda _g, one, _: one.sha[:7],
    url=lambda g, one, _: g.world.page(f"/{one.repo.full_name}/commit/{one.sha}"),
    statusCheckRollup=_rollup_of,
)
of("StatusCheckRollup", contexts=_contexts)
same("CheckRun", id="node_id", databaseId="id", detailsUrl="details_url", checkSuite="suite", externalId="external_id",
     url="details_url", permalink="details_url")  # fmt: skip
of(
    "CheckRun",
    status=lambda _g, one, _: one.status.upper(),
    conclusion=lambda _g, one, _: one.conclusion.upper() if one.conclusion else None,
    isRequired=_is_required,
    startedAt=at("started_at"),
    completedAt=at("completed_at"),
)


def _suite_status(_graph: Graph, one: Suite, _args: Args) -> str:
    return "IN_PROGRESS" if one.run is not None and one.run.status != "completed" else "COMPLETED"


same("CheckSuite", id="node_id", databaseId="id", workflowRun="run")
of(
    "CheckSuite",
    app=lambda g, one, _: {
        "kind": "App", "id": g.world.node_id("A", one.app_id), "databaseId": one.app_id, "slug": one.app_slug,
        "name": one.app_slug.replace("-", " ").title(),
    },
    status=_suite_status,
    conclusion=lambda _g, one, _: one.run.conclusion.upper() if one.run and one.run.conclusion else None,
    createdAt=at("created_at"),
)  # fmt: skip
same("WorkflowRun", id="node_id", databaseId="id", runNumber="number")
of("WorkflowRun", url=lambda g, one, _: g.world.page(f"/actions/runs/{one.id}"))
same("StatusContext", id="node_id", targetUrl="target_url")
of(
    "StatusContext",
    state=lambda _g, one, _: one.state.upper(),
    isRequired=_is_required,
    createdAt=at("created_at"),
    creator=lambda g, one, _: g.world.users.get(one.creator.lower()),
)

# The merge queue.

of("MergeQueue", entries=page("entries", lambda _g, one, _: [entry(pull) for pull in one["rows"]]))
