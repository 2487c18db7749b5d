"""One round of looking: which numbers, what changed, what is read whole, and what of it is kept."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence

from orchestrator.domain.ids import ProjectId, SessionId
from orchestrator.domain.look import Look, Seen, Unseen
from orchestrator.errors import AoError
from orchestrator.ports.session_ref import SessionRef
from plugins._shared.github import checks as github_checks
from plugins._shared.github.client import GitHub
from plugins._shared.github.conditional import Conditional
from plugins._shared.github.diff import Diffs, base_tip
from plugins._shared.github.failures import Failures
from plugins._shared.github.mark import Marks, named_in
from plugins._shared.github.pull import checks_of
from plugins._shared.github.query import Searched, Wanted
from plugins._shared.github.reading import Read, Reader, signature
from plugins._shared.github.rules import branch_rules
from plugins._shared.github.track import Track
from plugins._shared.github.words import Node, text, whole


class LookRound:
    """Looks for one client. What is remembered lies in the tracks."""

    def __init__(self, hub: GitHub, marks: Marks, home: str, covers: Callable[[str], bool]) -> None:
        self._hub = hub
        self._marks = marks
        self._home = home
        self._covers = covers
        self._reader = Reader(hub)
        self._rules = Conditional(hub)
        self._failures = Failures(hub)
        self._diffs = Diffs(hub)

    @property
    def _server(self) -> float:
        return self._hub.budget.server(self._hub.now())

    async def look(self, tracks: Sequence[Track], stamps: Mapping[SessionId, int], began: float) -> None:
        """Look at each and keep what was seen, unless its stamp is another one by then."""
        there = await self._numbered(tracks, stamps, began)
        whole = [t for t in there if t.wants_whole(began, covered=self._covers(t.repo))]
        if any(t.whole_is_old(began, covered=self._covers(t.repo)) for t in whole):
            # Read whole together, so that looks at those that rest come to be one query again.
            whole += [
                t
                for t in there
                if t not in whole and t.whole_is_old(began, covered=self._covers(t.repo), share=0.5)
            ]
        chosen = {t.ref.id for t in whole}
        rest = [t for t in there if t.ref.id not in chosen]
        whole += await self._glanced(rest, stamps, began)
        wanted = {t.ref.id: Wanted(t.repo, t.number) for t in whole}
        known = {t.ref.id: t.read for t in whole if t.read is not None}
        looks = await self._reader.wholes(wanted, known)
        await asyncio.gather(*(self._take(t, looks[t.ref.id], stamps, began) for t in whole))

    async def _numbered(
        self, tracks: Sequence[Track], stamps: Mapping[SessionId, int], began: float
    ) -> list[Track]:
        """Those whose pull request is known by number, after looking for the others."""
        unmarked: list[Track] = []
        marked: dict[ProjectId, Mapping[SessionId, int]] = {}
        for track in tracks:
            project = track.ref.project
            try:
                if project.id not in marked:
                    marked[project.id] = await self._marks.of(project)
                number = marked[project.id].get(track.ref.id, 0)
            except AoError as error:
                track.number = -1
                self._fail(track, Unseen(error.what), stamps, began)
                continue
            if number:
                track.number = number
            else:
                unmarked.append(track)
        found = await self._reader.find({t.ref.id: Searched(t.repo, t.ref.branch) for t in unmarked})
        for track in unmarked:
            look = found[track.ref.id]
            if isinstance(look, Unseen):
                self._fail(track, look, stamps, began)
                track.number = -1
                continue
            owners = await self._marks.owners(track.ref.project)
            track.number = self._named(track, look.value, owners)
            if not track.number:
                self._nothing(track, stamps, began)
        return [t for t in tracks if t.number > 0]

    def _named(self, track: Track, rows: Iterable[Node], owners: Mapping[int, SessionId]) -> int:
        """The pull request of our own making that names the session; one that is open before others."""
        mine = [
            row
            for row in rows
            if row.get("viewerDidAuthor") is True
            and row.get("isCrossRepository") is False
            and row.get("headRefName") == track.ref.branch
            and whole(row.get("number")) not in owners
            and named_in(text(row.get("body")), self._home) == track.ref.id
        ]
        mine.sort(key=lambda row: (row.get("state") == "OPEN", whole(row.get("number"))))
        return whole(mine[-1].get("number")) if mine else 0

    async def _glanced(
        self, tracks: Sequence[Track], stamps: Mapping[SessionId, int], began: float
    ) -> list[Track]:
        """Those in which something changed since everything was read."""
        looks = await self._reader.glances({t.ref.id: Wanted(t.repo, t.number) for t in tracks})
        changed = []
        for track in tracks:
            look = looks[track.ref.id]
            if isinstance(look, Unseen):
                self._fail(track, look, stamps, began)
            elif (
                look.value is None
                or track.read is None
                or signature(look.value) != signature(track.read.pull)
            ):
                changed.append(track)
            elif track.stamp == stamps[track.ref.id]:
                await self._unchanged(track, look.value, began)
        return changed

    async def _unchanged(self, track: Track, glance: Node, began: float) -> None:
        if track.read is not None and base_tip(glance) != base_tip(track.read.pull):
            pull = {
                **track.read.pull,
                "baseRef": {**(track.read.pull.get("baseRef") or {}), **(glance.get("baseRef") or {})},
            }
            track.read = Read(
                pull, track.read.contexts, track.read.reviews, track.read.threads, track.read.said
            )
            track.behind = await self._diffs.behind(track.ref.project, pull)
        track.succeeded(began, track.tell(self._server), whole=False)

    async def _take(
        self, track: Track, look: Look[Read | None], stamps: Mapping[SessionId, int], began: float
    ) -> None:
        """Keep what was read of one pull request, unless what is known is newer."""
        if isinstance(look, Unseen):
            self._fail(track, look, stamps, began)
            return
        read = look.value
        if read is None or not _is_of(read.pull, track.ref):
            self._nothing(track, stamps, began)
            return
        if track.stamp != stamps[track.ref.id]:
            return
        if track.is_stale(read, self._hub.now()):
            self._put_off(track, began)
            return
        try:
            await self._details(track, read)
        except AoError as error:
            self._fail(track, Unseen(error.what), stamps, began)
            return
        if track.stamp == stamps[track.ref.id]:
            track.succeeded(began, track.tell(self._server), whole=True)

    async def _details(self, track: Track, read: Read) -> None:
        """What REST and the mirror add; nothing that is kept is asked for again."""
        project, pull = track.ref.project, read.pull
        rules, notes = await asyncio.gather(
            branch_rules(self._rules, track.repo, pull), self._diffs.notes(project, track.repo, pull)
        )
        behind = await self._diffs.behind(project, pull)
        track.keep(read, self._server)
        track.rules, track.notes, track.behind = rules, notes, behind
        facts = track.facts()
        if facts is not None:
            failed = github_checks.failed(checks_of(facts))
            track.tails = await self._failures.tails(track.repo, failed, self._server)

    def _put_off(self, track: Track, began: float) -> None:
        """The answer is older than what is known: what is known stays, and GitHub is asked again soon."""
        shown = track.tell(self._server) if not track.pushed[0] else None
        if shown is not None:
            track.succeeded(began, shown, whole=False)
        else:
            track.answer = Unseen(f"{self._hub.host} does not show what was pushed yet")
            track.pace.looked(began, track.pace.standing, unknown=False)
        track.pace.waits_for_us = True

    def _nothing(self, track: Track, stamps: Mapping[SessionId, int], began: float) -> None:
        if track.stamp == stamps[track.ref.id]:
            track.read, track.answer = None, Seen(None)
            track.succeeded(began, None, whole=True)

    def _fail(self, track: Track, look: Unseen, stamps: Mapping[SessionId, int], began: float) -> None:
        if track.stamp == stamps[track.ref.id]:
            track.fails(look, began, self._reader.delays.pop(track.ref.id, 0.0))


def _is_of(pull: Node, session: SessionRef) -> bool:
    """In the same repository, on the session's branch."""
    return pull.get("isCrossRepository") is False and pull.get("headRefName") == session.branch
