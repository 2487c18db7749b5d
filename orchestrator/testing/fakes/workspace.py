"""Workspaces in memory, for tests of whatever uses them. No git: a commit is a snapshot of the files."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from typing_extensions import override

from orchestrator.domain.ids import SessionId
from orchestrator.domain.look import Look, Seen, Unseen
from orchestrator.domain.project import Project
from orchestrator.domain.session import Rescue
from orchestrator.errors import AoError, Conflict, NotFound, PermanentError
from orchestrator.ports.place import Place
from orchestrator.ports.rescue import Rescues
from orchestrator.ports.session_ref import SessionRef
from orchestrator.ports.workspace import Base, Foresees, Made, Saved, Workspace, WorkspaceLook, WorkspaceView
from orchestrator.testing.fakes.place import FakePlace

Files = dict[str, bytes]
IGNORED = "ignored.txt"
"""The one file that never counts as work."""
_FIRST: Files = {"README.md": b"# Demo\n"}


@dataclass(slots=True)
class FakeTree:
    """One workspace: where it is and where its HEAD stands."""

    project: str
    branch: str
    path: str
    head: str
    place: Place
    prepared: bool = False


@dataclass(frozen=True, slots=True)
class _Commit:
    files: Files
    parent: str = ""


@dataclass(slots=True)
class _Kept:
    project: str
    saved: Saved
    head: str
    files: Files
    patch: str = ""


@dataclass(slots=True)
class FakeHistory:
    """What the world sees of the fake: commits, and what was saved."""

    commits: dict[str, _Commit] = field(default_factory=dict)
    kept: dict[str, _Kept] = field(default_factory=dict)
    """By rescue ref."""
    serials: dict[SessionId, int] = field(default_factory=dict)


class FakeWorkspace(Workspace, Rescues, Foresees):
    """Files lie in the session's place; `edit` and `commit` are an agent's hands.

    `pushed` are commits that the forge has, `forge` gives more of them. `fail_next` makes the next call
    of a name fail, `gates` lets calls of a name wait; `unreadable` gives a reason for sessions that cannot
    be looked at.
    """

    def __init__(self, forge: Callable[[], Collection[str]] = tuple) -> None:
        self.trees: dict[SessionId, FakeTree] = {}
        self.history = FakeHistory()
        self.pushed: set[str] = set()
        self.unreadable: dict[SessionId, str] = {}
        self.gates: dict[str, asyncio.Event] = {}
        self.taken: set[tuple[str, str]] = set()
        """Project and name of branches that are there already."""
        self.calls: list[str] = []
        """The calls that were made, by name."""
        self._forge = forge
        self._failures: dict[str, list[AoError]] = {}

    # What a test says -----------------------------------------------------------------------------

    def fail_next(self, call: str, error: AoError) -> None:
        """Let the next call of this name (`create`, `save`, ...) fail; `observe` then sees nothing."""
        self._failures.setdefault(call, []).append(error)

    async def edit(self, session: SessionId, name: str, text: str) -> None:
        """The agent writes a file."""
        tree = self.trees[session]
        await tree.place.write(f"{tree.path}/{name}", text.encode())

    async def commit(self, session: SessionId, name: str = "", text: str = "") -> str:
        """The agent commits everything, with one more file if it is named. Returns the commit."""
        if name:
            await self.edit(session, name, text)
        tree = self.trees[session]
        tree.head = self._new_commit(await _work_files(tree), tree.head)
        self._export(tree)
        return tree.head

    def files_of(self, commit: str) -> Files:
        """The files of a commit; none of one that is not there."""
        known = self.history.commits.get(commit)
        return known.files if known else {}

    # The port -------------------------------------------------------------------------------------

    @override
    async def create(self, session: SessionRef, place: Place, base: Base, start: str = "") -> Made:
        await self._call("create")
        for owner, tree in self.trees.items():
            if owner != session.id and tree.branch == session.branch and tree.project == session.project.id:
                msg = f"The branch {session.branch} belongs to {owner}."
                raise Conflict(msg, session=session.id)
        path = f"{place.workspaces}/{session.id}"
        tree = self.trees.setdefault(
            session.id,
            FakeTree(
                project=session.project.id, branch=session.branch, path=path, head=base.sha, place=place
            ),
        )
        self.history.commits.setdefault(base.sha, _Commit(_FIRST))
        if not tree.prepared:
            await self._prepare(tree, session, start)
        self._export(tree)
        return Made(path=tree.path, branch=tree.branch, head=tree.head)

    async def _prepare(self, tree: FakeTree, session: SessionRef, start: str) -> None:
        kept = next((k for k in self.history.kept.values() if k.saved.commit == start), None)
        if kept is not None:
            tree.head, files = kept.head, kept.files
        else:
            if start and start not in self.history.commits:
                msg = f"{start} is not in the mirror."
                raise NotFound(msg)
            tree.head = start or tree.head
            files = self.history.commits[tree.head].files
        for name, data in files.items():
            await tree.place.write(f"{tree.path}/{name}", data)
        for command in session.project.post_create:
            done = await tree.place.run(("/bin/sh", "-c", command), cwd=tree.path)
            if not done.ok:
                msg = f"{command!r} failed: {done.error_text()}"
                raise PermanentError(msg, session=session.id)
        tree.prepared = True

    @override
    async def refuse_branch(self, project: Project, branch: str) -> None:
        if (project.id, branch) in self.taken:
            msg = f"The branch {branch} exists already."
            raise Conflict(msg, next_step="Rename it.")

    @override
    async def observe(self, views: Collection[WorkspaceView]) -> Mapping[SessionId, Look[WorkspaceLook]]:
        try:
            await self._call("observe")
        except AoError as error:
            return {view.session.id: Unseen(error.what) for view in views}
        return {view.session.id: await self._look(view.session.id) for view in views}

    @override
    async def save(self, session: SessionRef, place: Place) -> Saved | None:
        await self._call("save")
        tree = self.trees.get(session.id)
        if tree is None:
            return None
        files = await _work_files(tree)
        changed = self._changed(tree, files)
        commits = self._unpushed(tree.head)
        # What failed preparation left behind is nobody's work.
        if not tree.prepared or not (changed or commits):
            return None
        for kept in self.history.kept.values():
            if kept.saved.ref.split("/")[3] == session.id and (kept.head, kept.files) == (tree.head, files):
                return kept.saved
        number = self.history.serials.get(session.id, 0) + 1
        self.history.serials[session.id] = number
        saved = Saved(
            ref=f"refs/ao/rescue/{session.id}/{number}",
            commit=_sha("rescue", tree.head, repr(sorted(files.items()))),
            files=len(changed),
            commits=commits,
            ignored=int(await _exists(tree, IGNORED)),
        )
        patch = "".join(f"+{files.get(name, b'').decode(errors='replace')}" for name in changed)
        self.history.kept[saved.ref] = _Kept(session.project.id, saved, tree.head, files, patch)
        return saved

    @override
    async def remove(self, session: SessionRef, place: Place) -> None:
        await self._call("remove")
        tree = self.trees.get(session.id)
        if tree is None:
            return
        files = await _work_files(tree)
        has_work = tree.prepared and (self._changed(tree, files) or self._unpushed(tree.head))
        kept = any((k.head, k.files) == (tree.head, files) for k in self.history.kept.values())
        if has_work and not kept:
            msg = "It holds work that is saved nowhere."
            raise Conflict(msg, session=session.id)
        await tree.place.remove(tree.path)
        del self.trees[session.id]

    @override
    async def rescues(self, project: Project) -> Sequence[Rescue]:
        found = [kept for kept in self.history.kept.values() if kept.project == project.id]
        return [
            Rescue(ref=k.saved.ref, commit=k.saved.commit, at=0.0, summary=_words(k.saved))
            for k in reversed(found)
        ]

    @override
    async def show(self, project: Project, ref: str) -> str:
        return self._kept(project, ref).patch

    @override
    async def drop(self, project: Project, ref: str) -> None:
        self._kept(project, ref)
        del self.history.kept[ref]

    # Inside ---------------------------------------------------------------------------------------

    def _kept(self, project: Project, ref: str) -> _Kept:
        kept = self.history.kept.get(ref)
        if kept is None or kept.project != project.id:
            msg = f"There is no saved work {ref}."
            raise NotFound(msg)
        return kept

    async def _look(self, session: SessionId) -> Look[WorkspaceLook]:
        if session in self.unreadable:
            return Unseen(self.unreadable[session])
        tree = self.trees.get(session)
        if tree is None:
            return Seen(WorkspaceLook(exists=False))
        dirty = len(self._changed(tree, await _work_files(tree)))
        return Seen(WorkspaceLook(exists=True, head=tree.head, branch=tree.branch, dirty=dirty))

    def add_commit(self, files: Files, sha: str = "") -> str:
        """A commit that nobody made in a workspace is in the mirror, under the name it is given."""
        sha = sha or _sha("commit", "", repr(sorted(files.items())))
        self.history.commits[sha] = _Commit(files)
        return sha

    def _new_commit(self, files: Files, parent: str) -> str:
        sha = _sha("commit", parent, repr(sorted(files.items())))
        self.history.commits[sha] = _Commit(files, parent)
        return sha

    def _changed(self, tree: FakeTree, files: Files) -> list[str]:
        before = self.history.commits[tree.head].files
        return sorted(name for name in before.keys() | files.keys() if before.get(name) != files.get(name))

    def _unpushed(self, head: str) -> int:
        """Commits that neither the forge nor the base has."""
        safe = self.pushed | set(self._forge())
        count = 0
        while head not in safe and (parent := self.history.commits[head].parent):
            count += 1
            head = parent
        return count

    def _export(self, tree: FakeTree) -> None:
        if isinstance(tree.place, FakePlace):
            tree.place.exports[tree.path, f"refs/heads/{tree.branch}"] = f"fake:{tree.head}"

    async def _call(self, name: str) -> None:
        self.calls.append(name)
        if name in self.gates:
            await self.gates[name].wait()
        waiting = self._failures.get(name)
        if waiting:
            raise waiting.pop(0)


async def _work_files(tree: FakeTree) -> Files:
    """Every file of a workspace that counts, by its path in it."""
    found: Files = {}
    folders = [tree.path]
    while folders:
        folder = folders.pop()
        for entry in await tree.place.list(folder):
            path = f"{folder}/{entry.name}"
            if entry.kind == "folder":
                folders.append(path)
            elif entry.name != IGNORED:
                found[path.removeprefix(f"{tree.path}/")] = await tree.place.read(path)
    return found


async def _exists(tree: FakeTree, name: str) -> bool:
    return any(entry.name == name for entry in await tree.place.list(tree.path))


def _sha(*parts: str) -> str:
    return hashlib.sha1("\0".join(parts).encode(), usedforsecurity=False).hexdigest()


def _words(saved: Saved) -> str:
    parts = ((saved.files, "changed file"), (saved.commits, "unpushed commit"))
    return ", ".join(f"{count} {noun}{'s' * (count != 1)}" for count, noun in parts if count)
