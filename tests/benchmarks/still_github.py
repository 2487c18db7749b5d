"""A GitHub of numbers alone, over simulated time: pull requests by formula, points as GitHub counts them.

Everything but the wire is real: queries, budget, pace, mapping. Of the sessions some are active: a push
every half an hour, checks that run for six minutes, a comment in between. The others wait for people.
"""

from __future__ import annotations

import email.utils
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any

from graphql import parse
from typing_extensions import override

from bot.demo.github.graph_paging import Cost
from plugins._shared.github.client import GitHub

PUSH_EVERY = 1800.0
CHECKS_RUN = 360.0
COMMENT_AFTER = 900.0
WORKED_OUT_AFTER = 5.0
CHECKS = 3
START = 1_800_000_000.0
LIMIT = 5000


@cache
def points(document: str) -> int:
    return Cost(parse(document), {}).points


def iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(slots=True)
class World:
    """What GitHub shows at a time."""

    sessions: int
    active: int
    """The first so many."""

    def pushed_at(self, number: int, now: float) -> float:
        """When the newest push came; each session has its own beat."""
        if number > self.active:
            return START - 86_400.0
        phase = (number * 977) % PUSH_EVERY
        return START - PUSH_EVERY + phase + (now - START + PUSH_EVERY - phase) // PUSH_EVERY * PUSH_EVERY

    def pull(self, number: int, now: float) -> dict[str, Any]:
        pushed = self.pushed_at(number, now)
        runs = now - pushed < CHECKS_RUN
        commented = number <= self.active and now - pushed >= COMMENT_AFTER
        head = hashlib.sha256(f"{number} {pushed}".encode()).hexdigest()[:40]
        worked_out = now - pushed >= WORKED_OUT_AFTER
        contexts = {"nodes": [_run(n, done=not runs, at=pushed) for n in range(CHECKS)], "pageInfo": {}}
        commit: dict[str, Any] = {"oid": head, "committedDate": iso(pushed)}
        commit["statusCheckRollup"] = {"state": "PENDING" if runs else "SUCCESS", "contexts": contexts}
        return {
            "number": number,
            "url": f"https://github.com/o/r/pull/{number}",
            "title": f"Issue {number}",
            "state": "OPEN",
            "isDraft": False,
            "updatedAt": iso(pushed + COMMENT_AFTER if commented else pushed),
            "headRefName": f"feat/issue-{number}",
            "headRefOid": head,
            "isCrossRepository": False,
            "baseRefName": "main",
            "baseRef": {"target": {"oid": "c" * 40}, "refUpdateRule": None},
            "mergeable": "MERGEABLE" if worked_out else "UNKNOWN",
            "mergeStateStatus": "BLOCKED" if worked_out else "UNKNOWN",
            "reviewDecision": "REVIEW_REQUIRED",
            "isInMergeQueue": False,
            "autoMergeRequest": None,
            "author": {"login": "ao", "__typename": "User"},
            "additions": 1,
            "deletions": 1,
            "changedFiles": 1,
            "commits": {"nodes": [{"commit": commit}]},
        }

    def deliveries(self, since: float, until: float) -> Iterator[tuple[int, bool]]:
        """Sessions that webhooks tell of in a time, once for each delivery, and whether it is mere progress of checks."""
        for number in range(1, self.active + 1):
            pushed = self.pushed_at(number, until)
            progress = [pushed + 1, *(pushed + 10.0 * n for n in range(1, CHECKS + 1))]
            times = [pushed, pushed + CHECKS_RUN, pushed + COMMENT_AFTER]
            times += [pushed + CHECKS_RUN - 60.0 * n for n in range(CHECKS)]
            yield from ((number, True) for at in progress if since < at <= until)
            yield from ((number, False) for at in times if since < at <= until)


def _run(number: int, *, done: bool, at: float) -> dict[str, Any]:
    return {
        "__typename": "CheckRun",
        "databaseId": number + 1,
        "name": f"check {number}",
        "status": "COMPLETED" if done else "IN_PROGRESS",
        "conclusion": "SUCCESS" if done else None,
        "startedAt": iso(at),
        "isRequired": True,
        "checkSuite": {"app": {"slug": "github-actions"}, "workflowRun": {"event": "push", "workflow": {"name": "CI"}}},
    }  # fmt: skip


@dataclass(slots=True)
class Wire:
    """Stands where PyGithub's requester does."""

    world: World
    now: Callable[[], float]
    used: dict[str, int] = field(default_factory=lambda: {"graphql": 0, "core": 0})
    points: int = 0
    calls: int = 0
    refused: int = 0
    by_query: Counter[str] = field(default_factory=Counter)
    _hour: int = -1
    graphql_url: str = "/graphql"

    def requestJson(  # noqa: N802 - PyGithub's name
        self, verb: str, path: str, *_: Any
    ) -> tuple[int, dict[str, str], str]:
        body = _[2]
        self.calls += 1
        if verb == "POST":
            cost = points(body["query"])
            headers = self._take("graphql", cost)
            if headers is None:
                return (
                    200,
                    {"content-type": "application/json"},
                    json.dumps({"errors": [{"type": "RATE_LIMITED"}]}),
                )
            self.points += cost
            self.by_query[body["query"].partition("(")[0]] += cost
            return 200, headers, json.dumps({"data": self._facts(body["variables"], cost)})
        unchanged = bool(_[1].get("If-None-Match"))
        headers = self._take("core", 0 if unchanged else 1) or {}
        return 304 if unchanged else 200, {**headers, "etag": '"1"'}, "" if unchanged else "[]"

    def _facts(self, variables: Mapping[str, Any], cost: int) -> dict[str, Any]:
        now = self.now()
        numbers = {name[1:]: value for name, value in variables.items() if name.startswith("n")}
        facts: dict[str, Any] = {
            f"p{at}": {"nameWithOwner": "o/r", "pullRequest": self.world.pull(number, now)}
            for at, number in numbers.items()
        }
        return {**facts, "rateLimit": {"cost": cost}}

    def _take(self, name: str, cost: int) -> dict[str, str] | None:
        now = self.now()
        hour = int((now - START) // 3600)
        if hour != self._hour:
            self._hour, self.used = hour, {"graphql": 0, "core": 0}
        if self.used[name] + cost > LIMIT:
            self.refused += 1
            return None
        self.used[name] += cost
        return {
            "content-type": "application/json",
            "date": email.utils.formatdate(now, usegmt=True),
            "x-ratelimit-limit": str(LIMIT),
            "x-ratelimit-remaining": str(LIMIT - self.used[name]),
            "x-ratelimit-reset": str(int(START + (hour + 1) * 3600)),
            "x-ratelimit-resource": name,
        }


class StillGitHub(GitHub):
    """The client, over the wire of numbers."""

    def __init__(self, wire: Wire, identity: Any) -> None:
        super().__init__("https://api.github.com", identity, now=wire.now)
        self.wire = wire

    @override
    async def _open(self) -> Any:
        return self.wire

    @override
    async def _call(self, what: str, call: Callable[[], Any]) -> Any:
        return call()
