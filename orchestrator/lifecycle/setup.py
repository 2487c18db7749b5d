"""Setting a session up: place, folder, base, workspace, then the agent. Each step is repeatable."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from orchestrator.domain import outsiders as outside_texts
from orchestrator.domain.activity import Activity, ActivityState
from orchestrator.domain.event import Level
from orchestrator.domain.issue import Issue
from orchestrator.domain.look import Unseen
from orchestrator.domain.pull_request import PullRequest
from orchestrator.domain.session import RuntimeFact, RuntimeState, Session, Setup, SetupStep, Work
from orchestrator.errors import PermanentError, TemporaryError
from orchestrator.lifecycle import acts, agent_folder, forge, outsiders, permissions, prompts
from orchestrator.lifecycle.decide import ANSWERING
from orchestrator.lifecycle.draft import Draft
from orchestrator.lifecycle.fleet import Fleet
from orchestrator.ports.agent import AgentTask

PROMPT = "prompt.md"


async def make_workspace(fleet: Fleet, session: Session, act: acts.MakeWorkspace) -> None:
    """Base fetched, workspace made and prepared, the session's folder filled."""
    del act
    world = fleet.world
    if session.setup.step is SetupStep.WORKSPACE:
        # It was begun before: what an `ao start` that was killed left running would work beside us.
        await world.runtime(session).stop(world.ref(session))
    await fleet.change(session.id, lambda d: _step(d, SetupStep.WORKSPACE))
    place = await world.place(session)
    base = await world.scm(session).base(world.config.project(session.project), session.base)
    start = session.restored_from or await _claimed_head(fleet, session)
    made = await world.workspace(session).create(world.ref(session), place, base, start)
    claimed = await _claimed(fleet, session, made.head)
    await agent_folder.install(place)

    def done(draft: Draft) -> None:
        # A session that was restored keeps the base that it really started from.
        sha = draft.session.base_sha or base.sha
        source = f"{base.mirror} refs/ao/base/{base.branch}"
        draft.set(
            workspace=made.path, base_sha=sha, base_source=source, local_head=made.head, restored_from=""
        )
        draft.tell(
            "session.workspace", f"workspace ready on {made.branch}", branch=made.branch, base=base.sha
        )
        if base.note:
            draft.tell("base.note", base.note, Level.WARNING)
        if claimed is not None:
            forge.handed_over(draft, claimed)
        _step(draft, SetupStep.STARTING)

    await fleet.change(session.id, done)


async def _claimed_head(fleet: Fleet, session: Session) -> str:
    """The head of the pull request that the session takes over, in the mirror; empty when it takes none."""
    if not session.claiming:
        return ""
    return await forge.claims(fleet, session).bring(
        fleet.world.config.project(session.project), session.claiming
    )


async def _claimed(fleet: Fleet, session: Session, head: str) -> PullRequest | None:
    """Only now: before, the workspace had nothing of what is in the pull request."""
    if not session.claiming:
        return None
    return await forge.claims(fleet, session).claim(fleet.world.ref(session), session.claiming, head)


def _step(draft: Draft, step: SetupStep) -> None:
    draft.set(setup=Setup(step=step, at=draft.now, resume=draft.session.setup.resume))


async def start_agent(fleet: Fleet, session: Session, act: acts.StartAgent) -> None:
    """Prompt written, agent launched."""
    del act
    world = fleet.world
    place = await world.place(session)
    issue = await issue_of(fleet, session)
    session = await fleet.change(session.id, lambda d: _hold_texts(d, issue))
    if session.held.task_waits:
        return  # it is admitted again once that is released
    given = outsiders.released(session)
    task = await _task(fleet, session, issue)
    prompt, resume = task.prompt, task.resume
    await place.write(f"{place.folder}/{PROMPT}", prompt.encode())
    ref = world.ref(session)
    prepared = await world.agent(session).prepare(ref, place, task)
    options = world.config.options(session.project, "agent", session.parts.agent)
    unasked = options.get("permissions") == "permissionless"
    await world.runtime(session).start(ref, prepared.launch)

    def done(draft: Draft) -> None:
        work = draft.session.work
        draft.set(
            setup=Setup(step=SetupStep.READY, at=draft.now, resume=resume),
            unasked=unasked,
            runtime=RuntimeFact(state=RuntimeState.ALIVE, at=draft.now),
            work=_just_launched(work.conversation, draft.now),
        )
        draft.tell(
            "session.started", f"{session.parts.agent} runs in {session.parts.runtime}", resumed=resume
        )
        if not prepared.prompt_given and not (resume and work.conversation):
            draft.enqueue(prompt, by="ao", key="prompt")
        _send_since(draft, given)

    await fleet.change(session.id, done)
    fleet.wake(session.id)


def _just_launched(conversation: str, now: float) -> Work:
    starting = Activity(state=ActivityState.STARTING, at=now, evidence="just launched")
    return Work(activity=starting, at=now, progress_at=now, conversation=conversation)


def _send_since(draft: Draft, given: Collection[str]) -> None:
    """What was released since the prompt was written goes as messages."""
    for text in draft.session.held.texts:
        if text.by is not None and text.id not in given:
            outsiders.send_released(draft, text, text.by)


def _hold_texts(draft: Draft, issue: Issue | None) -> None:
    """What outsiders wrote stays out of the prompt; where that is the whole task, the agent is not started."""
    if issue is None:
        return
    session, task = draft.session, outside_texts.task_of(issue, draft.now)
    goes_on = session.setup.resume and bool(session.work.conversation)
    told = bool(session.task.prompt.strip()) or goes_on
    if task is not None and not told and task.id not in outsiders.released(session):
        outsiders.wait_for(draft, task)
        draft.set(setup=Setup(step=SetupStep.QUEUED, at=draft.now, resume=session.setup.resume))
    about = outside_texts.issue_place(issue)
    outsiders.notice(draft, outside_texts.of_issue(issue, draft.now), about=about)


async def _task(fleet: Fleet, session: Session, issue: Issue | None) -> AgentTask:
    rules = fleet.world.config.rules(session.project)
    return AgentTask(
        prompt=await prompt_text(fleet, session, issue),
        resume=session.setup.resume,
        conversation=session.work.conversation,
        remembered=permissions.remembered_for(session, rules),
        judged=permissions.policy_for(session, rules).judged,
    )


async def issue_of(fleet: Fleet, session: Session) -> Issue | None:
    """The issue as it is now; None for a task in words. Raises `TemporaryError`, `PermanentError`."""
    world = fleet.world
    if not session.task.issue:
        return None
    project = world.config.project(session.project)
    look = (await world.tracker(session).observe(project, [session.task.issue]))[session.task.issue]
    if isinstance(look, Unseen):
        msg = f"issue {session.task.issue} could not be read: {look.reason}"
        raise TemporaryError(msg, session=session.id)
    if look.value is None:
        msg = f"issue {session.task.issue} is gone from the tracker."
        raise PermanentError(msg, session=session.id)
    return look.value


async def prompt_text(fleet: Fleet, session: Session, issue: Issue | None) -> str:
    """The whole task: base, project, rules, issue, and what a person added."""
    world = fleet.world
    return prompts.worker(
        project=world.config.project(session.project),
        session=session,
        issue=issue,
        released=outsiders.released(session),
        rules=await world.files.run("rules", world.config.agent_rules, session.project),
    )


def again(session: Session, now: float, *, resume: bool) -> Session:
    """The session as it is set up anew: after a restore, or when its terminal was lost."""
    # What stood on the screen of the run that is over waits for no answer; shown again, it is a new question.
    questions = tuple(
        replace(q, gone=True, withdrawn=q.withdrawn or not q.delivered) if q.source == "dialog" else q
        for q in session.questions
    )
    return replace(
        session,
        questions=questions,
        intents=tuple(i for i in session.intents if not i.key.startswith(ANSWERING)),
        setup=Setup(step=SetupStep.QUEUED, at=now, resume=resume),
        runtime=RuntimeFact(state=RuntimeState.NONE, at=now),
    )
