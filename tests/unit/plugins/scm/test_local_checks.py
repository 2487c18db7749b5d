"""Checks on the local forge: where they run, when they end, and what becomes of them after a restart."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from orchestrator.domain.pull_request import (
    Checks,
    CheckState,
    Mergeable,
)
from orchestrator.errors import BadInput
from orchestrator.testing.contracts.scm import look, publish
from orchestrator.testing.waiting import eventually
from plugins.scm.local import LocalScmOptions
from tests.contracts.local_forge_bench import LocalBench

pytestmark = pytest.mark.git


@pytest_asyncio.fixture
async def bench(tmp_path: Path) -> AsyncIterator[LocalBench]:
    made = LocalBench(tmp_path)
    yield made
    await made.aclose()


async def test_checks_run_in_a_clean_checkout_of_the_head(bench: LocalBench) -> None:
    bench.scm = bench.local = bench.make(
        checks={
            "clean": 'git status --porcelain --ignored; test -z "$(git status --porcelain --ignored)"',
            "head": f'test "$(git rev-parse HEAD)" = "$(cat {bench.folder}/expected)"',
            "nothing else": "test ! -e untracked && test -e file",
        }
    )
    session = bench.session()
    head = await bench.commit(session)
    (bench.folder / "expected").write_text(head)
    (bench.workspace(session) / "untracked").write_text("1")
    await publish(bench, session, head)
    await bench.settled()
    seen = await look(bench, session)
    assert [(run.name, run.state, run.tail) for run in seen.runs] == [
        (name, CheckState.PASSED, "") for name in ("clean", "head", "nothing else")
    ]
    assert seen.checks is Checks.PASSING
    assert session.id in bench.woken
    assert list((bench.project.folder / "forge" / "checkouts").iterdir()) == []


async def test_without_checks_there_are_none(bench: LocalBench) -> None:
    bench.scm = bench.local = bench.make(checks={})
    session, _ = await bench.opened()
    seen = await look(bench, session)
    assert (seen.checks, seen.runs) == (Checks.NONE, ())


async def test_a_newer_head_ends_the_checks_of_the_older(bench: LocalBench) -> None:
    pid = bench.folder / "pid"
    bench.scm = bench.local = bench.make(
        checks={"tests": f"if test -e slow; then echo $$ > {pid}; exec sleep 300; fi"}
    )
    session = bench.session()
    await publish(bench, session, await bench.commit(session, "slow"))
    await eventually(lambda: _exists(pid), bool)
    (bench.workspace(session) / "slow").unlink()
    await publish(bench, session, await bench.commit(session, "file"))
    await bench.settled()
    assert (await look(bench, session)).checks is Checks.PASSING


async def _exists(path: Path) -> bool:
    return await asyncio.to_thread(path.exists)


async def test_a_check_whose_runner_died_with_us_runs_again(bench: LocalBench) -> None:
    started = bench.folder / "started"
    bench.scm = bench.local = bench.make(checks={"tests": f"echo >> {started}; exec sleep 300"})
    session, _ = await bench.opened()
    await eventually(lambda: _exists(started), bool)
    await bench.local.aclose()
    left = bench.project.folder / "forge" / "checkouts" / "check-left"
    left.mkdir()
    bench.scm = bench.local = bench.make(checks={"tests": "exit 1"})
    assert (await look(bench, session)).runs[0].state is CheckState.RUNNING
    await bench.settled()
    assert (await look(bench, session)).checks is Checks.FAILING
    assert not left.exists()


async def test_a_check_that_cannot_be_run_is_no_failure(bench: LocalBench) -> None:
    in_the_way = bench.project.folder / "forge" / "checkouts"
    in_the_way.parent.mkdir(parents=True)
    session = bench.session()
    head = await bench.commit(session)
    await bench.local.observe([session])
    in_the_way.write_text("no folder")
    await publish(bench, session, head)
    await bench.settled()
    seen = await look(bench, session)
    assert (seen.checks, seen.mergeable) == (Checks.PENDING, Mergeable.BLOCKED)
    assert "the check tests could not be run: A checkout could not be made" in seen.blockers[0]
    in_the_way.unlink()
    for _ in range(40):
        next(bench.clock)
    await look(bench, session)
    await bench.settled()
    seen = await look(bench, session)
    assert (seen.checks, seen.blockers) == (Checks.PASSING, ())


async def test_results_of_checks_are_kept(bench: LocalBench) -> None:
    session, _ = await bench.opened("broken")
    await bench.settled()
    bench.scm = bench.local = bench.make()
    seen = await look(bench, session)
    assert (seen.checks, seen.runs[0].tail) == (Checks.FAILING, "it is broken\n[exit code 3]")


@pytest.mark.parametrize("text", ["", "15", "0s", "a while", "-1m"])
def test_a_wrong_time_limit_is_refused(bench: LocalBench, text: str) -> None:
    with pytest.raises(BadInput, match="checkTimeout"):
        bench.make(check_timeout=text)


def test_checks_may_be_a_list_of_lines() -> None:
    options = LocalScmOptions.model_validate({"checks": ["make test"], "checkTimeout": "90s"})
    assert options.checks == ("make test",)
