"""The fake GitHub's rules: code owners, stale approvals, threads, strict checks, rulesets, forks, retargets, pages."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import requests
from github import Auth, Github, GithubException

from bot.demo.github import code_owners, pulls, reviews, rules
from bot.demo.github.checks import Report
from bot.demo.github.model_rules import Protection, Ruleset
from bot.demo.github.refusals import Refused
from bot.demo.github.server import FakeGitHub
from tests.unit.bot.demo.github.rig import REPO, acme, by

pytestmark = pytest.mark.git


@pytest.fixture
async def github(tmp_path: Path) -> AsyncIterator[FakeGitHub]:
    async with FakeGitHub(tmp_path) as fake:
        await acme(fake)
        await fake.control.push(REPO, "work", {"src/b.txt": "b\n"}, by="bo")
        await fake.control.pull(REPO, "work", by="bo")
        yield fake
    assert fake.control.unknown == []
    assert fake.world.failures == []


@pytest.mark.parametrize(
    ("pattern", "path", "owned"),
    [
        ("*", "deep/er/x.py", True),
        ("*.js", "deep/x.js", True),
        ("/docs/", "docs/a/b.md", True),
        ("/docs/", "src/docs/b.md", False),
        ("docs/*", "docs/a.md", True),
        ("docs/*", "docs/a/b.md", False),
        ("apps/", "src/apps/x", True),
        ("/src/**/x.py", "src/a/b/x.py", True),
        ("**/logs", "build/logs/a", True),
        ("a.txt", "a.txt.bak", False),
    ],
)
def test_code_owners_patterns(pattern: str, path: str, owned: bool) -> None:
    assert code_owners.owners(f"{pattern} @ada # why", [path]) == (("ada",) if owned else ())


def test_the_last_line_that_matches_counts() -> None:
    assert code_owners.owners("* @ada\n/src/ @bo @acme/team\n/src/free\n", ["src/x"]) == ("bo", "acme/team")
    assert code_owners.owners("* @ada\n/src/free\n", ["src/free"]) == ()


async def test_code_owners_of_the_base_must_approve(github: FakeGitHub) -> None:
    await github.control.push(REPO, "main", {"CODEOWNERS": "/src/ @dora\n"}, by="ada")
    repo = github.world.repository(REPO)
    repo.collaborators["dora"] = repo.collaborators["eve"] = "write"
    github.control.protect(REPO, "main", Protection(approvals=1, code_owners=True, admins=True))
    github.control.review(REPO, 1, "APPROVE", by="eve")
    token = github.control.token("ada")
    with pytest.raises(GithubException, match="code owner review from dora"):
        await by(github, token, lambda client: client.get_repo(REPO).get_pull(1).merge())
    github.control.review(REPO, 1, "APPROVE", by="dora")
    assert (await by(github, token, lambda client: client.get_repo(REPO).get_pull(1).merge())).merged


async def test_a_push_dismisses_approvals_where_that_is_set(github: FakeGitHub) -> None:
    github.control.protect(REPO, "main", Protection(approvals=1, dismiss_stale=True))
    github.control.review(REPO, 1, "APPROVE", by="ada")
    pull = github.control.find_pull(REPO, 1)
    assert rules.decision(pull) == "APPROVED"
    await github.control.push(REPO, "work", {"c.txt": "c\n"}, by="bo")
    assert rules.decision(pull) == "REVIEW_REQUIRED"
    assert pull.reviews[0].state == "DISMISSED"


async def test_open_threads_and_requested_changes_stand_against_a_merge(github: FakeGitHub) -> None:
    github.control.protect(REPO, "main", Protection(approvals=0, conversations=True))
    review = github.control.review(
        REPO,
        1,
        "REQUEST_CHANGES",
        by="ada",
        body="No",
        remarks=[reviews.Remark(path="src/b.txt", line=1, body="?")],
    )
    pull = github.control.find_pull(REPO, 1)
    assert len(rules.missing(pull)) == 2
    github.control.resolve(REPO, 1, by="bo")
    github.control.dismiss(review, by="ada")
    assert rules.missing(pull) == []
    assert rules.decision(pull) is None
    await github.control.push(REPO, "work", {"src/b.txt": "other\n"}, by="bo")
    assert pull.threads[0].outdated


async def test_without_a_rule_there_is_no_review_decision(github: FakeGitHub) -> None:
    github.control.review(REPO, 1, "APPROVE", by="ada")
    assert rules.decision(github.control.find_pull(REPO, 1)) is None


async def test_strict_checks_want_the_newest_base_and_update_branch_brings_it(github: FakeGitHub) -> None:
    github.control.protect(REPO, "main", Protection(checks=["tests"], strict=True, admins=True))
    await github.control.check(REPO, 1, Report(name="tests"))
    await github.control.push(REPO, "main", {"z.txt": "z\n"}, by="ada")
    token = github.control.token("ada")
    await by(github, token, lambda client: client.get_repo(REPO).get_pull(1))
    await github.control.settle()
    pull = await by(github, token, lambda client: client.get_repo(REPO).get_pull(1))
    assert pull.mergeable_state == "behind"
    assert not await by(
        github, token, lambda client: client.get_repo(REPO).get_pull(1).update_branch("0" * 40)
    )
    assert await by(
        github, token, lambda client: client.get_repo(REPO).get_pull(1).update_branch(pull.head.sha)
    )
    after = github.control.find_pull(REPO, 1)
    assert after.head_sha != pull.head.sha
    assert rules.missing(after) == ['Required status check "tests" is expected.']
    await github.control.check(REPO, 1, Report(name="tests"))
    assert (await by(github, token, lambda client: client.get_repo(REPO).get_pull(1).merge())).merged


async def test_check_names_that_repeat_are_all_asked(github: FakeGitHub) -> None:
    github.control.protect(REPO, "main", Protection(checks=["tests"]))
    pull = github.control.find_pull(REPO, 1)
    await github.control.check_at(REPO, pull.head_sha, Report(name="tests"))
    second = await github.control.check_at(
        REPO, pull.head_sha, Report(name="tests", conclusion="failure", app=(7, "other")), beside=True
    )
    assert rules.missing(pull) == ['Required status check "tests" is failing.']
    assert second.suite.app_slug == "other"


async def test_a_thousand_checks_come_page_by_page(github: FakeGitHub) -> None:
    sha = github.control.find_pull(REPO, 1).head_sha
    for number in range(1000):
        await github.control.check_at(REPO, sha, Report(name=f"check {number}"))
    token = github.control.token("ada")

    def names() -> int:
        with Github(
            auth=Auth.Token(token), base_url=github.api_url, per_page=100, seconds_between_requests=0
        ) as client:
            return len({run.name for run in client.get_repo(REPO).get_commit(sha).get_check_runs()})

    assert await asyncio.to_thread(names) == 1000


async def test_a_ruleset_allows_squash_alone_and_is_read_without_being_admin(github: FakeGitHub) -> None:
    github.control.ruleset(
        REPO,
        Ruleset(
            id=5,
            name="main",
            branches=["~DEFAULT_BRANCH"],
            rules=Protection(checks=["tests"]),
            methods=["squash"],
        ),
    )
    token = github.control.token("bo")
    with pytest.raises(GithubException, match="Required status check"):
        await by(github, token, lambda client: client.get_repo(REPO).get_pull(1).merge(merge_method="squash"))
    await github.control.check(REPO, 1, Report(name="tests"))
    with pytest.raises(GithubException, match="not allowed"):
        await by(github, token, lambda client: client.get_repo(REPO).get_pull(1).merge())

    def types() -> list[str]:
        url = f"{github.api_url}/repos/{REPO}/rules/branches/main"
        answer = requests.get(url, headers={"Authorization": f"Bearer {token}"}, timeout=10)
        return [row["type"] for row in answer.json()]

    assert await asyncio.to_thread(types) == ["required_status_checks"]


async def test_a_pull_request_from_a_fork(github: FakeGitHub) -> None:
    await github.control.fork(REPO, "cy")
    await github.control.push("cy/tool", "theirs", {"c.txt": "c\n"}, by="cy")
    token = github.control.token("cy")
    pull = await by(
        github,
        token,
        lambda client: client.get_repo(REPO).create_pull(base="main", head="cy:theirs", title="T"),
    )
    assert (pull.head.repo.full_name, pull.user.login) == ("cy/tool", "cy")
    with pytest.raises(GithubException):
        await by(github, token, lambda client: client.get_repo(REPO).get_pull(2).merge())
    await github.control.push("cy/tool", "theirs", {"c.txt": "d\n"}, by="cy")
    seen = github.control.find_pull(REPO, 2)
    assert seen.head_sha != pull.head.sha
    ada = github.control.token("ada")
    assert (await by(github, ada, lambda client: client.get_repo(REPO).get_pull(2).merge())).merged


async def test_retargeted_closed_and_opened_again(github: FakeGitHub) -> None:
    await github.control.push(REPO, "next", {"n.txt": "n\n"}, by="ada")
    token = github.control.token("bo")
    await by(github, token, lambda client: client.get_repo(REPO).get_pull(1).edit(base="next"))
    await by(github, token, lambda client: client.get_repo(REPO).get_pull(1).edit(state="closed"))
    await by(github, token, lambda client: client.get_repo(REPO).get_pull(1).edit(state="open"))
    pull = github.control.find_pull(REPO, 1)
    assert (pull.base_ref, pull.is_open) == ("next", True)
    await by(github, token, lambda client: client.get_repo(REPO).get_git_ref("heads/work").delete())
    assert not pull.is_open
    with pytest.raises(Refused):
        await github.control.reopen(REPO, 1, by="bo")


async def test_a_merge_deletes_the_branch_and_closes_the_issue_where_that_is_wanted(
    github: FakeGitHub,
) -> None:
    github.control.allow(REPO, delete_branch=True)
    issue = github.control.issue(REPO, "Broken", by="cy")
    github.control.edit(REPO, 1, by="bo", body=f"Fixes #{issue.number}")
    token = github.control.token("ada")
    await by(github, token, lambda client: client.get_repo(REPO).get_pull(1).merge())
    assert issue.state == "closed"
    assert "work" not in github.world.repository(REPO).branch_heads


async def test_two_pull_requests_for_one_branch_are_refused_and_so_is_one_without_commits(
    github: FakeGitHub,
) -> None:
    token = github.control.token("bo")
    repo = await by(github, token, lambda client: client.get_repo(REPO))
    for head, words in (("work", "already exists"), ("main", "No commits between"), ("gone", "head")):
        with pytest.raises(GithubException, match=words) as refused:
            await asyncio.to_thread(repo.create_pull, base="main", head=head, title="T")
        assert refused.value.status == 422


async def test_a_team_of_code_owners_is_its_members(github: FakeGitHub) -> None:
    github.control.team("acme", "core", ["dora"])
    github.world.repository(REPO).collaborators["dora"] = "write"
    await github.control.push(REPO, "main", {".github/CODEOWNERS": "* @acme/core\n"}, by="ada")
    github.control.protect(REPO, "main", Protection(approvals=1, code_owners=True))
    github.control.review(REPO, 1, "APPROVE", by="ada")
    pull = github.control.find_pull(REPO, 1)
    await pulls.work_out(github.world, pull)
    assert rules.missing(pull) == ["Waiting on code owner review from acme/core."]
    github.control.review(REPO, 1, "APPROVE", by="dora")
    assert rules.missing(pull) == []
