"""How a session's head becomes, or moves, a pull request of the local forge."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from orchestrator.domain.ids import branch_name
from orchestrator.domain.outside_text import clean, one_line
from orchestrator.domain.pull_request import PullRequestState
from orchestrator.errors import BadInput, PermanentError
from orchestrator.ports.plugin import PluginContext
from orchestrator.ports.scm import Publication
from plugins._shared.local_forge import head_ref, pull_ref
from plugins._shared.pull_desk import PullDesk
from plugins._shared.pull_store import PullRecord

BODY_LIMIT = 64_000

_SHA = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


def check(what: Publication) -> None:
    """Raises `BadInput` for names and SHAs that are none, `PermanentError` for publishing to the base."""
    branch_name(what.session.branch)
    branch_name(what.base)
    if not _SHA.fullmatch(what.head):
        msg = f"{what.head[:80]!r} is no full commit id."
        raise BadInput(msg)
    if what.session.branch in {what.base, what.session.project.default_branch}:
        msg = f"A session publishes to a branch of its own, never to {what.session.branch}."
        raise PermanentError(msg)


async def accept(desk: PullDesk, what: Publication, context: PluginContext) -> PullRecord | None:
    """Move the branch, then make or update the pull request. The forge has `what.head` already.

    A pull request that was merged with this very head is returned as it is; one that was merged with
    another makes way for a new one; one that was closed opens again when the publication asks for it.
    """
    session, refs = what.session, await desk.forge.refs()
    known = desk.book.of(session.id, session.branch)
    record = None if known is None else await desk.heal(known, refs)
    if record is not None and record.state is PullRequestState.MERGED:
        if record.head == what.head:
            return record
        record = None
    if await desk.forge.repository.is_ancestor(what.head, refs[head_ref(what.base)]):
        msg = f"{session.branch} has no commit that {what.base} has not; nothing was published."
        raise PermanentError(msg, next_step="Commit something first.")
    wanted = what.open or record is not None
    number = record.number if record else _number(desk, session.id, refs)
    mark = pull_ref(number, session.id) if wanted else ""
    await desk.forge.set_head(session.id, session.branch, what.head, mark)
    context.reached("publish-pushed")
    if not wanted:
        return None
    refs = await desk.forge.refs()
    described = _opened(what, number, context.now()) if record is None else _changed(record, what)
    after = await desk.at_head(described, what.head, refs)
    return record if after == record else await desk.book.keep(after)


def _number(desk: PullDesk, session: str, refs: Mapping[str, str]) -> int:
    """The number of a pull request of which a crash left the ref only, else a new one."""
    for ref in refs:
        parts = ref.split("/")
        if ref.startswith("refs/ao/pulls/") and parts[4] == session and not desk.book.taken(int(parts[3])):
            return int(parts[3])
    return desk.book.next_number(refs)


def _opened(what: Publication, number: int, now: float) -> PullRecord:
    return PullRecord(
        number=number,
        session=what.session.id,
        branch=what.session.branch,
        base=what.base,
        title=one_line(what.title) or title_of(what.session.branch),
        body=clean(what.body, BODY_LIMIT),
        state=PullRequestState.DRAFT if what.draft else PullRequestState.OPEN,
        opened_at=now,
    )


def _changed(record: PullRecord, what: Publication) -> PullRecord:
    """A plain push changes no words and no state. An open pull request does not become a draft again."""
    if not what.open:
        return record
    draft = what.draft and record.state is not PullRequestState.OPEN
    return replace(
        record,
        base=what.base,
        title=one_line(what.title) or record.title,
        body=clean(what.body, BODY_LIMIT) or record.body,
        state=PullRequestState.DRAFT if draft else PullRequestState.OPEN,
    )


def title_of(branch: str) -> str:
    """A title made from a branch."""
    words = branch.rpartition("/")[2].replace("-", " ").replace("_", " ").strip()
    return one_line(words[:1].upper() + words[1:]) or branch
