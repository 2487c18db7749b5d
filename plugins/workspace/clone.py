"""Workspace `clone`: a repository of its own for each session, in any place.

What the base needs is written into the place as a bundle and cloned there, so the place need not
reach this host's files or a forge. Sessions cannot touch each other's branches, nor the user's
repository. The clone has no remote: what it makes is fetched from it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path

from typing_extensions import override

from orchestrator.domain.ids import SessionId, branch_name
from orchestrator.domain.look import Look, Seen, Unseen
from orchestrator.errors import AoError, PermanentError
from orchestrator.ports.place import Place, SharesHost
from orchestrator.ports.plugin import Options, Plugin, PluginContext
from orchestrator.ports.session_ref import SessionRef
from orchestrator.ports.workspace import WORKSPACE, Base, Made, Saved, Workspace, WorkspaceLook, WorkspaceView
from plugins._shared import preparation
from plugins._shared import workspace_record as records
from plugins._shared.durations import seconds
from plugins._shared.git import Git, failure
from plugins._shared.given_branch import GivenBranches
from plugins._shared.hand import Hand, HostHand, PlaceHand
from plugins._shared.mirror import base_ref, incoming, tips
from plugins._shared.repository_lock import locked
from plugins._shared.rescue import Rescuer, Restart
from plugins._shared.snapshot import Snapshot, snapshot
from plugins._shared.threads import files_of, writes_of
from plugins._shared.view import Target, View
from plugins._shared.workspace_record import Record, Step

_LOOKS_AT_ONCE = 4
_LOOK_LIMIT = 12.0
"""Seconds for one look: one that hangs must leave the others their time."""
_TIPS_AT_MOST = 100


class CloneOptions(Options):
    """The project's `workspace` block."""

    post_create_timeout: str = "10m"
    """How long each `postCreate` command may take: `90s`, `10m`, `1h`."""


class CloneWorkspace(GivenBranches, Workspace):
    """Clones below the place's `workspaces`."""

    def __init__(self, options: CloneOptions, *, git: Git | None = None) -> None:
        super().__init__(git or Git(Path("/")))
        self._limit = seconds(options.post_create_timeout, "postCreateTimeout")
        self._looking = asyncio.Semaphore(_LOOKS_AT_ONCE)

    # Making --------------------------------------------------------------------------------------

    @override
    async def create(self, session: SessionRef, place: Place, base: Base, start: str = "") -> Made:
        branch_name(session.branch)
        if session.project.symlinks and not _shares_host(place):
            msg = "`symlinks` cannot reach this host's files from there; use the workspace `copy` with `include`."
            raise PermanentError(msg, session=session.id)
        mirror = self._mirror(session.project)
        await mirror.ensure()
        record = await files_of(session.project.folder).run(records.read, session)
        if record is not None and record.step is Step.REMOVING:
            await self._take_away(session, place, record)
            record = None
        restart = await Rescuer(mirror).restart(start) if start else Restart(base.sha, base.sha, given=False)
        if record is None or record.step is Step.MAKING:
            record = await self._clone(session, place, base, restart)
        if record.step is Step.FILLING:
            await preparation.check_out(place, record.path, restart.files if start else "HEAD")
            record = await self._keep(session, record, Step.PREPARING)
        if record.step is Step.PREPARING:
            await preparation.link_shared(place, record.path, session.project)
            await self.bring_files(session, place, record.path)
            await preparation.run_commands(place, record.path, session.project.post_create, self._limit)
            record = await self._keep(session, record, Step.READY)
        head = await (await self._view(session, place, record)).head()
        return Made(path=record.path, branch=head.branch or record.branch, head=head.sha)

    async def bring_files(self, session: SessionRef, place: Place, path: str) -> None:
        """Bring more than the repository has into the workspace; a clone brings nothing."""

    async def _clone(self, session: SessionRef, place: Place, base: Base, restart: Restart) -> Record:
        path = f"{place.workspaces}/{session.id}"
        record = await files_of(session.project.folder).run(records.read, session)
        if record is None and await _entries(place, path):
            msg = f"{path} is not empty, and this session did not make it."
            raise PermanentError(msg, session=session.id, next_step="Move it away, then try again.")
        record = Record(
            session=session.id,
            path=path,
            branch=session.branch,
            base=base.branch,
            base_sha=base.sha,
            git_dir=f"{path}/.git",
            step=Step.MAKING,
        )
        await writes_of(session.project.folder).run(records.write, session, record)
        await place.remove(path)  # What a start left that came no further than this: nobody worked there.
        bundle = f"{place.folder}/start.bundle"
        await place.write(bundle, await self._bundle(session, base, restart))
        try:
            await self._unbundle(place, record, bundle, restart)
        finally:
            await place.remove(bundle)
        return await self._keep(session, record, Step.FILLING)

    async def _bundle(self, session: SessionRef, base: Base, restart: Restart) -> bytes:
        """The base and the start, under names of their own, with their history."""
        mirror = self._mirror(session.project)
        names = {
            f"refs/ao/start/{session.id}/base": base.sha,
            f"refs/ao/start/{session.id}/files": restart.files,
        }
        await mirror.update_refs({name: (sha, None) for name, sha in names.items()})
        try:
            return await mirror.bundle(list(names))
        finally:
            await mirror.update_refs(dict.fromkeys(names, ("", None)))

    async def _unbundle(self, place: Place, record: Record, bundle: str, restart: Restart) -> None:
        names = f"refs/ao/start/{record.session}"
        await _git(place, place.folder, "init", "--quiet", "--template=", "--", record.path)
        await _git(
            *(place, record.path, "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--", bundle),
            *(f"+{names}/base:{base_ref(record.base)}", f"+{names}/files:refs/ao/start"),
        )
        await _git(place, record.path, "update-ref", f"refs/heads/{record.branch}", restart.head)
        await _git(place, record.path, "symbolic-ref", "HEAD", f"refs/heads/{record.branch}")

    # Looking -------------------------------------------------------------------------------------

    @override
    async def observe(self, views: Collection[WorkspaceView]) -> Mapping[SessionId, Look[WorkspaceLook]]:
        looks = await asyncio.gather(*(self._look(view) for view in views))
        return {view.session.id: look for view, look in zip(views, looks, strict=True)}

    async def _look(self, view: WorkspaceView) -> Look[WorkspaceLook]:
        try:
            async with self._looking, asyncio.timeout(_LOOK_LIMIT):
                record = await files_of(view.session.project.folder).run(records.read, view.session)
                if record is None or record.step in (Step.MAKING, Step.REMOVING):
                    return Seen(WorkspaceLook(exists=False))
                if await _kind(view.place, record.path) != "folder":
                    return Seen(WorkspaceLook(exists=False, detail=f"{record.path} is no folder any more"))
                look = await self._view(view.session, view.place, record)
                async with locked(Path(look.path)):
                    head = await look.head()
                    sha = await look.point(head, incoming(view.session.id))
                    await look.refresh()
                    dirty = await look.dirty()
                return Seen(WorkspaceLook(exists=True, head=sha, branch=head.branch, dirty=dirty))
        except TimeoutError:
            return Unseen(f"{view.session.workspace} does not answer within {_LOOK_LIMIT:g} s.")
        except (AoError, OSError) as error:
            return Unseen(str(error))

    # Keeping and removing ------------------------------------------------------------------------

    @override
    async def save(self, session: SessionRef, place: Place) -> Saved | None:
        record = await files_of(session.project.folder).run(records.read, session)
        if record is None or record.step is not Step.READY or not await _kind(place, record.path):
            return None
        shot = await self._snapshot(session, place, record)
        return await (await self._rescuer(session.project)).save(session.id, shot, record.base_sha)

    async def _snapshot(self, session: SessionRef, place: Place, record: Record) -> Snapshot:
        kind = await _kind(place, record.path)
        if kind != "folder":
            msg = f"{record.path} is a {kind}, not the workspace's folder: nothing was saved."
            raise PermanentError(msg, session=session.id)
        mirror = self._mirror(session.project)
        await mirror.ensure()
        look = await self._view(session, place, record)
        async with locked(Path(look.path)):
            others = await self._tips(look, session)
            known = await mirror.newest_base(record.base, record.base_sha)
            shot = await snapshot(look, incoming(session.id), base=known, tips=others)
            await look.run("update-ref", "refs/ao/snapshot", shot.commit)
            async with look.hand.deliver("refs/ao/snapshot") as source:
                if source:
                    await mirror.fetch(
                        source, "refs/ao/snapshot", f"{incoming(session.id)}.0", expect=shot.commit
                    )
            return shot

    async def _tips(self, look: View, session: SessionRef) -> list[str]:
        """Commits on other branches, tags and in the stash: the clone goes away as a whole."""
        below = tips(session.id)
        wanted = {
            "refs/heads/*": f"{below}heads/*",
            "refs/tags/*": f"{below}tags/*",
            "refs/stas*": f"{below}stas*",
        }
        await look.hand.fetch_all(look.target.git_dir, wanted)
        head = await look.point(await look.head(), incoming(session.id))
        listed = await look.hand.git(
            *(look.hand.store, "for-each-ref", "--format=%(objectname) %(*objectname)"),
            *([f"--no-merged={head}"] if head else []),
            below,
        )
        if not listed.ok:
            raise failure(listed, what="The clone's branches could not be listed")
        names = list(dict.fromkeys(line.split()[-1] for line in listed.text().splitlines()))
        if len(names) > _TIPS_AT_MOST:
            msg = f"The clone has {len(names)} branches and tags with commits; at most {_TIPS_AT_MOST} are saved."
            raise PermanentError(msg, session=session.id, next_step="Delete those that hold nothing.")
        return names

    @override
    async def remove(self, session: SessionRef, place: Place) -> None:
        record = await files_of(session.project.folder).run(records.read, session)
        if record is None:
            return
        if record.step is Step.READY and await _kind(place, record.path):
            shot = await self._snapshot(session, place, record)
            await (await self._rescuer(session.project)).refuse_unsaved(session.id, shot)
        await self._take_away(session, place, record)

    async def _take_away(self, session: SessionRef, place: Place, record: Record) -> None:
        await self._keep(session, record, Step.REMOVING)
        look = await self._view(session, place, record)
        await place.remove(record.path)
        await look.forget()
        await self._mirror(session.project).forget_incoming(session.id)
        await writes_of(session.project.folder).run(records.forget, session)

    # Parts ---------------------------------------------------------------------------------------

    async def _view(self, session: SessionRef, place: Place, record: Record) -> View:
        hand: Hand
        if _shares_host(place):
            hand = HostHand(self._mirror(session.project))
        else:
            hand = PlaceHand(place)
            await hand.ensure(f"{record.git_dir}/objects")
        target = Target(
            work_tree=record.path,
            git_dir=record.git_dir,
            exclude=f"{record.git_dir}/info/exclude",
            links=session.project.symlinks,
        )
        return View(hand, session.id, target)

    async def _keep(self, session: SessionRef, record: Record, step: Step) -> Record:
        return await writes_of(session.project.folder).run(records.write, session, replace(record, step=step))


def _shares_host(place: Place) -> bool:
    return isinstance(place, SharesHost) and place.shares_host


async def _kind(place: Place, path: str) -> str:
    folder, _, name = path.rpartition("/")
    return next((entry.kind for entry in await place.list(folder) if entry.name == name), "")


async def _entries(place: Place, path: str) -> bool:
    kind = await _kind(place, path)
    return bool(kind) and (kind != "folder" or bool(await place.list(path)))


async def _git(place: Place, cwd: str, *args: str) -> None:
    done = await place.run(("git", *args), cwd=cwd, timeout=preparation.CHECKOUT_TIMEOUT)
    if not done.ok:
        msg = f"The clone could not be made (git {args[0]}): {done.error_text()}"
        raise PermanentError(msg)


def _create(options: Options, context: PluginContext) -> Workspace:
    del context
    return CloneWorkspace(CloneOptions.model_validate(options.model_dump()))


PLUGIN = Plugin(
    slot=WORKSPACE,
    name="clone",
    summary="A repository of its own for each session, in any place.",
    create=_create,
    options=CloneOptions,
    needs=("git",),
)
