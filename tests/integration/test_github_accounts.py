"""Who acts on a GitHub that is asked over HTTP: tokens, an App, people who sign in, and git."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from bot.demo.github.access import App
from bot.demo.github.server import FakeGitHub
from orchestrator.domain.ids import ProjectId
from orchestrator.domain.project import Project
from orchestrator.errors import NotAllowed, NotFound, NotReady, TemporaryError
from orchestrator.ports.plugin import PluginContext
from orchestrator.ports.scm import Credential, SignIn, Wanted
from plugins._shared.command import run
from plugins._shared.git import safe_environment, safe_settings
from plugins._shared.github.access import Access, AccessOptions, git_environment
from plugins._shared.github.account import GitHubAccount
from plugins._shared.github.sign_in import SignInOptions

pytestmark = pytest.mark.git

REPO = "acme/app"
WANTED = Wanted(approvals=1, merge_method="squash", issues=True)
PERMISSIONS = {
    "metadata": "read",
    "contents": "write",
    "pull_requests": "write",
    "issues": "write",
    "checks": "read",
    "statuses": "write",
    "actions": "write",
}


def _no_data(name: str) -> str:
    raise NotFound(name)


@dataclass
class Bench:
    github: FakeGitHub
    home: Path
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def project(self) -> Project:
        return Project(
            id=ProjectId("app"),
            name="app",
            path=self.home,
            default_branch="main",
            prefix="app",
            folder=self.home,
            repo=REPO,
        )

    @property
    def context(self) -> PluginContext:
        return PluginContext(
            home=self.home, data=_no_data, environment=self.environment, now=lambda: self.github.world.now
        )

    def access(self, **more: Any) -> Access:
        options = AccessOptions.model_validate({"apiUrl": self.github.api_url, **more})
        return Access(options, self.context)

    def account(self, client: str, **more: Any) -> GitHubAccount:
        web = self.github.api_url.removesuffix("/api/v3")
        given = {"apiUrl": self.github.api_url, "oauthClientId": client, "oauthUrl": web, **more}
        return GitHubAccount(SignInOptions.model_validate(given), self.context)


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    async with FakeGitHub(tmp_path / "github", now=time.time) as github:
        github.control.user("acme", "Organization", members=["ana"])
        await github.control.repository(REPO, private=True, collaborators={"ana": "write", "bot": "write"})
        yield Bench(github, tmp_path)


def key_pair() -> tuple[str, str]:
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    text = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return text.decode(), public.decode()


class TestApp:
    async def _app(self, bench: Bench, **permissions: str) -> App:
        private, public = await asyncio.to_thread(key_pair)
        bench.environment["KEY"] = private.replace("\n", "\\n")
        return bench.github.control.app("ao", "acme", {**PERMISSIONS, **permissions}, public_key=public)

    async def test_it_is_found_by_the_repository_and_signs_in_anew_when_its_token_is_refused(
        self, bench: Bench
    ) -> None:
        app = await self._app(bench)
        bench.github.control.install(app, "acme")
        access = bench.access(app={"id": app.id, "keyEnv": "KEY"})
        hub = access.ours(REPO)
        assert (await hub.rest("GET", f"/repos/{REPO}")).data["full_name"] == REPO
        first = await hub.token()
        assert first.startswith("ghs_")
        bench.github.control.revoke(first)
        with pytest.raises(NotAllowed):
            await hub.rest("GET", f"/repos/{REPO}")
        assert (await hub.rest("GET", f"/repos/{REPO}")).status == 200
        assert await hub.token() != first
        await access.aclose()

    async def test_one_that_is_not_installed_or_not_known_says_so(self, bench: Bench) -> None:
        app = await self._app(bench)
        access = bench.access(app={"id": app.id, "keyEnv": "KEY"})
        with pytest.raises(NotReady, match="is not installed on acme/app"):
            await access.ours(REPO).rest("GET", f"/repos/{REPO}")
        await access.aclose()
        bench.environment["KEY"] = (await asyncio.to_thread(key_pair))[0]
        other = bench.access(app={"id": app.id, "keyEnv": "KEY"})
        with pytest.raises(NotReady, match="does not know GitHub App"):
            await other.ours(REPO).rest("GET", f"/repos/{REPO}")
        await other.aclose()

    async def test_the_doctor_knows_its_permissions_exactly(self, bench: Bench) -> None:
        app = await self._app(bench, workflows="write", statuses="read")
        bench.github.control.install(app, "acme")
        account = bench.account("", app={"id": app.id, "keyEnv": "KEY"})
        found = await account.examine(bench.project, WANTED)
        assert account.who(bench.project) == f"GitHub App {app.id}"
        assert "as the GitHub App ao" in found[0].text
        assert [one.text for one in found if one.level != "ok"] == [
            "missing: statuses: write (to see commit statuses and set ao/approval)",
            "needless: workflows: write (may change workflows, which run with the repository's secrets: needed only where agents are meant to change workflow files)",
        ]
        await account.aclose()


class TestSignIn:
    async def _begun(self, bench: Bench, *, oauth: bool = False) -> tuple[GitHubAccount, SignIn]:
        app = bench.github.control.app("link", "acme", PERMISSIONS, oauth=oauth)
        account = bench.account(app.client_id)
        return account, await account.begin_sign_in(bench.project)

    async def test_a_person_is_who_typed_the_code(self, bench: Bench) -> None:
        account, begun = await self._begun(bench)
        assert begun.url.endswith("/login/device")
        assert begun.interval == 5.0
        assert await account.finish_sign_in(bench.project, begun) is None
        with pytest.raises(TemporaryError) as slower:
            await account.finish_sign_in(bench.project, begun)
        assert slower.value.delay == 10.0
        bench.github.control.advance(10)
        bench.github.control.authorize(begun.code, "ana")
        found = await account.finish_sign_in(bench.project, begun)
        assert found is not None
        assert found.login == "ana"
        assert found.expires_at == pytest.approx(bench.github.world.now + 8 * 3600, abs=5)
        assert found.renewal.startswith("ghr_")
        access = bench.access(tokenEnv="NONE")
        assert (await access.person(found).rest("GET", "/user")).data["login"] == "ana"
        await access.aclose()
        await account.aclose()

    async def test_it_is_renewed_once_and_not_after_it_was_taken_away(self, bench: Bench) -> None:
        account, begun = await self._begun(bench)
        bench.github.control.authorize(begun.code, "ana")
        first = await account.finish_sign_in(bench.project, begun)
        assert first is not None
        second = await account.renew(bench.project, first)
        assert second.login == "ana"
        assert second.token != first.token
        with pytest.raises(NotAllowed, match="taken away there") as raised:
            await account.renew(bench.project, first)
        assert first.renewal not in str(raised.value)
        await account.aclose()

    async def test_an_oauth_apps_token_does_not_end(self, bench: Bench) -> None:
        account, begun = await self._begun(bench, oauth=True)
        bench.github.control.authorize(begun.code, "ana")
        found = await account.finish_sign_in(bench.project, begun)
        assert found is not None
        assert (found.expires_at, found.renewal) == (0.0, "")
        await account.aclose()

    async def test_a_refusal_and_a_code_that_came_too_late(self, bench: Bench) -> None:
        account, begun = await self._begun(bench)
        bench.github.control.authorize(begun.code, "ana", allow=False)
        with pytest.raises(NotAllowed, match="it was refused there"):
            await account.finish_sign_in(bench.project, begun)
        late = await account.begin_sign_in(bench.project)
        bench.github.control.advance(1000)
        with pytest.raises(NotAllowed, match="not used in time"):
            await account.finish_sign_in(bench.project, late)
        await account.aclose()

    async def test_what_is_configured_wrongly_is_said(self, bench: Bench) -> None:
        app = bench.github.control.app("link", "acme", PERMISSIONS)
        app.device_flow = False
        for client, words in (
            ("", r"names no client.*scm\.oauthClientId"),
            ("Iv1.nobody", "knows no client"),
            (app.client_id, "device flow is off"),
        ):
            account = bench.account(client)
            with pytest.raises(NotReady, match=words):
                await account.begin_sign_in(bench.project)
            await account.aclose()

    async def test_where_it_cannot_be_revoked_the_person_hears_where_they_can(self, bench: Bench) -> None:
        account = bench.account("x")
        await bench.github.stop()
        left = await account.revoke(bench.project, Credential(login="ana", token="t"))  # noqa: S106
        assert left.endswith("/settings/apps/authorizations.")
        await account.aclose()


async def test_git_gets_in_with_its_environment_and_nothing_else(bench: Bench, tmp_path: Path) -> None:
    bench.environment["BOT"] = bench.github.control.token("bot", scopes=("repo",))
    access = bench.access(tokenEnv="BOT")
    url = bench.github.git_url(REPO)
    argv = ("git", *safe_settings(("http",)), "ls-remote", "--", url, "refs/heads/main")

    async def listed(more: dict[str, str]) -> tuple[bool, str]:
        done = await run(argv, cwd=tmp_path, env={**safe_environment(), **more})
        return done.ok, done.text()

    assert await listed({}) == (False, "")
    ok, text = await listed(await git_environment(access.ours(REPO), url))
    assert ok
    assert text.endswith("refs/heads/main")
    await access.aclose()
