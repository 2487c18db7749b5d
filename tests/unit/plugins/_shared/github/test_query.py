"""Every GraphQL document is one that GitHub takes, and costs what we think."""

from __future__ import annotations

import re
from functools import cache

import pytest
from graphql import GraphQLSchema, build_schema, parse, validate

from plugins._shared.github import mutations as github_mutations
from plugins._shared.github import query as github_query
from plugins._shared.github import rules as github_rules
from tests.published import package


@cache
def schema() -> GraphQLSchema:
    text = (package("@octokit/graphql-schema") / "schema.graphql").read_text(encoding="utf-8")
    return build_schema(text, assume_valid=True)  # the published text names some fields twice


DOCUMENTS = {
    **github_query.documents(),
    **github_mutations.documents(),
    "base rules": github_rules.BASE_RULES,
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_github_takes_every_document(name: str) -> None:
    problems = validate(schema(), parse(DOCUMENTS[name]))
    assert [problem.message for problem in problems] == []


def test_a_field_that_github_has_not_is_noticed() -> None:
    assert validate(schema(), parse("query Q { viewer { loginn } }"))


def test_fifty_pull_requests_are_glanced_at_for_one_point() -> None:
    document = github_query.documents()["glances"]
    lists = len(re.findall(r"\((?:first|last):", document.partition("fragment")[2]))
    assert lists * github_query.MOST_GLANCES <= 100
    assert document.count("pullRequest(number:") == github_query.MOST_GLANCES


def test_each_pull_request_has_variables_of_its_own() -> None:
    query = github_query.look([github_query.Wanted("o/r", 7), github_query.Wanted("else/where", 8)])
    assert query.variables == {"o0": "o", "r0": "r", "n0": 7, "o1": "else", "r1": "where", "n1": 8}
    assert "isRequired(pullRequestNumber: $n1)" in query.document


def test_an_error_names_whom_it_is_about() -> None:
    assert github_query.alias_of({"path": ["p12", "pullRequest"]}) == 12
    assert github_query.alias_of({"path": ["rateLimit"]}) is None
    assert github_query.alias_of({"message": "timeout"}) is None
