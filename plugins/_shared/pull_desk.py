"""The pull requests of one project on the local forge: heads, healing, checks and how each is shown.

A crash can come between a change of refs and the record's own. So refs are believed: before a pull
request is shown or acted on, its record is brought to where the refs are.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from orchestrator.domain.ids import SessionId
from orchestrator.domain.look import Look, Seen, Unseen
from orchestrator.domain.pull_request import (
    CheckRun,
    CheckState,
    Mergeable,
    PullRequest,
    PullRequestState,
    sum_up,
)
from orchestrator.errors import AoError
from orchestrator.ports.session_ref import SessionRef
from plugins._shared import check_runner, pull_review
from plugins._shared.check_queue import CheckQueue
from plugins._shared.check_runner import Check
from plugins._shared.checkouts import Checkouts
from plugins._shared.local_forge import LocalForge, Size, Standing, head_ref, merged_ref, pull_ref
from plugins._shared.pull_book import PullBook
from plugins._shared.pull_store import PullRecord, PullStore

OPEN = (PullRequestState.OPEN, PullRequestState.DRAFT)
_HEADS_KEPT = 10
_UNFINISHED = (CheckState.PENDING, CheckState.RUNNING)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskRules:
    """What the configuration says of a project's pull requests."""

    checks: tuple[Check, ...] = ()
    check_timeout: float = 900.0
    approvals: int = 0
    trials: int = 12
    """Merges that one look tries out at most; the rest is `unknown` until the next look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """What the desks of all projects share."""

    queue: CheckQueue
    wake: Callable[[str], None]
    reached: Callable[[str], None]


class PullDesk:
    """One project's pull requests. Whoever calls it holds `book.lock`, unless said otherwise."""

    def __init__(self, forge: LocalForge, rules: DeskRules, office: Office) -> None:
        folder = forge.project.folder / "forge"
        self.forge = forge
        self.rules = rules
        self.book = PullBook(PullStore(folder / "pulls"), office.reached)
        self._office = office
        self._checkouts = Checkouts(folder / "checkouts", forge.repository.path)
        self._environments: dict[str, Mapping[str, str]] = {}

    async def open(self) -> None:
        """Read what is kept, once, and clear away what an earlier life left."""
        if await self.book.load():
            await self._checkouts.sweep()
            await self.forge.tidy()

    async def look(self, sessions: Sequence[SessionRef]) -> dict[SessionId, Look[PullRequest | None]]:
        """The pull request of each session. One call to git, and a few more where commits are new."""
        refs = await self.forge.refs()
        await self.book.save()
        trials = self.rules.trials
        answers: dict[SessionId, Look[PullRequest | None]] = {}
        for session in sessions:
            damage = self.book.damage(session.id, refs)
            record = self.book.of(session.id, session.branch)
            if damage or record is None:
                answers[session.id] = Unseen(damage) if damage else Seen(None)
                continue
            known = self._standing_known(record, refs)
            try:
                answers[session.id] = Seen(await self.show(session, record, refs, judge=known or trials > 0))
            except AoError as error:
                answers[session.id] = Unseen(error.what)
            trials -= not known
        return answers

    async def show(
        self, session: SessionRef, record: PullRecord, refs: Mapping[str, str], *, judge: bool = True
    ) -> PullRequest:
        """Bring a record to where the refs are, see to its checks, and say how it stands.

        Without `judge` no merge is tried out: whether it merges is then unknown, and looked at soon.
        """
        record = await self.heal(record, refs)
        if record.state not in OPEN:
            return shown(record, self._runs(record), self.rules.approvals)
        base = refs.get(head_ref(record.base), "")
        standing = await self.forge.standing(base, record.head) if base and judge else None
        if standing is not None and standing.contained:
            record = await self._settle(record, PullRequestState.MERGED, base)
            return shown(record, self._runs(record), self.rules.approvals)
        if base and standing is None:
            self._office.wake(session.id)
        self._tend(session, record)
        blockers = [] if base else [f"the branch {record.base} is gone from the forge"]
        blockers += self._put_off(record)
        return shown(record, self._runs(record), self.rules.approvals, standing, tuple(blockers))

    async def heal(self, record: PullRecord, refs: Mapping[str, str]) -> PullRecord:
        """The record as the refs say it is; kept when it was not so."""
        if record.state not in OPEN:
            return record
        merged = refs.get(merged_ref(record.number))
        if merged:
            head = refs.get(pull_ref(record.number, record.session), record.head)
            return await self._settle(replace(record, head=head), PullRequestState.MERGED, merged)
        now = refs.get(head_ref(record.branch))
        if now is None:
            return await self._settle(record, PullRequestState.CLOSED)
        return record if now == record.head else await self.book.keep(await self.at_head(record, now, refs))

    async def at_head(self, record: PullRecord, head: str, refs: Mapping[str, str]) -> PullRecord:
        """The record moved to a head: its size, and checks that wait. Not kept yet."""
        base = refs.get(head_ref(record.base), "")
        size = await self.forge.size(base, head) if base else Size()
        runs = {sha: known for sha, known in record.runs.items() if sha != head}
        runs[head] = record.runs.get(head, ())
        for stale in list(runs)[:-_HEADS_KEPT]:
            del runs[stale]
        return replace(
            record,
            head=head,
            runs=runs,
            additions=size.additions,
            deletions=size.deletions,
            files=size.files,
            notes=size.notes,
        )

    async def rerun(self, session: SessionRef, record: PullRecord) -> None:
        """Let the failed checks of the record's head run again."""
        runs = tuple(
            CheckRun(name=run.name, state=CheckState.PENDING) if run.state is CheckState.FAILED else run
            for run in self._runs(record)
        )
        self._tend(session, await self.book.keep(replace(record, runs={**record.runs, record.head: runs})))

    def drop_checks(self, number: int, but: str = "") -> None:
        """End the checks of a pull request, save those of one head."""
        mine = str(self.forge.repository.path)

        def unwanted(key: Hashable) -> bool:
            return isinstance(key, tuple) and key[:2] == (mine, number) and key[2] != but

        self._office.queue.cancel(unwanted)

    async def _settle(self, record: PullRecord, state: PullRequestState, commit: str = "") -> PullRecord:
        self.drop_checks(record.number)
        return await self.book.keep(replace(record, state=state, merge_commit=commit))

    def _standing_known(self, record: PullRecord, refs: Mapping[str, str]) -> bool:
        base, head = refs.get(head_ref(record.base), ""), refs.get(head_ref(record.branch), "")
        return record.state not in OPEN or self.forge.known_standing(base, head) is not None

    def _runs(self, record: PullRecord) -> tuple[CheckRun, ...]:
        """The runs of the head: as they were once it is settled, else one for each configured check."""
        known = record.runs.get(record.head, ())
        if record.state not in OPEN:
            return known
        by_name = {run.name: run for run in known}
        waiting = CheckState.PENDING
        return tuple(by_name.get(c.name) or CheckRun(name=c.name, state=waiting) for c in self.rules.checks)

    def _tend(self, session: SessionRef, record: PullRecord) -> None:
        """Queue the head's checks that have no result and do not run; end those of older heads."""
        self.drop_checks(record.number, but=record.head)
        self._environments[session.id] = session.environment
        unfinished = {run.name for run in self._runs(record) if run.state in _UNFINISHED}
        for check in self.rules.checks:
            if check.name in unfinished:
                job = partial(self._check, record.number, record.head, check)
                self._office.queue.ensure(self._key(record, check), job)

    def _key(self, record: PullRecord, check: Check) -> Hashable:
        return (str(self.forge.repository.path), record.number, record.head, check.name)

    def _put_off(self, record: PullRecord) -> list[str]:
        reasons = {c.name: self._office.queue.reason(self._key(record, c)) for c in self.rules.checks}
        return [f"the check {name} could not be run: {why}" for name, why in reasons.items() if why]

    async def _check(self, number: int, head: str, check: Check) -> None:
        """Run one check in the background. Takes the lock only to keep what came of it."""
        record = await self._note(number, head, CheckRun(name=check.name, state=CheckState.RUNNING))
        if record is None:
            return
        environment = self._environments.get(record.session, {})
        async with self._checkouts.checkout(head) as folder:
            run = await check_runner.run(check, folder, environment, self.rules.check_timeout)
        self._office.reached("check-ran")
        if await self._note(number, head, run):
            self._office.wake(record.session)

    async def _note(self, number: int, head: str, run: CheckRun) -> PullRecord | None:
        async with self.book.lock:
            record = self.book.get(number)
            if record is None or record.state not in OPEN or record.head != head:
                return None
            runs = tuple(run if known.name == run.name else known for known in self._runs(record))
            after = replace(record, runs={**record.runs, head: runs})
            if after != record:
                await self.book.keep_later(after)
            return record


def shown(
    record: PullRecord,
    runs: tuple[CheckRun, ...],
    approvals: int,
    standing: Standing | None = None,
    blockers: tuple[str, ...] = (),
) -> PullRequest:
    """A record as a pull request. `standing` is None where it is not known or does not matter any more."""
    return PullRequest(
        number=record.number,
        url="",
        title=record.title,
        branch=record.branch,
        base=record.base,
        head=record.head,
        state=record.state,
        checks=sum_up(runs),
        runs=runs,
        decision=pull_review.decision(record, record.head, approvals),
        reviews=record.reviews,
        comments=record.comments,
        mergeable=_mergeable(standing, blockers),
        blockers=blockers,
        behind=standing.behind if standing else False,
        additions=record.additions,
        deletions=record.deletions,
        files=record.files,
        notes=record.notes,
        merge_commit=record.merge_commit,
    )


def _mergeable(standing: Standing | None, blockers: tuple[str, ...]) -> Mergeable:
    if standing is not None and standing.conflicts:
        return Mergeable.CONFLICTED
    if blockers:
        return Mergeable.BLOCKED
    return Mergeable.CLEAN if standing is not None else Mergeable.UNKNOWN
