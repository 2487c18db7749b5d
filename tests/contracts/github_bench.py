"""The world around the fake GitHub: a repository there, the user's clone, people who are linked, real git over HTTP."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Self

import pytest
from typing_extensions import override

from bot.demo.github import pulls
from bot.demo.github.checks import Report
from bot.demo.github.model import Pull
from bot.demo.github.server import FakeGitHub
from orchestrator.domain.person import Actor
from orchestrator.domain.pull_request import ReviewDecision
from orchestrator.ports.plugin import PluginContext
from orchestrator.ports.scm import Carried, Credential
from orchestrator.ports.session_ref import SessionRef
from orchestrator.testing.contracts.scm import MANY
from plugins.scm.github import GitHubScm, GitHubScmOptions
from tests.contracts.git_bench import GitBench

REPO = "acme/demo"
US = "ao-bot"
"""Whose token `ao` has."""


class Crash(Exception):
    """The process ends here."""


class Linked(GitHubScm):
    """GitHub, with people who are linked: what the link is looked up by stands in the services."""

    people: Mapping[str, Credential]

    @override
    async def review(
        self,
        session: SessionRef,
        head: str,
        verdict: ReviewDecision,
        by: Actor,
        body: str = "",
        *,
        as_: Credential | None = None,
    ) -> Carried:
        return await super().review(session, head, verdict, by, body, as_=as_ or self.people.get(by.name))


class GitHubBench(GitBench):
    """One repository on a fake GitHub of its own."""

    scm: Linked

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, REPO)
        self.check = "build"
        self.github = FakeGitHub(folder / "github")
        self.crash_at = ""
        """The boundary at which the process ends, once."""
        self.variables: dict[str, str] = {}
        """More variables of ours."""
        self._made: list[GitHubScm] = []

    async def __aenter__(self) -> Self:
        await self.github.start()
        control = self.github.control
        control.user("acme", "Organization", members=[])
        people = {"ana": "write", "ben": "write", US: "write"}
        await control.repository(REPO, seed=self.user, collaborators=people)
        self.token = control.token(US)
        self.people = {name: Credential(login=name, token=control.token(name)) for name in ("ana", "ben")}
        self.scm = self.make()
        return self

    async def __aexit__(self, *_: object) -> None:
        for scm in self._made:
            await scm.aclose()
        await self.github.stop()

    def make(self, *, token: str = "", **options: object) -> Linked:
        """The forge as a new start of the program makes it."""
        chosen = GitHubScmOptions.model_validate(
            {"apiUrl": self.github.api_url, "tokenEnv": "AO_TOKEN", **options}
        )
        context = replace(self.context(), environment={"AO_TOKEN": token or self.token, **self.variables})
        made = Linked(chosen, context)
        made.people = self.people
        self._made.append(made)
        return made

    @override
    def context(self) -> PluginContext:
        return replace(super().context(), server="ao-test")

    @override
    def notice(self, boundary: str) -> None:
        super().notice(boundary)
        if boundary == self.crash_at:
            self.crash_at = ""
            raise Crash(boundary)

    async def after_crash(self, boundary: str, doing: Awaitable[object]) -> None:
        """The process ends at that boundary, and another one begins."""
        self.crash_at = boundary
        with pytest.raises(Crash):
            await doing
        self.scm = self.make()

    def pulls(self) -> list[Pull]:
        """All pull requests, the oldest first."""
        return self.github.world.repository(REPO).pulls()

    def heard(self) -> None:
        """What a webhook tells: everything is to be looked at anew."""
        for scm in self._made:
            for number in range(1, MANY + 1):
                scm.looker(self.project).forget(self.session(number).id)

    @override
    async def move_base(self, path: str, text: str) -> None:
        await self.github.control.push(REPO, "main", {path: f"{text}\n"}, by="ana")
        for pull in self.pulls():
            # GitHub works out by itself, and in its own time, whether they can still be merged.
            if pull.is_open:
                await pulls.work_out(self.github.world, pull)
        self.heard()

    @override
    async def push_from_elsewhere(self, session: SessionRef) -> str:
        sha = await self.github.control.push(REPO, session.branch, {"elsewhere": "somebody\n"}, by="ben")
        self.heard()
        return sha

    @override
    async def settled(self) -> None:
        for pull in self.pulls():
            if pull.is_open:
                files = self.git(
                    self.github.world.repository(REPO).path, "ls-tree", "--name-only", pull.head_sha
                )
                red = "broken" in files.splitlines()
                report = Report(
                    name=self.check,
                    conclusion="failure" if red else "success",
                    log="it is broken" if red else "fine",
                )
                await self.github.control.check(REPO, pull.number, report)
        await self.github.control.settle()
        self.heard()

    @override
    def outside_calls(self) -> int:
        return sum(number for name, number in self.github.control.calls.items() if not name.startswith("304"))
