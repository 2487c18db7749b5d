"""The local forge's repository: a bare one of ours beside the user's, in which pull requests live.

Refs are the truth about commits, and change in transactions:

    refs/heads/<branch>             what the forge shows: base branches, and what sessions published
    refs/ao/pulls/<n>/<session>     head of pull request n, and whose it is; kept when its branch goes
    refs/ao/published/<session>     what was last published for a session: only that may be replaced
    refs/ao/merged/<n>              the commit that merged n, set together with the base branch
    refs/ao/user/<branch>           the branch as last seen in the user's repository, which is only read
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from orchestrator.domain import diff_notes
from orchestrator.domain.ids import SessionId, branch_name, short_sha
from orchestrator.domain.project import Project
from orchestrator.errors import AoError, Conflict, NotFound, PermanentError
from plugins._shared.mirror import Mirror, base_ref, incoming, outgoing
from plugins._shared.threads import files_of

_STANDINGS = 4096
MOST_LINES = 5_000
"""Changed lines of a head that are still looked through."""


def head_ref(branch: str) -> str:
    """The full name of a branch."""
    return f"refs/heads/{branch}"


def pull_ref(number: int, session: str) -> str:
    """Where the head of a pull request lies, marked with the session that it belongs to."""
    return f"refs/ao/pulls/{number}/{session}"


def published_ref(session: str) -> str:
    """Where the commit lies that was last published for a session."""
    return f"refs/ao/published/{session}"


def merged_ref(number: int) -> str:
    """Where the commit lies that merged a pull request."""
    return f"refs/ao/merged/{number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a head stands to its base."""

    conflicts: tuple[str, ...] = ()
    behind: bool = False
    contained: bool = False
    """The base holds the head already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much a head changes."""

    additions: int = 0
    deletions: int = 0
    files: int = 0
    notes: tuple[str, ...] = ()
    """What a person should know of it before a merge."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseSync:
    """A base branch after it took what is new in the user's repository."""

    sha: str
    note: str = ""
    """What a person should know: both have moved, or the user's repository could not be read."""


class LocalForge:
    """The bare repository of one project, and how it meets the mirror and the user's repository."""

    def __init__(self, project: Project, repository: Path) -> None:
        self.project = project
        self.repository = Mirror(repository)
        self.mirror = Mirror(project.mirror)
        self._made = False
        self._standings: dict[tuple[str, str], Standing] = {}

    async def refs(self) -> dict[str, str]:
        """All refs of the forge, in one call; none before it is made."""
        if not self._made:
            self._made = await files_of(self.repository.path.parent).run(
                (self.repository.path / "HEAD").exists
            )
        return await self.repository.refs("refs") if self._made else {}

    async def tidy(self) -> None:
        """Pack the refs: thousands of small files would make every look slow."""
        if await self.refs():
            async with self.repository.git.lock():
                await self.repository.git.run("pack-refs", "--all")

    # The base --------------------------------------------------------------------------------------

    async def base(self, branch: str) -> BaseSync:
        """Take the user's new commits into a base branch, and bring it into our mirror.

        Raises `NotFound` when the branch is nowhere, `PermanentError` for a repository without commits.
        """
        await self.mirror.ensure()
        synced = await self.sync(branch)
        await self.mirror.fetch(str(self.repository.path), head_ref(branch), base_ref(branch))
        return synced

    async def sync(self, branch: str) -> BaseSync:
        """Fast-forward the forge's base branch to the user's. When both moved, the forge's stays."""
        branch_name(branch)
        await self.repository.ensure()
        ours = (await self.repository.refs(head_ref(branch))).get(head_ref(branch), "")
        try:
            theirs = await self._of_user(branch)
        except AoError as error:
            if not ours:
                raise
            return BaseSync(sha=ours, note=f"The forge's {branch} was used: {error.what}")
        if not ours or (ours != theirs and await self.repository.is_ancestor(ours, theirs)):
            await self.repository.update_ref(head_ref(branch), theirs, old=ours)
            return BaseSync(sha=theirs)
        if ours == theirs or await self.repository.is_ancestor(theirs, ours):
            return BaseSync(sha=ours)
        return BaseSync(sha=ours, note=await self._diverged(branch, ours, theirs))

    async def _diverged(self, branch: str, ours: str, theirs: str) -> str:
        count = await self.repository.count([theirs], [ours])
        commits = f"{count} commit{'' if count == 1 else 's'} of {branch} in {self.project.path}"
        return (
            f"{branch} has moved in the forge too, so {commits} {'is' if count == 1 else 'are'} not in what work "
            f"starts from. To join them: `git pull --no-rebase {self.repository.path} {branch}`"
        )

    async def _of_user(self, branch: str) -> str:
        source, ref = str(self.project.path), head_ref(branch)
        try:
            return await self.repository.fetch(source, ref, f"refs/ao/user/{branch}")
        except NotFound as error:
            listed = await self.repository.git.ask("ls-remote", "--heads", "--", source)
            if not listed.ok:
                msg = f"{source} is no git repository that can be read."
                raise NotFound(msg) from error
            if not listed.stdout.strip():
                msg = f"{source} has no commits yet: there is nothing to start from."
                raise PermanentError(msg, next_step="Make a first commit.") from error
            msg = f"The branch {branch} is gone: neither {source} nor the forge has it."
            raise NotFound(msg) from error

    # Heads -----------------------------------------------------------------------------------------

    async def take_in(self, session: SessionId, source: str, branch: str, head: str) -> None:
        """Bring a session's head into the mirror. Raises `Conflict` when its branch is not at `head`."""
        await self.mirror.ensure()
        await self.mirror.fetch(source, head_ref(branch), incoming(session), expect=head)

    async def receive(self, session: SessionId, source: str, branch: str, head: str) -> None:
        """Bring a session's head into the mirror and from there into the forge; moves no branch.

        Raises `Conflict` when the session's branch is not at `head`.
        """
        await self.take_in(session, source, branch, head)
        await self.repository.ensure()
        await self.repository.fetch(str(self.mirror.path), incoming(session), incoming(session), expect=head)

    async def set_head(self, session: SessionId, branch: str, head: str, pull: str) -> None:
        """Move a session's branch to `head`, with the marks that belong to it.

        Forwards always; otherwise only from what was last published for this session. Raises
        `Conflict` when the branch has commits that neither `head` nor the session has.
        """
        refs = await self.refs()
        now = refs.get(head_ref(branch), "")
        mine = now in {"", head, refs.get(published_ref(session))}
        if not mine and not await self.repository.is_ancestor(now, head):
            msg = f"The forge's {branch} is at {short_sha(now)} and has commits that {short_sha(head)} does not have."
            raise Conflict(msg, next_step="Fetch and rebase onto it, or publish under another branch.")
        marks = {pull: (head, None)} if pull else {}
        await self.repository.update_refs(
            {head_ref(branch): (head, now), published_ref(session): (head, None), **marks}
        )

    async def tell_mirror(self, session: SessionId, head: str) -> None:
        """Note in the mirror what the forge has: saving work relies on it."""
        await self.mirror.update_ref(outgoing(session), head)

    async def show_mirror(self, number: int, branch: str, head: str) -> None:
        """Bring the head of a pull request into the mirror, for a workspace to start from."""
        await self.mirror.ensure()
        await self.mirror.fetch(
            str(self.repository.path), head_ref(branch), f"refs/ao/pulls/{number}", expect=head
        )

    async def size(self, base: str, head: str) -> Size:
        """How much a head changes since it left its base."""
        since = await self.repository.merge_base(base, head) or base
        text = await self.repository.git.text(
            *("diff-tree", "-r", "-z", "--numstat", "--no-renames", "--no-textconv", "--no-ext-diff"),
            *(since, head),
        )
        rows = [row.split("\t", 2) for row in text.split("\0") if row.count("\t") >= 2]
        numbers = [(int(plus), int(minus)) for plus, minus, _ in rows if plus != "-"]
        additions, deletions = (sum(column) for column in zip(*numbers, strict=True)) if numbers else (0, 0)
        notes: tuple[str, ...] = ("too large to look through for removed tests",)
        if additions + deletions <= MOST_LINES:
            patch = await self.repository.git.text(
                *(
                    "diff-tree",
                    "-r",
                    "-p",
                    "-U0",
                    "--no-renames",
                    "--no-textconv",
                    "--no-ext-diff",
                    "--no-color",
                ),
                *(since, head),
            )
            notes = diff_notes.notes(patch)
        return Size(additions=additions, deletions=deletions, files=len(rows), notes=notes)

    def known_standing(self, base: str, head: str) -> Standing | None:
        """How a head stands to a base, if that was worked out before."""
        return self._standings.get((base, head))

    async def standing(self, base: str, head: str) -> Standing:
        """How a head stands to a base; worked out once for each pair of commits."""
        known = self.known_standing(base, head)
        if known is not None:
            return known
        since = await self.repository.merge_base(base, head)
        if since == base:
            standing = Standing(contained=base == head)
        elif since == head:
            standing = Standing(behind=True, contained=True)
        else:
            trial = await self.repository.try_merge(base, head)
            standing = Standing(conflicts=trial.conflicts, behind=True)
        if len(self._standings) >= _STANDINGS:
            self._standings.clear()
        self._standings[base, head] = standing
        return standing
