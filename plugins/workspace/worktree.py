"""Workspace `worktree`: a linked worktree of the user's repository, the quickest and smallest way.

Needs a place that shares this host's files. All sessions share one object store and, outside a
sandbox, can reach each other's branches: where that matters, use `clone`. Worktrees are locked, so
that an agent's `git worktree prune` or `remove` does not take them away by mistake.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

from typing_extensions import override

from orchestrator.domain.ids import SessionId, branch_name
from orchestrator.domain.look import Look, Seen, Unseen
from orchestrator.domain.project import Project
from orchestrator.errors import AoError, Conflict, NotReady, PermanentError, TemporaryError
from orchestrator.ports.place import Place, SharesHost
from orchestrator.ports.plugin import Options, Plugin, PluginContext
from orchestrator.ports.session_ref import SessionRef
from orchestrator.ports.workspace import (
    WORKSPACE,
    Base,
    Foresees,
    Made,
    Saved,
    Workspace,
    WorkspaceLook,
    WorkspaceView,
)
from plugins._shared import preparation
from plugins._shared import workspace_record as records
from plugins._shared.durations import seconds
from plugins._shared.git import Git
from plugins._shared.given_branch import GivenBranches
from plugins._shared.hand import HostHand
from plugins._shared.mirror import Mirror, incoming
from plugins._shared.repository_lock import locked
from plugins._shared.rescue import Rescuer, Restart
from plugins._shared.snapshot import Snapshot, snapshot
from plugins._shared.threads import files_of, trees_of, writes_of
from plugins._shared.user_repository import LOCKED_BY, Registered, UserRepository, delete_tree, set_aside
from plugins._shared.view import Head, Target, View
from plugins._shared.workspace_record import Record, Step

_LOOKS_AT_ONCE = 4
_LOOK_LIMIT = 12.0
"""Seconds for one look: one that hangs must leave the others their time."""


class WorktreeOptions(Options):
    """The project's `workspace` block."""

    root: str = ""
    """Folder for worktrees; `{project}` stands for the project's id. Empty: in the project's folder under `$AO_HOME`."""
    post_create_timeout: str = "10m"
    """How long each `postCreate` command may take: `90s`, `10m`, `1h`."""


class WorktreeWorkspace(GivenBranches, Workspace, Foresees):
    """Worktrees of the user's repository."""

    def __init__(self, options: WorktreeOptions, *, git: Git | None = None) -> None:
        super().__init__(git or Git(Path("/")))
        self._root = options.root
        self._limit = seconds(options.post_create_timeout, "postCreateTimeout")
        self._looking = asyncio.Semaphore(_LOOKS_AT_ONCE)

    # Making --------------------------------------------------------------------------------------

    @override
    async def create(self, session: SessionRef, place: Place, base: Base, start: str = "") -> Made:
        if not (isinstance(place, SharesHost) and place.shares_host):
            msg = "A worktree needs a place on this host; use the workspace `clone` or `copy` there."
            raise NotReady(msg, session=session.id)
        branch_name(session.branch)
        mirror = self._mirror(session.project)
        repository = await self._repository(session.project)
        record = await files_of(session.project.folder).run(records.read, session)
        await mirror.ensure()
        if record is not None and record.step is Step.REMOVING:
            await self._take_away(session, record, repository)
            record = await files_of(session.project.folder).run(records.read, session)
        restart = await Rescuer(mirror).restart(start) if start else Restart(base.sha, base.sha, given=False)
        if record is None or record.step in (Step.MAKING, Step.REMOVED):
            record = await self._register(session, place, base, repository, record, restart)
        if record.step is Step.FILLING:
            files = restart.files if start else "HEAD"
            await preparation.check_out(place, record.path, files)
            record = await self._keep(session, record, Step.PREPARING)
        if record.step is Step.PREPARING:
            await preparation.link_shared(place, record.path, session.project)
            await preparation.run_commands(place, record.path, session.project.post_create, self._limit)
            record = await self._keep(session, record, Step.READY)
        head = await self._view(session, record, repository).head()
        return Made(path=record.path, branch=head.branch or record.branch, head=head.sha)

    @override
    async def refuse_branch(self, project: Project, branch: str) -> None:
        repository = await self._repository(project)
        if await repository.branch(branch_name(branch)):
            known = await repository.worktrees()
            self._taken(branch, next((w.path for w in known.values() if w.branch == branch), ""))

    def _taken(self, branch: str, holder: str, session: SessionId | None = None) -> NoReturn:
        where = f" and is checked out in {holder}" if holder else ""
        msg = f"The branch {branch} exists already{where}; it is not this session's."
        step = "Rename or delete it (`git branch -m`), or spawn under another branch (`--branch`)."
        raise Conflict(msg, session=session, next_step=step)

    async def _register(
        self,
        session: SessionRef,
        place: Place,
        base: Base,
        repository: UserRepository,
        record: Record | None,
        restart: Restart,
    ) -> Record:
        """Have branch and worktree registered; nobody has worked in it yet. One at a time a repository."""
        mirror = self._mirror(session.project)
        async with repository.git.lock():
            known = await repository.worktrees()
            path = record.path if record else self._path(session, place)
            there = known.get(await files_of(session.project.folder).run(os.path.realpath, path))
            if record is None and there is not None and not there.broken:
                msg = f"{path} is a worktree that this session did not make."
                raise Conflict(msg, session=session.id, next_step=f"Remove it: git worktree remove {path}")
            start, made = await self._start(session, record, repository, known, restart)
            await self._make_room(session, path, ours=there is not None and record is not None)
            if there is not None:
                # git refuses to set a branch that a registration holds, also where its folder is gone.
                await repository.unregister(path)
            record = Record(
                session=session.id,
                path=path,
                branch=session.branch,
                base=base.branch,
                base_sha=base.sha,
                step=Step.MAKING,
                made_branch=made,
            )
            await writes_of(session.project.folder).run(records.write, session, record)
            await repository.bring_base(mirror, base.branch, base.sha)
            if restart.files != base.sha:
                await repository.bring(mirror, restart.files)
            git_dir = await self._add(session, repository, path, start)
            return await self._keep(session, replace(record, git_dir=git_dir), Step.FILLING)

    async def _add(self, session: SessionRef, repository: UserRepository, path: str, start: str) -> str:
        """Register the worktree; returns its git folder.

        A git that a crash of ours left running may have made it between our look and now: then it is
        looked at again.
        """
        try:
            return await repository.add(path, session.branch, start, reason=f"{LOCKED_BY} {session.id}")
        except (PermanentError, Conflict) as error:
            there = (await repository.worktrees()).get(
                await files_of(session.project.folder).run(os.path.realpath, path)
            )
            if there is None or there.branch != session.branch:
                raise
            msg = f"{path} was being made by a git of an earlier start."
            raise TemporaryError(msg, delay=1.0, session=session.id) from error

    async def _start(
        self,
        session: SessionRef,
        record: Record | None,
        repository: UserRepository,
        known: Mapping[str, Registered],
        restart: Restart,
    ) -> tuple[str, bool]:
        """The commit that the branch is to stand at, and whether the branch is ours to delete."""
        now = await repository.branch(session.branch)
        if not now:
            return restart.head, True
        own = record.path if record is not None and record.branch == session.branch else ""
        holder = next((w.path for w in known.values() if w.branch == session.branch and not w.broken), "")
        if restart.given and not own and not holder and now == restart.head:
            return now, False
        if not own or (holder and not await files_of(session.project.folder).run(_same, holder, own)):
            self._taken(session.branch, holder, session.id)
        made = record.made_branch if record is not None else False
        if restart.head == restart.files and record is not None and record.step is Step.REMOVED:
            return now, made
        return await self._onwards(session, repository, now, restart), made

    async def _onwards(
        self, session: SessionRef, repository: UserRepository, now: str, restart: Restart
    ) -> str:
        """Where saved work goes on when its branch is still there: nothing on the branch may be left behind."""
        mirror = self._mirror(session.project)
        await mirror.fetch(str(repository.git.git_dir), f"refs/heads/{session.branch}", incoming(session.id))
        if await mirror.is_ancestor(now, restart.head):
            return restart.head
        if restart.files == restart.head and await mirror.is_ancestor(restart.head, now):
            return now
        msg = f"The branch {session.branch} has commits that the saved work does not have."
        raise Conflict(msg, session=session.id, next_step=f"Rename it: git branch -m {session.branch} <name>")

    async def _make_room(self, session: SessionRef, path: str, *, ours: bool) -> None:
        """Clear the way: what a crashed start of ours left is deleted, anything else is set aside."""
        folder, files = Path(path), files_of(session.project.folder)
        await files.run(folder.parent.mkdir, mode=0o700, parents=True, exist_ok=True)
        if ours:
            await trees_of(session.project.folder).run(delete_tree, folder)
        elif await files.run(_occupied, folder):
            await files.run(set_aside, folder)

    # Looking -------------------------------------------------------------------------------------

    @override
    async def observe(self, views: Collection[WorkspaceView]) -> Mapping[SessionId, Look[WorkspaceLook]]:
        projects = {view.session.project.id: view.session.project for view in views}
        known = dict(zip(projects, await asyncio.gather(*map(self._known, projects.values())), strict=True))
        looks = await asyncio.gather(*(self._look(view, known[view.session.project.id]) for view in views))
        return {view.session.id: look for view, look in zip(views, looks, strict=True)}

    async def _known(self, project: Project) -> tuple[UserRepository, Mapping[str, Registered]] | str:
        try:
            async with asyncio.timeout(_LOOK_LIMIT):
                await self._mirror(project).ensure()
                repository = await self._repository(project)
                return repository, await repository.worktrees()
        except TimeoutError:
            return f"{project.path} does not answer within {_LOOK_LIMIT:g} s."
        except (AoError, OSError) as error:
            return str(error)

    async def _look(
        self, view: WorkspaceView, known: tuple[UserRepository, Mapping[str, Registered]] | str
    ) -> Look[WorkspaceLook]:
        if isinstance(known, str):
            return Unseen(known)
        repository, registered = known
        try:
            async with self._looking, asyncio.timeout(_LOOK_LIMIT):
                record = await files_of(view.session.project.folder).run(records.read, view.session)
                if record is None or record.step in (Step.MAKING, Step.REMOVING, Step.REMOVED):
                    return Seen(WorkspaceLook(exists=False))
                return await self._look_at(view.session, record, repository, registered)
        except TimeoutError:
            return Unseen(f"{view.session.workspace} does not answer within {_LOOK_LIMIT:g} s.")
        except (AoError, OSError) as error:
            return Unseen(str(error))

    async def _look_at(
        self, session: SessionRef, record: Record, repository: UserRepository, known: Mapping[str, Registered]
    ) -> Look[WorkspaceLook]:
        look = self._view(session, record, repository)
        kind = await look.hand.kind(record.path)
        if kind != "folder":
            return Seen(WorkspaceLook(exists=False, detail=f"{record.path} is {kind or 'gone'}"))
        entry = known.get(await files_of(session.project.folder).run(os.path.realpath, record.path))
        head = await look.head() if entry is None or entry.broken else Head(entry.head, entry.branch)
        async with locked(Path(look.path)):
            sha = await look.point(head, incoming(session.id))
            await look.refresh()
            return Seen(WorkspaceLook(exists=True, head=sha, branch=head.branch, dirty=await look.dirty()))

    # Keeping and removing ------------------------------------------------------------------------

    @override
    async def save(self, session: SessionRef, place: Place) -> Saved | None:
        record = await files_of(session.project.folder).run(records.read, session)
        if record is None or record.step is not Step.READY:
            return None
        shot = await self._snapshot(session, record)
        return await (await self._rescuer(session.project)).save(session.id, shot, record.base_sha)

    async def _snapshot(self, session: SessionRef, record: Record) -> Snapshot:
        mirror = self._mirror(session.project)
        await mirror.ensure()
        repository = await self._repository(session.project)
        look = self._view(session, record, repository)
        kind = await look.hand.kind(record.path)
        async with locked(Path(look.path)):
            if kind == "folder":
                return await snapshot(
                    look, incoming(session.id), base=await mirror.newest_base(record.base, record.base_sha)
                )
            if kind:
                msg = f"{record.path} is a {kind}, not the workspace's folder: nothing was saved."
                raise PermanentError(msg, session=session.id)
            # The folder is gone, but the branch is in the user's repository.
            source, ref = str(repository.git.git_dir), f"refs/heads/{record.branch}"
            sha = (
                await mirror.fetch(source, ref, incoming(session.id))
                if await repository.branch(record.branch)
                else ""
            )
            return await Rescuer(mirror).of_commit(sha or record.base_sha, record.branch)

    @override
    async def remove(self, session: SessionRef, place: Place) -> None:
        record = await files_of(session.project.folder).run(records.read, session)
        if record is None or record.step is Step.REMOVED:
            return
        if record.step is Step.READY:
            shot = await self._snapshot(session, record)
            await (await self._rescuer(session.project)).refuse_unsaved(session.id, shot)
        await self._take_away(session, record, await self._repository(session.project))

    async def _take_away(self, session: SessionRef, record: Record, repository: UserRepository) -> None:
        """Remove files, registration and, with nothing but the base on it, the branch. Repeatable."""
        mirror = self._mirror(session.project)
        record = await self._keep(session, record, Step.REMOVING)
        await trees_of(session.project.folder).run(delete_tree, Path(record.path))
        async with repository.git.lock():
            await repository.unregister(record.path)
            gone = await self._drop_branch(repository, record, mirror)
            await repository.drop_bases()
        await self._view(session, record, repository).forget()
        await mirror.forget_incoming(session.id)
        if gone:
            await writes_of(session.project.folder).run(records.forget, session)
        else:
            await self._keep(session, record, Step.REMOVED)

    async def _drop_branch(self, repository: UserRepository, record: Record, mirror: Mirror) -> bool:
        now = await repository.branch(record.branch)
        if not now:
            return True
        free = all(w.branch != record.branch for w in (await repository.worktrees()).values())
        nothing = now == record.base_sha or await mirror.is_ancestor(
            now, await mirror.newest_base(record.base, record.base_sha)
        )
        if not (record.made_branch and free and nothing):
            return False
        await repository.delete_branch(record.branch, now)
        return True

    # Parts ---------------------------------------------------------------------------------------

    async def _repository(self, project: Project) -> UserRepository:
        return await UserRepository.open(project.path, self._template)

    def _view(self, session: SessionRef, record: Record, repository: UserRepository) -> View:
        target = Target(
            work_tree=record.path,
            git_dir=record.git_dir,
            exclude=repository.exclude,
            links=session.project.symlinks,
        )
        return View(HostHand(self._mirror(session.project)), session.id, target)

    def _path(self, session: SessionRef, place: Place) -> str:
        if not self._root:
            return f"{place.workspaces}/{session.id}"
        root = self._root.replace("{project}", session.project.id)
        return str(Path(root).expanduser() / session.id)

    async def _keep(self, session: SessionRef, record: Record, step: Step) -> Record:
        return await writes_of(session.project.folder).run(records.write, session, replace(record, step=step))


def _same(one: str, other: str) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)


def _occupied(path: Path) -> bool:
    """Something stands there that git would not take for an empty folder."""
    if path.is_symlink() or (path.exists() and not path.is_dir()):
        return True
    return path.is_dir() and any(path.iterdir())


def _create(options: Options, context: PluginContext) -> Workspace:
    del context
    return WorktreeWorkspace(WorktreeOptions.model_validate(options.model_dump()))


PLUGIN = Plugin(
    slot=WORKSPACE,
    name="worktree",
    summary="Linked worktrees of your repository: quick and small; sessions share one repository.",
    create=_create,
    options=WorktreeOptions,
    needs=("git",),
)
