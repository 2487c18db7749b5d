"""Our own webhook on a repository of GitHub: found, made, tested, taken away ("Repository webhooks" of the REST API).

`GitHubHooks` is inherited by whatever knows how GitHub is reached: it says so by `hook_place`.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, Protocol

from typing_extensions import override

from orchestrator.domain.outside_text import one_line
from orchestrator.domain.project import Project
from orchestrator.errors import BadInput, NotAllowed, NotFound
from orchestrator.ports.scm import Hook, ManagesHooks
from plugins._shared.github.client import Answer
from plugins._shared.github.hooks import EVENTS

_PERMISSION = (
    "A classic token needs the scope admin:repo_hook, a fine-grained one or an App the repository permission "
    "Webhooks: read and write. Or add the hook by hand: docs/webhooks.md says how."
)
_WORDS = 120


class Rest(Protocol):
    """What is asked of `github_client.GitHub`."""

    async def rest(self, method: str, path: str, *, body: Any = None) -> Answer:  # noqa: ANN401 - JSON
        """One call."""

    async def pages(self, path: str) -> list[Any]:
        """All rows of a list."""


class GitHubHooks(ManagesHooks):
    """Only a hook that delivers to our own address, or whose id we kept, is ever written to."""

    @abstractmethod
    def hook_place(self, project: Project) -> tuple[Rest, str]:
        """How GitHub is reached for this project, and its `owner/name`."""

    @override
    async def find_hook(self, project: Project, url: str, known: str = "") -> Hook | None:
        hub, repository = self.hook_place(project)
        try:
            rows = await hub.pages(f"/repos/{repository}/hooks")
        except (NotFound, NotAllowed) as error:
            raise _not_allowed(repository, error) from error
        ours = [row for row in rows if _is_web(row) and str(row["id"]) == known]
        ours += [row for row in rows if _is_web(row) and _url(row).rstrip("/") == url.rstrip("/")]
        return _shown(ours[0]) if ours else None

    @override
    async def install_hook(self, project: Project, url: str, secret: str, known: str = "") -> Hook:
        found = await self.find_hook(project, url, known)
        wanted = {
            "active": True,
            "events": list(EVENTS),
            "config": {"url": url, "content_type": "json", "secret": secret, "insecure_ssl": "0"},
        }
        try:
            if found is None:
                return await self._write(project, "POST", "", {"name": "web", **wanted})
            return await self._write(project, "PATCH", f"/{found.id}", wanted)
        except BadInput:
            # Somebody made or took it away meanwhile: GitHub has one hook for an address, and refuses a second.
            again = await self.find_hook(project, url)
            if again is None or found is not None:
                raise
            return await self._write(project, "PATCH", f"/{again.id}", wanted)

    async def _write(self, project: Project, method: str, hook: str, body: dict[str, Any]) -> Hook:
        hub, repository = self.hook_place(project)
        try:
            answer = await hub.rest(method, f"/repos/{repository}/hooks{hook}", body=body)
        except (NotFound, NotAllowed) as error:
            raise _not_allowed(repository, error) from error
        return _shown(answer.data)

    @override
    async def test_hook(self, project: Project, hook: Hook) -> None:
        hub, repository = self.hook_place(project)
        try:
            await hub.rest("POST", f"/repos/{repository}/hooks/{hook.id}/pings")
        except NotAllowed as error:
            raise _not_allowed(repository, error) from error

    @override
    async def remove_hook(self, project: Project, hook: Hook) -> None:
        hub, repository = self.hook_place(project)
        try:
            await hub.rest("DELETE", f"/repos/{repository}/hooks/{hook.id}")
        except NotFound:
            return
        except NotAllowed as error:
            raise _not_allowed(repository, error) from error


def _is_web(row: Any) -> bool:  # noqa: ANN401 - outside data
    return isinstance(row, dict) and row.get("name") == "web" and "id" in row


def _url(row: dict[str, Any]) -> str:
    config = row.get("config")
    return str(config.get("url", "")) if isinstance(config, dict) else ""


def _shown(row: dict[str, Any]) -> Hook:
    last = row.get("last_response")
    words = ""
    if isinstance(last, dict) and last.get("code") is not None:
        words = one_line(f"{last['code']} {last.get('message') or ''}".strip(), _WORDS)
    events = row.get("events")
    return Hook(
        id=str(row["id"]),
        url=_url(row),
        active=bool(row.get("active")),
        events=tuple(map(str, events)) if isinstance(events, list) else (),
        last=words,
    )


def _not_allowed(repository: str, error: NotFound | NotAllowed) -> NotAllowed:
    """GitHub says 404 to whoever may not see hooks."""
    msg = f"the webhooks of {repository} may not be seen or changed with these credentials: {error.what}"
    return NotAllowed(msg, next_step=_PERMISSION)
