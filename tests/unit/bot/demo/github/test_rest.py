"""The fake GitHub's REST API, used by PyGithub: issues, pull requests, merges, and who may do what."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from github import Github, GithubException, UnknownObjectException
from github.Repository import Repository

from bot.demo.github.model_rules import Protection
from bot.demo.github.server import FakeGitHub
from tests.unit.bot.demo.github.rig import REPO, acme, by

pytestmark = pytest.mark.git


@pytest.fixture
async def github(tmp_path: Path) -> AsyncIterator[FakeGitHub]:
    async with FakeGitHub(tmp_path) as fake:
        await acme(fake)
        yield fake
    assert fake.control.unknown == []
    assert fake.world.failures == []


async def test_an_issue_from_its_making_to_its_end(github: FakeGitHub) -> None:
    token = github.control.token("ada")

    def work(repo: Repository) -> list[str]:
        issue = repo.create_issue("Title ☂", "Body", labels=["bug"], assignee="bo")
        issue.create_comment("Hello <b>")
        issue.add_to_labels("agent:go")
        issue.remove_from_labels("bug")
        issue.edit(title="Another")
        issue.edit(state="closed", state_reason="not_planned")
        again = repo.get_issue(issue.number)
        assert (again.title, again.state, again.state_reason) == ("Another", "closed", "not_planned")
        assert again.user.login == "ada"
        assert [one.login for one in again.assignees] == ["bo"]
        assert [one.body for one in again.get_comments()] == ["Hello <b>"]
        assert [label.name for label in again.labels] == ["agent:go"]
        return [f"{event.event} {event.actor.login}" for event in again.get_timeline()]

    events = await by(github, token, lambda client: work(client.get_repo(REPO)))
    assert events == [
        "labeled ada", "assigned ada", "commented ada", "labeled ada", "unlabeled ada", "renamed ada", "closed ada"
    ]  # fmt: skip


async def test_many_issues_come_page_by_page(github: FakeGitHub) -> None:
    for number in range(1, 206):
        github.control.issue(REPO, f"Issue {number}", by="cy", labels=["odd"] if number % 2 else [])
    token = github.control.token("cy")
    titles = await by(
        github, token, lambda client: [one.title for one in client.get_repo(REPO).get_issues(labels=["odd"])]
    )
    assert len(titles) == 103
    found = await by(
        github,
        token,
        lambda client: client.search_issues("issue 7 repo:acme/tool is:issue label:odd").totalCount,
    )
    assert found == 28


async def test_a_pull_request_is_opened_reviewed_and_merged_at_the_head_that_was_seen(
    github: FakeGitHub,
) -> None:
    await github.control.push(REPO, "work", {"a.txt": "one\n2\nthree\n"}, by="bo")
    github.control.protect(REPO, "main", Protection(approvals=1, admins=True))
    ada, bo = github.control.token("ada"), github.control.token("bo")

    opened = await by(
        github,
        bo,
        lambda client: client.get_repo(REPO).create_pull(base="main", head="work", title="T", body="B"),
    )
    assert (opened.additions, opened.deletions, opened.changed_files, opened.commits) == (1, 1, 1, 1)
    assert opened.mergeable is None
    await github.control.settle()
    pull = await by(github, bo, lambda client: client.get_repo(REPO).get_pull(opened.number))
    assert (pull.mergeable, pull.mergeable_state) == (True, "blocked")

    with pytest.raises(GithubException) as own:
        await by(github, bo, lambda client: client.get_repo(REPO).get_pull(1).create_review(event="APPROVE"))
    assert own.value.status == 422
    with pytest.raises(GithubException) as refused:
        await by(github, bo, lambda client: client.get_repo(REPO).get_pull(1).merge(sha=pull.head.sha))
    assert refused.value.status == 405
    assert "approving review is required" in str(refused.value)
    await by(github, ada, lambda client: client.get_repo(REPO).get_pull(1).create_review(event="APPROVE"))
    with pytest.raises(GithubException) as other:
        await by(github, ada, lambda client: client.get_repo(REPO).get_pull(1).merge(sha="0" * 40))
    assert other.value.status == 409

    merged = await by(
        github,
        ada,
        lambda client: client.get_repo(REPO).get_pull(1).merge(sha=pull.head.sha, merge_method="squash"),
    )
    assert merged.merged
    assert merged.sha == await github.control.head(REPO, "main")
    after = await by(github, ada, lambda client: client.get_repo(REPO).get_pull(1))
    assert (after.merged, after.state, after.merged_by.login) == (True, "closed", "ada")


async def test_a_conflict_is_seen_and_cannot_be_merged(github: FakeGitHub) -> None:
    await github.control.push(REPO, "work", {"a.txt": "mine\n"})
    await github.control.push(REPO, "main", {"a.txt": "theirs\n"})
    await github.control.pull(REPO, "work", by="bo")
    token = github.control.token("bo")
    await by(github, token, lambda client: client.get_repo(REPO).get_pull(1))
    await github.control.settle()
    pull = await by(github, token, lambda client: client.get_repo(REPO).get_pull(1))
    assert (pull.mergeable, pull.mergeable_state) == (False, "dirty")
    with pytest.raises(GithubException, match="not mergeable"):
        await by(github, token, lambda client: client.get_repo(REPO).get_pull(1).merge())


async def test_rebase_keeps_the_commits_on_top_of_the_base(github: FakeGitHub) -> None:
    await github.control.push(REPO, "work", {"b.txt": "1\n"}, message="First")
    await github.control.push(REPO, "work", {"c.txt": "2\n"}, message="Second")
    await github.control.push(REPO, "main", {"d.txt": "3\n"}, message="Between")
    await github.control.pull(REPO, "work", by="bo")
    token = github.control.token("bo")
    await by(github, token, lambda client: client.get_repo(REPO).get_pull(1).merge(merge_method="rebase"))
    repo = github.world.repository(REPO)
    log = await github.world.git(repo).run("log", "--format=%s", "main")
    assert log.split("\n")[:3] == ["Second", "First", "Between"]


async def test_what_somebody_may_not_know_of_is_not_there(tmp_path: Path) -> None:
    async with FakeGitHub(tmp_path / "private") as private:
        await acme(private, private=True)
        token = private.control.token("cy")
        with pytest.raises(UnknownObjectException):
            await by(private, token, lambda client: client.get_repo(REPO))
        narrow = private.control.token("ada", scopes=("read:org",))
        with pytest.raises(UnknownObjectException):
            await by(private, narrow, lambda client: client.get_repo(REPO))


async def test_a_token_without_the_permission_is_told_which_one(github: FakeGitHub) -> None:
    token = github.control.token("ada", permissions={"issues": "read"})
    with pytest.raises(GithubException) as refused:
        await by(github, token, lambda client: client.get_repo(REPO).create_issue("T"))
    assert refused.value.status == 403
    assert (refused.value.headers or {})["x-accepted-github-permissions"] == "issues=write"


async def test_an_expired_token_is_bad(github: FakeGitHub) -> None:
    token = github.control.token("ada", expires_in=60)
    await by(github, token, lambda client: client.get_repo(REPO))
    github.world.clock.offset += 61
    with pytest.raises(GithubException) as refused:
        await by(github, token, lambda client: client.get_repo(REPO))
    assert refused.value.status == 401


async def test_a_renamed_repository_redirects(github: FakeGitHub) -> None:
    github.control.issue(REPO, "Before", by="cy")
    github.control.rename(REPO, "acme/new-name")
    token = github.control.token("ada")
    assert await by(github, token, lambda client: client.get_repo(REPO).full_name) == "acme/new-name"


async def test_what_is_not_modified_costs_nothing(github: FakeGitHub) -> None:
    token = github.control.token("ada")

    def twice(repo: Repository) -> tuple[int, bool, int]:
        before = repo._requester.rate_limiting[0]
        changed = repo.update()
        return before, changed, repo._requester.rate_limiting[0]

    before, changed, after = await by(github, token, lambda client: twice(client.get_repo(REPO)))
    assert not changed
    assert before == after
    assert github.control.calls["304 GET /repos/{owner}/{repo}"] == 1


async def test_two_merges_at_once_are_one_merge(github: FakeGitHub) -> None:
    await github.control.push(REPO, "work", {"b.txt": "b\n"}, by="bo")
    pull = await github.control.pull(REPO, "work", by="bo")
    token = github.control.token("bo")

    def merge(client: Github) -> int:
        try:
            client.get_repo(REPO).get_pull(1).merge(sha=pull.head_sha)
        except GithubException as refused:
            return refused.status
        return 200

    said = await asyncio.gather(*(by(github, token, merge) for _ in range(4)))
    assert sorted(said) == [200, 405, 405, 405]
    assert [event.event for event in pull.issue.timeline] == ["merged", "closed"]


async def test_pushes_at_once_are_all_seen(github: FakeGitHub) -> None:
    await asyncio.gather(
        *(github.control.push(REPO, f"b{number}", {"x": str(number)}, by="bo") for number in range(12))
    )
    repo = github.world.repository(REPO)
    assert repo.branch_heads == await github.world.git(repo).branches()
    assert len(repo.branch_heads) == 13


async def test_hostile_names_of_files_branches_and_people(github: FakeGitHub) -> None:
    names = ['a "b".txt', "ü ☂/new\nline", "--help", "$(id);`id`", "tab\there"]
    branch = "--x/$(id)-☂"
    await github.control.push(REPO, branch, dict.fromkeys(names, "x\n"), by="bo")
    pull = await github.control.pull(REPO, branch, by="bo", title="<img src=x onerror=alert(1)> \u202e")
    token = github.control.token("bo")
    seen = await by(
        github,
        token,
        lambda client: [one.filename for one in client.get_repo(REPO).get_pull(pull.number).get_files()],
    )
    assert sorted(seen) == sorted(names)
    found = await by(
        github, token, lambda client: client.get_repo(REPO).get_pulls(head=f"acme:{branch}").totalCount
    )
    assert found == 1
    await by(github, token, lambda client: client.get_repo(REPO).get_pull(pull.number).merge())
    await github.control.delete_branch(REPO, branch)
    assert branch not in github.world.repository(REPO).branch_heads


async def test_a_label_with_a_slash_and_signs(github: FakeGitHub) -> None:
    issue = github.control.issue(REPO, "T", by="cy", labels=["area/ü?#", "bug"])
    token = github.control.token("bo")
    await by(github, token, lambda client: client.get_repo(REPO).get_issue(1).remove_from_labels("area/ü?#"))
    assert [label.name for label in issue.labels] == ["bug"]
