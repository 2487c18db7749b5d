"""What a push would bring, read by real git, also where a repository tries to hide it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from orchestrator.domain.guard import FindingKind, Guard, findings
from orchestrator.domain.pushed_diff import FileStatus, PushedDiff, PushedFile
from plugins._shared import pushed_diff
from plugins._shared.mirror import Mirror

pytestmark = pytest.mark.git


class Work:
    """An agent's repository, and our mirror of it."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "work"
        self.path.mkdir()
        self.mirror = Mirror(folder / "mirror.git")
        self.git("init", "--quiet", "--initial-branch=main")
        self.write("readme", "one\ntwo\nthree\n")
        self.write(".github/workflows/ci.yml", "on: push\njobs: {}\n")
        self.base = self.commit()

    def git(self, *args: str) -> str:
        env = {**os.environ, "GIT_ALLOW_PROTOCOL": "file"}
        done = subprocess.run(
            ["git", *args], cwd=self.path, env=env, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    def write(self, name: str, text: str | bytes) -> None:
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text if isinstance(text, bytes) else text.encode())

    def commit(self) -> str:
        self.git("add", "--all", "--force")
        self.git("commit", "--quiet", "--allow-empty", "--message", "change")
        return self.git("rev-parse", "HEAD")

    async def diff(self, base: str = "", most: int = pushed_diff.MOST_PATCH) -> PushedDiff:
        await self.mirror.ensure()
        await self.mirror.fetch_all(str(self.path), {"refs/heads/*": "refs/ao/in/*"})
        head = self.git("rev-parse", "HEAD")
        return await pushed_diff.read(self.mirror, base or self.base, head, most=most)

    async def files(self) -> dict[str, PushedFile]:
        return {file.path: file for file in (await self.diff()).files}


@pytest.fixture
def work(tmp_path: Path) -> Work:
    return Work(tmp_path)


async def test_a_change_is_shown_with_its_lines_and_its_size(work: Work) -> None:
    work.write("readme", "one\n2\nthree\n")
    work.write("new.py", "a = 1\n")
    head = work.commit()
    diff = await work.diff()
    assert (diff.base, diff.head) == (work.base, head)
    new, readme = diff.files
    assert (new.path, new.status, new.added, new.deleted, new.size) == ("new.py", FileStatus.ADDED, 1, 0, 6)
    assert (readme.status, readme.added, readme.deleted) == (FileStatus.MODIFIED, 1, 1)
    assert readme.hunks.splitlines()[1:] == [" one", "-two", "+2", " three"]
    assert new.added_text == "a = 1"


async def test_only_what_the_branch_has_itself_counts(work: Work) -> None:
    """The base went on with a guarded file, and the branch took it in by a merge."""
    work.git("checkout", "--quiet", "-b", "feat")
    work.write("mine", "x\n")
    work.commit()
    work.git("checkout", "--quiet", "main")
    work.write(".github/workflows/ci.yml", "on: [push]\n")
    newer = work.commit()
    work.git("checkout", "--quiet", "feat")
    assert [f.path for f in (await work.diff(newer)).files] == ["mine"]
    work.git("merge", "--quiet", "--no-edit", "main")
    assert [f.path for f in (await work.diff(newer)).files] == ["mine"]


async def test_renames_deletions_modes_and_links(work: Work) -> None:
    work.git("mv", ".github/workflows/ci.yml", "elsewhere.yml")
    (work.path / "readme").chmod(0o755)
    (work.path / "link").symlink_to("../../etc/passwd")
    work.commit()
    files = await work.files()
    moved = files["elsewhere.yml"]
    assert (moved.status, moved.old_path, moved.hunks) == (FileStatus.RENAMED, ".github/workflows/ci.yml", "")
    assert (files["readme"].old_mode, files["readme"].mode) == ("100644", "100755")
    assert (files["link"].mode, files["link"].added_text.split("\n")[0]) == ("120000", "../../etc/passwd")
    kinds = {one.kind for one in findings(Guard(), await work.diff())}
    assert kinds == {FindingKind.PATH, FindingKind.SYMLINK}


async def test_a_file_that_becomes_a_link_is_one_change(work: Work) -> None:
    (work.path / "readme").unlink()
    (work.path / "readme").symlink_to("/etc/passwd")
    work.write("z-after", "1\n")
    work.commit()
    files = await work.files()
    assert files["readme"].status is FileStatus.RETYPED
    assert "-one" in files["readme"].hunks
    assert files["z-after"].added_text == "1"
    [one] = findings(Guard(), await work.diff())
    assert one.words == "readme is a symbolic link out of the repository, to /etc/passwd"


async def test_a_submodule_is_seen(work: Work) -> None:
    work.git("update-index", "--add", "--cacheinfo", f"160000,{work.base},lib")
    work.git("commit", "--quiet", "--message", "sub")
    files = {f.path: f for f in (await work.diff()).files}
    assert (files["lib"].mode, files["lib"].status) == ("160000", FileStatus.ADDED)
    assert work.base in files["lib"].hunks
    assert FindingKind.SUBMODULE in {one.kind for one in findings(Guard(), await work.diff())}


async def test_attributes_hide_nothing(work: Work) -> None:
    """`-diff`, a driver and a text conversion of the repository's own are not asked."""
    work.git("config", "diff.evil.command", "touch ran; true")
    work.git("config", "diff.evil.textconv", "touch ran; echo nothing")
    work.write(".gitattributes", "*.py -diff\n*.yml diff=evil binary\n")
    token = "gh" + "p_" + "aB3dE5fG7hI9jK1lM2nO4pQ6rS8tU0vW1xY2"
    work.write("a.py", f"t = '{token}'\n")
    work.write("b.py", b"\0\0" + token.encode() + b"\n")
    work.write(".github/workflows/ci.yml", "on: [push]\n")
    work.commit()
    files = await work.files()
    assert "+on: [push]" in files[".github/workflows/ci.yml"].hunks
    assert (files["a.py"].binary, files["b.py"].binary) == (False, True)
    for name in ("a.py", "b.py"):
        assert token in files[name].added_text
    assert not (work.path / "ran").exists()


async def test_hostile_names_are_names(work: Work) -> None:
    for name in ("a b", "tab\there", 'q"uote', "new\nline", "diff --git a b/x", "-rf", "ünï", "*"):
        work.write(name, f"{name}\n")
    work.write("content", "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\nindex 1..2\n")
    work.commit()
    files = await work.files()
    assert {"a b", "tab\there", 'q"uote', "new\nline", "-rf", "ünï", "*", "content"} <= set(files)
    assert files["tab\there"].added_text == "tab\there"
    assert files["content"].added_text.startswith("diff --git a/x b/x")
    assert files["content"].added == 5


async def test_what_is_too_large_is_cut_and_held(work: Work) -> None:
    work.write("a", "small\n")
    work.write("m", "x" * 90 + "\n" + "y\n" * 3000)
    work.write("z", "last\n")
    work.commit()
    diff = await work.diff(most=3000)
    assert [(f.cut, bool(f.hunks)) for f in diff.files] == [(False, True), (True, False), (True, False)]
    assert diff.files[-1].size == 5
    assert [one.path for one in findings(Guard(), diff)] == ["m", "z"]


async def test_large_binaries_pass_and_large_texts_are_held(work: Work) -> None:
    """And neither keeps what comes after them from being read."""
    work.write("a.png", b"\0png" * 400_000)
    work.write("b.csv", "one,two\n" * 200_000)
    work.write("gone.png", b"\0" * 1_500_000)
    work.write("z", "last\n")
    before = work.commit()
    files = await work.files()
    assert (files["a.png"].binary, files["a.png"].cut, files["a.png"].size) == (True, False, 1_600_000)
    assert (files["b.csv"].binary, files["b.csv"].cut) == (False, True)
    assert files["z"].added_text == "last"
    assert [one.path for one in findings(Guard(), await work.diff())] == ["b.csv"]
    for name in ("b.csv", "gone.png"):
        (work.path / name).unlink()
    work.commit()
    assert findings(Guard(), await work.diff(before)) == ()


async def test_what_commits_on_the_way_bring_is_seen(work: Work) -> None:
    token = "gh" + "p_" + "aB3dE5fG7hI9jK1lM2nO4pQ6rS8tU0vW1xY2"
    work.write("settings", f"{token}\n")
    work.commit()
    (work.path / "settings").unlink()
    work.write("code", "fine\n")
    work.commit()
    assert [f.path for f in (await work.diff()).files] == ["code"]
    [one] = findings(Guard(), await work.diff())
    assert one.kind is FindingKind.SECRET
    assert token not in str(one)


async def test_what_commits_on_the_way_say_is_seen(work: Work) -> None:
    token = "gh" + "p_" + "aB3dE5fG7hI9jK1lM2nO4pQ6rS8tU0vW1xY2"
    work.git("commit", "--quiet", "--allow-empty", "--message", "Try", "--message", f"with {token}")
    work.write("code", "fine\n")
    work.commit()
    [one] = findings(Guard(), await work.diff())
    assert one.words.startswith("a commit's message holds")
    assert token not in str(one)


async def test_a_history_of_its_own_is_all_new(work: Work) -> None:
    work.git("checkout", "--quiet", "--orphan", "other")
    work.write("mine", "x\n")
    work.commit()
    diff = await work.diff()
    assert diff.base == ""
    assert {f.status for f in diff.files} == {FileStatus.ADDED}
