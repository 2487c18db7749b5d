"""The form of an issue that is a Markdown file: front matter, text, and comments at the end.

    ---
    title: Add a farewell
    state: open            # open, in_progress, closed or cancelled
    labels: [feature]
    assignee: ana
    ---
    What is to be done.

    ## Comments

    ### ana, 2026-11-23T22:40:13Z

    > A comment; each line is quoted, so that no comment can pass for another one's heading.

Without front matter the first heading is the title and the issue is open. Nothing here does I/O.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from orchestrator.domain.issue import CLOSED, Issue, IssueComment, IssueState
from orchestrator.domain.outside_text import one_line
from orchestrator.errors import BadInput
from orchestrator.ports.tracker import IssueChange
from plugins._shared import front_matter

AUTHOR = "Agent Orchestrator"
"""Who comments that we write are from."""

_NAME = re.compile(r"0*([1-9][0-9]{0,8})(?:[-_. ].*)?\.md")
_SECTION = re.compile(r"^## Comments[ \t]*$", re.MULTILINE)
_COMMENT = re.compile(r"^### (?P<author>[^\n]*?)(?:, (?P<at>\d{4}-\d\d-\d\dT[^\s,]+))?[ \t]*$", re.MULTILINE)
_HEADING = re.compile(r"^#{1,6}[ \t]+(?P<title>\S.*?)[ \t]*#*[ \t]*$", re.MULTILINE)
_STATES = {
    **{state.value: state for state in IssueState},
    "done": IssueState.CLOSED,
    "canceled": IssueState.CANCELLED,
}


@dataclass(frozen=True, slots=True)
class IssueFile:
    """An issue's file, ready to be shown or edited."""

    text: str
    windows: bool
    """Lines end in CR LF; written back so."""


def ref_of(name: str) -> str | None:
    """The ref of the issue that a file of this name holds; None when it holds none."""
    found = _NAME.fullmatch(name)
    return found[1] if found else None


def file_name(ref: str, title: str) -> str:
    """The name for a new issue's file: `7-add-a-farewell.md`."""
    slug = "-".join(re.findall(r"[a-z0-9]+", title.lower()))[:40].strip("-")
    return f"{ref}-{slug}.md" if slug else f"{ref}.md"


def decode(data: bytes) -> IssueFile:
    """A file's bytes as text. Raises `BadInput` when they are not UTF-8."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        msg = f"Not UTF-8 text (byte {error.start})."
        raise BadInput(msg) from error
    return IssueFile(text=text.replace("\r\n", "\n"), windows="\r\n" in text)


def encode(text: str, *, windows: bool) -> bytes:
    """The bytes to write for an edited text."""
    return (text.replace("\n", "\r\n") if windows else text).encode()


def issue(text: str, ref: str, where: str) -> Issue:
    """The issue in a file's text. Raises `BadInput` with what is wrong with it."""
    document = front_matter.parse(text)
    body, comments = _split(document.body)
    title = _one(document, "title")
    if not title:
        heading = _HEADING.search(body)
        title = heading["title"] if heading else f"Issue {ref}"
    return Issue(
        ref=ref,
        title=one_line(title),
        body=body.strip("\n"),
        url=where,
        state=_state(_one(document, "state")),
        labels=_labels(document),
        assignee=_one(document, "assignee"),
        author=_one(document, "author"),
        comments=comments,
    )


def new(title: str, body: str, labels: tuple[str, ...]) -> str:
    """The text of a new issue's file."""
    fields: dict[str, front_matter.Value] = {"title": one_line(title), "state": IssueState.OPEN.value}
    if labels:
        fields["labels"] = labels
    empty = front_matter.FrontMatter(block="", body=f"\n{body.strip()}\n" if body.strip() else "")
    return front_matter.edit(empty, fields)


def changed(text: str, change: IssueChange, at: float) -> str:
    """The file's text with a change made; the same text when there is nothing to change."""
    document = front_matter.parse(text)
    fields: dict[str, front_matter.Value] = {}
    state = _wanted(_state(_one(document, "state")), change)
    if state is not None:
        fields["state"] = state.value
    before = _labels(document)
    after = tuple(
        dict.fromkeys(label for label in (*before, *change.add_labels) if label not in change.remove_labels)
    )
    if after != before:
        fields["labels"] = after
    if change.assignee is not None and change.assignee != _one(document, "assignee"):
        fields["assignee"] = one_line(change.assignee)
    result = front_matter.edit(document, fields) if fields else text
    said = change.comment.strip()
    known = _split(document.body)[1] if change.once else ()
    if not said or any(comment.body == said for comment in known):
        return result
    return _with_comment(result, change.comment, at)


def _wanted(before: IssueState, change: IssueChange) -> IssueState | None:
    """The state to write; None: none. Files know no review: an issue in review is in progress there."""
    if change.state is None or (change.keep_closed and before in CLOSED):
        return None
    if change.state is IssueState.IN_REVIEW:
        return None if before is IssueState.IN_REVIEW else _other(before, IssueState.IN_PROGRESS)
    return _other(before, change.state)


def _other(before: IssueState, after: IssueState) -> IssueState | None:
    return None if after is before else after


def _split(body: str) -> tuple[str, tuple[IssueComment, ...]]:
    """The text above the last heading `## Comments`, and the comments beneath it."""
    sections = list(_SECTION.finditer(body))
    if not sections:
        return body, ()
    below = body[sections[-1].end() :]
    heads = list(_COMMENT.finditer(below))
    ends = [*(head.start() for head in heads[1:]), len(below)]
    return body[: sections[-1].start()], tuple(
        IssueComment(
            author=head["author"].strip(), body=_unquoted(below[head.end() : end]), at=_seconds(head["at"])
        )
        for head, end in zip(heads, ends, strict=True)
    )


def _with_comment(text: str, comment: str, at: float) -> str:
    stamp = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    quoted = "\n".join(f"> {line}".rstrip() for line in comment.strip().splitlines())
    section = "" if _SECTION.search(front_matter.parse(text).body) else "## Comments\n\n"
    return f"{text.rstrip()}\n\n{section}### {AUTHOR}, {stamp}\n\n{quoted}\n"


def _unquoted(text: str) -> str:
    lines = text.strip("\n").splitlines()
    return "\n".join(line.removeprefix(">").removeprefix(" ") for line in lines).strip()


def _seconds(stamp: str | None) -> float:
    try:
        return datetime.fromisoformat(stamp).timestamp() if stamp else 0.0
    except ValueError:
        return 0.0


def _one(document: front_matter.FrontMatter, name: str) -> str:
    value = document.fields.get(name, "")
    if not isinstance(value, str):
        msg = f"`{name}` must be a text, not a list."
        raise BadInput(msg)
    return value.strip()


def _labels(document: front_matter.FrontMatter) -> tuple[str, ...]:
    value = document.fields.get("labels", ())
    found = value.split(",") if isinstance(value, str) else value
    return tuple(dict.fromkeys(label.strip() for label in found if label.strip()))


def _state(text: str) -> IssueState:
    state = _STATES.get(text.lower().replace("-", "_").replace(" ", "_") or "open")
    if state is None:
        msg = f"`state: {one_line(text, 40)}` is none of open, in_progress, closed, cancelled."
        raise BadInput(msg)
    return state
