"""Taking a session down: terminal, rescue of what is nowhere else, workspace, archive.

Each step is repeatable and kept; none removes anything before the one that saves has succeeded.
"""

from __future__ import annotations

from dataclasses import replace

from orchestrator.domain.activity import Activity, ActivityState
from orchestrator.domain.counted import counted
from orchestrator.domain.event import Level
from orchestrator.domain.session import (
    Ending,
    EndingStep,
    Rescue,
    RuntimeFact,
    RuntimeState,
    Session,
    StopReason,
    Work,
)
from orchestrator.lifecycle import acts
from orchestrator.lifecycle.draft import Draft
from orchestrator.lifecycle.fleet import Fleet
from orchestrator.ports.workspace import Saved


async def stop_runtime(fleet: Fleet, session: Session, act: acts.StopRuntime) -> None:
    """End the agent and everything it started, so that nothing changes while work is saved."""
    del act
    await fleet.world.runtime(session).stop(fleet.world.ref(session))

    def done(draft: Draft) -> None:
        old = draft.session.work
        gone = Activity(state=ActivityState.EXITED, at=draft.now, evidence="stopped")
        draft.set(
            runtime=RuntimeFact(state=RuntimeState.NONE, at=draft.now, reason="stopped on purpose"),
            work=Work(
                activity=gone,
                at=draft.now,
                progress_at=draft.now,
                conversation=old.conversation,
                reported=old.reported,
                reported_done=old.reported_done,
                reported_at=old.reported_at,
            ),
            ending=Ending(step=EndingStep.RUNTIME, at=draft.now),
        )

    await fleet.change(session.id, done)
    fleet.wake()  # a place is free for who waits


async def save_work(fleet: Fleet, session: Session, act: acts.SaveWork) -> None:
    """What is nowhere else goes under a rescue ref; if that cannot be done, nothing is removed."""
    del act
    place = await fleet.world.place(session)
    saved = await fleet.world.workspace(session).save(fleet.world.ref(session), place)

    def done(draft: Draft) -> None:
        if saved is not None:
            _keep_rescue(draft, saved)
        # What held the end up before is not forgotten: the same again is no news.
        draft.set(ending=replace(draft.session.ending, step=EndingStep.RESCUE, at=draft.now))

    await fleet.change(session.id, done)


def _keep_rescue(draft: Draft, saved: Saved) -> None:
    summary = f"{counted(saved.files, 'uncommitted file')}, {counted(saved.commits, 'unpushed commit')}"
    if saved.ignored:
        are = "is" if saved.ignored == 1 else "are"
        summary += f"; {counted(saved.ignored, 'ignored file')} {are} not in it"
    summary = "; ".join((summary, *saved.notes))
    rescue = Rescue(ref=saved.ref, commit=saved.commit, at=draft.now, summary=summary)
    if any(r.ref == saved.ref for r in draft.session.rescues):
        return
    draft.set(rescues=(*draft.session.rescues, rescue))
    draft.tell(
        "rescue.saved",
        f"unsaved work is kept under {saved.ref}: {summary}; `ao restore {draft.session.id}` brings it back",
        Level.ACTION,
        ref=saved.ref,
        commit=saved.commit,
    )


async def remove_workspace(fleet: Fleet, session: Session, act: acts.RemoveWorkspace) -> None:
    """Remove the workspace; the plugin refuses if it holds work that was not saved."""
    del act
    place = await fleet.world.place(session)
    if session.wanted.reason is StopReason.MERGED:
        # With the newest base in the mirror, a branch that is wholly in it is removed too.
        project = fleet.world.config.project(session.project)
        await fleet.world.scm(session).base(project, session.base)
    await fleet.world.workspace(session).remove(fleet.world.ref(session), place)

    def done(draft: Draft) -> None:
        draft.set(workspace="", dirty=0, ending=Ending(step=EndingStep.WORKSPACE, at=draft.now))
        draft.tell("workspace.removed", "the workspace is removed")

    await fleet.change(session.id, done)


async def archive(fleet: Fleet, session: Session, act: acts.Archive) -> None:
    """Nothing more to do: the session joins the ended ones."""
    del act
    await fleet.world.config.end_session(session.id)
    await fleet.archive(session.id)
