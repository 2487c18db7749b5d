"""The part of an scm that hears of GitHub: what looks show and webhooks tell, brought together; and its meters.

What a look showed of each session is told to the hearing, which says whom a delivery concerns and whether
deliveries can be relied upon; the looks then poll less what is covered.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence

from typing_extensions import override

from orchestrator.domain.ids import SessionId
from orchestrator.domain.look import Look, Seen
from orchestrator.domain.project import Project
from orchestrator.domain.pull_request import PullRequest
from orchestrator.ports.meter import Meter, Metered
from orchestrator.ports.plugin import PluginContext
from orchestrator.ports.session_ref import SessionRef
from plugins._shared.github.client import GitHub
from plugins._shared.github.hearing import Hearing, HearsThrough, Shown, WebhookOptions
from plugins._shared.github.hook_admin import GitHubHooks, Rest
from plugins._shared.github.look import UNASKED, Looker
from plugins._shared.github.mark import Marks


class GitHubListening(GitHubHooks, HearsThrough, Metered):
    """To be inherited: lookers by client, what they showed, and what was heard."""

    def __init__(self, context: PluginContext, webhook: WebhookOptions | None) -> None:
        self._marks = Marks()
        self._lookers: dict[str, Looker] = {}
        """By the identity of their client."""
        self._clients: dict[str, GitHub] = {}
        self._seen: dict[SessionId, tuple[PullRequest | None, float]] = {}
        """What was last seen of each session, and when somebody asked."""
        self._clock: Callable[[], float] = context.now
        self._server, self._wake = context.server, context.wake
        self.hearing = Hearing(now=context.now, forget=self._heard, hint=self._hinted, options=webhook)

    @abstractmethod
    def client(self, project: Project) -> GitHub:
        """How a project's repository is reached. Raises `BadInput`."""

    def looker(self, project: Project) -> Looker:
        """Whoever looks at a project's pull requests."""
        hub = self.client(project)
        looker = self._lookers.get(hub.identity.key)
        if looker is None:
            looker = Looker(hub, self._marks, home=self._server, wake=self._wake)
            self._lookers[hub.identity.key], self._clients[hub.identity.key] = looker, hub
        return looker

    def _heard(self, session: SessionId) -> None:
        for looker in self._lookers.values():
            looker.heard(session)  # what is known is told until it was looked at; many are looked at together

    def _hinted(self, session: SessionId) -> None:
        for looker in self._lookers.values():
            looker.hint(session)

    def forget(self, session: SessionId) -> None:
        """What is known of a session is not told any more: we wrote."""
        for looker in self._lookers.values():
            looker.forget(session)

    def cover(self, sessions: Sequence[SessionRef]) -> None:
        """What webhooks cover need not be polled; what they covered before must be again."""
        for project in {session.project.repo: session.project for session in sessions}.values():
            covered = self.hearing.covered_repository(project.repo)
            self.looker(project).cover(project.repo, covered)

    def note(
        self, sessions: Sequence[SessionRef], looks: Mapping[SessionId, Look[PullRequest | None]]
    ) -> None:
        """What looks showed: whom deliveries concern from now on, and whether they tell what looks find."""
        now = self._clock()
        for session in sessions:
            look, repo = looks[session.id], session.project.repo
            known = self._seen.get(session.id, (None, now))[0]
            pull = look.value if isinstance(look, Seen) else known
            # What is answered from memory is the very same object: sessions at rest are not compared.
            new = pull is not known and session.id in self._seen
            if new and _told_by_webhooks(pull) != _told_by_webhooks(known):
                self.hearing.noticed(session.id)
            self._seen[session.id] = (pull, now)
            number = self.looker(session.project).repository_id(repo)
            self.hearing.know(session.id, repo, _shown(session, pull), repository_id=number)
        for over in [key for key, (_, asked) in self._seen.items() if now - asked > UNASKED]:
            del self._seen[over]
            self.hearing.lose(over)

    # The ports ---------------------------------------------------------------------------------------

    @override
    def hook_place(self, project: Project) -> tuple[Rest, str]:
        return self.client(project), project.repo

    @override
    def meters(self) -> Sequence[Meter]:
        return [meter for hub in self._clients.values() for meter in hub.meters()]

    async def end_looks(self) -> None:
        """Nothing looks any more. Repeatable."""
        for looker in self._lookers.values():
            await looker.aclose()


def _shown(session: SessionRef, pull: PullRequest | None) -> Shown:
    if pull is None:
        return Shown(branch=session.branch)
    return Shown(branch=session.branch, number=pull.number, head=pull.head, base=pull.base)


def _told_by_webhooks(pull: PullRequest | None) -> object:
    """What of a pull request no event of GitHub leaves out: that it merges, or is behind, is told by none."""
    if pull is None:
        return None
    return (
        pull.number,
        pull.head,
        pull.state,
        frozenset((run.name, run.state) for run in pull.runs),
        frozenset((review.author, review.decision, review.head) for review in pull.reviews),
        frozenset((comment.id, comment.resolved) for comment in pull.comments),
    )
