"""People linked to who they are on a forge, so that what they decide is done there with their own rights."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from orchestrator.domain.outside_text import one_line
from orchestrator.domain.person import Actor, ActorKind
from orchestrator.domain.project import Project
from orchestrator.domain.rights import Person
from orchestrator.errors import AoError, BadInput, Conflict, NotAllowed, NotFound, NotReady, TemporaryError
from orchestrator.ports.scm import SCM, Credential, Scm, SignIn, SignsIn
from orchestrator.services.core import Core
from orchestrator.storage.audit import AuditEntry
from orchestrator.storage.kept_links import OWNER

log = logging.getLogger(__name__)
Tell = Callable[[str], Awaitable[None]]
"""Says something to whoever asked, alone."""
_PUBLIC = "github.com"


@dataclass(frozen=True, slots=True, kw_only=True)
class Forge:
    """Where people can be linked: a project whose scm knows people, and the host."""

    scm: SignsIn
    project: Project
    host: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Linking:
    """How far it is: linked already (`login`), or begun."""

    host: str
    login: str = ""
    begun: SignIn | None = None


def scm_of(core: Core, project: Project) -> Scm:
    """A project's scm. Raises why it cannot be made."""
    name = core.settings.now.parts(project.id).scm
    return core.registry.create(SCM, name, core.settings.options(project.id, "scm", name))


def forges(core: Core) -> dict[str, Forge]:
    """Each host where people can be linked, with the first project that is there."""
    found: dict[str, Forge] = {}
    for project in core.settings.now.projects():
        try:
            scm = scm_of(core, project)
            if isinstance(scm, SignsIn):
                host = scm.host(project)
                found.setdefault(host, Forge(scm=scm, project=project, host=host))
        except AoError as error:
            log.info("its scm cannot be made: %s", error, extra={"project": project.id})
    return found


def surface_of(host: str) -> str:
    """Under which name a person's login there stands among who they are."""
    return "github" if host == _PUBLIC else host


async def begin(core: Core, *, by: Actor, project: str = "", tell: Tell | None = None) -> Linking:
    """Begin to link who asks, or say how far it is. `tell` is called when it has ended, either way.

    Raises `NotReady` where nothing waits for it or no client is configured, `NotAllowed`, `BadInput`.
    """
    who = _name(by)
    forge = _forge(core, project)
    kept = await core.store.links.get(who, forge.host)
    if kept is not None:
        return Linking(host=forge.host, login=kept.login)
    if not core.serving.is_set():
        msg = "the sign-in is waited for by `ao start`, which does not run."
        raise NotReady(msg, next_step="Start it, then ask again.")
    key = (who.lower(), forge.host)
    begun = core.sign_ins.pending(key, core.clock.now())
    if begun is None:
        begun = await forge.scm.begin_sign_in(forge.project)
        core.sign_ins.wait(key, begun, _wait(core, forge, begun, by, tell))
    return Linking(host=forge.host, begun=begun)


async def end(core: Core, *, by: Actor, project: str = "") -> tuple[str, str]:
    """Forget who asks there, and have the forge forget it too; host, and what is left for them to do.

    Raises `NotFound` where they are not linked, `TemporaryError`.
    """
    who = _name(by)
    forge = _forge(core, project)
    waiting = core.sign_ins.drop((who.lower(), forge.host))
    left = await _forget(core, who, forge.host, forge)
    if left is None and not waiting:
        msg = f"{by} is not linked to {forge.host}."
        raise NotFound(msg, next_step="`link github` links you.")
    await _known_as(core, who, forge.host, "")
    text = f"{by} is not linked to {forge.host} any more"
    await _told(core, by, "unlink", text)
    return forge.host, left or ""


async def forget_all(core: Core, name: str, *, revoke: bool = True) -> None:
    """Somebody was taken away: so is everything by which we could act as them. Raises `TemporaryError`."""
    known = forges(core) if revoke and core.store.links.hosts(name) else {}
    for host in core.store.links.hosts(name):
        core.sign_ins.drop((name.lower(), host))
        await _forget(core, name, host, known.get(host))


async def forget_strangers(core: Core, *, revoke: bool = True) -> None:
    """Whoever is not known any more, the configuration having changed, leaves nothing to act with.

    `revoke`: the forge is asked to forget it too, which may take as long as it likes.
    """
    people = core.settings.people
    if people.empty:
        return
    for name in core.store.links.people():
        if name != OWNER and people.by_handle(name) is None:
            log.warning("%s is not known any more: what they were linked to is forgotten", name)
            await forget_all(core, name, revoke=revoke)


async def _forget(core: Core, who: str, host: str, forge: Forge | None) -> str | None:
    """None where there was nothing; else what is left to do there."""
    credential = await core.store.links.get(who, host)
    gone = await core.store.links.drop(who, host)
    if credential is not None and forge is not None:
        return await forge.scm.revoke(forge.project, credential)
    return "" if gone else None


async def _wait(core: Core, forge: Forge, begun: SignIn, by: Actor, tell: Tell | None) -> None:
    """Ask as often as we may until it is done, refused or too late; then say so."""
    try:
        credential = await _finished(core, forge, begun)
        await _keep(core, forge, credential, by)
        words = f"🔗 You are {one_line(credential.login, 60)} on {forge.host} now: what you approve and merge is done as you."
    except AoError as error:
        log.info("not linked: %s", error)
        words = f"⚠️ You are not linked to {forge.host}: {error}"
    if tell is not None:
        try:
            await tell(words)
        except AoError as error:
            log.warning("not told that a sign-in has ended: %s", error)


async def _finished(core: Core, forge: Forge, begun: SignIn) -> Credential:
    interval = begun.interval
    while core.clock.now() + interval < begun.expires_at:
        await core.clock.sleep(interval)
        try:
            credential = await forge.scm.finish_sign_in(forge.project, begun)
        except TemporaryError as error:
            # `slow_down` of RFC 8628 raises the interval for good.
            interval = max(interval, error.delay)
            continue
        if credential is not None:
            return credential
    msg = "the code was not used in time."
    raise NotAllowed(msg, next_step="`link github` shows a new one.")


async def _keep(core: Core, forge: Forge, credential: Credential, by: Actor) -> None:
    who = _name(by)
    surface = surface_of(forge.host)
    refused = ""
    async with core.naming:
        people = core.settings.people
        other = next(
            (p for p in people.persons if p.ids.get(surface, "").lower() == credential.login.lower()), None
        )
        own = people.by_handle(who)
        named = own.ids.get(surface, "") if own and _configured(core, who, surface) else ""
        if other is not None and other.handle.lower() != who.lower():
            refused = f"{credential.login} is {other.handle} here"
        elif named and named.lower() != credential.login.lower():
            refused = (
                f"you signed in as {credential.login}, and {core.settings.path} says that you are {named}"
            )
        elif own is None and who != OWNER:
            refused = f"{who} is not known here any more"
        if not refused:
            await core.store.links.put(who, forge.host, credential)
            await _known_as(core, who, forge.host, credential.login)
    if refused:
        await forge.scm.revoke(forge.project, credential)
        msg = f"{refused}."
        raise Conflict(msg, next_step="An admin can change who is who: `ao people`.")
    await _told(core, by, "link", f"{by} is {credential.login} on {forge.host}")


def _configured(core: Core, who: str, surface: str) -> bool:
    person = core.settings.now.people.by_handle(who)
    return person is not None and surface in person.ids


async def _known_as(core: Core, who: str, host: str, login: str) -> None:
    """Keep by which name somebody is known there; empty: by none. The configuration's own word stays."""
    surface = surface_of(host)
    person = core.settings.people.by_handle(who)
    if person is None or _configured(core, who, surface):
        return
    kept = core.store.people.people.by_handle(who) or Person(handle=person.handle)
    ids = {name: identity for name, identity in kept.ids.items() if name != surface}
    if login:
        ids[surface] = login
    if ids != dict(kept.ids):
        await core.store.people.put(replace(kept, ids=ids))


async def _told(core: Core, by: Actor, verb: str, text: str) -> None:
    await core.store.audit.record(AuditEntry(at=core.clock.now(), by=by, verb=verb, text=text))
    core.fleet.wake()


def _forge(core: Core, project: str) -> Forge:
    if project:
        known = core.settings.now.project(project)
        scm = scm_of(core, known)
        if not isinstance(scm, SignsIn):
            msg = f"{core.settings.now.parts(known.id).scm}, the scm of {known.id}, knows no people."
            raise BadInput(msg, next_step="Approvals count by your name here; nothing needs to be linked.")
        return Forge(scm=scm, project=known, host=scm.host(known))
    found = forges(core)
    if not found:
        msg = "no project is on a forge that people could be linked to."
        raise BadInput(msg, next_step="`ao project ls` shows where each project is.")
    if len(found) > 1:
        named = ", ".join(f"{host} (`--project {forge.project.id}`)" for host, forge in found.items())
        msg = f"there is more than one: {named}."
        raise BadInput(msg, next_step="Say which by `--project`.")
    return next(iter(found.values()))


def _name(by: Actor) -> str:
    """Under which name who asks is kept. Raises `NotAllowed` for rules and agents."""
    if by.kind is ActorKind.OWNER:
        return OWNER
    if by.kind is not ActorKind.PERSON:
        msg = f"{by} is no person."
        raise NotAllowed(msg)
    return by.name
