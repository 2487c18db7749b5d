r"""How a pull request is known to be a session's own: by a ref of our mirror, or by words in its body. Never a stranger's.

    marks = Marks()                                      # one for each scm; remembers what it read
    await marks.put(project, session.id, 7, head)        # after opening or claiming number 7: 7 is this session's alone
    (await marks.of(project)).get(session.id)            # the newest number of the session, or None
    body = f"{text}\n\n{body_mark(session.id, home)}"    # for a crash between opening and `put`
    reply = f"{text}\n\n{OURS}"                          # what we write for an agent is no remark of a reviewer

The ref `refs/ao/pulls/<number>/<session>` counts before the body: a claim moves it, and leaves the body.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from orchestrator.domain.ids import SessionId
from orchestrator.domain.project import Project
from plugins._shared.mirror import Mirror

PULLS = "refs/ao/pulls/"
OURS = "<!-- ao -->"
"""At the end of every comment of ours. Without it a comment by our own login is a person's, who shares it."""
APPROVAL = "ao/approval"
"""The commit status that carries an approval given here: an approval, and no check."""

_REF = re.compile(r"refs/ao/pulls/([1-9][0-9]{0,9})/([a-z0-9][a-z0-9_-]*-[1-9][0-9]*)")
_BODY = re.compile(r"<!-- ao session: (?P<session>\S{1,40}) of (?P<home>\S{1,80}) -->")


def mark_ref(number: int, session: SessionId) -> str:
    """The ref that says: this pull request is this session's."""
    return f"{PULLS}{number}/{session}"


def body_mark(session: SessionId, home: str) -> str:
    """The line in a body that says so. `home`: `PluginContext.server`, unlike any other home's."""
    return f"<!-- ao session: {session} of {home} -->"


def named_in(body: str, home: str) -> SessionId | None:
    """The session that a body names, if it is one of this home. The last one counts: ours stands at the end."""
    found = [mark["session"] for mark in _BODY.finditer(body) if mark["home"] == home]
    return SessionId(found[-1]) if found else None


def is_ours(body: str) -> bool:
    """The comment was written by `ao`, if it was by our login."""
    return body.rstrip().endswith(OURS)


class Marks:
    """The marks of all projects: read once from each mirror, then kept as they are written."""

    def __init__(self) -> None:
        self._known: dict[Path, dict[int, SessionId]] = {}

    async def owners(self, project: Project) -> Mapping[int, SessionId]:
        """Number -> the session that it is of."""
        known = self._known.get(project.mirror)
        if known is None:
            mirror = Mirror(project.mirror)
            await mirror.ensure()
            found = (_REF.fullmatch(name) for name in await mirror.refs(PULLS))
            known = {int(mark[1]): SessionId(mark[2]) for mark in found if mark}
            known = self._known.setdefault(project.mirror, known)
        return known

    async def of(self, project: Project) -> Mapping[SessionId, int]:
        """Session -> the newest pull request that is marked as its own."""
        return {session: number for number, session in sorted((await self.owners(project)).items())}

    async def put(self, project: Project, session: SessionId, number: int, head: str) -> None:
        """Mark a pull request as a session's; `head` is a commit of it that the mirror has. Repeatable.

        Another session's mark on it goes in the same moment.
        """
        mirror = Mirror(project.mirror)
        await mirror.ensure()
        theirs = await mirror.refs(f"{PULLS}{number}/")
        changes: dict[str, tuple[str, str | None]] = dict.fromkeys(theirs, ("", None))
        changes[mark_ref(number, session)] = (head, None)
        await mirror.update_refs(changes)
        if project.mirror in self._known:
            self._known[project.mirror][number] = session
