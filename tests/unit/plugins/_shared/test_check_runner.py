"""One check: its end, its output, its environment, and that it leaves nothing running."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from pathlib import Path

import pytest

from orchestrator.domain.pull_request import CheckRun, CheckState
from orchestrator.errors import TemporaryError
from orchestrator.testing.waiting import eventually
from plugins._shared.check_runner import TAIL_LENGTH, TAIL_LINES, Check, command, run

PATH = {"PATH": os.environ["PATH"]}


def check(line: str) -> Check:
    return Check(name="tests", argv=command(line))


async def run_line(line: str, folder: Path, timeout: float = 10.0) -> CheckRun:
    return await run(check(line), folder, PATH, timeout)


def alive(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text() if Path("/proc/self/stat").exists() else ""
        os.kill(pid, 0)
    except (ProcessLookupError, FileNotFoundError):
        return False
    return " Z " not in stat


async def started(folder: Path) -> int:
    """The process id that a check wrote down, once the line is whole."""

    async def look() -> str:
        path = folder / "pid"
        return path.read_text() if path.exists() else ""

    written = await eventually(look, lambda text: text.endswith("\n"))
    return int(written)


async def gone(pid: int) -> None:
    async def look() -> bool:
        return alive(pid)

    await eventually(look, lambda there: not there)


async def test_a_check_that_passes_has_no_tail(tmp_path: Path) -> None:
    assert await run_line("echo fine", tmp_path) == CheckRun(name="tests", state=CheckState.PASSED)


async def test_a_check_that_fails_shows_both_outputs_and_its_code(tmp_path: Path) -> None:
    result = await run_line("echo out; echo err >&2; exit 3", tmp_path)
    assert (result.state, result.tail) == (CheckState.FAILED, "out\nerr\n[exit code 3]")


async def test_a_list_is_no_line_for_the_shell(tmp_path: Path) -> None:
    done = await run(Check(name="t", argv=command(["echo", "$HOME; exit 1"])), tmp_path, PATH, 10)
    assert done.state is CheckState.PASSED
    missing = await run(Check(name="t", argv=command(["no-such-program"])), tmp_path, PATH, 10)
    assert "[exit code 127]" in missing.tail


async def test_the_tail_is_bounded_cleaned_and_masked(tmp_path: Path) -> None:
    line = (
        "i=0; while [ $i -lt 9000 ]; do echo line $i; i=$((i+1)); done; "
        "printf '\\033[31mred\\033[0m \\342\\200\\256 ghp_abcdefghijklmnopqrstuvwxyz0123456789\\n'; exit 1"
    )
    tail = (await run_line(line, tmp_path)).tail
    lines = tail.splitlines()
    assert len(lines) == TAIL_LINES + 1
    assert len(tail) <= TAIL_LENGTH + 20
    assert lines[-3:] == ["line 8999", "red  [masked]", "[exit code 1]"]


async def test_the_environment_is_the_sessions_and_nothing_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OUR_TOKEN", "secret")
    given = {**PATH, "AO_SESSION": "demo-1"}
    await run(check("env > ../environment; pwd > ../place; cat"), folder := _inner(tmp_path), given, 10)
    names = {line.partition("=")[0] for line in (tmp_path / "environment").read_text().splitlines()}
    assert names - {"_", "SHLVL", "OLDPWD"} == {"PATH", "AO_SESSION", "CI", "AO_CHECK", "PWD"}
    assert (tmp_path / "place").read_text().strip() == str(folder)


def _inner(tmp_path: Path) -> Path:
    folder = tmp_path / "checkout"
    folder.mkdir()
    return folder


async def test_the_time_limit_ends_the_whole_group(tmp_path: Path) -> None:
    line = "echo started; sleep 300 & echo $! > pid; wait"
    result = await run_line(line, tmp_path, 0.5)
    assert result.state is CheckState.FAILED
    assert result.tail == "started\n[ended by ao: it ran longer than its limit of 0.5 s]"
    await gone(int((tmp_path / "pid").read_text()))


async def test_what_a_check_leaves_behind_is_ended_with_it(tmp_path: Path) -> None:
    result = await run_line("sleep 300 & echo $! > pid", tmp_path)
    assert result.state is CheckState.PASSED
    await gone(int((tmp_path / "pid").read_text()))


async def test_a_process_that_escaped_does_not_hold_the_result_up(tmp_path: Path) -> None:
    escape = (
        f"{sys.executable} -c 'import os,time; os.setsid(); print(os.getpid(), flush=True); time.sleep(300)'"
    )
    began = time.monotonic()
    result = await run_line(f"{escape} & sleep 0.3; exit 1", tmp_path)
    assert time.monotonic() - began < 8
    os.kill(int(result.tail.split()[0]), signal.SIGKILL)


async def test_a_cancelled_check_is_ended(tmp_path: Path) -> None:
    task = asyncio.create_task(run_line("echo $$ > pid; exec sleep 300", tmp_path))
    pid = await started(tmp_path)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await gone(pid)


async def test_a_check_does_not_outlive_us(tmp_path: Path) -> None:
    program = (
        "import asyncio, os, pathlib\n"
        "from plugins._shared.check_runner import Check, command, run\n"
        "check = Check(name='t', argv=command('echo $$ > pid; exec sleep 300'))\n"
        f"asyncio.run(run(check, pathlib.Path({str(tmp_path)!r}), dict(os.environ), 300))\n"
    )
    ours = await asyncio.create_subprocess_exec(sys.executable, "-c", program, cwd=Path(__file__).parents[4])
    pid = await started(tmp_path)
    ours.kill()
    await ours.wait()
    await gone(pid)


async def test_a_folder_that_is_gone_is_no_failed_check(tmp_path: Path) -> None:
    with pytest.raises(TemporaryError):
        await run_line("true", tmp_path / "gone")
