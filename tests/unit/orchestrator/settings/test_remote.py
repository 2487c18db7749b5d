"""`repo` left out: the checkout's remote says it, and nobody whose project is on this machine is surprised."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from orchestrator.settings.effective import Settings
from orchestrator.settings.loader import load
from orchestrator.settings.remote import host_of_api, parse, remote_of


@pytest.mark.parametrize(
    ("url", "host", "repo"),
    [
        ("https://github.com/owner/name.git", "github.com", "owner/name"),
        ("https://github.com/owner/name", "github.com", "owner/name"),
        ("https://github.com/owner/name/", "github.com", "owner/name"),
        ("https://user:token@GitHub.com/owner/my.name.git", "github.com", "owner/my.name"),
        ("git@github.com:owner/name.git", "github.com", "owner/name"),
        ("github.com:owner/name", "github.com", "owner/name"),
        ("ssh://git@github.com/owner/name.git", "github.com", "owner/name"),
        ("ssh://git@ssh.github.com:443/owner/name.git", "github.com", "owner/name"),
        ("git://github.com/owner/name", "github.com", "owner/name"),
        ("http://127.0.0.1:8123/owner/name.git", "127.0.0.1:8123", "owner/name"),
        ("ssh://git@ghe.example:2222/owner/name.git", "ghe.example", "owner/name"),
        ("https://gitlab.com/group/sub/name.git", "gitlab.com", ""),
        ("https://github.com/owner/..", "github.com", ""),
        ("https://github.com/", "github.com", ""),
    ],
)
def test_every_form_of_an_address(url: str, host: str, repo: str) -> None:
    found = parse(url)
    assert found is not None
    assert (found.host, found.repo) == (host, repo)


@pytest.mark.parametrize(
    "url",
    ["/srv/git/name.git", "../name", "file:///srv/name.git", "", "ext::sh -c id", "https://[x/o/r", "C:\\x"],
)
def test_what_is_on_no_host(url: str) -> None:
    found = parse(url)
    assert found is None or found.repo == ""


@pytest.mark.parametrize(
    ("api", "host"),
    [
        ("https://api.github.com", "github.com"),
        ("https://api.corp.ghe.com", "corp.ghe.com"),
        ("https://ghe.example/api/v3", "ghe.example"),
        ("http://127.0.0.1:8123", "127.0.0.1:8123"),
        ("https://[x", ""),
    ],
)
def test_the_host_of_an_interface(api: str, host: str) -> None:
    assert host_of_api(api) == host


def _checkout(folder: Path, config: str) -> Path:
    (folder / ".git").mkdir(parents=True)
    (folder / ".git" / "config").write_text(config)
    return folder


def _remote(url: str, name: str = "origin") -> str:
    return f'[core]\n\tbare = false\n[remote "{name}"]\n\turl = {url}\n\tfetch = +refs/heads/*:x\n'


def _repo(checkout: Path) -> str:
    found = remote_of(checkout)
    return found.repo if found else ""


class TestReading:
    def test_origin_or_the_only_one(self, tmp_path: Path) -> None:
        only = _checkout(tmp_path / "a", _remote("git@github.com:o/only.git", "upstream"))
        assert _repo(only) == "o/only"
        both = _remote("git@github.com:o/fork", "fork") + _remote("git@github.com:o/origin")
        assert _repo(_checkout(tmp_path / "b", both)) == "o/origin"
        neither = _remote("git@github.com:o/a", "a") + _remote("git@github.com:o/b", "b")
        assert _repo(_checkout(tmp_path / "c", neither)) == ""

    @pytest.mark.parametrize(
        "written",
        ['[remote "origin"] url = git@github.com:o/r', '[REMOTE "origin"]\nURL="git@github.com:o/r" ; mine'],
    )
    def test_as_git_itself_reads_it(self, tmp_path: Path, written: str) -> None:
        assert _repo(_checkout(tmp_path / "a", written)) == "o/r"

    def test_a_worktree_is_of_its_repository(self, tmp_path: Path) -> None:
        main = _checkout(tmp_path / "main", _remote("https://github.com/o/r"))
        own = main / ".git" / "worktrees" / "w"
        own.mkdir(parents=True)
        (own / "commondir").write_text("../..\n")
        tree = tmp_path / "w"
        tree.mkdir()
        (tree / ".git").write_text(f"gitdir: {own}\n")
        assert _repo(tree) == "o/r"

    def test_no_include_is_followed_and_nothing_hangs(self, tmp_path: Path) -> None:
        (tmp_path / "other").write_text(_remote("https://github.com/evil/r"))
        included = _checkout(tmp_path / "a", f"[include]\n\tpath = {tmp_path}/other\n")
        assert _repo(included) == ""
        pipe = tmp_path / "b" / ".git"
        pipe.mkdir(parents=True)
        os.mkfifo(pipe / "config")
        assert _repo(tmp_path / "b") == ""
        assert _repo(tmp_path / "nowhere") == ""


def _loaded(tmp_path: Path, url: str = "https://github.com/o/r.git", more: str = "") -> Settings:
    tmp_path.mkdir(exist_ok=True)
    checkout = tmp_path / "app"
    if not checkout.exists():
        _checkout(checkout, _remote(url) if url else "")
    file = tmp_path / "agent-orchestrator.yaml"
    file.write_text(f"projects:\n  app:\n    path: app\n{more}")
    return load(file, {"AO_HOME": str(tmp_path / "home"), "HOME": str(tmp_path)}).require()


def _parts(settings: Settings) -> tuple[str, str, str]:
    parts = settings.parts("app")
    return parts.tracker, parts.scm, settings.project("app").repo


class TestWhatItMeans:
    def test_a_checkout_of_github_is_on_github(self, tmp_path: Path) -> None:
        assert _parts(_loaded(tmp_path)) == ("github", "github", "o/r")

    def test_repo_that_is_written_counts(self, tmp_path: Path) -> None:
        assert _parts(_loaded(tmp_path, more="    repo: me/mine\n")) == ("github", "github", "me/mine")

    @pytest.mark.parametrize("url", ["", "/srv/r.git", "https://gitlab.com/o/r.git", "git@work:o/r.git"])
    def test_without_such_a_remote_it_stays_on_this_machine(self, tmp_path: Path, url: str) -> None:
        assert _parts(_loaded(tmp_path, url)) == ("local", "local", "")

    @pytest.mark.parametrize(
        "more",
        [
            "    scm: {plugin: local}\n",
            "    tracker: {plugin: local}\n",
            "    scm: {checks: [make test]}\n",
            "    scm: {checkTimeout: 5m}\n",
            "    tracker: {folder: todo}\n",
        ],
    )
    def test_what_is_written_for_this_machine_keeps_it_there(self, tmp_path: Path, more: str) -> None:
        assert _parts(_loaded(tmp_path, more=more)) == ("local", "local", "")

    def test_pull_requests_that_are_on_this_machine_stay_there(self, tmp_path: Path) -> None:
        (tmp_path / "home" / "projects" / "app" / "forge.git").mkdir(parents=True)
        assert _parts(_loaded(tmp_path)) == ("local", "local", "")
        named = _loaded(tmp_path, more="    scm: {plugin: github}\n")
        assert _parts(named) == ("github", "github", "o/r")

    def test_one_half_can_be_on_github(self, tmp_path: Path) -> None:
        more = "    scm: {plugin: local, checks: [make test]}\n    tracker: {plugin: github}\n"
        assert _parts(_loaded(tmp_path, more=more)) == ("github", "local", "o/r")

    def test_an_enterprise_host_is_known_by_its_address(self, tmp_path: Path) -> None:
        more = "    scm: {apiUrl: 'https://ghe.example/api/v3'}\n"
        settings = _loaded(tmp_path, "git@ghe.example:o/r.git", more)
        assert _parts(settings) == ("github", "github", "o/r")
        assert _parts(_loaded(tmp_path / "other", more=more.replace("ghe", "x"))) == ("local", "local", "")
