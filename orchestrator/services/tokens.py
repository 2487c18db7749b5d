"""Personal tokens: made, listed, taken back, recognised. A token itself is never kept."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Sequence

from orchestrator.domain.person import Actor, ActorKind
from orchestrator.domain.rights import Role, handle
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

    Raises `BadInput`, `NotAllowed` for somebody else's, `Conflict`, `TemporaryError`.
    """
    if not is_digest(digest):
        msg = "a token is kept by its SHA-256, in hexadecimal digits."
        raise BadInput(msg)
    if days > _MOST_DAYS or len(label) > _LONGEST_LABEL or not label.isprintable():
        msg = f"at most {_MOST_DAYS} days, and a label of at most {_LONGEST_LABEL} characters."
        raise BadInput(msg)
    whose = person.removeprefix("@") or _own(by)
    if whose:
        whose = _known(core, handle(whose))
    if not _is_theirs(core, by, whose):
        msg = f"{by} may not make a token for {whose or 'the owner'}."
        raise NotAllowed(
            msg, next_step="An admin or the owner of the machine can: `ao token add --for PERSON` there."
        )
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
    """Those that this person may see: their own; all of them for the owner and for admins."""
    return [token for token in core.store.tokens.all if _is_theirs(core, by, token.person)]


async def remove(core: Core, name: str, *, by: Actor) -> PersonalToken:
    """Take a token back: its next use is refused. Raises `NotFound`, `TemporaryError`."""
    dropped = await core.store.tokens.drop(name, lambda token: _is_theirs(core, by, token.person))
    await _audit(core, by, "token rm", dropped)
    return dropped


async def use(core: Core, secret: str) -> PersonalToken | None:
    """The token, if it is known and has not expired; that it was used is kept, where the disk allows."""
    token = core.store.tokens.find(secret) if is_secret(secret) else None
    if token is None or not token.holds(core.clock.now()):
        return None
    try:
        await core.store.tokens.was_used(token.id, core.clock.now())
    except TemporaryError as error:
        log.warning("not kept when a token was used: %s", error)
    return token


def _own(by: Actor) -> str:
    return "" if by.kind is ActorKind.OWNER else by.name


def _is_theirs(core: Core, by: Actor, person: str) -> bool:
    """Whose tokens somebody may make, see and take back: their own; an admin of all projects anybody's."""
    if by.kind is ActorKind.OWNER:
        return True
    known = core.settings.people.person_of(by)
    admin = known is not None and known.has(Role.ADMIN, None)
    return admin or (by.kind is ActorKind.PERSON and bool(person) and by.name == person)


def _known(core: Core, name: str) -> str:
    """The person as they are written here. Raises `NotFound` once anybody is known, and this one is not."""
    people = core.settings.people
    found = people.by_handle(name)
    if found is None and not people.empty:
        msg = f"nobody here knows {name}."
        names = ", ".join(person.handle for person in people.persons[:8])
        raise NotFound(msg, next_step=f"There are: {names}; `ao people add {name} ROLE` adds one.")
    return found.handle if found else name


async def _audit(core: Core, by: Actor, verb: str, token: PersonalToken) -> None:
    text = f"{token.id} {token.person or 'owner'} {token.label}".strip()
    await core.store.audit.record(AuditEntry(at=core.clock.now(), by=by, verb=verb, text=text))
