"""Ready values for tests: a session that works, a pull request that is open, and so on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from orchestrator.domain.activity import Activity, ActivityState, Source
from orchestrator.domain.event import Level
from orchestrator.domain.ids import ProjectId, SessionId
from orchestrator.domain.person import Actor, ActorKind
from orchestrator.domain.project import Project
from orchestrator.domain.pull_request import (
    CheckRun,
    Checks,
    CheckState,
    Mergeable,
    PullRequest,
    PullRequestState,
    ReviewDecision,
)
from orchestrator.domain.rules import ReactionRule, Rules
from orchestrator.domain.session import (
    Approval,
    Change,
    Parts,
    RuntimeFact,
    RuntimeState,
    Session,
    Setup,
    SetupStep,
    StatusLine,
    Task,
    Wanted,
    WantedState,
    Work,
)
from orchestrator.domain.status import Status
from orchestrator.ports.session_ref import SessionRef

NOW = 1_800_000_000.0
ADA = Actor(kind=ActorKind.PERSON, name="ada")
HEAD = "a" * 40
OTHER_HEAD = "b" * 40
THIRD_HEAD = "c" * 40


def activity(state: ActivityState = ActivityState.BUSY, **fields: Any) -> Activity:  # noqa: ANN401 - its fields
    """What an agent does, by its hooks."""
    waits = state is ActivityState.IDLE
    return replace(
        Activity(state=state, source=Source.HOOK, at=NOW, evidence=state.value, accepts_text=waits), **fields
    )


def session(**fields: Any) -> Session:  # noqa: ANN401 - the fields of Session
    """A session whose agent works on issue 1."""
    return replace(
        Session(
            id=SessionId("demo-1"),
            project=ProjectId("demo"),
            created_at=NOW,
            created_by=ADA,
            task=Task(issue="1", title="Add a greeting"),
            parts=Parts(runtime="fake", agent="fake", workspace="fake", tracker="fake", scm="fake"),
            branch="feat/issue-1",
            base="main",
            wanted=Wanted(state=WantedState.RUN, by=ADA, at=NOW),
            setup=Setup(step=SetupStep.READY, at=NOW),
            work=Work(activity=activity(), at=NOW, progress_at=NOW),
            runtime=RuntimeFact(state=RuntimeState.ALIVE, at=NOW),
            status=StatusLine(status=Status.WORKING, reason="busy", evidence="", since=NOW),
        ),
        **fields,
    )


def session_ref(**fields: Any) -> SessionRef:  # noqa: ANN401 - the fields of SessionRef
    """A session as plugins know it: demo-1, at paths that are not there."""
    project = Project(
        id=ProjectId("demo"),
        name="demo",
        path=Path("/r"),
        default_branch="main",
        prefix="demo",
        folder=Path("/p"),
    )
    first = SessionRef(
        id=SessionId("demo-1"),
        project=project,
        folder=Path("/session"),
        branch="feat/1",
        workspace="/work/demo-1",
    )
    return replace(first, **fields)


def pull_request(**fields: Any) -> PullRequest:  # noqa: ANN401 - the fields of PullRequest
    """An open pull request whose checks passed and that nobody has reviewed."""
    return replace(
        PullRequest(
            number=7,
            url="https://forge.example/7",
            title="Add a greeting",
            branch="feat/issue-1",
            base="main",
            head=HEAD,
            state=PullRequestState.OPEN,
            checks=Checks.PASSING,
            decision=ReviewDecision.PENDING,
            mergeable=Mergeable.CLEAN,
        ),
        **fields,
    )


def red(head: str = HEAD, tail: str = "AssertionError: 1 != 2") -> PullRequest:
    """A pull request with a failed check at that head."""
    run = CheckRun(name="tests", state=CheckState.FAILED, tail=tail)
    return pull_request(head=head, checks=Checks.FAILING, runs=(run,))


def change(pr: PullRequest | None = None, **fields: Any) -> Change:  # noqa: ANN401 - the fields of Change
    """A change as just seen."""
    return replace(Change(pr=pr or pull_request(), at=NOW, since=NOW), **fields)


def approval(head: str = HEAD, by: Actor = ADA) -> Approval:
    """A person's approval of that head."""
    return Approval(by=by, head=head, at=NOW)


def reaction(key: str, **fields: Any) -> ReactionRule:  # noqa: ANN401 - the fields of ReactionRule
    """A reaction that tells the agent, as often as there is something new."""
    return replace(
        ReactionRule(
            key=key, auto=True, action="send-to-agent", message=f"about {key}", priority=Level.WARNING
        ),
        **fields,
    )


def rules(*reactions: ReactionRule, **fields: Any) -> Rules:  # noqa: ANN401 - the fields of Rules
    """Rules with these reactions and no others."""
    return replace(Rules(reactions={r.key: r for r in reactions}), **fields)
