"""Looks at the pull requests of many sessions through one client, as cheaply as GitHub allows.

    looker = Looker(hub, marks, home=context.server, wake=context.wake)          # one for each client
    await looker.look(sessions, lambda session: "owner/name")   # from memory unless a look is due
    looker.heard(session.id)              # a webhook told of it: look at it next time
    looker.hint(session.id)               # one told of mere progress: look at it within seconds, with others
    looker.forget(session.id)             # we wrote there: what is known is not told any more
    looker.pushed(session.id, head)       # we pushed: the same, and the head of before is not believed for a while
    looker.cover("owner/name", True)      # webhooks tell of this repository: polling is a safety only
    await looker.fresh(session, "owner/name")     # the pull request as it is now, after a write of ours
    looker.concerned("owner/name", number=7)      # sessions that a webhook is about

`look` waits a moment for what is due, and goes on by itself where GitHub is slow: the ring is not held up.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping, Sequence

from orchestrator.domain.ids import SessionId
from orchestrator.domain.look import Look, Unseen
from orchestrator.domain.pull_request import PullRequest
from orchestrator.errors import AoError, TemporaryError
from orchestrator.ports.session_ref import SessionRef
from plugins._shared.github import pace as github_pace
from plugins._shared.github.client import GitHub
from plugins._shared.github.look_round import LookRound
from plugins._shared.github.mark import Marks
from plugins._shared.github.pace import PROBE, Haste, Quota, Standing
from plugins._shared.github.query import MOST_GLANCES, MOST_LOOKS
from plugins._shared.github.track import PUSH_SHOWN, Track

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
        self._wake = wake
        self._base = base
        self.patience = patience
        self.soon = github_pace.SOON
        """Seconds until progress that a webhook told of is looked at; more in a large fleet."""
        self._round = LookRound(hub, marks, home, self.covers)
        self._tracks: dict[SessionId, Track] = {}
        self._running: dict[SessionId, asyncio.Task[None]] = {}
        self._began: dict[asyncio.Task[None], float] = {}
        self._unheard: set[asyncio.Task[None]] = set()
        """Those that nobody waits for: who asked is woken when they end."""
        self._haste = Haste()
        self._later: asyncio.TimerHandle | None = None
        self._covered: set[str] = set()
        self._probed_at = -1e18
        self._recovered_at = -1e18
        hub.budget.on_recovery.append(self._recovered)

    # What others say -------------------------------------------------------------------------------

    def heard(self, session: SessionId) -> None:
        """A webhook told of it: the next look sees it anew; until then what is known is told."""
        if session in self._tracks:
            self._tracks[session].heard(self._hub.now())

    def hint(self, session: SessionId) -> None:
        """A webhook told that something goes on there: it is looked at within seconds, and wakes who asks."""
        if session in self._tracks:
            soon = max(self.soon, github_pace.refill(len(self._tracks)))
            self._go_on_in(self._tracks[session].pace.hint(self._hub.now(), soon))

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

    def repository_id(self, repo: str) -> int:
        """What a repository is known by also after it was renamed; 0: nothing was seen there yet."""
        return self._round.repository_id(repo)

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
        if self._recovered in self._hub.budget.on_recovery:
            self._hub.budget.on_recovery.remove(self._recovered)
        if self._later is not None:
            self._later.cancel()
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
        due = due or self._probe(now)
        told = [t for t in due if t.pace.forgotten and t.answer is not None]
        hinted = [t for t in due if t not in told and t.answer is not None and t.pace.hint_due_in(now) == 0.0]
        if len(told) + len(hinted) < len(due):
            self._start([*due, *self._along(due, now, stretch)])
        elif hinted or (told and self._may_haste(told, now)):
            self._start([*due, *self._hinted(due), *self._near(due, now, stretch)])
        waited = {self._running[t.ref.id] for t in asked if t.ref.id in self._running}
        for task in waited:
            first = any(t.answer is None and t.read is None for t in asked)
            most = max(FIRST_PATIENCE, self.patience) if first else self.patience
            left = most - (asyncio.get_running_loop().time() - self._began.get(task, 0.0))
            if left > 0:
                await asyncio.wait([task], timeout=left)
            if not task.done():
                self._unheard.add(task)

    def _probe(self, now: float) -> list[Track]:
        """In an outage one of the looks that failed tries for all, ever so often, whether it is over."""
        budget = self._hub.budget
        if not budget.down or 0 <= now - self._probed_at < PROBE or budget.wait("graphql", now):
            return []
        failed = [t for key, t in self._tracks.items() if t.pace.failures and key not in self._running]
        failed.sort(key=lambda t: t.pace.looked_at)
        if failed:
            self._probed_at = now
        return failed[:1]

    def _recovered(self, lasted: float) -> None:
        """An outage of so many seconds is over: what it kept from being seen is looked at now, all together."""
        self._recovered_at = now = self._hub.now()
        for key, track in self._tracks.items():
            if track.pace.recovered(now - lasted, now):
                self._wake(key)

    def _may_haste(self, told: Sequence[Track], now: float) -> bool:
        """Whether what webhooks told of is looked at now, or in a moment together with more of it."""
        known = self._hub.budget.quota(now)
        wait = self._haste.wait(now, len(self._tracks), None if known is None else Quota(*known))
        if wait and len(told) < MOST_LOOKS:
            self._go_on_in(wait)
            return False
        self._haste.take()
        return True

    def _go_on_in(self, wait: float) -> None:
        loop = asyncio.get_running_loop()
        if self._later is not None:
            if not self._later.cancelled() and loop.time() <= self._later.when() <= loop.time() + wait:
                return
            self._later.cancel()
        self._later = loop.call_later(wait, self._go_on)

    def _go_on(self) -> None:
        """Wake what is to be looked at now, and come again for what is to be a little later."""
        now, waits = self._hub.now(), []
        for key, track in list(self._tracks.items()):
            wait = track.pace.hint_due_in(now)
            if wait is not None and wait > 0 and not track.pace.forgotten:
                waits.append(wait)
            elif wait is not None or track.pace.forgotten:
                self._wake(key)
        if waits:
            self._later = None
            self._go_on_in(min(waits))

    def _hinted(self, due: Sequence[Track]) -> list[Track]:
        """What goes on elsewhere: in a query that reads anyway it costs nothing."""
        taken = {t.ref.id for t in due} | self._running.keys()
        hinted = [t for key, t in self._tracks.items() if t.pace.hinted_at is not None and key not in taken]
        return hinted[: -len(due) % MOST_LOOKS]

    def _stretch(self) -> float:
        stretch = self._hub.budget.stretch(self._hub.now())
        self._hub.budget.interval = self._base * stretch
        return stretch

    def _is_due(self, track: Track, now: float, stretch: float) -> bool:
        covered = self.covers(track.repo)
        return track.pace.due(now, covered=covered, stretch=stretch, base=self._base)

    def _near(self, due: Sequence[Track], now: float, stretch: float) -> list[Track]:
        """What runs and would be due soon: it is read with what was told of, and not by a query of its own."""
        room = -len([*due, *self._hinted(due)]) % MOST_LOOKS
        near = [
            t
            for t in self._others(due, now, stretch)
            if t.pace.standing is Standing.NEAR and t.pace.hinted_at is None
        ]
        for track in near[:room]:
            track.pace.hint(now)
        return near[:room]

    def _along(self, due: Sequence[Track], now: float, stretch: float) -> list[Track]:
        """Others that would be due soon: they cost nothing in a query that goes out anyway."""
        for key in [k for k, t in self._tracks.items() if now - t.asked_at > UNASKED]:
            if key not in self._running:
                del self._tracks[key]
        hinted = self._hinted(due)
        due = [*due, *hinted]
        room = -len(due) % MOST_GLANCES
        return [*hinted, *self._others(due, now, stretch)[:room]]

    def _others(self, due: Sequence[Track], now: float, stretch: float) -> list[Track]:
        """Those that would be due soon; whom nobody looked at for longest comes first."""
        taken = {t.ref.id for t in due} | self._running.keys()
        others = (t for key, t in self._tracks.items() if key not in taken)
        soon = [
            t
            for t in others
            if t.pace.along(now, covered=self.covers(t.repo), stretch=stretch, base=self._base)
        ]
        return sorted(soon, key=lambda t: t.pace.looked_at)

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
            if not task.cancelled() and any(t.pace.forgotten and t.answer is not None for t in tracks):
                self._go_on_in(0.0)  # a webhook told of it meanwhile: what this look showed is old

        task.add_done_callback(ended)

    async def _run(self, tracks: Sequence[Track]) -> None:
        before = {t.ref.id: t.answer for t in tracks}
        aside = {t.ref.id for t in tracks if t.pace.hinted_at is not None}
        stamps = {t.ref.id: t.stamp for t in tracks}
        began = self._hub.now()
        try:
            await self._round.look(tracks, stamps, began)
        except Exception as error:  # whatever it is, it is a failed look and not an end of looking
            log.exception("looks at %s failed", self._hub.host)
            for track in tracks:
                track.fails(Unseen(f"the look failed: {type(error).__name__}"), began, 0.0)
        self._catch_up(tracks, began)
        unheard = asyncio.current_task() in self._unheard
        for track in tracks:
            if track.answer != before[track.ref.id] and (unheard or track.ref.id in aside):
                self._wake(track.ref.id)

    def _catch_up(self, tracks: Sequence[Track], began: float) -> None:
        """What failed in a round in which an outage ended may have failed before its end."""
        if began <= self._recovered_at:
            for track in tracks:
                if track.pace.failures:
                    track.pace.recovered(began, self._recovered_at)
