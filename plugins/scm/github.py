"""Scm `github`: branches, pull requests, reviews, checks and merges on GitHub or GitHub Enterprise.

git goes from our mirror over HTTPS, with credentials in its environment alone; all else by REST and GraphQL.
What is written is only ever done to a pull request that is the session's own (`mark`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from weakref import WeakValueDictionary

from typing_extensions import override

from orchestrator.domain.ids import SessionId
from orchestrator.domain.look import Look, Unseen
from orchestrator.domain.person import Actor
from orchestrator.domain.project import Project
from orchestrator.domain.pull_request import Checks, Mergeable, PullRequest, ReviewDecision
from orchestrator.domain.pushed_diff import PushedDiff
from orchestrator.errors import AoError, BadInput, Conflict, NotFound
from orchestrator.ports.account import AccountState
from orchestrator.ports.plugin import Field, Options, Plugin, PluginContext
from orchestrator.ports.scm import (
    SCM,
    BaseNotes,
    Branches,
    Carried,
    Claims,
    Credential,
    Drafts,
    Merged,
    Publication,
    Queued,
    Queues,
    Reruns,
    Scm,
    Threads,
    UpdatesBranches,
)
from orchestrator.ports.session_ref import SessionRef
from orchestrator.ports.workspace import Base
from plugins._shared import publishing, pushed_diff
from plugins._shared.github import claim as github_claim
from plugins._shared.github import merge as github_merge
from plugins._shared.github import publish as github_publish
from plugins._shared.github import review as github_review
from plugins._shared.github import talk as github_talk
from plugins._shared.github.access import (
    TRUSTED,
    Access,
    AccessOptions,
    AppOptions,
    git_environment,
    ready,
)
from plugins._shared.github.account import GitHubAccount
from plugins._shared.github.client import GitHub
from plugins._shared.github.forge import Forge, url_of
from plugins._shared.github.git import Remote
from plugins._shared.github.hearing import WebhookOptions
from plugins._shared.github.listening import GitHubListening
from plugins._shared.github.merge import Order
from plugins._shared.github.rest_pull import Pull, shown
from plugins._shared.github.review import Verdict, Ways
from plugins._shared.github.sign_in import SignInOptions
from plugins._shared.mirror import Mirror

PASSED_ON = (
    *("http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO", "GIT_SSL_CAPATH"),
)
"""What of our own environment git needs on machines that reach the world through a proxy."""


class ReviewerOptions(Options):
    """A second identity: what people approve is carried as its review."""

    token_env: str = ""
    """Variable with its token."""
    app: AppOptions | None = Field(default=None)
    """Or a GitHub App; GitHub does not count an App's reviews."""


class GitHubScmOptions(SignInOptions):
    """The project's `scm` block."""

    url: str = ""
    """Where git finds the repository; left out, `https://HOST/OWNER/NAME.git`."""
    reviewer: ReviewerOptions | None = Field(default=None)
    """Carries approvals of people who are not linked, as reviews of another account than the one that pushes."""
    approvals: int = Field(default=1, ge=1)
    """Approvals given here that turn the status `ao/approval` green. The project's own `approvals` counts beside it."""
    webhook: WebhookOptions | None = Field(default=None)
    """How this project's webhooks are recognised, where the global `webhooks` block does not say it."""
    auto_merge: bool = False
    """A merge that the branch's rules still hold up is left to GitHub's own auto-merge, where the repository has it."""


class GitHubScm(
    GitHubAccount,
    GitHubListening,
    Scm,
    Claims,
    Branches,
    BaseNotes,
    Reruns,
    Threads,
    Drafts,
    Queues,
    UpdatesBranches,
):
    """GitHub. What changes a session's pull request is done one after the other."""

    def __init__(self, options: GitHubScmOptions, context: PluginContext) -> None:
        # GitHub does not count an App's review.
        counts = options.reviewer is not None and options.reviewer.app is None
        GitHubAccount.__init__(self, options, context, reviewer=counts)
        GitHubListening.__init__(self, context, options.webhook)
        self._options = options
        self._context = context
        self._access = self._ours
        self._second: Access | None = None
        if options.reviewer is not None:
            block = options.reviewer.model_dump(exclude_unset=True)
            second = AccessOptions.model_validate({"api_url": options.api_url, **block})
            self._second = Access(second, context)
        self._forges: dict[Path, Forge] = {}
        self._turns: WeakValueDictionary[SessionId, asyncio.Lock] = WeakValueDictionary()

    # The base --------------------------------------------------------------------------------------

    @override
    async def base(self, project: Project, branch: str = "") -> Base:
        branch = branch or project.default_branch
        sha = await self._forge(project).remote.base(branch)
        return Base(branch=branch, sha=sha, mirror=project.mirror)

    @override
    async def base_note(self, project: Project) -> str:
        return await github_talk.unpushed(self._forge(project), self._access.host)

    @override
    async def branches(self, project: Project) -> Collection[str]:
        return list(await self._forge(project).remote.heads())

    # Looking ---------------------------------------------------------------------------------------

    @override
    async def observe(self, sessions: Collection[SessionRef]) -> Mapping[SessionId, Look[PullRequest | None]]:
        answers: dict[SessionId, Look[PullRequest | None]] = {}
        by_client: dict[str, list[SessionRef]] = {}
        for session in sessions:
            try:
                hub = self._forge(session.project).hub
            except AoError as error:
                answers[session.id] = Unseen(error.what)
            else:
                by_client.setdefault(hub.identity.key, []).append(session)
        for group in by_client.values():
            self.cover(group)
        groups = [self.looker(group[0].project).look(group, _repo) for group in by_client.values()]
        for looks in await asyncio.gather(*groups):
            answers |= looks
        self.note([session for group in by_client.values() for session in group], answers)
        return answers

    @override
    async def find(self, project: Project, number: int) -> PullRequest | None:
        try:
            return shown(await self._forge(project).pull(number))
        except NotFound:
            return None

    @override
    async def diff(self, what: Publication) -> PushedDiff:
        publishing.check(what)
        session, remote = what.session, self._forge(what.session.project).remote
        base = await remote.base(what.base)
        await remote.receive(session.id, what.source, session.branch, what.head)
        return await pushed_diff.read(remote.mirror, base, what.head)

    # Doing -----------------------------------------------------------------------------------------

    @override
    async def publish(self, what: Publication) -> PullRequest | None:
        session = what.session
        async with self._turn(session.id):
            made = await github_publish.publish(self._forge(session.project), what)
        return None if made is None else await self._shown(session, made, what.head)

    @override
    async def merge(
        self, session: SessionRef, head: str, method: str, title: str = "", *, as_: Credential | None = None
    ) -> Merged | Queued:
        forge = self._forge(session.project)
        async with self._turn(session.id):
            order = Order(
                pull=await forge.must_have(session.id, session.branch),
                head=head,
                method=method,
                title=title,
                hub=self._as(forge, as_),
                auto=self._options.auto_merge,
            )
            done = await github_merge.merge(forge, order)
        self._wrote(session)
        return done

    @override
    async def leave_queue(self, session: SessionRef) -> None:
        forge = self._forge(session.project)
        async with self._turn(session.id):
            await github_merge.leave_queue(forge, await forge.must_have(session.id, session.branch))
        self._wrote(session)

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
        if verdict is ReviewDecision.NONE:
            msg = "A review approves, asks for changes, or only says something (pending)."
            raise BadInput(msg)
        forge = self._forge(session.project)
        async with self._turn(session.id):
            pull = await forge.must_have(session.id, session.branch)
            if not pull.is_open:
                msg = f"#{pull.number} is {pull.state.value}; there is nothing to review."
                raise Conflict(msg)
            github_merge.same_head(pull, head)
            said = Verdict(pull=pull, head=head, decision=verdict, by=by, body=body)
            person = self._access.person(as_) if as_ is not None else None
            reviewer = self._reviewer_for(session.project)
            ways = Ways(person=person, reviewer=reviewer, approvals=self._options.approvals)
            carried = await github_review.carry(forge, said, ways)
        self._wrote(session)
        return carried

    @override
    async def close(self, session: SessionRef, *, delete_branch: bool) -> None:
        forge = self._forge(session.project)
        async with self._turn(session.id):
            pull = await forge.of(session.id, session.branch)
            if pull is not None and pull.is_open:
                await forge.change(pull.number, {"state": "closed"})
                forge.reached("close-kept")
            if delete_branch:
                await forge.remote.delete(session.id, session.branch)
        self._wrote(session)

    @override
    async def bring(self, project: Project, number: int) -> str:
        return await github_claim.bring(self._forge(project), number)

    @override
    async def claim(self, session: SessionRef, number: int, head: str) -> PullRequest:
        forge = self._forge(session.project)
        async with self._turn(session.id):
            before = await forge.whose(await forge.pull(number))
            pull = await github_claim.claim(forge, session, number, head)
        if before is not None:
            self.looker(session.project).forget(before)
        return await self._shown(session, pull, pull.head)

    @override
    async def rerun(self, session: SessionRef, head: str) -> None:
        await github_talk.rerun(self._forge(session.project), session, head)
        self._wrote(session)

    @override
    async def reply(self, session: SessionRef, thread: str, text: str) -> None:
        await github_talk.reply(self._forge(session.project), session, thread, text)
        self._wrote(session)

    @override
    async def resolve(self, session: SessionRef, thread: str) -> None:
        await github_talk.resolve(self._forge(session.project), session, thread)
        self._wrote(session)

    @override
    async def set_draft(self, session: SessionRef, *, draft: bool) -> None:
        forge = self._forge(session.project)
        async with self._turn(session.id):
            await forge.set_draft(await forge.must_have(session.id, session.branch), draft=draft)
        self._wrote(session)

    @override
    async def update_branch(self, session: SessionRef, head: str) -> None:
        async with self._turn(session.id):
            await github_talk.update_branch(self._forge(session.project), session, head)
        self._wrote(session)

    @override
    async def aclose(self) -> None:
        await super().aclose()
        await self.end_looks()
        await self._access.aclose()
        if self._second is not None:
            await self._second.aclose()

    # Ours ------------------------------------------------------------------------------------------

    @override
    def accounts(self) -> list[AccountState]:
        return [*super().accounts(), *(self._second.accounts() if self._second is not None else ())]

    @override
    def _reviewer_for(self, project: Project) -> GitHub | None:
        return self._second.ours(project.repo) if self._second is not None else None

    def _forge(self, project: Project) -> Forge:
        forge = self._forges.get(project.folder)
        if forge is None:
            url = self._options.url or url_of(self._access.url, self._access.host, project.repo)
            hub = self._access.ours(project.repo)
            forge = self._forges[project.folder] = Forge(
                project=project,
                hub=hub,
                remote=Remote(Mirror(project.mirror), url, lambda: self._environment(hub, url)),
                marks=self._marks,
                home=self._context.server,
                reached=self._context.reached,
            )
        return forge

    async def _environment(self, hub: GitHub, url: str) -> Mapping[str, str]:
        passed = {n: self._context.environment[n] for n in PASSED_ON if n in self._context.environment}
        if not url.startswith("http"):
            return passed
        return {**passed, **await git_environment(hub, url)}

    def _as(self, forge: Forge, credential: Credential | None) -> GitHub:
        return forge.hub if credential is None else self._access.person(credential)

    def _turn(self, session: SessionId) -> asyncio.Lock:
        return self._turns.setdefault(session, asyncio.Lock())

    @override
    def client(self, project: Project) -> GitHub:
        return self._forge(project).hub

    def _wrote(self, session: SessionRef) -> None:
        """What was seen of it before is not true any more."""
        self.looker(session.project).forget(session.id)
        self._context.wake(session.id)

    async def _shown(self, session: SessionRef, pull: Pull, head: str) -> PullRequest:
        """As it is seen after a write; GitHub may need a moment to show the head that was pushed."""
        looker = self.looker(session.project)
        looker.pushed(session.id, head)
        try:
            seen = await looker.fresh(session, session.project.repo)
        except AoError:
            # It was written all the same; the next look says more.
            seen = None
        if seen is None or seen.number != pull.number:
            seen = shown(pull)
        self._context.wake(session.id)
        if seen.head == head or seen.over:
            return seen
        return replace(
            seen,
            head=head,
            checks=Checks.PENDING,
            runs=(),
            decision=ReviewDecision.PENDING if seen.reviews else ReviewDecision.NONE,
            mergeable=Mergeable.UNKNOWN,
        )


def _repo(session: SessionRef) -> str:
    return session.project.repo


def _create(options: Options, context: PluginContext) -> Scm:
    return GitHubScm(GitHubScmOptions.model_validate(options.model_dump(exclude_unset=True)), context)


PLUGIN = Plugin(
    slot=SCM,
    name="github",
    summary="GitHub and GitHub Enterprise: pull requests, checks, reviews, merges.",
    create=_create,
    options=GitHubScmOptions,
    needs=("git",),
    runs_code=(*TRUSTED, "url", "reviewer"),
    ready=ready,
)
