"""How GitHub's answers about issues are read: whose words they are, and which words name an issue."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.domain.issue import IssueState
from plugins._shared.github.issues import LabelNames, Reader, bot_name, errors_of, login_of, search_query

READER = Reader(
    LabelNames(go="agent:go", working="agent:working", review="agent:review"), frozenset({"dependabot"})
)


def node(**fields: Any) -> dict[str, Any]:
    return {
        "number": 7,
        "title": "One",
        "body": "Do it",
        "url": "https://github.com/o/r/issues/7",
        "state": "OPEN",
        "stateReason": None,
        "authorAssociation": "MEMBER",
        "author": {"__typename": "User", "login": "ada"},
        "assignees": {"nodes": []},
        "labels": {"nodes": []},
        **fields,
    }


def comment(body: str, *, hidden: bool = False) -> dict[str, Any]:
    return {
        "id": "IC_1",
        "url": "https://github.com/o/r/issues/7#issuecomment-1",
        "body": body,
        "createdAt": "2026-11-23T22:40:13Z",
        "authorAssociation": "OWNER",
        "isMinimized": hidden,
        "viewerDidAuthor": False,
        "author": {"__typename": "User", "login": "ada"},
    }


@pytest.mark.parametrize(
    ("kind", "login", "association", "trusted"),
    [
        ("User", "ada", "OWNER", True),
        ("User", "ada", "MEMBER", True),
        ("User", "ada", "COLLABORATOR", True),
        ("User", "ada", "CONTRIBUTOR", False),
        ("User", "ada", "FIRST_TIME_CONTRIBUTOR", False),
        ("User", "ada", "NONE", False),
        ("User", "dependabot", "NONE", False),
        ("Bot", "dependabot", "NONE", True),
        ("Bot", "other", "MEMBER", False),
        ("Mannequin", "ada", "MEMBER", False),
        ("Organization", "o", "OWNER", False),
    ],
)
def test_whose_words_may_reach_an_agent(kind: str, login: str, association: str, trusted: bool) -> None:
    author = {"__typename": kind, "login": login}
    assert READER.issue(node(author=author, authorAssociation=association)).trusted is trusted


def test_a_deleted_account_is_nobody() -> None:
    issue = READER.issue(node(author=None, authorAssociation="MEMBER"))
    assert (issue.author, issue.trusted) == ("ghost", False)


def test_bots_are_one_under_both_of_their_names() -> None:
    assert login_of({"__typename": "Bot", "login": "dependabot"}) == "dependabot[bot]"
    assert login_of({"__typename": "Bot", "login": "dependabot[bot]"}) == "dependabot[bot]"
    assert bot_name(" Dependabot[bot]") == bot_name("dependabot") == "dependabot"


@pytest.mark.parametrize(
    ("fields", "state"),
    [
        ({}, IssueState.OPEN),
        ({"labels": {"nodes": [{"name": "Agent:Working"}]}}, IssueState.IN_PROGRESS),
        ({"labels": {"nodes": [{"name": "agent:working"}, {"name": "agent:review"}]}}, IssueState.IN_REVIEW),
        ({"state": "CLOSED", "stateReason": "COMPLETED"}, IssueState.CLOSED),
        ({"state": "CLOSED", "stateReason": None}, IssueState.CLOSED),
        ({"state": "CLOSED", "stateReason": "NOT_PLANNED"}, IssueState.CANCELLED),
        ({"state": "CLOSED", "stateReason": "DUPLICATE"}, IssueState.CANCELLED),
        ({"state": "CLOSED", "labels": {"nodes": [{"name": "agent:working"}]}}, IssueState.CLOSED),
    ],
)
def test_where_an_issue_stands(fields: dict[str, Any], state: IssueState) -> None:
    assert READER.issue(node(**fields)).state is state


def test_what_the_project_hid_is_not_read() -> None:
    rows = [comment("spam", hidden=True), comment("Please use tabs")]
    issue = READER.issue(node(comments={"nodes": rows}))
    assert [(c.body, c.at) for c in issue.comments] == [("Please use tabs", 1795473613.0)]


def test_a_title_of_nothing_visible_still_names_the_issue() -> None:
    assert READER.issue(node(title="\u200b\u202e", body=None)).title == "Issue 7"


@pytest.mark.parametrize("text", ['x" repo:o/secret "', 'x" OR "y', "x\\", 'x\n"', "\u202ex"])
def test_a_searched_text_stays_in_its_quotes(text: str) -> None:
    query = search_query("o/r", text)
    assert query.count('"') == 2
    assert query.endswith('"')
    assert query.startswith('repo:o/r is:issue is:open in:title,body sort:created-desc "x')
    assert ":" not in query.partition('"')[2]


def test_without_a_word_nothing_is_searched_for() -> None:
    assert search_query("o/r", '"\\ -:') == ""


def test_an_error_belongs_to_its_place_in_the_answer() -> None:
    errors: list[dict[str, Any]] = [{"path": ["repository", "i1"]}, {"message": "all of it"}]
    assert errors_of(errors, "repository", "i1") == errors[0]
    assert errors_of(errors, "repository", "i2") is None
