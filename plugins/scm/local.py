"""Scm `local`: pull requests over a bare repository of ours on this machine. No account, no network.

The forge lies in `projects/<id>/forge.git` under `$AO_HOME` and is made from the user's repository on
first use. Base branches follow the user's by fast-forward; the user's checkout is only read, and gets
what was merged by `git pull <forge> <branch>`. Checks are commands of the configuration, run in a clean
checkout of the head, as the session. Reviews are what people say to `ao`; approvals count for the head
they were given at. Merges are made by `merge-tree` and a compare-and-swap of the base branch.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path

from typing_extensions import override

from orchestrator.domain.ids import SessionId, short_sha
from orchestrator.domain.look import Look, Unseen
from orchestrator.domain.outside_text import one_line
from orchestrator.domain.person import Actor
from orchestrator.domain.project import Project
from orchestrator.domain.pull_request import PullRequest, PullRequestState, Review, ReviewDecision
from orchestrator.domain.pushed_diff import PushedDiff
from orchestrator.errors import AoError, BadInput, Conflict, NotFound, PermanentError
from orchestrator.ports.plugin import Options, Plugin, PluginContext
from orchestrator.ports.scm import (
    SCM,
    BaseNotes,
    Branches,
    Carried,
    Claims,
    Credential,
    Drafts,
    Merged,
    Publication,
    Reruns,
    Scm,
)
from orchestrator.ports.session_ref import SessionRef
from orchestrator.ports.workspace import Base
from plugins._shared import local_merge, publishing, pull_review, pushed_diff
from plugins._shared.check_queue import CheckQueue
from plugins._shared.check_runner import Check, command
from plugins._shared.durations import seconds
from plugins._shared.local_forge import LocalForge, head_ref, published_ref, pull_ref
from plugins._shared.local_merge import MergeOrder
from plugins._shared.pull_desk import OPEN, DeskRules, Office, PullDesk, shown
from plugins._shared.pull_store import PullRecord

CHECKS_AT_ONCE = 2


class LocalScmOptions(Options):
    """The project's `scm` block."""

    repository: str = ""
    """Path of the bare repository; empty for `forge.git` in the project's folder under `$AO_HOME`."""
    checks: dict[str, str | tuple[str, ...]] | tuple[str, ...] = ()
    """Name -> command; a text is a line for the shell, a list is run as it is. Or only command lines."""
    check_timeout: str = "15m"
    """How long one check may run: `90s`, `15m`, `1h`."""
    approvals: int = 0
    """Approvals that the forge itself asks for. The project's own `approvals` counts beside it."""


class LocalScm(Scm, Claims, Branches, BaseNotes, Reruns, Drafts):
    """The local forge. One desk for each project; what changes a pull request is done under its lock."""

    def __init__(self, options: LocalScmOptions, context: PluginContext) -> None:
        self._rules = DeskRules(
            checks=_checks(options),
            check_timeout=seconds(options.check_timeout, "checkTimeout"),
            approvals=options.approvals,
        )
        self._repository = options.repository
        self._context = context
        self._office = Office(
            queue=CheckQueue(CHECKS_AT_ONCE, context.now),
            wake=context.wake,
            reached=context.reached,
        )
        self._desks: dict[Path, PullDesk] = {}

    @override
    async def base(self, project: Project, branch: str = "") -> Base:
        desk = await self._desk(project)
        branch = branch or project.default_branch
        async with desk.book.lock:
            synced = await desk.forge.base(branch)
        return Base(branch=branch, sha=synced.sha, mirror=project.mirror, note=synced.note)

    @override
    async def base_note(self, project: Project) -> str:
        desk = await self._desk(project)
        async with desk.book.lock:
            return (await desk.forge.sync(project.default_branch)).note

    @override
    async def observe(self, sessions: Collection[SessionRef]) -> Mapping[SessionId, Look[PullRequest | None]]:
        answers: dict[SessionId, Look[PullRequest | None]] = {}
        by_project: dict[Path, list[SessionRef]] = {}
        for session in sessions:
            by_project.setdefault(session.project.folder, []).append(session)
        for group in by_project.values():
            try:
                desk = await self._desk(group[0].project)
                async with desk.book.lock:
                    answers |= await desk.look(group)
            except AoError as error:
                answers |= {session.id: Unseen(error.what) for session in group}
        return answers

    @override
    async def branches(self, project: Project) -> Collection[str]:
        desk = await self._desk(project)
        heads = head_ref("")
        return [name.removeprefix(heads) for name in await desk.forge.refs() if name.startswith(heads)]

    @override
    async def diff(self, what: Publication) -> PushedDiff:
        publishing.check(what)
        desk = await self._desk(what.session.project)
        async with desk.book.lock:
            base = await desk.forge.base(what.base)
        await desk.forge.take_in(what.session.id, what.source, what.session.branch, what.head)
        return await pushed_diff.read(desk.forge.mirror, base.sha, what.head)

    @override
    async def publish(self, what: Publication) -> PullRequest | None:
        session = what.session
        publishing.check(what)
        desk = await self._desk(session.project)
        await desk.forge.receive(session.id, what.source, session.branch, what.head)
        async with desk.book.lock:
            # The user's new commits come into the base first, so that a merge does not part from them.
            await desk.forge.sync(what.base)
            record = await publishing.accept(desk, what, self._context)
            refs = await desk.forge.refs()
            found = None if record is None else await desk.show(session, record, refs)
        await desk.forge.tell_mirror(session.id, what.head)
        return found

    @override
    async def merge(
        self, session: SessionRef, head: str, method: str, title: str = "", *, as_: Credential | None = None
    ) -> Merged:
        del as_  # people are known by name here
        desk = await self._desk(session.project)
        async with desk.book.lock:
            record = await self._record(desk, session)
            if record.state is PullRequestState.MERGED:
                if record.head == head:
                    return Merged(commit=record.merge_commit, base=record.base)
                msg = f"Pull request {record.number} was merged at {short_sha(record.head)}, not at {short_sha(head)}."
                raise Conflict(msg)
            if record.state is not PullRequestState.OPEN:
                msg = f"Pull request {record.number} is {record.state.value} and cannot be merged."
                raise PermanentError(msg)
            local_merge.same_head(record.number, record.head, head)
            await desk.forge.sync(record.base)
            commit = await self._merged(desk, record, method, title)
            self._context.reached("merge-done")
            desk.drop_checks(record.number)
            await desk.book.keep(replace(record, state=PullRequestState.MERGED, merge_commit=commit))
        self._context.wake(session.id)
        return Merged(commit=commit, base=record.base)

    @override
    async def review(
        self,
        session: SessionRef,
        head: str,
        verdict: ReviewDecision,
        by: Actor,
        body: str = "",
        *,
        as_: Credential | None = None,
    ) -> Carried:
        del as_  # people are known by name here
        if verdict is ReviewDecision.NONE:
            msg = "A review approves, asks for changes, or only says something (pending)."
            raise BadInput(msg)
        desk = await self._desk(session.project)
        async with desk.book.lock:
            record = await self._record(desk, session)
            if record.state not in OPEN:
                msg = f"Pull request {record.number} is {record.state.value}; there is nothing to review."
                raise Conflict(msg)
            local_merge.same_head(record.number, record.head, head)
            review = Review(author=by.name, decision=verdict, head=head, at=self._context.now(), body=body)
            after = pull_review.reviewed(record, review, by, self._rules.approvals)
            if after != record:
                await desk.book.keep(after)
        self._context.wake(session.id)
        return Carried(counts=True, words="in the pull request")

    @override
    async def close(self, session: SessionRef, *, delete_branch: bool) -> None:
        desk = await self._desk(session.project)
        async with desk.book.lock:
            refs = await desk.forge.refs()
            record = desk.book.of(session.id, session.branch)
            if record is not None:
                record = await desk.heal(record, refs)
                if record.state in OPEN:
                    desk.drop_checks(record.number)
                    await desk.book.keep(replace(record, state=PullRequestState.CLOSED))
                self._context.reached("close-kept")
            ours = refs.get(published_ref(session.id))
            if delete_branch and ours and ours == refs.get(head_ref(session.branch)):
                gone = {head_ref(session.branch): ("", ours), published_ref(session.id): ("", ours)}
                await desk.forge.repository.update_refs(gone)

    @override
    async def bring(self, project: Project, number: int) -> str:
        desk = await self._desk(project)
        async with desk.book.lock:
            record = await self._open(desk, number)
            await desk.forge.show_mirror(number, record.branch, record.head)
        return record.head

    @override
    async def claim(self, session: SessionRef, number: int, head: str) -> PullRequest:
        desk = await self._desk(session.project)
        async with desk.book.lock:
            record = await self._open(desk, number)
            if record.branch != session.branch:
                msg = f"Pull request {number} is on branch {record.branch}."
                raise Conflict(msg)
            if head != record.head and not await desk.forge.mirror.is_ancestor(record.head, head):
                msg = f"{head[:10]} does not have what is in pull request {number}, at {record.head[:10]}."
                raise Conflict(msg, next_step="Bring it into the session's branch first.")
            refs = await desk.forge.refs()
            if record.session != session.id:
                record = await self._hand_over(desk, record, session, refs)
            await desk.forge.tell_mirror(session.id, record.head)
            return await desk.show(session, record, await desk.forge.refs())

    @override
    async def find(self, project: Project, number: int) -> PullRequest | None:
        desk = await self._desk(project)
        async with desk.book.lock:
            record = desk.book.get(number)
            if record is None:
                return None
            record = await desk.heal(record, await desk.forge.refs())
            return shown(record, record.runs.get(record.head, ()), self._rules.approvals)

    @override
    async def rerun(self, session: SessionRef, head: str) -> None:
        desk = await self._desk(session.project)
        async with desk.book.lock:
            record = await self._record(desk, session)
            local_merge.same_head(record.number, record.head, head)
            if record.state in OPEN:
                await desk.rerun(session, record)

    @override
    async def set_draft(self, session: SessionRef, *, draft: bool) -> None:
        desk = await self._desk(session.project)
        async with desk.book.lock:
            record = await self._record(desk, session)
            state = PullRequestState.DRAFT if draft else PullRequestState.OPEN
            if record.state in OPEN and record.state is not state:
                await desk.book.keep(replace(record, state=state))
        self._context.wake(session.id)

    async def aclose(self) -> None:
        """End the checks that run; they begin anew at the next start. Repeatable."""
        await self._office.queue.stop()

    async def settled(self) -> None:
        """Wait until no check waits or runs."""
        await self._office.queue.settled()

    async def _desk(self, project: Project) -> PullDesk:
        desk = self._desks.get(project.folder)
        if desk is None:
            forge = LocalForge(project, self._path_of(project))
            desk = self._desks[project.folder] = PullDesk(forge, self._rules, self._office)
        async with desk.book.lock:
            await desk.open()
        return desk

    def _path_of(self, project: Project) -> Path:
        named = Path(self._repository).expanduser() if self._repository else project.folder / "forge.git"
        return project.path / named

    async def _record(self, desk: PullDesk, session: SessionRef) -> PullRecord:
        """The session's pull request as the refs say it is. Raises `NotFound` when there is none."""
        refs = await desk.forge.refs()
        damage = desk.book.damage(session.id, refs)
        if damage:
            raise PermanentError(damage)
        record = desk.book.of(session.id, session.branch)
        if record is None:
            msg = f"{session.branch} has no pull request."
            raise NotFound(msg)
        return await desk.heal(record, refs)

    async def _open(self, desk: PullDesk, number: int) -> PullRecord:
        """An open pull request as the refs say it is. Raises `NotFound`, `Conflict`."""
        record = desk.book.get(number)
        if record is None:
            msg = f"There is no pull request {number}."
            raise NotFound(msg)
        record = await desk.heal(record, await desk.forge.refs())
        if record.state not in OPEN:
            msg = f"Pull request {number} is {record.state.value}."
            raise Conflict(msg)
        return record

    async def _merged(self, desk: PullDesk, record: PullRecord, method: str, title: str) -> str:
        order = MergeOrder(
            number=record.number,
            base=record.base,
            head=record.head,
            branch=record.branch,
            title=title or record.title,
            body=record.body,
        )
        return await local_merge.merge(desk.forge, order, method, self._context.reached)

    async def _hand_over(
        self, desk: PullDesk, record: PullRecord, session: SessionRef, refs: Mapping[str, str]
    ) -> PullRecord:
        before = refs.get(pull_ref(record.number, record.session))
        changes: dict[str, tuple[str, str | None]] = {
            pull_ref(record.number, session.id): (record.head, None),
            published_ref(session.id): (record.head, None),
        }
        kept = await desk.book.keep(replace(record, session=session.id))
        self._context.reached("claim-kept")
        if before:
            changes[pull_ref(record.number, record.session)] = ("", before)
        await desk.forge.repository.update_refs(changes)
        return kept


def _checks(options: LocalScmOptions) -> tuple[Check, ...]:
    named = options.checks if isinstance(options.checks, dict) else {line: line for line in options.checks}
    return tuple(Check(name=one_line(name, 80), argv=command(line)) for name, line in named.items())


def _create(options: Options, context: PluginContext) -> Scm:
    return LocalScm(LocalScmOptions.model_validate(options.model_dump()), context)


PLUGIN = Plugin(
    slot=SCM,
    name="local",
    summary="Pull requests on this machine: checks, reviews and merges over a bare repository.",
    create=_create,
    options=LocalScmOptions,
    needs=("git",),
    runs_code=("checks",),
)
