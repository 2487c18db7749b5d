"""The smaller things that are done on GitHub: threads, checks again, the base into the branch, what is not pushed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orchestrator.domain.counted import counted
from orchestrator.domain.ids import short_sha
from orchestrator.domain.outside_text import excerpt
from orchestrator.errors import AoError, BadInput, Conflict, NotAllowed, NotFound, PermanentError
from orchestrator.ports.session_ref import SessionRef
from plugins._shared.github import mutations as github_mutations
from plugins._shared.github.forge import Forge
from plugins._shared.github.git import head_ref
from plugins._shared.github.mark import OURS
from plugins._shared.github.merge import same_head

MOST_TEXT = 20_000


async def reply(forge: Forge, session: SessionRef, thread: str, text: str) -> None:
    """Answer in a review thread of the session's pull request. Raises `NotFound`."""
    words = excerpt(text, MOST_TEXT).strip()
    if not words:
        msg = "There is nothing to say."
        raise BadInput(msg)
    body = f"{words}\n\n{OURS}"
    found = await _thread(forge, session, thread)
    last = ((found.get("comments") or {}).get("nodes") or [{}])[-1]
    # Said before a crash, whose answer nobody kept.
    if not (last.get("viewerDidAuthor") and last.get("body") == body):
        await forge.ask(github_mutations.REPLY, {"id": thread, "body": body})


async def resolve(forge: Forge, session: SessionRef, thread: str) -> None:
    """Mark a review thread of the session's pull request as resolved. Repeatable. Raises `NotFound`."""
    if not (await _thread(forge, session, thread)).get("isResolved"):
        await forge.ask(github_mutations.RESOLVE, {"id": thread})


async def _thread(forge: Forge, session: SessionRef, thread: str) -> Mapping[str, Any]:
    """What is known of it. Raises `NotFound` where it is none of the session's own pull request."""
    pull = await forge.must_have(session.id, session.branch)
    try:
        said = await forge.ask(github_mutations.THREAD, {"id": thread})
        found: Mapping[str, Any] = said.get("node") or {}
    except (NotFound, PermanentError):
        found = {}
    where = found.get("pullRequest") or {}
    repository = str((where.get("repository") or {}).get("nameWithOwner", ""))
    if where.get("number") != pull.number or repository.lower() != forge.project.repo.lower():
        msg = f"#{pull.number} has no review thread {thread[:80]!r}."
        raise NotFound(msg, session=session.id)
    return found


async def rerun(forge: Forge, session: SessionRef, head: str) -> None:
    """Run the failed jobs of that head again. Raises `Conflict` for another head, and where none can."""
    pull = await forge.must_have(session.id, session.branch)
    same_head(pull, head)
    runs = await forge.failed_runs(head)
    if not runs:
        msg = f"no workflow of {short_sha(head)} has failed jobs that could run again."
        step = "Checks of other services are run again there, or by a new commit."
        raise Conflict(msg, session=session.id, next_step=step)
    for run in runs:
        try:
            await forge.rerun(run)
        except NotAllowed as error:
            # GitHub answers 403 also for runs that are too old, or run again already.
            msg = f"a workflow run is not started again: {error.what}"
            raise PermanentError(msg, session=session.id, next_step=error.next_step) from error


async def update_branch(forge: Forge, session: SessionRef, head: str) -> None:
    """Merge the base into the pull request's branch. Raises `Conflict`."""
    pull = await forge.must_have(session.id, session.branch)
    if not pull.is_open:
        msg = f"#{pull.number} is {pull.state.value}."
        raise Conflict(msg, session=session.id)
    same_head(pull, head)
    try:
        await forge.update(pull.number, head)
    except BadInput as error:
        said = error.what.lower()
        if "no new commits" in said:
            return
        if "conflict" in said:
            msg = f"{pull.base} conflicts with #{pull.number}; GitHub cannot merge it in."
            raise Conflict(msg, session=session.id, next_step="Its agent has to.") from error
        if "head sha" in said:
            msg = f"#{pull.number} is not at {short_sha(head)} any more."
            raise Conflict(msg, session=session.id) from error
        raise PermanentError(error.what, session=session.id) from error


async def unpushed(forge: Forge, host: str) -> str:
    """What the user's own base branch has that GitHub's does not, with what to do; else empty."""
    project, mirror = forge.project, forge.remote.mirror
    branch = project.default_branch
    await mirror.ensure()
    try:
        theirs = await mirror.fetch(str(project.path), head_ref(branch), f"refs/ao/user/{branch}")
        ours = await forge.remote.base(branch)
    except AoError:
        # Without the one or the other there is nothing to compare; work starts from what GitHub has.
        return ""
    count = await mirror.count([theirs], [ours])
    if not count:
        return ""
    are = "is" if count == 1 else "are"
    return (
        f"{counted(count, 'commit')} of {branch} in {project.path} {are} not on {host}, so not in what work starts "
        f"from. To bring them there: `git push origin {branch}`"
    )
