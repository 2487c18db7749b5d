"""How a pull request that is there already becomes a session's own."""

from __future__ import annotations

from orchestrator.domain.ids import short_sha
from orchestrator.errors import Conflict
from orchestrator.ports.session_ref import SessionRef
from plugins._shared.github.forge import Forge
from plugins._shared.github.rest_pull import Pull


def brought_ref(number: int) -> str:
    """Where the head of a pull request lies that a session is about to be given."""
    return f"refs/ao/brought/{number}"


async def bring(forge: Forge, number: int) -> str:
    """Bring its head into the mirror. Raises `NotFound`, `Conflict` where no session can have it."""
    _claimable(await forge.pull(number))
    return await forge.remote.bring(number, brought_ref(number))


async def claim(forge: Forge, session: SessionRef, number: int, head: str) -> Pull:
    """Mark it as the session's, whose workspace stands on `head`."""
    pull = await forge.pull(number)
    _claimable(pull)
    if pull.branch != session.branch:
        msg = f"Pull request #{number} is on branch {pull.branch}."
        raise Conflict(msg)
    if head != pull.head and not await forge.remote.mirror.is_ancestor(pull.head, head):
        msg = f"{short_sha(head)} does not have what is in pull request #{number}, at {short_sha(pull.head)}."
        raise Conflict(msg, next_step="Bring it into the session's branch first.")
    await forge.marks.put(session.project, session.id, number, pull.head)
    forge.reached("claim-kept")
    await forge.remote.took(session.id, pull.head)
    return pull


def _claimable(pull: Pull) -> None:
    if not pull.is_open:
        msg = f"Pull request #{pull.number} is {pull.state.value}."
        raise Conflict(msg)
    if not pull.inside:
        msg = f"Pull request #{pull.number} is from a fork: what a session pushes would not get there."
        raise Conflict(msg, next_step="Ask its author to push the branch to the repository itself.")
