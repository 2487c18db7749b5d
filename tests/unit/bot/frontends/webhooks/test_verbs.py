"""`github webhook …`: our own hook is made, tested, listed and taken away; others' are left alone."""

from __future__ import annotations

import asyncio
import stat
from pathlib import Path

import pytest

from bot.actions import grammar, registry
from bot.actions.runner import Actions
from bot.chat.access import Access
from bot.chat.message import Message
from bot.chat.request import Request, Surface
from orchestrator.domain.person import OWNER
from orchestrator.domain.rights import People
from orchestrator.errors import BadInput, Conflict, NotAllowed, NotFound, NotReady
from orchestrator.services import forge_hooks, hook_secret
from orchestrator.storage.layout import Home
from orchestrator.testing.fakes.hearing import FakeHook
from tests.unit.bot.frontends.webhooks.conftest import Post
from tests.unit.bot.house import data

URL = "https://hooks.example.org/ao/hooks/fake/demo"


async def ask(post: Post, line: str) -> Message:
    action, count = registry.find(line.split())
    arguments = grammar.parse_arguments(action, line.split()[count:])
    request = Request(
        verb=action.verb, arguments=arguments, who=OWNER, surface=Surface.SHELL, id="r1", at=0.0
    )
    return await Actions(post.ring.core, access=Access(lambda: People())).run(request)


@pytest.fixture
async def public(post: Post) -> Post:
    await post.configure("  maxBodyBytes", "  publicUrl: https://Hooks.example.org/ao/\n  maxBodyBytes")
    post.environment["AO_WEBHOOK_SECRET"] = ""
    return post


def hooks(post: Post) -> dict[str, FakeHook]:
    return post.ring.scm.hooks


async def test_a_hook_is_made_with_a_secret_that_nobody_sees(public: Post) -> None:
    made = await ask(public, "github webhook install")
    assert data(made)["url"] == URL
    [hook] = hooks(public).values()
    assert (hook.url, len(hook.secret) >= 43) == (URL, True)
    assert hook.secret not in repr(made)
    kept = public.ring.core.home.path / hook_secret.FILE
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    home = public.ring.core.home.path
    holding = [
        path.name
        for path in home.rglob("*")
        if path.is_file() and hook.secret in path.read_text(errors="replace")
    ]
    assert holding == [hook_secret.FILE]


async def test_what_is_signed_with_that_secret_is_taken_at_once_and_after_a_restart(public: Post) -> None:
    assert (await public.deliver(1)).status == 401
    await ask(public, "github webhook install demo")
    [hook] = hooks(public).values()
    assert (await public.deliver(2, secret=hook.secret)).status == 202
    await public.crash()
    public.environment["AO_WEBHOOK_SECRET"] = ""
    assert (await public.deliver(3, secret=hook.secret)).status == 202


async def test_installing_again_changes_the_same_hook(public: Post) -> None:
    hooks(public)["7"] = FakeHook("demo", "https://ci.example.org/hook", "theirs")
    first = await ask(public, "github webhook install demo")
    before = dict(hooks(public))
    assert data(await ask(public, "github webhook install demo"))["id"] == data(first)["id"]
    assert hooks(public) == before, "the same secret, and strangers' hooks as they were"
    await public.configure("https://Hooks.example.org/ao/", "https://new.example.org")
    moved = await ask(public, "github webhook install demo")
    assert (data(moved)["id"], data(moved)["url"]) == (
        data(first)["id"],
        "https://new.example.org/hooks/fake/demo",
    )
    assert hooks(public)["7"] == FakeHook("demo", "https://ci.example.org/hook", "theirs")


async def test_a_new_secret_lets_the_old_one_count_until_the_next(public: Post) -> None:
    secrets = []
    for line in ("install demo", "install demo --rotate", "install demo --rotate"):
        await ask(public, f"github webhook {line}")
        secrets.append(next(iter(hooks(public).values())).secret)
    assert len(set(secrets)) == 3
    answers = [(await public.deliver(n, secret=secret)).status for n, secret in enumerate(secrets)]
    assert answers == [401, 202, 202]


async def test_a_variables_secret_is_used_and_changed_there(public: Post) -> None:
    public.environment["AO_WEBHOOK_SECRET"] = "of the variable"  # noqa: S105 - an example
    await ask(public, "github webhook install demo")
    assert [hook.secret for hook in hooks(public).values()] == ["of the variable"]
    assert not (public.ring.core.home.path / hook_secret.FILE).exists()
    with pytest.raises(NotReady, match="variable"):
        await ask(public, "github webhook install demo --rotate")


async def test_a_projects_own_variable_has_to_be_set(public: Post) -> None:
    await public.configure("scm: {plugin: fake}", "scm: {plugin: fake, webhook: {secretEnvVar: OWN}}")
    with pytest.raises(NotReady, match="OWN"):
        await ask(public, "github webhook install demo")


async def test_without_a_public_address_it_says_what_to_write(post: Post) -> None:
    with pytest.raises(NotReady) as refused:
        await ask(post, "github webhook install demo")
    assert "publicUrl" in refused.value.next_step


async def test_a_missing_permission_is_said(public: Post) -> None:
    public.ring.scm.refused = NotAllowed("no", next_step="admin:repo_hook")
    with pytest.raises(NotAllowed):
        await ask(public, "github webhook install demo")
    listed = await ask(public, "github webhook ls")
    assert listed.table is not None
    assert listed.table.rows == (("demo", "none", "-", "not known: no"),)


async def test_a_test_waits_for_the_delivery(public: Post) -> None:
    with pytest.raises(NotFound, match="no webhook of ours"):
        await ask(public, "github webhook test demo")
    await ask(public, "github webhook install demo")
    sent: list[asyncio.Task[object]] = []
    public.ring.scm.sends = lambda hook: sent.append(
        asyncio.create_task(public.deliver(1, "ping", secret=hook.secret))
    )
    assert "came" in (await ask(public, "github webhook test demo")).title
    await asyncio.gather(*sent)
    assert not public.ring.core.hooks.deliveries_came
    listed = await ask(public, "github webhook ls demo")
    assert listed.table is not None
    assert listed.table.rows[0][:3] == ("demo", "active", URL)
    assert "the last delivery (ping)" in listed.table.rows[0][3]


async def test_a_delivery_that_does_not_come_is_said(public: Post) -> None:
    await ask(public, "github webhook install demo")
    with pytest.raises(Conflict, match="none came within"):
        await forge_hooks.ping(public.ring.core, "demo", 0.05)
    assert not public.ring.core.hooks.deliveries_came


async def test_where_nobody_listens_there_is_nothing_to_test(public: Post) -> None:
    await ask(public, "github webhook install demo")
    await public.listener.stop()
    with pytest.raises(NotReady, match="nobody listens"):
        await ask(public, "github webhook test demo")


async def test_ours_is_taken_away_and_no_other(public: Post) -> None:
    hooks(public)["7"] = FakeHook("demo", "https://ci.example.org/hook")
    await ask(public, "github webhook install demo")
    await ask(public, "github webhook rm demo")
    assert list(hooks(public)) == ["7"]
    with pytest.raises(NotFound):
        await ask(public, "github webhook rm demo")


def test_a_group_names_its_verbs() -> None:
    with pytest.raises(BadInput) as unknown:
        registry.find(["github", "webhook"])
    assert "github webhook needs one more word" in unknown.value.what
    assert "github webhook install" in unknown.value.next_step


def test_a_secret_file_that_is_a_link_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("x")
    (tmp_path / hook_secret.FILE).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(NotReady):
        hook_secret.read(Home(tmp_path))
