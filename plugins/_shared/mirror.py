"""A bare repository of ours: commits come in by fetch, are judged and merged here, and go out by push.

    mirror = Mirror(project.mirror)
    await mirror.ensure()
    sha = await mirror.fetch(source, f"refs/heads/{branch}", incoming(session.id))   # source: Place.export
    await mirror.is_ancestor(base_sha, sha)
    trial = await mirror.try_merge(base_sha, sha)          # trial.clean, trial.tree, trial.conflicts
    commit = await mirror.commit(trial.tree, (base_sha, sha), "Merge ...")
    await mirror.update_ref("refs/heads/main", commit, old=base_sha)                 # Conflict if it moved
    await mirror.push(url, {f"refs/heads/{branch}": sha}, expect={f"refs/heads/{branch}": last}, env=...)
    await mirror.update_ref(outgoing(session.id), sha)     # say what the forge has: rescue relies on it

The local scm uses the same class for its forge. Nothing that an agent wrote is configuration here.
Refs: `refs/ao/base/<branch>` newest base, `refs/ao/in/<session>` newest commit seen in a session,
`refs/ao/out/<session>` newest commit of it that the forge took, `refs/ao/rescue/<session>/<n>` saved work.
Errors are those of `plugins._shared.git`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from orchestrator.domain.ids import SessionId, short_sha
from orchestrator.errors import BadInput, Conflict, NotFound
from plugins._shared.git import IDENTITY, ZERO, Git, failure
from plugins._shared.repository_lock import SharedCalls
from plugins._shared.threads import files_of, trees_of

FETCH_TIMEOUT = 600.0
"""Seconds that a fetch, push, bundle or clone may take: the first one brings a whole history."""

FETCH = (
    *("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance"),
    *("--no-recurse-submodules", "--update-shallow", "--refmap=", "--upload-pack=git-upload-pack"),
)
"""Fetching refs by full names and nothing else."""

_fetches: SharedCalls[str] = SharedCalls()


def base_ref(branch: str) -> str:
    """Where the newest known commit of a base branch lies."""
    return f"refs/ao/base/{branch}"


def incoming(session: SessionId) -> str:
    """Where the newest commit that was fetched from a session lies."""
    return f"refs/ao/in/{session}"


def outgoing(session: SessionId) -> str:
    """Where the newest commit lies that the forge has of a session. Set by the scm after a push."""
    return f"refs/ao/out/{session}"


def tips(session: SessionId) -> str:
    """Below this lie the branches of a session's own clone, while its work is judged."""
    return f"refs/ao/tips/{session}/"


@dataclass(frozen=True, slots=True)
class MergeTrial:
    """What a merge would give, tried without any work tree."""

    tree: str
    """The merged tree; with conflict markers in it when it is not clean."""
    conflicts: tuple[str, ...] = ()
    """Paths in conflict."""

    @property
    def clean(self) -> bool:
        """The merge has no conflicts."""
        return not self.conflicts


@dataclass(frozen=True, slots=True)
class CommitInfo:
    """One commit, as far as we need it."""

    sha: str
    tree: str
    parents: tuple[str, ...]
    author: str
    author_email: str
    author_date: str
    """As git takes it back: `<epoch> <zone>`."""
    committed_at: float
    message: str


class Mirror:
    """A bare repository of ours. Cheap to make; the lock is shared by all that name the same path."""

    def __init__(self, path: Path, git: Git | None = None) -> None:
        self.path = path
        self.git = git or Git(path)

    async def ensure(self) -> None:
        """Make the repository if it is not there. Repeatable; a half-made one is finished."""
        files = files_of(self.path.parent)
        if await files.run((self.path / "ao-made").exists):
            return
        async with self.git.lock():
            await files.run(self.path.mkdir, mode=0o700, parents=True, exist_ok=True)
            await self.git.run("init", "--quiet", "--bare", "--template=", "--initial-branch=main")
            # Workspaces fetch saved work by its commit, which no branch has.
            for key, value in (("uploadpack.allowAnySHA1InWant", "true"), ("gc.pruneExpire", "never")):
                await self.git.run("config", key, value)
            await files.run((self.path / "ao-made").touch, mode=0o600)

    # Reading -------------------------------------------------------------------------------------

    async def resolve(self, rev: str) -> str:
        """The commit that a full ref or SHA names. Raises `NotFound`."""
        done = await self.git.ask("rev-parse", "--verify", "--quiet", "--end-of-options", f"{rev}^{{commit}}")
        if not done.ok:
            msg = f"{rev} is not in {self.path.name}."
            raise NotFound(msg)
        return done.text()

    async def newest_base(self, branch: str, otherwise: str) -> str:
        """The newest known commit of a base branch."""
        return (await self.refs(base_ref(branch))).get(base_ref(branch), otherwise)

    async def has(self, sha: str) -> bool:
        """The commit is here."""
        return (await self.git.ask("cat-file", "-e", f"{sha}^{{commit}}")).ok

    async def refs(self, prefix: str) -> dict[str, str]:
        """Full ref name -> SHA, of all refs at or below a prefix."""
        listed = await self.git.text("for-each-ref", "--format=%(refname) %(objectname)", "--", prefix)
        pairs = (line.rpartition(" ") for line in listed.splitlines())
        return {name: sha for name, _, sha in pairs}

    async def is_ancestor(self, older: str, newer: str) -> bool:
        """`older` is `newer` or one of its ancestors. False too when either is not here."""
        return (await self.git.ask("merge-base", "--is-ancestor", older, newer)).code == 0

    async def merge_base(self, one: str, other: str) -> str:
        """The best common ancestor; empty when there is none."""
        return (await self.git.ask("merge-base", one, other)).text()

    async def count(self, include: Sequence[str], exclude: Sequence[str] = ()) -> int:
        """How many commits the first have that the others have not."""
        revs = "\n".join([*include, *(f"^{rev}" for rev in exclude)])
        return int(await self.git.text("rev-list", "--count", "--stdin", stdin=revs.encode() + b"\n"))

    async def commits(
        self, include: str, exclude: Sequence[str] = (), *, limit: int = 1000
    ) -> list[CommitInfo]:
        """Commits of `include` that the others have not, oldest first."""
        fields = "%H%x00%T%x00%P%x00%an%x00%ae%x00%ad%x00%ct%x00%B"
        revs = "\n".join([include, *(f"^{rev}" for rev in exclude)])
        text = await self.git.text(
            *("log", "--reverse", "--topo-order", f"--max-count={limit}", "--date=raw", "-z", "--stdin"),
            f"--format=tformat:{fields}%x00",
            stdin=revs.encode() + b"\n",
        )
        parts = text.split("\0")
        rows = (parts[at : at + 8] for at in range(0, len(parts) - 8, 9))
        return [
            CommitInfo(sha, tree, tuple(parents.split()), name, email, date, float(when), message)
            for sha, tree, parents, name, email, date, when, message in rows
        ]

    # Coming in and going out ---------------------------------------------------------------------

    async def fetch(
        self, source: str, ref: str, into: str, *, expect: str = "", git: Git | None = None
    ) -> str:
        """Bring `ref` of `source` here as `into` and return its commit; equal waiting calls share one.

        `source` is an absolute path of a repository or bundle, or a URL with a `git` that allows its
        transport and holds its credentials (`mirror.git.at(env=..., protocols=...)`). Raises
        `NotFound` without the ref, `Conflict` when it is not at `expect`.
        """
        if source.startswith("-") or ref.startswith("-"):
            msg = f"{source} {ref} is nothing to fetch from."
            raise BadInput(msg)
        key = (self.path, source, ref, into)
        sha = await _fetches.call(key, lambda: self._fetch(git or self.git, source, ref, into))
        if expect and sha != expect:
            msg = f"{ref} is at {short_sha(sha)}, not at {short_sha(expect)}."
            raise Conflict(msg)
        return sha

    async def _fetch(self, git: Git, source: str, ref: str, into: str) -> str:
        async with self.git.lock():
            await git.run(*FETCH, "--", source, f"+{ref}:{into}", timeout=FETCH_TIMEOUT)
            return await self.resolve(into)

    async def fetch_all(self, source: str, patterns: Mapping[str, str]) -> None:
        """Bring all refs that patterns match (`refs/heads/*` -> where to); those gone there go here too."""
        refspecs = (f"+{ref}:{into}" for ref, into in patterns.items())
        async with self.git.lock():
            await self.git.run(*FETCH, "--prune", "--", source, *refspecs, timeout=FETCH_TIMEOUT)

    async def push(
        self,
        url: str,
        refs: Mapping[str, str],
        *,
        expect: Mapping[str, str] | None = None,
        git: Git | None = None,
    ) -> None:
        """Set refs of `url` to commits, all or none; an empty commit deletes the ref.

        A ref named in `expect` is moved only from that commit (`""`: only if it is not there), even
        backwards; others only forwards. Raises `Conflict` otherwise.
        """
        leases = [f"--force-with-lease={ref}:{sha}" for ref, sha in (expect or {}).items()]
        async with self.git.lock():
            done = await (git or self.git).ask(
                *("push", "--quiet", "--porcelain", "--atomic", "--no-verify", "--no-signed", *leases),
                *("--recurse-submodules=no", "--receive-pack=git-receive-pack", "--", url),
                *(f"{sha}:{ref}" for ref, sha in refs.items()),
                timeout=FETCH_TIMEOUT,
            )
        refused = [
            line for line in done.text().splitlines() if "[rejected]" in line and "atomic push" not in line
        ]
        if refused:
            msg = f"The push was refused: {'; '.join(refused)}"
            raise Conflict(msg)
        if not done.ok:
            raise failure(done, what="The push failed")

    async def bundle(self, refs: Sequence[str]) -> bytes:
        """Full refs with all their history, as the bytes of a bundle file."""
        file = self.path / f"{uuid4().hex}.bundle"
        try:
            await self.git.run("bundle", "create", "--quiet", str(file), *refs, timeout=FETCH_TIMEOUT)
            return await trees_of(self.path.parent).run(file.read_bytes)
        finally:
            await trees_of(self.path.parent).run(file.unlink, missing_ok=True)

    # Writing -------------------------------------------------------------------------------------

    async def update_ref(self, ref: str, new: str, old: str | None = None) -> None:
        """Set a ref. With `old`, only if it is there now (`ZERO` or `""`: must not exist), else `Conflict`."""
        await self.update_refs({ref: (new, old)})

    async def update_refs(self, changes: Mapping[str, tuple[str, str | None]]) -> None:
        """Set several refs (new, old) in one transaction: all or none. `new` `""` deletes."""
        async with self.git.lock():
            await self._transaction(changes)

    async def _transaction(self, changes: Mapping[str, tuple[str, str | None]]) -> None:
        commands = b"start\0"
        for ref, (new, old) in changes.items():
            was = "" if old is None else old or ZERO
            if new and new != ZERO:
                commands += f"update {ref}\0{new}\0{was}\0".encode()
            else:
                commands += f"delete {ref}\0{was}\0".encode()
        await self.git.run("update-ref", "-z", "--stdin", stdin=commands + b"prepare\0commit\0")

    async def delete_ref(self, ref: str, old: str | None = None) -> None:
        """Forget a ref; not there is no error unless `old` says what it must be."""
        await self.update_ref(ref, "", old)

    async def forget_incoming(self, session: SessionId) -> None:
        """Let go of what was fetched from a session whose work is safe elsewhere."""
        name = incoming(session)
        mine = [ref for ref in await self.refs("refs/ao/in/") if ref == name or ref.startswith(f"{name}.")]
        mine += await self.refs(tips(session))
        if mine:
            await self.update_refs(dict.fromkeys(mine, ("", None)))

    async def commit(
        self,
        tree: str,
        parents: Sequence[str],
        message: str,
        *,
        author: CommitInfo | None = None,
    ) -> str:
        """Make a commit and return its SHA; ours, or with another commit's author and date. Sets no ref."""
        env = {}
        if author is not None:
            name = author.author or IDENTITY[0]
            env = {
                "GIT_AUTHOR_NAME": name,
                "GIT_AUTHOR_EMAIL": author.author_email,
                "GIT_AUTHOR_DATE": author.author_date,
            }
        flags = [part for parent in parents for part in ("-p", parent)]
        return await self.git.at(env=env).text("commit-tree", tree, *flags, stdin=message.encode())

    # Merging -------------------------------------------------------------------------------------

    async def try_merge(self, base: str, head: str) -> MergeTrial:
        """Merge two commits without touching a ref or a file. Raises `NotFound` when one is not here."""
        done = await self.git.ask(
            *(
                "merge-tree",
                "--write-tree",
                "-z",
                "--name-only",
                "--no-messages",
                "--allow-unrelated-histories",
            ),
            *(base, head),
        )
        # Code 1 also stands for "no such commit"; a merge that was tried always names its tree.
        if done.code not in (0, 1) or not done.stdout:
            raise failure(done, what="The merge could not be tried")
        tree, *paths = done.stdout.decode(errors="surrogateescape").split("\0")
        return MergeTrial(tree, tuple(p for p in paths if p) if done.code else ())

    async def try_pick(self, onto: str, commit: str, parent: str) -> MergeTrial:
        """What applying the change from `parent` to `commit` on top of `onto` gives (a cherry-pick).

        Made of three throw-away commits whose common ancestor is `parent`, because `merge-tree`
        takes no merge base before git 2.40.
        """
        ancestor = await self.commit(f"{parent}^{{tree}}", (), "ancestor")
        ours = await self.commit(f"{onto}^{{tree}}", (ancestor,), "ours")
        theirs = await self.commit(f"{commit}^{{tree}}", (ancestor,), "theirs")
        return await self.try_merge(ours, theirs)
