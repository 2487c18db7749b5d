"""Answers of GitHub's GraphQL for tests of what is made of them."""

from __future__ import annotations

from typing import Any

HEAD = "a" * 40
OLD = "b" * 40
Node = dict[str, Any]


Author = str | Node | None


def actor(login: str, kind: str = "User") -> Node:
    return {"login": login, "__typename": kind}


def bot(login: str) -> Node:
    return actor(login, "Bot")


def _author(who: Author) -> Node | None:
    return actor(who) if isinstance(who, str) else who


def run(name: str, conclusion: str | None = "SUCCESS", **more: Any) -> Node:
    """A check run; `conclusion` None: it has not ended."""
    workflow, event = more.pop("workflow", "CI"), more.pop("event", "pull_request")
    app = more.pop("app", "github-actions")
    return {
        "__typename": "CheckRun",
        "databaseId": 1,
        "name": name,
        "status": "COMPLETED" if conclusion else "IN_PROGRESS",
        "conclusion": conclusion,
        "url": f"https://github.com/o/r/runs/{name}",
        "startedAt": "2026-01-01T10:00:00Z",
        "isRequired": False,
        "checkSuite": {
            "app": {"slug": app, "name": app},
            "workflowRun": {"event": event, "workflow": {"name": workflow}} if workflow else None,
        },
        **more,
    }


def status(context: str, state: str = "SUCCESS", **more: Any) -> Node:
    return {
        "__typename": "StatusContext",
        "context": context,
        "state": state,
        "description": "",
        "targetUrl": "https://ci.example.org/1",
        "createdAt": "2026-01-01T10:00:00Z",
        "isRequired": False,
        **more,
    }


def review(author: Author, state: str, *, head: str = HEAD, at: int = 1, **more: Any) -> Node:
    return {
        "id": f"R_{at}_{state}",
        "state": state,
        "body": "",
        "submittedAt": f"2026-01-01T11:00:{at:02d}Z",
        "url": "https://github.com/o/r/pull/7#review",
        "viewerDidAuthor": False,
        "authorAssociation": "MEMBER",
        "author": _author(author),
        "commit": {"oid": head},
        **more,
    }


def remark(author: Author, body: str, *, id: str = "IC_1", **more: Any) -> Node:  # noqa: A002
    return {
        "id": id,
        "body": body,
        "createdAt": "2026-01-01T12:00:00Z",
        "url": "https://github.com/o/r/pull/7#comment",
        "isMinimized": False,
        "viewerDidAuthor": False,
        "authorAssociation": "MEMBER",
        "author": _author(author),
        **more,
    }


def thread(id: str = "T_1", *, resolved: bool = False, **more: Any) -> Node:  # noqa: A002
    return {"id": id, "isResolved": resolved, "path": "src/a.py", "line": 4, "originalLine": 3, **more}


def pull(**more: Any) -> Node:
    return {
        "number": 7,
        "url": "https://github.com/o/r/pull/7",
        "title": "Add a file",
        "state": "OPEN",
        "isDraft": False,
        "createdAt": "2026-01-01T09:00:00Z",
        "updatedAt": "2026-01-01T09:30:00Z",
        "headRefName": "feat/issue-7",
        "headRefOid": HEAD,
        "isCrossRepository": False,
        "baseRefName": "main",
        "baseRef": {"target": {"oid": "c" * 40}, "refUpdateRule": None},
        "mergeable": "MERGEABLE",
        "mergeStateStatus": "CLEAN",
        "reviewDecision": None,
        "isInMergeQueue": False,
        "autoMergeRequest": None,
        "mergeCommit": None,
        "author": actor("ao-bot"),
        "additions": 3,
        "deletions": 1,
        "changedFiles": 2,
        "reviewRequests": {"nodes": []},
        "comments": {"nodes": []},
        "commits": {"nodes": [{"commit": {"oid": HEAD, "committedDate": "2026-01-01T09:20:00Z"}}]},
        **more,
    }
