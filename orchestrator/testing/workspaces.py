"""A repository, a mirror and sessions for tests of workspaces, and the hands of an agent in them."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from typing_extensions import override

from orchestrator.domain.ids import ProjectId, SessionId
from orchestrator.domain.project import Project
from orchestrator.ports.place import Place
from orchestrator.ports.session_ref import SessionRef
from orchestrator.ports.workspace import Base, Made

ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "LC_ALL": "C.UTF-8",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_AUTHOR_NAME": "Agent",
    "GIT_AUTHOR_EMAIL": "agent@example.org",
    "GIT_COMMITTER_NAME": "Agent",
    "GIT_COMMITTER_EMAIL": "agent@example.org",
}


class Setting(ABC):
    """What a contract test of a workspace needs of the world round it."""

    base: Base
    project: Project

    def change(self, **fields: object) -> None:
        """Give the project other settings."""
        self.project = replace(self.project, **fields)  # type: ignore[arg-type]

    def session(self, number: int = 1, branch: str = "") -> SessionRef:
        """A session of the project."""
        name = SessionId(f"demo-{number}")
        folder = self.project.folder / "sessions" / name
        return SessionRef(id=name, project=self.project, folder=folder, branch=branch or f"feat/{name}")

    @abstractmethod
    def place(self, session: SessionRef) -> Place:
        """The session's place."""

    @abstractmethod
    async def write(self, session: SessionRef, made: Made, name: str, text: str) -> None:
        """The agent writes a file."""

    @abstractmethod
    async def read(self, session: SessionRef, made: Made, name: str) -> str:
        """What the agent sees in a file; empty when it is not there."""

    @abstractmethod
    async def commit(self, session: SessionRef, made: Made) -> str:
        """The agent commits everything; returns the commit."""

    @abstractmethod
    async def pushed(self, session: SessionRef, commit: str) -> None:
        """The scm has pushed a commit to the forge."""


class GitSetting(Setting):
    """Real git: a user's repository with one commit, our mirror with its base."""

    def __init__(self, root: Path, place: Callable[[SessionRef], Place]) -> None:
        self._make_place = place
        self._places: dict[str, Place] = {}
        self.project = Project(
            id=ProjectId("demo"),
            name="demo",
            path=root / "repository",
            default_branch="main",
            prefix="demo",
            folder=root / "home" / "demo",
        )

    async def begin(self) -> GitSetting:
        """Make the repository and the mirror."""
        path = self.project.path
        await asyncio.to_thread(_fill, path, self.project)
        await self.git("init", "--quiet", "--initial-branch=main")
        await self.git("add", "--all")
        await self.git("commit", "--quiet", "--message=First")
        await self.run("git", "init", "--quiet", "--bare", str(self.project.mirror))
        self.base = await self.fetch_base()
        return self

    async def fetch_base(self) -> Base:
        """What an scm's `base` does: bring the user's branch into the mirror."""
        mirror = self.project.mirror
        await self.run(
            *("git", f"--git-dir={mirror}", "fetch", "--quiet", str(self.project.path)),
            "+refs/heads/main:refs/ao/base/main",
        )
        return Base(branch="main", sha=await self.git("rev-parse", "main"), mirror=mirror)

    async def git(self, *args: str) -> str:
        """Run git in the user's repository, as the user."""
        return await self.run("git", "-C", str(self.project.path), *args)

    async def run(self, *argv: str) -> str:
        """Run a program as the user; its output."""
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(*argv, env=ENVIRONMENT, stdout=pipe, stderr=pipe)
        out, error = await process.communicate()
        assert process.returncode == 0, f"{argv}: {error.decode()}"
        return out.decode().strip()

    @override
    def place(self, session: SessionRef) -> Place:
        if session.id not in self._places:
            self._places[session.id] = self._make_place(session)
        return self._places[session.id]

    @override
    async def write(self, session: SessionRef, made: Made, name: str, text: str) -> None:
        await self.place(session).write(f"{made.path}/{name}", text.encode(), mode=0o644)

    @override
    async def read(self, session: SessionRef, made: Made, name: str) -> str:
        return await self.inside(session, made, "cat", name, check=False)

    @override
    async def commit(self, session: SessionRef, made: Made) -> str:
        await self.inside(session, made, "git", "add", "--all")
        await self.inside(session, made, "git", "commit", "--quiet", "--message=Work")
        return await self.inside(session, made, "git", "rev-parse", "HEAD")

    async def inside(self, session: SessionRef, made: Made, *argv: str, check: bool = True) -> str:
        """Run a program in the workspace, as the agent; its output."""
        done = await self.place(session).run(argv, cwd=made.path)
        assert done.ok or not check, f"{argv}: {done.error_text()}"
        return done.text() if done.ok else ""

    @override
    async def pushed(self, session: SessionRef, commit: str) -> None:
        mirror = self.project.mirror
        where = f"refs/ao/out/{session.id}"
        async with self.place(session).export(session.workspace, f"refs/heads/{session.branch}") as source:
            await self.run(
                *("git", f"--git-dir={mirror}", "fetch", "--quiet", source),
                f"+refs/heads/{session.branch}:{where}",
            )
        await self.run("git", f"--git-dir={mirror}", "update-ref", where, commit)


def _fill(path: Path, project: Project) -> None:
    path.mkdir(parents=True)
    (path / "README.md").write_text("# Demo\n")
    (path / ".gitignore").write_text("ignored.txt\n")
    (path / "src").mkdir()
    (path / "src" / "hello.py").write_text("print('hello')\n")
    project.folder.mkdir(parents=True)
