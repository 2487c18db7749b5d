"""Saved work in our mirror: `refs/ao/rescue/<session>/<n>`, each a commit that says whose it is.

A rescue commit's tree is the files as they were; its first parent is where HEAD stood, further
parents are what else would have been lost. So `git log`, `git diff` and a restore need nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from typing_extensions import override

from orchestrator.domain.ids import SessionId
from orchestrator.domain.project import Project
from orchestrator.domain.session import Rescue
from orchestrator.errors import Conflict, NotFound
from orchestrator.ports.rescue import Rescues
from orchestrator.ports.workspace import Saved
from plugins._shared.git import IDENTITY, Git
from plugins._shared.mirror import Mirror, outgoing
from plugins._shared.snapshot import Snapshot

_PREFIX = "refs/ao/rescue/"
_REF = re.compile(r"refs/ao/rescue/([a-z0-9_-]+)/([0-9]+)")
_EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
_SHOWN = 100_000


@dataclass(frozen=True, slots=True)
class Work:
    """What a snapshot holds that neither the base nor the forge has."""

    files: int
    commits: int
    nested: int

    @property
    def any(self) -> bool:
        """There is something to lose."""
        return bool(self.files or self.commits or self.nested)

    def words(self) -> str:
        """`3 changed files, 1 unpushed commit`."""
        parts = (
            (self.files, "changed file"),
            (self.commits, "unpushed commit"),
            (self.nested, "nested repository"),
        )
        named = (f"{count} {noun if count == 1 else _plural(noun)}" for count, noun in parts if count)
        return ", ".join(named) or "nothing"


def _plural(noun: str) -> str:
    return f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"


@dataclass(frozen=True, slots=True)
class Restart:
    """Where a workspace starts that goes on from saved work."""

    head: str
    files: str
    """Commit whose tree the files are, where it is not `head`'s: uncommitted work."""
    given: bool = True
    """Somebody said that it starts there; else it is just the base."""


class Rescuer:
    """Judges snapshots against what is safe elsewhere, and keeps them under refs."""

    def __init__(self, mirror: Mirror) -> None:
        self._mirror = mirror
        self._git = mirror.git

    async def work(self, session: SessionId, shot: Snapshot) -> Work:
        """What would be lost if the workspace went away now."""
        safe = [*(await self._mirror.refs("refs/ao/base/")).values()]
        safe += (await self._mirror.refs(outgoing(session))).values()
        own = [sha for sha in (shot.head, *shot.tips) if sha]
        commits = await self._mirror.count(own, safe) if own else 0
        changed = await self._git.run(
            *("diff-tree", "-r", "-z", "--name-only", "--no-renames", "--ignore-submodules=none"),
            *(shot.head or _EMPTY_TREE, shot.commit),
        )
        return Work(changed.stdout.count(b"\0"), commits, len(shot.nested))

    async def kept(self, session: SessionId, shot: Snapshot) -> str:
        """The rescue ref that holds exactly this snapshot; empty when none does."""
        mine = await self._shape(shot.commit)
        for ref, commit in (await self._mirror.refs(f"{_PREFIX}{session}/")).items():
            if await self._shape(commit) == mine:
                return ref
        return ""

    async def of_commit(self, commit: str, branch: str) -> Snapshot:
        """The snapshot of a workspace whose files are gone and whose branch is at `commit`."""
        copy = await self._mirror.commit(f"{commit}^{{tree}}", (commit,), "Work of a session\n")
        return Snapshot(commit=copy, head=commit, branch=branch)

    async def save(self, session: SessionId, shot: Snapshot, base: str) -> Saved | None:
        """Keep what the snapshot holds that is nowhere else; None when there is nothing."""
        work = await self.work(session, shot)
        return await self.keep(session, shot, work, base) if work.any else None

    async def refuse_unsaved(self, session: SessionId, shot: Snapshot) -> None:
        """Raise `Conflict` when the snapshot holds work that is nowhere else and not kept."""
        work = await self.work(session, shot)
        if work.any and not await self.kept(session, shot):
            msg = f"The workspace holds work that was not saved: {work.words()}."
            raise Conflict(msg, session=session)

    async def _shape(self, commit: str) -> str:
        return await self._git.text("log", "-1", "--no-show-signature", "--format=%T %P", commit, "--")

    async def keep(self, session: SessionId, shot: Snapshot, work: Work, base: str) -> Saved:
        """Put a snapshot under a ref; one that is kept already is returned as it is."""
        ref = await self.kept(session, shot)
        if not ref:
            ref = await self._new(session, shot, work, base)
        commit = await self._mirror.resolve(ref)
        return Saved(
            ref=ref,
            commit=commit,
            files=work.files,
            commits=work.commits,
            ignored=shot.ignored,
            notes=shot.notes,
        )

    async def _new(self, session: SessionId, shot: Snapshot, work: Work, base: str) -> str:
        lines = [
            f"{session}: {work.words()}",
            "",
            *shot.notes,
            *([""] if shot.notes else []),
            f"AO-Session: {session}",
            f"AO-Branch: {shot.branch or '(detached)'}",
            f"AO-Base: {base or '(none)'}",
            f"AO-Head: {shot.head or '(none)'}",
        ]
        parents = (await self._git.text("log", "-1", "--format=%P", shot.commit, "--")).split()
        commit = await self._mirror.commit(f"{shot.commit}^{{tree}}", parents, "\n".join(lines) + "\n")
        taken = (_REF.fullmatch(ref) for ref in await self._mirror.refs(f"{_PREFIX}{session}/"))
        number = max((int(match[2]) for match in taken if match), default=0) + 1
        ref = f"{_PREFIX}{session}/{number}"
        await self._mirror.update_ref(ref, commit, "")
        return ref

    async def restart(self, commit: str) -> Restart:
        """What starting from a commit means: a rescue's files come back uncommitted on its HEAD."""
        fields = "%an <%ae>%x00%P%x00%(trailers:key=AO-Head,valueonly,separator=%x20)"
        who, parents, head = (await self._git.text("log", "-1", f"--format={fields}", commit, "--")).split(
            "\0"
        )
        ours = who == f"{IDENTITY[0]} <{IDENTITY[1]}>"
        if ours and head and head in parents.split():
            return Restart(head, commit)
        return Restart(commit, commit)

    async def all(self) -> Sequence[Rescue]:
        """All saved work in this mirror, newest first."""
        fields = "%(refname)%00%(objectname)%00%(committerdate:unix)%00%(contents:subject)"
        listed = await self._git.text("for-each-ref", "--sort=-committerdate", f"--format={fields}", _PREFIX)
        rows = (line.split("\0") for line in listed.splitlines())
        return [
            Rescue(ref=ref, commit=sha, at=float(at), summary=subject.partition(": ")[2] or subject)
            for ref, sha, at, subject in rows
        ]

    async def show(self, ref: str) -> str:
        """The commits and the change under a rescue ref, bounded. Outside text."""
        commit = await self._find(ref)
        message = await self._git.text("log", "-1", "--format=%B", commit, "--")
        base = (re.findall(r"^AO-Base: ([0-9a-f]{40,64})$", message, re.MULTILINE) or [""])[-1]
        start = await self._mirror.merge_base(base, commit) if base else ""
        log = await self._git.text(
            *("log", "--oneline", "--no-decorate", "--max-count=50", "--first-parent", commit),
            *([f"^{start}"] if start else []),
            "--",
        )
        diff = await self._git.run(
            *("diff-tree", "-r", "-p", "--stat", "--no-ext-diff", "--no-textconv", "--no-color"),
            *(start or _EMPTY_TREE, commit),
        )
        text = f"{message.strip()}\n\n{log}\n\n{diff.text()}"
        return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}\n... ({len(text) - _SHOWN} more characters)"

    async def drop(self, ref: str) -> None:
        """Forget a rescue. Raises `NotFound`."""
        commit = await self._find(ref)
        try:
            await self._mirror.delete_ref(ref, commit)
        except Conflict as error:
            msg = f"{ref} changed while it was dropped."
            raise NotFound(msg) from error

    async def _find(self, ref: str) -> str:
        if not _REF.fullmatch(ref):
            msg = f"{ref!r} is no saved work: it looks like {_PREFIX}demo-1/1."
            raise NotFound(msg)
        return await self._mirror.resolve(ref)


class MirrorRescues(Rescues):
    """The part of a workspace plugin that is the same for all that keep saved work in the mirror."""

    def __init__(self, template: Git) -> None:
        self._template = template

    def _mirror(self, project: Project) -> Mirror:
        return Mirror(project.mirror, replace(self._template, git_dir=project.mirror))

    async def _rescuer(self, project: Project) -> Rescuer:
        mirror = self._mirror(project)
        await mirror.ensure()
        return Rescuer(mirror)

    @override
    async def rescues(self, project: Project) -> Sequence[Rescue]:
        return await (await self._rescuer(project)).all()

    @override
    async def show(self, project: Project, ref: str) -> str:
        return await (await self._rescuer(project)).show(ref)

    @override
    async def drop(self, project: Project, ref: str) -> None:
        await (await self._rescuer(project)).drop(ref)
