"""git with GitHub: what our mirror fetches from there and pushes there, with credentials in its environment alone.

    remote = Remote(mirror, "https://github.com/o/r.git", environment)    # environment: credentials for one call
    await remote.base("main")
    await remote.push(session, "feat/issue-1", head)     # never over commits that are not the session's
    await remote.delete(session, "feat/issue-1")         # only while it is what the session published

What was pushed for a session lies in `refs/ao/out/<session>`, what is just being pushed in
`refs/ao/pushing/<session>`: after a crash between the two, what the forge has is known as ours.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar
from urllib.parse import urlsplit

from orchestrator.domain.ids import SessionId, branch_name, short_sha
from orchestrator.domain.outside_text import one_line
from orchestrator.errors import AoError, Conflict, NotAllowed, NotFound, PermanentError, SignedOut
from plugins._shared.git import Git, failure
from plugins._shared.mirror import FETCH_TIMEOUT, Mirror, base_ref, incoming, outgoing

T = TypeVar("T")
_MOST_UPDATES = 20
"""Merges of the base, one on the other, that are looked through."""
_NOT_IN = re.compile(r"Authentication failed|could not read (?:Username|Password)|returned error: 401")
_WORKFLOW = re.compile(
    r"refusing to allow (?P<who>an? [\w -]{1,60}?) to create or update workflow\s+`?(?P<file>[^`\n]{1,300}?)`?\s+without"
)
"""What GitHub says to tokens (`workflow` scope) and to Apps (`workflows` permission)."""
_DENIED = re.compile(r"returned error: 403|Permission to \S+ denied|refusing to allow")
_GONE = re.compile(r"Repository not found|returned error: 404|repository '[^']*' not found")
_RULED = re.compile(r"remote rejected|GH0\d\d|hook declined|protected branch")


def head_ref(branch: str) -> str:
    """The full name of a branch."""
    return f"refs/heads/{branch}"


def pushing_ref(session: SessionId) -> str:
    """Where the commit lies that is just being pushed for a session."""
    return f"refs/ao/pushing/{session}"


class Remote:
    """One repository on the forge, from our mirror of it."""

    def __init__(
        self, mirror: Mirror, url: str, environment: Callable[[], Awaitable[Mapping[str, str]]]
    ) -> None:
        self.mirror = mirror
        self.url = url
        self._environment = environment

    async def base(self, branch: str) -> str:
        """Bring the newest commit of a base branch into the mirror.

        Raises `NotFound` when the branch is gone, `PermanentError` for a repository without commits.
        """
        branch_name(branch)
        await self.mirror.ensure()
        try:
            return await self._as_ours(
                lambda git: self.mirror.fetch(self.url, head_ref(branch), base_ref(branch), git=git)
            )
        except NotFound as error:
            if not await self.heads():
                msg = f"{self.url} has no commits yet: there is nothing to start from."
                raise PermanentError(msg, next_step="Push a first commit.") from error
            msg = f"The branch {branch} is gone from {self.url}."
            raise NotFound(msg) from error

    async def heads(self, branch: str = "") -> dict[str, str]:
        """Branch -> commit, as the forge has them now; of one branch, or of all."""
        await self.mirror.ensure()
        wanted = (head_ref(branch),) if branch else ()

        async def listed(git: Git) -> str:
            done = await git.ask("ls-remote", "--heads", "--", self.url, *wanted, timeout=FETCH_TIMEOUT)
            if not done.ok:
                raise failure(done, what="The branches cannot be read")
            return done.text()

        rows = (line.partition("\t") for line in (await self._as_ours(listed)).splitlines())
        found = {ref.removeprefix("refs/heads/"): sha for sha, _, ref in rows}
        # A pattern of ls-remote also matches the end of a longer name.
        return found if not branch else {branch: found[branch]} if branch in found else {}

    async def bring(self, number: int, into: str) -> str:
        """Bring the head of a pull request into the mirror; its commit."""
        await self.mirror.ensure()
        return await self._as_ours(
            lambda git: self.mirror.fetch(self.url, f"refs/pull/{number}/head", into, git=git)
        )

    async def receive(self, session: SessionId, source: str, branch: str, head: str) -> None:
        """Bring a session's head from its repository. Raises `Conflict` when its branch is elsewhere."""
        await self.mirror.ensure()
        await self.mirror.fetch(source, head_ref(branch), incoming(session), expect=head)

    async def push(self, session: SessionId, branch: str, head: str, base: str = "") -> None:
        """Move a session's branch to `head`, which the mirror has. Repeatable.

        Forwards always; otherwise only from what was last published for this session, or from that with
        nothing but `base` merged in (the forge's *Update branch*): this can be done again. Raises
        `Conflict` when the branch has commits that neither `head` nor the session has.
        """
        ours = await self._published(session, branch)
        await self.mirror.update_ref(pushing_ref(session), head)
        try:
            await self._move(branch, head, ours)
        except Conflict:
            # It is elsewhere than we left it: gone, forwards, or somebody else's.
            now = (await self.heads(branch)).get(branch, "")
            if now and not await self._may_replace(session, branch, (ours, now, head), base):
                await self.mirror.delete_ref(pushing_ref(session))
                msg = (
                    f"{branch} on the forge is at {short_sha(now)} and has commits that {short_sha(head)} "
                    "does not have."
                )
                raise Conflict(
                    msg, next_step="Fetch and rebase onto it, or publish under another branch."
                ) from None
            await self._move(branch, head, now)
        await self.mirror.update_refs({outgoing(session): (head, None), pushing_ref(session): ("", None)})

    async def delete(self, session: SessionId, branch: str) -> None:
        """Remove a session's branch if it still is what the session published. Repeatable."""
        ours = await self._published(session, branch)
        if ours and (await self.heads(branch)).get(branch) == ours:
            await self._move(branch, "", ours)

    async def took(self, session: SessionId, head: str) -> None:
        """Note what the forge has of a session: saving work and the next push rely on it."""
        await self.mirror.update_ref(outgoing(session), head)

    async def _published(self, session: SessionId, branch: str) -> str:
        """What was last published for a session, also where a crash left that unsaid."""
        await self.mirror.ensure()
        ours, pushing = [
            (await self.mirror.refs(ref)).get(ref, "") for ref in (outgoing(session), pushing_ref(session))
        ]
        if pushing and pushing != ours and (await self.heads(branch)).get(branch) == pushing:
            await self.took(session, pushing)
            return pushing
        return ours

    async def _may_replace(
        self, session: SessionId, branch: str, commits: tuple[str, str, str], base: str
    ) -> bool:
        """Whether the second, which the forge has, holds no work that the third does not. First: what we published."""
        ours, now, head = commits
        if now in {head, ours} or await self.mirror.is_ancestor(now, head):
            return True
        if not ours or not base:
            return False
        tip = await self.base(base)
        await self._as_ours(
            lambda git: self.mirror.fetch(self.url, head_ref(branch), f"refs/ao/seen/{session}", git=git)
        )
        for _ in range(_MOST_UPDATES):
            if now == ours:
                return True
            commit = (await self.mirror.commits(now, limit=1))[0]
            if len(commit.parents) != 2 or not await self.mirror.is_ancestor(commit.parents[1], tip):
                return False
            if (await self.mirror.try_merge(*commit.parents)).tree != commit.tree:
                return False
            now = commit.parents[0]
        return False

    async def _move(self, branch: str, new: str, old: str) -> None:
        ref = head_ref(branch)
        await self._as_ours(lambda git: self.mirror.push(self.url, {ref: new}, expect={ref: old}, git=git))

    async def _as_ours(self, call: Callable[[Git], Awaitable[T]]) -> T:
        parts = urlsplit(self.url)
        git = self.mirror.git.at(env=await self._environment(), protocols=(parts.scheme or "file",))
        try:
            return await call(git)
        except AoError as error:
            raise self._judged(error) from None

    def _judged(self, error: AoError) -> AoError:
        """What the forge's refusal means, which git only hands on as text."""
        if _NOT_IN.search(error.what):
            msg = f"{self.url} does not let us in: the token is not taken."
            return SignedOut(msg, next_step="Renew it; `ao github doctor` says what it may do.")
        if workflow := _WORKFLOW.search(error.what):
            file = one_line(workflow["file"], 120)
            msg = f"GitHub refuses it: {workflow['who']} without the permission Workflows may not change {file}."
            step = "Give the token Workflows: write (a classic one: scope workflow); then `ao retry` has it pushed again."
            return NotAllowed(msg, next_step=step)
        if _DENIED.search(error.what):
            return NotAllowed(error.what, next_step="`ao github doctor` names the missing permission.")
        if _GONE.search(error.what):
            msg = f"{self.url} is not there, or the token may not see it."
            return NotFound(msg, next_step="`ao github doctor` says what it may do.")
        if _RULED.search(error.what) and not isinstance(error, Conflict):
            return PermanentError(error.what, next_step="The branch's rules on the forge refuse it.")
        return error
