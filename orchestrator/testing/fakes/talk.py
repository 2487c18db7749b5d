"""What can be said and done in a fake forge's pull request: threads, drafts, bases brought in."""

from __future__ import annotations

from dataclasses import replace

from typing_extensions import override

from orchestrator.domain.ids import SessionId
from orchestrator.domain.pull_request import PullRequest, PullRequestState, ReviewComment
from orchestrator.errors import Conflict, NotFound
from orchestrator.ports.scm import Drafts, Threads, UpdatesBranches
from orchestrator.ports.session_ref import SessionRef

OPEN = (PullRequestState.OPEN, PullRequestState.DRAFT)


class FakeTalk(Threads, Drafts, UpdatesBranches):
    """To be inherited by a fake that keeps pull requests."""

    def pull_of(self, session: SessionId) -> PullRequest:
        """The newest pull request of a session. Raises `NotFound`."""
        raise NotImplementedError

    def set_pull(self, session: SessionId, **fields: object) -> None:
        """Change any fields of it."""
        raise NotImplementedError

    def moved(self, session: SessionRef, head: str) -> None:
        """The forge itself moved a session's branch."""
        raise NotImplementedError

    def called(self, name: str) -> None:
        """Count a call, which a test may let fail."""
        raise NotImplementedError

    @override
    async def reply(self, session: SessionRef, thread: str, text: str) -> None:
        self.called("reply")
        first = self._thread(session.id, thread)[0]
        pull = self.pull_of(session.id)
        answer = replace(first, id=str(len(pull.comments) + 1), author="ao", body=text)
        self.set_pull(session.id, comments=(*pull.comments, answer))

    @override
    async def resolve(self, session: SessionRef, thread: str) -> None:
        self.called("resolve")
        settled = self._thread(session.id, thread)
        comments = (
            replace(c, resolved=True) if c in settled else c for c in self.pull_of(session.id).comments
        )
        self.set_pull(session.id, comments=tuple(comments))

    @override
    async def set_draft(self, session: SessionRef, *, draft: bool) -> None:
        self.called("set_draft")
        if self.pull_of(session.id).state in OPEN:
            state = PullRequestState.DRAFT if draft else PullRequestState.OPEN
            self.set_pull(session.id, state=state)

    @override
    async def update_branch(self, session: SessionRef, head: str) -> None:
        self.called("update_branch")
        if self.pull_of(session.id).head != head:
            msg = f"{session.branch} is not at {head[:12]}."
            raise Conflict(msg)
        self.moved(session, f"base-in-{head}"[:40])

    def _thread(self, session: SessionId, thread: str) -> list[ReviewComment]:
        found = [comment for comment in self.pull_of(session).comments if comment.thread == thread]
        if not found:
            msg = f"{session} has no review thread {thread!r}."
            raise NotFound(msg)
        return found
