"""With whose rights something is done on the forge: those of the person who asked, where they are linked."""

from __future__ import annotations

import asyncio
from typing import Protocol

from orchestrator.domain.project import Project
from orchestrator.errors import NotAllowed
from orchestrator.ports.scm import Credential, Scm, SignsIn

RENEW_BEFORE = 900.0
"""Seconds before its end at which a credential is renewed: what begins with it also ends with it."""


class Kept(Protocol):
    """Where people's credentials are kept."""

    def logins(self, host: str) -> frozenset[str]:
        """Everybody who is linked there, by their names there."""

    async def get(self, person: str, host: str) -> Credential | None:
        """What we have of somebody."""

    async def put(self, person: str, host: str, credential: Credential) -> None:
        """Keep it."""

    async def drop(self, person: str, host: str) -> bool:
        """Forget it."""


class Links:
    """People's credentials, fresh. One instance a fleet."""

    def __init__(self, kept: Kept) -> None:
        self._kept = kept
        self._renewing = asyncio.Lock()

    async def credential(self, scm: Scm, project: Project, who: str, now: float) -> Credential | None:
        """What lets us act as `who` there; None where they are not linked, or the forge knows no people.

        Raises `NotAllowed` when the forge took it away: then they are linked no more. `TemporaryError`.
        """
        if not isinstance(scm, SignsIn):
            return None
        host = scm.host(project)
        found = await self._kept.get(who, host)
        if found is None or not _ends(found, now):
            return found
        # What it is renewed with is good for once: of two that come at a time the second uses what the first got.
        async with self._renewing:
            found = await self._kept.get(who, host)
            if found is None or not _ends(found, now):
                return found
            if not found.renewal:
                await self._kept.drop(who, host)
                raise _over(who, host)
            try:
                fresh = await scm.renew(project, found)
            except NotAllowed as error:
                await self._kept.drop(who, host)
                raise _over(who, host) from error
            await self._kept.put(who, host, fresh)
            return fresh

    async def over(self, scm: Scm, project: Project, who: str) -> NotAllowed:
        """The forge does not take what we have of somebody: forget it; the error that says so."""
        host = scm.host(project) if isinstance(scm, SignsIn) else ""
        await self._kept.drop(who, host)
        return _over(who, host)

    def only_here(self, scm: Scm, project: Project, author: str) -> bool:
        """Whether an approval that is given through us can count for our own rules only, whoever gives it.

        `author`: who opened the pull request; forges take no review by them.
        """
        if not isinstance(scm, SignsIn):
            return False
        others = self._kept.logins(scm.host(project)) - {author, ""}
        return not scm.counts_without_link(project) and not others


def _ends(credential: Credential, now: float) -> bool:
    return bool(credential.expires_at) and credential.expires_at - now < RENEW_BEFORE


def _over(who: str, host: str) -> NotAllowed:
    msg = f"{who}'s sign-in at {host} is not good any more: the link was removed."
    return NotAllowed(msg, next_step="`link` signs in again; without it, it is done by ao itself.")
