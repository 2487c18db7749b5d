"""The sandbox on a GitHub of the demo's own: a repository with issues, a CI, rules of its branch, and accounts.

    acme            the organization; `acme/textkit` is its repository
    ada             a member, who wrote the issues
    ao-demo         the account that `ao` has a token of: it pushes, opens, merges, and made the webhook
    textkit-review  a second account of ours, which carries what people approve who did not sign in (`scm.reviewer`)

`main` takes pull requests only, with a green check `tests` and a review that counts, from administrators too. What is
judged is read from the repository itself and by plain requests with a token that may only read.
"""

from __future__ import annotations

import re
import secrets
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bot.demo import sandbox
from bot.demo.cast import WITHOUT_PROXIES, Cast
from bot.demo.evidence import Repository
from bot.demo.github.process import GitHubProcess
from bot.demo.hosting import NotThere
from bot.demo.sandbox_files import parted
from bot.frontends.api.client import Client
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
    "repository_hooks": "write",
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
      oauthClientId: {client}
      oauthUrl: {page}
      reviewer:
        tokenEnv: {second}
"""
_WEBHOOKS = """\
webhooks:
  listen: 127.0.0.1:{port}
  publicUrl: http://127.0.0.1:{port}
"""
_PERSONS = ("GITHUB_", "GH_")
"""Beginnings of variables that could hold the person's own account."""


class GitHubHosting:
    """Implements `hosting.Hosting`. `told`: by webhooks, else `ao` asks every now and then."""

    repository: Repository
    links = True

    def __init__(self, github: GitHubProcess, *, told: bool = True) -> None:
        self.github = github
        self._told = told
        self.step_limit = 60.0 if told else 120.0
        self.whole_limit = 180.0 if told else 400.0
        self._reads = self._manages = ""
        self._reviewer, self._merger = SECOND, US

    def make(self, home: Path, cast: Cast) -> sandbox.Sandbox:
        """The sandbox as a checkout of a repository there, whose issues are the cast's."""
        do = self.github.control
        do("user", login="acme", kind="Organization", members=[MEMBER])
        app = do("app", slug="ao-demo-sign-in", owner="acme", permissions={}, oauth=True)
        block = _BLOCK.format(
            repo=REPO, api=self.github.api, page=self.github.page, token=TOKEN, second=SECOND_TOKEN,
            client=app["client_id"],
        )  # fmt: skip
        if self._told:
            cast.fleet += _WEBHOOKS.format(port=_free_port())
        place = sandbox.make(home, cast, block)
        rights = {MEMBER: "maintain", US: "admin", SECOND: "write"}
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
        self._manages = cast.environment[TOKEN]
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

    @property
    def carried(self) -> str:
        """Whose review it is there."""
        return f"as a review by {self._reviewer}"

    def sign_in(self, code: str) -> str:
        """Ada, in her browser: from then on her approval is her own review, and her merge has her rights."""
        self.github.control("authorize", user_code=code, login=MEMBER)
        self._reviewer = self._merger = MEMBER
        return MEMBER

    def turn(self, issue: int, whose: str) -> str:
        """By its label."""
        labels = {row["name"] for row in self._get(f"/issues/{issue}")["labels"]}
        _hold(labels & set(_LABELS) == {f"agent:{whose}"}, f"issue {issue} on GitHub bears {sorted(labels)}")
        return f"issue {issue} on GitHub bears agent:{whose}"

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
        """A review at that commit, which the branch's rules count: hers who signed in, else the second account's."""
        number = self._pull(branch, "open")["number"]
        rows = self._get(f"/pulls/{number}/reviews")
        said = [(row["user"]["login"], row["state"], row["commit_id"]) for row in rows]
        _hold((self._reviewer, "APPROVED", head) in said, f"the reviews of #{number} on GitHub: {said}")
        return f"a review by {self._reviewer} at {head[:8]} on GitHub"

    def merged(self, branch: str, head: str) -> str:
        """By GitHub, and the merge commit is in the base there."""
        pull = self._pull(branch, "closed")
        _hold(bool(pull["merged_at"]), f"#{pull['number']} is closed and not merged")
        _hold(pull["head"]["sha"] == head, f"#{pull['number']} was merged at {pull['head']['sha'][:8]}")
        commit = str(pull["merge_commit_sha"])
        inside = self.repository.ask("merge-base", commit, "main") == commit
        _hold(inside, f"{commit[:8]} is not in main on GitHub")
        by = self._get(f"/pulls/{pull['number']}")["merged_by"]["login"]
        _hold(by == self._merger, f"#{pull['number']} was merged on GitHub by {by}")
        return f"#{pull['number']} is merged on GitHub by {by} as {commit[:8]}"

    def tidied(self, branch: str, issue: int) -> str:
        """No branch, a closed issue, none of our labels on it."""
        _hold(not self.repository.commit(f"refs/heads/{branch}"), f"{branch} is still on GitHub")
        seen = self._get(f"/issues/{issue}")
        labels = [row["name"] for row in seen["labels"]]
        _hold(seen["state"] == "closed", f"issue {issue} is {seen['state']} on GitHub")
        _hold(not set(labels) & set(_LABELS), f"issue {issue} on GitHub bears {labels}")
        return f"issue {issue} is closed on GitHub as {seen['state_reason']}, its branch gone"

    def joined(self, client: Client) -> str:
        """Our webhook is made, by the verb."""
        if not self._told:
            return "GitHub is asked every now and then"
        client.act("github webhook install", {"project": sandbox.PROJECT})
        hooks = self._get("/hooks", self._manages)
        _hold(len(hooks) == 1, f"GitHub has {len(hooks)} webhooks of {REPO}")
        return f"GitHub tells {hooks[0]['config']['url']} what happens"

    def hook(self, config: Path, cast: Cast) -> None:
        """Our webhook by hand, where nobody can give the verb: on the repository's settings page, as it were."""
        address = re.search(r"publicUrl: (\S+)", config.read_text(encoding="utf-8"))
        cast.environment["AO_WEBHOOK_SECRET"] = secret = secrets.token_hex(16)
        url = f"{address[1] if address else ''}/hooks/github/{sandbox.PROJECT}"
        made = {"url": url, "content_type": "json", "secret": secret, "insecure_ssl": "0"}
        body = {"name": "web", "active": True, "events": ["*"], "config": made}
        self.github.post(f"/repos/{REPO}/hooks", body, cast.environment[TOKEN])

    def close(self) -> None:
        """End the process."""
        self.github.close()

    def _pull(self, branch: str, state: str) -> Any:  # noqa: ANN401 - JSON
        rows = self._get(f"/pulls?state={state}&head=acme:{branch}")
        _hold(bool(rows), f"GitHub has no {state} pull request of {branch}")
        return rows[0]

    def _get(self, path: str, token: str = "") -> Any:  # noqa: ANN401 - JSON
        try:
            return self.github.get(f"/repos/{REPO}{path}", token or self._reads)
        except AoError as error:
            raise NotThere(error.what) from error


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _hold(holds: bool, otherwise: str) -> None:  # noqa: FBT001 - it reads as a sentence
    if not holds:
        raise NotThere(otherwise)
