"""One repository on GitHub, and what is written to it: pull requests, comments, statuses, by REST and GraphQL.

Every method is one thing that GitHub is asked for; what is done in which order stands in `publish`,
`merge`, `review` and `claim`. How much people may be told of in an hour is the client's
business (`budget`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from orchestrator.domain.ids import SessionId
from orchestrator.domain.project import Project
from orchestrator.domain.pull_request import PullRequestState
from orchestrator.errors import BadInput, NotFound, PermanentError
from plugins._shared.github import mutations as github_mutations
from plugins._shared.github.access import git_environment
from plugins._shared.github.client import GitHub, Said, graphql_refusal
from plugins._shared.github.git import Remote
from plugins._shared.github.mark import Marks, named_in
from plugins._shared.github.rest_pull import Pull, pull_of

PASSED_ON = (
    *("http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO", "GIT_SSL_CAPATH"),
)
"""What of our own environment git needs on machines that reach the world through a proxy."""


async def credentials(hub: GitHub, url: str, ours: Mapping[str, str]) -> Mapping[str, str]:
    """The environment of one git call: what it needs of ours, and the credentials for that server alone."""
    passed = {name: ours[name] for name in PASSED_ON if name in ours}
    if not url.startswith("http"):
        return passed
    return {**passed, **await git_environment(hub, url)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Forge:
    """A project's repository."""

    project: Project
    hub: GitHub
    """As ourselves."""
    remote: Remote
    marks: Marks
    home: str
    """`PluginContext.server`: which `$AO_HOME` marks are of."""
    reached: Callable[[str], None]
    """Called between two steps that a crash could part."""

    @property
    def path(self) -> str:
        """Of the repository, in REST's addresses."""
        owner, _, name = self.project.repo.partition("/")
        return f"/repos/{quote(owner, safe='')}/{quote(name, safe='')}"

    # Finding ---------------------------------------------------------------------------------------

    async def pull(self, number: int) -> Pull:
        """A pull request by number. Raises `NotFound`."""
        try:
            return pull_of((await self.hub.rest("GET", f"{self.path}/pulls/{number}")).data)
        except NotFound as error:
            msg = f"{self.project.repo} has no pull request #{number}."
            raise NotFound(msg) from error

    async def on_branch(self, branch: str) -> list[Pull]:
        """All pull requests from a branch of the repository itself, the newest first."""
        owner = self.project.repo.partition("/")[0]
        rows = await self.hub.pages(
            f"{self.path}/pulls", query={"head": f"{owner}:{branch}", "state": "all"}, most=2
        )
        # Where `head` cannot be understood GitHub leaves it out and lists everything.
        found = [pull for pull in map(pull_of, rows) if pull.inside and pull.branch == branch]
        return sorted(found, key=lambda pull: pull.number, reverse=True)

    async def whose(self, pull: Pull) -> SessionId | None:
        """The session that a pull request belongs to; None for a stranger's.

        A mark in the text counts in what we opened ourselves: who may write there can copy it.
        """
        owner = (await self.marks.owners(self.project)).get(pull.number)
        named = named_in(pull.body, self.home) if pull.inside and owner is None else None
        if named is None:
            return owner
        node = (await self.ask(github_mutations.AUTHORED, {"id": pull.node})).get("node") or {}
        return named if node.get("viewerDidAuthor") is True else None

    async def of(self, session: SessionId, branch: str) -> Pull | None:
        """The session's pull request: the open one, else the newest."""
        mine = [pull for pull in await self.on_branch(branch) if await self.whose(pull) == session]
        return next((pull for pull in mine if pull.is_open), mine[0] if mine else None)

    async def must_have(self, session: SessionId, branch: str) -> Pull:
        """The session's pull request. Raises `NotFound` where it has none."""
        pull = await self.of(session, branch)
        if pull is None:
            msg = f"{branch} has no pull request."
            raise NotFound(msg)
        return pull

    # Pull requests ---------------------------------------------------------------------------------

    async def open(self, body: Mapping[str, Any]) -> Pull:
        """Open a pull request. Raises `BadInput` in GitHub's words."""
        return pull_of((await self.hub.rest("POST", f"{self.path}/pulls", body=body)).data)

    async def change(self, number: int, body: Mapping[str, Any]) -> Pull:
        """Reword, retarget, close or reopen it."""
        return pull_of((await self.hub.rest("PATCH", f"{self.path}/pulls/{number}", body=body)).data)

    async def set_draft(self, pull: Pull, *, draft: bool) -> None:
        """Make it a draft, or ready for review. Repeatable."""
        if pull.is_open and draft is not (pull.state is PullRequestState.DRAFT):
            document = github_mutations.DRAFT if draft else github_mutations.READY
            await self.ask(document, {"id": pull.node})

    async def update(self, number: int, head: str) -> None:
        """Merge the base into its branch. Raises `BadInput` in GitHub's words."""
        body = {"expected_head_sha": head}
        await self.hub.rest("PUT", f"{self.path}/pulls/{number}/update-branch", body=body)

    # Words and statuses ----------------------------------------------------------------------------

    async def comment(self, number: int, text: str) -> None:
        """Say something in the pull request."""
        await self.hub.rest("POST", f"{self.path}/issues/{number}/comments", body={"body": text})

    async def status(self, head: str, state: str, context: str, words: str) -> None:
        """Set a commit status: success, failure or pending. `words`: at most 140 characters."""
        body = {"state": state, "context": context, "description": words[:140]}
        await self.hub.rest("POST", f"{self.path}/statuses/{head}", body=body)

    # Checks ----------------------------------------------------------------------------------------

    async def failed_runs(self, head: str) -> list[int]:
        """Workflow runs of a commit that did not come through."""
        bad = {"failure", "timed_out", "cancelled", "startup_failure"}
        rows = await self.hub.pages(
            f"{self.path}/actions/runs", query={"head_sha": head}, within="workflow_runs"
        )
        return [int(row["id"]) for row in rows if row.get("conclusion") in bad]

    async def rerun(self, run: int) -> None:
        """Run a workflow run's failed jobs, and those that wait for them, again."""
        await self.hub.rest("POST", f"{self.path}/actions/runs/{run}/rerun-failed-jobs")

    # GraphQL ---------------------------------------------------------------------------------------

    async def ask(
        self, document: str, variables: Mapping[str, Any], hub: GitHub | None = None
    ) -> Mapping[str, Any]:
        """What GraphQL answers. A mutation that was refused raises, also where it comes with facts."""
        said: Said = await (hub or self.hub).graphql(document, variables)
        if said.errors:
            raise graphql_refusal(said.errors, "mutation", self.hub.host)
        return said.data


def url_of(api_url: str, host: str, repo: str) -> str:
    """Where git finds a repository, from the interface's address."""
    if repo.count("/") != 1:
        msg = f"`repo: {repo}` is no repository of GitHub."
        raise BadInput(msg, next_step="Write `repo: owner/name`.")
    scheme = api_url.partition("://")[0]
    if scheme not in {"http", "https"}:
        msg = f"{api_url} is no address of an interface."
        raise PermanentError(msg)
    return f"{scheme}://{host}/{repo}.git"
