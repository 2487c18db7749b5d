"""Real git over smart HTTP: `git http-backend` behind the server, with GitHub's way of asking for tokens."""

from __future__ import annotations

import gzip
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from bot.demo.github import rules
from bot.demo.github.access import Access, Who
from bot.demo.github.git_repository import environment, talk
from bot.demo.github.model import ROLES, Repository
from bot.demo.github.refusals import Refused
from bot.demo.github.world import World

LIMIT = 300.0
"""Seconds that one git request may take."""


@dataclass(frozen=True, slots=True)
class GitHttp:
    """Fetch and push."""

    world: World
    access: Access
    pushed: Callable[[Repository, Who], Awaitable[None]]
    """Called after a push, before its answer."""

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """`/owner/name.git/info/refs`, `git-upload-pack`, `git-receive-pack`."""
        rest = request.match_info["rest"]
        if rest not in {"info/refs", "git-upload-pack", "git-receive-pack"}:
            return web.Response(status=404, text="The dumb protocol is not served.\n")
        try:
            who = self.access.of_git(request.headers.get("Authorization", ""))
        except Refused:
            return _ask("remote: Invalid username or token. Password authentication is not supported.\n")
        writes = "git-receive-pack" in (rest, request.query.get("service", ""))
        repo = self._repository(request, rest)
        if repo is None or not self.access.sees(who, repo):
            return _ask() if who.is_nobody else web.Response(status=404, text="Repository not found.\n")
        if writes and who.is_nobody:
            return _ask()
        if writes and (refusal := self._may_not_push(who, repo)):
            return web.Response(status=403, text=refusal)
        if writes:
            await self.world.git(repo).guard(await self._guarded(repo, who))
        response = await self._backend(request, repo, who, rest)
        if writes and request.method == "POST":
            await self.pushed(repo, who)
        return response

    def _repository(self, request: web.Request, rest: str) -> Repository | None:
        full_name = f"{request.match_info['owner']}/{request.match_info['repo']}"
        if moved := self.world.renamed.get(full_name.lower()):
            where = self.world.page(f"/{moved.full_name}.git/{rest}")
            raise web.HTTPMovedPermanently(f"{where}?{request.query_string}".rstrip("?"))
        return self.world.find(full_name)

    async def _guarded(self, repo: Repository, who: Who) -> list[str]:
        """Branches that change by pull requests alone, for this caller."""
        is_admin = not who.is_installation and repo.role_of(who.user) == "admin"
        names = await self.world.git(repo).branches()
        found = {name: rules.protection(repo, name) for name in names}
        return [
            name for name, wanted in found.items()
            if wanted is not None and (wanted.admins or not is_admin)
            and (wanted.approvals is not None or wanted.checks or wanted.merge_queue)
        ]  # fmt: skip

    def _may_not_push(self, who: Who, repo: Repository) -> str:
        allowed = self.access.allows(who, repo, "contents", "write")
        strong = who.is_installation or ROLES.index(repo.role_of(who.user)) >= ROLES.index("write")
        if allowed and strong and not repo.archived:
            return ""
        return f"Permission to {repo.full_name}.git denied to {who.login}.\n"

    async def _backend(
        self, request: web.Request, repo: Repository, who: Who, rest: str
    ) -> web.StreamResponse:
        body = await request.read()
        if request.headers.get("Content-Encoding") == "gzip" and body[:2] == b"\x1f\x8b":
            body = gzip.decompress(body)
        env = environment(self.world.folder) | {
            "GIT_PROJECT_ROOT": str(repo.path.parent),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": f"/{repo.path.name}/{rest}",
            "QUERY_STRING": request.query_string,
            "REQUEST_METHOD": request.method,
            "CONTENT_TYPE": request.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "REMOTE_USER": who.login,
            "REMOTE_ADDR": "127.0.0.1",
            "GIT_PROTOCOL": request.headers.get("Git-Protocol", ""),
        }
        if not self.access.allows(who, repo, "workflows", "write"):
            env["AO_NO_WORKFLOW"] = "a Personal Access Token" if not who.is_installation else "a GitHub App"
            env["AO_WORKFLOW_RIGHT"] = "`workflows` permission" if who.is_installation else "`workflow` scope"
        _, out, _ = await talk(["git", "http-backend"], repo.path, env, body, LIMIT)
        return _answer(out)


def _ask(text: str = "") -> web.Response:
    return web.Response(status=401, text=text, headers={"WWW-Authenticate": 'Basic realm="GitHub"'})


def _answer(out: bytes) -> web.Response:
    """CGI's answer as HTTP's."""
    head, _, data = out.partition(b"\r\n\r\n")
    status, headers = 200, {}
    for line in head.decode(errors="replace").splitlines():
        name, _, value = line.partition(": ")
        if name == "Status":
            status = int(value.split()[0])
        elif name:
            headers[name] = value
    return web.Response(status=status, body=data, headers=headers)
