"""Check runs and commit statuses of one head as the fleet knows them. Pure.

One name can stand for several: runs again, the same job in two workflows or for two events, a status
beside a check. The newest of each counts, and names that are still the same are told apart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from orchestrator.domain.pull_request import CheckRun, CheckState
from orchestrator.domain.when import clock
from plugins._shared.github.mark import APPROVAL
from plugins._shared.github.words import Node, label, moment, node, text, whole

LONG = 3600.0
"""Seconds after which a check that still runs is named to people."""

# GraphQL's CheckConclusionState and StatusState. What it has not said yet, or says newly, is no pass.
_CONCLUSIONS = {
    "SUCCESS": CheckState.PASSED,
    "NEUTRAL": CheckState.SKIPPED,
    "SKIPPED": CheckState.SKIPPED,
    "STALE": CheckState.SKIPPED,
}
_STATUSES = {
    "SUCCESS": CheckState.PASSED,
    "FAILURE": CheckState.FAILED,
    "ERROR": CheckState.FAILED,
}
_WAITING = (CheckState.PENDING, CheckState.RUNNING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check, the newest of its key."""

    name: str
    state: CheckState
    required: bool = False
    url: str = ""
    app: str = ""
    workflow: str = ""
    event: str = ""
    id: int = 0
    """The check run's number; for GitHub Actions the job's too. 0 for a status."""
    actions: bool = False
    words: str = ""
    """A status' own description, or what kind of failure it was."""
    began: float = 0.0
    ended: float = 0.0

    @property
    def key(self) -> tuple[str, ...]:
        """What a newer run replaces."""
        return (self.app, self.workflow, self.event, self.name)


def checks(contexts: Iterable[Node]) -> tuple[Check, ...]:
    """The newest of each key, in the order of GitHub's list."""
    newest: dict[tuple[str, ...], Check] = {}
    for row in contexts:
        one = _run(row) if row.get("__typename") == "CheckRun" else _status(row)
        known = newest.get(one.key)
        if one.name != APPROVAL and (known is None or (one.began, one.id) >= (known.began, known.id)):
            newest[one.key] = one
    return tuple(newest.values())


def _run(row: Node) -> Check:
    suite = node(row.get("checkSuite"))
    run = node(suite.get("workflowRun"))
    app = text(node(suite.get("app")).get("slug"))
    conclusion = text(row.get("conclusion"))
    return Check(
        name=label(row.get("name")) or "check",
        state=_state(text(row.get("status")), conclusion),
        required=row.get("isRequired") is True,
        url=text(row.get("url")) or text(row.get("detailsUrl")),
        app=label(app),
        workflow=label(node(run.get("workflow")).get("name")),
        event=label(run.get("event")),
        id=whole(row.get("databaseId")),
        actions=app == "github-actions",
        words="" if conclusion in {"", "FAILURE", "SUCCESS"} else conclusion.lower().replace("_", " "),
        began=moment(row.get("startedAt")),
        ended=moment(row.get("completedAt")),
    )


def _state(status: str, conclusion: str) -> CheckState:
    if status != "COMPLETED":
        return CheckState.RUNNING if status == "IN_PROGRESS" else CheckState.PENDING
    return _CONCLUSIONS.get(conclusion, CheckState.FAILED)


def _status(row: Node) -> Check:
    return Check(
        name=label(row.get("context")) or "status",
        state=_STATUSES.get(text(row.get("state")), CheckState.PENDING),
        required=row.get("isRequired") is True,
        url=text(row.get("targetUrl")),
        app="a status",
        words=label(row.get("description"), 300),
        began=moment(row.get("createdAt")),
    )


def with_missing(found: Sequence[Check], required: Collection[str]) -> tuple[Check, ...]:
    """The checks, and those that the branch's rules require and that have not reported."""
    there = {check.name for check in found}
    known = (replace(check, required=check.required or check.name in required) for check in found)
    missing = sorted(label(name) for name in required if label(name) not in there and name != APPROVAL)
    waiting = (
        Check(name=name, state=CheckState.PENDING, required=True, words="it has not reported")
        for name in missing
    )
    return (*known, *waiting)


def unread(found: Sequence[Check], tails: Mapping[int, str | None]) -> tuple[Check, ...]:
    """Those that failed and whose lines are not there yet as if they still ran."""
    waits = {number for number, tail in tails.items() if tail is None}
    return tuple(
        replace(one, state=CheckState.RUNNING) if one.id in waits and one.state is CheckState.FAILED else one
        for one in found
    )


def shown(found: Sequence[Check], tails: Mapping[int, str | None] | None = None) -> tuple[CheckRun, ...]:
    """As the fleet knows them. `tails`: failing lines by the check run's number."""
    any_required = any(check.required for check in found)
    rows = zip(_names(found), found, strict=True)
    return tuple(
        CheckRun(
            name=name,
            state=check.state,
            url=check.url,
            tail=_tail(check, tails or {}) if check.state is CheckState.FAILED else "",
            optional=any_required and not check.required,
        )
        for name, check in rows
    )


def _tail(check: Check, tails: Mapping[int, str | None]) -> str:
    tail = tails.get(check.id, "") if check.id else ""
    return "\n".join(filter(None, (f"[{check.words}]" if check.words else "", tail)))


def _names(found: Sequence[Check]) -> list[str]:
    """A name of its own for each: `test`, where that is taken `CI / test`, then `CI / test (push)`."""
    plain = [check.name for check in found]
    longer = [f"{check.workflow} / {check.name}" if check.workflow else check.name for check in found]
    full = [
        f"{name} ({check.event or check.app or check.id})" for name, check in zip(longer, found, strict=True)
    ]
    named = _apart(plain, longer)
    named = [f if Counter(named)[n] > 1 else n for n, f in zip(named, full, strict=True)]
    counts = Counter(named)
    at: Counter[str] = Counter()
    result = []
    for name in named:
        at[name] += 1
        result.append(f"{name} #{at[name]}" if counts[name] > 1 else name)
    return result


def _apart(names: Sequence[str], longer: Sequence[str]) -> list[str]:
    counts = Counter(names)
    return [more if counts[name] > 1 else name for name, more in zip(names, longer, strict=True)]


def blockers(found: Sequence[Check], now: float) -> tuple[str, ...]:
    """What is waited for longer than people expect, in words that do not change by the minute."""
    counting = [check for check in found if check.required] or list(found)
    words = []
    for check in counting:
        if check.state not in _WAITING:
            continue
        if check.required and not check.began and check.words:
            words.append(f"the required check {check.name} has not reported")
        elif check.began and now - check.began >= LONG:
            words.append(f"the check {check.name} waits since {clock(check.began, now)}")
    return tuple(words)


def failed(found: Iterable[Check]) -> tuple[Check, ...]:
    """Those that failed, the required ones first."""
    rows = [check for check in found if check.state is CheckState.FAILED]
    return tuple(sorted(rows, key=lambda check: not check.required))
