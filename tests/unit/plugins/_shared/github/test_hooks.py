"""Deliveries of GitHub's webhooks: none is believed unsigned, and every published example says what it is about."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.errors import BadInput, NotAllowed
from plugins._shared.github.hooks import EVENTS, Delivery, check_signature, parse
from tests.published import package

APIS = ("api.github.com", "ghes-31", "ghes-32", "ghes-33", "ghes-34", "ghes-35")
TOLD_OF = {*EVENTS, "commit_comment", "deployment", "deployment_status"}
"""Events of which everything that they name is to be found."""
SHA = re.compile(r"[0-9a-f]{40}")


def examples(api: str) -> Iterator[tuple[str, dict[str, Any]]]:
    file = package("@octokit/webhooks-examples") / api / "index.json"
    for kind in json.loads(file.read_text(encoding="utf-8")):
        for payload in kind["examples"]:
            yield kind["name"], payload


def read(event: str, payload: Any) -> Delivery:
    return parse(event, "72d3162e-cc78-11e3-81ab-4c9367dc0958", json.dumps(payload).encode())


def sign(body: bytes, secret: str) -> str:
    return f"sha256={hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}"


def named(value: Any, key: str = "", within: str = "") -> Iterator[tuple[str, Any]]:
    """Everything in a payload that names a pull request, a branch or a commit, by other means than `parse`."""
    if isinstance(value, list):
        for row in value:
            yield from named(row, key, within)
    elif isinstance(value, dict):
        if key in {"pull_request", "pull_requests"} and "number" in value:
            yield "pull", value["number"]
        for name, inner in value.items():
            yield from named(inner, name, key)
    elif isinstance(value, str):
        yield from ((kind, text) for kind, text in [named_by(value, key, within)] if kind)


def named_by(text: str, key: str, within: str) -> tuple[str, str]:
    heads = {
        ("review", "commit_id"),
        ("comment", "commit_id"),
        ("", "sha"),
        ("head", "sha"),
        ("deployment", "sha"),
    }
    if key == "head_sha" or (within, key) in heads:
        return "head", text
    if key == "head_branch":
        return "branch", text
    pushed = (within, key) == ("", "ref") and text.startswith("refs/heads/")
    return ("branch", text.removeprefix("refs/heads/")) if pushed else ("", "")


@pytest.mark.parametrize("api", APIS)
def test_every_published_payload_is_read_and_what_it_names_is_found(api: str) -> None:
    count = 0
    for event, payload in examples(api):
        found = read(event, payload)
        count += 1
        assert found.event == event
        repository = payload.get("repository") or {}
        assert found.repository == repository.get("full_name", "")
        assert found.repository_id == repository.get("id", 0)
        if event not in TOLD_OF:
            continue
        for kind, value in named(payload):
            where = (event, payload.get("action"), kind, value)
            if kind == "pull":
                assert value in found.pulls, where
            elif kind == "branch":
                assert value in found.branches, where
            elif set(value) != {"0"}:
                assert value in found.heads, where
    assert count > 40


def test_every_event_that_our_hook_asks_for_is_told_of_by_some_example() -> None:
    seen: dict[str, bool] = dict.fromkeys(EVENTS, False)
    for event, payload in examples("api.github.com"):
        found = read(event, payload)
        tells = found.pulls or found.branches or found.heads or found.issues or found.queue or found.wide
        seen[event] = seen.get(event, False) or bool(tells)
    untold = [event for event in EVENTS if not seen[event]]
    assert untold == ["create", "delete", "repository_ruleset"], (
        "of tags alone, or without a published example"
    )
    for event in ("create", "delete"):
        assert read(event, {"ref_type": "branch", "ref": "feat/issue-1"}).branches == {"feat/issue-1"}
    assert read("repository_ruleset", {"repository": {"full_name": "o/r", "id": 1}}).wide


def test_an_issues_comment_is_told_apart_from_a_pull_requests() -> None:
    for event, payload in examples("api.github.com"):
        if event == "issue_comment":
            found, number = read(event, payload), payload["issue"]["number"]
            on_pull = "pull_request" in payload["issue"]
            assert (number in found.pulls, number in found.issues, found.queue) == (
                on_pull,
                not on_pull,
                not on_pull,
            )


@pytest.mark.parametrize(
    ("event", "payload", "progress"),
    [
        (
            "check_run",
            {"action": "created", "check_run": {"status": "in_progress", "conclusion": None}},
            True,
        ),
        ("check_run", {"action": "created", "check_run": {"conclusion": "success"}}, False),
        ("check_run", {"action": "completed", "check_run": {"conclusion": "failure"}}, False),
        ("check_suite", {"action": "requested", "check_suite": {}}, True),
        ("check_suite", {"action": "completed", "check_suite": {"conclusion": "success"}}, False),
        ("workflow_job", {"action": "queued", "workflow_job": {}}, True),
        ("workflow_job", {"action": "in_progress", "workflow_job": {}}, True),
        ("workflow_job", {"action": "completed", "workflow_job": {"conclusion": "success"}}, False),
        ("workflow_run", {"action": "requested"}, True),
        ("workflow_run", {"action": "completed"}, False),
        ("status", {"state": "pending"}, True),
        ("status", {"state": "failure"}, False),
        ("pull_request", {"action": "synchronize"}, False),
        ("pull_request", {"action": "closed"}, False),
        ("pull_request_review", {"action": "submitted"}, False),
        ("issue_comment", {"action": "created"}, False),
        ("merge_group", {"action": "checks_requested"}, False),
        ("push", {}, False),
    ],
)
def test_progress_of_checks_is_told_apart_from_outcomes_and_what_people_do(
    event: str, payload: dict[str, Any], progress: bool
) -> None:
    assert read(event, payload).progress is progress


def test_a_merge_queues_branch_names_its_pull_request() -> None:
    sha = "b" * 40
    group = {"head_sha": "a" * 40, "head_ref": f"refs/heads/gh-readonly-queue/main/pr-104-{sha}"}
    assert read("merge_group", {"merge_group": group}).pulls == {104}


def test_a_forks_branch_of_our_name_is_not_ours() -> None:
    repository = {"id": 1, "full_name": "o/r"}
    head = {"ref": "feat/issue-1", "sha": "a" * 40, "repo": {"id": 2}}
    payload = {"repository": repository, "pull_request": {"number": 9, "head": head}}
    found = read("pull_request", payload)
    assert (found.pulls, found.branches) == ({9}, set())


@pytest.mark.parametrize(
    ("changes", "was"),
    [
        ({"repository": {"name": {"from": "old"}}}, "new-owner/old"),
        ({"owner": {"from": {"user": {"login": "ana"}}}}, "ana/new"),
        ({"owner": {"from": {"organization": {"login": "org"}}}}, "org/new"),
    ],
)
def test_a_repository_that_was_renamed_or_moved_says_what_it_was(changes: dict[str, Any], was: str) -> None:
    found = read("repository", {"repository": {"id": 7, "full_name": "new-owner/new"}, "changes": changes})
    assert (found.was, found.repository, found.repository_id, found.wide) == (was, "new-owner/new", 7, True)


def test_what_is_signed_with_one_of_the_secrets_is_genuine() -> None:
    body = b'{"zen": "Keep it logically awesome."}'
    for secret in ("old", "new"):
        check_signature(body, sign(body, secret), ["new", "old"])
    # The example of "Validating webhook deliveries" in GitHub's documentation.
    known = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    check_signature(b"Hello, World!", known, ["It's a Secret to Everybody"])


@pytest.mark.parametrize(
    ("signature", "secrets"),
    [
        ("", ["s"]),
        ("sha256=", ["s"]),
        ("sha1=" + "0" * 40, ["s"]),
        ("sha256=" + "0" * 64, ["s"]),
        (sign(b"{}", "s").upper(), ["s"]),
        (sign(b"{} ", "s"), ["s"]),
        (sign(b"{}", ""), [""]),
        (sign(b"{}", ""), []),
        (sign(b"{}", "other"), ["s", ""]),
    ],
)
def test_nothing_else_is_ever_accepted(signature: str, secrets: list[str]) -> None:
    with pytest.raises(NotAllowed) as refused:
        check_signature(b"{}", signature, secrets)
    assert refused.value.next_step


def test_a_form_is_read_too() -> None:
    payload = {"repository": {"full_name": "o/r", "id": 1}, "issue": {"number": 3}}
    body = urlencode({"payload": json.dumps(payload)}).encode()
    assert parse("issues", "x" * 12, body, "application/x-www-form-urlencoded; charset=utf-8").issues == {3}


@pytest.mark.parametrize("body", [b"", b"[]", b"\xff", b"{", b"[" * 100_000, b"1" * 5000, b"null", b'"x"'])
def test_a_body_that_is_none_is_said(body: bytes) -> None:
    with pytest.raises(BadInput):
        parse("push", "id", body)


def test_an_id_that_is_none_is_made_from_the_body() -> None:
    one, other = parse("ping", "", b"{}"), parse("ping", "../../x", b'{"a": 1}')
    assert one.id != other.id
    assert one.id == parse("ping", "", b"{}").id
    assert "/" not in other.id


KEYS = [
    "repository",
    "id",
    "full_name",
    "pull_request",
    "pull_requests",
    "number",
    "head",
    "sha",
    "ref",
    "check_run",
    "check_suite",
    "branches",
    "name",
    "issue",
    "changes",
    "owner",
    "from",
    "repo",
    "review",
    "comment",
    "commit_id",
    "deployment",
]
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5),
    max_leaves=20,
)


@given(event=st.sampled_from([*EVENTS, "unheard_of", "x" * 500]), payload=anything)
def test_nothing_that_comes_makes_it_fail(event: str, payload: Any) -> None:
    try:
        found = read(event, payload)
    except BadInput:
        assert not isinstance(payload, dict)
        return
    assert len(found.event) <= 60
    assert min(found.pulls | found.issues, default=1) > 0
