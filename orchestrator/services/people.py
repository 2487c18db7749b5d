"""Who is known and what they may do: paired, added, taken away. What the configuration says is changed there."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass, replace

from typing_extensions import override

from orchestrator.domain.ids import project_id
from orchestrator.domain.outside_text import one_line
from orchestrator.domain.person import Actor, ActorKind
from orchestrator.domain.rights import ALL_PROJECTS, People, Person, Role, handle, merged
from orchestrator.errors import AoError, BadInput, Conflict, NotAllowed, NotFound
from orchestrator.services import links
from orchestrator.services.core import Core
from orchestrator.storage.audit import AuditEntry

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Meant:
    """Somebody as they were named: by our name, or by who they are on a surface."""

    name: str = ""
    surface: str = ""
    id: str = ""

    @override
    def __str__(self) -> str:
        return self.name or f"{self.surface}:{self.id}"


def meant(text: str) -> Meant:
    """`ada`, `slack:U123` or `slack:U123|ada` (a mention, as the grammar hands it on). Raises `BadInput`."""
    surface, colon, rest = text.partition(":")
    if not colon:
        return Meant(name=handle(text))
    identity, _, label = rest.partition("|")
    return Meant(surface=surface, id=identity, name=label)


def find(core: Core, who: Meant) -> Person | None:
    """The person who is meant; by who they are on a surface where that was said: names there are anybody's."""
    people = core.settings.people
    return people.by_identity(who.surface, who.id) if who.surface else people.by_handle(who.name)


def pairing_code(core: Core) -> str:
    """The code that makes the first admin; empty once anybody is known."""
    return core.pairing.code(core.clock.now()) if core.settings.people.empty else ""


async def pair(core: Core, code: str, *, by: Actor, name: str = "") -> Person:
    """Make whoever has the code the first admin, and the owner of the machine. Raises `NotAllowed`.

    `name`: what they are called where they typed it.
    """
    known = core.settings.people
    if not known.empty:
        admins = ", ".join(known.having(Role.ADMIN, None)) or "the owner of the machine"
        msg = f"{by} is not paired: people are known here already."
        raise NotAllowed(msg, next_step=f"{admins} can add you: `people add <person> <role>`.")
    surface, _, identity = by.name.partition(":")
    if by.kind is not ActorKind.PERSON or not identity:
        msg = f"{by} cannot be paired: nobody can tell who that is in a chat."
        raise NotAllowed(msg, next_step="Type it in Slack, in Discord or in the console.")
    core.pairing.take(code, core.clock.now(), by=by)
    person = Person(
        handle=_free_name(known, name, identity),
        ids={surface: identity},
        roles={ALL_PROJECTS: Role.ADMIN},
        owner=True,
    )
    await core.store.people.put(person)
    await _done(
        core, replace(by, name=person.handle), "pair", f"{person.handle} is {by}: admin in all projects"
    )
    return person


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What is given to whom."""

    who: Meant
    role: Role
    project: str = ""
    """Empty: in all projects."""
    name: str = ""
    """What they are called here; who is known by that name is also who was mentioned."""
    owner: bool = False
    """They are also the owner of the machine."""


async def add(core: Core, given: Given, *, by: Actor) -> Person:
    """Give somebody a role, known or new. Raises `Conflict` where the configuration says something else."""
    async with core.naming:
        return await _add(core, given, by)


async def _add(core: Core, given: Given, by: Actor) -> Person:
    where = _where(core, given.project)
    person = _named(core, given)
    kept = core.store.people.people.by_handle(person.handle) or Person(handle=person.handle)
    ids = {given.who.surface: given.who.id} if given.who.surface else {}
    new = replace(
        kept,
        ids={**kept.ids, **ids},
        roles={**kept.roles, where: given.role},
        owner=kept.owner or given.owner,
    )
    after = merged(core.settings.now.people, _with(core.store.people.people, new, alone=given.owner))
    _refuse_conflict(core, after, new, where, given)
    _refuse_no_admin(core.settings.people, after)
    if given.owner:
        await _no_other_owner(core, new)
    await core.store.people.put(new)
    await _done(core, by, "people add", f"{new.handle}: {given.role.value} in {_words(where)}")
    return after.by_handle(new.handle) or new


async def remove(core: Core, who: Meant, *, project: str = "", by: Actor) -> Person:
    """Take somebody away and log them out, or take their role in one project. Raises `NotFound`, `Conflict`."""
    async with core.naming:
        return await _remove(core, who, project, by)


async def _remove(core: Core, who: Meant, project: str, by: Actor) -> Person:
    person = find(core, who)
    if person is None:
        msg = f"nobody here knows {who}."
        raise NotFound(msg, next_step="`ao people` lists everybody.")
    kept = core.store.people.people.by_handle(person.handle)
    where = _where(core, project) if project else ""
    if kept is None or (where and where not in kept.roles):
        what = f"{person.handle}'s role in {where}" if where and where in person.roles else person.handle
        raise _elsewhere(core, person, what, where)
    left = {place: role for place, role in kept.roles.items() if where and place != where}
    new = replace(kept, roles=left) if where else None
    others = _with(core.store.people.people, new, name=kept.handle)
    after = merged(core.settings.now.people, others)
    _refuse_no_admin(core.settings.people, after)
    if new is None:
        if after.by_handle(kept.handle) is None:  # first: else a crash between the two would leave them
            await core.store.tokens.expire(kept.handle, core.clock.now())
        await core.store.people.drop(kept.handle)
        await _log_out(core, kept.handle)
        await links.forget_all(core, kept.handle)
    else:
        await core.store.people.put(new)
    await _done(core, by, "people rm", f"{kept.handle}{f' in {where}' if where else ''}")
    return after.by_handle(kept.handle) or Person(handle=kept.handle)


async def _log_out(core: Core, name: str) -> None:
    """Out of every browser; links that were made for them are void. Raises `TemporaryError`."""
    core.door.forget(name)
    await core.logins.open(core.clock.now())
    await core.logins.end_all(name)


def _elsewhere(core: Core, person: Person, what: str, where: str) -> Conflict | NotFound:
    if where and where not in person.roles:
        msg = f"{what} has no role in {_words(where)} alone."
        return NotFound(msg, next_step="`ao people` lists everybody with their roles.")
    msg = f"{what} stands in {core.settings.path}."
    return Conflict(msg, next_step="Change it there, then `ao trust` and `ao reload`.")


def _where(core: Core, project: str) -> str:
    if not project or project == ALL_PROJECTS:
        return ALL_PROJECTS
    return core.settings.project(project_id(project)).id


def _words(where: str) -> str:
    return "all projects" if where == ALL_PROJECTS else where


def _named(core: Core, given: Given) -> Person:
    """The person who is meant, or a new one. A name that anybody can take on a surface makes nobody somebody."""
    who, known = given.who, core.settings.people
    found = find(core, who)
    called = handle(given.name) if given.name else ""
    if found is not None:
        if called and called.lower() != found.handle.lower():
            msg = f"{who} is {found.handle} here already."
            raise Conflict(msg, next_step=f"`people add {found.handle} {given.role.value}`.")
        return found
    if called:
        return known.by_handle(called) or Person(handle=called)
    if not who.surface:
        return Person(handle=handle(who.name))
    free = _free_name(known, who.name, who.id)
    if who.name and known.by_handle(who.name) is not None:
        msg = f"there is a {who.name} already, who is somebody else as far as anybody knows."
        raise Conflict(
            msg, next_step="`--name` gives this one a name of their own, or says that they are one."
        )
    return Person(handle=free)


def _free_name(known: People, name: str, identity: str) -> str:
    """A name of what somebody is called on a surface, else of who they are there."""
    for candidate in (name, identity):
        plain = re.sub(r"[^A-Za-z0-9._-]+", "-", one_line(candidate, 39)).strip("-._")
        try:
            if known.by_handle(plain) is None:
                return handle(plain)
        except BadInput:
            continue
    msg = "no name can be made of what this one is called there."
    raise BadInput(msg, next_step="Give one: letters, digits, . _ and -.")


def _with(kept: People, person: Person | None, *, name: str = "", alone: bool = False) -> People:
    """Those who are kept, with one of them changed; `alone`: as the only owner."""
    lowered = (person.handle if person else name).lower()
    others = [one for one in kept.persons if one.handle.lower() != lowered]
    if alone:
        others = [replace(one, owner=False) for one in others]
    return People((*others, *([person] if person else [])))


async def _no_other_owner(core: Core, person: Person) -> None:
    for one in core.store.people.people.persons:
        if one.owner and one.handle.lower() != person.handle.lower():
            await core.store.people.put(replace(one, owner=False))


def _refuse_conflict(core: Core, after: People, new: Person, where: str, given: Given) -> None:
    """The configuration wins: what it overrules is not kept in silence. Raises `Conflict`."""
    counts = after.by_handle(new.handle)
    if counts is None:
        return
    overruled = ""
    if counts.roles.get(where) is not given.role:
        role = counts.roles[where].value
        overruled = f"{counts.handle} is {role} in {_words(where)}, as {core.settings.path} says"
    elif given.who.surface and counts.ids.get(given.who.surface) != given.who.id:
        overruled = f"{counts.handle} is another one in {given.who.surface}, as {core.settings.path} says"
    elif given.owner and not counts.owner:
        overruled = f"the owner of the machine is somebody else, as {core.settings.path} says"
    if overruled:
        msg = f"{overruled}."
        raise Conflict(msg, next_step="Change it there, then `ao trust` and `ao reload`.")


def _refuse_no_admin(before: People, after: People) -> None:
    """Nobody takes the last admin away, and the first person is one. Raises `Conflict`."""
    if not after.having(Role.ADMIN, None) and (before.empty or before.having(Role.ADMIN, None)):
        msg = "nobody would be admin in all projects."
        raise Conflict(msg, next_step="Make somebody else admin first: `people add <person> admin`.")


async def _done(core: Core, by: Actor, verb: str, text: str) -> None:
    await core.store.audit.record(AuditEntry(at=core.clock.now(), by=by, verb=verb, text=text))
    await judge_again(core)


async def judge_again(core: Core) -> None:
    """Whose approvals count may have changed: say of each open pull request how it stands now."""
    for session in core.fleet.live():
        if session.change is None or session.change.pr.over:
            continue
        try:
            await core.fleet.change(session.id, lambda _draft: None)
        except AoError as error:
            # Before it is merged its approvals are looked at again.
            log.warning("not judged by its approvals yet: %s", error, extra={"session": session.id})
    core.fleet.wake()
