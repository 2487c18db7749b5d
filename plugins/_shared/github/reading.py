"""Reading pull requests in batches: what each query asks for, and what a partial answer means for whom.

One repository that is gone, or that the token may not see, is a failed look at its own pull requests;
the others of the same query are answered.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from orchestrator.domain.look import Look, Seen, Unseen
from orchestrator.domain.outside_text import one_line
from orchestrator.errors import AoError, TemporaryError
from plugins._shared.github import query as github_query
from plugins._shared.github.client import GitHub, Said
from plugins._shared.github.pull import head_commit
from plugins._shared.github.query import Query, Searched, Wanted
from plugins._shared.github.words import Node, node, nodes, text, whole

K = TypeVar("K", bound=Hashable)
W = TypeVar("W", bound=Wanted | Searched)
S = TypeVar("S")
R = TypeVar("R")
FEWEST = 5
MOST_PAGES = 20
"""Pages of a hundred that are read of one list."""
# What may be kept from us without changing what a pull request is: a team's name needs another permission.
_OPTIONAL = frozenset({"reviewRequests", "refUpdateRule", "workflowRun", "app", "author", "autoMergeRequest"})


@dataclass(frozen=True, slots=True)
class Read:
    """A pull request with its lists made whole."""

    pull: Node
    contexts: Sequence[Node] = ()
    reviews: Sequence[Node] = ()
    threads: Sequence[Node] = ()
    said: Mapping[str, Sequence[Node]] = field(default_factory=dict)


class Reader:
    """Reads for one client. Every answer is a value or a reason for its key."""

    def __init__(self, hub: GitHub) -> None:
        self._hub = hub
        self._most = github_query.MOST_LOOKS
        self.delays: dict[Hashable, float] = {}
        """Of looks that failed in the last call: how long to wait, where GitHub said so."""
        self.ids: dict[str, int] = {}
        """Repository as it was asked for, in lower case -> its id, which stays when it is renamed or moves."""

    async def find(self, wanted: Mapping[K, Searched]) -> dict[K, Look[list[Node]]]:
        """The newest pull requests of branches."""
        found = await self._many(wanted, github_query.MOST_SEARCHES, github_query.search, _repository)
        return {
            key: look if isinstance(look, Unseen) else Seen(nodes(look.value.get("pullRequests")))
            for key, look in found.items()
        }

    async def glances(self, wanted: Mapping[K, Wanted]) -> dict[K, Look[Node | None]]:
        """Whether anything changed; None: there is no such pull request."""
        return await self._many(wanted, github_query.MOST_GLANCES, github_query.glance, _pull)

    async def wholes(self, wanted: Mapping[K, Wanted], known: Mapping[K, Read]) -> dict[K, Look[Read | None]]:
        """Everything. `known`: what was read before; remarks in threads that are settled are not read again."""
        found = await self._many(wanted, self._most, github_query.look, _pull)
        reads: dict[K, Look[Read | None]] = {}
        for key, look in found.items():
            if isinstance(look, Unseen) or look.value is None:
                reads[key] = look if isinstance(look, Unseen) else Seen(None)
                continue
            reads[key] = await self._seen(key, self._whole(wanted[key], look.value))
        return await self._with_said(reads, known)

    # One pull request ------------------------------------------------------------------------------

    async def _seen(self, key: Hashable, reading: Awaitable[Read]) -> Look[Read | None]:
        try:
            return Seen(await reading)
        except AoError as error:
            return self._unseen(key, error)

    async def _whole(self, wanted: Wanted, pull: Node) -> Read:
        commit = head_commit(pull)
        contexts = node(node(commit.get("statusCheckRollup")).get("contexts"))
        base = {**_named(wanted.repo), "number": wanted.number}
        return Read(
            pull=pull,
            contexts=await self._rest(
                contexts, github_query.MORE_CHECKS, {**base, "oid": commit.get("oid")}, _more_checks
            ),
            reviews=await self._rest(
                node(pull.get("reviews")), github_query.MORE_REVIEWS, base, _more("reviews"), back=True
            ),
            threads=await self._rest(
                node(pull.get("reviewThreads")), github_query.MORE_THREADS, base, _more("reviewThreads")
            ),
        )

    async def _rest(
        self,
        first: Node,
        document: str,
        variables: Mapping[str, Any],
        within: Callable[[Mapping[str, Any]], Node],
        *,
        back: bool = False,
    ) -> list[Node]:
        """All rows of a list whose first page is here."""
        rows, page = nodes(first), node(first.get("pageInfo"))
        more, cursor, name = (
            ("hasPreviousPage", "startCursor", "before") if back else ("hasNextPage", "endCursor", "after")
        )
        for _ in range(MOST_PAGES):
            if page.get(more) is not True:
                break
            said = await self._hub.graphql(document, {**variables, name: page.get(cursor)})
            if said.errors:
                raise TemporaryError(_words(said.errors[0]))
            found = within(said.data)
            rows += nodes(found)
            page = node(found.get("pageInfo"))
        return rows

    # What is said in threads -----------------------------------------------------------------------

    async def _with_said(
        self, reads: dict[K, Look[Read | None]], known: Mapping[K, Read]
    ) -> dict[K, Look[Read | None]]:
        there = {k: v.value for k, v in reads.items() if isinstance(v, Seen) and v.value is not None}
        wanted = {key: _to_read(read, known.get(key)) for key, read in there.items()}
        ids = list(dict.fromkeys(one for row in wanted.values() for one in row))
        try:
            said = await self._said(ids)
        except AoError as error:
            failed = {key: self._unseen(key, error) for key, row in wanted.items() if row}
            return reads | failed
        for key, read in there.items():
            before = known[key].said if key in known else {}
            kept = {one: said.get(one, before.get(one, ())) for one in map(_id, read.threads)}
            reads[key] = Seen(Read(read.pull, read.contexts, read.reviews, read.threads, kept))
        return reads

    async def _said(self, ids: Sequence[str]) -> dict[str, list[Node]]:
        said: dict[str, list[Node]] = {}
        for some in _parts(ids, github_query.MOST_THREADS):
            answer = await self._hub.graphql(github_query.SAID, {"ids": list(some)})
            for thread in answer.data.get("nodes") or ():
                if isinstance(thread, Mapping):
                    said[_id(thread)] = await self._rest(
                        node(thread.get("comments")),
                        github_query.MORE_SAID,
                        {"id": _id(thread)},
                        lambda data: node(node(data.get("node")).get("comments")),
                    )
        return said

    # Many at once ----------------------------------------------------------------------------------

    async def _many(
        self,
        wanted: Mapping[K, W],
        most: int,
        make: Callable[[Sequence[W]], Query],
        read: Callable[[Said, int], Look[R]],
    ) -> dict[K, Look[R]]:
        parts = _parts(list(wanted), most)
        found = await asyncio.gather(*(self._part(part, wanted, make, read) for part in parts))
        return {key: look for one in found for key, look in one.items()}

    async def _part(
        self,
        keys: Sequence[K],
        wanted: Mapping[K, W],
        make: Callable[[Sequence[W]], Query],
        read: Callable[[Said, int], Look[R]],
    ) -> dict[K, Look[R]]:
        query = make([wanted[key] for key in keys])
        try:
            said = await self._hub.graphql(query.document, query.variables)
        except TemporaryError as error:
            # GitHub gives up on answers that take it too long; the next ones are asked for in smaller parts.
            self._most = max(FEWEST, self._most // 2)
            return {key: self._unseen(key, error) for key in keys}
        except AoError as error:
            return {key: self._unseen(key, error) for key in keys}
        self._most = min(github_query.MOST_LOOKS, self._most + 1)
        for at, key in enumerate(keys):
            if number := whole(node(said.data.get(f"p{at}")).get("databaseId")):
                self.ids[wanted[key].repo.lower()] = number
        return {key: read(said, at) for at, key in enumerate(keys)}

    def _unseen(self, key: Hashable, error: AoError) -> Unseen:
        self.delays[key] = error.delay if isinstance(error, TemporaryError) else 0.0
        return Unseen(f"{error.what} {error.next_step}".strip())


def _repository(said: Said, at: int) -> Look[Node]:
    error = _error(said, at)
    found = said.data.get(f"p{at}")
    if isinstance(found, Mapping) and error is None:
        return Seen(found)
    return Unseen(_words(error) if error else "the repository cannot be seen by this token")


def _pull(said: Said, at: int) -> Look[Node | None]:
    error = _error(said, at)
    repository = said.data.get(f"p{at}")
    if not isinstance(repository, Mapping):
        return Unseen(_words(error) if error else "the repository cannot be seen by this token")
    pull = repository.get("pullRequest")
    if isinstance(pull, Mapping) and error is None:
        return Seen(pull)
    gone = error is None or (
        error.get("type") == "NOT_FOUND" and list(error.get("path") or ())[1:] == ["pullRequest"]
    )
    return Seen(None) if pull is None and gone else Unseen(_words(error or {}))


def _error(said: Said, at: int) -> Mapping[str, Any] | None:
    """The first error that matters for one of many: its own, or one that names none while its facts are missing."""
    for error in said.errors:
        if not isinstance(error, Mapping):
            continue
        of = github_query.alias_of(error)
        if of == at and not _OPTIONAL & set(map(str, error.get("path") or ())):
            return error
        if of is None and not isinstance(said.data.get(f"p{at}"), Mapping):
            return error
    return None


def _words(error: Mapping[str, Any]) -> str:
    return f"GitHub says: {one_line(text(error.get('message')) or 'no facts', 300)}"


def _to_read(read: Read, known: Read | None) -> list[str]:
    """Threads whose remarks are to be read: new ones, and those where more may be said or edited."""
    before = known.said if known else {}
    return [
        _id(thread)
        for thread in read.threads
        if thread.get("isResolved") is not True or _id(thread) not in before
    ]


def _named(repo: str) -> dict[str, str]:
    owner, _, name = repo.partition("/")
    return {"owner": owner, "name": name}


def _more(name: str) -> Callable[[Mapping[str, Any]], Node]:
    return lambda data: node(node(node(data.get("repository")).get("pullRequest")).get(name))


def _more_checks(data: Mapping[str, Any]) -> Node:
    commit = node(node(data.get("repository")).get("object"))
    return node(node(commit.get("statusCheckRollup")).get("contexts"))


def _id(thread: Node) -> str:
    return text(thread.get("id"))


def _parts(rows: Sequence[S], most: int) -> Iterable[Sequence[S]]:
    return [rows[at : at + most] for at in range(0, len(rows), most)]


def signature(pull: Node) -> tuple[object, ...]:
    """What a glance compares: all that changes when something does that matters."""
    commit = head_commit(pull)
    return (
        *(pull.get(name) for name in ("state", "isDraft", "updatedAt", "headRefOid", "baseRefName")),
        *(pull.get(name) for name in ("mergeable", "mergeStateStatus", "reviewDecision", "isInMergeQueue")),
        bool(pull.get("autoMergeRequest")),
        commit.get("oid"),
        node(commit.get("statusCheckRollup")).get("state"),
        whole(pull.get("number")),
    )
