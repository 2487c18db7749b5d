"""A tracker in memory, for tests of whatever uses one."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from typing_extensions import override

from orchestrator.domain.issue import CLOSED, Issue, IssueComment, IssueState
from orchestrator.domain.look import Look, Seen, Unseen
from orchestrator.domain.project import Project
from orchestrator.errors import AoError, BadInput, NotFound
from orchestrator.ports.tracker import IssueChange, Queue, Queued, Tracker

GO = "agent:go"


class FakeTracker(Tracker, Queue):
    """Issues in a dictionary.

    `issues` is what the tracker has, by project and ref. `fail_next` makes the next call fail, as a
    look that fails where the call looks. `unreadable` gives a reason for issues that cannot be read.
    """

    def __init__(self, *issues: Issue, project: str = "demo") -> None:
        self.issues: dict[tuple[str, str], Issue] = {(project, issue.ref): issue for issue in issues}
        self.unreadable: dict[str, str] = {}
        self.shows_review = True
        """Whether it has a state for an issue whose pull request waits for people."""
        self.queued: list[Queued] = []
        """What `waiting` tells: marked issues whose label is on them still."""
        self.label_stays = False
        """The label cannot be taken off."""
        self.asked = 0
        """How often `waiting` was called."""
        self.calls = 0
        """Outside calls that were made."""
        self._failure: AoError | None = None

    def fail_next(self, error: AoError) -> None:
        """Let the next call fail with this error."""
        self._failure = error

    @override
    async def observe(self, project: Project, refs: Collection[str]) -> Mapping[str, Look[Issue | None]]:
        try:
            self._call()
        except AoError as error:
            return {ref: Unseen(error.what) for ref in refs}
        return {
            ref: Unseen(self.unreadable[ref])
            if ref in self.unreadable
            else Seen(self.issues.get((project.id, ref)))
            for ref in refs
        }

    @override
    async def search(self, project: Project, text: str = "", limit: int = 50) -> Sequence[Issue]:
        self._call()
        needle = text.casefold()
        found = [
            issue
            for (owner, _), issue in sorted(self.issues.items(), key=lambda item: int(item[0][1]))
            if owner == project.id
            and issue.state not in CLOSED
            and needle in f"{issue.title}\n{issue.body}".casefold()
        ]
        return found[-limit:] if limit > 0 else []

    @override
    async def create(self, project: Project, title: str, body: str, labels: Collection[str] = ()) -> Issue:
        self._call()
        if not title.strip():
            msg = "An issue needs a title."
            raise BadInput(msg)
        numbers = [int(ref) for owner, ref in self.issues if owner == project.id]
        made = Issue(ref=str(max(numbers, default=0) + 1), title=title, body=body, labels=tuple(labels))
        self.issues[project.id, made.ref] = made
        return made

    @override
    async def update(self, project: Project, ref: str, change: IssueChange) -> Issue:
        self._call()
        issue = self.issues.get((project.id, ref))
        if issue is None:
            msg = f"There is no issue {ref}."
            raise NotFound(msg)
        labels = dict.fromkeys((*issue.labels, *change.add_labels))
        known = change.once and any(comment.body == change.comment for comment in issue.comments)
        new = change.comment and not known
        said = (IssueComment(author="ao", body=change.comment),) if new else ()
        kept = change.keep_closed and issue.state in CLOSED
        if change.state is IssueState.IN_PROGRESS and not self.label_stays:
            labels.pop(GO, None)
        changed = replace(
            issue,
            state=issue.state if kept else self._shown(change.state) or issue.state,
            labels=tuple(label for label in labels if label not in change.remove_labels),
            assignee=issue.assignee if change.assignee is None else change.assignee,
            comments=(*issue.comments, *said),
        )
        self.issues[project.id, ref] = changed
        return changed

    def mark(self, ref: str, by: str = "alice", *, reason: str = "", project: str = "demo") -> None:
        """Somebody marks an issue with the label; a `reason` is why they are not obeyed."""
        issue = self.issues[project, ref]
        issue = replace(issue, labels=tuple(dict.fromkeys((*issue.labels, GO))))
        self.issues[project, ref] = issue
        mark = f"mark-{len(self.queued)}-{ref}"
        self.queued.append(Queued(issue=issue, by=by, member=not reason, label=GO, mark=mark, reason=reason))

    @override
    async def waiting(self, project: Project) -> Sequence[Queued]:
        self.asked += 1
        self._call()
        newest = {queued.issue.ref: queued for queued in self.queued}
        marked = (self.issues.get((project.id, ref)) for ref in newest)
        open_ = [issue for issue in marked if issue is not None and issue.state not in CLOSED]
        return [newest[issue.ref] for issue in open_ if GO in issue.labels]

    @override
    def branch_name(self, issue: Issue) -> str:
        return f"feat/issue-{issue.ref}"

    @override
    def parse_ref(self, project: Project, text: str) -> str:
        del project
        ref = text.strip().removeprefix("#")
        if not ref.isdecimal():
            msg = f"{text!r} names no issue."
            raise BadInput(msg)
        return str(int(ref))

    def _shown(self, state: IssueState | None) -> IssueState | None:
        reviewed = IssueState.IN_REVIEW if self.shows_review else IssueState.IN_PROGRESS
        return reviewed if state is IssueState.IN_REVIEW else state

    def _call(self) -> None:
        self.calls += 1
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure
