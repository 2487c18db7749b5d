"""How a pull request gets into its base on GitHub: merged at once, by the merge queue, or by native auto-merge."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.domain.ids import short_sha
from orchestrator.domain.outside_text import one_line
from orchestrator.domain.pull_request import PullRequestState
from orchestrator.errors import AoError, Conflict, NotAllowed, PermanentError, TemporaryError
from orchestrator.ports.scm import Merged, Queued
from plugins._shared.github import mutations as github_mutations
from plugins._shared.github.client import Answer, GitHub, message_of
from plugins._shared.github.forge import Forge
from plugins._shared.github.rest_pull import Pull

SETTLES_IN = 10.0
"""Seconds after which GitHub is asked again when the base moved under a merge, or nothing is worked out yet."""

_METHODS = {"squash": "squashMergeAllowed", "merge": "mergeCommitAllowed", "rebase": "rebaseMergeAllowed"}
_BASE_MOVED = re.compile(r"base branch was modified", re.IGNORECASE)
_HEAD_MOVED = re.compile(r"head branch was modified|expected head|head sha", re.IGNORECASE)
_QUEUE = re.compile(r"through the merge queue", re.IGNORECASE)
_METHOD = re.compile(
    r"merges? (?:commits )?are not allowed|is not allowed on this (?:repository|branch)", re.IGNORECASE
)
_WAITS = re.compile(
    r"required status check|approving review|code owner|is expected|in progress|are pending|are expected"
    r"|conversation must be resolved|deployment",
    re.IGNORECASE,
)
"""What time or a person brings; then auto-merge has something to wait for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be merged, and as whom."""

    pull: Pull
    head: str
    method: str
    title: str = ""
    hub: GitHub
    """As whoever merges."""
    auto: bool = False
    """GitHub may do it later by itself, where something is still missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """On what terms pull requests get into that base."""

    methods: tuple[str, ...]
    queue: bool
    auto: bool
    queued: str
    """Where it waits already, in words; empty: nowhere."""

    def method(self, wanted: str) -> str:
        """The wanted one, else one that the repository allows."""
        return wanted if wanted in self.methods or not self.methods else self.methods[0]


async def merge(forge: Forge, order: Order) -> Merged | Queued:
    """Merge it once. Asked again after a crash, the merge that happened is named."""
    pull = order.pull
    if pull.state is PullRequestState.MERGED:
        return _happened(order)
    if pull.state is not PullRequestState.OPEN:
        msg = f"#{pull.number} is {pull.state.value} and cannot be merged."
        raise PermanentError(msg)
    same_head(pull, order.head)
    terms = await _terms(forge, pull)
    if terms.queued:
        return Queued(words=terms.queued)
    if terms.queue:
        return await _enqueue(forge, order)
    answer = await _put(forge, order, terms.method(order.method))
    if answer.status == 405 and _QUEUE.search(message_of(answer)):
        return await _enqueue(forge, order)
    if answer.status == 405 and _METHOD.search(message_of(answer)):
        # A ruleset allows less than the repository's settings say.
        answer = await _another_method(forge, order, terms, answer)
    if answer.status == 200:
        forge.reached("merge-done")
        return Merged(commit=str(answer.data["sha"]), base=pull.base)
    return await _refused(forge, order, terms, answer)


def _happened(order: Order) -> Merged:
    pull = order.pull
    if pull.head != order.head:
        msg = f"#{pull.number} was merged at {short_sha(pull.head)}, not at {short_sha(order.head)}."
        raise Conflict(msg)
    return Merged(commit=pull.merge_commit, base=pull.base)


async def leave_queue(forge: Forge, pull: Pull) -> None:
    """Out of the merge queue, and auto-merge off. Repeatable."""
    if not pull.is_open:
        return
    found = await _facts(forge, pull)
    seen = found.get("pullRequest") or {}
    if seen.get("isInMergeQueue"):
        await forge.ask(github_mutations.DEQUEUE, {"id": pull.node})
    if seen.get("autoMergeRequest"):
        await forge.ask(github_mutations.NO_AUTO_MERGE, {"id": pull.node})


def same_head(pull: Pull, head: str) -> None:
    """Raises `Conflict` when the head is another one."""
    if pull.head != head:
        msg = f"#{pull.number} is at {short_sha(pull.head)} now, not at {short_sha(head)}."
        raise Conflict(msg, next_step="Look at what is new first.")


async def _facts(forge: Forge, pull: Pull) -> Mapping[str, Any]:
    owner, _, name = forge.project.repo.partition("/")
    said = await forge.ask(
        github_mutations.TERMS, {"owner": owner, "name": name, "number": pull.number, "base": pull.base}
    )
    found: Mapping[str, Any] = said.get("repository") or {}
    return found


async def _terms(forge: Forge, pull: Pull) -> Terms:
    try:
        found = await _facts(forge, pull)
    except PermanentError:
        # An older Enterprise Server knows no merge queue. What else it allows, its refusals tell.
        found = {}
    seen = found.get("pullRequest") or {}
    queued = ""
    if seen.get("isInMergeQueue"):
        queued = _in_queue(pull, seen.get("mergeQueueEntry"))
    elif seen.get("autoMergeRequest"):
        queued = _by_itself(pull)
    return Terms(
        methods=tuple(name for name, field in _METHODS.items() if found.get(field)),
        queue=found.get("mergeQueue") is not None,
        auto=bool(found.get("autoMergeAllowed")),
        queued=queued,
    )


async def _enqueue(forge: Forge, order: Order) -> Queued:
    try:
        said = await forge.ask(
            github_mutations.ENQUEUE, {"id": order.pull.node, "head": order.head}, order.hub
        )
    except AoError as error:
        raise _in_words(order, error.what, error) from error
    forge.reached("merge-queued")
    entry = (said.get("enqueuePullRequest") or {}).get("mergeQueueEntry")
    return Queued(words=_in_queue(order.pull, entry))


async def _put(forge: Forge, order: Order, method: str) -> Answer:
    body: dict[str, Any] = {"sha": order.head, "merge_method": method}
    if order.title and method == "squash":
        body["commit_title"] = f"{one_line(order.title, 180)} (#{order.pull.number})"
    path = f"{forge.path}/pulls/{order.pull.number}/merge"
    return await order.hub.attempt("PUT", path, body)


async def _another_method(forge: Forge, order: Order, terms: Terms, answer: Answer) -> Answer:
    for method in terms.methods:
        if method != terms.method(order.method):
            answer = await _put(forge, order, method)
            if answer.status != 405 or not _METHOD.search(message_of(answer)):
                break
    return answer


async def _refused(forge: Forge, order: Order, terms: Terms, answer: Answer) -> Merged | Queued:
    """What GitHub's refusal means: done already, later by itself, or an error in words."""
    said = message_of(answer)
    if answer.status == 405 and order.auto and terms.auto and _WAITS.search(said):
        variables = {"id": order.pull.node, "head": order.head, "method": terms.method(order.method).upper()}
        await forge.ask(github_mutations.AUTO_MERGE, variables, order.hub)
        forge.reached("merge-queued")
        return Queued(words=f"{_by_itself(order.pull)} ({said})")
    if answer.status in {403, 404}:
        msg = f"#{order.pull.number} is not merged: {forge.hub.host} says: {said}"
        raise NotAllowed(
            msg, next_step="Whoever merges needs the right to write there; `ao github doctor` says more."
        )
    if answer.status == 409:
        raise Conflict(_moved(order))
    # A merge that a crash hid from us, or another person's: the pull request tells.
    now = await forge.pull(order.pull.number)
    if now.state is PullRequestState.MERGED and now.head == order.head:
        return Merged(commit=now.merge_commit, base=now.base)
    same_head(now, order.head)
    raise _in_words(order, said, None)


def _in_words(order: Order, said: str, error: AoError | None) -> AoError:
    if isinstance(error, TemporaryError | NotAllowed):
        return error
    number, base = order.pull.number, order.pull.base
    if _BASE_MOVED.search(said):
        msg = f"{base} moved while #{number} was being merged."
        return TemporaryError(msg, delay=SETTLES_IN)
    if _HEAD_MOVED.search(said):
        return Conflict(_moved(order))
    if said.strip().rstrip(".") == "Pull Request is not mergeable":
        msg = f"#{number} conflicts with {base}, or a rule of the repository forbids the merge."
        return Conflict(msg, next_step="Its page on GitHub says which.")
    msg = f"GitHub does not merge #{number} into {base}: {one_line(said, 300)}"
    return PermanentError(msg)


def _moved(order: Order) -> str:
    return f"#{order.pull.number} is not at {short_sha(order.head)} any more."


def _in_queue(pull: Pull, entry: Mapping[str, Any] | None) -> str:
    place = f", place {entry['position']}" if entry and entry.get("position") else ""
    return f"in the merge queue of {pull.base}{place}"


def _by_itself(pull: Pull) -> str:
    return f"GitHub merges it into {pull.base} once what its rules ask for is there"
