"""How a session's head becomes, or moves, a pull request on GitHub. Every step can be taken again after a crash."""

from __future__ import annotations

from typing import Any

from orchestrator.domain.outside_text import clean, one_line
from orchestrator.domain.pull_request import PullRequestState
from orchestrator.errors import AoError, BadInput, Conflict, PermanentError
from orchestrator.ports.scm import Publication
from plugins._shared import publishing
from plugins._shared.github.forge import Forge
from plugins._shared.github.mark import body_mark, named_in
from plugins._shared.github.rest_pull import Pull
from plugins._shared.publishing import BODY_LIMIT, title_of


async def publish(forge: Forge, what: Publication) -> Pull | None:
    """Push the head, then make or change the pull request.

    A pull request that was merged with this very head is returned as it is; one that was merged with
    another makes way for a new one; one that was closed opens again when the publication asks for it.
    """
    session = what.session
    publishing.check(what)
    await forge.remote.receive(session.id, what.source, session.branch, what.head)
    known = await _mine(forge, what)
    if known is not None and known.state is PullRequestState.MERGED:
        if known.head == what.head:
            await forge.marks.put(session.project, session.id, known.number, what.head)
            return known
        known = None
    base = await forge.remote.mirror.newest_base(what.base, "")
    if base and await forge.remote.mirror.is_ancestor(what.head, base):
        raise _nothing_new(what)
    await forge.remote.push(session.id, session.branch, what.head, what.base)
    forge.reached("publish-pushed")
    if known is None and not what.open:
        return None
    made = await (_open(forge, what) if known is None else _changed(forge, what, known))
    forge.reached("publish-opened")
    await forge.marks.put(session.project, session.id, made.number, what.head)
    return made


async def _mine(forge: Forge, what: Publication) -> Pull | None:
    """The session's own pull request. Raises `Conflict` where the branch is in somebody else's."""
    session, mine = what.session, []
    for pull in await forge.on_branch(session.branch):
        owner = await forge.whose(pull)
        if owner == session.id:
            mine.append(pull)
        elif pull.is_open:
            by = f"of session {owner}" if owner else f"by {pull.author}, which no session of this ao opened"
            msg = f"{session.branch} is in pull request #{pull.number} {by}; nothing was pushed."
            step = f"`ao claim {session.project.id} {pull.number} --session {session.id}` hands it over."
            raise Conflict(msg, session=session.id, next_step=step)
    return next((pull for pull in mine if pull.is_open), mine[0] if mine else None)


async def _open(forge: Forge, what: Publication) -> Pull:
    session = what.session
    body: dict[str, Any] = {
        "title": one_line(what.title) or title_of(session.branch),
        "head": session.branch,
        "base": what.base,
        "body": _text(forge, what),
        "draft": what.draft,
    }
    try:
        return await forge.open(body)
    except BadInput as error:
        said = error.what.lower()
        if "already exists" in said:
            # Opened before a crash, or the list that we looked at was an older one.
            known = await _mine(forge, what)
            if known is not None and known.is_open:
                return await _changed(forge, what, known)
        if "no commits between" in said:
            raise _nothing_new(what) from error
        if what.draft and "draft" in said:
            # Private repositories have no drafts on some plans: then it is a pull request like any other.
            return await forge.open({**body, "draft": False})
        raise _refused(what, error) from error


async def _changed(forge: Forge, what: Publication, known: Pull) -> Pull:
    """A plain push changes no words and no state. An open pull request does not become a draft again.

    The base stays as it is: whoever retargeted it on GitHub meant it.
    """
    if not what.open:
        return known
    body = _differs(forge, what, known)
    try:
        after = await forge.change(known.number, body) if body else known
    except BadInput as error:
        if known.is_open:
            raise _refused(what, error) from error
        # GitHub opens no pull request again whose branch was rewritten meanwhile.
        return await _open(forge, what)
    if after.state is PullRequestState.DRAFT and not what.draft:
        await forge.set_draft(after, draft=False)
        after = await forge.pull(after.number)
    return after


def _differs(forge: Forge, what: Publication, known: Pull) -> dict[str, Any]:
    """What of a pull request is to be changed."""
    body: dict[str, Any] = {}
    if what.title and one_line(what.title) != known.title:
        body["title"] = one_line(what.title)
    if what.body and _text(forge, what) != known.body:
        body["body"] = _text(forge, what)
    elif named_in(known.body, forge.home) != what.session.id:
        # A claimed one: the last mark counts.
        body["body"] = _text(forge, what, known.body)
    if not known.is_open:
        body["state"] = "open"
    return body


def _text(forge: Forge, what: Publication, words: str | None = None) -> str:
    """The text with our mark at its end."""
    text = clean(what.body if words is None else words, BODY_LIMIT).strip()
    mark = body_mark(what.session.id, forge.home)
    return f"{text}\n\n{mark}" if text else mark


def _nothing_new(what: Publication) -> PermanentError:
    msg = f"{what.session.branch} has no commit that {what.base} has not; nothing was published."
    return PermanentError(msg, next_step="Commit something first.")


def _refused(what: Publication, error: AoError) -> PermanentError:
    msg = f"{what.session.branch} is pushed, but the pull request is not there: {error.what}"
    return PermanentError(msg, session=what.session.id, next_step=error.next_step)
