"""What looks show and what webhooks tell come together: told sessions are looked at, covered ones rest."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from orchestrator.domain.ids import ProjectId, SessionId
from orchestrator.domain.look import Seen, Unseen
from orchestrator.domain.project import Project
from orchestrator.domain.pull_request import (
    CheckRun,
    Checks,
    CheckState,
    Mergeable,
    PullRequest,
    PullRequestState,
)
from orchestrator.ports.session_ref import SessionRef
from orchestrator.testing.fakes.clock import FakeClock
from plugins._shared.github_hearing import LATE
from plugins._shared.github_told import Told

REPO, SECRET = "o/r", "s3cret"
ONE = SessionId("demo-1")
WHERE = Path("demo")
PROJECT = Project(
    id=ProjectId("demo"),
    name="demo",
    path=WHERE,
    default_branch="main",
    prefix="demo",
    folder=WHERE,
    repo=REPO,
)
SESSION = SessionRef(id=ONE, project=PROJECT, branch="feat/issue-1", folder=WHERE)
PULL = PullRequest(
    number=7,
    url="",
    title="A",
    branch="feat/issue-1",
    base="main",
    head="a" * 40,
    state=PullRequestState.OPEN,
)


class Looks:
    """A looker that only notes what it is told."""

    def __init__(self) -> None:
        self.forgotten: list[SessionId] = []
        self.covered: dict[str, bool] = {}

    def forget(self, session: SessionId) -> None:
        self.forgotten.append(session)

    def cover(self, repo: str, covered: bool) -> None:
        self.covered[repo] = covered


class Both:
    def __init__(self) -> None:
        self.clock, self.looks, self.serial = FakeClock(), Looks(), 0
        self.told = Told(self._lookers, self.clock.now, None)

    def _lookers(self) -> Collection[Looks]:
        return [self.looks]

    def hear(self) -> None:
        self.serial += 1
        payload = {
            "repository": {"id": 77, "full_name": REPO},
            "pull_request": {"number": 7},
            "action": "edited",
        }
        body = json.dumps(payload).encode()
        headers = {
            "x-github-event": "pull_request",
            "x-github-delivery": f"delivery-{self.serial}",
            "x-hub-signature-256": f"sha256={hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()}",
        }
        self.told.hearing.take(self.told.hearing.hear(PROJECT, headers, body, [SECRET]))

    def sees(self, pull: PullRequest) -> None:
        self.told.before(self.looks, {REPO})
        self.told.after([SESSION], {ONE: Seen(pull)})

    @property
    def rests(self) -> bool:
        self.told.before(self.looks, {REPO})
        return self.looks.covered[REPO]


def test_delivery_about_a_pull_request_that_was_seen_is_looked_at_anew() -> None:
    both = Both()
    both.hear()
    assert both.looks.forgotten == []
    both.sees(PULL)
    both.hear()
    assert both.looks.forgotten == [ONE]


def test_what_is_told_by_webhooks_rests_and_else_is_asked() -> None:
    both = Both()
    assert not both.rests
    both.hear()
    assert both.rests


def test_change_that_no_delivery_told_ends_the_trust_in_them() -> None:
    both = Both()
    both.hear()
    both.sees(PULL)
    both.clock.advance(300)
    red = (CheckRun(name="tests", state=CheckState.FAILED),)
    both.sees(replace(PULL, runs=red, checks=Checks.FAILING))
    assert both.rests
    both.clock.advance(LATE + 1)
    assert not both.rests


def test_what_github_works_out_by_itself_is_no_lost_delivery() -> None:
    both = Both()
    both.hear()
    both.sees(PULL)
    both.clock.advance(300)
    both.sees(replace(PULL, mergeable=Mergeable.CLEAN, behind=True))
    both.told.after([SESSION], {ONE: Unseen("502")})
    both.clock.advance(LATE + 1)
    assert both.rests
