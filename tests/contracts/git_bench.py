"""A user's repository and sessions' clones, with real git: what the benches of scm plugins have in common."""

from __future__ import annotations

import os
import subprocess
from itertools import count
from pathlib import Path

from typing_extensions import override

from orchestrator.domain.ids import ProjectId, SessionId
from orchestrator.domain.project import Project
from orchestrator.ports.plugin import PluginContext
from orchestrator.ports.session_ref import SessionRef
from orchestrator.testing.contracts.scm import ScmBench, publish


class GitBench(ScmBench):
    """Commits are made by git as a person makes them, in repositories that are not the forge."""

    def __init__(self, folder: Path, repo: str = "") -> None:
        self.folder = folder
        self.user = folder / "repository"
        self.home = folder / "home"
        self.clock = count(1_000)
        self.woken: list[str] = []
        self.reached: list[str] = []
        self.user.mkdir(parents=True)
        self.git(self.user, "init", "--quiet", "--initial-branch=main")
        self.write(self.user, "readme", "hello\n")
        self.project = Project(
            id=ProjectId("demo"),
            name="demo",
            path=self.user,
            default_branch="main",
            prefix="demo",
            folder=self.home / "projects" / "demo",
            repo=repo,
        )

    def context(self) -> PluginContext:
        """What the plugin is given."""
        return PluginContext(
            home=self.home,
            data=str,
            now=lambda: float(next(self.clock)),
            wake=self.woken.append,
            reached=self.notice,
        )

    def notice(self, boundary: str) -> None:
        """A boundary that a crash could part was reached."""
        self.reached.append(boundary)

    def git(self, place: Path, *args: str) -> str:
        """Run git as a person does, and return what it says."""
        done = subprocess.run(["git", *args], cwd=place, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def write(self, place: Path, path: str, text: str, message: str = "change") -> str:
        """Commit a file; the SHA."""
        (place / path).parent.mkdir(parents=True, exist_ok=True)
        (place / path).write_text(text)
        self.git(place, "add", "--all")
        self.git(place, "commit", "--quiet", "--allow-empty", "--message", message)
        return self.git(place, "rev-parse", "HEAD")

    async def opened(self, path: str = "file", number: int = 1) -> tuple[SessionRef, str]:
        """A session with an open pull request, and its head."""
        session = self.session(number)
        head = await self.commit(session, path)
        await publish(self, session, head)
        return session, head

    @override
    def session(self, number: int = 1) -> SessionRef:
        return SessionRef(
            id=SessionId(f"demo-{number}"),
            project=self.project,
            folder=self.project.folder / "sessions" / f"demo-{number}",
            branch=f"feat/issue-{number}",
            environment={"PATH": os.environ["PATH"], "AO_SESSION": f"demo-{number}"},
        )

    def workspace(self, session: SessionRef) -> Path:
        """The session's clone, on its branch."""
        place = self.folder / "work" / session.id
        if not place.exists():
            place.parent.mkdir(exist_ok=True)
            self.git(self.folder, "clone", "--quiet", str(self.user), str(place))
            self.git(place, "checkout", "--quiet", "-b", session.branch)
        return place

    @override
    async def commit(self, session: SessionRef, path: str = "file", text: str = "text") -> str:
        return self.write(self.workspace(session), path, f"{text}\n", f"change {path}")

    @override
    async def rewrite(self, session: SessionRef) -> str:
        place = self.workspace(session)
        self.git(place, "commit", "--quiet", "--amend", "--message", f"rewritten {next(self.clock)}")
        return self.git(place, "rev-parse", "HEAD")

    @override
    def source(self, session: SessionRef) -> str:
        return str(self.workspace(session))
