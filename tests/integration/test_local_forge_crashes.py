"""SIGKILL at every boundary of the local forge: nothing is lost, nothing happens twice."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.contracts.local_forge_bench import LocalBench
from tests.integration.local_forge_story import BRANCH

pytestmark = [pytest.mark.git, pytest.mark.timeout(120)]

ROOT = Path(__file__).parents[2]
MOST = 30


def play(folder: Path, boundary: int) -> int:
    argv = [sys.executable, "-m", "tests.integration.local_forge_story", str(folder), str(boundary)]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode in {0, -signal.SIGKILL}, done.stderr
    return done.returncode


def prepared(folder: Path) -> LocalBench:
    bench = LocalBench(folder)
    work = folder / "work"
    bench.git(folder, "clone", "--quiet", str(bench.user), str(work))
    bench.git(work, "checkout", "--quiet", "-b", BRANCH)
    (folder / "head").write_text(bench.write(work, "file", "1\n"))
    return bench


def judge(bench: LocalBench) -> None:
    forge, head = bench.folder / "home" / "forge.git", (bench.folder / "head").read_text()
    bench.git(forge, "fsck", "--strict", "--no-dangling")
    assert bench.git(forge, "log", "--format=%s", "main").splitlines() == ["Story (#1)", "change"]
    records = list((bench.folder / "home" / "forge" / "pulls").glob("*.json"))
    assert [path.name for path in records] == ["1.json"]
    record = json.loads(records[0].read_text())
    assert (record["state"], record["head"]) == ("merged", head)
    assert record["merge_commit"] == bench.git(forge, "rev-parse", "main")
    assert [review["author"] for review in record["reviews"]] == ["owner"]
    assert bench.git(forge, "for-each-ref", "--format=%(refname)", "refs/heads") == "refs/heads/main"


@pytest.mark.slow
def test_killed_at_any_boundary_the_story_ends_the_same(tmp_path: Path) -> None:
    for boundary in range(1, MOST):
        folder = tmp_path / str(boundary)
        bench = prepared(folder)
        killed = play(folder, boundary) == -signal.SIGKILL
        if killed:
            assert play(folder, 0) == 0
        judge(bench)
        if not killed:
            assert boundary > 8, "the story has fewer boundaries than it had"
            return
    pytest.fail(f"the story did not end within {MOST} boundaries")


def test_killed_again_and_again_a_little_later_each_time(tmp_path: Path) -> None:
    bench = prepared(tmp_path)
    deaths = 0
    while play(tmp_path, 1 + deaths) == -signal.SIGKILL:
        deaths += 1
        assert deaths < MOST, "no progress between two deaths"
    judge(bench)
    assert deaths > 3
