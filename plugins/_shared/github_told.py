"""The part of an scm that webhooks tell: what looks showed goes to `Hearing`, what is heard is looked at sooner."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Protocol

from typing_extensions import override

from orchestrator.domain.ids import SessionId
from orchestrator.domain.look import Look, Seen
from orchestrator.domain.project import Project
from orchestrator.domain.pull_request import PullRequest
from orchestrator.ports.scm import Heard, Hears
from orchestrator.ports.session_ref import SessionRef
from plugins._shared.github_hearing import Hearing, Shown, WebhookOptions
from plugins._shared.github_hook_admin import GitHubHooks


class Looks(Protocol):
    """What is asked of `github_look.Looker`."""

    def forget(self, session: SessionId) -> None:
        """It is to be looked at anew."""

    def cover(self, repo: str, covered: bool) -> None:  # noqa: FBT001 - as the looker has it
        """Whether webhooks tell of a repository."""


class Told:
    """What looks showed, and what deliveries say."""

    def __init__(
        self,
        lookers: Callable[[], Collection[Looks]],
        now: Callable[[], float],
        options: WebhookOptions | None,
    ) -> None:
        self._lookers = lookers
        self._last: dict[SessionId, tuple[object, ...]] = {}
        self.hearing = Hearing(now=now, forget=self._forget, options=options)

    def before(self, looker: Looks, repositories: Collection[str]) -> None:
        """A look is about to be taken: what webhooks cover need not be asked for."""
        for repo in repositories:
            looker.cover(repo, self.hearing.covered_repository(repo))

    def after(
        self, sessions: Collection[SessionRef], looks: Mapping[SessionId, Look[PullRequest | None]]
    ) -> None:
        """What was seen."""
        for session in sessions:
            look = looks.get(session.id)
            pull = look.value if isinstance(look, Seen) else None
            shown = Shown(branch=session.branch)
            if pull is not None:
                shown = Shown(branch=session.branch, number=pull.number, head=pull.head, base=pull.base)
            self.hearing.know(session.id, session.project.repo, shown)
            if pull is None:
                continue
            facts = _facts(pull)
            if self._last.get(session.id, facts) != facts:
                self.hearing.noticed(session.id)
            self._last[session.id] = facts

    def _forget(self, session: SessionId) -> None:
        for looker in self._lookers():
            looker.forget(session)


class GitHubTold(GitHubHooks, Hears):
    """To be inherited. It is told through the listener of `webhooks`, and manages our hook."""

    _told: Told

    @override
    def hear(
        self, project: Project, headers: Mapping[str, str], body: bytes, secrets: Sequence[str]
    ) -> Heard:
        return self._told.hearing.hear(project, headers, body, secrets)

    @override
    def take(self, heard: Heard) -> None:
        self._told.hearing.take(heard)

    @override
    def covered(self, project: Project) -> bool:
        return self._told.hearing.covered(project)


def _facts(pull: PullRequest) -> tuple[object, ...]:
    """What GitHub tells of by webhooks; what it or we work out with time is none of it."""
    runs = tuple(sorted((run.name, run.state.value) for run in pull.runs))
    said = tuple(sorted(comment.id for comment in pull.comments))
    return pull.state, pull.head, runs, len(pull.reviews), said
