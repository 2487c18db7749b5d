"""Apps and people at the fake GitHub: JWT, installation tokens, device flow, refresh."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from github import Auth, GithubException, GithubIntegration

from bot.demo.github import rules
from bot.demo.github.access import App
from bot.demo.github.model_rules import Protection
from bot.demo.github.server import FakeGitHub
from tests.unit.bot.demo.github.rig import REPO, acme, by, form

pytestmark = pytest.mark.git
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"


def _keys() -> tuple[str, str]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    return private.decode(), public.decode()


@pytest.fixture
async def github(tmp_path: Path) -> AsyncIterator[FakeGitHub]:
    async with FakeGitHub(tmp_path) as fake:
        await acme(fake)
        yield fake
    assert fake.world.failures == []


async def test_an_app_gets_an_installation_token_and_its_review_does_not_count(github: FakeGitHub) -> None:
    private, public = _keys()
    app = github.control.app(
        "robot", "acme", {"issues": "write", "pull_requests": "write"}, public_key=public
    )
    github.control.install(app, "acme")
    await github.control.push(REPO, "work", {"b.txt": "b\n"})
    await github.control.pull(REPO, "work", by="bo")
    github.control.protect(REPO, "main", Protection(approvals=1))

    def work() -> tuple[str, str]:
        auth = Auth.AppAuth(app.id, private)
        with GithubIntegration(auth=auth, base_url=github.api_url, seconds_between_requests=0) as integration:
            installation = integration.get_repo_installation("acme", "tool")
            client = installation.get_github_for_installation()
        issue = client.get_repo(REPO).create_issue("By the robot")
        client.get_repo(REPO).get_pull(1).create_review(event="APPROVE")
        with pytest.raises(GithubException) as refused:
            client.get_repo(REPO).get_pull(1).merge()
        return issue.user.login, str(refused.value.status)

    assert await asyncio.to_thread(work) == ("robot[bot]", "403")
    pull = github.control.find_pull(REPO, 1)
    assert pull.reviews[0].state == "APPROVED"
    assert rules.decision(pull) == "REVIEW_REQUIRED"


async def test_a_jwt_by_another_key_is_refused(github: FakeGitHub) -> None:
    app = github.control.app("robot", "acme", {"issues": "read"}, public_key=_keys()[1])
    wrong, _ = _keys()

    def work() -> None:
        auth = Auth.AppAuth(app.id, wrong)
        with GithubIntegration(auth=auth, base_url=github.api_url, seconds_between_requests=0) as integration:
            integration.get_app()

    with pytest.raises(GithubException) as refused:
        await asyncio.to_thread(work)
    assert refused.value.status == 401


async def _code(github: FakeGitHub, app: App) -> dict[str, Any]:
    return await form(github, "/login/device/code", {"client_id": app.client_id})


async def _token(github: FakeGitHub, app: App, code: str) -> dict[str, Any]:
    given = {"client_id": app.client_id, "device_code": code, "grant_type": DEVICE}
    return await form(github, "/login/oauth/access_token", given)


async def test_a_person_signs_in_by_device_and_the_token_is_renewed(github: FakeGitHub) -> None:
    app = github.control.app("ao", "acme", {"pull_requests": "write"})
    told = await _code(github, app)
    assert told["verification_uri"].endswith("/login/device")
    assert (await _token(github, app, told["device_code"]))["error"] == "authorization_pending"
    assert (await _token(github, app, told["device_code"]))["error"] == "slow_down"
    github.control.authorize(told["user_code"].lower(), "bo")
    github.control.advance(20)
    made = await _token(github, app, told["device_code"])
    assert made["access_token"].startswith("ghu_")
    assert await by(github, made["access_token"], lambda client: client.get_user().login) == "bo"
    github.control.advance(made["expires_in"] + 1)
    with pytest.raises(GithubException):
        await by(github, made["access_token"], lambda client: client.get_user().login)
    given = {
        "client_id": app.client_id,
        "grant_type": "refresh_token",
        "refresh_token": made["refresh_token"],
    }
    renewed = await form(github, "/login/oauth/access_token", given)
    assert await by(github, renewed["access_token"], lambda client: client.get_user().login) == "bo"
    assert (await form(github, "/login/oauth/access_token", given))["error"] == "bad_refresh_token"


async def test_a_code_is_denied_or_expires(github: FakeGitHub) -> None:
    app = github.control.app("ao", "acme", {"pull_requests": "write"})
    denied, late = await _code(github, app), await _code(github, app)
    github.control.authorize(denied["user_code"], "bo", allow=False)
    assert (await _token(github, app, denied["device_code"]))["error"] == "access_denied"
    github.control.advance(901)
    assert (await _token(github, app, late["device_code"]))["error"] == "expired_token"


async def test_the_browser_page_takes_the_code(github: FakeGitHub) -> None:
    app = github.control.app("ao", "acme", {"pull_requests": "write"})
    told = await _code(github, app)
    await form(
        github, "/login/device", {"user_code": told["user_code"], "login": "ada", "allow": "yes"}, page=True
    )
    made = await _token(github, app, told["device_code"])
    assert await by(github, made["access_token"], lambda client: client.get_user().login) == "ada"
