"""Our webhook on a project's forge: installed, listed, tested, taken away."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.domain.ids import ProjectId, project_id
from orchestrator.domain.person import Actor
from orchestrator.errors import AoError, Conflict, NotFound, NotReady
from orchestrator.ports.scm import SCM, Hook, ManagesHooks
from orchestrator.services import hook_secret
from orchestrator.services.core import Core
from orchestrator.services.webhooks import address
from orchestrator.storage.audit import AuditEntry

HOOKS = "hooks"
"""In `fleet.json`: the id of our hook, by project."""
ARRIVES_WITHIN = 15.0
"""Seconds that a test waits for the forge's delivery."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """How one project's webhook stands."""

    project: ProjectId
    hook: Hook | None
    words: str
    """How deliveries come in, or why it could not be looked at."""


async def install(core: Core, project: str, *, rotate: bool = False, by: Actor) -> Hook:
    """Make our hook, or bring it to our address, secret and events. Repeatable.

    `rotate`: sign with a new secret from now on; the one before still counts until the next.
    Raises `NotReady` where the configuration lacks something, `NotAllowed`, `Conflict`, `TemporaryError`.
    """
    name = project_id(project)
    scm, url = _scm(core, name), _public(core, name)
    secret = await _secret(core, name, rotate=rotate)
    hook = await scm.install_hook(core.settings.project(name), url, secret, _known(core, name))
    await _keep(core, name, hook.id)
    await _audit(core, by, "github webhook install", f"{name} {hook.id} {url}")
    return hook


async def listed(core: Core, project: str = "") -> Sequence[Row]:
    """The hooks of a project, or of all whose forge can be asked."""
    names = [project_id(project)] if project else core.settings.own.project_ids
    return [await _row(core, name) for name in names if project or _manages(core, name)]


async def _row(core: Core, name: ProjectId) -> Row:
    words = core.hooks.row(name, core.clock.now()) if core.hooks.address else "nobody listens here now"
    try:
        scm = _scm(core, name)
        hook = await scm.find_hook(core.settings.project(name), _public(core, name), _known(core, name))
    except AoError as error:
        return Row(project=name, hook=None, words=f"not known: {error.what}")
    return Row(project=name, hook=hook, words=words)


async def ping(core: Core, project: str, within: float = ARRIVES_WITHIN) -> float:
    """Let the forge send a delivery; the seconds until it came, none too long.

    Raises `NotFound` where there is no hook, `NotReady` where nobody listens, `Conflict` if nothing came.
    """
    name = project_id(project)
    if not core.hooks.address:
        msg = "nobody listens for webhooks here now."
        raise NotReady(msg, next_step="`ao start` listens once the configuration has `webhooks`.")
    scm = _scm(core, name)
    hook = await _hook(core, scm, name)
    began = core.clock.monotonic()
    arrived = asyncio.Event()

    def came(heard: ProjectId, _event: str) -> None:
        if heard == name:
            arrived.set()

    core.hooks.deliveries_came.append(came)
    try:
        await scm.test_hook(core.settings.project(name), hook)
        async with asyncio.timeout(within):
            await arrived.wait()
    except TimeoutError as error:
        last = f" The forge's last answer from there was: {hook.last}." if hook.last else ""
        msg = f"the forge sent a delivery to {hook.url}, and none came within {within:g} s.{last}"
        raise Conflict(
            msg,
            next_step="See how it went under the repository's Settings, Webhooks; docs/webhooks.md helps.",
        ) from error
    finally:
        core.hooks.deliveries_came.remove(came)
    return core.clock.monotonic() - began


async def remove(core: Core, project: str, *, by: Actor) -> Hook:
    """Take our hook away. Raises `NotFound` where there is none, `NotAllowed`."""
    name = project_id(project)
    scm = _scm(core, name)
    hook = await _hook(core, scm, name)
    await scm.remove_hook(core.settings.project(name), hook)
    await _keep(core, name, "")
    await _audit(core, by, "github webhook rm", f"{name} {hook.id} {hook.url}")
    return hook


async def _hook(core: Core, scm: ManagesHooks, name: ProjectId) -> Hook:
    hook = await scm.find_hook(core.settings.project(name), _public(core, name), _known(core, name))
    if hook is None:
        msg = f"{name} has no webhook of ours."
        raise NotFound(msg, next_step=f"`ao github webhook install {name}` makes one.")
    return hook


def _scm(core: Core, name: ProjectId) -> ManagesHooks:
    plugin = core.settings.parts(name).scm
    scm = core.registry.create(SCM, plugin, core.settings.options(name, "scm", plugin))
    if not isinstance(scm, ManagesHooks):
        msg = f"{name} uses {plugin}, which has no webhooks."
        raise NotReady(msg)
    return scm


def _manages(core: Core, name: ProjectId) -> bool:
    try:
        _scm(core, name)
    except AoError:
        return False
    return True


def _public(core: Core, name: ProjectId) -> str:
    """Where the forge is to deliver to. Raises `NotReady`."""
    block = core.settings.now.config.webhooks
    if block is None or not block.public_url:
        msg = "the configuration does not say how the forge reaches us."
        step = "Set `webhooks: {publicUrl: https://...}` and restart `ao start`; docs/webhooks.md says how to have one."
        raise NotReady(msg, next_step=step)
    keys = core.settings.now.keys(name)
    if keys.scm and keys.scm.webhook and not keys.scm.webhook.enabled:
        msg = f"{name} has `scm.webhook.enabled: false`."
        raise NotReady(msg, next_step="Take that out of the configuration, then `ao reload`.")
    return f"{block.public_url}{address(core.settings.now, name)}"


async def _secret(core: Core, name: ProjectId, *, rotate: bool) -> str:
    """What the hook is to sign with; made where no variable holds one. Raises `NotReady`, `TemporaryError`."""
    keys = core.settings.now.keys(name)
    own = keys.scm.webhook.secret_env_var if keys.scm and keys.scm.webhook else None
    found = hook_secret.of_project(core, name)
    if own and not found:
        msg = f"the variable {own}, which is to hold the secret of {name}, is not set."
        raise NotReady(msg, next_step=f"Set {own} for `ao start`, or take `secretEnvVar` out.")
    ours = not found or found[0] in core.hooks.secrets
    if rotate and not ours:
        msg = "the secret comes from a variable, so it is changed there."
        step = "Name two variables in `webhooks.secretEnv`, the new one first; then install the hooks again."
        raise NotReady(msg, next_step=step)
    if ours:
        core.hooks.secrets = await core.files.run("webhooks", _make, core, rotate)
        return core.hooks.secrets[0]
    return found[0]


def _make(core: Core, rotate: bool) -> tuple[str, ...]:  # noqa: FBT001 - called by position in a thread
    return hook_secret.make(core.home, rotate=rotate)


def _known(core: Core, name: ProjectId) -> str:
    return str(core.store.fleet.get(HOOKS, {}).get(name, ""))


async def _keep(core: Core, name: ProjectId, hook: str) -> None:
    kept = {project: one for project, one in core.store.fleet.get(HOOKS, {}).items() if project != name}
    await core.store.fleet.set(HOOKS, {**kept, **({name: hook} if hook else {})} or None)


async def _audit(core: Core, by: Actor, verb: str, text: str) -> None:
    await core.store.audit.record(AuditEntry(at=core.clock.now(), by=by, verb=verb, text=text))
