"""A CI of the fake's own: for each pushed head of a pull request it runs a command a check, with a real log."""

from __future__ import annotations

import asyncio
import os
import shutil
import tarfile
import tempfile
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

from bot.demo.github import checks, merging
from bot.demo.github.git_repository import environment
from bot.demo.github.model import Pull, Repository
from bot.demo.github.model_checks import CheckRun
from bot.demo.github.world import Happening, World

LIMIT = 300.0
"""Seconds that one command may take."""
LARGEST_LOG = 1_000_000
"""Bytes of a log that are kept, the last ones."""
_STARTS = {"opened", "synchronize", "reopened"}


@dataclass(slots=True)
class Ci:
    """Runs what `Repository.ci` says. The commands are the demo's own; they run as the person who started it."""

    world: World
    _gate: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(2))

    def tell(self, what: Happening) -> None:
        """A pull request is new or has another head: its checks are queued."""
        pull = what.payload.get("pull")
        if what.event != "pull_request" or what.action not in _STARTS or not isinstance(pull, Pull):
            return
        for name in what.repo.ci:
            if not any(run.name == name for run in what.repo.checks.latest(pull.head_sha)):
                report = checks.Report(name=name, status="queued")
                run = checks.start(self.world, what.repo, pull.head_sha, pull.head_ref, report)
                self.world.later(self._run(what.repo, run))

    def rerun(self, repo: Repository, sha: str) -> None:
        """Somebody asked for another attempt: what is queued runs."""
        for run in repo.checks.latest(sha):
            if run.name in repo.ci and run.status == "queued":
                self.world.later(self._run(repo, run))

    async def _run(self, repo: Repository, run: CheckRun) -> None:
        async with self._gate:
            checks.change(self.world, repo, run, checks.Report(name=run.name, status="in_progress"))
            code, log = await self._command(repo, run)
            conclusion = "success" if code == 0 else "failure"
            step = f"Run {' '.join(repo.ci[run.name])}"
            end = "" if code == 0 else f"##[error]Process completed with exit code {code}.\n"
            log = (
                f"##[group]{step}\n##[endgroup]\n{log}{end}Post job cleanup.\nCleaning up orphan processes\n"
            )
            note = {"path": ".github", "start_line": 1, "end_line": 1, "annotation_level": "failure",
                    "message": f"Process completed with exit code {code}."}  # fmt: skip
            checks.change(self.world, repo, run, checks.Report(
                name=run.name, conclusion=conclusion, log=log, annotations=[] if code == 0 else [note],
                steps=[("Set up job", "success"), ("Check out", "success"), (step, conclusion),
                       ("Complete job", "success")],
            ))  # fmt: skip
        for pull in checks.pulls_at(repo, run.sha):
            await merging.advance(self.world, pull)

    async def _command(self, repo: Repository, run: CheckRun) -> tuple[int, str]:
        """Exit code and output of the command in a clean checkout."""
        code, out, err = await self.world.git(repo).raw("archive", "--format=tar", run.sha)
        if code:
            return code, err
        folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="ao-ci-"))
        try:
            await asyncio.to_thread(_unpack, out, folder)
            return await self._in(folder, repo.ci[run.name])
        finally:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    async def _in(self, folder: Path, argv: list[str]) -> tuple[int, str]:
        env = environment(folder) | {"CI": "true", "PYTHONDONTWRITEBYTECODE": "1"}
        try:
            process = await asyncio.create_subprocess_exec(
                *argv, cwd=folder, env=env, stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            return 127, f"{argv[0]}: {error.strerror}\n"
        try:
            out, _ = await asyncio.wait_for(process.communicate(), LIMIT)
        except TimeoutError:
            return 124, f"The command took more than {LIMIT:.0f} s.\n"
        finally:
            if process.returncode is None:
                os.killpg(process.pid, 9)
                await process.wait()
        return process.returncode or 0, out[-LARGEST_LOG:].decode(errors="replace")


def _unpack(data: bytes, folder: Path) -> None:
    with tarfile.open(fileobj=BytesIO(data)) as archive:
        archive.extractall(folder, filter="data")
