"""How a person's verdict gets to GitHub, in the strongest way there is.

1. As that person's own review, where the person is linked.
2. As a review by the second identity that `scm.reviewer` names, where there is one.
3. As a comment in the pull request, and the commit status `ao/approval` on the very commit, which branch
   protection can require.

GitHub refuses a review by the pull request's author, and counts no review by an App's bot
(docs.github.com: about pull request reviews); then the next way is taken, and the words say so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator.domain.ids import short_sha
from orchestrator.domain.outside_text import clean
from orchestrator.domain.person import Actor
from orchestrator.domain.pull_request import ReviewDecision
from orchestrator.errors import BadInput, NotAllowed, NotFound
from orchestrator.ports.scm import Carried
from plugins._shared.github.client import GitHub
from plugins._shared.github.forge import Forge
from plugins._shared.github.mark import APPROVAL, OURS
from plugins._shared.github.rest_pull import Pull
from plugins._shared.pull_review import parted

BODY_LIMIT = 60_000
MEMBERS = frozenset({"OWNER", "MEMBER", "COLLABORATOR"})
"""Whose reviews can count; whether they may write decides GitHub."""

_EVENTS = {
    ReviewDecision.APPROVED: "APPROVE",
    ReviewDecision.CHANGES_REQUESTED: "REQUEST_CHANGES",
    ReviewDecision.PENDING: "COMMENT",
}
_OWN = re.compile(r"your own pull request", re.IGNORECASE)
_NO_LINE = re.compile(r"part of the diff|could not be resolved|path is invalid|diff hunk", re.IGNORECASE)
_VERBS = {ReviewDecision.APPROVED: "approves", ReviewDecision.CHANGES_REQUESTED: "asks for changes"}
_SAID = re.compile(r"(?P<name>\S+) (?P<verb>approves|asks for changes) \(")
_STATES = {"APPROVED": ReviewDecision.APPROVED, "CHANGES_REQUESTED": ReviewDecision.CHANGES_REQUESTED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a person says of a pull request at one head."""

    pull: Pull
    head: str
    decision: ReviewDecision
    by: Actor
    body: str = ""

    @property
    def event(self) -> str:
        """As GitHub calls it."""
        return _EVENTS[self.decision]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """Who can carry a verdict."""

    person: GitHub | None = None
    """Whoever gave it."""
    reviewer: GitHub | None = None
    """The second identity."""
    approvals: int = 1
    """Of how many people the status asks for."""


async def carry(forge: Forge, said: Verdict, ways: Ways) -> Carried:
    """Take the first way that is open."""
    person, reviewer = ways.person, ways.reviewer
    why = ""
    for hub, body in ((person, said.body), (reviewer, _signed(said))):
        if hub is None:
            continue
        try:
            return await _review(forge, said, hub, body, theirs=hub is person)
        except _NotCounted as error:
            why = error.words
    return await _commented(forge, said, why, ways.approvals)


class _NotCounted(Exception):
    """GitHub takes no review by this account."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words


async def _review(forge: Forge, said: Verdict, hub: GitHub, body: str, *, theirs: bool) -> Carried:
    # An App has no user: it is known once it has reviewed.
    me = await hub.attempt("GET", "/user", None)
    login = str(me.data["login"]) if me.status == 200 else ""
    known = await _known(forge, said, login)
    if known is None:
        known = await _given(forge, said, hub, body)
    author = known.get("user") or {}
    login = str(author.get("login") or login)
    if author.get("type") == "Bot":
        return Carried(counts=False, words=f"as a review by {login}, an App, which GitHub does not count")
    member = str(known.get("author_association", "")) in MEMBERS
    words = f"as a review by {login}" if theirs else f"as a review by {login} for {said.by.name}"
    if not member:
        words += ", which does not count without the right to write there"
    return Carried(counts=member, words=words)


async def _known(forge: Forge, said: Verdict, login: str) -> Mapping[str, Any] | None:
    """The same verdict, if it was given before a crash or a second click."""
    if not login or said.decision not in _STATES.values():
        return None
    rows = await forge.hub.pages(f"{forge.path}/pulls/{said.pull.number}/reviews")
    mine = [
        row
        for row in rows
        if (row.get("user") or {}).get("login") == login and row.get("state") in {*_STATES, "DISMISSED"}
    ]
    last = mine[-1] if mine else {}
    words, _ = parted(said.body)
    same = _STATES.get(str(last.get("state"))) is said.decision and last.get("commit_id") == said.head
    return last if same and words in str(last.get("body") or "") else None


async def _given(forge: Forge, said: Verdict, hub: GitHub, body: str) -> Mapping[str, Any]:
    words, placed = parted(clean(body, BODY_LIMIT))
    try:
        return await _post(forge, said, hub, words, placed)
    except (BadInput, NotAllowed, NotFound) as error:
        if _OWN.search(error.what):
            msg = "GitHub takes no review by the pull request's own author"
            raise _NotCounted(msg) from error
        if isinstance(error, NotAllowed) and "401" in error.what:
            raise
        if not isinstance(error, BadInput):
            msg = f"GitHub does not let {said.by.name} review there"
            raise _NotCounted(msg) from error
        if not placed or not _NO_LINE.search(error.what):
            raise
        # A line that the change does not touch can hold no remark: it is said in the review itself.
        return await _post(forge, said, hub, clean(body, BODY_LIMIT), ())


async def _post(
    forge: Forge, said: Verdict, hub: GitHub, words: str, placed: Sequence[tuple[str, int, str]]
) -> Mapping[str, Any]:
    body: dict[str, Any] = {"commit_id": said.head, "event": said.event, "body": words}
    if placed:
        body["comments"] = [
            {"path": path, "line": line, "side": "RIGHT", "body": text} for path, line, text in placed
        ]
    if not words and not placed and said.decision is not ReviewDecision.APPROVED:
        body["body"] = "Changes, please."
    made: Mapping[str, Any] = (
        await hub.rest("POST", f"{forge.path}/pulls/{said.pull.number}/reviews", body=body)
    ).data
    return made


async def _commented(forge: Forge, said: Verdict, why: str, approvals: int) -> Carried:
    """Our own words in the pull request; what is asked for reads as a remark, so that the agent gets it."""
    if said.decision not in _VERBS:
        await _remarked(forge, said)
        return Carried(counts=False, words=_with("as a comment", why))
    verdicts = await _verdicts(forge, said.head)
    if said.decision is ReviewDecision.CHANGES_REQUESTED:
        await _remarked(forge, said)
    elif verdicts.get(said.by.name) is not said.decision:
        text = f"{_name(said.by)} approves {short_sha(said.head)} in `ao`."
        if said.body:
            text += f"\n\n{clean(said.body, BODY_LIMIT)}"
        await forge.comment(said.pull.number, f"{text}\n\n{OURS}")
    forge.reached("review-commented")
    verdicts[said.by.name] = said.decision
    given = sum(verdict is ReviewDecision.APPROVED for verdict in verdicts.values())
    if ReviewDecision.CHANGES_REQUESTED in verdicts.values():
        state = "failure"
    else:
        state = "success" if given >= approvals else "pending"
    words = f"{said.by.name} {_VERBS[said.decision]} ({given} of {approvals})"
    await forge.status(said.head, state, APPROVAL, words)
    return Carried(counts=False, words=_with(f"as a comment and the status {APPROVAL}", why))


async def _verdicts(forge: Forge, head: str) -> dict[str, ReviewDecision]:
    """Person -> the last verdict on that commit, from the statuses that we made of it. They are kept all."""
    rows = await forge.hub.pages(f"{forge.path}/commits/{head}/statuses", most=3)
    found: dict[str, ReviewDecision] = {}
    for row in reversed(rows):  # the newest come first
        match = _SAID.match(str(row.get("description") or ""))
        if match and row.get("context") == APPROVAL:
            found[match["name"]] = next(d for d, verb in _VERBS.items() if verb == match["verb"])
    return found


async def _remarked(forge: Forge, said: Verdict) -> None:
    """A review without a verdict is allowed to everybody, and can stand at lines."""
    words, placed = parted(clean(_signed(said), BODY_LIMIT))
    rows = [] if placed else await forge.hub.pages(f"{forge.path}/pulls/{said.pull.number}/reviews")
    for row in rows:
        # Left before a failure or a crash: the agent is to read it once.
        there = (row.get("state"), row.get("commit_id"), str(row.get("body") or "").strip())
        if there == ("COMMENTED", said.head, words.strip()):
            return
    remark = Verdict(pull=said.pull, head=said.head, decision=ReviewDecision.PENDING, by=said.by)
    await _given(forge, remark, forge.hub, _signed(said))


def _signed(said: Verdict) -> str:
    """The words with who says them: the account that brings them is another one."""
    does = {"APPROVE": "approves this", "REQUEST_CHANGES": "asks for changes", "COMMENT": "says"}[said.event]
    return (
        f"{_name(said.by)} {does} in `ao`:\n\n{said.body}"
        if said.body
        else f"{_name(said.by)} {does} in `ao`."
    )


def _name(by: Actor) -> str:
    """Never a mention: the name is one of `ao`'s own."""
    return f"**{by.name.replace('@', '')}**"


def _with(words: str, why: str) -> str:
    return f"{words}; {why}" if why else words
