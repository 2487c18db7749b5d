"""What an scm on GitHub is told by webhooks: inherited by it, beside how it looks."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from typing_extensions import override

from orchestrator.domain.ids import SessionId
from orchestrator.domain.look import Look, Seen
from orchestrator.domain.project import Project
from orchestrator.domain.pull_request import PullRequest
from orchestrator.ports.plugin import PluginContext
from orchestrator.ports.scm import Heard, Hears
from orchestrator.ports.session_ref import SessionRef
from plugins._shared.github_access import Access
from plugins._shared.github_hearing import Hearing, Shown, WebhookOptions
from plugins._shared.github_hook_admin import GitHubHooks, Rest
from plugins._shared.github_look import Looker


class GitHubEars(GitHubHooks, Hears):
    """`listen` before use; `before_look` and `after_look` keep hearing and looking in step."""

    _hearing: Hearing
    _facts: dict[SessionId, object]

    _lookers: dict[str, Looker]
    """By the identity of their client."""
    _way: Access

    def listen(self, options: WebhookOptions | None, context: PluginContext, access: Access) -> None:
        """Begin, knowing nothing."""
        self._lookers, self._way = {}, access
        self._hearing = Hearing(now=context.now, forget=self._forget, options=options)
        self._facts = {}

    @override
    def hook_place(self, project: Project) -> tuple[Rest, str]:
        return self._way.ours(project.repo), project.repo

    def _forget(self, session: SessionId) -> None:
        for looker in self._lookers.values():
            looker.heard(session)  # what is known is told until it was looked at; many are looked at together

    def before_look(self, sessions: Collection[SessionRef]) -> None:
        """What webhooks cover need not be polled; what they covered before must be again."""
        for repository in {session.project.repo for session in sessions}:
            covered = self._hearing.covered_repository(repository)
            for looker in self._lookers.values():
                looker.cover(repository, covered)

    def after_look(
        self, sessions: Collection[SessionRef], answers: Mapping[SessionId, Look[PullRequest | None]]
    ) -> None:
        """Whom deliveries may concern from now on, and whether one told what changed."""
        for session in sessions:
            look = answers.get(session.id)
            if isinstance(look, Seen):
                self._saw(session, look.value)
        for gone in self._facts.keys() - self._hearing.sessions():
            del self._facts[gone]

    def _saw(self, session: SessionRef, pull: PullRequest | None) -> None:
        shown = Shown(branch=session.branch)
        if pull is not None:
            shown = Shown(branch=session.branch, number=pull.number, head=pull.head, base=pull.base)
        self._hearing.know(session.id, session.project.repo, shown)
        facts, before = _told_by_webhooks(pull), self._facts.get(session.id)
        self._facts[session.id] = facts
        if before is not None and before != facts:
            self._hearing.noticed(session.id)

    @override
    def hear(
        self, project: Project, headers: Mapping[str, str], body: bytes, secrets: Sequence[str]
    ) -> Heard:
        return self._hearing.hear(project, headers, body, secrets)

    @override
    def take(self, heard: Heard) -> None:
        self._hearing.take(heard)

    @override
    def covered(self, project: Project) -> bool:
        return self._hearing.covered(project)


def _told_by_webhooks(pull: PullRequest | None) -> object:
    """What of a pull request no event of GitHub leaves out: that it merges, or is behind, is told by none."""
    if pull is None:
        return "none"
    return (
        pull.number,
        pull.head,
        pull.state,
        frozenset((run.name, run.state) for run in pull.runs),
        frozenset((review.author, review.decision, review.head) for review in pull.reviews),
        frozenset((comment.id, comment.resolved) for comment in pull.comments),
    )
