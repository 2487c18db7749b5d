"""A pull request as GitHub's REST interface tells of it, as far as writing needs it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.domain.outside_text import one_line
from orchestrator.domain.pull_request import Checks, PullRequest, PullRequestState

OPEN = frozenset({PullRequestState.OPEN, PullRequestState.DRAFT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Pull:
    """One pull request, now."""

    number: int
    node: str
    """Its id in GraphQL."""
    url: str
    title: str
    body: str
    state: PullRequestState
    head: str
    branch: str
    base: str
    inside: bool
    """Its branch lies in the repository itself, not in a fork."""
    author: str
    merge_commit: str = ""

    @property
    def is_open(self) -> bool:
        """Neither merged nor closed."""
        return self.state in OPEN


def pull_of(data: Mapping[str, Any]) -> Pull:
    """From a row of a list or from a whole one: only `merged_at` is in both."""
    head, base = data["head"], data["base"]
    # A fork that was deleted has no repository any more.
    inside = head.get("repo") is not None and head["repo"]["id"] == base["repo"]["id"]
    if data.get("merged_at"):
        state = PullRequestState.MERGED
    elif data["state"] != "open":
        state = PullRequestState.CLOSED
    else:
        state = PullRequestState.DRAFT if data.get("draft") else PullRequestState.OPEN
    return Pull(
        number=int(data["number"]),
        node=str(data["node_id"]),
        url=str(data["html_url"]),
        title=one_line(str(data["title"])),
        body=str(data.get("body") or ""),
        state=state,
        head=str(head["sha"]),
        branch=str(head["ref"]),
        base=str(base["ref"]),
        inside=inside,
        author=str((data.get("user") or {}).get("login", "")),
        # Before the merge this is a commit by which GitHub tries it.
        merge_commit=str(data.get("merge_commit_sha") or "") if state is PullRequestState.MERGED else "",
    )


def shown(pull: Pull) -> PullRequest:
    """What is certain of it before anybody looked: nothing was said of its checks yet."""
    return PullRequest(
        number=pull.number,
        url=pull.url,
        title=pull.title,
        branch=pull.branch,
        base=pull.base,
        head=pull.head,
        state=pull.state,
        checks=Checks.PENDING if pull.is_open else Checks.NONE,
        merge_commit=pull.merge_commit,
        author=pull.author,
    )
