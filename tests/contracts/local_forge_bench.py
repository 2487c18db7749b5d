"""The world around the local forge: a user's repository and sessions' clones, with real git."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from typing_extensions import override

from orchestrator.ports.session_ref import SessionRef
from plugins.scm.local import LocalScm, LocalScmOptions
from tests.contracts.git_bench import GitBench

CHECK = {"tests": "if test -e broken; then echo it is broken; exit 3; fi"}


class LocalBench(GitBench):
    """The forge is a bare repository beside the user's."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.check = "tests"
        self._made: list[LocalScm] = []
        self._git_calls = folder / "git-calls"
        self.scm = self.local = self.make()

    def make(self, **options: object) -> LocalScm:
        """The forge as a new start of the program makes it."""
        chosen = LocalScmOptions.model_validate({"checks": CHECK, **options})
        self._made.append(LocalScm(chosen, self.context()))
        return self._made[-1]

    async def aclose(self) -> None:
        """End the checks of every forge that was made: a loop that closes on them may wait for ever."""
        for scm in self._made:
            await scm.aclose()

    @property
    def forge(self) -> Path:
        """The bare repository."""
        return self.project.folder / "forge.git"

    def count_git(self, patch: pytest.MonkeyPatch) -> None:
        """From now on every git that is started is counted, by a program before it on the PATH."""
        real = shutil.which("git")
        programs = self.folder / "programs"
        programs.mkdir()
        counter = programs / "git"
        counter.write_text(f'#!/bin/sh\necho "$*" >> "{self._git_calls}"\nexec "{real}" "$@"\n')
        counter.chmod(0o755)
        patch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")

    @override
    async def move_base(self, path: str, text: str) -> None:
        await self.scm.base(self.project)
        self._push("main", "main", path, text)

    @override
    async def push_from_elsewhere(self, session: SessionRef) -> str:
        return self._push(session.branch, session.branch, "elsewhere", "somebody")

    @override
    async def settled(self) -> None:
        await self.local.settled()

    @override
    def outside_calls(self) -> int:
        return len(self._git_calls.read_text().splitlines()) if self._git_calls.exists() else 0

    def _push(self, start: str, branch: str, path: str, text: str) -> str:
        place = self.folder / "elsewhere" / str(next(self.clock))
        place.parent.mkdir(exist_ok=True)
        self.git(self.folder, "clone", "--quiet", "--branch", start, str(self.forge), str(place))
        head = self.write(place, path, f"{text}\n")
        self.git(place, "push", "--quiet", "origin", f"HEAD:refs/heads/{branch}")
        return head
