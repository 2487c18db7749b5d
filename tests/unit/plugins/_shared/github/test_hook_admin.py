"""Our webhook on a repository of GitHub, over what GitHub's REST API answers."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from typing_extensions import override

from orchestrator.domain.ids import ProjectId
from orchestrator.domain.project import Project
from orchestrator.errors import AoError, BadInput, NotAllowed, NotFound
from orchestrator.ports.scm import ManagesHooks
from plugins._shared.github.client import Answer
from plugins._shared.github.hook_admin import GitHubHooks, Rest
from plugins._shared.github.hooks import EVENTS

URL = "https://hooks.example.org/hooks/github/demo"
PROJECT = Project(
    id=ProjectId("demo"),
    name="demo",
    path=Path("demo"),
    default_branch="main",
    prefix="demo",
    folder=Path("demo"),
    repo="o/r",
)
_ONE = re.compile(r"/repos/o/r/hooks/(\d+)(/pings)?")


def row(number: int, url: str, **more: Any) -> dict[str, Any]:
    config = {"url": url, "content_type": "json", "insecure_ssl": "0", "secret": "********"}
    return {"id": number, "name": "web", "active": True, "events": ["push"], "config": config, **more}


class Hub(Rest):
    """The part of the API that is about hooks ("Repository webhooks")."""

    def __init__(self, *rows: dict[str, Any]) -> None:
        self.rows = {one["id"]: one for one in rows}
        self.secrets: dict[int, str] = {}
        self.calls: list[str] = []
        self.raises: AoError | None = None
        self.hidden_once = False

    @override
    async def pages(self, path: str) -> list[Any]:
        assert path == "/repos/o/r/hooks"
        if self.raises is not None:
            raise self.raises
        if self.hidden_once:
            self.hidden_once = False
            return []
        return list(self.rows.values())

    @override
    async def rest(self, method: str, path: str, *, body: Any = None) -> Answer:
        self.calls.append(f"{method} {path}")
        if self.raises is not None:
            raise self.raises
        if (method, path) == ("POST", "/repos/o/r/hooks"):
            return self._made(body)
        found = _ONE.fullmatch(path)
        assert found is not None, path
        number = int(found[1])
        if number not in self.rows:
            msg = "Not Found"
            raise NotFound(msg)
        if method == "DELETE":
            del self.rows[number]
            return Answer(204, {})
        if found[2]:
            return Answer(204, {})
        assert method == "PATCH"
        self.secrets[number] = body["config"]["secret"]
        self.rows[number] |= {"active": body["active"], "events": body["events"]}
        self.rows[number]["config"] |= {"url": body["config"]["url"]}
        return Answer(200, {}, self.rows[number])

    def _made(self, body: Any) -> Answer:
        assert body["name"] == "web"
        assert body["config"]["content_type"] == "json"
        if any(one["config"]["url"] == body["config"]["url"] for one in self.rows.values()):
            msg = "Validation Failed Hook already exists on this repository"
            raise BadInput(msg)
        number = max(self.rows, default=100) + 1
        self.secrets[number] = body["config"]["secret"]
        self.rows[number] = row(
            number, body["config"]["url"], events=body["events"], last_response={"code": None}
        )
        return Answer(201, {}, self.rows[number])


class Admin(GitHubHooks):
    def __init__(self, hub: Hub) -> None:
        self.hub = hub

    @override
    def hook_place(self, project: Project) -> tuple[Rest, str]:
        return self.hub, project.repo


async def test_it_is_made_once() -> None:
    admin = Admin(Hub(row(7, "https://ci.example.org/hook")))
    assert isinstance(admin, ManagesHooks)
    assert await admin.find_hook(PROJECT, URL) is None
    made = await admin.install_hook(PROJECT, URL, "one")
    again = await admin.install_hook(PROJECT, URL, "two")
    assert (made.id, made.url, made.events, made.last) == ("8", URL, EVENTS, "")
    assert again.id == made.id
    assert admin.hub.secrets == {8: "two"}
    assert admin.hub.rows[7] == row(7, "https://ci.example.org/hook"), "a stranger's is as it was"


async def test_one_whose_id_was_kept_follows_our_address() -> None:
    admin = Admin(Hub(row(8, "https://old.example.org/hooks/github/demo")))
    assert (await admin.install_hook(PROJECT, URL, "s", known="8")).url == URL
    assert list(admin.hub.rows) == [8]


async def test_one_that_somebody_switched_off_is_switched_on() -> None:
    admin = Admin(Hub(row(8, URL, active=False, last_response={"code": 502, "message": "Bad\nGateway"})))
    found = await admin.find_hook(PROJECT, f"{URL}/")
    assert found is not None
    assert (found.active, found.last) == (False, "502 Bad Gateway")
    assert (await admin.install_hook(PROJECT, URL, "s")).active


async def test_one_that_was_made_meanwhile_is_taken_over() -> None:
    admin = Admin(Hub(row(8, URL)))
    admin.hub.hidden_once = True
    assert (await admin.install_hook(PROJECT, URL, "s")).id == "8"
    assert list(admin.hub.rows) == [8]


@pytest.mark.parametrize("raised", [NotFound("Not Found"), NotAllowed("Resource not accessible")])
async def test_a_missing_permission_is_named(raised: AoError) -> None:
    admin = Admin(Hub())
    admin.hub.raises = raised
    with pytest.raises(NotAllowed) as refused:
        await admin.install_hook(PROJECT, URL, "the secret")
    assert "admin:repo_hook" in refused.value.next_step
    assert "Webhooks: read and write" in refused.value.next_step
    assert "the secret" not in str(refused.value)


async def test_it_is_tested_and_taken_away() -> None:
    admin = Admin(Hub(row(7, "https://ci.example.org/hook"), row(8, URL)))
    found = await admin.find_hook(PROJECT, URL)
    assert found is not None
    await admin.test_hook(PROJECT, found)
    await admin.remove_hook(PROJECT, found)
    await admin.remove_hook(PROJECT, found)
    assert list(admin.hub.rows) == [7]
    assert admin.hub.calls[0] == "POST /repos/o/r/hooks/8/pings"
    with pytest.raises(NotFound):
        await admin.test_hook(PROJECT, found)


async def test_a_service_of_another_kind_is_none_of_ours() -> None:
    admin = Admin(Hub({"id": 1, "name": "email", "config": {"address": URL}}, row(2, "x", config=None)))
    assert await admin.find_hook(PROJECT, URL) is None
