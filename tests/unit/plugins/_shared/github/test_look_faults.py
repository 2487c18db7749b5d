"""Looks while GitHub is down, slow, half down, renamed, forbidden or behind; and how little they cost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from bot.demo.github.checks import Report
from orchestrator.domain.look import Seen, Unseen
from orchestrator.domain.pull_request import Checks, PullRequestState
from orchestrator.errors import NotFound
from orchestrator.ports.session_ref import SessionRef
from tests.unit.plugins._shared.github.rig import PATIENCE, REPO, Rig, rested, rigged, until

pytestmark = pytest.mark.git
IMPATIENT = 0.4


@pytest_asyncio.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    async with rigged(tmp_path) as made:
        yield made


# What failed is not "no pull request" ----------------------------------------------------------------


@pytest.mark.parametrize("kind", ["500", "502", "html", "drop", "refuse"])
async def test_an_outage_is_a_failed_look_with_its_reason(rig: Rig, kind: str) -> None:
    number = await rested(rig)
    rig.github.control.fault(kind, "GRAPHQL", calls=1)
    rig.pass_time(31)
    words = await rig.unseen()
    assert "127.0.0.1" in words or "GitHub" in words
    rig.pass_time(31)
    assert (await rig.seen(after=None)).number == number


async def test_in_a_long_outage_hardly_anything_is_called_and_afterwards_it_is_seen(rig: Rig) -> None:
    await rested(rig)
    rig.github.faults.is_down = True
    began = rig.hub.budget.calls["graphql"]
    for _ in range(360):
        rig.pass_time(10)
        await rig.looks([rig.session()])
    assert rig.hub.budget.calls["graphql"] - began <= 3600 / 15
    assert "127.0.0.1" in await rig.unseen()
    rig.github.faults.is_down = False
    rig.pass_time(20)
    assert (await rig.seen(after=None)).checks is Checks.PASSING


FLEET = 60
"""More than one query holds."""


@pytest.mark.parametrize("kind", ["502", "hang", "refuse"])
@pytest.mark.parametrize("told", [True, False])
async def test_what_went_red_in_an_outage_is_known_soon_after_it(rig: Rig, kind: str, *, told: bool) -> None:
    """Webhooks on, five minutes without an answer, in which a running check goes red. Its delivery may be lost."""
    pull = await rig.opened()
    await rig.check(pull.number, "test", None)
    await rig.seen()
    rig.looker.cover(REPO, covered=True)
    rig.github.control.fault(kind, "", calls=100_000)
    rig.looker.patience = IMPATIENT / 4
    for second in range(0, 300, 5):
        if second == 100:
            await rig.check(pull.number, "test", "failure", log="it broke\n##[error]exit 1")
            if told:
                rig.looker.heard(rig.session().id)
        rig.pass_time(5)
        await rig.looks([rig.session()])
    rig.github.faults.clear()
    rig.looker.patience = PATIENCE
    ended = rig.clock[0]
    while not isinstance(look := (await rig.looks([rig.session()]))[rig.session().id], Seen) or (
        look.value is not None and look.value.checks is not Checks.FAILING
    ):
        assert rig.clock[0] < ended + 30
        rig.pass_time(2)


async def test_after_an_outage_all_that_failed_is_looked_at_at_once_in_few_queries(rig: Rig) -> None:
    sessions = [rig.session(number) for number in range(1, FLEET + 1)]
    for number in range(1, FLEET + 1):
        await rig.opened(number)
    await rig.looks(sessions)
    rig.github.faults.is_down = True
    for _ in range(120):
        rig.pass_time(5)
        await rig.looks(sessions)
    rig.github.faults.is_down = False
    rig.woken.clear()
    rig.pass_time(20)
    await rig.looks(sessions[:1])
    await until(lambda: set(rig.woken) >= {session.id for session in sessions[1:]})
    queries = rig.queries
    rig.pass_time(5)
    looks = await rig.looks(sessions)
    assert all(isinstance(look, Seen) for look in looks.values())
    assert rig.queries - queries <= 10


async def test_a_half_that_stays_down_is_not_asked_in_a_storm(rig: Rig) -> None:
    """GraphQL answers, REST does and does not: each end of an outage that is none is believed ever less."""
    await rig.opened()
    await rig.looks([rig.session()])
    rig.github.control.fault("502", "/rules/branches/", calls=100_000)
    queries = rig.queries
    for _ in range(277):
        rig.pass_time(10)
        await rig.looks([rig.session()])
        rig.pass_time(3)  # past the pause that the failure began
        await rig.hub.probe("GET", "/user")
    assert rig.queries - queries < 3600 / 15


async def test_an_expired_token_is_said_and_nothing_is_taken_for_gone(rig: Rig) -> None:
    await rested(rig)
    rig.github.access.tokens.clear()
    rig.pass_time(31)
    words = await rig.unseen()
    assert "Bad credentials" in words
    assert "Renew the token" in words


async def test_a_token_without_the_right_to_see_checks_says_so(rig: Rig) -> None:
    await rested(rig)
    rig.github.world.repository(REPO).private = True
    (token,) = (one for one in rig.github.access.tokens.values() if one.user and one.user.login == "ao-bot")
    token.scopes, token.permissions = None, {"metadata": "read", "pull_requests": "write"}
    rig.looker.forget(rig.session().id)
    assert "Resource not accessible" in await rig.unseen()


async def test_one_repository_that_is_gone_fails_its_own_sessions_alone(rig: Rig) -> None:
    number = await rested(rig)
    other = rig.session(2)
    await rig.marks.put(rig.project, other.id, 99, await rig.github.control.head(REPO, rig.session().branch))
    rig.pass_time(31)

    def repo_of(session: SessionRef) -> str:
        return REPO if session.id == rig.session().id else "acme/gone"

    looks = await rig.looker.look([rig.session(), other], repo_of)
    mine, theirs = looks[rig.session().id], looks[other.id]
    assert isinstance(mine, Seen)
    assert mine.value is not None
    assert mine.value.number == number
    assert isinstance(theirs, Unseen)
    assert "acme/gone" in theirs.reason


async def test_a_project_without_a_repository_fails_alone(rig: Rig) -> None:
    await rested(rig)

    def repo_of(session: SessionRef) -> str:
        if session.id == rig.session().id:
            return REPO
        msg = "no repository is known."
        raise NotFound(msg, next_step="Set repo.")

    looks = await rig.looker.look([rig.session(), rig.session(2)], repo_of)
    assert isinstance(looks[rig.session().id], Seen)
    assert looks[rig.session(2).id] == Unseen("no repository is known. Set repo.")


async def test_a_marked_pull_request_that_is_gone_is_none(rig: Rig) -> None:
    await rested(rig)
    session = rig.session(2)
    await rig.marks.put(
        rig.project, session.id, 99, await rig.github.control.head(REPO, rig.session().branch)
    )
    assert await rig.looks([session]) == {session.id: Seen(None)}


async def test_a_renamed_repository_is_followed(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    number = await rested(rig)
    rig.github.control.rename(REPO, "acme/instrument")
    broke = Report(name="test", conclusion="failure", log="it broke\n##[error]exit 1")
    await rig.github.control.check("acme/instrument", number, broke)
    seen = await rig.seen()
    assert (seen.number, seen.checks) == (number, Checks.FAILING)
    assert "it broke" in seen.runs[0].tail
    assert any("moved" in record.getMessage() for record in caplog.records)


# Slow ------------------------------------------------------------------------------------------------


async def test_a_slow_github_holds_up_nobody_who_can_be_told_what_is_known(rig: Rig) -> None:
    number = await rested(rig)
    rig.github.control.fault("hang", "GRAPHQL", calls=1)
    rig.looker.patience = IMPATIENT
    rig.pass_time(31)
    loop = asyncio.get_running_loop()
    began = loop.time()
    assert (await rig.seen(after=None)).number == number
    first = loop.time() - began
    began = loop.time()
    for _ in range(20):
        assert (await rig.seen(after=None)).number == number
    assert first < 10
    assert loop.time() - began < 1  # who waits already is not waited for again


async def test_what_comes_later_wakes_the_session(rig: Rig) -> None:
    number = await rested(rig)
    await rig.check(number, "test", "failure")
    rig.woken.clear()
    rig.github.control.fault("slow", "GRAPHQL", calls=1, seconds=IMPATIENT * 2)
    rig.looker.patience = IMPATIENT
    rig.pass_time(31)
    assert (await rig.seen(after=None)).checks is Checks.PASSING
    await until(lambda: bool(rig.woken))
    assert (await rig.seen(after=None)).checks is Checks.FAILING


# Fresh facts are not overwritten by stale ones ---------------------------------------------------------


async def test_an_answer_to_a_question_from_before_a_write_is_not_told(rig: Rig) -> None:
    number = await rested(rig)
    rig.github.control.fault("slow", "GRAPHQL", calls=1, seconds=0.2)
    rig.pass_time(31)
    asked = asyncio.create_task(rig.looks([rig.session()]))
    await until(lambda: bool(rig.github.faults.met))
    await rig.github.control.close(REPO, number, by="ao-bot")
    rig.looker.forget(rig.session().id)
    look = (await asked)[rig.session().id]
    assert isinstance(look, Seen)
    assert look.value is not None
    assert look.value.state is PullRequestState.CLOSED


async def test_a_server_that_is_behind_changes_nothing(rig: Rig) -> None:
    number = await rested(rig)
    pull = rig.github.control.find_pull(REPO, number)
    rig.github.control.comment(REPO, number, "news", by="ana")
    assert len((await rig.seen()).comments) == 1
    kept, pull.issue.comments[:] = list(pull.issue.comments), []
    pull.issue.updated_at -= 100  # the same as it was before
    rig.pass_time(31)
    assert len((await rig.seen(after=None)).comments) == 1
    pull.issue.comments[:], pull.issue.updated_at = kept, pull.issue.updated_at + 200
    rig.pass_time(5)
    assert len((await rig.seen(after=None)).comments) == 1


async def test_after_a_push_the_head_of_before_is_not_told(rig: Rig) -> None:
    await rested(rig)
    rig.looker.pushed(rig.session().id, "f" * 40)
    assert "does not show what was pushed yet" in await rig.unseen()
    new = await rig.github.control.push(REPO, rig.session().branch, {"more": "1"}, by="ao-bot")
    rig.pass_time(5)
    assert (await rig.seen(after=None)).head == new


async def test_a_push_that_never_shows_is_given_up_after_a_minute(rig: Rig) -> None:
    await rested(rig)
    rig.looker.pushed(rig.session().id, "f" * 40)
    await rig.unseen()
    rig.pass_time(61)
    assert len((await rig.seen(after=None)).head) == 40


async def test_fresh_is_the_truth_of_now(rig: Rig) -> None:
    number = await rested(rig)
    await rig.github.control.close(REPO, number, by="ana")
    found = await rig.looker.fresh(rig.session(), REPO)
    assert found is not None
    assert found.state is PullRequestState.CLOSED


# How little it costs -------------------------------------------------------------------------------------


async def test_while_no_look_is_due_nothing_is_asked(rig: Rig) -> None:
    await rested(rig)
    queries = rig.queries
    for _ in range(14):
        rig.pass_time(2)
        await rig.looks([rig.session()])
    assert rig.queries == queries


async def test_fifty_sessions_at_rest_cost_one_point_a_look(rig: Rig) -> None:
    sessions = [rig.session(number) for number in range(1, 51)]
    for number in range(1, 51):
        pull = await rig.opened(number)
        await rig.check(pull.number, "test")
    await rig.looks(sessions)
    await rig.github.control.settle()
    for _ in range(8):
        rig.pass_time(40)
        await rig.looks(sessions)
    queries, points, rest = rig.queries, rig.points, rig.hub.budget.calls["rest"]
    rig.pass_time(31)
    looks = await rig.looks(sessions)
    assert all(isinstance(look, Seen) for look in looks.values())
    assert (rig.queries - queries, rig.points - points) == (1, 1)
    assert rig.hub.budget.calls["rest"] == rest


async def test_what_webhooks_cover_is_looked_at_when_they_tell_and_every_ten_minutes(rig: Rig) -> None:
    number = await rested(rig)
    rig.looker.cover(REPO, covered=True)
    queries = rig.queries
    for _ in range(19):
        rig.pass_time(30)
        await rig.looks([rig.session()])
    assert rig.queries == queries
    rig.github.control.comment(REPO, number, "hello", by="ana")
    rig.looker.forget(rig.session().id)
    assert len((await rig.seen(after=None)).comments) == 1
    rig.pass_time(125)
    await rig.looks([rig.session()])
    rig.github.control.comment(REPO, number, "a webhook that was lost", by="ana")
    rig.pass_time(601)
    assert len((await rig.seen(after=None)).comments) == 2


async def test_what_a_webhook_told_of_is_seen_at_once_and_until_then_the_old_is_told(rig: Rig) -> None:
    number = await rested(rig)
    rig.looker.cover(REPO, covered=True)
    rig.github.control.comment(REPO, number, "hello", by="ana")
    rig.looker.heard(rig.session().id)
    assert len((await rig.seen(after=None)).comments) == 1
    rig.github.control.comment(REPO, number, "again", by="ana")
    rig.github.control.fault("hang", "GRAPHQL", calls=1)
    rig.looker.patience = IMPATIENT
    rig.looker.heard(rig.session().id)
    assert len((await rig.seen(after=None)).comments) == 1


async def test_the_sessions_that_a_webhook_is_about_are_found(rig: Rig) -> None:
    number = await rested(rig)
    mine = rig.session().id
    head = await rig.github.control.head(REPO, rig.session().branch)
    assert rig.looker.concerned("ACME/tool", number=number) == (mine,)
    assert rig.looker.concerned(REPO, branch=rig.session().branch) == (mine,)
    assert rig.looker.concerned(REPO, head=head) == (mine,)
    assert rig.looker.concerned("else/where", number=number) == ()
    assert rig.looker.concerned(REPO, number=number + 1) == ()


async def test_an_etag_is_kept_only_with_what_it_stands_for(rig: Rig) -> None:
    await rig.opened()
    rules = "GET /repos/{owner}/{repo}/rules/branches/{branch+}"
    rig.github.control.fault("502", "/rules/branches/", calls=1)
    assert "127.0.0.1" in await rig.unseen()
    rig.pass_time(60)
    await rig.seen(after=None)
    rig.pass_time(700)
    await rig.seen(after=0)
    assert rig.github.control.calls[f"304 {rules}"] == 1
