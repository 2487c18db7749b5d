"""The control's side of checks, statuses and the merge queue."""

from __future__ import annotations

from dataclasses import dataclass

from bot.demo.github import checks, merging, pulls, rules
from bot.demo.github.model import Pull, Repository
from bot.demo.github.model_checks import CheckRun, Status
from bot.demo.github.refusals import CannotDo
from bot.demo.github.world import World


@dataclass(slots=True)
class CheckControl:
    """Names are strings. Raises `CannotDo` for what is not there."""

    world: World

    def find_pull(self, full_name: str, number: int) -> Pull:
        """A pull request. Raises `CannotDo`."""
        issue = self.world.repository(full_name).issues.get(number)
        if issue is None or issue.pull is None:
            msg = f"{full_name} has no pull request {number}."
            raise CannotDo(msg)
        return issue.pull

    async def check(self, full_name: str, number: int, report: checks.Report) -> CheckRun:
        """A check on a pull request's head: the newest of that name goes on, else a new one."""
        pull = self.find_pull(full_name, number)
        return await self.check_at(full_name, pull.head_sha, report)

    async def check_at(
        self, full_name: str, sha: str, report: checks.Report, *, beside: bool = False
    ) -> CheckRun:
        """On a commit; `beside`: a further one with the same name."""
        repo = self.world.repository(full_name)
        known = [run for run in repo.checks.latest(sha) if run.name == report.name and not beside]
        if known:
            run = known[-1]
            checks.change(self.world, repo, run, report)
        else:
            branch = next((name for name, head in repo.branch_heads.items() if head == sha), "")
            run = checks.start(self.world, repo, sha, branch, report)
        await self._advance(repo, sha)
        return run

    async def status(  # noqa: PLR0913 - what a status has
        self, full_name: str, number: int, context: str, state: str, *, by: str, description: str = "",
        target_url: str = "",
    ) -> Status:  # fmt: skip
        """A commit status on a pull request's head."""
        repo, sha = self.world.repository(full_name), self.find_pull(full_name, number).head_sha
        user = self.world.add_user(by)
        said = {"context": context, "state": state, "description": description, "target_url": target_url}
        made = checks.add_status(self.world, repo, sha, user, checks.new_status(self.world, sha, user, said))
        await self._advance(repo, sha)
        return made

    async def _advance(self, repo: Repository, sha: str) -> None:
        for pull in checks.pulls_at(repo, sha):
            await merging.advance(self.world, pull)

    async def advance_queue(self, full_name: str, *, ok: bool = True) -> None:
        """The first of the merge queue is merged, or thrown out because its checks failed."""
        repo = self.world.repository(full_name)
        if not repo.queue:
            msg = f"Nothing stands in the merge queue of {full_name}."
            raise CannotDo(msg)
        pull = repo.queue[0]
        queue = self.world.add_user("github-merge-queue[bot]", "Bot")
        if ok:
            method = rules.methods(repo, pull.base_ref)[0]
            await merging.merge(self.world, pull, queue, method, by_queue=True)
        else:
            pulls.leave_queue(self.world, pull, queue)
