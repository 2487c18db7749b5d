"""The fake GitHub's webhooks: really posted, signed, in order; held, reordered, doubled and lost on demand."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from github import Github, GithubException

from bot.demo.github.checks import Report
from bot.demo.github.server import FakeGitHub
from tests.unit.bot.demo.github.rig import REPO, acme, by

pytestmark = pytest.mark.git
SECRET = "s3cret"  # noqa: S105 - of this test alone


@dataclass
class Listener:
    """Somebody's webhook address."""

    url: str = ""
    got: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    """Event, delivery id, payload; only with a right signature."""

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        wanted = "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        assert request.headers["X-Hub-Signature-256"] == wanted
        self.got.append(
            (request.headers["X-GitHub-Event"], request.headers["X-GitHub-Delivery"], json.loads(body))
        )
        return web.Response(status=202)

    def names(self) -> list[str]:
        return [".".join(filter(None, (event, body.get("action")))) for event, _, body in self.got]


@pytest.fixture
async def listener() -> AsyncIterator[Listener]:
    made = Listener()
    app = web.Application()
    app.router.add_post("/hook", made.take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    yield made
    await runner.cleanup()


@pytest.fixture
async def github(tmp_path: Path, listener: Listener) -> AsyncIterator[FakeGitHub]:
    async with FakeGitHub(tmp_path) as fake:
        await acme(fake)
        config = {"url": listener.url, "secret": SECRET, "content_type": "json"}
        token = fake.control.token("ada")
        await by(
            fake, token, lambda client: client.get_repo(REPO).create_hook("web", config, ["*"], active=True)
        )
        await fake.control.settle()
        yield fake
    assert fake.world.failures == []


async def test_a_new_hook_is_pinged_and_a_pull_request_is_told_from_push_to_merge(
    github: FakeGitHub, listener: Listener
) -> None:
    await github.control.push(REPO, "work", {"b.txt": "b\n"}, by="bo")
    await github.control.pull(REPO, "work", by="bo")
    await github.control.check(REPO, 1, Report(name="tests", conclusion="failure", log="x"))
    github.control.review(REPO, 1, "APPROVE", by="ada")
    github.control.comment(REPO, 1, "Hi", by="cy")
    token = github.control.token("ada")
    await by(github, token, lambda client: client.get_repo(REPO).get_pull(1).merge())
    await github.control.settle()
    assert listener.names() == [
        "ping", "create", "push", "pull_request.opened", "check_run.created", "workflow_job.queued",
        "check_run.completed", "workflow_job.completed", "check_suite.completed", "workflow_run.completed",
        "pull_request_review.submitted", "issue_comment.created", "pull_request.closed", "push",
    ]  # fmt: skip
    closed = listener.got[-2][2]
    assert (closed["pull_request"]["merged"], closed["sender"]["login"]) == (True, "ada")
    assert closed["repository"]["full_name"] == REPO
    assert closed["organization"]["login"] == "acme"
    run = next(body for event, _, body in listener.got if event == "check_run")["check_run"]
    assert [pull["number"] for pull in run["pull_requests"]] == [1]


async def test_held_ones_come_in_another_order_and_twice_or_not_at_all(
    github: FakeGitHub, listener: Listener
) -> None:
    github.webhooks.hold = True
    for number in (1, 2, 3):
        github.control.issue(REPO, f"Issue {number}", by="cy")
    github.webhooks.release([2, 0, 0])
    await github.control.settle()
    assert [body["issue"]["number"] for event, _, body in listener.got if event == "issues"] == [3, 1, 1]
    ids = [delivery for event, delivery, _ in listener.got if event == "issues"]
    assert ids[1] == ids[2] != ids[0]


async def test_what_nobody_takes_is_kept_and_sent_again_by_request(
    github: FakeGitHub, listener: Listener
) -> None:
    address = listener.url
    hook = next(iter(github.world.repository(REPO).hooks.values()))
    hook.url = address.replace("/hook", "/nothing")
    github.control.issue(REPO, "Lost", by="cy")
    await github.control.settle()
    assert github.webhooks.sent[-1].status == 404
    token = github.control.token("ada")
    rows = await by(github, token, lambda client: list(client.get_repo(REPO).get_hook_deliveries(hook.id)))
    assert (rows[0].event, rows[0].status_code) == ("issues", 404)
    hook.url = address
    github.webhooks.again(github.webhooks.sent[-1])
    await github.control.settle()
    assert listener.got[-1][0] == "issues"


async def test_only_an_admin_may_make_a_hook_and_not_twice(github: FakeGitHub, listener: Listener) -> None:
    def make(token: str) -> Any:
        return by(
            github, token, lambda client: client.get_repo(REPO).create_hook("web", {"url": listener.url})
        )

    with pytest.raises(GithubException) as weak:
        await make(github.control.token("bo"))
    assert weak.value.status == 403
    with pytest.raises(GithubException, match="already exists"):
        await make(github.control.token("ada"))


async def test_a_hook_is_changed_pinged_sent_again_and_deleted(
    github: FakeGitHub, listener: Listener
) -> None:
    def work(client: Github) -> None:
        repo = client.get_repo(REPO)
        (hook,) = repo.get_hooks()
        config = {"url": listener.url, "content_type": "json", "secret": SECRET}
        hook.edit("web", config, events=["issues"], add_events=["push"], active=True)
        assert sorted(repo.get_hook(hook.id).events) == ["issues", "push"]
        assert set(repo.get_hook(hook.id).config["secret"]) == {"*"}
        hook.ping()

    token = github.control.token("ada")
    await by(github, token, work)
    github.control.issue(REPO, "Told", by="cy")
    github.control.comment(REPO, 1, "Not told", by="cy")
    await github.control.settle()
    assert listener.names() == ["ping", "ping", "issues.opened"]
    await by(github, token, lambda client: next(iter(client.get_repo(REPO).get_hooks())).delete())
    github.control.issue(REPO, "Nobody hears", by="cy")
    await github.control.settle()
    assert len(listener.got) == 3
    assert github.world.repository(REPO).hooks == {}


async def test_a_delivery_is_asked_for_again_over_the_api(github: FakeGitHub, listener: Listener) -> None:
    github.control.issue(REPO, "Told", by="cy")
    await github.control.settle()
    sent = github.webhooks.sent[-1]
    path = f"/repos/{REPO}/hooks/{sent.hook.id}/deliveries/{sent.number}/attempts"
    token = github.control.token("ada")
    status = await by(github, token, lambda client: client.requester.requestJson("POST", path)[0])
    assert status == 202
    await github.control.settle()
    assert [delivery for event, delivery, _ in listener.got if event == "issues"] == [sent.id, sent.id]


async def test_nothing_is_sent_to_another_machine(github: FakeGitHub) -> None:
    hook = next(iter(github.world.repository(REPO).hooks.values()))
    hook.url = "http://192.0.2.1/hook"
    github.control.issue(REPO, "Told", by="cy")
    await github.control.settle()
    assert github.webhooks.sent[-1].status == 0
    assert "own machine" in hook.last_response["message"]
