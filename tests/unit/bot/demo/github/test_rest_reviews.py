"""Reviews, threads and comments at the fake GitHub over REST, by PyGithub."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from github import Github, GithubException

from bot.demo.github.server import FakeGitHub
from tests.unit.bot.demo.github.rig import REPO, acme, by

pytestmark = pytest.mark.git


@pytest.fixture
async def github(tmp_path: Path) -> AsyncIterator[FakeGitHub]:
    async with FakeGitHub(tmp_path) as fake:
        await acme(fake)
        await fake.control.push(REPO, "work", {"b.txt": "b\n"}, by="bo")
        await fake.control.pull(REPO, "work", by="bo")
        yield fake
    assert fake.control.unknown == []
    assert fake.world.failures == []


async def test_a_review_with_remarks_is_answered_and_dismissed(github: FakeGitHub) -> None:
    def review(client: Github) -> int:
        pull = client.get_repo(REPO).get_pull(1)
        made = pull.create_review(
            body="Not yet", event="REQUEST_CHANGES", comments=[{"path": "b.txt", "line": 1, "body": "Why?"}]
        )
        return made.id

    number = await by(github, github.control.token("ada"), review)

    def answer(client: Github) -> None:
        pull = client.get_repo(REPO).get_pull(1)
        (remark,) = pull.get_single_review_comments(number)
        reply = pull.create_review_comment_reply(remark.id, "Because")
        assert reply.in_reply_to_id == remark.id
        assert [one.body for one in pull.get_review_comments()] == ["Why?", "Because"]
        assert [one.body for one in client.get_repo(REPO).get_pulls_comments(sort="updated", direction="desc")] == [
            "Because", "Why?"
        ]  # fmt: skip
        assert client.get_repo(REPO).get_pull(1).get_review_comment(remark.id).path == "b.txt"

    await by(github, github.control.token("bo"), answer)

    def dismiss(client: Github) -> list[str]:
        pull = client.get_repo(REPO).get_pull(1)
        pull.get_review(number).dismiss("I was wrong")
        return [one.state for one in pull.get_reviews()]

    assert await by(github, github.control.token("ada"), dismiss) == ["DISMISSED", "COMMENTED"]


async def test_a_review_without_words_or_with_an_odd_event_is_refused(github: FakeGitHub) -> None:
    pull = await by(github, github.control.token("ada"), lambda client: client.get_repo(REPO).get_pull(1))
    for event in ("COMMENT", "SHRUG"):
        with pytest.raises(GithubException) as refused:
            await asyncio.to_thread(pull.create_review, event=event)
        assert refused.value.status == 422


async def test_reviewers_are_asked_and_withdrawn_but_never_the_author(github: FakeGitHub) -> None:
    token = github.control.token("bo")

    def work(client: Github) -> tuple[list[str], list[str]]:
        pull = client.get_repo(REPO).get_pull(1)
        pull.create_review_request(reviewers=["ada", "cy"])
        pull.delete_review_request(reviewers=["cy"])
        asked = [one.login for one in pull.get_review_requests()[0]]
        with pytest.raises(GithubException, match="pull request author"):
            pull.create_review_request(reviewers=["bo"])
        return asked, [one.event for one in pull.as_issue().get_events()]

    asked, events = await by(github, token, work)
    assert asked == ["ada"]
    assert events == ["review_requested", "review_requested", "review_request_removed"]


async def test_comments_are_changed_and_deleted_by_their_author_or_a_writer(github: FakeGitHub) -> None:
    comment = github.control.comment(REPO, 1, "First", by="cy")

    def edit(client: Github) -> None:
        issue = client.get_repo(REPO).get_issue(1)
        issue.get_comment(comment.id).edit("Second")
        assert [one.body for one in client.get_repo(REPO).get_issues_comments()] == ["Second"]

    await by(github, github.control.token("cy"), edit)
    assert comment.edited_at is not None
    github.control.user("dan")
    with pytest.raises(GithubException):
        await by(github, github.control.token("dan"), edit)
    bo = github.control.token("bo")
    await by(github, bo, lambda client: client.get_repo(REPO).get_issue(1).get_comment(comment.id).delete())
    assert github.control.find(REPO, 1).comments == []


async def test_what_people_and_labels_of_an_issue_can_be_over_rest(github: FakeGitHub) -> None:
    github.control.issue(REPO, "T", by="cy")

    def work(client: Github) -> None:
        repo = client.get_repo(REPO)
        issue = repo.get_issue(2)
        repo.create_label("agent:go", "00ff00", "Begin")
        with pytest.raises(GithubException, match="already_exists"):
            repo.create_label("Agent:Go", "00ff00")
        issue.set_labels("agent:go", "bug")
        assert {label.name for label in issue.get_labels()} == {"agent:go", "bug"}
        issue.delete_labels()
        issue.add_to_assignees("bo", "cy")
        issue.remove_from_assignees("bo")
        assert [one.login for one in repo.get_issue(2).assignees] == ["cy"]
        assert repo.has_in_assignees("ada")
        assert not repo.has_in_assignees("cy")
        assert repo.get_label("agent:go").color == "00ff00"
        assert len(list(repo.get_labels())) == 4
        issue.edit(labels=["bug"], assignees=["ada"], state="closed")
        issue.edit(state="open")
        assert repo.get_issue(2).state_reason == "reopened"
        assert [one.number for one in repo.get_issues(assignee="ada", labels=["bug"])] == [2]
        assert repo.get_issues_events()[0].event == "reopened"

    await by(github, github.control.token("ada"), work)


async def test_a_deleted_issue_is_gone_and_not_only_missing(github: FakeGitHub) -> None:
    github.control.issue(REPO, "T", by="cy")
    github.control.delete_issue(REPO, 2)
    with pytest.raises(GithubException) as gone:
        await by(github, github.control.token("ada"), lambda client: client.get_repo(REPO).get_issue(2))
    assert gone.value.status == 410
