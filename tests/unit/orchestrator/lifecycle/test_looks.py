"""What rests is looked at rarely, what moves often, what woke at once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.domain.activity import ActivityState
from orchestrator.domain.message import Message
from orchestrator.domain.pull_request import Checks, Mergeable, PullRequestState
from orchestrator.domain.session import Setup, SetupStep, StopReason, Wanted, WantedState, Work
from orchestrator.lifecycle import looks
from orchestrator.lifecycle.looks import Looked, due
from orchestrator.testing import examples as ex

IDLE = Work(activity=ex.activity(ActivityState.IDLE), at=ex.NOW, progress_at=ex.NOW)
BUSY = Work(activity=ex.activity(ActivityState.BUSY), at=ex.NOW, progress_at=ex.NOW)


def just_looked(turns: str) -> Looked:
    return Looked(agent=ex.NOW, workspace=ex.NOW, forge=ex.NOW, requests=ex.NOW, turns=turns)


def test_new_session_is_looked_at_whole() -> None:
    found = due(ex.session(), Looked(), ex.NOW, woken=False)
    assert (found.runtime, found.agent, found.workspace, found.forge, found.requests) == (True,) * 5


def test_woken_session_is_looked_at_whole() -> None:
    found = due(ex.session(work=IDLE), just_looked("idle"), ex.NOW, woken=True)
    assert (found.runtime, found.agent, found.workspace, found.forge, found.requests) == (True,) * 5


def test_resting_session_costs_one_look_at_all_terminals_and_nothing_else() -> None:
    found = due(ex.session(work=IDLE), just_looked("idle"), ex.NOW + 10, woken=False)
    assert found == looks.Due(runtime=True)


@pytest.mark.parametrize(
    ("after", "agent", "requests", "forge"),
    [(14.9, False, False, False), (15.0, True, True, False), (30.0, True, True, True)],
)
def test_intervals_of_a_resting_session(after: float, *, agent: bool, requests: bool, forge: bool) -> None:
    found = due(ex.session(work=IDLE), just_looked("idle"), ex.NOW + after, woken=False)
    assert (found.agent, found.requests, found.forge) == (agent, requests, forge)


def test_busy_agents_and_unsettled_messages_are_looked_at_often() -> None:
    later = ex.NOW + looks.AGENT_BUSY
    assert due(ex.session(work=BUSY), just_looked("busy"), later, woken=False).agent
    message = Message(number=1, text="hi", by="ada", at=ex.NOW)
    assert due(ex.session(work=IDLE, messages=(message,)), just_looked("idle"), later, woken=False).agent


def test_end_of_a_turn_calls_for_a_look_at_the_workspace() -> None:
    assert due(ex.session(work=IDLE), just_looked("busy"), ex.NOW, woken=False).workspace
    assert not due(ex.session(work=IDLE), just_looked("idle"), ex.NOW + 9999, woken=False).workspace
    assert not due(ex.session(work=BUSY), just_looked("busy"), ex.NOW + 59, woken=False).workspace
    assert due(ex.session(work=BUSY), just_looked("busy"), ex.NOW + 60, woken=False).workspace


@pytest.mark.parametrize(
    ("pr", "soon"),
    [
        (ex.pull_request(checks=Checks.PENDING), True),
        (ex.pull_request(mergeable=Mergeable.UNKNOWN), True),
        (ex.pull_request(), False),
        (ex.pull_request(state=PullRequestState.CLOSED, checks=Checks.PENDING), False),
    ],
)
def test_forge_is_asked_often_while_it_works_something_out(pr: object, *, soon: bool) -> None:
    session = ex.session(work=IDLE, changes=(ex.change(pr),))  # type: ignore[arg-type]
    assert due(session, just_looked("idle"), ex.NOW + looks.FORGE_SOON, woken=False).forge is soon


def test_forge_that_could_not_be_seen_is_asked_again_soon() -> None:
    session = ex.session(work=IDLE, changes=(replace(ex.change(), unseen="timeout"),))
    assert due(session, just_looked("idle"), ex.NOW + looks.FORGE_SOON, woken=False).forge


def test_sessions_that_are_set_up_or_taken_down_are_not_looked_at() -> None:
    setting_up = ex.session(setup=Setup(step=SetupStep.WORKSPACE, at=ex.NOW))
    stop = Wanted(state=WantedState.STOP, by=ex.ADA, at=ex.NOW, reason=StopReason.KILLED)
    assert due(setting_up, Looked(), ex.NOW, woken=True) is looks.NONE
    assert due(ex.session(wanted=stop), Looked(), ex.NOW, woken=True) is looks.NONE
