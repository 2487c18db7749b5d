"""The GraphQL documents by which GitHub is read. Tests check each against GitHub's published schema.

A document asks for many pull requests over any number of repositories at once, each under an alias
(`p0`, `p1`, …) with variables of its own (`$o0`, `$r0`, `$n0`). What it costs is known beforehand
(docs.github.com, GraphQL: rate limits): one point for each hundred lists that it opens, at least one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MOST_GLANCES = 50
MOST_LOOKS = 20
"""Whole pull requests in one query: GitHub gives up on larger answers (HTTP 502) sooner than on longer lists."""
MOST_SEARCHES = 50
MOST_THREADS = 100
FOUND = 10
"""Pull requests of one branch that are looked through for a mark of ours."""

RATE = "rateLimit { cost limit remaining resetAt }"

GLANCE = """
fragment Glance on PullRequest {
  number state isDraft updatedAt headRefName headRefOid isCrossRepository
  mergeable mergeStateStatus reviewDecision isInMergeQueue autoMergeRequest { enabledAt }
  baseRefName baseRef { target { oid } }
  commits(last: 1) { nodes { commit { oid statusCheckRollup { state } } } }
}
"""
"""What changes whenever something does that matters; one list."""

PULL = """
fragment Pull on PullRequest {
  number url title state isDraft createdAt updatedAt headRefName headRefOid isCrossRepository
  baseRefName mergeable mergeStateStatus reviewDecision
  baseRef {
    target { oid }
    refUpdateRule {
      requiredApprovingReviewCount requiredStatusCheckContexts requiresCodeOwnerReviews requiresConversationResolution
    }
  }
  isInMergeQueue autoMergeRequest { enabledAt } mergeCommit { oid }
  author { login __typename } additions deletions changedFiles
  reviewRequests(first: 50) {
    nodes {
      asCodeOwner
      requestedReviewer { __typename ... on User { login } ... on Bot { login } }
    }
  }
  reviews(last: 100) { nodes { ...Verdict } pageInfo { hasPreviousPage startCursor } }
  reviewThreads(first: 100) { nodes { ...Thread } pageInfo { hasNextPage endCursor } }
  comments(last: 50) { nodes { ...Remark } }
}
"""
"""Of a team only that it is one: its name asks for the scope `read:org`, without which all would be refused."""

VERDICT = """
fragment Verdict on PullRequestReview {
  id state body submittedAt url viewerDidAuthor authorAssociation author { login __typename } commit { oid }
}
"""

THREAD = """
fragment Thread on PullRequestReviewThread { id isResolved isOutdated path line originalLine }
"""

REMARK = """
fragment Remark on IssueComment {
  id body createdAt url isMinimized viewerDidAuthor authorAssociation author { login __typename }
}
"""

_SUITE = "checkSuite { app { slug name } workflowRun { event databaseId workflow { name } } }"


def _contexts(number: str) -> str:
    """Check runs and statuses; whether one is required is asked for the pull request `number`."""
    return f"""contexts(first: 100, after: $after) {{
        nodes {{
          __typename
          ... on CheckRun {{
            databaseId name status conclusion detailsUrl url startedAt completedAt
            isRequired(pullRequestNumber: {number}) {_SUITE}
          }}
          ... on StatusContext {{
            context state description targetUrl createdAt isRequired(pullRequestNumber: {number})
          }}
        }}
        pageInfo {{ hasNextPage endCursor }}
      }}"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A pull request to ask for."""

    repo: str
    """`owner/name`."""
    number: int


@dataclass(frozen=True, slots=True)
class Searched:
    """A branch whose pull requests are asked for."""

    repo: str
    branch: str


@dataclass(frozen=True, slots=True)
class Query:
    """A document with its variables."""

    document: str
    variables: Mapping[str, Any]


def glance(wanted: Sequence[Wanted]) -> Query:
    """Whether anything changed."""
    body = "pullRequest(number: $n{at}) {{ ...Glance }}"
    return _many("Glances", body, wanted, GLANCE)


def look(wanted: Sequence[Wanted]) -> Query:
    """Everything that a pull request shows, but what is said in its review threads."""
    contexts = _contexts("$n{at}").replace("{", "{{").replace("}", "}}").replace("$n{{at}}", "$n{at}")
    body = (
        "pullRequest(number: $n{at}) {{ ...Pull commits(last: 1) {{ nodes {{ commit {{ oid committedDate "
        "statusCheckRollup {{ state " + contexts.replace(", after: $after", "") + " }} }} }} }} }}"
    )
    return _many("Looks", body, wanted, PULL, VERDICT, THREAD, REMARK)


def search(searched: Sequence[Searched]) -> Query:
    """The newest pull requests of branches."""
    heads = "".join(f", $o{at}: String!, $r{at}: String!, $b{at}: String!" for at in range(len(searched)))
    rows = "\n".join(
        f"p{at}: repository(owner: $o{at}, name: $r{at}) {{ databaseId pullRequests(headRefName: $b{at}, "
        f"first: {FOUND}, orderBy: {{field: CREATED_AT, direction: DESC}}) {{ nodes {{ "
        "number state headRefName isCrossRepository body viewerDidAuthor } } }"
        for at in range(len(searched))
    )
    variables: dict[str, Any] = {}
    for at, one in enumerate(searched):
        owner, _, name = one.repo.partition("/")
        variables |= {f"o{at}": owner, f"r{at}": name, f"b{at}": one.branch}
    return Query(f"query Searches({heads[2:]}) {{\n{rows}\n{RATE}\n}}", variables)


MORE_CHECKS = (
    "query MoreChecks($owner: String!, $name: String!, $number: Int!, $oid: GitObjectID!, $after: String!) {\n"
    "  repository(owner: $owner, name: $name) { object(oid: $oid) { ... on Commit { statusCheckRollup {\n"
    f"      {_contexts('$number')}\n"
    f"  }} }} }} }}\n  {RATE}\n}}"
)
"""Check runs and statuses of a commit after the first hundred."""

MORE_THREADS = (
    "query MoreThreads($owner: String!, $name: String!, $number: Int!, $after: String!) {\n"
    "  repository(owner: $owner, name: $name) { pullRequest(number: $number) {\n"
    "    reviewThreads(first: 100, after: $after) { nodes { ...Thread } pageInfo { hasNextPage endCursor } }\n"
    f"  }} }}\n  {RATE}\n}}\n{THREAD}"
)
"""Review threads after the first hundred."""

MORE_REVIEWS = (
    "query MoreReviews($owner: String!, $name: String!, $number: Int!, $before: String!) {\n"
    "  repository(owner: $owner, name: $name) { pullRequest(number: $number) {\n"
    "    reviews(last: 100, before: $before) { nodes { ...Verdict } pageInfo { hasPreviousPage startCursor } }\n"
    f"  }} }}\n  {RATE}\n}}\n{VERDICT}"
)
"""Reviews before the last hundred."""

_SAID = "id body url createdAt isMinimized viewerDidAuthor authorAssociation author { login __typename }"
SAID = (
    "query Said($ids: [ID!]!) {\n"
    "  nodes(ids: $ids) { ... on PullRequestReviewThread { id isResolved\n"
    f"    comments(first: 100) {{ nodes {{ {_SAID} }} pageInfo {{ hasNextPage endCursor }} }}\n"
    f"  }} }}\n  {RATE}\n}}"
)
"""What is said in review threads; a hundred of them cost one point."""

MORE_SAID = (
    "query MoreSaid($id: ID!, $after: String!) {\n"
    "  node(id: $id) { ... on PullRequestReviewThread { id isResolved\n"
    f"    comments(first: 100, after: $after) {{ nodes {{ {_SAID} }} pageInfo {{ hasNextPage endCursor }} }}\n"
    f"  }} }}\n  {RATE}\n}}"
)
"""What is said in one thread after the first hundred remarks."""


def documents() -> Mapping[str, str]:
    """Every document by name, for the test that compares them with GitHub's schema."""
    one, many = [Wanted("o/r", 1)], [Wanted(f"o/r{n}", n) for n in range(MOST_GLANCES)]
    branches = [Searched("o/r", f"b{n}") for n in range(MOST_SEARCHES)]
    return {
        "one glance": glance(one).document,
        "glances": glance(many).document,
        "one look": look(one).document,
        "looks": look(many[:MOST_LOOKS]).document,
        "searches": search(branches).document,
        "more checks": MORE_CHECKS,
        "more threads": MORE_THREADS,
        "more reviews": MORE_REVIEWS,
        "said": SAID,
        "more said": MORE_SAID,
    }


def alias_of(error: Mapping[str, Any]) -> int | None:
    """Which of many a GraphQL error is about; None when it is about all."""
    path = error.get("path") or ()
    first = str(path[0]) if path else ""
    return int(first[1:]) if first[:1] == "p" and first[1:].isdigit() else None


def _many(name: str, body: str, wanted: Sequence[Wanted], *fragments: str) -> Query:
    heads = "".join(f", $o{at}: String!, $r{at}: String!, $n{at}: Int!" for at in range(len(wanted)))
    rows = "\n".join(
        f"p{at}: repository(owner: $o{at}, name: $r{at}) {{ databaseId {body.format(at=at)} }}"
        for at in range(len(wanted))
    )
    variables: dict[str, Any] = {}
    for at, one in enumerate(wanted):
        owner, _, repository = one.repo.partition("/")
        variables |= {f"o{at}": owner, f"r{at}": repository, f"n{at}": one.number}
    return Query(f"query {name}({heads[2:]}) {{\n{rows}\n{RATE}\n}}\n{''.join(fragments)}", variables)
