"""Documents of kept values."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.domain.activity import Activity, ActivityState, Dialog, Source
from orchestrator.domain.event import Event, Level
from orchestrator.domain.message import Message, MessageStage
from orchestrator.domain.person import OWNER, Actor, ActorKind
from orchestrator.domain.pull_request import Checks, PullRequest, PullRequestState
from orchestrator.domain.session import Approval, Change, Intent, Question, Session
from orchestrator.storage.codec import EVENT, SESSION, from_json, to_json
from tests.unit.orchestrator.storage.samples import event, session, told

ROOT = Path(__file__).parents[4]
_PR = PullRequest(
    number=1, url="u", title="t", branch="b", base="main", head="a" * 40, state=PullRequestState.OPEN
)


def _rich() -> Session:
    kept, events = told(session(), 2)
    activity = Activity(
        state=ActivityState.ASKING,
        source=Source.HOOK,
        dialog=Dialog(id="d", text="?", options=("yes", "no")),
        until=9.5,
    )
    return session(
        work=kept.work.__class__(activity=activity, at=1.0, progress_at=2.0),
        changes=(
            Change(pr=_PR, at=1.0, red_heads=("x",), approvals=(Approval(by=OWNER, head="x", at=1.0),)),
        ),
        questions=(Question(id="q", text="why?", asked_at=1.0, options=("a",), answered_by=OWNER),),
        messages=(Message(number=1, text="go", by="me", at=1.0, stage=MessageStage.TYPING),),
        intents=(Intent(key="merge", at=1.0, data={"head": "x"}),),
        hold=OWNER,
        event_serial=2,
        outbox=events,
    )


def test_a_session_comes_back_as_it_was() -> None:
    line = to_json(SESSION.to_document(_rich()))
    assert SESSION.from_document(from_json(line)) == _rich()
    assert _rich().changes[0].pr.checks is Checks.NONE


def test_the_place_where_somebody_acted_is_kept_and_need_not_be_there() -> None:
    here = Actor(kind=ActorKind.PERSON, name="Ana", via="slack")
    document = SESSION.to_document(session(hold=here))
    held = SESSION.from_document(from_json(to_json(document))).hold
    assert held is not None
    assert held.via == "slack"
    del document["hold"]["via"]
    older = SESSION.from_document(from_json(to_json(document))).hold
    assert (older, older.via if older else "?") == (here, "")


_scalars = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
)


@given(
    text=st.text(st.characters()),
    data=st.dictionaries(st.text(max_size=8), _scalars, max_size=4),
    level=st.sampled_from(Level),
    at=st.floats(min_value=0, max_value=1e12),
)
@settings(max_examples=150, deadline=None)
def test_any_text_and_data_come_back(text: str, data: dict[str, str], level: Level, at: float) -> None:
    told_event = event(1, text=text, data=data, level=level, at=at)
    line = to_json(EVENT.to_document(told_event))
    assert b"\n" not in line
    back = EVENT.from_document(from_json(line))
    assert back == told_event
    assert {k: type(v) for k, v in back.data.items()} == {k: type(v) for k, v in data.items()}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("unknown",), 1),
        (("work", "activity", "unknown"), 1),
        (("messages", 0, "unknown"), 1),
        (("branch",), 7),
        (("status", "status"), "flying"),
        (("v",), None),
        (("v",), "1"),
        (("v",), True),
        (("v",), 0),
        (("outbox",), {}),
    ],
)
def test_what_does_not_fit_is_damage(path: tuple[str | int, ...], value: object) -> None:
    document = json.loads(to_json(SESSION.to_document(_rich())))
    inner = document
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    with pytest.raises(ValueError, match=r"."):
        SESSION.from_document(document)


def test_a_missing_field_is_damage_and_an_optional_one_is_not() -> None:
    document = SESSION.to_document(session())
    without = copy.deepcopy(document)
    del without["branch"]
    with pytest.raises(ValueError, match="branch"):
        SESSION.from_document(without)
    del document["issue_told"]
    assert SESSION.from_document(document) == session()


@pytest.mark.parametrize("document", [None, [], "x", 1])
def test_no_object_is_damage(document: object) -> None:
    with pytest.raises(ValueError, match="no JSON object"):
        SESSION.from_document(document)


@pytest.mark.parametrize("value", [[1], float("nan"), {"a": 1}])
def test_what_could_not_be_read_again_is_not_written(value: object) -> None:
    with pytest.raises(ValueError, match=r"."):
        to_json(EVENT.to_document(event(1, data={"x": value})))


def test_reading_leaves_the_document_alone() -> None:
    document = EVENT.to_document(event(1))
    before = copy.deepcopy(document)
    assert isinstance(EVENT.from_document(document), Event)
    assert document == before


FIRST_MET = """
import sys, threading
from orchestrator.storage.codec import SESSION
from tests.unit.orchestrator.storage.samples import session

sys.setswitchinterval(1e-6)
one, gate = session(), threading.Barrier(3)
threads = [threading.Thread(target=lambda: (gate.wait(), SESSION.to_document(one))) for _ in range(3)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""


def test_threads_that_meet_a_form_first_at_the_same_time_do_not_crash() -> None:
    for _ in range(5):
        done = subprocess.run([sys.executable, "-c", FIRST_MET], cwd=ROOT, timeout=30, check=False)
        assert done.returncode == 0
