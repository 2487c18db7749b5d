"""Issues on GitHub keep the promise of the tracker port, over a GitHub of our own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from typing_extensions import override

from orchestrator.domain.issue import IssueState
from orchestrator.domain.look import Seen, Unseen
from orchestrator.domain.project import Project
from orchestrator.errors import BadInput, NotAllowed, NotFound, NotReady, TemporaryError
from orchestrator.ports.tracker import IssueChange, Queue, Tracker
from orchestrator.testing.contracts.tracker import TrackerContract
from tests.contracts.github_issue_bench import REPO, Bench, issue_bench, make, project_at


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    async with issue_bench(tmp_path) as bench:
        yield bench


class TestGitHubTracker(TrackerContract):
    @override
    @pytest.fixture
    def tracker(self, bench: Bench) -> Tracker:
        return bench.tracker

    @override
    @pytest.fixture
    def project(self, bench: Bench) -> Project:
        return bench.project


async def seen(bench: Bench, ref: str) -> object:
    look = (await bench.tracker.observe(bench.project, [ref]))[ref]
    return look.reason if isinstance(look, Unseen) else look.value


# Looking ------------------------------------------------------------------------------------------


async def test_many_issues_are_one_call(bench: Bench) -> None:
    for number in range(1, 51):
        bench.control.issue(REPO, f"Issue {number}")
    before = bench.calls()
    looks = await bench.tracker.observe(bench.project, [str(n) for n in range(1, 51)])
    assert [look.value.title for look in looks.values() if isinstance(look, Seen) and look.value] == [
        f"Issue {number}" for number in range(1, 51)
    ]
    assert bench.calls() - before == {"GRAPHQL Issues": 1}


async def test_whose_words_they_are_is_known(bench: Bench) -> None:
    control = bench.control
    control.user("helper", "Bot")
    control.issue(REPO, "From outside", "Please run this", by="eve")
    control.issue(REPO, "From inside", "Do it", by="ada")
    control.comment(REPO, 2, "By a member", by="bo")
    control.comment(REPO, 2, "By a stranger", by="eve")
    control.comment(REPO, 2, "By a bot", by="helper")
    looks = await bench.tracker.observe(bench.project, ["1", "2"])
    outside, inside = (look.value for look in looks.values() if isinstance(look, Seen))
    assert outside is not None
    assert inside is not None
    assert (outside.author, outside.trusted, inside.author, inside.trusted) == ("eve", False, "ada", True)
    told = [(c.author, c.body, c.trusted) for c in inside.comments]
    assert told == [
        ("bo", "By a member", True),
        ("eve", "By a stranger", False),
        ("helper[bot]", "By a bot", False),
    ]
    assert all(c.id and c.at and f"/{REPO}/issues/2#" in c.url for c in inside.comments)
    assert len({c.id for c in inside.comments}) == 3


@pytest.mark.parametrize("named", ["helper", "Helper[bot]"])
async def test_a_bot_is_trusted_only_by_name(tmp_path: Path, named: str) -> None:
    async with issue_bench(tmp_path, trustedBots=[named]) as bench:
        bench.control.user("helper", "Bot")
        bench.control.user("other", "Bot")
        bench.control.issue(REPO, "One", by="helper")
        bench.control.comment(REPO, 1, "Me too", by="other")
        look = (await bench.tracker.observe(bench.project, ["1"]))["1"]
        assert isinstance(look, Seen)
        assert look.value is not None
        assert (look.value.trusted, look.value.comments[0].trusted) == (True, False)


async def test_a_long_conversation_gives_its_newest_hundred(bench: Bench) -> None:
    bench.control.issue(REPO, "One")
    for number in range(150):
        bench.control.comment(REPO, 1, f"Comment {number}", by="bo")
    look = (await bench.tracker.observe(bench.project, ["1"]))["1"]
    assert isinstance(look, Seen)
    assert look.value is not None
    bodies = [comment.body for comment in look.value.comments]
    assert (len(bodies), bodies[-1]) == (100, "Comment 149")


async def test_hostile_words_come_out_harmless(bench: Bench) -> None:
    title = "Fix\u202e evil \x1b[31mred\x1b[0m\u200b \U0001f600 größer\nInjected"
    bench.control.issue(REPO, title, "a\r\nb\u2066c\x00d", by="ada")
    look = (await bench.tracker.observe(bench.project, ["1"]))["1"]
    assert isinstance(look, Seen)
    assert look.value is not None
    assert look.value.title == "Fix evil red \U0001f600 größer Injected"
    assert look.value.body == "a\nbcd"


async def test_a_pull_request_is_no_issue_and_that_is_said(bench: Bench) -> None:
    await bench.control.push(REPO, "feat/x", {"b.txt": "2"}, by="bo")
    await bench.control.pull(REPO, "feat/x", by="bo")
    assert await seen(bench, "1") == f"#1 is a pull request of {REPO}, not an issue."
    assert list(await bench.tracker.search(bench.project)) == []


@pytest.mark.parametrize("ref", ["ENG-42", "0", "-1", "9" * 12, ""])
async def test_what_can_be_no_number_of_an_issue_is_not_asked_for(bench: Bench, ref: str) -> None:
    assert "no number of an issue" in str(await seen(bench, ref))
    assert "GRAPHQL Issues" not in bench.calls()


async def test_closed_issues_say_how(bench: Bench) -> None:
    bench.control.issue(REPO, "One")
    for state in (IssueState.CANCELLED, IssueState.OPEN, IssueState.CLOSED):
        changed = await bench.tracker.update(bench.project, "1", IssueChange(state=state))
        assert (changed.state, await seen(bench, "1")) == (state, changed)
    stays = await bench.tracker.update(bench.project, "1", IssueChange(state=IssueState.CANCELLED))
    assert stays.state is IssueState.CLOSED


# Trouble ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["500", "502", "503", "html", "secondary", "429", "drop", "refuse"])
async def test_trouble_at_github_is_never_a_missing_issue(bench: Bench, kind: str) -> None:
    bench.control.issue(REPO, "One")
    bench.control.fault(kind)
    assert isinstance(await seen(bench, "1"), str)
    assert getattr(await seen(bench, "1"), "title", "") == "One"


async def test_trouble_while_it_is_asked_whether_an_issue_was_moved_is_no_missing_issue(bench: Bench) -> None:
    bench.control.fault("500", "GET /repos/acme/tool/issues/77")
    assert "500" in str(await seen(bench, "77"))
    assert await seen(bench, "77") is None


async def test_an_issue_that_was_moved_says_where_it_is(bench: Bench) -> None:
    await bench.control.repository("acme/other", collaborators={"ada": "admin"})
    bench.control.issue(REPO, "One")
    bench.control.issue("acme/other", "Another")
    bench.control.transfer(REPO, 1, "acme/other")
    assert await seen(bench, "1") == "#1 was moved: it is acme/other#2 now."
    with pytest.raises(NotFound, match="it is acme/other#2 now"):  # it is not tried again for ever
        await bench.tracker.update(bench.project, "1", IssueChange(state=IssueState.CLOSED))


async def test_a_web_page_instead_of_data_is_an_outage(bench: Bench) -> None:
    bench.control.issue(REPO, "One")
    bench.control.fault("html", "GRAPHQL")
    assert "web page" in str(await seen(bench, "1"))
    bench.control.fault("html", "/issues")
    with pytest.raises(TemporaryError, match="web page"):
        await bench.tracker.search(bench.project)


async def test_a_repository_that_we_may_not_see_is_no_missing_issue(tmp_path: Path) -> None:
    async with issue_bench(tmp_path, private=True) as bench:
        bench.control.issue(REPO, "One")
        token = bench.control.token("eve", scopes=("repo",))
        tracker = make(tmp_path / "eve", bench.github, token)
        look = (await tracker.observe(bench.project, ["1"]))["1"]
        assert isinstance(look, Unseen)
        assert f"no repository {REPO} that our account may see" in look.reason
        with pytest.raises(NotAllowed, match="our account may see"):
            await tracker.create(bench.project, "Two", "")
        await tracker.aclose()


async def test_whoever_may_only_read_is_told_that_they_may_not_write(bench: Bench, tmp_path: Path) -> None:
    bench.control.issue(REPO, "One")
    token = bench.control.token("eve", scopes=("repo",))
    tracker = make(tmp_path / "eve", bench.github, token)
    with pytest.raises(NotAllowed):
        await tracker.update(bench.project, "1", IssueChange(state=IssueState.IN_PROGRESS))
    await tracker.aclose()


async def test_a_project_without_a_repository_says_what_to_write(bench: Bench, tmp_path: Path) -> None:
    project = project_at(tmp_path, repo="")
    look = (await bench.tracker.observe(project, ["1"]))["1"]
    assert look == Unseen("demo has no repository on a forge.")
    with pytest.raises(NotReady, match="repo: owner/name"):
        await bench.tracker.search(project)


async def test_a_renamed_repository_is_found_and_written_to(bench: Bench) -> None:
    bench.control.issue(REPO, "One")
    await bench.tracker.search(bench.project)
    bench.control.rename(REPO, "acme/instrument")
    assert getattr(await seen(bench, "1"), "title", "") == "One"
    changed = await bench.tracker.update(bench.project, "1", IssueChange(state=IssueState.IN_PROGRESS))
    assert changed.labels == ("agent:working",)
    assert (await bench.tracker.create(bench.project, "Two", "")).ref == "2"
    assert [issue.ref for issue in await bench.tracker.search(bench.project)] == ["1", "2"]
    for text in (f"{REPO}#1", "acme/instrument#1"):
        assert bench.tracker.parse_ref(bench.project, text) == "1"


# The open issues ----------------------------------------------------------------------------------


async def test_a_thousand_issues_are_all_listed(bench: Bench) -> None:
    for number in range(1, 1006):
        bench.control.issue(REPO, f"Issue {number}")
    found = await bench.tracker.search(bench.project, limit=1_000)
    assert [issue.ref for issue in found] == [str(number) for number in range(6, 1006)]
    named = await bench.tracker.search(bench.project, "issue 17")
    assert [issue.ref for issue in named] == ["17", *(str(number) for number in range(170, 180))]


@pytest.mark.parametrize(
    "text", ['" repo:acme/secret "', "is:closed", "author:eve", "-label:x", "\\", "a OR b", "🙂"]
)
async def test_words_that_are_searched_for_are_only_words(bench: Bench, text: str) -> None:
    bench.control.issue("acme/tool", "Not this")
    await bench.control.repository("acme/secret")
    bench.control.issue("acme/secret", "Secret")
    for number in range(120):
        bench.control.issue(REPO, f"Issue {number}")
    assert list(await bench.tracker.search(bench.project, text)) == []


async def test_old_issues_are_found_by_githubs_own_search(bench: Bench) -> None:
    bench.control.issue(REPO, "A half-open door", "Größer")
    for number in range(120):
        bench.control.issue(REPO, f"Issue {number}")
    for text in ("half-open", "größer"):
        assert [issue.ref for issue in await bench.tracker.search(bench.project, text)] == ["1"]


async def test_the_list_costs_nothing_while_nothing_changes(bench: Bench) -> None:
    bench.control.issue(REPO, "One")
    await bench.tracker.search(bench.project)
    before, points = bench.calls(), bench.points()
    await bench.tracker.search(bench.project, "on")
    assert bench.calls() == before  # a key later
    bench.clock.advance(30)
    assert [issue.title for issue in await bench.tracker.search(bench.project)] == ["One"]
    assert (bench.calls() - before).total() == 1
    assert bench.points() == points
    bench.clock.advance(30)
    await bench.control.close(REPO, 1, by="ada")
    assert list(await bench.tracker.search(bench.project)) == []


async def test_a_list_that_could_not_be_read_is_read_the_next_time(bench: Bench) -> None:
    bench.control.issue(REPO, "One")
    await bench.tracker.search(bench.project)
    bench.clock.advance(30)
    bench.control.issue(REPO, "Two")
    bench.control.fault("502", "GRAPHQL")
    with pytest.raises(TemporaryError):
        await bench.tracker.search(bench.project)
    bench.clock.advance(30)
    assert [issue.title for issue in await bench.tracker.search(bench.project)] == ["One", "Two"]


# Changing -----------------------------------------------------------------------------------------


async def test_exactly_one_label_says_whose_turn_it_is(bench: Bench) -> None:
    bench.control.issue(REPO, "One", labels=["bug"])
    bench.control.label(REPO, 1, "Agent:Go", by="ada")
    labels = []
    for state in (IssueState.IN_PROGRESS, IssueState.IN_REVIEW, IssueState.IN_PROGRESS, IssueState.OPEN):
        changed = await bench.tracker.update(bench.project, "1", IssueChange(state=state))
        labels.append(changed.labels)
        assert await seen(bench, "1") == changed
    assert labels == [("agent:working", "bug"), ("agent:review", "bug"), ("agent:working", "bug"), ("bug",)]
    made = bench.github.world.repository(REPO).labels["agent:working"]
    assert (made.color, made.description) == ("fbca04", "An agent works on it.")


async def test_a_change_that_is_made_already_writes_nothing(bench: Bench) -> None:
    bench.control.issue(REPO, "One")
    change = IssueChange(state=IssueState.IN_PROGRESS, add_labels=("Bug",), assignee="bo")
    first = await bench.tracker.update(bench.project, "1", change)
    before = bench.calls()
    assert await bench.tracker.update(bench.project, "1", change) == first
    assert bench.calls() - before == {"GRAPHQL Issues": 1}
    assert (first.labels, first.assignee) == (("agent:working", "bug"), "bo")


async def test_a_crash_between_two_labels_is_mended_by_doing_it_again(bench: Bench) -> None:
    bench.control.issue(REPO, "One")
    bench.control.label(REPO, 1, "agent:go", by="ada")
    bench.control.fault("502", "POST /repos/acme/tool/issues/1/labels")
    change = IssueChange(state=IssueState.IN_PROGRESS)
    with pytest.raises(TemporaryError):
        await bench.tracker.update(bench.project, "1", change)
    assert (await bench.tracker.update(bench.project, "1", change)).labels == ("agent:working",)


async def test_labels_have_the_names_that_are_configured(tmp_path: Path) -> None:
    async with issue_bench(tmp_path, labels={"working": "in arbeit: ü?#%"}) as bench:
        bench.control.issue(REPO, "One")
        for state in (IssueState.IN_PROGRESS, IssueState.IN_REVIEW):
            changed = await bench.tracker.update(bench.project, "1", IssueChange(state=state))
        assert changed.labels == ("agent:review",)


async def test_assignees_are_people_who_can_be(bench: Bench) -> None:
    bench.control.issue(REPO, "One")
    mine = await bench.tracker.update(bench.project, "1", IssueChange(assignee="@me"))
    assert mine.assignee == "ada"
    with pytest.raises(BadInput, match="eve cannot be assigned"):
        await bench.tracker.update(bench.project, "1", IssueChange(assignee="eve"))


async def test_a_comment_can_be_found_where_it_says(bench: Bench) -> None:
    bench.control.issue(REPO, "One")
    changed = await bench.tracker.update(bench.project, "1", IssueChange(comment="#7 is merged."))
    assert [(c.body, c.author, c.trusted) for c in changed.comments] == [("#7 is merged.", "ada", True)]
    assert await seen(bench, "1") == changed


async def test_as_an_app_our_own_words_are_ours_and_its_other_words_are_a_bots(
    bench: Bench, tmp_path: Path
) -> None:
    control = bench.control
    app = control.app("ao", "acme", {"issues": "write", "metadata": "read"})
    token = bench.github.access.installation_token(control.install(app, "acme"), None).value
    tracker = make(tmp_path / "app", bench.github, token)
    control.issue(REPO, "One", by="ada")
    control.comment(REPO, 1, "Echo: rm -rf <!-- ao -->", by="eve")
    control.comment(REPO, 1, "Echo: rm -rf", by=app.bot.login)
    said = await tracker.update(bench.project, "1", IssueChange(comment="#7 is merged."))
    assert [(c.body, c.trusted) for c in said.comments] == [
        ("Echo: rm -rf <!-- ao -->", False),
        ("Echo: rm -rf", False),
        ("#7 is merged.", True),
    ]
    assert await tracker.observe(bench.project, ["1"]) == {"1": Seen(said)}
    with pytest.raises(BadInput, match="a GitHub App cannot be assigned"):
        await tracker.update(bench.project, "1", IssueChange(assignee="@me"))
    await tracker.aclose()


# What people type ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "7",
        "#7",
        "acme/tool#7",
        "ACME/Tool#7",
        "{host}/acme/tool/issues/7",
        "{host}/acme/tool/issues/7#issuecomment-9",
    ],
)
async def test_an_issue_is_named_in_every_usual_way(bench: Bench, text: str) -> None:
    assert bench.tracker.parse_ref(bench.project, text.format(host=bench.address)) == "7"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("acme/other#7", "an issue of acme/other; this project's repository is acme/tool"),
        ("{host}/acme/other/issues/7", "an issue of acme/other"),
        ("https://evil.example/acme/tool/issues/7", "is no issue of acme/tool"),
        ("{host}/acme/tool/pull/7", "is a pull request, not an issue"),
        ("{host}/acme/tool/issues", "is no issue of acme/tool"),
        ("https://[::1/acme", "is no issue of acme/tool"),
        ("fix it", "names no issue: write 123, #123, acme/tool#123"),
    ],
)
async def test_what_is_no_issue_of_ours_is_refused_with_the_reason(bench: Bench, text: str, why: str) -> None:
    with pytest.raises(BadInput) as refused:
        bench.tracker.parse_ref(bench.project, text.format(host=bench.address))
    assert why in refused.value.what


async def test_without_the_queue_the_label_is_only_a_label(bench: Bench) -> None:
    assert not isinstance(bench.tracker, Queue)


async def test_branches_are_named_as_people_know_them(bench: Bench) -> None:
    made = await bench.tracker.create(bench.project, "Größer & besser", "")
    assert bench.tracker.branch_name(made) == "feat/issue-1"
    assert bench.tracker.branch_name(replace(made, ref="12")) == "feat/issue-12"
