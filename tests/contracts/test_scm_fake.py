"""The fake forge keeps the promise of the port."""

from __future__ import annotations

from itertools import count
from pathlib import Path

import pytest
from typing_extensions import override

from orchestrator.domain.ids import ProjectId, SessionId
from orchestrator.domain.project import Project
from orchestrator.domain.pull_request import CheckRun, CheckState, PullRequestState
from orchestrator.ports.session_ref import SessionRef
from orchestrator.testing.contracts.scm import ScmBench, ScmContract
from orchestrator.testing.fakes.scm import FakeScm


class FakeBench(ScmBench):
    """Commits are numbers; who touches which file decides what conflicts."""

    def __init__(self, folder: Path) -> None:
        self.scm = self._fake = FakeScm(runs=("tests",), trees=lambda sha: self._trees.get(sha, {}))
        self.check = "tests"
        self._folder = folder
        self._numbers = count(2)  # the base is 1
        self._heads: dict[SessionId, str] = {}
        self._files: dict[str, set[str]] = {}
        self._base_files: set[str] = set()
        self._trees: dict[str, dict[str, bytes]] = {}

    @override
    def session(self, number: int = 1) -> SessionRef:
        project = Project(
            id=ProjectId("demo"),
            name="demo",
            path=self._folder,
            default_branch="main",
            prefix="demo",
            folder=self._folder,
        )
        name = SessionId(f"demo-{number}")
        return SessionRef(id=name, project=project, folder=self._folder, branch=f"feat/{number}")

    @override
    async def commit(self, session: SessionRef, path: str = "file", text: str = "text") -> str:
        parent = self._heads.get(session.id, "")
        head = self._new(session, self._files.get(parent, set()) | {path})
        self._trees[head] = {**self._trees.get(parent, {}), path: f"{text}\n".encode()}
        return head

    @override
    async def rewrite(self, session: SessionRef) -> str:
        return self._new(session, self._files[self._heads[session.id]])

    @override
    def source(self, session: SessionRef) -> str:
        return f"fake:{self._heads[session.id]}"

    @override
    async def move_base(self, path: str, text: str) -> None:
        self._base_files.add(path)
        self._fake.forge.conflicting |= {
            head for head, files in self._files.items() if files & self._base_files
        }

    @override
    async def push_from_elsewhere(self, session: SessionRef) -> str:
        head = f"{next(self._numbers):040x}"
        self._fake.push_from_elsewhere(session, head)
        return head

    @override
    async def settled(self) -> None:
        for (_, _), pull in list(self._fake.forge.pulls.items()):
            if pull.state is not PullRequestState.OPEN:
                continue
            broken = "broken" in self._files.get(pull.head, set())
            run = CheckRun(
                name="tests",
                state=CheckState.FAILED if broken else CheckState.PASSED,
                tail="it is broken" if broken else "",
            )
            owner = next(owner for key, owner in self._fake.forge.owners.items() if key[1] == pull.number)
            self._fake.set_checks(owner, run)

    @override
    def outside_calls(self) -> int:
        return len(self._fake.calls)

    def _new(self, session: SessionRef, files: set[str]) -> str:
        head = f"{next(self._numbers):040x}"
        self._heads[session.id] = head
        self._files[head] = files
        return head


class TestFakeScm(ScmContract):
    @override
    @pytest.fixture
    def bench(self, tmp_path: Path) -> ScmBench:
        return FakeBench(tmp_path)
