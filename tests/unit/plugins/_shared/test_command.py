"""Commands end within their limit, with their group, and inherit nothing."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import pytest

from orchestrator.errors import PermanentError, TemporaryError
from orchestrator.testing.contracts.runtime_programs import lives, written
from orchestrator.testing.waiting import eventually
from plugins._shared.command import run

ENV = {"PATH": os.environ["PATH"]}


async def test_more_output_than_is_kept_is_read_and_cut() -> None:
    script = "yes 123456789 | head -c 300000; echo end; yes abcdefghi | head -c 300000 >&2; echo last >&2"
    done = await run(("sh", "-c", script), env=ENV, limit=1000)
    assert done.stdout == b"123456789\n" * 100
    assert len(done.stderr) == 1000
    assert done.stderr.endswith(b"abcdefghi\nlast\n")


async def test_input_that_is_not_wanted_is_no_error() -> None:
    done = await run(("sh", "-c", "exec 0<&-; echo done"), env=ENV, stdin=b"x" * 5_000_000)
    assert done.text() == "done"


async def test_input_of_any_size_arrives() -> None:
    data = os.urandom(3_000_000)
    assert (await run(("cat",), env=ENV, stdin=data)).stdout == data


async def test_a_signal_counts_as_128_and_its_number() -> None:
    assert (await run(("sh", "-c", "kill -9 $$"), env=ENV)).code == 137


async def test_a_background_child_is_not_waited_for_and_does_not_stay() -> None:
    begun = time.monotonic()
    done = await run(("sh", "-c", "sleep 100 & echo $!"), env=ENV, timeout=15)
    assert time.monotonic() - begun < 10
    pid = int(done.text())

    async def left() -> bool:
        return lives(pid)

    assert not await eventually(left, lambda there: not there)


async def test_one_that_ignores_being_asked_is_ended_all_the_same(tmp_path: Path) -> None:
    script = "trap '' TERM HUP; echo $$ > pid.part; mv pid.part pid; while :; do sleep 0.05; done"
    with pytest.raises(TemporaryError, match=r"did not end within 0\.4 s"):
        await run(("sh", "-c", script), cwd=tmp_path, env=ENV, timeout=0.4)
    assert not lives(int(await written(tmp_path / "pid")))


async def test_a_caller_that_gives_up_leaves_nothing_behind(tmp_path: Path) -> None:
    script = "echo $$ > pid.part; mv pid.part pid; sleep 100"
    task = asyncio.create_task(run(("sh", "-c", script), cwd=tmp_path, env=ENV))
    pid = int(await written(tmp_path / "pid"))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not lives(pid)


async def test_a_caller_may_give_up_at_any_moment_of_the_start(tmp_path: Path) -> None:
    for steps in range(12):
        script = f"echo $$ > {steps}.part; mv {steps}.part {steps}; sleep 100"
        task = asyncio.create_task(run(("sh", "-c", script), cwd=tmp_path, env=ENV))
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        done, _ = await asyncio.wait({task}, timeout=10)
        assert done, f"cancelled after {steps} steps it never ended"
        assert task.cancelled()
        if (tmp_path / str(steps)).exists():
            assert not lives(int(await written(tmp_path / str(steps))))


@pytest.mark.parametrize(
    ("argv", "cwd", "words"),
    [
        (("no-such-program",), "/", "there is no program 'no-such-program'"),
        (("ls",), "/no/such/folder", "cannot be run in /no/such/folder"),
        (("/etc/passwd",), "/", "Permission denied"),
        (("ls", "a\0b"), "/", "null byte"),
    ],
)
async def test_what_cannot_be_run_says_why(argv: tuple[str, ...], cwd: str, words: str) -> None:
    with pytest.raises(PermanentError, match=words):
        await run(argv, cwd=cwd, env=ENV)


async def test_the_program_is_looked_up_on_the_path_that_is_given() -> None:
    with pytest.raises(PermanentError, match="there is no program"):
        await run(("ls",), env={"PATH": "/nowhere"})


async def test_it_has_no_terminal_and_only_the_given_environment() -> None:
    done = await run(("sh", "-c", "env | sort; (: </dev/tty) 2>&1 | wc -l"), env={**ENV, "A": "1"})
    lines = done.text().splitlines()
    assert [
        line for line in lines[:-1] if not line.startswith(("PATH=", "PWD=", "SHLVL=", "_=", "OLDPWD="))
    ] == ["A=1"]
    assert lines[-1].strip() == "1"
