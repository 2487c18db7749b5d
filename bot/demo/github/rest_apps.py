"""REST: GitHub Apps and their installations. A JWT may call these, and nothing else."""

from __future__ import annotations

from bot.demo.github import shapes
from bot.demo.github.access import App, Installation
from bot.demo.github.calls import Call, Reply, Table
from bot.demo.github.model import Repository, User
from bot.demo.github.refusals import Json, Refused, not_found
from bot.demo.github.world import iso

TABLE = Table()


def _app(call: Call) -> App:
    if call.who.app is None:
        raise Refused(401, "A JSON web token could not be decoded")
    return call.who.app


def _shape(call: Call, one: Installation) -> Json:
    return {
        "id": one.id, "app_id": one.app.id, "app_slug": one.app.slug, "client_id": one.app.client_id,
        "account": shapes.user(call.world, one.account), "target_id": one.account.id,
        "target_type": one.account.type, "permissions": one.permissions, "events": [],
        "repository_selection": "all" if one.repositories is None else "selected", "suspended_at": None,
        "access_tokens_url": call.world.api(f"/app/installations/{one.id}/access_tokens"),
        "repositories_url": call.world.api("/installation/repositories"),
        "html_url": call.world.page(f"/settings/installations/{one.id}"),
        "created_at": iso(call.world.now), "updated_at": iso(call.world.now),
    }  # fmt: skip


def _mine(call: Call) -> list[Installation]:
    app = _app(call)
    return [one for one in call.access.installations.values() if one.app is app]


@TABLE.on("GET", "/app", jwt=True)
async def get(call: Call) -> Reply:
    """The App that calls."""
    app = _app(call)
    return Reply({
        "id": app.id, "slug": app.slug, "name": app.slug, "client_id": app.client_id, "node_id": f"A_{app.id}",
        "owner": shapes.user(call.world, app.owner), "permissions": app.permissions, "events": [],
        "html_url": call.world.page(f"/apps/{app.slug}"), "external_url": "", "description": "",
        "installations_count": len(_mine(call)), "created_at": iso(0), "updated_at": iso(0),
    })  # fmt: skip


@TABLE.on("GET", "/app/installations", jwt=True)
async def installations(call: Call) -> Reply:
    """Of the App that calls."""
    return call.page(_mine(call), lambda one: _shape(call, one))


def _installation(call: Call) -> Installation:
    number = call.number("installation")
    found = next((one for one in _mine(call) if one.id == number), None)
    if found is None:
        raise not_found()
    return found


@TABLE.on("GET", "/app/installations/{installation}", jwt=True)
async def installation(call: Call) -> Reply:
    """One of them."""
    return Reply(_shape(call, _installation(call)))


@TABLE.on("POST", "/app/installations/{installation}/access_tokens", jwt=True)
async def token(call: Call) -> Reply:
    """Valid for an hour."""
    one = _installation(call)
    made = call.access.installation_token(one, call.body.get("permissions"))
    return Reply({
        "token": made.value, "expires_at": iso(made.expires_at), "permissions": made.permissions,
        "repository_selection": "all" if one.repositories is None else "selected",
    }, 201)  # fmt: skip


def _on(call: Call, account: User, repo: Repository | None = None) -> Reply:
    for one in _mine(call):
        chosen = repo is None or one.repositories is None or repo.id in one.repositories
        if one.account is account and chosen:
            return Reply(_shape(call, one))
    raise not_found()


@TABLE.on("GET", "/repos/{owner}/{repo}/installation", jwt=True)
async def of_repository(call: Call) -> Reply:
    """The one that has this repository."""
    return _on(call, call.repo.owner, call.repo)


@TABLE.on("GET", "/orgs/{account}/installation", jwt=True)
async def of_organization(call: Call) -> Reply:
    """On an organization."""
    return _on(call, call.world.add_user(call.params["account"]))


@TABLE.on("GET", "/users/{account}/installation", jwt=True)
async def of_user(call: Call) -> Reply:
    """On a person."""
    return _on(call, call.world.add_user(call.params["account"]))


@TABLE.on("GET", "/installation/repositories")
async def repositories(call: Call) -> Reply:
    """That an installation's token reaches."""
    if not call.who.is_installation:
        raise Refused(
            403, "You must authenticate with an installation access token in order to list repositories."
        )
    rows = [repo for repo in call.world.repositories.values() if call.access.app_sees(call.who, repo)]
    return call.page(rows, lambda repo: shapes.repository(call.world, repo, call.who.user), "repositories")
