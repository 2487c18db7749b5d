"""Which sessions a delivery concerns, and when deliveries are relied upon instead of polling."""

from __future__ import annotations

import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import pytest

from orchestrator.domain.ids import ProjectId, SessionId
from orchestrator.domain.project import Project
from orchestrator.errors import NotAllowed, NotFound
from orchestrator.ports.scm import Heard, Hears
from orchestrator.testing.fakes.clock import FakeClock
from plugins._shared.github.hearing import (
    COVERS,
    DISTRUST,
    LATE,
    TOLD,
    UNKNOWN,
    Hearing,
    Shown,
    WebhookOptions,
)

ONE, TWO = SessionId("demo-1"), SessionId("demo-2")
SHA = "a" * 40
SECRET = "s3cret"  # noqa: S105 - signs examples
REPOSITORY = {"id": 77, "full_name": "o/r"}


def project(repo: str = "o/r") -> Project:
    where = Path("demo")
    return Project(
        id=ProjectId("demo"),
        name="demo",
        path=where,
        default_branch="main",
        prefix="demo",
        folder=where,
        repo=repo,
    )


class Ears:
    def __init__(self, options: WebhookOptions | None = None) -> None:
        self.clock = FakeClock()
        self.forgotten: list[SessionId] = []
        self.hinted: list[SessionId] = []
        self.hearing = Hearing(
            now=self.clock.now, forget=self.forgotten.append, hint=self.hinted.append, options=options
        )
        self.hearing.know(ONE, "o/r", Shown(branch="feat/issue-1", number=7, head=SHA, base="main"))
        self.hearing.know(TWO, "O/R", Shown(branch="feat/issue-2"))

    def read(
        self, event: str, to: Project | None = None, number: int = 1, *, named: bool = False, **payload: Any
    ) -> Heard:
        body = json.dumps({"repository": REPOSITORY, **payload}).encode()
        signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        headers = {
            "x-github-event": event,
            "x-github-delivery": f"delivery-{number}",
            "x-hub-signature-256": f"sha256={signature}",
        }
        return self.hearing.hear(to or project(), headers, body, [SECRET], named=named)

    def hear(self, event: str, **payload: Any) -> Heard:
        heard = self.read(event, **payload)
        self.hearing.take(heard)
        return heard

    @property
    def covered(self) -> bool:
        return self.hearing.covered(project())


@pytest.fixture
def ears() -> Ears:
    return Ears()


def test_it_is_the_port(ears: Ears) -> None:
    assert isinstance(ears.hearing, Hears)


@pytest.mark.parametrize(
    ("event", "payload", "sessions"),
    [
        ("pull_request", {"pull_request": {"number": 7}}, (ONE,)),
        ("pull_request", {"pull_request": {"number": 8}}, ()),
        ("push", {"ref": "refs/heads/feat/issue-2", "after": "b" * 40}, (TWO,)),
        ("status", {"sha": SHA, "branches": []}, (ONE,)),
        ("check_run", {"check_run": {"head_sha": SHA, "pull_requests": []}}, (ONE,)),
        ("workflow_job", {"workflow_job": {"head_branch": "feat/issue-1"}}, (ONE,)),
        ("issue_comment", {"issue": {"number": 7, "pull_request": {"url": "x"}}}, (ONE,)),
        ("issue_comment", {"issue": {"number": 7}}, ()),
        ("star", {"action": "created"}, ()),
    ],
)
def test_those_it_concerns_are_looked_at(
    ears: Ears, event: str, payload: dict[str, Any], sessions: tuple[SessionId, ...]
) -> None:
    assert ears.hear(event, **payload).sessions == sessions
    assert ears.forgotten == list(sessions)


def test_reading_alone_changes_nothing(ears: Ears) -> None:
    ears.read("pull_request", pull_request={"number": 7})
    assert not ears.forgotten
    assert not ears.covered


def test_a_base_that_moves_concerns_its_pull_requests_later(ears: Ears) -> None:
    heard = ears.hear("push", ref="refs/heads/main", after="c" * 40)
    assert (heard.sessions, heard.later) == ((), (ONE,))
    assert (ears.forgotten, ears.hinted) == ([], [ONE])


def test_a_check_that_begins_is_looked_at_later_and_one_that_ends_now(ears: Ears) -> None:
    job = {"head_branch": "feat/issue-1"}
    heard = ears.hear("workflow_job", action="queued", workflow_job=job)
    assert (heard.sessions, heard.later, ears.forgotten, ears.hinted) == ((), (ONE,), [], [ONE])
    ended = {**job, "conclusion": "success"}
    assert ears.hear("workflow_job", action="completed", workflow_job=ended).sessions == (ONE,)
    assert (ears.forgotten, ears.hinted) == ([ONE], [ONE])
    assert ears.covered


def test_new_rules_concern_all_later(ears: Ears) -> None:
    assert ears.hear("branch_protection_rule", rule={}).later == (ONE, TWO)


def test_issues_are_told(ears: Ears) -> None:
    assert ears.hear("issues", issue={"number": 3}).issues
    assert not ears.hear("push", ref="refs/heads/x").issues


def test_another_repositorys_delivery_is_not_ours(ears: Ears) -> None:
    with pytest.raises(NotFound, match="o/r"):
        ears.read("push", to=project("o/other"), ref="refs/heads/x")
    with pytest.raises(NotFound):
        ears.read("push", to=project(""), ref="refs/heads/x")


def test_a_renamed_repository_stays_ours_by_its_id(ears: Ears) -> None:
    ears.hear("ping", zen="x")
    heard = ears.hear("pull_request", repository={"id": 77, "full_name": "o/new"}, pull_request={"number": 7})
    assert heard.sessions == (ONE,)
    assert heard.repository == "o/r", "as the configuration still calls it"


def test_another_name_at_the_projects_own_address_is_believed_until_the_id_is_known(ears: Ears) -> None:
    new = {"id": 78, "full_name": "o/new"}
    with pytest.raises(NotFound):
        ears.read("pull_request", pull_request={"number": 7}, repository=new)
    heard = ears.hear("pull_request", named=True, pull_request={"number": 7}, repository=new)
    assert heard.sessions == (ONE,)
    assert not ears.covered, "it may be another repository's: polling goes on"
    ears.hearing.know(ONE, "o/r", Shown(branch="feat/issue-1", number=7), repository_id=77)
    with pytest.raises(NotFound):
        ears.read("pull_request", named=True, pull_request={"number": 7}, repository=new)


def test_a_rename_is_understood_also_where_the_id_was_not_known(ears: Ears) -> None:
    changes = {"repository": {"name": {"from": "r"}}}
    new = {"id": 78, "full_name": "o/new"}
    ears.hear("repository", repository=new, changes=changes)
    assert ears.hear("status", repository=new, sha=SHA).sessions == (ONE,)


def test_a_look_tells_the_id_too() -> None:
    ears = Ears()
    ears.hearing.know(TWO, "o/r", Shown(branch="b"), repository_id=99)
    assert ears.read("push", repository={"id": 99, "full_name": "x/y"}, ref="refs/heads/b").sessions == (TWO,)


def test_headers_are_as_configured() -> None:
    ears = Ears(WebhookOptions(signature_header="X-S", event_header="X-E", delivery_header="X-D"))
    body = json.dumps({"repository": REPOSITORY, "pull_request": {"number": 7}}).encode()
    signature = f"sha256={hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()}"
    headers = {"x-s": signature, "x-e": "pull_request", "x-d": "delivery-9"}
    heard = ears.hearing.hear(project(), headers, body, [SECRET])
    assert (heard.id, heard.event, heard.sessions) == ("delivery-9", "pull_request", (ONE,))
    with pytest.raises(NotAllowed):
        ears.hearing.hear(project(), {"x-hub-signature-256": signature}, body, [SECRET])


def test_a_session_that_ended_is_concerned_no_more(ears: Ears) -> None:
    ears.hearing.lose(ONE)
    ears.hearing.lose(ONE)
    assert ears.hear("pull_request", pull_request={"number": 7}).sessions == ()


def test_a_session_of_which_nobody_speaks_any_more_is_forgotten(ears: Ears) -> None:
    ears.clock.advance(UNKNOWN)
    ears.hearing.know(TWO, "o/r", Shown(branch="feat/issue-2"))
    assert ears.hearing.sessions() == {ONE, TWO}
    ears.clock.advance(UNKNOWN)
    ears.hearing.know(TWO, "o/r", Shown(branch="feat/issue-2"))
    assert ears.hearing.sessions() == {TWO}


# Covered or not ---------------------------------------------------------------------------------------


def test_any_genuine_delivery_covers_for_an_hour(ears: Ears) -> None:
    assert not ears.covered
    ears.hear("ping", zen="x")
    assert ears.covered
    ears.clock.advance(COVERS)
    assert ears.covered
    ears.clock.advance(1)
    assert not ears.covered, "nothing came for an hour: polling covers"
    ears.hear("star")
    assert ears.covered


def test_a_forged_delivery_covers_nothing(ears: Ears) -> None:
    body = json.dumps({"repository": REPOSITORY}).encode()
    with pytest.raises(NotAllowed):
        ears.hearing.hear(project(), {"x-hub-signature-256": "sha256=" + "0" * 64}, body, [SECRET])
    assert not ears.covered


def test_another_repository_is_not_covered(ears: Ears) -> None:
    ears.hear("ping")
    assert not ears.hearing.covered_repository("o/other")


def test_a_change_that_no_delivery_told_ends_the_trust(ears: Ears) -> None:
    ears.hear("ping")
    ears.clock.advance(TOLD)
    ears.hearing.noticed(ONE)
    assert ears.covered, "it may still come"
    ears.clock.advance(LATE + 1)
    assert not ears.covered
    ears.hear("star")
    assert not ears.covered, "one that comes does not show that all come"
    ears.clock.advance(DISTRUST + 1)
    assert ears.covered


def test_a_delivery_that_comes_after_the_look_was_not_lost(ears: Ears) -> None:
    ears.hear("ping")
    ears.hearing.noticed(ONE)
    ears.clock.advance(5)
    ears.hear("pull_request", pull_request={"number": 7})
    ears.clock.advance(LATE + 1)
    assert ears.covered


def test_what_the_delivery_before_told_was_not_lost(ears: Ears) -> None:
    ears.hear("pull_request", pull_request={"number": 7})
    ears.clock.advance(TOLD)
    ears.hearing.noticed(ONE)
    ears.clock.advance(LATE + 1)
    assert ears.covered


def test_a_session_that_ends_takes_its_doubt_along(ears: Ears) -> None:
    ears.hear("ping")
    ears.clock.advance(TOLD + 1)
    ears.hearing.noticed(ONE)
    ears.hearing.lose(ONE)
    ears.clock.advance(LATE + 1)
    assert ears.covered


def test_a_clock_that_was_set_back_covers_nothing(ears: Ears) -> None:
    ears.hear("ping")
    ears.clock.advance(-COVERS)
    assert not ears.covered
