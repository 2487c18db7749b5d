"""The part of an scm that is about who acts on GitHub: people who sign in, and ourselves, looked at."""

from __future__ import annotations

from collections.abc import Sequence

from typing_extensions import override

from orchestrator.domain.project import Project
from orchestrator.ports.account import AccountState, HasAccounts
from orchestrator.ports.plugin import PluginContext
from orchestrator.ports.scm import Examined, Examines, Wanted
from plugins._shared.github import doctor as github_doctor
from plugins._shared.github.access import Access
from plugins._shared.github.client import GitHub
from plugins._shared.github.sign_in import GitHubSignIn, SignInOptions


class GitHubAccount(GitHubSignIn, Examines, HasAccounts):
    """To be inherited. `reviewer`: a second identity of ours reviews for people who are not linked."""

    def __init__(self, options: SignInOptions, context: PluginContext, *, reviewer: bool = False) -> None:
        super().__init__(options, context.now, reviewer=reviewer)
        self._ours = Access(options, context)
        self._time = context.now

    @override
    def who(self, project: Project) -> str:
        return self._ours.identity(project.repo).source

    @override
    async def examine(self, project: Project, wanted: Wanted) -> Sequence[Examined]:
        hub, second = self._ours.ours(project.repo), self._reviewer_for(project)
        return await github_doctor.examine(hub, project, wanted, now=self._time(), second=second)

    @override
    def accounts(self) -> Sequence[AccountState]:
        return self._ours.accounts()

    def _reviewer_for(self, project: Project) -> GitHub | None:
        """The second identity's client, where there is one."""
        del project
        return None

    @override
    async def aclose(self) -> None:
        await self._ours.aclose()
        await super().aclose()
