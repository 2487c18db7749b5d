"""Looks at the pull requests of many sessions through one client, as cheaply as GitHub allows.

    looker = Looker(hub, marks, home=context.server, wake=context.wake)          # one for each client
    await looker.look(sessions, lambda session: "owner/name")   # from memory unless a look is due
    looker.forget(session.id)             # a webhook told of it, or we wrote: what is known is not told any more
    looker.pushed(session.id, head)       # the same after a push: the head of before is not believed for a while
    looker.cover("owner/name", True)      # webhooks tell of this repository: polling is a safety only
    await looker.fresh(session, "owner/name")     # the pull request as it is now, after a write of ours
    looker.concerned("owner/name", number=7)      # sessions that a webhook is about

`look` waits a moment for what is due, and goes on by itself where GitHub is slow: the ring is not held up.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TypeVar

from orchestrator.domain.ids import ProjectId, SessionId
from orchestrator.domain.look import Look, Seen, Unseen
from orchestrator.domain.pull_request import PullRequest
from orchestrator.errors import AoError, TemporaryError
from orchestrator.ports.session_ref import SessionRef
from plugins._shared import github_checks, github_pace
from plugins._shared.github_client import GitHub
from plugins._shared.github_conditional import Conditional
from plugins._shared.github_diff import Diffs, base_tip
from plugins._shared.github_failures import Failures
from plugins._shared.github_mark import Marks, named_in
from plugins._shared.github_pull import checks_of
from plugins._shared.github_query import MOST_GLANCES, Searched, Wanted
from plugins._shared.github_reading import Read, Reader, signature
from plugins._shared.github_rules import branch_rules
from plugins._shared.github_track import PUSH_SHOWN, Track
from plugins._shared.github_words import Node, text, whole

T = TypeVar("T")
log = logging.getLogger(__name__)
PATIENCE = 3.0
"""Seconds that `look` waits for what is known already, or was asked for before."""
FIRST_PATIENCE = 8.0
"""The same for sessions of which nothing is known."""
UNASKED = 900.0
"""Seconds after which a session that nobody asks about is forgotten: it ended."""


class Looker:
    """One client's looks."""

    def __init__(
        self,
        hub: GitHub,
        marks: Marks,
        *,
        home: str,
        wake: Callable[[str], None] = lambda _session: None,
        base: float = github_pace.BASE,
        patience: float = PATIENCE,
    ) -> None:
        self._hub = hub
        self._marks = marks
        self._home = home
        self._wake = wake
        self._base = base
        self._patience = patience
        self._reader = Reader(hub)
        self._rules = Conditional(hub)
        self._failures = Failures(hub)
        self._diffs = Diffs(hub)
        self._tracks: dict[SessionId, Track] = {}
        self._running: dict[SessionId, asyncio.Task[None]] = {}
        self._began: dict[asyncio.Task[None], float] = {}
        self._unheard: set[asyncio.Task[None]] = set()
        """Those that nobody waits for: who asked is woken when they end."""
        self._covered: set[str] = set()

    # What others say -------------------------------------------------------------------------------

    def forget(self, session: SessionId) -> None:
        """What is known of it is not told any more; the next look sees it anew."""
        if session in self._tracks:
            self._tracks[session].forget(self._hub.now())

    def pushed(self, session: SessionId, head: str) -> None:
        """We pushed this head: GitHub may show the one before for some seconds."""
        track = self._tracks.get(session)
        if track is not None:
            if track.head and track.head != head:
                track.pushed = (track.head, head, self._hub.now() + PUSH_SHOWN)
            track.forget(self._hub.now())

    def cover(self, repo: str, covered: bool) -> None:  # noqa: FBT001 - read aloud with its repository
        """Whether webhooks tell of what happens in a repository."""
        (self._covered.add if covered else self._covered.discard)(repo.lower())

    def covers(self, repo: str) -> bool:
        """Whether they do."""
        return repo.lower() in self._covered

    def concerned(
        self, repo: str, *, number: int = 0, branch: str = "", head: str = ""
    ) -> tuple[SessionId, ...]:
        """Sessions that something in a repository is about."""
        return tuple(
            key
            for key, track in self._tracks.items()
            if track.repo.lower() == repo.lower()
            and (
                (number and number == track.number)
                or (branch and branch == track.ref.branch)
                or (head and head == track.head)
            )
        )

    # What is asked ---------------------------------------------------------------------------------

    async def look(
        self, sessions: Collection[SessionRef], repo_of: Callable[[SessionRef], str]
    ) -> Mapping[SessionId, Look[PullRequest | None]]:
        """The pull request of each session, from memory where no look is due."""
        answers: dict[SessionId, Look[PullRequest | None]] = {}
        asked: list[Track] = []
        for session in sessions:
            try:
                asked.append(self._track(session, repo_of(session)))
            except AoError as error:
                answers[session.id] = Unseen(f"{error.what} {error.next_step}".strip())
        for _ in range(3):  # what was written to meanwhile is looked at once more
            await self._bring_up_to_date(asked)
            if all(t.answer is not None or t.ref.id in self._running for t in asked):
                break
        server = self._server
        for track in asked:
            told = track.told(server)
            answers[track.ref.id] = Unseen(f"{self._hub.host} has not answered yet") if told is None else told
        return answers

    async def fresh(self, session: SessionRef, repo: str) -> PullRequest | None:
        """The session's pull request as it is now, whatever was known. Raises `TemporaryError`."""
        self._track(session, repo)
        self.forget(session.id)
        answer = (await self.look([session], lambda _session: repo))[session.id]
        if isinstance(answer, Unseen):
            raise TemporaryError(answer.reason, session=session.id)
        return answer.value

    async def aclose(self) -> None:
        """End what runs. Repeatable."""
        tasks = list(self._began)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    @property
    def _server(self) -> float:
        return self._hub.budget.server(self._hub.now())

    def _track(self, session: SessionRef, repo: str) -> Track:
        now = self._hub.now()
        track = self._tracks.get(session.id)
        if track is None or track.repo != repo or track.ref.branch != session.branch:
            track = self._tracks[session.id] = Track(session, repo)
        track.ref, track.asked_at = session, now
        return track

    async def _bring_up_to_date(self, asked: Sequence[Track]) -> None:
        now, stretch = self._hub.now(), self._stretch()
        due = [t for t in asked if t.ref.id not in self._running and self._is_due(t, now, stretch)]
        if due:
            self._start([*due, *self._along(due, now, stretch)])
        waited = {self._running[t.ref.id] for t in asked if t.ref.id in self._running}
        for task in waited:
            first = any(t.answer is None and t.read is None for t in asked)
            most = FIRST_PATIENCE if first else self._patience
            left = most - (asyncio.get_running_loop().time() - self._began.get(task, 0.0))
            if left > 0:
                await asyncio.wait([task], timeout=left)
            if not task.done():
                self._unheard.add(task)

    def _stretch(self) -> float:
        stretch = self._hub.budget.stretch(self._hub.now())
        self._hub.budget.interval = self._base * stretch
        return stretch

    def _is_due(self, track: Track, now: float, stretch: float) -> bool:
        covered = self.covers(track.repo)
        return track.pace.due(now, covered=covered, stretch=stretch, base=self._base)

    def _along(self, due: Sequence[Track], now: float, stretch: float) -> list[Track]:
        """Others that would be due soon: they cost nothing in a query that goes out anyway."""
        for key in [k for k, t in self._tracks.items() if now - t.asked_at > UNASKED]:
            if key not in self._running:
                del self._tracks[key]
        room = -len(due) % MOST_GLANCES
        taken = {t.ref.id for t in due} | self._running.keys()
        others = (t for key, t in self._tracks.items() if key not in taken)
        soon = [
            t
            for t in others
            if t.pace.along(now, covered=self.covers(t.repo), stretch=stretch, base=self._base)
        ]
        return sorted(soon, key=lambda t: t.pace.looked_at)[:room]

    # One round of looking --------------------------------------------------------------------------

    def _start(self, tracks: Sequence[Track]) -> None:
        task = asyncio.create_task(self._run(tracks), name=f"looks at {self._hub.host}")
        self._began[task] = asyncio.get_running_loop().time()
        for track in tracks:
            self._running[track.ref.id] = task

        def ended(task: asyncio.Task[None]) -> None:
            self._began.pop(task, None)
            self._unheard.discard(task)
            for track in tracks:
                if self._running.get(track.ref.id) is task:
                    del self._running[track.ref.id]

        task.add_done_callback(ended)

    async def _run(self, tracks: Sequence[Track]) -> None:
        before = {t.ref.id: t.answer for t in tracks}
        stamps = {t.ref.id: t.stamp for t in tracks}
        began = self._hub.now()
        try:
            await self._look_at(tracks, stamps, began)
        except Exception as error:  # whatever it is, it is a failed look and not an end of looking
            log.exception("looks at %s failed", self._hub.host)
            for track in tracks:
                track.fails(Unseen(f"the look failed: {type(error).__name__}"), began, 0.0)
        if asyncio.current_task() not in self._unheard:
            return
        for track in tracks:
            if track.answer != before[track.ref.id]:
                self._wake(track.ref.id)

    async def _look_at(self, tracks: Sequence[Track], stamps: Mapping[SessionId, int], began: float) -> None:
        there = await self._numbered(tracks, stamps, began)
        whole = [t for t in there if t.wants_whole(began, covered=self.covers(t.repo))]
        rest = [t for t in there if t not in whole]
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
        rules, notes, behind = await asyncio.gather(
            branch_rules(self._rules, track.repo, pull),
            self._diffs.notes(project, track.repo, pull),
            self._diffs.behind(project, pull),
        )
        track.keep(read, self._server)
        track.rules, track.notes, track.behind = rules, notes, behind
        facts = track.facts()
        if facts is not None:
            failed = github_checks.failed(checks_of(facts))
            track.tails = await self._failures.tails(track.repo, failed)

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
