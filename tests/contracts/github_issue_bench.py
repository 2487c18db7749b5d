"""A tracker `github` over the fake GitHub: real HTTP, real PyGithub, a clock that a test moves."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.demo.github.control import Control
from bot.demo.github.server import FakeGitHub
from orchestrator.domain.ids import ProjectId
from orchestrator.domain.project import Project
from orchestrator.ports.plugin import PluginContext
from orchestrator.ports.tracker import Queue, Tracker
from orchestrator.testing.fakes.clock import FakeClock
from plugins.tracker.github import PLUGIN, GitHubTracker

REPO = "acme/tool"


@dataclass(slots=True)
class Bench:
    """ada administers the repository, bo writes, tri triages, rea reads, eve has nothing to do with it."""

    github: FakeGitHub
    tracker: GitHubTracker
    project: Project
    clock: FakeClock

    @property
    def control(self) -> Control:
        """What a test does there."""
        return self.github.control

    @property
    def address(self) -> str:
        """Of its pages."""
        return self.github.world.address

    def calls(self) -> Counter[str]:
        """What was called so far, by name; those that met a fault are not among them."""
        return Counter(
            {
                name: count
                for name, count in self.control.calls.items()
                if not name.startswith("304 ") and name != "GRAPHQL points"
            }
        )

    @property
    def queue(self) -> Queue:
        """The tracker, which was made with `queue: true`."""
        assert isinstance(self.tracker, Queue)
        return self.tracker

    def points(self, bucket: str = "core") -> int:
        """What ada used of a limit so far."""
        return self.github.limits.bucket("user ada", bucket).used


def project_at(folder: Path, repo: str = REPO) -> Project:
    """A project on GitHub."""
    return Project(
        id=ProjectId("demo"),
        name="demo",
        path=folder / "repository",
        default_branch="main",
        prefix="demo",
        folder=folder / "home" / "demo",
        repo=repo,
    )


@asynccontextmanager
async def issue_bench(folder: Path, *, private: bool = False, **options: Any) -> AsyncIterator[Bench]:
    """The whole of it, with a tracker of these options."""
    clock = FakeClock()
    async with FakeGitHub(folder / "github", now=clock.now) as github:
        control = github.control
        control.user("acme", "Organization")
        await control.repository(
            REPO,
            files={"a.txt": "one\n"},
            private=private,
            collaborators={"ada": "admin", "bo": "write", "tri": "triage", "rea": "read"},
        )
        control.user("eve")
        tracker = make(folder, github, control.token("ada", scopes=("repo",)), **options)
        try:
            yield Bench(github, tracker, project_at(folder), clock)
        finally:
            await tracker.aclose()
        assert control.unknown == []


def make(folder: Path, github: FakeGitHub, token: str, **options: Any) -> GitHubTracker:
    """A tracker as a new start makes it."""
    context = PluginContext(
        home=folder / "home", data=str, environment={"GH_ENTERPRISE_TOKEN": token}, now=github.world.clock.now
    )
    raw = {"apiUrl": github.api_url, **options}
    made: Tracker = PLUGIN.create(PLUGIN.options.model_validate(raw), context)
    assert isinstance(made, GitHubTracker)
    return made
