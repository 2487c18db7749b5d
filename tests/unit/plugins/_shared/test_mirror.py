"""Our bare repository: fetches shared, refs compared and swapped, merges tried, pushes that refuse."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.errors import AoError, BadInput, Conflict, NotFound, PermanentError, TemporaryError
from orchestrator.ports.place import Completed
from orchestrator.testing.workspaces import ENVIRONMENT, GitSetting
from plugins._shared import command
from plugins._shared.git import Git, failure, safe_environment
from plugins._shared.host_place import HostPlace
from plugins._shared.mirror import Mirror, base_ref


class Counting:
    """Counts the commands by name."""

    def __init__(self) -> None:
        self.argvs: list[Sequence[str]] = []

    async def __call__(
        self,
        argv: Sequence[str],
        *,
        cwd: str,
        env: Mapping[str, str],
        stdin: bytes = b"",
        timeout: float = 60.0,
    ) -> Completed:
        self.argvs.append(argv)
        return await command.run(argv, cwd=cwd, env=env, stdin=stdin, timeout=timeout)

    def count(self, verb: str) -> int:
        return sum(verb in argv for argv in self.argvs)


@pytest.fixture
async def setting(tmp_path: Path) -> GitSetting:
    """`main` and `feature` both changed README.md; `feature` has a second commit that changes hello.py."""
    setting = await GitSetting(
        tmp_path, lambda s: HostPlace(s.folder, s.project.worktrees, ENVIRONMENT)
    ).begin()
    path = setting.project.path
    await setting.git("checkout", "--quiet", "-b", "feature")
    (path / "README.md").write_text("feature\n")
    await setting.git("commit", "--quiet", "--all", "--message=feature 1")
    (path / "src" / "hello.py").write_text("feature\n")
    await setting.git("commit", "--quiet", "--all", "--message=feature 2\n\nWith a body.")
    await setting.git("checkout", "--quiet", "main")
    (path / "README.md").write_text("main\n")
    await setting.git("commit", "--quiet", "--all", "--message=main 1")
    return setting


@pytest.fixture
async def mirror(setting: GitSetting) -> Mirror:
    mirror = Mirror(setting.project.mirror)
    await mirror.ensure()
    return mirror


async def fetched(mirror: Mirror, setting: GitSetting) -> tuple[str, str]:
    source = str(setting.project.path)
    main = await mirror.fetch(source, "refs/heads/main", base_ref("main"))
    return main, await mirror.fetch(source, "refs/heads/feature", "refs/ao/in/demo-1")


async def test_those_who_wait_share_one_fetch(setting: GitSetting, mirror: Mirror) -> None:
    runner = Counting()
    mirrors = [Mirror(mirror.path, Git(mirror.path, runner=runner)) for _ in range(20)]
    source = str(setting.project.path)
    found = await asyncio.gather(*(m.fetch(source, "refs/heads/main", base_ref("main")) for m in mirrors))
    assert set(found) == {await setting.git("rev-parse", "main")}
    assert runner.count("fetch") <= 2


async def test_a_fetch_asked_for_later_sees_what_came_later(setting: GitSetting, mirror: Mirror) -> None:
    source = str(setting.project.path)
    first = asyncio.create_task(mirror.fetch(source, "refs/heads/main", base_ref("main")))
    await asyncio.sleep(0)
    await setting.git("commit", "--quiet", "--allow-empty", "--message=later")
    assert await mirror.fetch(source, "refs/heads/main", base_ref("main")) == await setting.git(
        "rev-parse", "main"
    )
    await first


async def test_what_is_not_there_or_not_as_expected_is_told(setting: GitSetting, mirror: Mirror) -> None:
    source = str(setting.project.path)
    with pytest.raises(NotFound):
        await mirror.fetch(source, "refs/heads/none", "refs/ao/in/demo-1")
    with pytest.raises(NotFound):
        await mirror.fetch(f"{source}/none", "refs/heads/main", "refs/ao/in/demo-1")
    with pytest.raises(Conflict, match="not at"):
        await mirror.fetch(source, "refs/heads/main", "refs/ao/in/demo-1", expect="1" * 40)
    with pytest.raises(NotFound):
        await mirror.resolve("refs/heads/none")
    for bad in (("--upload-pack=evil", "refs/heads/main"), (source, "--upload-pack=evil")):
        with pytest.raises(BadInput):
            await mirror.fetch(*bad, "refs/ao/in/demo-1")


async def test_only_allowed_transports_are_used(mirror: Mirror, tmp_path: Path) -> None:
    for url in (f"ext::touch {tmp_path}/ran", "https://127.0.0.1:1/x", "ssh://127.0.0.1/x"):
        with pytest.raises(AoError, match="not allowed"):
            await mirror.fetch(url, "refs/heads/main", "refs/ao/in/demo-1")
    assert not await asyncio.to_thread((tmp_path / "ran").exists)


async def test_a_ref_is_set_only_from_where_it_was(setting: GitSetting, mirror: Mirror) -> None:
    main, feature = await fetched(mirror, setting)
    await mirror.update_ref("refs/ao/test", feature, "")
    for old in ("", main):
        with pytest.raises(Conflict):
            await mirror.update_ref("refs/ao/test", main, old)
    with pytest.raises(Conflict):
        await mirror.update_refs({"refs/ao/other": (main, ""), "refs/ao/test": (main, main)})
    assert await mirror.refs("refs/ao/other") == {}
    await mirror.update_ref("refs/ao/test", main, feature)
    for _ in range(2):
        await mirror.delete_ref("refs/ao/test")
    assert await mirror.refs("refs/ao/test") == {}


async def test_merges_and_picks_are_tried_without_a_work_tree(setting: GitSetting, mirror: Mirror) -> None:
    main, feature = await fetched(mirror, setting)
    trial = await mirror.try_merge(main, feature)
    assert (trial.clean, trial.conflicts) == (False, ("README.md",))
    first, second = await mirror.commits(feature, [main])
    assert (first.message, second.message) == ("feature 1\n", "feature 2\n\nWith a body.\n")
    assert (second.parents, second.author) == ((first.sha,), "Agent")
    assert not (await mirror.try_pick(main, first.sha, first.parents[0])).clean
    picked = await mirror.try_pick(main, second.sha, first.sha)
    assert picked.clean
    commit = await mirror.commit(picked.tree, (main,), second.message, author=second)
    assert await setting.run(
        "git", f"--git-dir={mirror.path}", "log", "-1", "--format=%an %cn %s", commit
    ) == ("Agent Agent Orchestrator feature 2")
    with pytest.raises(NotFound):
        await mirror.try_merge(main, "1" * 40)


async def test_history_is_asked_about(setting: GitSetting, mirror: Mirror) -> None:
    main, feature = await fetched(mirror, setting)
    base = await mirror.merge_base(main, feature)
    assert await mirror.is_ancestor(base, main)
    assert not await mirror.is_ancestor(main, feature)
    assert not await mirror.is_ancestor("1" * 40, feature)
    assert await mirror.count([feature], [main]) == 2
    assert await mirror.has(feature)
    assert not await mirror.has("1" * 40)


async def test_a_push_refuses_what_would_lose_commits(
    setting: GitSetting, mirror: Mirror, tmp_path: Path
) -> None:
    main, feature = await fetched(mirror, setting)
    forge = Mirror(tmp_path / "forge.git")
    await forge.ensure()
    url, ref = str(forge.path), "refs/heads/feature"
    for _ in range(2):
        await mirror.push(url, {ref: feature})
    for expect in (None, {ref: main}, {ref: ""}):
        with pytest.raises(Conflict, match="refused"):
            await mirror.push(url, {ref: main}, expect=expect)
    await mirror.push(url, {ref: main}, expect={ref: feature})
    assert await forge.refs("refs/heads/") == {ref: main}
    await mirror.push(url, {ref: ""}, expect={ref: main})
    assert await forge.refs("refs/heads/") == {}


async def test_a_repository_half_made_is_finished(tmp_path: Path) -> None:
    (tmp_path / "m.git").mkdir()
    mirror = Mirror(tmp_path / "m.git")
    await asyncio.gather(mirror.ensure(), Mirror(tmp_path / "m.git").ensure())
    assert await mirror.refs("refs/") == {}


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("fatal: Unable to create '/r/index.lock': File exists.", TemporaryError),
        ("error: could not lock config file .git/config: File exists", TemporaryError),
        ("fatal: write error: No space left on device", TemporaryError),
        ("fatal: unable to access 'https://x/': Could not resolve host: x", TemporaryError),
        ("fatal: couldn't find remote ref refs/heads/x", NotFound),
        ("fatal: 'x' is already checked out at '/y'", Conflict),
        ("error: cannot lock ref 'a/b': 'a' exists; cannot create 'a/b'", Conflict),
        ("fatal: bad config line 1 in file config", PermanentError),
    ],
)
def test_what_git_says_decides_what_can_be_done(said: str, kind: type[AoError]) -> None:
    error = failure(Completed(code=128, stdout=b"", stderr=said.encode()), what="It failed")
    assert type(error) is kind
    assert said in error.what


async def test_a_lock_that_goes_away_is_waited_for() -> None:
    answers = [
        Completed(code=128, stdout=b"", stderr=b"fatal: Unable to create 'x.lock': File exists"),
        Completed(code=0, stdout=b"done\n", stderr=b""),
    ]

    async def runner(
        argv: Sequence[str],
        *,
        cwd: str,
        env: Mapping[str, str],
        stdin: bytes = b"",
        timeout: float = 60.0,
    ) -> Completed:
        return answers.pop(0)

    assert await Git(Path("/x"), runner=runner).text("worktree", "add") == "done"


async def test_nothing_of_our_environment_reaches_git(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "secret")
    monkeypatch.setenv("GIT_DIR", "/elsewhere")
    monkeypatch.setenv("PATH", "relative:/usr/bin:.:/bin")
    seen: dict[str, str] = {}

    async def runner(
        argv: Sequence[str],
        *,
        cwd: str,
        env: Mapping[str, str],
        stdin: bytes = b"",
        timeout: float = 60.0,
    ) -> Completed:
        seen.update(env)
        return Completed(code=0, stdout=b"", stderr=b"")

    git = replace(Git(Path("/x"), runner=runner), env={"GIT_ASKPASS": "/ours"})
    await git.run("status")
    assert seen == {**safe_environment(), "GIT_ASKPASS": "/ours"}
    assert seen["PATH"] == "/usr/bin:/bin"
    assert "secret" not in seen.values()
