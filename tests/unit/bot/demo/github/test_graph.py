"""The fake GitHub's GraphQL API: its schema, many pull requests in one query, partial errors, points, mutations."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from github import Github, GithubException
from graphql import (
    GraphQLInterfaceType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLUnionType,
    get_named_type,
    is_leaf_type,
    validate_schema,
)

from bot.demo.github import merging, reviews
from bot.demo.github.checks import Report
from bot.demo.github.graph import schema
from bot.demo.github.graph_fields import FIELDS
from bot.demo.github.model_rules import Protection
from bot.demo.github.server import FakeGitHub
from tests.unit.bot.demo.github.rig import REPO, acme, ask, by

pytestmark = pytest.mark.git

PULL = """
  id number url title body state isDraft merged mergeCommit { oid } headRefName headRefOid
  headRepository { nameWithOwner } baseRefName baseRefOid baseRef { name target { oid } } isCrossRepository
  mergeable mergeStateStatus reviewDecision author { login __typename } authorAssociation
  additions deletions changedFiles updatedAt mergedBy { login } autoMergeRequest { mergeMethod }
  isInMergeQueue mergeQueueEntry { position state }
  reviewRequests(first: 10) { nodes { requestedReviewer { ... on User { login } } } }
  reviews(last: 20) { nodes { state body author { login } commit { oid } } }
  latestReviews(first: 20) { nodes { state author { login __typename } } }
  reviewThreads(first: 50) { nodes { id isResolved isOutdated path line
    comments(first: 20) { nodes { id body author { login } authorAssociation } } } }
  comments(last: 20) { nodes { body author { login } authorAssociation lastEditedAt } }
  commits(last: 1) { nodes { commit { oid statusCheckRollup { state contexts(first: 100) {
    nodes { __typename
      ... on CheckRun { name status conclusion detailsUrl databaseId isRequired(pullRequestNumber: 1)
        checkSuite { app { slug } workflowRun { databaseId } } }
      ... on StatusContext { context state targetUrl description isRequired(pullRequestNumber: 1) } }
    pageInfo { hasNextPage endCursor } } } } } }
"""


@pytest.fixture
async def github(tmp_path: Path) -> AsyncIterator[FakeGitHub]:
    async with FakeGitHub(tmp_path) as fake:
        await acme(fake)
        yield fake
    assert fake.world.failures == []


async def _pull(github: FakeGitHub, branch: str = "work", by: str = "bo") -> int:
    await github.control.push(REPO, branch, {"a.txt": f"one\n{branch}\nthree\n"}, by=by)
    return (await github.control.pull(REPO, branch, by=by)).number


def _one(answer: dict[str, Any]) -> dict[str, Any]:
    assert "errors" not in answer, answer["errors"]
    found: dict[str, Any] = answer["data"]["repository"]["pullRequest"]
    return found


def _all_of(kind: object, depth: int) -> str:
    """A selection of every field that a type has, so deep."""
    named = get_named_type(kind)  # type: ignore[call-overload] # any type of the schema
    if isinstance(named, GraphQLUnionType):
        return "__typename " + " ".join(_leaves(one) for one in named.types)
    if not isinstance(named, GraphQLObjectType | GraphQLInterfaceType):
        return ""
    fields = []
    for name, field in named.fields.items():
        if any(isinstance(arg.type, GraphQLNonNull) for arg in field.args.values()):
            continue
        inner = get_named_type(field.type)
        arguments = "(first: 3)" if "first" in field.args else ""
        if isinstance(inner, GraphQLObjectType | GraphQLInterfaceType | GraphQLUnionType):
            if depth:
                fields.append(f"{name}{arguments} {{ {_all_of(inner, depth - 1)} }}")
        else:
            fields.append(name)
    return " ".join(fields) or "__typename"


def _leaves(kind: GraphQLObjectType) -> str:
    """Members of a union may have fields of one name and different types: each gets an alias."""
    plain = [
        f"{kind.name}_{field}: {field}" for field, one in kind.fields.items()
        if is_leaf_type(get_named_type(one.type)) and not one.args
    ]  # fmt: skip
    return f"... on {kind.name} {{ {' '.join(plain)} }}"


async def test_every_field_of_the_schema_is_answered(github: FakeGitHub) -> None:
    await _everything(github)
    pull = _all_of(schema().type_map["PullRequest"], 4)
    issue = _all_of(schema().type_map["Issue"], 3)
    repo = _all_of(schema().type_map["Repository"], 1)
    query = f"""query All {{ rateLimit {{ {_all_of(schema().type_map["RateLimit"], 0)} }} viewer {{ login id }}
      repository(owner: "acme", name: "tool") {{ {repo} ref(qualifiedName: "refs/heads/main") {{
        {_all_of(schema().type_map["Ref"], 1)} }}
      pullRequest(number: 1) {{ {pull} }} issue(number: 2) {{ {issue} }} }}
      search(type: ISSUE, query: "repo:acme/tool is:open", first: 5) {{
        issueCount nodes {{ ... on PullRequest {{ number }} ... on Issue {{ number }} }} }} }}"""
    answer = await ask(github, github.control.token("ada"), query)
    assert answer.get("errors", []) == []
    assert [row["number"] for row in answer["data"]["search"]["nodes"]] == [2, 1]
    assert validate_schema(schema()) == []
    assert [pair for pair in FIELDS if pair[1] not in getattr(schema().type_map[pair[0]], "fields", {})] == []


async def _everything(github: FakeGitHub) -> None:
    """A pull request with one of everything, and an issue."""
    await _pull(github)
    github.control.issue(REPO, "An issue", by="cy", labels=["bug"])
    github.control.edit(REPO, 1, by="bo", title="Other", body="Fixes #2")
    github.control.review(
        REPO, 1, "APPROVE", by="ada", remarks=[reviews.Remark(path="a.txt", line=2, body="?")]
    )
    github.control.label(REPO, 1, "x", by="ada")
    github.control.comment(REPO, 1, "Hi", by="cy")
    rules = Protection(checks=["tests"], approvals=1, code_owners=True, merge_queue=True)
    github.control.protect(REPO, "main", rules)
    await github.control.check(REPO, 1, Report(name="tests"))
    await github.control.status(REPO, 1, "lint", "success", by="ada")
    pull = github.control.find_pull(REPO, 1)
    merging.enqueue(github.world, pull, github.world.user("bo"))
    reviews.request(github.world, pull, [github.world.user("cy")], github.world.user("bo"))


async def test_a_pull_request_with_all_that_is_known_of_it(github: FakeGitHub) -> None:
    await _pull(github)
    github.control.protect(REPO, "main", Protection(checks=["tests"], approvals=1))
    github.control.review(REPO, 1, "REQUEST_CHANGES", by="ada", body="No", remarks=[
        reviews.Remark(path="a.txt", line=2, body="Why?")])  # fmt: skip
    await github.control.check(REPO, 1, Report(name="tests", conclusion="failure", log="boom"))
    await github.control.status(REPO, 1, "lint", "pending", by="ada")
    github.control.comment(REPO, 1, "Outside", by="cy")
    query = (
        f'query Look {{ repository(owner: "acme", name: "tool") {{ pullRequest(number: 1) {{ {PULL} }} }} }}'
    )
    token = github.control.token("bo")
    pull = _one(await ask(github, token, query))
    assert pull["mergeable"] == "UNKNOWN"
    await github.control.settle()
    pull = _one(await ask(github, token, query))
    assert (pull["mergeable"], pull["mergeStateStatus"]) == ("MERGEABLE", "BLOCKED")
    assert pull["reviewDecision"] == "CHANGES_REQUESTED"
    assert (pull["additions"], pull["deletions"], pull["changedFiles"]) == (1, 1, 1)
    assert pull["author"] == {"login": "bo", "__typename": "User"}
    thread = pull["reviewThreads"]["nodes"][0]
    assert (thread["isResolved"], thread["path"], thread["line"]) == (False, "a.txt", 2)
    assert thread["comments"]["nodes"][0]["body"] == "Why?"
    assert [one["authorAssociation"] for one in pull["comments"]["nodes"]] == ["NONE"]
    rollup = pull["commits"]["nodes"][0]["commit"]["statusCheckRollup"]
    assert rollup["state"] == "FAILURE"
    run, status = rollup["contexts"]["nodes"]
    assert (run["name"], run["conclusion"], run["isRequired"]) == ("tests", "FAILURE", True)
    assert run["checkSuite"]["app"]["slug"] == "github-actions"
    assert (status["context"], status["state"], status["isRequired"]) == ("lint", "PENDING", False)
    assert github.control.calls["GRAPHQL Look"] == 2


async def test_what_is_not_found_is_null_and_the_rest_is_told(github: FakeGitHub) -> None:
    await _pull(github)
    query = """query { a: repository(owner: "acme", name: "tool") { pullRequest(number: 1) { number } }
      b: repository(owner: "acme", name: "gone") { pullRequest(number: 1) { number } }
      c: repository(owner: "acme", name: "tool") { pullRequest(number: 9) { number } } }"""
    answer = await ask(github, github.control.token("bo"), query)
    assert answer["data"] == {"a": {"pullRequest": {"number": 1}}, "b": None, "c": {"pullRequest": None}}
    assert [(one["type"], one["path"]) for one in answer["errors"]] == [
        ("NOT_FOUND", ["b"]), ("NOT_FOUND", ["c", "pullRequest"])
    ]  # fmt: skip


async def test_points_are_counted_and_run_out(github: FakeGitHub) -> None:
    github.limits.sizes["graphql"] = 12
    threads = "pullRequests(first: 20) { nodes { reviewThreads(first: 100) { nodes { comments(first: 50) { totalCount } } } } }"
    deep = f'query {{ repository(owner: "acme", name: "tool") {{ {threads} }} rateLimit {{ cost remaining used }} }}'
    token = github.control.token("bo")
    too_dear = await ask(github, token, deep)
    assert too_dear["errors"][0]["type"] == "RATE_LIMITED"
    cheap = deep.replace("first: 100", "first: 10")
    answer = await ask(github, token, cheap)
    assert answer["data"]["rateLimit"] == {"cost": 2, "remaining": 10, "used": 2}
    assert github.control.calls["GRAPHQL points"] == 2


async def test_a_page_must_be_bounded(github: FakeGitHub) -> None:
    token = github.control.token("bo")
    for bounds, kind in (("", "MISSING_PAGINATION_BOUNDARIES"), ("(first: 101)", "EXCESSIVE_PAGINATION")):
        query = f'{{ repository(owner: "acme", name: "tool") {{ issues{bounds} {{ totalCount }} }} }}'
        assert (await ask(github, token, query))["errors"][0]["type"] == kind


async def test_threads_are_resolved_and_answered_and_drafts_made_ready(github: FakeGitHub) -> None:
    number = await _pull(github)
    github.control.review(
        REPO, number, "COMMENT", by="ada", remarks=[reviews.Remark(path="a.txt", line=1, body="?")]
    )
    pull = github.control.find_pull(REPO, number)
    token = github.control.token("bo")
    reply = "mutation R($i: AddPullRequestReviewThreadReplyInput!) { addPullRequestReviewThreadReply(input: $i) { comment { body } } }"
    given = {"pullRequestReviewThreadId": pull.threads[0].node_id, "body": "Done"}
    answer = await ask(github, token, reply, {"i": given})
    assert answer["data"]["addPullRequestReviewThreadReply"]["comment"]["body"] == "Done"
    resolve = 'mutation { resolveReviewThread(input: {threadId: "%s"}) { thread { isResolved } } }'
    answer = await ask(github, token, resolve % pull.threads[0].node_id)
    assert answer["data"]["resolveReviewThread"]["thread"]["isResolved"] is True
    draft = 'mutation { convertPullRequestToDraft(input: {pullRequestId: "%s"}) { pullRequest { isDraft } } }'
    assert (await ask(github, token, draft % pull.node_id))["data"]["convertPullRequestToDraft"][
        "pullRequest"
    ]["isDraft"]
    stranger = await ask(github, github.control.token("cy"), resolve % pull.threads[0].node_id)
    assert stranger["errors"][0]["type"] == "FORBIDDEN"


async def test_native_auto_merge_merges_when_the_checks_are_green(github: FakeGitHub) -> None:
    number = await _pull(github)
    pull = github.control.find_pull(REPO, number)
    github.control.protect(REPO, "main", Protection(checks=["tests"], admins=True))
    enable = """mutation { enablePullRequestAutoMerge(input: {pullRequestId: "%s", mergeMethod: SQUASH}) {
      pullRequest { autoMergeRequest { mergeMethod enabledBy { login } } } } }"""
    answer = await ask(github, github.control.token("bo"), enable % pull.node_id)
    request = answer["data"]["enablePullRequestAutoMerge"]["pullRequest"]["autoMergeRequest"]
    assert request == {"mergeMethod": "SQUASH", "enabledBy": {"login": "bo"}}
    await github.control.check(REPO, number, Report(name="tests", conclusion="success"))
    assert pull.merged_at is not None


async def test_pygithubs_own_mutations_work(github: FakeGitHub) -> None:
    await _pull(github)
    github.control.protect(REPO, "main", Protection(checks=["tests"]))
    token = github.control.token("bo")

    def work(client: Github) -> tuple[bool, str]:
        pull = client.get_repo(REPO).get_pull(1)
        pull.convert_to_draft()
        was_draft = client.get_repo(REPO).get_pull(1).draft
        pull.mark_ready_for_review()
        login: str = pull.enable_automerge("SQUASH", expected_head_oid=pull.head.sha)["actor"]["login"]
        pull.disable_automerge()
        return was_draft, login

    assert await by(github, token, work) == (True, "bo")
    pull = github.control.find_pull(REPO, 1)
    assert (pull.draft, pull.auto_merge) == (False, None)
    assert github.control.unknown == []


async def test_the_merge_queue_is_the_only_way_in_where_it_is_on(github: FakeGitHub) -> None:
    number = await _pull(github)
    pull = github.control.find_pull(REPO, number)
    github.control.protect(REPO, "main", Protection(merge_queue=True, admins=True))
    enqueue = (
        'mutation { enqueuePullRequest(input: {pullRequestId: "%s"}) { mergeQueueEntry { position state } } }'
    )
    answer = await ask(github, github.control.token("bo"), enqueue % pull.node_id)
    assert answer["data"]["enqueuePullRequest"]["mergeQueueEntry"]["position"] == 1
    assert pull.is_queued
    await github.control.advance_queue(REPO)
    assert pull.merged_at is not None
    assert not pull.is_queued


async def test_a_token_without_checks_gets_null_and_is_told(tmp_path: Path) -> None:
    async with FakeGitHub(tmp_path / "private") as github:
        await acme(github, private=True)
        await _pull(github)
        token = github.control.token("bo", permissions={"pull_requests": "read"})
        query = """{ repository(owner: "acme", name: "tool") { pullRequest(number: 1) {
          number statusCheckRollup { state } } } }"""
        answer = await ask(github, token, query)
        assert answer["data"]["repository"]["pullRequest"] == {"number": 1, "statusCheckRollup": None}
        assert answer["errors"][0]["type"] == "FORBIDDEN"


async def test_what_the_schema_does_not_know_is_kept_for_the_test_to_see(github: FakeGitHub) -> None:
    answer = await ask(github, github.control.token("bo"), "query Odd { viewer { shoeSize } }")
    assert "shoeSize" in answer["errors"][0]["message"]
    assert any("shoeSize" in one for one in github.control.unknown)


async def test_leaving_the_queue_and_what_stands_against_joining_it(github: FakeGitHub) -> None:
    number = await _pull(github)
    pull = github.control.find_pull(REPO, number)
    token = github.control.token("bo")
    join = 'mutation { enqueuePullRequest(input: {pullRequestId: "%s"}) { mergeQueueEntry { position } } }'
    assert "not enabled" in (await ask(github, token, join % pull.node_id))["errors"][0]["message"]
    github.control.protect(REPO, "main", Protection(merge_queue=True, checks=["tests"], admins=True))
    assert "is expected" in (await ask(github, token, join % pull.node_id))["errors"][0]["message"]
    await github.control.check(REPO, number, Report(name="tests"))
    ada = github.control.token("ada")
    with pytest.raises(GithubException, match="merge queue"):
        await by(github, ada, lambda client: client.get_repo(REPO).get_pull(number).merge())
    assert (await ask(github, token, join % pull.node_id))["data"]["enqueuePullRequest"] is not None
    leave = 'mutation { dequeuePullRequest(input: {id: "%s"}) { mergeQueueEntry { position } } }'
    assert (await ask(github, token, leave % pull.node_id))["data"]["dequeuePullRequest"] is not None
    assert not pull.is_queued
    assert (await ask(github, token, leave % pull.node_id))["errors"][0]["type"] == "UNPROCESSABLE"
    await ask(github, token, join % pull.node_id)
    await github.control.advance_queue(REPO, ok=False)
    assert (pull.is_queued, pull.is_open) == (False, True)


async def test_lists_are_narrowed_ordered_and_paged(github: FakeGitHub) -> None:
    for number in range(1, 8):
        github.control.issue(REPO, f"Issue {number}", by="cy", labels=["odd"] if number % 2 else [])
    await github.control.close(REPO, 1, by="ada")
    token = github.control.token("bo")
    query = """query($after: String) { repository(owner: "acme", name: "tool") { issues(first: 2, after: $after,
      states: [OPEN], labels: ["odd"], orderBy: {field: CREATED_AT, direction: DESC}) {
      totalCount nodes { number } pageInfo { hasNextPage endCursor } } } }"""
    seen, after = [], None
    for _ in range(2):
        page = (await ask(github, token, query, {"after": after}))["data"]["repository"]["issues"]
        seen += [row["number"] for row in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
    assert (seen, page["totalCount"], page["pageInfo"]["hasNextPage"]) == ([7, 5, 3], 3, False)
    await _pull(github, "one")
    await _pull(github, "two")
    find = """{ repository(owner: "acme", name: "tool") {
      pullRequests(headRefName: "two", baseRefName: "main", states: [OPEN, MERGED], first: 5) { nodes { number } }
      issueOrPullRequest(number: 9) { __typename } } }"""
    found = (await ask(github, token, find))["data"]["repository"]
    assert [row["number"] for row in found["pullRequests"]["nodes"]] == [9]
    assert found["issueOrPullRequest"] == {"__typename": "PullRequest"}
    node = github.control.find_pull(REPO, 9).node_id
    nodes = (await ask(github, token, f'{{ nodes(ids: ["{node}"]) {{ ... on PullRequest {{ number }} }} }}'))[
        "data"
    ]
    assert nodes == {"nodes": [{"number": 9}]}


async def test_what_is_no_graphql_and_who_is_nobody(github: FakeGitHub) -> None:
    broken = await ask(github, github.control.token("bo"), "{ viewer {")
    assert "Syntax Error" in broken["errors"][0]["message"]
    with pytest.raises(GithubException) as bad:
        await ask(github, "ghp_wrong", "{ viewer { login } }")
    assert bad.value.status == 401
