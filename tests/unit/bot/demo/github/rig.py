"""What the tests of the fake GitHub have in common: PyGithub and git as its clients, each off the loop."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import aiohttp
from github import Auth, Github

from bot.demo.github.server import FakeGitHub

REPO = "acme/tool"
T = TypeVar("T")


async def acme(github: FakeGitHub, *, private: bool = False) -> None:
    """A repository of an organization: ada admin, bo writes, cy reads nothing of a private one."""
    github.control.user("acme", "Organization")
    await github.control.repository(
        REPO,
        files={"a.txt": "one\ntwo\nthree\n"},
        private=private,
        collaborators={"ada": "admin", "bo": "write"},
    )
    github.control.user("cy")


async def by(github: FakeGitHub, token: str, what: Callable[[Github], T]) -> T:
    """Something by PyGithub, whose calls block."""

    def run() -> T:
        with Github(
            auth=Auth.Token(token), base_url=github.api_url, retry=None, seconds_between_requests=0
        ) as client:
            return what(client)

    return await asyncio.to_thread(run)


async def git(folder: Path, *argv: str) -> tuple[int, str]:
    """Exit code and all it wrote."""
    env = {
        "PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0",
        "GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "A", "GIT_COMMITTER_EMAIL": "a@b",
    }  # fmt: skip
    process = await asyncio.create_subprocess_exec(
        "git", *argv, cwd=folder, env=env, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    out, _ = await process.communicate()
    return process.returncode or 0, out.decode()


def with_token(url: str, token: str) -> str:
    """For git."""
    return url.replace("://", f"://x-access-token:{token}@")


async def ask(
    github: FakeGitHub, token: str, query: str, variables: dict[str, Any] | None = None
) -> dict[str, Any]:
    """A GraphQL query by PyGithub's requester; the whole answer, errors too."""

    def run(client: Github) -> dict[str, Any]:
        body = {"query": query, "variables": variables or {}}
        _, data = client.requester.requestJsonAndCheck("POST", client.requester.graphql_url, input=body)
        answer: dict[str, Any] = data
        return answer

    return await by(github, token, run)


async def form(
    github: FakeGitHub, path: str, fields: dict[str, str], *, page: bool = False
) -> dict[str, Any]:
    """A form that is posted, and its answer in JSON."""
    async with (
        aiohttp.ClientSession() as session,
        session.post(
            github.world.page(path), data=fields, headers={"Accept": "application/json"}
        ) as response,
    ):
        assert response.status == 200, await response.text()
        return {"page": await response.text()} if page else await response.json()
