"""Whatever is seen and asked, in whatever order: moves are legal, deciding twice changes nothing, and
no session is left where nobody will ever look at it again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.domain.activity import ActivityState, Dialog
from orchestrator.domain.look import Look, Seen, Unseen
from orchestrator.domain.pull_request import (
    CheckRun,
    Checks,
    CheckState,
    Mergeable,
    PullRequest,
    PullRequestState,
    ReviewDecision,
)
from orchestrator.domain.session import (
    Ending,
    EndingStep,
    RuntimeFact,
    RuntimeState,
    Session,
    Setup,
    SetupStep,
    StatusLine,
    StopReason,
    Wanted,
    WantedState,
)
from orchestrator.domain.status import ENDED, Status
from orchestrator.lifecycle import decide, plan, react, setup, transitions
from orchestrator.lifecycle.draft import Draft
from orchestrator.lifecycle.observation import Observation
from orchestrator.ports.agent import AgentLook
from orchestrator.ports.runtime import Presence, RuntimeLook
from orchestrator.ports.workspace import WorkspaceLook
from orchestrator.testing import examples as ex

RULES = ex.rules(
    ex.reaction("ci-failed", retries=2, escalate_after_count=2),
    ex.reaction("changes-requested", escalate_after=1800.0),
    ex.reaction("merge-conflicts", escalate_after=900.0),
    ex.reaction("approved-and-green", action="auto-merge"),
    approvals=0,
)
HEADS = st.sampled_from([ex.HEAD, ex.OTHER_HEAD, ex.THIRD_HEAD])
UNSEEN: st.SearchStrategy[Unseen] = st.builds(Unseen, st.sampled_from(["no answer", "refused"]))


def looks(values: st.SearchStrategy[object]) -> st.SearchStrategy[Look[object] | None]:
    return st.one_of(st.none(), UNSEEN, st.builds(Seen, values))


RUNTIMES = st.builds(
    RuntimeLook,
    presence=st.sampled_from(list(Presence)),
    exit_code=st.sampled_from([None, 0, 3]),
    screen=st.sampled_from([None, "one", "two"]),
)
DIALOGS = st.one_of(st.none(), st.builds(Dialog, id=st.sampled_from(["d1", "d2"]), text=st.just("allow?")))
AGENTS = st.builds(
    lambda state, dialog, tool, at: AgentLook(
        activity=ex.activity(state, dialog=dialog, tool=tool), signal_at=ex.NOW + at
    ),
    st.sampled_from(list(ActivityState)),
    DIALOGS,
    st.sampled_from(["", "make test"]),
    st.integers(0, 5000),
)
RUN = CheckRun(name="tests", state=CheckState.FAILED, tail="boom")
PULLS = st.builds(
    lambda **f: ex.pull_request(**f),
    head=HEADS,
    state=st.sampled_from(list(PullRequestState)),
    checks=st.sampled_from(list(Checks)),
    decision=st.sampled_from(list(ReviewDecision)),
    mergeable=st.sampled_from(list(Mergeable)),
    runs=st.sampled_from([(), (RUN,)]),
)
WORKSPACES = st.builds(WorkspaceLook, exists=st.booleans(), head=HEADS, dirty=st.integers(0, 2))
OBSERVATIONS = st.builds(
    Observation,
    runtime=looks(RUNTIMES),
    agent=looks(AGENTS),
    workspace=looks(WORKSPACES),
    pull_request=looks(st.one_of(st.none(), PULLS)),
)


def want(state: WantedState, reason: StopReason | None = None) -> Callable[[Draft], None]:
    def how(draft: Draft) -> None:
        if draft.session.wanted.state is not WantedState.STOP:
            draft.set(wanted=Wanted(state=state, by=ex.ADA, at=draft.now, reason=reason))

    return how


def advance_setup(draft: Draft) -> None:
    order = [SetupStep.QUEUED, SetupStep.RESERVING, SetupStep.WORKSPACE, SetupStep.STARTING, SetupStep.READY]
    step = draft.session.setup.step
    if step in order[:-1] and draft.session.wanted.state is WantedState.RUN:
        after = order[order.index(step) + 1]
        alive = RuntimeState.ALIVE if after is SetupStep.READY else RuntimeState.NONE
        draft.set(setup=Setup(step=after, at=draft.now), runtime=RuntimeFact(state=alive, at=draft.now))


def fail_setup(draft: Draft) -> None:
    if draft.session.setup.step is not SetupStep.READY:
        draft.set(setup=Setup(step=SetupStep.FAILED, at=draft.now, reason="no"))


def advance_ending(draft: Draft) -> None:
    order = list(EndingStep)
    step = draft.session.ending.step
    if draft.session.wanted.state is WantedState.STOP and step is not EndingStep.DONE:
        draft.set(ending=Ending(step=order[order.index(step) + 1], at=draft.now))


def restore(draft: Draft) -> None:
    if draft.session.runtime.state in {RuntimeState.EXITED, RuntimeState.MISSING}:
        draft.session = setup.again(draft.session, draft.now, resume=True)


def settle_merge(draft: Draft) -> None:
    draft.close_intent("merge")


ASKED = st.sampled_from(
    [
        want(WantedState.STOP, StopReason.KILLED),
        want(WantedState.PAUSE),
        want(WantedState.RUN),
        advance_setup,
        advance_setup,
        fail_setup,
        advance_ending,
        restore,
        settle_merge,
    ]
)
STEPS = st.lists(st.tuples(st.one_of(OBSERVATIONS, ASKED), st.integers(0, 2000)), max_size=25)


def new() -> Session:
    return ex.session(
        setup=Setup(step=SetupStep.QUEUED, at=ex.NOW),
        runtime=RuntimeFact(state=RuntimeState.NONE, at=ex.NOW),
        status=StatusLine(status=Status.QUEUED, reason="asked for", evidence="", since=ex.NOW),
    )


def one(session: Session, what: Observation | Callable[[Draft], None], now: float) -> Session:
    draft = Draft(session, now)
    if isinstance(what, Observation):
        decide.decide(draft, what, RULES)
    else:
        what(draft)
    transitions.settle(draft, RULES)
    react.react(draft, RULES)
    transitions.settle(draft, RULES)
    return draft.session


@settings(max_examples=150)
@given(STEPS)
def test_every_decision_is_a_legal_move_and_twice_is_once(
    steps: list[tuple[Observation | Callable[[Draft], None], int]],
) -> None:
    session, now = new(), ex.NOW
    for what, seconds in steps:
        now += seconds
        session = one(session, what, now)
        if isinstance(what, Observation) and not _counts_doubt(what):
            again = one(session, what, now)
            assert _told(again) == _told(session)
            assert again.status == session.status


def _counts_doubt(what: Observation) -> bool:
    """Looks that find nothing are counted, so the same look twice is not the same as once."""
    return isinstance(what.runtime, Seen) and what.runtime.value.presence is Presence.MISSING


def _told(session: Session) -> tuple[object, ...]:
    return (session.event_serial, session.messages, session.attempts, session.intents, session.questions)


RESTS = ENDED | {
    Status.IDLE,
    Status.PAUSED,
    Status.STUCK,
    Status.WAITING_INPUT,
    Status.LIMITED,
    Status.REVIEW_PENDING,
    Status.APPROVED,
    Status.MERGEABLE,
    Status.QUEUED,
}


@settings(max_examples=150)
@given(STEPS)
def test_nothing_is_left_undead_or_forgotten(
    steps: list[tuple[Observation | Callable[[Draft], None], int]],
) -> None:
    """When nothing moves any more, a session ends up ended, acted on, stuck, or with people."""
    session, now = new(), ex.NOW
    for what, seconds in steps:
        now += seconds
        session = one(session, what, now)
    later = now + 10 * (RULES.stuck_after + RULES.detecting_for)
    quiet = one(session, Observation(), later)
    acted_on = bool(plan.due(quiet, later + 10_000))
    forge_moves = quiet.change is not None and quiet.change.pr.checks is Checks.PENDING
    told_elsewhere = quiet.status.status in {Status.PR_OPEN, Status.DETECTING} and (
        forge_moves or _waits(quiet)
    )
    tool_runs = quiet.status.status is Status.WORKING and bool(quiet.work.activity.tool)
    assert quiet.status.status in RESTS or acted_on or told_elsewhere or tool_runs, quiet.status


def _waits(session: Session) -> bool:
    """The pull request says itself what it waits for."""
    return session.change is not None and bool(session.status.reason)


@given(st.sampled_from([Status.KILLED, Status.MERGED]), OBSERVATIONS)
def test_an_end_is_final(status: Status, seen: Observation) -> None:
    reason = StopReason.KILLED if status is Status.KILLED else StopReason.MERGED
    ended = ex.session(
        wanted=Wanted(state=WantedState.STOP, by=ex.ADA, at=ex.NOW, reason=reason),
        status=StatusLine(status=status, reason="ended", evidence="", since=ex.NOW),
    )
    assert one(ended, seen, ex.NOW + 5).status.status is status


def test_illegal_move_is_refused() -> None:
    killed = ex.session(status=StatusLine(status=Status.KILLED, reason="", evidence="", since=ex.NOW))
    draft = Draft(killed, ex.NOW)
    transitions.settle(draft, RULES)
    assert draft.session.status.status is Status.KILLED
    assert "killed may not become working" in draft.session.status.reason


@settings(max_examples=100)
@given(STEPS, PULLS, st.booleans())
def test_merged_then_a_new_pull_request_is_seen_or_the_session_ends(
    steps: list[tuple[Observation | Callable[[Draft], None], int]], pull: PullRequest, busy: bool
) -> None:
    """What is seen is kept whatever came before: no session freezes at its merged pull request."""
    merged = ex.pull_request(state=PullRequestState.MERGED, merge_commit="c" * 40)
    agent = AgentLook(activity=ex.activity(ActivityState.BUSY if busy else ActivityState.IDLE))
    session = one(ex.session(), Observation(agent=Seen(agent), pull_request=Seen(merged)), ex.NOW)
    assert session.status.status is Status.MERGED
    second = replace(pull, number=8, state=PullRequestState.OPEN)
    session = one(session, Observation(pull_request=Seen(second)), ex.NOW + 5)
    now = ex.NOW + 5
    ended = session.wanted.state is WantedState.STOP
    for what, seconds in [(Observation(), 0), *steps]:
        now += seconds
        if isinstance(what, Observation):
            what = replace(what, pull_request=Seen(second))
            session = one(session, what, now)
    change = session.change
    assert change is not None
    if ended:
        assert (session.status.status, change.pr.number) == (Status.MERGED, 7)
    else:
        assert change.pr == second
        assert session.status.status is not Status.MERGED
        assert "may not become" not in session.status.reason


def test_every_status_has_its_row() -> None:
    assert transitions.LEGAL.keys() == set(Status)


def test_pull_request_number_change_is_a_new_change() -> None:
    first = one(ex.session(), Observation(pull_request=Seen(ex.pull_request())), ex.NOW)
    closed: PullRequest = ex.pull_request(state=PullRequestState.CLOSED)
    second = one(first, Observation(pull_request=Seen(closed)), ex.NOW)
    third = one(second, Observation(pull_request=Seen(replace(ex.pull_request(), number=8))), ex.NOW)
    assert [c.pr.number for c in third.changes] == [7, 8]
