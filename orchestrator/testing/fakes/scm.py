"""A forge in memory, for tests of whatever uses one. No git: heads are any words."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from pathlib import Path

from typing_extensions import override

from orchestrator.domain.ids import SessionId, short_sha
from orchestrator.domain.look import Look, Seen, Unseen
from orchestrator.domain.person import Actor
from orchestrator.domain.project import Project
from orchestrator.domain.pull_request import (
    CheckRun,
    CheckState,
    Mergeable,
    PullRequest,
    PullRequestState,
    Review,
    ReviewComment,
    ReviewDecision,
    sum_up,
)
from orchestrator.domain.pushed_diff import PushedDiff
from orchestrator.errors import AoError, BadInput, Conflict, NotFound, PermanentError
from orchestrator.ports.scm import (
    BaseNotes,
    Branches,
    Carried,
    Claims,
    Credential,
    Merged,
    Publication,
    Queued,
    Queues,
    Reruns,
    Scm,
)
from orchestrator.ports.session_ref import SessionRef
from orchestrator.ports.workspace import Base
from orchestrator.testing.fakes.forge import FakeForge, Number
from orchestrator.testing.fakes.hearing import FakeHearing, FakeHooks
from orchestrator.testing.fakes.talk import FakeTalk
from orchestrator.testing.fakes.tree_diff import Tree, between

_OPEN = (PullRequestState.OPEN, PullRequestState.DRAFT)


class FakeScm(FakeHearing, FakeHooks, FakeTalk, Scm, Claims, Branches, BaseNotes, Reruns, Queues):
    """Pull requests in dictionaries. `runs` are the checks that every new head gets, pending.

    A publication whose source is `fake:<head>` is refused unless its head is that one. `trees` knows the
    files of a commit; of one that it does not know there are none.
    """

    def __init__(
        self,
        *,
        runs: Collection[str] = (),
        approvals: int = 0,
        trees: Callable[[str], Tree] = lambda _sha: {},
    ) -> None:
        FakeHearing.__init__(self)
        FakeHooks.__init__(self)
        self.forge = FakeForge()
        self.note = ""
        """What a person should know of the base."""
        self.queue = ""
        """Where merges wait for their turn, in words; empty: they happen at once."""
        self.calls: list[str] = []
        """The outside calls that were made, by name."""
        self._trees = trees
        self._runs = tuple(runs)
        self._approvals = approvals
        self._failures: dict[str, list[AoError]] = {}
        self._blind: dict[SessionId, str] = {}

    # What a test says -----------------------------------------------------------------------------

    def fail_next(self, call: str, error: AoError) -> None:
        """Let the next call of this name (`publish`, `merge`, ...) fail; `observe` then sees nothing."""
        self._failures.setdefault(call, []).append(error)

    def hide(self, session: SessionId, reason: str = "") -> None:
        """Looks at this session fail for a reason; without one they succeed again."""
        self._blind[session] = reason

    @override
    def pull_of(self, session: SessionId) -> PullRequest:
        """The newest pull request of a session. Raises `NotFound`."""
        found = self._find(session)
        if found is None:
            msg = f"{session} has no pull request."
            raise NotFound(msg)
        return self._shown(found)

    def set_checks(self, session: SessionId, *runs: CheckRun) -> None:
        """The checks of the session's head are these now."""
        self._set(self._key(session), runs=runs, checks=sum_up(runs))

    @override
    def set_pull(self, session: SessionId, **fields: object) -> None:
        """Change any fields of a session's pull request."""
        self._set(self._key(session), **fields)

    def push_from_elsewhere(self, session: SessionRef, head: str) -> None:
        """Somebody else pushes to the session's branch."""
        self.forge.branches[session.project.id, session.branch] = head
        found = self._find(session.id)
        if found is not None:
            self._set(found, **self._at_head(head))

    # The port -------------------------------------------------------------------------------------

    @override
    async def base(self, project: Project, branch: str = "") -> Base:
        self._call("base")
        branch = branch or project.default_branch
        sha = self.forge.bases.get((project.id, branch))
        if sha is None and branch != project.default_branch:
            msg = f"The branch {branch} is gone."
            raise NotFound(msg)
        return Base(branch=branch, sha=sha or "0" * 39 + "1", mirror=Path(project.mirror))

    @override
    async def base_note(self, project: Project) -> str:
        del project
        self._call("base_note")
        return self.note

    @override
    async def observe(self, sessions: Collection[SessionRef]) -> Mapping[SessionId, Look[PullRequest | None]]:
        try:
            self._call("observe")
        except AoError as error:
            return {session.id: Unseen(error.what) for session in sessions}
        return {session.id: self._look(session) for session in sessions}

    @override
    async def branches(self, project: Project) -> Collection[str]:
        self._call("branches")
        return [name for owner, name in self.forge.branches if owner == project.id]

    @override
    async def diff(self, what: Publication) -> PushedDiff:
        self._call("diff")
        self._stands_there(what)
        base = (await self.base(what.session.project, what.base)).sha
        return between(base, self._trees(base), what.head, self._trees(what.head))

    @override
    async def publish(self, what: Publication) -> PullRequest | None:
        self._call("publish")
        session, project = what.session, what.session.project.id
        self._stands_there(what)
        if session.branch in {what.base, session.project.default_branch}:
            msg = f"A session never publishes to {session.branch}."
            raise PermanentError(msg)
        now = self.forge.branches.get((project, session.branch), "")
        if now not in {"", what.head, self.forge.published.get(session.id)}:
            msg = f"{session.branch} has commits that {short_sha(what.head)} does not have."
            raise Conflict(msg)
        self.forge.branches[project, session.branch] = what.head
        self.forge.published[session.id] = what.head
        return self._accept(what)

    @override
    async def merge(
        self, session: SessionRef, head: str, method: str, title: str = "", *, as_: Credential | None = None
    ) -> Merged | Queued:
        del as_  # people are known by name here
        self._call("merge")
        key, pull = self._key(session.id), self.pull_of(session.id)
        if method not in {"merge", "squash", "rebase"}:
            msg = f"{method!r} is no way to merge."
            raise BadInput(msg)
        self._same_head(pull, head)
        if pull.state is PullRequestState.MERGED:
            return Merged(commit=pull.merge_commit, base=pull.base)
        if pull.state is not PullRequestState.OPEN:
            msg = f"Pull request {pull.number} is {pull.state.value}."
            raise PermanentError(msg)
        if pull.mergeable is Mergeable.CONFLICTED:
            msg = f"Pull request {pull.number} conflicts with {pull.base}."
            raise Conflict(msg)
        if self.queue:
            self._set(key, queued=True)
            return Queued(words=self.queue)
        return self._merge(key, pull, method)

    @override
    async def leave_queue(self, session: SessionRef) -> None:
        self._call("leave_queue")
        self._set(self._key(session.id), queued=False)

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
        self._call("review")
        if verdict is ReviewDecision.NONE:
            msg = "That is no verdict."
            raise BadInput(msg)
        pull = self.pull_of(session.id)
        if pull.state not in _OPEN:
            msg = f"Pull request {pull.number} is {pull.state.value}."
            raise Conflict(msg)
        self._same_head(pull, head)
        given = Review(author=by.name, decision=verdict, head=head, at=0.0, body=body)
        if verdict is ReviewDecision.PENDING:
            comment = ReviewComment(id=str(len(pull.comments) + 1), author=by.name, body=body)
            self._set(self._key(session.id), comments=(*pull.comments, comment))
        elif not pull.reviews or pull.reviews[-1] != given:
            self._set(self._key(session.id), reviews=(*pull.reviews, given))
        return Carried(counts=True, words="in the fake's memory")

    @override
    async def close(self, session: SessionRef, *, delete_branch: bool) -> None:
        self._call("close")
        key = self._find(session.id)
        if key is not None and self.forge.pulls[key].state in _OPEN:
            self._set(key, state=PullRequestState.CLOSED)
        if delete_branch:
            self.forge.branches.pop((session.project.id, session.branch), None)
            self.forge.published.pop(session.id, None)

    @override
    async def bring(self, project: Project, number: int) -> str:
        self._call("bring")
        return self._open((project.id, number)).head

    @override
    async def claim(self, session: SessionRef, number: int, head: str) -> PullRequest:
        self._call("claim")
        key = (session.project.id, number)
        pull = self._open(key)
        if pull.branch != session.branch:
            msg = f"Pull request {number} is on {pull.branch}."
            raise Conflict(msg)
        self._same_head(pull, head)
        self.forge.owners[key] = session.id
        self.forge.published[session.id] = pull.head
        return self._shown(key)

    @override
    async def find(self, project: Project, number: int) -> PullRequest | None:
        self._call("find")
        key = (str(project.id), number)
        return self._shown(key) if key in self.forge.pulls else None

    @override
    async def rerun(self, session: SessionRef, head: str) -> None:
        self._call("rerun")
        pull = self.pull_of(session.id)
        self._same_head(pull, head)
        self.set_checks(
            session.id,
            *(
                CheckRun(name=run.name, state=CheckState.PENDING) if run.state is CheckState.FAILED else run
                for run in pull.runs
            ),
        )

    @override
    def moved(self, session: SessionRef, head: str) -> None:
        self.forge.branches[session.project.id, session.branch] = head
        self.forge.published[session.id] = head
        self._set(self._key(session.id), **self._at_head(head))

    @override
    def called(self, name: str) -> None:
        self._call(name)

    def merge_queued(self, session: SessionId) -> None:
        """The forge's queue comes to a session's pull request."""
        self._merge(self._key(session), self.pull_of(session), "merge")

    # Inside ---------------------------------------------------------------------------------------

    def _merge(self, key: Number, pull: PullRequest, method: str) -> Merged:
        commit = f"merge-of-{pull.head}"
        self.forge.merges.append((key[0], key[1], pull.head, method))
        self.forge.bases[key[0], pull.base] = commit
        self._set(key, state=PullRequestState.MERGED, merge_commit=commit, queued=False)
        return Merged(commit=commit, base=pull.base)

    def _stands_there(self, what: Publication) -> None:
        if what.source.startswith("fake:") and what.source != f"fake:{what.head}":
            msg = f"{what.session.branch} is at {what.source[5:15]}, not at {short_sha(what.head)}."
            raise Conflict(msg)

    def _open(self, key: Number) -> PullRequest:
        if key not in self.forge.pulls:
            msg = f"There is no pull request {key[1]}."
            raise NotFound(msg)
        pull = self.forge.pulls[key]
        if pull.state not in _OPEN:
            msg = f"Pull request {pull.number} is {pull.state.value}."
            raise Conflict(msg)
        return pull

    def _accept(self, what: Publication) -> PullRequest | None:
        session = what.session
        key = self._find(session.id)
        known = self.forge.pulls[key] if key is not None else None
        if key is not None and known is not None and known.state is PullRequestState.MERGED:
            if known.head == what.head:
                return self._shown(key)
            key = None
        if key is None and not what.open:
            return None
        if key is None:
            key = (str(session.project.id), len(self.forge.pulls) + 1)
            self.forge.owners[key] = session.id
            self.forge.pulls[key] = PullRequest(
                number=key[1],
                url=f"https://forge.test/{key[0]}/pull/{key[1]}",
                title=what.title or session.branch,
                branch=session.branch,
                base=what.base,
                head="",
                state=PullRequestState.DRAFT if what.draft else PullRequestState.OPEN,
            )
        elif what.open:
            self._set(key, state=PullRequestState.OPEN, title=what.title or self.forge.pulls[key].title)
        if self.forge.pulls[key].head != what.head:
            self._set(key, **self._at_head(what.head))
        return self._shown(key)

    def _at_head(self, head: str) -> dict[str, object]:
        runs = tuple(CheckRun(name=name, state=CheckState.PENDING) for name in self._runs)
        return {"head": head, "runs": runs, "checks": sum_up(runs)}

    def _look(self, session: SessionRef) -> Look[PullRequest | None]:
        if reason := self._blind.get(session.id):
            return Unseen(reason)
        key = self._find(session.id)
        found = None if key is None else self._shown(key)
        return Seen(found if found is not None and found.branch == session.branch else None)

    def _shown(self, key: Number) -> PullRequest:
        pull = self.forge.pulls[key]
        conflicted = pull.head in self.forge.conflicting
        mergeable = Mergeable.CONFLICTED if conflicted else Mergeable.CLEAN
        if pull.mergeable is not Mergeable.UNKNOWN:
            mergeable = pull.mergeable
        return replace(pull, decision=self._decision(pull), mergeable=mergeable)

    def _decision(self, pull: PullRequest) -> ReviewDecision:
        last = {review.author: review for review in pull.reviews}
        verdicts = [review.decision for review in last.values() if review.head == pull.head]
        if ReviewDecision.CHANGES_REQUESTED in verdicts:
            return ReviewDecision.CHANGES_REQUESTED
        if verdicts.count(ReviewDecision.APPROVED) >= max(self._approvals, 1):
            return ReviewDecision.APPROVED
        asked = any(review.decision is ReviewDecision.CHANGES_REQUESTED for review in last.values())
        return ReviewDecision.PENDING if asked or self._approvals else ReviewDecision.NONE

    def _find(self, session: SessionId) -> Number | None:
        return max((key for key, owner in self.forge.owners.items() if owner == session), default=None)

    def _key(self, session: SessionId) -> Number:
        self.pull_of(session)
        found = self._find(session)
        assert found is not None
        return found

    def _set(self, key: Number, **fields: object) -> None:
        self.forge.pulls[key] = replace(self.forge.pulls[key], **fields)  # type: ignore[arg-type]

    def _same_head(self, pull: PullRequest, head: str) -> None:
        if pull.head != head:
            msg = f"Pull request {pull.number} is at {short_sha(pull.head)}, not at {short_sha(head)}."
            raise Conflict(msg)

    def _call(self, name: str) -> None:
        self.calls.append(name)
        waiting = self._failures.get(name)
        if waiting:
            raise waiting.pop(0)
