"""Start an agent on a task: check, reserve an id, and write that it is wanted. The ring does the rest."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from orchestrator.domain.held import HeldText
from orchestrator.domain.ids import ProjectId, branch_name, project_id
from orchestrator.domain.issue import Issue, IssueState
from orchestrator.domain.look import Unseen
from orchestrator.domain.outside_text import one_line
from orchestrator.domain.outsiders import task_of
from orchestrator.domain.person import Actor
from orchestrator.domain.project import Project
from orchestrator.domain.pull_request import PullRequest
from orchestrator.domain.session import (
    Parts,
    RuntimeFact,
    RuntimeState,
    Session,
    Setup,
    SetupStep,
    StatusLine,
    StopReason,
    Task,
    Wanted,
    WantedState,
    new_activity,
)
from orchestrator.domain.status import Status
from orchestrator.errors import AoError, BadInput, Conflict, NotFound, TemporaryError
from orchestrator.lifecycle import outsiders
from orchestrator.lifecycle.draft import Draft
from orchestrator.ports.agent import AGENT
from orchestrator.ports.runtime import RUNTIME
from orchestrator.ports.scm import SCM, Branches
from orchestrator.ports.tracker import TRACKER
from orchestrator.ports.workspace import WORKSPACE, TakesBranches
from orchestrator.services import ended, foreseen
from orchestrator.services.core import Core

MOST_PROMPT = 20_000
LOOKED_BACK = 50
"""Ended sessions of a project, the newest, that are asked whether they left work behind."""


class AlreadyThere(Conflict):
    """A session works on this issue, or has left work on it: open or restore it, or spawn another on purpose."""

    code = "duplicate"

    def __init__(self, issue: str, existing: Session, *, ended: bool = False) -> None:
        name = existing.id
        if ended:
            what = f"{name} has ended and left work on issue {issue}, on {existing.branch}."
            step = f"Restore it (`ao restore {name}`), or spawn another with `--again`."
        else:
            what = f"{name} works on issue {issue} already."
            step = f"Open it (`ao attach {name}`), or spawn another with `--again`."
        super().__init__(what, next_step=step)
        self.existing = name
        self.ended = ended


@dataclass(frozen=True, slots=True, kw_only=True)
class SpawnAsk:
    """What a person asks for. An issue, a prompt, or both."""

    project: str
    issue: str = ""
    """As typed: `123`, `#123`, a link."""
    prompt: str = ""
    agent: str = ""
    """Another agent than the project's."""
    branch: str = ""
    """Another branch than the tracker suggests: worked on as it is, made if there is none, or refused."""
    claims: PullRequest | None = None
    """The pull request that the session takes over: it works on its branch and begins at its head."""
    again: bool = False
    """Although a live session works on the issue."""
    plan: bool = False
    """Although the project does not say so, the agent has its plan approved first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpawnOutcome:
    """What became of one issue of a batch."""

    issue: str
    session: Session | None = None
    error: AoError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    project: ProjectId
    task: Task
    parts: Parts
    branch: str
    named: bool
    """Somebody said that it is this branch and no other."""
    claims: PullRequest | None
    held: HeldText | None
    """The issue's text, where an outsider wrote it and nobody gave the agent another task."""
    start: str = ""
    """Where the named branch stands; empty: it is made."""


async def spawn(core: Core, ask: SpawnAsk, *, by: Actor) -> Session:
    """Start a session. Raises `NotFound`, `BadInput`, and `AlreadyThere` for a second one on an issue."""
    name = project_id(ask.project)
    core.settings.own_project(name)
    if len(ask.prompt) > MOST_PROMPT:
        msg = f"the prompt has {len(ask.prompt)} characters; at most {MOST_PROMPT} are taken."
        raise BadInput(msg)
    parts = core.settings.now.parts(name, agent=ask.agent)
    refuse_absent(core, parts)
    project = core.settings.project(name)
    await foreseen.refuse_agent(core, project, parts)
    if ask.claims is None:
        await foreseen.refuse_base(core, project, parts, project.default_branch)
    found = await _issue(core, name, parts, ask.issue) if ask.issue else None
    if found is None and not ask.prompt.strip():
        msg = "a session needs an issue or a prompt."
        raise BadInput(msg, next_step=f"`ao spawn {name} 123`, or `ao spawn {name} --prompt '…'`.")
    async with core.spawning:
        left = await _left_work(core, name)
        if found is not None and not ask.again:
            _refuse_duplicate(core, name, found.ref, left)
        plan = _plan(core, ask, parts, found)
        if plan.named:
            _refuse_taken(core, plan, left)
        if plan.named and not plan.claims:
            plan = replace(plan, start=await _given(core, plan))
        return await _make(core, plan, by, left)


def refuse_absent(core: Core, parts: Parts) -> None:
    """Every plugin that the session needs is here. Raises `NotFound` for the first that is not."""
    core.registry.plugin(AGENT, parts.agent)
    core.registry.plugin(RUNTIME, parts.runtime)
    core.registry.plugin(WORKSPACE, parts.workspace)
    core.registry.plugin(TRACKER, parts.tracker)
    core.registry.plugin(SCM, parts.scm)


async def _issue(core: Core, project: ProjectId, parts: Parts, text: str) -> Issue:
    tracker = core.registry.create(
        TRACKER, parts.tracker, core.settings.options(project, "tracker", parts.tracker)
    )
    try:
        ref = tracker.parse_ref(core.settings.project(project), text)
    except BadInput as error:
        step = (
            f'A task in words is quoted: `ao spawn {project} "fix the flaky test"`, or given with --prompt.'
        )
        raise BadInput(error.what, next_step=step) from error
    look = (await tracker.observe(core.settings.project(project), [ref]))[ref]
    if isinstance(look, Unseen):
        msg = f"issue {ref} of {project} could not be read: {look.reason}"
        raise TemporaryError(msg)
    if look.value is None:
        msg = f"{project} has no issue {ref}."
        raise NotFound(msg, next_step="`ao issues` lists the open ones.")
    if look.value.state in {IssueState.CLOSED, IssueState.CANCELLED}:
        msg = f"issue {ref} of {project} is {look.value.state.value}."
        raise Conflict(msg, next_step="Open it again first.")
    return look.value


async def _left_work(core: Core, project: ProjectId) -> list[Session]:
    """Ended sessions whose branch still holds what is in no base, the newest first."""
    found = await ended.listed(core, project, most=LOOKED_BACK)
    return [s for s in found if s.wanted.reason is not StopReason.MERGED and _has_work(s)]


def _has_work(session: Session) -> bool:
    return bool(session.rescues) or session.local_head not in {"", session.base_sha}


def _refuse_duplicate(core: Core, project: ProjectId, issue: str, left: Sequence[Session]) -> None:
    for session in core.fleet.live(project):
        if session.failed:
            continue  # it stays to be seen, and goes once this one works
        if session.task.issue == issue and session.wanted.state is not WantedState.STOP:
            raise AlreadyThere(issue, session)
    for session in left:
        if session.task.issue == issue:
            raise AlreadyThere(issue, session, ended=True)


def _plan(core: Core, ask: SpawnAsk, parts: Parts, issue: Issue | None) -> _Plan:
    project = project_id(ask.project)
    plan = ask.plan or core.settings.now.keys(project).plan == "ask"
    if issue is None:
        title = one_line(ask.prompt, 80)
        task = Task(title=title, prompt=ask.prompt, plan=plan)
        suggested = f"feat/{_slug(title)}"
    else:
        title = one_line(issue.title, 200)
        task = Task(issue=issue.ref, title=title, url=issue.url, prompt=ask.prompt, plan=plan)
        tracker = core.registry.create(
            TRACKER, parts.tracker, core.settings.options(project, "tracker", parts.tracker)
        )
        suggested = tracker.branch_name(issue)
    named = ask.claims.branch if ask.claims else ask.branch
    return _Plan(
        project=project,
        task=task,
        parts=parts,
        branch=branch_name(named or suggested),
        named=bool(named),
        claims=ask.claims,
        held=task_of(issue, core.clock.now()) if issue is not None and not ask.prompt.strip() else None,
    )


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:50].strip("-") or "task"


def _free_branch(core: Core, plan: _Plan, number: str, left: Sequence[Session]) -> str:
    """A branch that no other session works on or left work on: the second on an issue gets its own."""
    taken = {s.branch for s in (*core.fleet.live(plan.project), *left)}
    return plan.branch if plan.branch not in taken else f"{plan.branch}-{number}"


def _refuse_taken(core: Core, plan: _Plan, left: Sequence[Session]) -> None:
    """The branch that somebody named is another session's. Raises `Conflict` before anything is made."""
    for session in core.fleet.live(plan.project):
        if session.branch == plan.branch:
            msg = f"{session.id} works on {plan.branch}."
            raise Conflict(msg, next_step=f"`ao status {session.id}` shows it.")
    for session in left:
        if session.branch == plan.branch:
            msg = f"{session.id} has ended and left work on {plan.branch}."
            raise Conflict(msg, next_step=f"Bring it back with `ao restore {session.id}`.")


async def _given(core: Core, plan: _Plan) -> str:
    """The commit of the branch that somebody named; empty when there is none yet. Raises `Conflict`."""
    project, name = core.settings.project(plan.project), plan.parts.workspace
    if plan.branch == project.default_branch:
        msg = f"{plan.branch} is what all work of {plan.project} starts from and is merged into."
        raise Conflict(msg, next_step="Name another branch; a new one is made.")
    workspace = core.registry.create(WORKSPACE, name, core.settings.options(plan.project, "workspace", name))
    return await workspace.bring_branch(project, plan.branch) if isinstance(workspace, TakesBranches) else ""


async def _numbers_taken(core: Core, plan: _Plan, project: Project) -> list[int]:
    """Numbers of sessions that branches on the forge speak of (`session/demo-7`), perhaps another machine's."""
    scm = core.registry.create(
        SCM, plan.parts.scm, core.settings.options(plan.project, "scm", plan.parts.scm)
    )
    if not isinstance(scm, Branches):
        return []
    try:
        names = await scm.branches(project)
    except TemporaryError:
        return []  # our own counter still never gives a number twice
    found = (
        re.search(rf"(?:^|[/-]){re.escape(project.prefix)}-([1-9][0-9]{{0,6}})$", name) for name in names
    )
    return [int(match.group(1)) for match in found if match]


async def _make(core: Core, plan: _Plan, by: Actor, left: Sequence[Session]) -> Session:
    project = core.settings.project(plan.project)
    if not plan.start and _free_branch(core, plan, "", left) == plan.branch:
        await foreseen.refuse_branch(core, project, plan.parts, plan.branch)
    taken = await _numbers_taken(core, plan, project)
    session_id = await core.store.ids.reserve(plan.project, project.prefix, taken)
    now = core.clock.now()
    number = session_id.rpartition("-")[2]
    session = Session(
        id=session_id,
        project=plan.project,
        created_at=now,
        created_by=by,
        task=plan.task,
        parts=plan.parts,
        branch=_free_branch(core, plan, number, left),
        base=plan.claims.base if plan.claims else project.default_branch,
        claiming=plan.claims.number if plan.claims else 0,
        restored_from=plan.start,
        wanted=Wanted(state=WantedState.RUN, by=by, at=now),
        setup=Setup(step=SetupStep.QUEUED, at=now),
        work=new_activity(now),
        runtime=RuntimeFact(state=RuntimeState.NONE, at=now),
        status=StatusLine(status=Status.QUEUED, reason="just asked for", evidence="", since=now),
    )

    made = await core.fleet.add(session, partial(_told, plan=plan, by=by))
    core.fleet.wake(made.id)
    return made


def _told(draft: Draft, plan: _Plan, by: Actor) -> None:
    """The first events of a new session; and that it waits, where its task is an outsider's."""
    issue = f"issue {plan.task.issue}: " if plan.task.issue else ""
    text = f"{by} spawned it on {issue}{plan.task.title}"
    draft.tell("session.spawned", text, by=str(by), issue=plan.task.issue)
    if plan.held is not None:
        outsiders.wait_for(draft, plan.held)


async def spawn_batch(
    core: Core, project: str, issues: Sequence[str], *, by: Actor, agent: str = ""
) -> list[SpawnOutcome]:
    """Start a session for each issue; one that cannot be started does not stop the others.

    Raises `NotFound` for a project that is not there: none could start.
    """
    core.settings.now.keys(project_id(project))
    outcomes = []
    for issue in dict.fromkeys(issues):
        try:
            session = await spawn(core, SpawnAsk(project=project, issue=issue, agent=agent), by=by)
            outcomes.append(SpawnOutcome(issue=issue, session=session))
        except AoError as error:
            outcomes.append(SpawnOutcome(issue=issue, error=error))
    return outcomes
