"""The fake GitHub's checks over REST, by PyGithub: statuses, an App's check runs, annotations, suites, reruns."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from github import Github, GithubException

from bot.demo.github.checks import Report
from bot.demo.github.server import FakeGitHub
from tests.unit.bot.demo.github.rig import REPO, acme, by

pytestmark = pytest.mark.git


@pytest.fixture
async def github(tmp_path: Path) -> AsyncIterator[FakeGitHub]:
    async with FakeGitHub(tmp_path) as fake:
        await acme(fake)
        await fake.control.push(REPO, "work", {"b.txt": "b\n"}, by="bo")
        await fake.control.pull(REPO, "work", by="bo")
        yield fake
    assert fake.control.unknown == []
    assert fake.world.failures == []


async def test_the_newest_status_of_each_context_counts(github: FakeGitHub) -> None:
    sha = github.control.find_pull(REPO, 1).head_sha

    def work(client: Github) -> tuple[str, list[str], list[str]]:
        commit = client.get_repo(REPO).get_commit(sha)
        assert commit.get_combined_status().state == "pending"
        commit.create_status("pending", context="ao/approval", description="Waits")
        commit.create_status(
            "success", context="ao/approval", description="Ada", target_url="http://127.0.0.1/x"
        )
        commit.create_status("error", context="lint")
        whole = commit.get_combined_status()
        with pytest.raises(GithubException) as odd:
            commit.create_status("perhaps", context="x")
        assert odd.value.status == 422
        newest = [f"{one.context} {one.state}" for one in whole.statuses]
        return whole.state, newest, [one.state for one in commit.get_statuses()]

    state, newest, every = await by(github, github.control.token("bo"), work)
    assert (state, newest) == ("failure", ["ao/approval success", "lint error"])
    assert every == ["error", "success", "pending"]


async def test_only_an_app_makes_check_runs(github: FakeGitHub) -> None:
    sha = github.control.find_pull(REPO, 1).head_sha
    with pytest.raises(GithubException, match="authenticate via a GitHub App"):
        await by(
            github,
            github.control.token("ada"),
            lambda client: client.get_repo(REPO).create_check_run("x", sha),
        )
    app = github.control.app("scanner", "acme", {"checks": "write"})
    token = github.access.installation_token(github.control.install(app, "acme"), None).value

    def work(client: Github) -> None:
        repo = client.get_repo(REPO)
        run = repo.create_check_run("scan", sha, status="in_progress", external_id="7")
        note = {
            "path": "b.txt",
            "start_line": 1,
            "end_line": 1,
            "annotation_level": "failure",
            "message": "Bad",
        }
        output: dict[str, object] = {"title": "One problem", "summary": "It is bad", "annotations": [note]}
        run.edit(conclusion="failure", output=output)
        again = repo.get_check_run(run.id)
        assert (again.status, again.conclusion, again.app.slug) == ("completed", "failure", "scanner")
        assert [(one.path, one.message) for one in again.get_annotations()] == [("b.txt", "Bad")]
        (suite,) = repo.get_commit(sha).get_check_suites()
        assert (suite.app.slug, suite.conclusion) == ("scanner", "failure")
        assert [one.number for one in repo.get_commit(sha).get_pulls()] == [1]
        assert suite.rerequest()
        (fresh,) = repo.get_commit(sha).get_check_runs()
        assert fresh.status == "queued"
        assert repo.get_commit(sha).get_check_runs(filter="all", check_name="scan").totalCount == 2

    await by(github, token, work)


async def test_jobs_are_run_again_alone_or_all_but_not_while_they_run(github: FakeGitHub) -> None:
    sha = github.control.find_pull(REPO, 1).head_sha
    await github.control.check(REPO, 1, Report(name="tests", conclusion="failure", log="a\nb"))
    await github.control.check(REPO, 1, Report(name="lint", log="fine"))

    def work(client: Github) -> None:
        repo = client.get_repo(REPO)
        (run,) = repo.get_workflow_runs(head_sha=sha, branch=repo.get_branch("work"))
        assert (run.status, run.conclusion, run.run_attempt) == ("completed", "failure", 1)
        assert run.rerun_failed_jobs()
        assert {job.name: job.status for job in run.jobs()} == {"lint": "completed", "tests": "queued"}
        again = repo.get_workflow_run(run.id)
        assert (again.status, again.run_attempt) == ("in_progress", 2)
        assert not again.conclusion
        assert not again.rerun()

    token = github.control.token("bo")
    await by(github, token, work)
    done = await github.control.check(REPO, 1, Report(name="tests", log="ok"))
    assert done.attempt == 2

    def finish(client: Github) -> None:
        (run,) = client.get_repo(REPO).get_workflow_runs(head_sha=sha, status="success")
        assert not run.rerun_failed_jobs()
        assert run.rerun()
        assert {job.status for job in run.jobs("all")} == {"completed", "queued"}

    await by(github, token, finish)


async def test_logs_are_read_after_the_end_by_an_address_that_serves_a_minute(github: FakeGitHub) -> None:
    run = await github.control.check(REPO, 1, Report(name="tests", status="in_progress"))
    path = f"/repos/{REPO}/actions/jobs/{run.id}/logs"
    token = github.control.token("bo")

    def logs(client: Github) -> tuple[int, str, str]:
        status, headers, body = client.requester.requestJson("GET", path, follow_302_redirect=True)
        return status, str(headers.get("location", "")), body

    assert (await by(github, token, logs))[0] == 404
    await github.control.check(REPO, 1, Report(name="tests", conclusion="failure", log="one\ntwo ☂"))
    status, _, body = await by(github, token, logs)
    assert status == 200
    assert [line.split(" ", 1)[1] for line in body.splitlines()] == ["one", "two ☂"]
