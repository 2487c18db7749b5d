"""What every scm must do. Subclass `ScmContract`, give the fixture `bench`, and run it.

A bench is the world around the forge: sessions whose branches get commits, a base that others move.
"""

from __future__ import annotations

import pytest

from orchestrator.domain.look import Seen
from orchestrator.domain.person import Actor, ActorKind
from orchestrator.domain.pull_request import (
    Checks,
    CheckState,
    Mergeable,
    PullRequestState,
    ReviewDecision,
)
from orchestrator.errors import Conflict, NotFound, PermanentError
from orchestrator.ports.scm import Branches, Claims, Drafts, Merged, Publication, Reruns
from orchestrator.testing.contracts.scm_bench import ScmBench, look, on_branch, publish

__all__ = ("ScmBench", "ScmContract", "look", "on_branch", "publish")

ANA = Actor(kind=ActorKind.PERSON, name="ana")
BEN = Actor(kind=ActorKind.PERSON, name="ben")
MANY = 40
"""Sessions that the batch test observes beside one."""


class ScmContract:
    """The promise of `orchestrator.ports.scm`, as tests."""

    @pytest.fixture
    def bench(self) -> ScmBench:
        """A forge without pull requests, and the world around it."""
        raise NotImplementedError

    async def test_the_base_is_brought_into_the_mirror(self, bench: ScmBench) -> None:
        project = bench.session().project
        base = await bench.scm.base(project)
        assert (base.branch, base.mirror) == ("main", project.mirror)
        assert len(base.sha) == 40
        assert await bench.scm.base(project, "main") == base

    async def test_a_base_that_is_gone_says_so(self, bench: ScmBench) -> None:
        with pytest.raises(NotFound):
            await bench.scm.base(bench.session().project, "no-such-branch")

    async def test_a_session_without_a_pull_request_is_seen_as_none(self, bench: ScmBench) -> None:
        session = bench.session()
        assert await bench.scm.observe([session]) == {session.id: Seen(None)}

    async def test_what_a_push_would_bring_is_known_before_it_is_brought(self, bench: ScmBench) -> None:
        session = bench.session()
        await bench.commit(session, "first", "1")
        head = await bench.commit(session, "deep/second", "2")
        await bench.move_base("other", "3")
        diff = await bench.scm.diff(
            Publication(session=session, source=bench.source(session), head=head, base="main")
        )
        assert diff.head == head
        assert [(f.path, f.status.value, f.added_text) for f in diff.files] == [
            ("deep/second", "added", "2"),
            ("first", "added", "1"),
        ]
        assert await bench.scm.observe([session]) == {session.id: Seen(None)}
        if isinstance(bench.scm, Branches):
            assert session.branch not in await bench.scm.branches(session.project)

    async def test_what_another_head_would_bring_is_not_told(self, bench: ScmBench) -> None:
        session = bench.session()
        old = await bench.commit(session)
        await bench.commit(session, text="newer")
        with pytest.raises(Conflict):
            await bench.scm.diff(
                Publication(session=session, source=bench.source(session), head=old, base="main")
            )

    async def test_a_published_head_is_seen(self, bench: ScmBench) -> None:
        session = bench.session()
        head = await bench.commit(session)
        made = await publish(bench, session, head, title="Add a file")
        assert made is not None
        assert (made.head, made.title, made.base) == (head, "Add a file", "main")
        assert (made.state, made.branch) == (PullRequestState.OPEN, session.branch)
        assert (await look(bench, session)).number == made.number

    async def test_publishing_twice_makes_one_pull_request(self, bench: ScmBench) -> None:
        session = bench.session()
        head = await bench.commit(session)
        one = await publish(bench, session, head, title="One")
        two = await publish(bench, session, head)
        assert one is not None
        assert two is not None
        assert (two.number, two.title) == (one.number, "One")

    async def test_a_push_alone_opens_nothing_and_moves_what_is_open(self, bench: ScmBench) -> None:
        session = bench.session()
        assert await publish(bench, session, await bench.commit(session), open_it=False) is None
        assert await bench.scm.observe([session]) == {session.id: Seen(None)}
        first = await publish(bench, session, await bench.commit(session, text="2"), title="One")
        newer = await bench.commit(session, text="3")
        moved = await publish(bench, session, newer, open_it=False)
        assert first is not None
        assert moved is not None
        assert (moved.number, moved.head, moved.title) == (first.number, newer, "One")

    async def test_another_head_than_was_meant_is_refused(self, bench: ScmBench) -> None:
        session = bench.session()
        old = await bench.commit(session)
        await bench.commit(session, text="newer")
        with pytest.raises(Conflict):
            await publish(bench, session, old)
        assert await bench.scm.observe([session]) == {session.id: Seen(None)}

    async def test_somebody_elses_commits_are_not_overwritten(self, bench: ScmBench) -> None:
        session = bench.session()
        await publish(bench, session, await bench.commit(session))
        theirs = await bench.push_from_elsewhere(session)
        assert (await look(bench, session)).head == theirs
        with pytest.raises(Conflict):
            await publish(bench, session, await bench.rewrite(session))
        assert (await look(bench, session)).head == theirs

    async def test_the_session_may_rewrite_what_it_published(self, bench: ScmBench) -> None:
        session = bench.session()
        await publish(bench, session, await bench.commit(session))
        rewritten = await bench.rewrite(session)
        moved = await publish(bench, session, rewritten)
        assert moved is not None
        assert moved.head == rewritten

    async def test_a_session_cannot_publish_to_the_base(self, bench: ScmBench) -> None:
        session = bench.session()
        head = await bench.commit(session)
        what = Publication(session=session, source=bench.source(session), head=head, base=session.branch)
        with pytest.raises(PermanentError):
            await bench.scm.publish(what)

    @pytest.mark.parametrize("method", ["merge", "squash", "rebase"])
    async def test_a_merge_happens_once_and_is_named_again(self, bench: ScmBench, method: str) -> None:
        session = bench.session()
        await bench.commit(session, "first", "1")
        head = await bench.commit(session, "second", "2")
        await publish(bench, session, head)
        await bench.move_base("other", "3")
        merged = await bench.scm.merge(session, head, method, "Add files")
        assert isinstance(merged, Merged)
        assert await bench.scm.merge(session, head, method) == merged
        seen = await look(bench, session)
        assert (seen.state, seen.merge_commit) == (PullRequestState.MERGED, merged.commit)
        assert (await bench.scm.base(session.project)).sha == merged.commit

    async def test_a_merge_of_another_head_is_refused(self, bench: ScmBench) -> None:
        session = bench.session()
        shown = await bench.commit(session)
        await publish(bench, session, shown)
        newer = await bench.commit(session, text="newer")
        await publish(bench, session, newer)
        with pytest.raises(Conflict):
            await bench.scm.merge(session, shown, "squash")
        assert (await look(bench, session)).state is PullRequestState.OPEN
        await bench.scm.merge(session, newer, "squash")
        with pytest.raises(Conflict):
            await bench.scm.merge(session, shown, "squash")

    @pytest.mark.parametrize("method", ["merge", "squash", "rebase"])
    async def test_a_conflict_is_shown_and_not_merged(self, bench: ScmBench, method: str) -> None:
        session = bench.session()
        head = await bench.commit(session, "file", "ours")
        await publish(bench, session, head)
        await bench.move_base("file", "theirs")
        assert (await look(bench, session)).mergeable is Mergeable.CONFLICTED
        with pytest.raises(Conflict):
            await bench.scm.merge(session, head, method)
        assert (await look(bench, session)).state is PullRequestState.OPEN

    async def test_merging_without_a_pull_request_says_so(self, bench: ScmBench) -> None:
        with pytest.raises(NotFound):
            await bench.scm.merge(bench.session(), "a" * 40, "squash")

    async def test_a_draft_is_not_merged(self, bench: ScmBench) -> None:
        session = bench.session()
        head = await bench.commit(session)
        made = await publish(bench, session, head, draft=True)
        assert made is not None
        assert made.state is PullRequestState.DRAFT
        with pytest.raises(PermanentError):
            await bench.scm.merge(session, head, "squash")
        await publish(bench, session, head)
        await bench.scm.merge(session, head, "squash")

    async def test_a_pull_request_is_taken_out_of_draft_and_back(self, bench: ScmBench) -> None:
        if not isinstance(bench.scm, Drafts):
            pytest.skip("this forge has no drafts")
        session = bench.session()
        with pytest.raises(NotFound):
            await bench.scm.set_draft(session, draft=True)
        await publish(bench, session, await bench.commit(session), draft=True)
        for draft in (False, False, True, True):
            await bench.scm.set_draft(session, draft=draft)
            state = PullRequestState.DRAFT if draft else PullRequestState.OPEN
            assert (await look(bench, session)).state is state
        await bench.scm.close(session, delete_branch=False)
        await bench.scm.set_draft(session, draft=False)
        assert (await look(bench, session)).state is PullRequestState.CLOSED

    async def test_an_approval_counts_for_its_head_only(self, bench: ScmBench) -> None:
        session = bench.session()
        head = await bench.commit(session)
        await publish(bench, session, head)
        await bench.scm.review(session, head, ReviewDecision.APPROVED, ANA)
        await bench.scm.review(session, head, ReviewDecision.APPROVED, ANA)
        seen = await look(bench, session)
        assert seen.decision is ReviewDecision.APPROVED
        assert [(review.author, review.head) for review in seen.reviews] == [("ana", head)]
        await publish(bench, session, await bench.commit(session, text="newer"))
        assert (await look(bench, session)).decision is not ReviewDecision.APPROVED
        with pytest.raises(Conflict):
            await bench.scm.review(session, head, ReviewDecision.APPROVED, BEN)

    async def test_a_request_for_changes_outweighs_an_approval(self, bench: ScmBench) -> None:
        session = bench.session()
        head = await bench.commit(session)
        await publish(bench, session, head)
        await bench.scm.review(session, head, ReviewDecision.CHANGES_REQUESTED, ANA, "Name it better.")
        await bench.scm.review(session, head, ReviewDecision.APPROVED, BEN)
        seen = await look(bench, session)
        assert seen.decision is ReviewDecision.CHANGES_REQUESTED
        assert "Name it better." in [review.body for review in seen.reviews]
        await bench.scm.review(session, head, ReviewDecision.APPROVED, ANA)
        assert (await look(bench, session)).decision is ReviewDecision.APPROVED

    async def test_a_new_head_after_requested_changes_waits_for_another_look(self, bench: ScmBench) -> None:
        session = bench.session()
        head = await bench.commit(session)
        await publish(bench, session, head)
        await bench.scm.review(session, head, ReviewDecision.CHANGES_REQUESTED, ANA, "Name it better.")
        await publish(bench, session, await bench.commit(session, text="better"))
        assert (await look(bench, session)).decision is ReviewDecision.PENDING

    async def test_closing_is_repeatable(self, bench: ScmBench) -> None:
        session = bench.session()
        await bench.scm.close(session, delete_branch=True)
        head = await bench.commit(session)
        await publish(bench, session, head)
        await bench.scm.close(session, delete_branch=False)
        await bench.scm.close(session, delete_branch=True)
        await bench.scm.close(session, delete_branch=True)
        assert (await look(bench, session)).state is PullRequestState.CLOSED
        with pytest.raises(PermanentError):
            await bench.scm.merge(session, head, "squash")

    async def test_a_closed_pull_request_opens_again_when_asked(self, bench: ScmBench) -> None:
        session = bench.session()
        head = await bench.commit(session)
        made = await publish(bench, session, head)
        await bench.scm.close(session, delete_branch=True)
        again = await publish(bench, session, head)
        assert made is not None
        assert again is not None
        assert (again.number, again.state) == (made.number, PullRequestState.OPEN)

    async def test_after_a_merge_new_commits_get_a_pull_request_of_their_own(self, bench: ScmBench) -> None:
        session = bench.session()
        head = await bench.commit(session)
        one = await publish(bench, session, head)
        await bench.scm.merge(session, head, "merge")
        await bench.scm.close(session, delete_branch=True)
        same = await publish(bench, session, head, open_it=False)
        two = await publish(bench, session, await bench.commit(session, text="more"))
        assert one is not None
        assert same is not None
        assert two is not None
        assert (same.number, same.state) == (one.number, PullRequestState.MERGED)
        assert two.number != one.number
        assert (await look(bench, session)).number == two.number

    async def test_sessions_do_not_see_each_others_pull_requests(self, bench: ScmBench) -> None:
        one, two = bench.session(1), bench.session(2)
        await publish(bench, one, await bench.commit(one))
        assert (await bench.scm.observe([one, two]))[two.id] == Seen(None)

    async def test_outside_calls_do_not_grow_with_the_sessions(self, bench: ScmBench) -> None:
        sessions = [bench.session(number) for number in range(1, MANY + 1)]
        for session in sessions[:3]:
            await publish(bench, session, await bench.commit(session))
        await bench.settled()
        await bench.scm.observe(sessions)
        before = bench.outside_calls()
        await bench.scm.observe(sessions[:1])
        for_one = bench.outside_calls() - before
        assert len(await bench.scm.observe(sessions)) == MANY
        assert bench.outside_calls() - before - for_one == for_one

    async def test_a_failing_check_shows_its_last_lines(self, bench: ScmBench) -> None:
        if not bench.check:
            pytest.skip("this forge has no checks of its own")
        session = bench.session()
        await publish(bench, session, await bench.commit(session, "broken", "yes"))
        assert (await look(bench, session)).checks is Checks.PENDING
        await bench.settled()
        seen = await look(bench, session)
        assert (seen.checks, [run.state for run in seen.runs]) == (Checks.FAILING, [CheckState.FAILED])
        assert seen.runs[0].name == bench.check
        assert "broken" in seen.runs[0].tail

    async def test_branches_are_named(self, bench: ScmBench) -> None:
        if not isinstance(bench.scm, Branches):
            pytest.skip("this forge cannot name its branches")
        session = bench.session()
        assert session.branch not in await bench.scm.branches(session.project)
        await publish(bench, session, await bench.commit(session))
        assert session.branch in await bench.scm.branches(session.project)

    async def test_claiming_hands_a_pull_request_over(self, bench: ScmBench) -> None:
        if not isinstance(bench.scm, Claims):
            pytest.skip("this forge cannot hand pull requests over")
        one, two = bench.session(1), bench.session(2)
        made = await publish(bench, one, await bench.commit(one))
        assert made is not None
        found = await bench.scm.find(one.project, made.number)
        assert found is not None
        assert found.head == made.head
        assert await bench.scm.find(one.project, made.number + 900) is None
        heir = on_branch(two, one.branch)
        assert await bench.scm.bring(one.project, made.number) == made.head
        assert (await bench.scm.claim(heir, made.number, made.head)).number == made.number
        looks = await bench.scm.observe([one, heir])
        assert looks[one.id] == Seen(None)
        assert isinstance(looks[heir.id], Seen)
        with pytest.raises(NotFound):
            await bench.scm.claim(heir, made.number + 900, made.head)
        with pytest.raises(NotFound):
            await bench.scm.bring(one.project, made.number + 900)
        await bench.scm.close(heir, delete_branch=False)
        with pytest.raises(Conflict):
            await bench.scm.claim(one, made.number, made.head)
        with pytest.raises(Conflict):
            await bench.scm.bring(one.project, made.number)

    async def test_a_pull_request_is_handed_over_only_to_who_has_what_is_in_it(self, bench: ScmBench) -> None:
        if not isinstance(bench.scm, Claims):
            pytest.skip("this forge cannot hand pull requests over")
        one, two = bench.session(1), bench.session(2)
        made = await publish(bench, one, await bench.commit(one))
        assert made is not None
        other = await bench.commit(two, "other")
        await bench.scm.bring(one.project, made.number)
        with pytest.raises(Conflict):
            await bench.scm.claim(on_branch(two, one.branch), made.number, other)
        assert (await look(bench, one)).number == made.number

    async def test_failed_checks_run_again(self, bench: ScmBench) -> None:
        if not bench.check or not isinstance(bench.scm, Reruns):
            pytest.skip("this forge cannot run checks again")
        session = bench.session()
        head = await bench.commit(session, "broken", "yes")
        await publish(bench, session, head)
        await bench.settled()
        await bench.scm.rerun(session, head)
        assert (await look(bench, session)).checks is Checks.PENDING
        await bench.settled()
        with pytest.raises(Conflict):
            await bench.scm.rerun(session, "a" * 40)
