"""What goes wrong with the fake GitHub on demand, as PyGithub and git meet it; limits that run out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest
import requests
from github import GithubException, RateLimitExceededException

from bot.demo.github.server import FakeGitHub
from tests.unit.bot.demo.github.rig import REPO, acme, ask, by, git

pytestmark = pytest.mark.git


@pytest.fixture
async def github(tmp_path: Path) -> AsyncIterator[FakeGitHub]:
    async with FakeGitHub(tmp_path / "github") as fake:
        await acme(fake)
        yield fake
    assert fake.world.failures == []


@pytest.mark.parametrize(("kind", "status"), [("500", 500), ("502", 502), ("429", 429), ("secondary", 403)])
async def test_the_next_call_fails_and_the_one_after_it_does_not(
    github: FakeGitHub, kind: str, status: int
) -> None:
    token = github.control.token("ada")
    github.control.fault(kind, "GET /repos/", seconds=7)
    with pytest.raises(GithubException) as failed:
        await by(github, token, lambda client: client.get_repo(REPO))
    assert failed.value.status == status
    if kind in {"429", "secondary"}:
        assert (failed.value.headers or {})["retry-after"] == "7"
    assert await by(github, token, lambda client: client.get_repo(REPO).full_name) == REPO


async def test_html_comes_where_json_is_wanted(github: FakeGitHub) -> None:
    github.control.fault("html", "GRAPHQL")
    answer = await ask(github, github.control.token("ada"), "{ viewer { login } }")
    assert "Unicorn" in str(answer)


async def test_an_answer_is_lost_after_the_work_was_done(github: FakeGitHub) -> None:
    token = github.control.token("ada")
    github.control.fault("drop", "POST")
    with pytest.raises(requests.ConnectionError):
        await by(github, token, lambda client: client.get_repo(REPO).create_issue("Made"))
    assert [issue.title for issue in github.world.repository(REPO).issues.values()] == ["Made"]


async def test_what_hangs_ends_when_the_faults_are_cleared(github: FakeGitHub) -> None:
    github.control.fault("hang", "GIT")
    waiting = asyncio.create_task(git(github.world.folder, "ls-remote", github.git_url(REPO)))
    async with asyncio.timeout(20):
        while not github.faults.met:
            await asyncio.wait({waiting}, timeout=0.01)
        assert not waiting.done()
        github.faults.clear()
        assert (await waiting)[0] != 0


async def test_the_clock_of_the_answers_is_wrong(github: FakeGitHub) -> None:
    github.faults.skew = 3600.0

    def date() -> float:
        return parsedate_to_datetime(
            requests.get(f"{github.api_url}/meta", timeout=10).headers["Date"]
        ).timestamp()

    assert await asyncio.to_thread(date) == pytest.approx(github.world.now + 3600, abs=5)


async def test_a_bucket_runs_out_and_is_full_after_the_reset(github: FakeGitHub) -> None:
    github.limits.sizes["core"] = 3
    token = github.control.token("ada")
    for _ in range(3):
        await by(github, token, lambda client: client.get_repo(REPO))
    with pytest.raises(RateLimitExceededException) as out:
        await by(github, token, lambda client: client.get_repo(REPO))
    assert (out.value.headers or {})["x-ratelimit-remaining"] == "0"
    left = await by(github, token, lambda client: client.get_rate_limit().resources.core.remaining)
    assert left == 0
    github.control.advance(3601)
    await by(github, token, lambda client: client.get_repo(REPO))


async def test_content_that_comes_too_fast_meets_the_secondary_limit(github: FakeGitHub) -> None:
    github.limits.secondary = True
    token = github.control.token("ada")

    def flood() -> int:
        for count in range(100):
            answer = requests.post(
                f"{github.api_url}/repos/{REPO}/issues", json={"title": "x"}, timeout=10,
                headers={"Authorization": f"Bearer {token}"},
            )  # fmt: skip
            if answer.status_code == 403:
                assert answer.headers["Retry-After"] == "60"
                return count
        return 100

    assert await asyncio.to_thread(flood) == 80


async def test_a_call_that_the_fake_does_not_know_is_loud(github: FakeGitHub) -> None:
    def odd() -> int:
        return requests.get(f"{github.api_url}/gitignore/templates", timeout=10).status_code

    assert await asyncio.to_thread(odd) == 501
    assert github.control.unknown == ["GET /gitignore/templates"]
