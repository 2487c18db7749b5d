"""Lists of issues: by query parameters, and by GitHub's search language."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol, TypeVar

from bot.demo.github.model import Issue
from bot.demo.github.refusals import Refused
from bot.demo.github.world import World


class _Dated(Protocol):
    updated_at: float


Row = TypeVar("Row", bound=_Dated)


def since(rows: Sequence[Row], query: Mapping[str, str]) -> list[Row]:
    """Updated at `since` or later."""
    if not query.get("since"):
        return list(rows)
    start = datetime.fromisoformat(query["since"]).timestamp()
    return [row for row in rows if row.updated_at >= start]


def filtered(issues: Iterable[Issue], query: Mapping[str, str], world: World) -> list[Issue]:
    """As `GET /repos/…/issues` asks."""
    state = query.get("state", "open")
    labels = {name.strip().lower() for name in query.get("labels", "").split(",") if name.strip()}
    rows = [one for one in issues if state in ("all", one.state)]
    rows = [one for one in rows if labels <= {label.name.lower() for label in one.labels}]
    if (who := query.get("assignee")) and who != "*":
        wanted = "" if who == "none" else who.lower()
        rows = [one for one in rows if wanted in {p.login.lower() for p in one.assignees} | _none(one)]
    if author := query.get("creator"):
        rows = [one for one in rows if one.author.login.lower() == author.lower()]
    key = {"updated": "updated_at"}.get(query.get("sort", ""), "created_at")
    rows.sort(key=lambda one: (getattr(one, key), one.number), reverse=query.get("direction") != "asc")
    return since(rows, query)


def _none(one: Issue) -> set[str]:
    return set() if one.assignees else {""}


def found(world: World, text: str) -> list[Issue]:
    """What the search language asks for. Raises `Refused` for a qualifier that the fake does not know."""
    try:
        parts = shlex.split(text)
    except ValueError:
        parts = text.split()
    rows = [one for repo in world.repositories.values() for one in repo.issues.values()]
    for part in parts:
        name, colon, value = part.partition(":")
        if not colon or "/" in name:
            rows = [one for one in rows if _words(part) in _words(f"{one.title}\n{one.body}")]
            continue
        no = name.startswith("-")
        rows = [one for one in rows if _matches(one, name.lstrip("-"), value.lower()) != no]
    return sorted(rows, key=lambda one: (one.created_at, one.number), reverse=True)


def _words(text: str) -> str:
    """What is searched and found: GitHub leaves out signs."""
    return " ".join(re.sub(r"[^\w\s]", " ", text.lower()).split())


def _matches(one: Issue, name: str, value: str) -> bool:
    pull = one.pull
    tests: dict[str, Callable[[], bool]] = {
        "repo": lambda: one.repo.full_name.lower() == value,
        "org": lambda: one.repo.owner.login.lower() == value,
        "user": lambda: one.repo.owner.login.lower() == value,
        "state": lambda: one.state == value,
        "is": lambda: _is(one, value),
        "type": lambda: _is(one, value),
        "label": lambda: value in {label.name.lower() for label in one.labels},
        "author": lambda: one.author.login.lower() == value,
        "assignee": lambda: value in {person.login.lower() for person in one.assignees},
        "head": lambda: pull is not None and pull.head_ref.lower() == value,
        "base": lambda: pull is not None and pull.base_ref.lower() == value,
        "in": lambda: True,
        "sort": lambda: True,
    }
    if name not in tests:
        raise Refused(501, f"The fake GitHub's search does not know {name}:")
    return tests[name]()


def _is(one: Issue, value: str) -> bool:
    if value in {"issue", "pr", "pull-request"}:
        return (one.pull is None) == (value == "issue")
    if value == "merged":
        return one.pull is not None and one.pull.merged_at is not None
    if value == "draft":
        return one.pull is not None and one.pull.draft
    return one.state == value
