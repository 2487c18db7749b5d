"""Changes GitHub's issues over REST: each call that a repetition of it would not repeat is left out."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from orchestrator.domain.issue import CLOSED, Issue, IssueState
from orchestrator.domain.outside_text import one_line
from orchestrator.errors import BadInput, NotAllowed, NotFound
from orchestrator.ports.tracker import IssueChange
from plugins._shared.github.client import Json
from plugins._shared.github.issue_reads import Repo
from plugins._shared.github.issues import Reader, has
from plugins._shared.github.mark import OURS

ME = "@me"
"""An assignee: whoever we act as."""
_COLOURS = ("0e8a16", "fbca04", "1d76db")
_MEANINGS = (
    "Set by a member: an agent takes this issue up.",
    "An agent works on it.",
    "An agent's pull request waits for people.",
)


class IssueWrites:
    """Issues and their labels, as ourselves."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._made: set[tuple[str, str]] = set()
        """Labels of ours that a repository is known to have."""

    async def create(self, repo: Repo, title: str, body: str, labels: Collection[str]) -> Issue:
        """Make an issue. Raises `BadInput`, `NotAllowed`, `TemporaryError`."""
        if not title.strip():
            msg = "An issue needs a title."
            raise BadInput(msg)
        await repo.resolve()  # what is posted to a former name is not carried on
        for label in labels:
            await self._have(repo, label)
        what = {"title": one_line(title, 256), "body": body, "labels": list(labels)}
        try:
            answer = await repo.hub.rest("POST", repo.path("issues"), body=what)
        except NotFound:
            raise repo.unseen() from None
        return self._reader.made(answer.data)

    async def change(self, repo: Repo, issue: Issue, change: IssueChange) -> Issue:
        """Bring an issue that was just read to where `change` wants it. Raises `NotAllowed`, `BadInput`."""
        if change.keep_closed and issue.state in CLOSED:
            change = replace(change, state=issue.state)
        try:
            issue = await self._labels(repo, issue, change)
            issue = await self._state(repo, issue, change.state)
            issue = await self._assignee(repo, issue, change.assignee)
            return await self._comment(repo, issue, change)
        except NotFound as error:
            # It was read a moment ago: GitHub says so to those who may read and not write.
            msg = f"our account may not change issues of {repo.now} ({error.what})"
            raise NotAllowed(msg, next_step="`ao github doctor` names the missing permission.") from None

    async def _comment(self, repo: Repo, issue: Issue, change: IssueChange) -> Issue:
        text = change.comment.strip()
        if not text or (change.once and any(comment.body == text for comment in issue.comments)):
            return issue
        body = {"body": f"{text}\n\n{OURS}"}
        answer = await repo.hub.rest("POST", repo.path("issues", issue.ref, "comments"), body=body)
        return replace(issue, comments=(*issue.comments, self._reader.said(answer.data)))

    async def _labels(self, repo: Repo, issue: Issue, change: IssueChange) -> Issue:
        add, remove = list(change.add_labels), list(change.remove_labels)
        names = self._reader.labels
        if change.state is not None:
            kept = names.of(change.state)
            add += [kept] if kept else []
            # A person's wish for an agent outlives the end of a session, not the end of the issue.
            left = (names.go,) if change.state is IssueState.OPEN else ()
            remove += [name for name in names.ours if name not in {kept, *left}]
        for label in dict.fromkeys(remove):
            if has(issue.labels, label):
                issue = await self._take_off(repo, issue, label)
        missing = [label for label in dict.fromkeys(add) if not has((*issue.labels, *remove), label)]
        if not missing:
            return issue
        for label in missing:
            await self._have(repo, label)
        where = repo.path("issues", issue.ref, "labels")
        answer = await repo.hub.rest("POST", where, body={"labels": missing})
        return replace(issue, labels=_names(answer.data))

    async def _take_off(self, repo: Repo, issue: Issue, label: str) -> Issue:
        try:
            await repo.hub.rest("DELETE", repo.path("issues", issue.ref, "labels", label))
        except NotFound as error:
            if "label" not in error.what.lower():
                raise
            # Somebody took it off meanwhile.
        left = tuple(name for name in issue.labels if not has([name], label))
        return replace(issue, labels=left)

    async def _have(self, repo: Repo, label: str) -> None:
        """A label of ours is made with its colour and meaning before it is used; others GitHub makes itself."""
        ours = [name.casefold() for name in self._reader.labels.ours]
        if label.casefold() not in ours or (repo.written, label.casefold()) in self._made:
            return
        try:
            await repo.hub.rest("GET", repo.path("labels", label))
        except NotFound:
            number = ours.index(label.casefold())
            what = {"name": label, "color": _COLOURS[number], "description": _MEANINGS[number]}
            try:
                await repo.hub.rest("POST", repo.path("labels"), body=what)
            except BadInput as error:
                if "already_exists" not in error.what and "already exists" not in error.what:
                    raise
        self._made.add((repo.written, label.casefold()))

    async def _state(self, repo: Repo, issue: Issue, state: IssueState | None) -> Issue:
        if state is None or state is issue.state or {state, issue.state} <= CLOSED:
            return issue  # GitHub takes no other reason for an issue that is closed already
        where = repo.path("issues", issue.ref)
        if state in CLOSED:
            why = "not_planned" if state is IssueState.CANCELLED else "completed"
            await repo.hub.rest("PATCH", where, body={"state": "closed", "state_reason": why})
        elif issue.state in CLOSED:
            await repo.hub.rest("PATCH", where, body={"state": "open"})
        return replace(issue, state=state)

    async def _assignee(self, repo: Repo, issue: Issue, wanted: str | None) -> Issue:
        if wanted is None or wanted.casefold() == issue.assignee.casefold():
            return issue
        where = repo.path("issues", issue.ref, "assignees")
        if not wanted:
            await repo.hub.rest("DELETE", where, body={"assignees": [issue.assignee]})
            return replace(issue, assignee="")
        login = await self._me(repo) if wanted == ME else wanted
        answer = await repo.hub.rest("POST", where, body={"assignees": [login]})
        # Whom it cannot assign GitHub leaves out without a word.
        logins = [row["login"] for row in answer.data["assignees"]]
        if not has(logins, login):
            msg = f"{one_line(login, 60)} cannot be assigned to issues of {repo.now}."
            raise BadInput(msg, next_step="Only those who may write there, or took part in the issue, can.")
        return replace(issue, assignee=logins[0])

    async def _me(self, repo: Repo) -> str:
        try:
            return str((await repo.hub.rest("GET", "/user")).data["login"])
        except NotAllowed as error:
            msg = f"{ME} is nobody here: a GitHub App cannot be assigned to an issue."
            raise BadInput(msg) from error


def _names(rows: Json) -> tuple[str, ...]:
    return tuple(sorted((row["name"] for row in rows), key=str.casefold))
