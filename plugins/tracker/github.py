"""Tracker `github`: issues of the project's repository on GitHub or GitHub Enterprise.

What `ao` writes there: three labels (`agent:go`, `agent:working`, `agent:review`, other names if you like),
comments, assignees, and whether an issue is open. Nothing is asked for while nobody wants to know, except,
with `queue: true`, which issues bear `agent:go`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from typing_extensions import override

from orchestrator.domain.issue import Issue
from orchestrator.domain.look import Look, Unseen
from orchestrator.domain.project import Project
from orchestrator.errors import AoError, NotReady
from orchestrator.ports.account import AccountState, HasAccounts
from orchestrator.ports.plugin import Closes, Field, Options, Plugin, PluginContext, model_validator
from orchestrator.ports.tracker import TRACKER, IssueChange, Queue, Queued, Tracker
from plugins._shared.github.access import TRUSTED, Access, AccessOptions, ready
from plugins._shared.github.issue_reads import IssueLooks, OpenIssues, Repo
from plugins._shared.github.issue_writes import IssueWrites
from plugins._shared.github.issues import LabelNames, Reader, bot_name, parse_ref
from plugins._shared.github.queue import LabelQueue

_LONGEST = 50


class Labels(Options):
    """Names of our labels."""

    go: str = "agent:go"
    """A member sets it: an agent takes the issue up (with `queue: true`)."""
    working: str = "agent:working"
    """A session works on the issue."""
    review: str = "agent:review"
    """The session's pull request waits for people."""

    @model_validator(mode="after")
    def _distinct(self) -> Labels:
        names = [self.go, self.working, self.review]
        if len({name.casefold() for name in names}) < len(names):
            msg = "the three labels need different names"
            raise ValueError(msg)
        for name in names:
            # GitHub takes at most 50 characters, and a comma parts labels where they are searched for.
            if not name.strip() or name != name.strip() or "," in name or len(name) > _LONGEST:
                msg = f"{name!r} is no name for a label: 1 to {_LONGEST} characters without a comma"
                raise ValueError(msg)
        return self


class GitHubTrackerOptions(AccessOptions):
    """The project's `tracker` block."""

    labels: Labels = Field(default=Labels())
    """Names of our labels: `{go, working, review}`; made in the repository when they are first used."""
    queue: bool = False
    """Whether `agent:go`, set by somebody who may triage or write in the repository, starts a session."""
    trusted_bots: tuple[str, ...] = ()
    """Bots whose texts reach agents unreleased and whose `agent:go` is obeyed, by login: `dependabot`."""


class GitHubTracker(Tracker, Closes, HasAccounts):
    """Issues of a repository on GitHub."""

    def __init__(self, options: GitHubTrackerOptions, context: PluginContext) -> None:
        names = options.labels
        self._reader = Reader(
            LabelNames(go=names.go, working=names.working, review=names.review),
            frozenset(bot_name(bot) for bot in options.trusted_bots),
        )
        self._access = Access(options, context)
        self._looks = IssueLooks(self._reader)
        self._open = OpenIssues(self._reader, context.now)
        self._writes = IssueWrites(self._reader)
        self._repos: dict[str, Repo] = {}
        """By the name that is written; each knows what GitHub calls it now."""

    @override
    async def observe(self, project: Project, refs: Collection[str]) -> Mapping[str, Look[Issue | None]]:
        try:
            repo = self._repo(project)
        except AoError as error:
            return {ref: Unseen(error.what) for ref in refs}
        return await self._looks.look(repo, refs)

    @override
    async def search(self, project: Project, text: str = "", limit: int = 50) -> Sequence[Issue]:
        if limit <= 0:
            return []
        return await self._open.search(self._repo(project), text, limit)

    @override
    async def create(self, project: Project, title: str, body: str, labels: Collection[str] = ()) -> Issue:
        repo = self._repo(project)
        made = await self._writes.create(repo, title, body, labels)
        self._open.forget(repo)
        return made

    @override
    async def update(self, project: Project, ref: str, change: IssueChange) -> Issue:
        repo = self._repo(project)
        issue = await self._looks.one(repo, ref)
        try:
            return await self._writes.change(repo, issue, change)
        finally:
            self._open.forget(repo)

    @override
    def branch_name(self, issue: Issue) -> str:
        return f"feat/issue-{issue.ref}"

    @override
    def parse_ref(self, project: Project, text: str) -> str:
        written = _named(project)
        known = self._repos.get(written)
        return parse_ref(text, self._access.host, (written, known.now if known else written))

    @override
    def accounts(self) -> Sequence[AccountState]:
        return self._access.accounts()

    @override
    async def aclose(self) -> None:
        await self._access.aclose()

    def _repo(self, project: Project) -> Repo:
        written = _named(project)
        hub = self._access.ours(written)
        repo = self._repos.setdefault(written, Repo(hub, written, written))
        repo.hub = hub
        return repo


class QueueingGitHubTracker(GitHubTracker, Queue):
    """The same, where the label `agent:go` is the queue."""

    def __init__(self, options: GitHubTrackerOptions, context: PluginContext) -> None:
        super().__init__(options, context)
        self._queue = LabelQueue(self._reader, context.now)

    @override
    async def waiting(self, project: Project) -> Sequence[Queued]:
        return await self._queue.waiting(self._repo(project))


def _named(project: Project) -> str:
    if project.repo:
        return project.repo
    msg = f"{project.id} has no repository on a forge."
    raise NotReady(msg, next_step="Write `repo: owner/name` into the project's block.")


def _create_plugin(options: Options, context: PluginContext) -> Tracker:
    checked = GitHubTrackerOptions.model_validate(options.model_dump())
    return QueueingGitHubTracker(checked, context) if checked.queue else GitHubTracker(checked, context)


PLUGIN = Plugin(
    slot=TRACKER,
    name="github",
    summary="Issues on GitHub or GitHub Enterprise, with labels that hand them to agents.",
    create=_create_plugin,
    options=GitHubTrackerOptions,
    ready=ready,
    # Whom it obeys gives rights, as much as roles do.
    runs_code=(*TRUSTED, "queue", "trustedBots"),
)
