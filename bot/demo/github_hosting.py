"""The sandbox on a GitHub of the demo's own: a repository with issues, a CI, rules of its branch, and accounts.

    acme            the organization; `acme/textkit` is its repository
    ada             a member, who wrote the issues
    ao-demo         the account that `ao` has a token of: it pushes, opens, merges
    textkit-review  a second account of ours, which carries what people approve (`scm.reviewer`)

`main` takes pull requests only, with a green check `tests` and a review that counts, from administrators too. What is
judged is read from the repository itself and by plain requests with a token that may only read.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bot.demo import sandbox
from bot.demo.cast import WITHOUT_PROXIES, Cast
from bot.demo.evidence import Repository
from bot.demo.github_process import GitHubProcess
from bot.demo.hosting import NotThere
from bot.demo.sandbox_files import parted
from orchestrator.errors import AoError

REPO = "acme/textkit"
MEMBER, US, SECOND = "ada", "ao-demo", "textkit-review"
TOKEN, SECOND_TOKEN = "AO_DEMO_GITHUB_TOKEN", "AO_DEMO_REVIEW_TOKEN"
CHECK = "tests"
OURS = {
    "metadata": "read",
    "contents": "write",
    "pull_requests": "write",
    "checks": "read",
    "statuses": "write",
    "actions": "write",
    "issues": "write",
    "administration": "read",
}
"""What the token of `ao` may, as docs/github.md says that it needs."""
REVIEWS = {"metadata": "read", "pull_requests": "write"}
READS = {"metadata": "read", "contents": "read", "pull_requests": "read", "checks": "read", "issues": "read"}
_LABELS = ("agent:go", "agent:working", "agent:review")
"""Labels that say whose turn it is; a closed issue bears none."""
_BLOCK = """\
    repo: {repo}
    tracker:
      plugin: github
      apiUrl: {api}
      tokenEnv: {token}
    scm:
      plugin: github
      apiUrl: {api}
      tokenEnv: {token}
      reviewer:
        tokenEnv: {second}
"""
_PERSONS = ("GITHUB_", "GH_")
"""Beginnings of variables that could hold the person's own account."""


class GitHubHosting:
    """Implements `hosting.Hosting`."""

    repository: Repository
    step_limit = 100.0
    whole_limit = 400.0

    def __init__(self, github: GitHubProcess) -> None:
        self.github = github
        self._reads = ""

    def make(self, home: Path, cast: Cast) -> sandbox.Sandbox:
        """The sandbox as a checkout of a repository there, whose issues are the cast's."""
        block = _BLOCK.format(repo=REPO, api=self.github.api, token=TOKEN, second=SECOND_TOKEN)
        place = sandbox.make(home, cast, block)
        do = self.github.control
        do("user", login="acme", kind="Organization", members=[MEMBER])
        rights = {MEMBER: "maintain", US: "write", SECOND: "write"}
        made = do("repository", full_name=REPO, seed=str(place.repository), collaborators=rights)
        for number in sorted(cast.issues):
            title, labels, body = parted(cast.issues[number])
            do("issue", full_name=REPO, title=title, body=body, by=MEMBER, labels=labels)
        do("ci", full_name=REPO, commands={CHECK: list(sandbox.TEST_COMMAND)})
        self.protect()
        self.repository = Repository(self.github.folder / f"{made['id']}.git")
        sandbox.git(place.repository, "remote", "add", "origin", self.github.git_url(REPO))
        cast.environment |= {
            TOKEN: self._token(US, OURS),
            SECOND_TOKEN: self._token(SECOND, REVIEWS),
            **WITHOUT_PROXIES,
        }
        cast.withheld += _PERSONS
        self._reads = self._token(MEMBER, READS)
        return place

    def protect(self, **more: object) -> None:
        """The rules of `main`, or others."""
        rules = {"checks": [CHECK], "approvals": 1, "admins": True, **more}
        self.github.control("protect", full_name=REPO, branch="main", protection=rules)

    def _token(self, login: str, permissions: Mapping[str, str]) -> str:
        return str(self.github.control("token", login=login, permissions=permissions)["result"])

    @property
    def page(self) -> str:
        """Of its issues and pull requests, for a browser."""
        return f"{self.github.page}/{REPO}"

    def opened(self, session: str, branch: str) -> str:
        """By our account, with the words by which the session's `ao` knows it again."""
        pull = self._pull(branch, "open")
        _hold(
            f"ao session: {session} of " in str(pull["body"]),
            f"#{pull['number']} is not marked as {session}'s",
        )
        author = pull["user"]["login"]
        _hold(author == US, f"#{pull['number']} is by {author}")
        return f"#{pull['number']} by {author}, {pull['html_url']}"

    def checked(self, head: str, *, passed: bool) -> str:
        """The check run at that head."""
        runs = self._get(f"/commits/{head}/check-runs")["check_runs"]
        said = {run["name"]: run["conclusion"] for run in runs}
        wanted = "success" if passed else "failure"
        _hold(said.get(CHECK) == wanted, f"the checks of {head[:8]} on GitHub: {said}")
        return f"{CHECK} of {head[:8]} is {wanted} on GitHub"

    def approved(self, branch: str, head: str) -> str:
        """The second account's review at that commit, which the branch's rules count."""
        number = self._pull(branch, "open")["number"]
        rows = self._get(f"/pulls/{number}/reviews")
        said = [(row["user"]["login"], row["state"], row["commit_id"]) for row in rows]
        _hold((SECOND, "APPROVED", head) in said, f"the reviews of #{number} on GitHub: {said}")
        return f"a review by {SECOND} at {head[:8]} on GitHub"

    def merged(self, branch: str, head: str) -> str:
        """By GitHub, and the merge commit is in the base there."""
        pull = self._pull(branch, "closed")
        _hold(bool(pull["merged_at"]), f"#{pull['number']} is closed and not merged")
        _hold(pull["head"]["sha"] == head, f"#{pull['number']} was merged at {pull['head']['sha'][:8]}")
        commit = str(pull["merge_commit_sha"])
        inside = self.repository.ask("merge-base", commit, "main") == commit
        _hold(inside, f"{commit[:8]} is not in main on GitHub")
        return f"#{pull['number']} is merged on GitHub as {commit[:8]}"

    def tidied(self, branch: str, issue: int) -> str:
        """No branch, a closed issue, none of our labels on it."""
        _hold(not self.repository.commit(f"refs/heads/{branch}"), f"{branch} is still on GitHub")
        seen = self._get(f"/issues/{issue}")
        labels = [row["name"] for row in seen["labels"]]
        _hold(seen["state"] == "closed", f"issue {issue} is {seen['state']} on GitHub")
        _hold(not set(labels) & set(_LABELS), f"issue {issue} on GitHub bears {labels}")
        return f"issue {issue} is closed on GitHub as {seen['state_reason']}, its branch gone"

    def close(self) -> None:
        """End the process."""
        self.github.close()

    def _pull(self, branch: str, state: str) -> Any:  # noqa: ANN401 - JSON
        rows = self._get(f"/pulls?state={state}&head=acme:{branch}")
        _hold(bool(rows), f"GitHub has no {state} pull request of {branch}")
        return rows[0]

    def _get(self, path: str) -> Any:  # noqa: ANN401 - JSON
        try:
            return self.github.get(f"/repos/{REPO}{path}", self._reads)
        except AoError as error:
            raise NotThere(error.what) from error


def _hold(holds: bool, otherwise: str) -> None:  # noqa: FBT001 - it reads as a sentence
    if not holds:
        raise NotThere(otherwise)
