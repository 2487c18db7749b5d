"""REST: webhooks of a repository."""

from __future__ import annotations

from urllib.parse import urlsplit

from bot.demo.github.calls import Call, Reply, Table
from bot.demo.github.model import Hook
from bot.demo.github.refusals import HOOK, Json, Refused, invalid, not_found
from bot.demo.github.world import iso

TABLE = Table()
_HOOKS = "/repos/{owner}/{repo}/hooks"
_READ, _WRITE = ("repository_hooks", "read"), ("repository_hooks", "write")


def _shape(call: Call, hook: Hook) -> Json:
    url = call.world.api(f"/repos/{call.repo.full_name}/hooks/{hook.id}")
    config = {"url": hook.url, "content_type": hook.content_type, "insecure_ssl": "0"}
    return {
        "type": "Repository", "id": hook.id, "name": "web", "active": hook.active, "events": hook.events,
        "config": config | ({"secret": "********"} if hook.secret else {}), "url": url,
        "ping_url": f"{url}/pings", "test_url": f"{url}/test", "deliveries_url": f"{url}/deliveries",
        "created_at": iso(hook.created_at), "updated_at": iso(hook.updated_at),
        "last_response": hook.last_response,
    }  # fmt: skip


def _hook_of(call: Call) -> Hook:
    found = call.repo.hooks.get(call.number("hook"))
    if found is None:
        raise not_found()
    return found


@TABLE.on("GET", _HOOKS, _READ, role="admin")
async def list_hooks(call: Call) -> Reply:
    """All."""
    return call.page(list(call.repo.hooks.values()), lambda one: _shape(call, one))


@TABLE.on("POST", _HOOKS, _WRITE, role="admin")
async def create(call: Call) -> Reply:
    """A new one is pinged. 422 for a second one with the same address."""
    config = call.body.get("config") or {}
    url = _url(config)
    if any(hook.url == url for hook in call.repo.hooks.values()):
        raise Refused(422, "Validation Failed", errors=[
            {"resource": "Hook", "code": "custom", "message": "Hook already exists on this repository"}
        ])  # fmt: skip
    now, number = call.world.now, call.world.number()
    hook = Hook(
        number, url, str(config.get("secret") or ""), list(call.body.get("events") or ["push"]),
        str(config.get("content_type") or "form"), now, now, active=call.body.get("active", True),
    )  # fmt: skip
    call.repo.hooks[number] = hook
    call.webhooks.ping(call.repo, hook, call.user)
    return Reply(_shape(call, hook), 201)


def _url(config: Json) -> str:
    url = str(config.get("url") or "")
    if urlsplit(url).scheme not in {"http", "https"}:
        raise invalid(HOOK, "url")
    return url


@TABLE.on("GET", f"{_HOOKS}/{{hook}}", _READ, role="admin")
async def get(call: Call) -> Reply:
    """One hook."""
    return Reply(_shape(call, _hook_of(call)))


@TABLE.on("PATCH", f"{_HOOKS}/{{hook}}", _WRITE, role="admin")
async def change(call: Call) -> Reply:
    """Events, active, and configuration as a whole: what is left out of it is gone, as on GitHub."""
    hook, body = _hook_of(call), call.body
    if body.get("config") is not None:
        hook.url = _url(body["config"])
        hook.secret = str(body["config"].get("secret") or "")
        hook.content_type = str(body["config"].get("content_type") or "form")
    if body.get("events") is not None:
        hook.events = list(body["events"])
    hook.events += [name for name in body.get("add_events") or [] if name not in hook.events]
    hook.events = [name for name in hook.events if name not in (body.get("remove_events") or [])]
    hook.active = body.get("active", hook.active)
    hook.updated_at = call.world.now
    return Reply(_shape(call, hook))


@TABLE.on("DELETE", f"{_HOOKS}/{{hook}}", _WRITE, role="admin")
async def delete(call: Call) -> Reply:
    """Gone."""
    del call.repo.hooks[_hook_of(call).id]
    return Reply(status=204)


@TABLE.on("POST", f"{_HOOKS}/{{hook}}/pings", _READ, role="admin")
async def ping(call: Call) -> Reply:
    """Send a ping."""
    call.webhooks.ping(call.repo, _hook_of(call), call.user)
    return Reply(status=204)


@TABLE.on("GET", f"{_HOOKS}/{{hook}}/deliveries", _READ, role="admin")
async def deliveries(call: Call) -> Reply:
    """Newest first."""
    return call.page(_hook_of(call).deliveries[::-1], lambda row: row)


@TABLE.on("POST", f"{_HOOKS}/{{hook}}/deliveries/{{delivery}}/attempts", _WRITE, role="admin")
async def again(call: Call) -> Reply:
    """Once more, with the same delivery id."""
    hook, number = _hook_of(call), call.number("delivery")
    found = next((one for one in call.webhooks.sent if one.hook is hook and one.number == number), None)
    if found is None:
        raise not_found()
    call.webhooks.again(found)
    return Reply({}, 202)
