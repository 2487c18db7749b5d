"""Mutations of the GraphQL API."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from bot.demo.github import merging, pulls, reviews
from bot.demo.github.graph_fields import Args, Graph, of
from bot.demo.github.graph_paging import FORBIDDEN, NOT_FOUND, RATE_LIMITED, UNPROCESSABLE, error
from bot.demo.github.graph_pulls import entry
from bot.demo.github.model import Pull, Thread, User
from bot.demo.github.refusals import Json, Refused

T = TypeVar("T")
_WRITERS = {"write", "maintain", "admin"}


def _node(graph: Graph, identity: str, kind: type[T]) -> T:
    found = graph.world.nodes.get(identity)
    if not isinstance(found, kind):
        raise error(NOT_FOUND, f"Could not resolve to a node with the global id of '{identity}'")
    return found


def _actor(graph: Graph, pull: Pull, *, author_may: bool = True, permission: str = "pull_requests") -> User:
    """Who may write here. Raises GitHub's errors."""
    if not graph.access.sees(graph.who, pull.repo):
        raise error(NOT_FOUND, f"Could not resolve to a node with the global id of '{pull.node_id}'")
    graph.needs(pull.repo, permission, "write")
    user = graph.who.user
    may = graph.who.is_installation or pull.repo.role_of(user) in _WRITERS
    if user is None or not (may or (author_may and user is pull.issue.author)):
        name = user.login if user else "anonymous"
        raise error(FORBIDDEN, f"{name} does not have the correct permissions to execute this mutation")
    return user


def _pull(graph: Graph, given: Json) -> Pull:
    return _node(graph, given["pullRequestId"], Pull)


def _resolve(graph: Graph, _: object, args: Args) -> Json:
    return _set_resolved(graph, args["input"], resolved=True)


def _unresolve(graph: Graph, _: object, args: Args) -> Json:
    return _set_resolved(graph, args["input"], resolved=False)


def _set_resolved(graph: Graph, given: Json, *, resolved: bool) -> Json:
    thread = _node(graph, given["threadId"], Thread)
    user = _actor(graph, thread.pull)
    reviews.set_resolved(graph.world, thread, user, resolved=resolved)
    return _done(given, thread=thread)


def _done(given: Json, **fields: object) -> Json:
    return {"clientMutationId": given.get("clientMutationId"), **fields}


def _reply(graph: Graph, _: object, args: Args) -> Json:
    given = args["input"]
    thread = _node(graph, given["pullRequestReviewThreadId"], Thread)
    graph.needs(thread.pull.repo, "pull_requests", "write")
    if graph.who.user is None or not graph.access.sees(graph.who, thread.pull.repo):
        raise error(NOT_FOUND, "Could not resolve to a node")
    if not given["body"].strip():
        raise error(UNPROCESSABLE, "Body can't be blank")
    _count(graph)
    comment = reviews.answer(graph.world, thread, graph.who.user, given["body"])
    return _done(given, comment=comment)


def _count(graph: Graph) -> None:
    try:
        graph.limits.made_content(graph.who.key)
    except Refused as refused:
        raise error(RATE_LIMITED, refused.message) from refused


def _ready(graph: Graph, _: object, args: Args) -> Json:
    pull = _pull(graph, args["input"])
    pulls.set_draft(graph.world, pull, _actor(graph, pull), draft=False)
    return _done(args["input"], pullRequest=pull)


def _draft(graph: Graph, _: object, args: Args) -> Json:
    pull = _pull(graph, args["input"])
    pulls.set_draft(graph.world, pull, _actor(graph, pull), draft=True)
    return _done(args["input"], pullRequest=pull)


def _enable_auto(graph: Graph, _: object, args: Args) -> Json:
    given = args["input"]
    pull = _pull(graph, given)
    user = _actor(graph, pull, author_may=False)
    _expected(given.get("expectedHeadOid"), pull)
    method = (given.get("mergeMethod") or "MERGE").lower()
    _unprocessable(lambda: merging.enable_auto(graph.world, pull, user, method))
    if pull.auto_merge is not None:
        pull.auto_merge.title, pull.auto_merge.message = given.get("commitHeadline"), given.get("commitBody")
    return _done(given, pullRequest=pull, actor=user)


def _disable_auto(graph: Graph, _: object, args: Args) -> Json:
    pull = _pull(graph, args["input"])
    user = _actor(graph, pull)
    if pull.auto_merge is None:
        raise error(UNPROCESSABLE, "Can't disable auto-merge for this pull request.")
    merging.disable_auto(graph.world, pull, user)
    return _done(args["input"], pullRequest=pull, actor=user)


def _enqueue(graph: Graph, _: object, args: Args) -> Json:
    given = args["input"]
    pull = _pull(graph, given)
    user = _actor(graph, pull, author_may=False)
    _expected(given.get("expectedHeadOid"), pull)
    _unprocessable(lambda: merging.enqueue(graph.world, pull, user, jump=bool(given.get("jump"))))
    return _done(given, mergeQueueEntry=entry(pull))


def _dequeue(graph: Graph, _: object, args: Args) -> Json:
    given = args["input"]
    pull = _node(graph, given["id"], Pull)
    user = _actor(graph, pull)
    before = entry(pull)
    if before is None:
        raise error(UNPROCESSABLE, "Pull request is not in the merge queue")
    pulls.leave_queue(graph.world, pull, user)
    return _done(given, mergeQueueEntry=before)


def _expected(sha: str | None, pull: Pull) -> None:
    if sha is not None and sha != pull.head_sha:
        raise error(UNPROCESSABLE, "Head sha does not match the expected head sha")


def _unprocessable(do: Callable[[], None]) -> None:
    try:
        do()
    except Refused as refused:
        raise error(UNPROCESSABLE, refused.message) from refused


of(
    "Mutation",
    resolveReviewThread=_resolve,
    unresolveReviewThread=_unresolve,
    addPullRequestReviewThreadReply=_reply,
    markPullRequestReadyForReview=_ready,
    convertPullRequestToDraft=_draft,
    enablePullRequestAutoMerge=_enable_auto,
    disablePullRequestAutoMerge=_disable_auto,
    enqueuePullRequest=_enqueue,
    dequeuePullRequest=_dequeue,
)
