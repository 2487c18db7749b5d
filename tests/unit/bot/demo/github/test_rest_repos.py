"""Repositories at the fake GitHub over REST, by PyGithub: branches, protection, refs, files, people; and its pages."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import requests
from github import Github, GithubException

from bot.demo.github import reviews
from bot.demo.github.checks import Report
from bot.demo.github.model_rules import Protection
from bot.demo.github.server import FakeGitHub
from tests.unit.bot.demo.github.rig import REPO, acme, by

pytestmark = pytest.mark.git


@pytest.fixture
async def github(tmp_path: Path) -> AsyncIterator[FakeGitHub]:
    async with FakeGitHub(tmp_path) as fake:
        await acme(fake)
        await fake.control.push(REPO, "work/one", {"b.txt": "b\n"}, by="bo")
        yield fake
    assert fake.control.unknown == []
    assert fake.world.failures == []


async def test_branches_refs_files_and_what_lies_between(github: FakeGitHub) -> None:
    await github.control.push(REPO, "main", {"c.txt": "c\n"}, by="ada", message="On main")

    def work(client: Github) -> None:
        repo = client.get_repo(REPO)
        assert (repo.default_branch, repo.permissions.push, repo.permissions.admin) == ("main", True, False)
        assert [branch.name for branch in repo.get_branches()] == ["main", "work/one"]
        head = repo.get_branch("work/one").commit.sha
        between = repo.compare("main", "work/one")
        assert (between.status, between.ahead_by, between.behind_by) == ("diverged", 1, 1)
        assert repo.get_commit("main").commit.message == "On main"
        made = repo.create_git_ref("refs/heads/two", head)
        with pytest.raises(GithubException, match="already exists"):
            repo.create_git_ref("refs/heads/two", head)
        assert [ref.ref for ref in repo.get_git_matching_refs("heads/t")] == ["refs/heads/two"]
        made.delete()
        with pytest.raises(GithubException) as gone:
            repo.get_branch("two")
        assert gone.value.status == 404
        found = repo.get_contents("c.txt", ref="main")
        assert not isinstance(found, list)
        assert found.decoded_content == b"c\n"
        with pytest.raises(GithubException):
            repo.get_contents("gone.txt")
        with pytest.raises(GithubException, match="Cannot delete"):
            repo.get_git_ref("heads/main").delete()

    await by(github, github.control.token("bo"), work)


async def test_protection_is_read_by_admins_and_its_shadow_by_everybody(github: FakeGitHub) -> None:
    wanted = Protection(
        checks=["tests"], strict=True, approvals=2, code_owners=True, conversations=True, admins=True
    )
    github.control.protect(REPO, "main", wanted)

    def admin(client: Github) -> None:
        found = client.get_repo(REPO).get_branch("main").get_protection()
        assert found.required_status_checks.contexts == ["tests"]
        assert found.required_status_checks.strict
        assert found.required_pull_request_reviews.required_approving_review_count == 2
        assert found.enforce_admins
        assert client.get_repo(REPO).get_branch("main").get_required_status_checks().contexts == ["tests"]

    await by(github, github.control.token("ada"), admin)

    def writer(client: Github) -> None:
        assert client.get_repo(REPO).get_branch("main").protected
        with pytest.raises(GithubException) as refused:
            client.get_repo(REPO).get_branch("main").get_protection()
        assert refused.value.status == 403

    await by(github, github.control.token("bo"), writer)
    github.control.protect(REPO, "main", None)
    with pytest.raises(GithubException, match="Branch not protected"):
        await by(
            github,
            github.control.token("ada"),
            lambda client: client.get_repo(REPO).get_branch("main").get_protection(),
        )


async def test_who_people_are_and_what_they_may_do(github: FakeGitHub) -> None:
    def work(client: Github) -> None:
        repo = client.get_repo(REPO)
        assert repo.get_collaborator_permission("ada") == "admin"
        assert repo.get_collaborator_permission("cy") == "read"
        assert repo.has_in_collaborators("bo")
        assert not repo.has_in_collaborators("cy")
        assert client.get_user("cy").type == "User"
        assert [one.full_name for one in client.get_user().get_repos()] == [REPO]
        assert client.get_repo(repo.id).full_name == REPO
        with pytest.raises(GithubException):
            client.get_user("nobody-here")

    await by(github, github.control.token("ada"), work)


async def test_an_installation_knows_its_repositories_and_has_no_user(github: FakeGitHub) -> None:
    await github.control.repository("acme/other", private=True)
    app = github.control.app("robot", "acme", {"contents": "read"})
    installation = github.control.install(app, "acme", [REPO])
    token = github.access.installation_token(installation, {"contents": "read"}).value

    def get(path: str) -> requests.Response:
        return requests.get(
            f"{github.api_url}{path}", headers={"Authorization": f"token {token}"}, timeout=10
        )

    seen = (await asyncio.to_thread(get, "/installation/repositories")).json()
    assert [row["full_name"] for row in seen["repositories"]] == [REPO]
    assert (await asyncio.to_thread(get, "/user")).status_code == 403
    assert (await asyncio.to_thread(get, "/repos/acme/other")).status_code == 404


async def test_pages_show_a_pull_request_whole_and_nothing_that_is_private(github: FakeGitHub) -> None:
    await github.control.pull(REPO, "work/one", by="bo", title="<b>T</b>")
    await github.control.check(REPO, 1, Report(name="tests", conclusion="failure", log="<script>boom"))
    await github.control.status(REPO, 1, "lint", "pending", by="ada")
    remark = reviews.Remark(path="b.txt", line=1, body="<i>Why</i>")
    github.control.review(REPO, 1, "COMMENT", by="ada", remarks=[remark])
    run = github.world.repository(REPO).checks.runs[0]

    def get(url: str) -> tuple[int, str]:
        answer = requests.get(url, timeout=10)
        return answer.status_code, answer.text

    page = github.world.page
    status, text = await asyncio.to_thread(get, page(f"/{REPO}/issues/1"))  # leads on to the pull request
    assert status == 200
    for words in ("&lt;b&gt;T&lt;/b&gt;", "&lt;i&gt;Why", "tests", "failure", "lint"):
        assert words in text
    status, text = await asyncio.to_thread(get, run.details_url)
    assert (status, "&lt;script&gt;boom" in text) == (200, True)
    assert REPO in (await asyncio.to_thread(get, page("/")))[1]
    assert "&lt;b&gt;T" in (await asyncio.to_thread(get, page(f"/{REPO}")))[1]
    github.world.repository(REPO).private = True
    for path in (f"/{REPO}", f"/{REPO}/pull/1", f"/{REPO}/pull/99"):
        assert (await asyncio.to_thread(get, page(path)))[0] == 404
