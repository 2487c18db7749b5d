"""What GitHub says of issues, as our values: the queries, and how their answers are read. Calls nothing.

Who counts as a member is GitHub's author association (docs.github.com: GraphQL, CommentAuthorAssociation):
OWNER, MEMBER and COLLABORATOR may be given work to do here; CONTRIBUTOR only says that a pull request
was merged once. A bot is told by its account's type and trusted only when the configuration names it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from orchestrator.domain.issue import Issue, IssueComment, IssueState
from orchestrator.domain.outside_text import clean, one_line
from orchestrator.errors import BadInput
from plugins._shared.github.client import Json
from plugins._shared.github.mark import OURS, is_ours

MEMBERS = frozenset({"OWNER", "MEMBER", "COLLABORATOR"})
GHOST = "ghost"
"""Who wrote what a deleted account wrote, as on GitHub's pages."""
_BOT = "[bot]"
_TITLE = 300

_FACTS = """\
fragment Facts on Issue {
  number title body url state stateReason authorAssociation
  author { __typename login }
  assignees(first: 10) { nodes { login } }
  labels(first: 100) { nodes { name } }
  repository { nameWithOwner }
}
"""
_COMMENTS = """\
fragment Comments on Issue {
  comments(last: 100) {
    nodes { id url body createdAt authorAssociation isMinimized viewerDidAuthor author { __typename login } }
  }
}
"""
_MARKS = """\
fragment Marks on Issue {
  timelineItems(last: 100, itemTypes: [LABELED_EVENT]) {
    nodes {
      __typename
      ... on LabeledEvent { id createdAt actor { __typename login } label { name } }
    }
  }
}
"""
REPOSITORY = """\
query Repository($owner: String!, $name: String!) {
  repository(owner: $owner, name: $name) { nameWithOwner }
}
"""
"""What a repository is called now; GraphQL follows former names."""
OPEN_ISSUES = f"""\
query OpenIssues($owner: String!, $name: String!, $first: Int!, $after: String) {{
  repository(owner: $owner, name: $name) {{
    nameWithOwner
    issues(first: $first, after: $after, states: [OPEN], orderBy: {{field: CREATED_AT, direction: DESC}}) {{
      pageInfo {{ hasNextPage endCursor }}
      nodes {{ ...Facts }}
    }}
  }}
}}
{_FACTS}"""
"""Open issues, newest first; pull requests are not among them."""
FOUND_ISSUES = f"""\
query FoundIssues($query: String!, $first: Int!) {{
  search(type: ISSUE, query: $query, first: $first) {{
    nodes {{ __typename ... on Issue {{ ...Facts }} }}
  }}
}}
{_FACTS}"""


def issues_document(numbers: Sequence[int]) -> str:
    """One query for many numbers of one repository, each under its own name `i<number>`."""
    rows = "\n".join(
        f"    i{number}: issueOrPullRequest(number: {number}) "
        "{ __typename ... on Issue { ...Facts ...Comments } }"
        for number in numbers
    )
    return f"""\
query Issues($owner: String!, $name: String!) {{
  repository(owner: $owner, name: $name) {{
    nameWithOwner
{rows}
  }}
}}
{_FACTS}{_COMMENTS}"""


def marks_document(numbers: Sequence[int]) -> str:
    """The same for issues that bear a label, with who set labels on them."""
    rows = "\n".join(f"    i{number}: issue(number: {number}) {{ ...Facts ...Marks }}" for number in numbers)
    return f"""\
query Marks($owner: String!, $name: String!) {{
  repository(owner: $owner, name: $name) {{
    nameWithOwner
{rows}
  }}
}}
{_FACTS}{_MARKS}"""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelNames:
    """Our labels, as the configuration names them. GitHub's labels have no case."""

    go: str
    working: str
    review: str

    @property
    def ours(self) -> tuple[str, ...]:
        """All of them."""
        return (self.go, self.working, self.review)

    def of(self, state: IssueState) -> str:
        """The one label of ours that an issue in this state bears; empty: none."""
        return {IssueState.IN_PROGRESS: self.working, IssueState.IN_REVIEW: self.review}.get(state, "")


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads issues as one project's configuration sees them."""

    labels: LabelNames
    bots: frozenset[str]
    """Logins of bots that are trusted, as `bot_name` gives them."""

    def trusts(self, author: Json, association: str) -> bool:
        """Whether what this author wrote may go to an agent unreleased."""
        kind = (author or {}).get("__typename")
        if kind == "Bot":
            return bot_name(author["login"]) in self.bots
        return kind == "User" and association in MEMBERS

    def issue(self, node: Json) -> Issue:
        """An issue out of the fields of `Facts`, and of `Comments` where they were asked for."""
        labels = tuple(sorted((row["name"] for row in node["labels"]["nodes"]), key=str.casefold))
        return Issue(
            ref=str(node["number"]),
            title=one_line(node["title"], _TITLE) or f"Issue {node['number']}",
            body=clean(node["body"] or ""),
            url=node["url"],
            state=self._state(node, labels),
            labels=labels,
            assignee=next((row["login"] for row in node["assignees"]["nodes"]), ""),
            author=login_of(node["author"]),
            comments=tuple(self._comments(node)),
            trusted=self.trusts(node["author"], node["authorAssociation"]),
        )

    def made(self, row: Json) -> Issue:
        """An issue out of REST's answer to making one."""
        node = {
            "number": row["number"],
            "title": row["title"],
            "body": row.get("body"),
            "url": row["html_url"],
            "state": row["state"].upper(),
            "stateReason": (row.get("state_reason") or "").upper(),
            "author": _author(row["user"]),
            "authorAssociation": row["author_association"],
            "assignees": {"nodes": row.get("assignees") or []},
            "labels": {"nodes": row.get("labels") or []},
        }
        return self.issue(node)

    def said(self, row: Json) -> IssueComment:
        """A comment out of REST's answer to our making one."""
        return self._comment(
            {
                "author": _author(row["user"]),
                "body": row["body"],
                "createdAt": row["created_at"],
                "id": row["node_id"],
                "url": row["html_url"],
                "authorAssociation": row["author_association"],
                "viewerDidAuthor": True,
            }
        )

    def _comments(self, node: Json) -> list[IssueComment]:
        """The newest hundred, oldest first; what the project hid (spam, off-topic) is left out."""
        rows = (node.get("comments") or {}).get("nodes", ())
        return [self._comment(row) for row in rows if not row["isMinimized"]]

    def _comment(self, row: Json) -> IssueComment:
        body = clean(row["body"] or "")
        # An App that we act as is a bot, and may be others' too: our mark says that these words are ours.
        ours = bool(row["viewerDidAuthor"]) and is_ours(body)
        return IssueComment(
            author=login_of(row["author"]),
            body=body.rstrip().removesuffix(OURS).rstrip() if ours else body,
            at=seconds(row["createdAt"]),
            id=row["id"],
            url=row["url"],
            trusted=ours or self.trusts(row["author"], row["authorAssociation"]),
        )

    def _state(self, node: Json, labels: Sequence[str]) -> IssueState:
        if node["state"] == "CLOSED":
            undone = node.get("stateReason") in {"NOT_PLANNED", "DUPLICATE"}
            return IssueState.CANCELLED if undone else IssueState.CLOSED
        if has(labels, self.labels.review):
            return IssueState.IN_REVIEW
        return IssueState.IN_PROGRESS if has(labels, self.labels.working) else IssueState.OPEN


def has(labels: Sequence[str], name: str) -> bool:
    """Whether a label is among others; they have no case."""
    return any(label.casefold() == name.casefold() for label in labels)


def login_of(author: Json) -> str:
    """Somebody's name as people know it: bots with their suffix, as REST and the pages have it."""
    if not author:
        return GHOST
    login = str(author["login"])
    return f"{login.removesuffix(_BOT)}{_BOT}" if author["__typename"] == "Bot" else login


def bot_name(login: str) -> str:
    """A bot's login for comparing: GraphQL leaves out the suffix that REST gives."""
    return login.strip().casefold().removesuffix(_BOT)


def seconds(stamp: str) -> float:
    """Epoch seconds of a time as GitHub writes it."""
    return datetime.fromisoformat(stamp).timestamp()


def errors_of(errors: Sequence[Mapping[str, Json]], *path: str) -> Mapping[str, Json] | None:
    """What GraphQL said was wrong at a place in the answer."""
    return next((error for error in errors if tuple(error.get("path") or ())[: len(path)] == path), None)


def search_query(repository: str, text: str) -> str:
    """GitHub's own search for a text in title and body; empty when there is no word in it to search for.

    The text is one phrase of words alone: none of it is a qualifier, and signs find nothing there anyway.
    """
    phrase = " ".join(re.sub(r"[^\w\s]", " ", clean(text)).split())[:200]
    return phrase and f'repo:{repository} is:issue is:open in:title,body sort:created-desc "{phrase}"'


_NUMBER = r"[1-9][0-9]{0,8}"
_PLAIN = re.compile(rf"#?0*({_NUMBER})")
_NAMED = re.compile(rf"([\w.-]+/[\w.-]+)#({_NUMBER})", re.ASCII)
_PAGE = re.compile(rf"/([\w.-]+/[\w.-]+)/(issues|pull)/({_NUMBER})(?:/.*)?", re.ASCII)


def parse_ref(text: str, host: str, names: Sequence[str]) -> str:
    """The number in what a person typed: `123`, `#123`, `owner/name#123`, an issue's link. Raises `BadInput`.

    `names`: what the repository is and was called.
    """
    words = text.strip()
    if plain := _PLAIN.fullmatch(words):
        return plain[1]
    if named := _NAMED.fullmatch(words):
        _same(named[1], names)
        return named[2]
    if words.startswith(("https://", "http://")):
        return _of_link(words, host, names)
    msg = f"{one_line(words, 80)!r} names no issue: write 123, #123, {names[0]}#123 or the issue's link."
    raise BadInput(msg)


def _of_link(link: str, host: str, names: Sequence[str]) -> str:
    try:
        parts = urlsplit(link)
        there = parts.netloc.rpartition("@")[2].lower()
    except ValueError:
        there, parts = "", urlsplit("")
    page = _PAGE.fullmatch(parts.path)
    if page is None or there.removeprefix("www.") != host.lower():
        msg = f"{one_line(link, 120)} is no issue of {names[0]} on {host}."
        raise BadInput(msg)
    _same(page[1], names)
    if page[2] == "pull":
        msg = f"{one_line(link, 120)} is a pull request, not an issue."
        raise BadInput(msg, next_step="`ao claim` takes a pull request over.")
    return page[3]


def _same(name: str, names: Sequence[str]) -> None:
    if name.lower() not in {known.lower() for known in names}:
        msg = f"that is an issue of {name}; this project's repository is {names[0]}."
        raise BadInput(msg)


def _author(user: Json) -> Json:
    return {"__typename": user["type"], "login": user["login"]} if user else None
