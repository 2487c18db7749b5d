"""The label that hands an issue to an agent: which issues bear it, and whether who set it may.

Labels also come from issue templates, in the name of whoever opens the issue, and from bots. So the issue's own
events say who set the label, and that person's permission on the repository decides, not their part in the issue.
An empty queue costs no points: the list is asked for conditionally (docs.github.com: a 304 counts for nothing).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from orchestrator.domain.outside_text import one_line
from orchestrator.errors import NotFound
from orchestrator.ports.tracker import Queued
from plugins._shared.github.client import PER_PAGE, Json
from plugins._shared.github.issue_reads import BATCH, Repo
from plugins._shared.github.issues import Reader, bot_name, has, login_of, marks_document, seconds

PAGES = 10
"""Pages of a hundred that are looked at: outsiders must not fill the first."""
LASTS = 300.0
"""Seconds after which what is known of who waits is asked anew: rights change without a trace in the issue."""
_WRITES = frozenset({"admin", "write"})
_ROLES = frozenset({"admin", "maintain", "write", "triage"})


@dataclass(slots=True)
class _Page:
    etag: str
    numbers: list[int]
    more: bool


@dataclass(slots=True)
class _Known:
    """What was found out for the pages as they were at `at`."""

    pages: list[_Page] = field(default_factory=list)
    queued: tuple[Queued, ...] = ()
    at: float = 0.0


class LabelQueue:
    """Asks for what is marked with `agent:go`, or however the configuration calls it."""

    def __init__(self, reader: Reader, now: Callable[[], float]) -> None:
        self._reader = reader
        self._now = now
        self._known: dict[str, _Known] = {}

    async def waiting(self, repo: Repo) -> Sequence[Queued]:
        """Marked issues, oldest mark first. Raises `TemporaryError`, `NotAllowed`."""
        if repo.written not in self._known:
            await repo.resolve()
        known = self._known.get(repo.written, _Known())
        pages, changed = await self._pages(repo, known.pages)
        numbers = [number for page in pages for number in page.numbers]
        young = 0 <= self._now() - known.at < LASTS
        if changed or (numbers and not young):
            queued = await self._asked(repo, numbers)
            # Only now: the etags stand for these facts.
            known = self._known[repo.written] = _Known(pages, queued, self._now())
        return known.queued

    async def _pages(self, repo: Repo, before: Sequence[_Page]) -> tuple[list[_Page], bool]:
        pages: list[_Page] = []
        changed = not before
        while len(pages) < PAGES and (not pages or pages[-1].more):
            last = before[len(pages)] if len(pages) < len(before) else None
            page = await self._page(repo, len(pages) + 1, last)
            changed = changed or page is not last
            pages.append(page)
        return pages, changed or len(pages) != len(before)

    async def _page(self, repo: Repo, number: int, last: _Page | None) -> _Page:
        query: dict[str, str | int] = {
            "labels": self._reader.labels.go,
            "state": "open",
            "sort": "created",
            "direction": "asc",
            "per_page": PER_PAGE,
            "page": number,
        }
        answer = await repo.hub.rest("GET", repo.path("issues"), query=query, etag=last.etag if last else "")
        if last is not None and not answer.fresh:
            return last
        if answer.data and _is_elsewhere(repo, answer.data[0]):
            await repo.resolve()
            answer = await repo.hub.rest("GET", repo.path("issues"), query=query)
        rows = [row for row in answer.data if self._is_marked(row)]
        return _Page(
            etag=answer.etag,
            numbers=[int(row["number"]) for row in rows],
            more='rel="next"' in answer.headers.get("link", ""),
        )

    def _is_marked(self, row: Json) -> bool:
        """Asked again here: whatever is in the list would be handed to an agent."""
        labels = [label["name"] for label in row["labels"]]
        return "pull_request" not in row and row["state"] == "open" and has(labels, self._reader.labels.go)

    async def _asked(self, repo: Repo, numbers: Sequence[int]) -> tuple[Queued, ...]:
        found: list[tuple[float, Queued]] = []
        rights: dict[str, str] = {}
        for start in range(0, len(numbers), BATCH):
            batch = numbers[start : start + BATCH]
            facts = repo.facts(await repo.hub.graphql(marks_document(batch), repo.variables))
            nodes = [node for node in (facts.get(f"i{number}") for number in batch) if node]
            found += [await self._queued(repo, node, rights) for node in nodes if node["state"] == "OPEN"]
        found.sort(key=lambda row: row[0])
        return tuple(queued for _, queued in found)

    async def _queued(self, repo: Repo, node: Json, rights: dict[str, str]) -> tuple[float, Queued]:
        go = self._reader.labels.go
        rows = (row for row in node["timelineItems"]["nodes"] if row["__typename"] == "LabeledEvent")
        marks = [row for row in rows if row["label"] and has([row["label"]["name"]], go)]
        # They come in their order; times alone would not tell two of one second apart.
        mark = marks[-1] if marks else None
        if mark is None or not mark["actor"]:
            who, why = "somebody", "GitHub does not say who set it"
        else:
            who = login_of(mark["actor"])
            if who not in rights:
                rights[who] = await self._refused(repo, mark["actor"])
            why = rights[who]
        queued = Queued(
            issue=self._reader.issue(node),
            by=one_line(who, 60),
            member=not why,
            label=go,
            mark=str(mark["id"]) if mark else "",
            reason=why,
        )
        return (seconds(mark["createdAt"]) if mark else 0.0, queued)

    async def _refused(self, repo: Repo, actor: Json) -> str:
        """Why somebody may not hand out work here; empty if they may."""
        who, kind = login_of(actor), actor["__typename"]
        if kind == "Bot":
            known = bot_name(who) in self._reader.bots
            return "" if known else f"{who} is a bot that `trustedBots` does not name"
        if kind != "User":
            return f"{who} is no person's account"
        try:
            answer = await repo.hub.rest("GET", repo.path("collaborators", who, "permission"))
        except NotFound:
            return f"{who} has no rights in {repo.now}"
        allowed = (answer.data.get("user") or {}).get("permissions") or {}
        may = (
            answer.data.get("permission") in _WRITES
            or answer.data.get("role_name") in _ROLES
            or bool(allowed.get("triage"))
        )
        return "" if may else f"{who} may only read {repo.now}"


def _is_elsewhere(repo: Repo, row: Json) -> bool:
    """The repository was renamed: a call to its former name is carried on, and loses its query."""
    return not str(row["repository_url"]).lower().endswith(f"/repos/{repo.now.lower()}")
