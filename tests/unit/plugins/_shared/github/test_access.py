"""Whom we act as on GitHub, whose clients are shared, and what git is told of the token."""

from __future__ import annotations

import gc
from collections.abc import Mapping
from pathlib import Path
from weakref import ref

import pytest

from orchestrator.errors import NotFound, NotReady
from orchestrator.ports.plugin import PluginContext
from orchestrator.ports.scm import Credential
from plugins._shared.command import run
from plugins._shared.git import safe_environment
from plugins._shared.github.access import (
    Access,
    AccessOptions,
    AppOptions,
    git_environment,
    identity_of,
    ready,
)

ONE = "one"
ENTERPRISE = "https://ghe.example/api/v3"
SECRET = f"ghp_{'x1' * 18}"


def _no_data(name: str) -> str:
    raise NotFound(name)


def _context(home: Path, environment: Mapping[str, str]) -> PluginContext:
    return PluginContext(home=home, data=_no_data, environment=environment)


def _options(**more: object) -> AccessOptions:
    return AccessOptions.model_validate(more)


def _gh(folder: Path, script: str) -> dict[str, str]:
    program = folder / "gh"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return {"PATH": f"{folder}:/usr/bin:/bin"}


class TestWho:
    def test_the_first_variable_that_is_set_counts(self) -> None:
        both = {"GITHUB_TOKEN": "one", "GH_TOKEN": "two"}
        assert identity_of(_options(), both).source == "GITHUB_TOKEN"
        assert identity_of(_options(), {"GH_TOKEN": "two"}).source == "GH_TOKEN"

    def test_a_named_variable_counts_alone(self) -> None:
        options = _options(tokenEnv="BOT")
        assert identity_of(options, {"GITHUB_TOKEN": "one", "BOT": "two"}).source == "BOT"
        with pytest.raises(NotReady, match="BOT is not set"):
            identity_of(options, {"GITHUB_TOKEN": "one"}).auth()

    def test_a_token_for_github_com_is_not_sent_to_another_host(self) -> None:
        options = _options(apiUrl=ENTERPRISE)
        assert identity_of(options, {"GITHUB_TOKEN": "one"}).source == "gh auth token"
        found = identity_of(options, {"GITHUB_TOKEN": "one", "GH_ENTERPRISE_TOKEN": "two"})
        assert found.source == "GH_ENTERPRISE_TOKEN"

    def test_gh_is_asked_for_the_host(self, tmp_path: Path) -> None:
        environment = _gh(tmp_path, 'test "$*" = "auth token --hostname ghe.example" && echo from-gh')
        found = identity_of(_options(apiUrl=ENTERPRISE), environment)
        assert found.auth().token.endswith("from-gh")

    def test_without_any_token_the_error_says_what_to_do(self, tmp_path: Path) -> None:
        with pytest.raises(
            NotReady, match=r"GITHUB_TOKEN and GH_TOKEN are not set, and `gh` is not signed in"
        ):
            identity_of(_options(), _gh(tmp_path, "exit 1")).auth()
        with pytest.raises(NotReady, match="`gh` is not installed"):
            identity_of(_options(), {"PATH": str(tmp_path / "empty")}).auth()

    def test_an_app_without_an_installation_is_another_one_for_each_account(self) -> None:
        options = _options(app={"id": 5, "keyEnv": "KEY"})
        ours = identity_of(options, {}, "Acme/one")
        assert ours.key == identity_of(options, {}, "acme/two").key
        assert ours.key != identity_of(options, {}, "other/one").key

    def test_a_key_that_cannot_be_used_is_said_without_showing_it(self, tmp_path: Path) -> None:
        options = _options(app={"id": 5, "keyEnv": "KEY", "installation": 7})
        with pytest.raises(NotReady, match="KEY is not set"):
            identity_of(options, {}).auth()
        with pytest.raises(NotReady, match="cannot be used") as raised:
            identity_of(options, {"KEY": SECRET}).auth()
        assert SECRET not in str(raised.value)
        by_file = _options(app={"id": 5, "keyFile": str(tmp_path / "none.pem"), "installation": 7})
        with pytest.raises(NotReady, match=r"cannot be read .*FileNotFoundError"):
            identity_of(by_file, {}).auth()

    def test_an_app_has_one_key(self) -> None:
        assert AppOptions.problems({"id": 5})
        assert AppOptions.problems({"id": 5, "keyFile": "a", "keyEnv": "B"})
        assert not AppOptions.problems({"id": 5, "keyFile": "a"})

    def test_no_secret_is_shown(self) -> None:
        person = Credential(login="ana-gh", token=SECRET)
        access = Access(_options(), _context(Path("/home"), {"GITHUB_TOKEN": SECRET}))
        shown = f"{access.identity()!r} {access.identity().key} {person!r} {access.person(person).identity!r}"
        assert SECRET not in shown
        assert access.person(person).identity.key not in SECRET


def test_whether_it_could_be_used_is_known_without_a_server(tmp_path: Path) -> None:
    assert ready(_options(), _context(tmp_path, {"GH_TOKEN": ONE})) == ""
    assert ready(_options(), _context(tmp_path, _gh(tmp_path, "echo t"))) == ""
    assert "`gh` is not signed in" in ready(_options(), _context(tmp_path, _gh(tmp_path, "exit 1")))
    app = _options(app={"id": 5, "keyEnv": "KEY"})
    assert "KEY is not set" in ready(app, _context(tmp_path, {}))
    assert ready(app, _context(tmp_path, {"KEY": ONE})) == ""


class TestSharing:
    async def test_tracker_and_scm_share_a_client_until_both_let_go(self, tmp_path: Path) -> None:
        context = _context(tmp_path, {"GITHUB_TOKEN": "one"})
        tracker, scm = Access(_options(), context), Access(_options(), context)
        hub = tracker.ours("o/r")
        assert scm.ours("o/other") is hub
        await tracker.aclose()
        await tracker.aclose()
        assert await hub.token() == "one"
        await scm.aclose()
        again = Access(_options(), context)
        assert again.ours() is not hub
        await again.aclose()

    async def test_other_homes_addresses_and_tokens_have_their_own(self, tmp_path: Path) -> None:
        one = Access(_options(), _context(tmp_path, {"GITHUB_TOKEN": "one"}))
        others = [
            Access(_options(), _context(tmp_path, {"GITHUB_TOKEN": "two"})),
            Access(_options(), _context(tmp_path / "other", {"GITHUB_TOKEN": "one"})),
            Access(_options(apiUrl=ENTERPRISE), _context(tmp_path, {"GH_ENTERPRISE_TOKEN": "one"})),
        ]
        assert all(other.ours() is not one.ours() for other in others)
        person = Credential(login="ana-gh", token=ONE)
        assert one.person(person) is not one.ours()
        assert one.person(person) is one.person(Credential(login="ana-gh", token=ONE))
        for access in (one, *others):
            await access.aclose()

    async def test_a_client_of_a_token_that_was_renewed_is_let_go(self, tmp_path: Path) -> None:
        access = Access(_options(), _context(tmp_path, {}))
        before = ref(access.person(Credential(login="ana-gh", token=ONE)))
        other = access.person(Credential(login="ana", token=ONE))
        after = access.person(Credential(login="ana-gh", token=SECRET))
        gc.collect()
        assert before() is None
        assert access.person(Credential(login="ana", token=ONE)) is other
        assert access.person(Credential(login="ana-gh", token=SECRET)) is after
        await access.aclose()


async def test_git_is_given_the_token_for_that_server_alone(tmp_path: Path) -> None:
    access = Access(_options(), _context(tmp_path, {"GITHUB_TOKEN": SECRET}))
    given = await git_environment(access.ours(), "https://github.com/o/r.git")

    async def header(url: str) -> str:
        argv = ("git", "config", "--get-urlmatch", "http.extraHeader", url)
        return (await run(argv, cwd=tmp_path, env={**safe_environment(), **given})).text()

    assert (await header("https://github.com/o/r.git")).startswith("Authorization: Basic ")
    assert await header("https://elsewhere.example/o/r.git") == ""
    assert await header("http://github.com/o/r.git") == ""
    await access.aclose()
