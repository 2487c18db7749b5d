"""Looks at GitHub's issues: many by number in one query, and the open ones with a small memory of them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from orchestrator.domain.issue import Issue
from orchestrator.domain.look import Look, Seen, Unseen
from orchestrator.domain.outside_text import clean, one_line
from orchestrator.errors import AoError, NotAllowed, NotFound, TemporaryError
from plugins._shared.github.client import PER_PAGE, GitHub, Json, Said
from plugins._shared.github.issues import (
    FOUND_ISSUES,
    OPEN_ISSUES,
    REPOSITORY,
    Reader,
    errors_of,
    issues_document,
    search_query,
)

BATCH = 50
"""Issues in one query."""
MOST_OPEN = 1_000
"""Open issues that are ever listed."""
CHECKED = 10
"""Numbers of one query that GitHub does not have and that are asked for once more: were they moved?"""
FRESH = 5.0
"""Seconds in which the open issues are not asked for again: completion asks at every key."""
LASTS = 600.0
"""Seconds after which they are read anew although nothing seems to have changed."""
_Found = Issue | AoError | None
"""An issue, why it cannot be had, or that there is none."""
_NUMBER = re.compile(r"[1-9][0-9]{0,8}")


@dataclass(slots=True)
class Repo:
    """A project's repository: how we reach it, and what it is called since it was renamed."""

    hub: GitHub
    written: str
    """`owner/name` as the configuration has it."""
    now: str
    """As GitHub calls it; an old name only redirects, and a redirected call loses its query."""

    @property
    def variables(self) -> dict[str, Json]:
        """For a GraphQL query of it."""
        owner, _, name = self.now.partition("/")
        return {"owner": owner, "name": name}

    def path(self, *parts: str | int) -> str:
        """An address of the REST interface beneath it."""
        return "/".join(("/repos", self.now, *(quote(str(part), safe="") for part in parts)))

    def facts(self, said: Said) -> Json:
        """The repository's part of an answer. Raises why there is none."""
        facts = said.data.get("repository")
        if facts is not None:
            self.now = str(facts["nameWithOwner"])
            return facts
        error = errors_of(said.errors, "repository") or {}
        if error.get("type") == "NOT_FOUND":
            raise self.unseen()
        words = one_line(str(error.get("message", "it gave no reason")), 200)
        msg = f"{self.hub.host} says nothing of {self.written}: {words}"
        raise TemporaryError(msg)

    async def resolve(self) -> None:
        """Learn what it is called now. Raises `NotAllowed`, `TemporaryError`."""
        self.facts(await self.hub.graphql(REPOSITORY, self.variables))

    def unseen(self) -> NotAllowed:
        """GitHub tells nobody whether it is not there or not to be seen."""
        msg = f"{self.hub.host} has no repository {self.written} that our account may see."
        return NotAllowed(
            msg, next_step="See that `repo` is right; `ao github doctor` says what we may do there."
        )


class IssueLooks:
    """Issues by their numbers."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def look(self, repo: Repo, refs: Collection[str]) -> dict[str, Look[Issue | None]]:
        """Each issue, or why it was not seen; None only where GitHub says that it has none."""
        found = await self._found(repo, refs)
        return {
            ref: Unseen(one.what) if isinstance(one, AoError) else Seen(one) for ref, one in found.items()
        }

    async def one(self, repo: Repo, ref: str) -> Issue:
        """An issue that must be there. Raises `NotFound`, `NotAllowed`, `TemporaryError`."""
        found = (await self._found(repo, [ref]))[ref]
        if isinstance(found, AoError):
            raise found
        if found is None:
            msg = f"There is no issue {ref} in {repo.written}."
            raise NotFound(msg)
        return found

    async def _found(self, repo: Repo, refs: Collection[str]) -> dict[str, _Found]:
        found: dict[str, _Found] = {
            ref: NotFound(f"{ref!r} is no number of an issue on {repo.hub.host}.")
            for ref in refs
            if not _NUMBER.fullmatch(ref)
        }
        wanted = [ref for ref in dict.fromkeys(refs) if ref not in found]
        for start in range(0, len(wanted), BATCH):
            batch = wanted[start : start + BATCH]
            try:
                found |= await self._batch(repo, batch)
            except AoError as error:
                found |= dict.fromkeys(batch, error)
        return found

    async def _batch(self, repo: Repo, refs: Sequence[str]) -> dict[str, _Found]:
        said = await repo.hub.graphql(issues_document([int(ref) for ref in refs]), repo.variables)
        facts = repo.facts(said)
        found: dict[str, _Found] = {}
        absent = []
        for ref in refs:
            node, error = facts.get(f"i{ref}"), errors_of(said.errors, "repository", f"i{ref}") or {}
            if node is not None and not error:
                found[ref] = self._read(repo, ref, node)
            elif error.get("type") == "NOT_FOUND":
                absent.append(ref)
            else:
                words = one_line(str(error.get("message", "it says nothing of it")), 200)
                found[ref] = TemporaryError(f"{repo.hub.host}: {words}")
        looks = await asyncio.gather(*(self._absent(repo, ref) for ref in absent[:CHECKED]))
        return found | dict.fromkeys(absent[CHECKED:]) | dict(zip(absent, looks, strict=False))

    def _read(self, repo: Repo, ref: str, node: Json) -> _Found:
        if node["__typename"] != "Issue":
            return NotFound(f"#{ref} is a pull request of {repo.now}, not an issue.")
        there = node["repository"]["nameWithOwner"]
        if there.lower() != repo.now.lower():
            return _moved(ref, f"{there}#{node['number']}")
        return self._reader.issue(node)

    async def _absent(self, repo: Repo, ref: str) -> _Found:
        """GraphQL has no such number. REST redirects to where an issue was moved."""
        try:
            answer = await repo.hub.rest("GET", repo.path("issues", ref))
        except NotFound:
            return None
        except AoError as error:
            return error
        there = str(answer.data["repository_url"]).partition("/repos/")[2]
        if there.lower() != repo.now.lower():
            return _moved(ref, f"{there}#{answer.data['number']}")
        return TemporaryError(f"{repo.hub.host} contradicts itself about #{ref}; it is looked at again.")


def _moved(ref: str, there: str) -> NotFound:
    return NotFound(f"#{ref} was moved: it is {there} now.")


@dataclass(slots=True)
class _Kept:
    """The newest open issues, as they were at `at`; `etag` stands for what changed last then."""

    issues: list[Issue]
    complete: bool
    etag: str
    at: float
    probed: float


class OpenIssues:
    """The open issues. While nothing changes in the repository they cost a conditional call, which is free."""

    def __init__(self, reader: Reader, now: Callable[[], float]) -> None:
        self._reader = reader
        self._now = now
        self._kept: dict[str, _Kept] = {}
        self._forgotten = 0

    def forget(self, repo: Repo) -> None:
        """We changed an issue of it."""
        self._kept.pop(repo.written, None)
        self._forgotten += 1

    async def search(self, repo: Repo, text: str, limit: int) -> list[Issue]:
        """Open issues, newest last; with `text` those that hold it. Raises `TemporaryError`, `NotAllowed`."""
        needle = " ".join(clean(text).casefold().split())
        if not needle:
            kept = await self._listed(repo, limit)
            found = kept.issues[:limit]
        else:
            kept = await self._listed(repo, PER_PAGE)
            found = [issue for issue in kept.issues if _holds(issue, needle)]
            if not kept.complete and len(found) < limit:
                found += await self._older(repo, text, limit)
        by_ref = {issue.ref: issue for issue in found}
        return sorted(by_ref.values(), key=lambda issue: int(issue.ref))[-limit:]

    async def _listed(self, repo: Repo, most: int) -> _Kept:
        kept, now = self._kept.get(repo.written), self._now()
        enough = kept is not None and (kept.complete or len(kept.issues) >= min(most, MOST_OPEN))
        if kept is None or not enough:
            return await self._load(repo, most, "")
        if 0 <= now - kept.probed < FRESH:
            return kept
        if 0 <= now - kept.at < LASTS:
            etag = await self._newest_change(repo, kept.etag)
            if etag == kept.etag:
                kept.probed = now
                return kept
            return await self._load(repo, most, etag)
        return await self._load(repo, most, "")

    async def _newest_change(self, repo: Repo, etag: str = "") -> str:
        """Stands for whatever changed last in the repository's issues; the same while nothing did."""
        query: dict[str, str | int] = {"state": "all", "sort": "updated", "direction": "desc", "per_page": 1}
        answer = await repo.hub.rest("GET", repo.path("issues"), query=query, etag=etag)
        return answer.etag if answer.fresh else etag

    async def _load(self, repo: Repo, most: int, etag: str) -> _Kept:
        began, forgotten = self._now(), self._forgotten
        # Asked for before the issues: what changes in between is then seen as a change.
        etag = etag or await self._newest_change(repo)
        issues: list[Issue] = []
        after, more = None, True
        while more and len(issues) < min(most, MOST_OPEN):
            variables = {**repo.variables, "first": PER_PAGE, "after": after}
            page = repo.facts(await repo.hub.graphql(OPEN_ISSUES, variables))["issues"]
            issues += [self._reader.issue(node) for node in page["nodes"]]
            after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
        kept = _Kept(issues, not more, etag, began, began)
        if forgotten == self._forgotten and etag:
            self._kept[repo.written] = kept
        return kept

    async def _older(self, repo: Repo, text: str, limit: int) -> list[Issue]:
        """GitHub's own search, for issues beyond those that are listed; it finds words, not parts of them."""
        query = search_query(repo.now, text)
        if not query:
            return []
        variables = {"query": query, "first": min(limit, PER_PAGE)}
        said = await repo.hub.graphql(FOUND_ISSUES, variables)
        nodes = said.data["search"]["nodes"]
        mine = [node for node in nodes if node and node["__typename"] == "Issue"]
        return [
            self._reader.issue(node)
            for node in mine
            if node["repository"]["nameWithOwner"].lower() == repo.now.lower()
        ]


def _holds(issue: Issue, needle: str) -> bool:
    return needle in " ".join(f"{issue.title}\n{issue.body}".casefold().split())
