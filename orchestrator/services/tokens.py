"""Personal tokens: made, listed, taken back, recognised. A token itself is never kept."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Sequence

from orchestrator.domain.person import Actor, ActorKind
from orchestrator.domain.rights import Allowed, Role, decide, handle
from orchestrator.domain.token import PersonalToken, is_digest, is_secret
from orchestrator.errors import BadInput, NotAllowed, NotFound, TemporaryError
from orchestrator.services.core import Core
from orchestrator.storage.audit import AuditEntry

log = logging.getLogger(__name__)
_DAY = 86400.0
_MOST_DAYS = 3650
_LONGEST_LABEL = 80


async def add(core: Core, digest: str, *, person: str, label: str, days: int, by: Actor) -> PersonalToken:
    """Keep a token by its digest. `person` empty: whoever asks. `days` 0: it never expires.

    Raises `BadInput`, `NotAllowed` for somebody else's, `NotFound` for nobody's, `Conflict`, `TemporaryError`.
    """
    if not is_digest(digest):
        msg = "a token is kept by its SHA-256, in hexadecimal digits."
        raise BadInput(msg)
    if days > _MOST_DAYS or len(label) > _LONGEST_LABEL or not label.isprintable():
        msg = f"at most {_MOST_DAYS} days, and a label of at most {_LONGEST_LABEL} characters."
        raise BadInput(msg)
    whose = _whose(core, person.removeprefix("@"), by)
    now = core.clock.now()
    token = PersonalToken(
        id=f"t{secrets.token_hex(4)}",
        digest=digest,
        person=whose,
        label=label,
        by=str(by),
        made=now,
        expires=now + days * _DAY if days else 0.0,
    )
    await core.store.tokens.add(token)
    await _audit(core, by, "token add", token)
    return token


def listed(core: Core, by: Actor) -> Sequence[PersonalToken]:
    """Those that this person may see: their own; all of them for an admin."""
    return [token for token in core.store.tokens.all if _may(core, by, token.actor)]


def known(core: Core, token: PersonalToken) -> bool:
    """Whether its person is known: else it counts for nothing."""
    return not token.person or core.settings.people.by_handle(token.person) is not None


async def remove(core: Core, name: str, *, by: Actor) -> PersonalToken:
    """Take a token back: its next use is refused. Raises `NotFound`, `TemporaryError`."""
    dropped = await core.store.tokens.drop(name, lambda token: _may(core, by, token.actor))
    await _audit(core, by, "token rm", dropped)
    return dropped


async def use(core: Core, secret: str) -> PersonalToken | None:
    """The token, if it and its person are known and it has not expired; its use is kept, where the disk allows."""
    token = core.store.tokens.find(secret) if is_secret(secret) else None
    if token is None or not token.holds(core.clock.now()) or not known(core, token):
        return None
    try:
        await core.store.tokens.was_used(token.id, core.clock.now())
    except TemporaryError as error:
        log.warning("not kept when a token was used: %s", error)
    return token


def _whose(core: Core, named: str, by: Actor) -> str:
    """Whose rights a new token has; empty: the owner's. Raises `NotAllowed`, `NotFound`."""
    people = core.settings.people
    if not named and by.kind is ActorKind.OWNER:
        return ""
    if not named and people.person_of(by) is not None:
        return by.name
    if not named:
        msg = f"{by} may not make a token: nobody here knows who that is."
        raise NotAllowed(msg, next_step="An admin adds people: `people add <person> <role>`.")
    person = people.by_handle(handle(named))
    whose = person.handle if person else named
    if not _may(core, by, Actor(kind=ActorKind.PERSON, name=whose)):
        admins = ", ".join(people.having(Role.ADMIN, None)) or "the owner of the machine"
        msg = (
            f"{by} may not make a token for {whose}: that needs the role {Role.ADMIN.value} in all projects."
        )
        raise NotAllowed(msg, next_step=f"{admins} can: `token add --for {whose}`.")
    if person is None:
        those = ", ".join(one.handle for one in people.persons) or "nobody yet"
        msg = f"nobody here knows {named}: a token of theirs would have no rights."
        raise NotFound(msg, next_step=f"There are: {those}; `people add {named} <role>` adds one.")
    return whose


def _may(core: Core, by: Actor, whose: Actor) -> bool:
    """Whether `by` may make, see and take back tokens of somebody: their own, and everybody's as an admin."""
    people = core.settings.people
    return people.same(by, whose) or isinstance(decide(people, by, Role.ADMIN, None, owners=True), Allowed)


async def _audit(core: Core, by: Actor, verb: str, token: PersonalToken) -> None:
    text = f"{token.id} {token.person or 'owner'} {token.label}".strip()
    await core.store.audit.record(AuditEntry(at=core.clock.now(), by=by, verb=verb, text=text))
