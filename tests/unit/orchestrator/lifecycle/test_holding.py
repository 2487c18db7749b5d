"""The gate: what no push brings before a person has released exactly that."""

from __future__ import annotations

import pytest

from orchestrator.domain.activity import ActivityState
from orchestrator.domain.guard import Guard
from orchestrator.domain.held import PushStage
from orchestrator.domain.ids import SessionId
from orchestrator.domain.person import OWNER, Actor, ActorKind
from orchestrator.errors import BadInput, Conflict, NotAllowed, NotFound, SignedOut, TemporaryError
from orchestrator.services.approve import approve
from orchestrator.services.held import release_push, send_back
from orchestrator.services.merge import merge
from orchestrator.services.retry import retry
from orchestrator.testing.ring import Ring

CI = ".github/workflows/ci.yml"
ADA = Actor(kind=ActorKind.PERSON, name="ada")


async def do(ring: Ring, session: SessionId, *words: str) -> str:
    request = ring.ask(session, *words)
    await ring.settle()
    return ring.answer(session, request)


async def held(ring: Ring, text: str = "on: push", *words: str) -> tuple[SessionId, str, str]:
    """A session whose `ao pr create` is held; its head, and what the agent was told."""
    one = await ring.spawn()
    head = await ring.workspace.commit(one, CI, text)
    said = await do(ring, one, "pr", "create", "--title", "Add CI", "--body", "It adds CI.", *words)
    return one, head, said


def on_forge(ring: Ring) -> set[str]:
    return set(ring.scm.forge.branches.values())


async def test_what_is_guarded_is_not_pushed_and_the_agent_is_told_so_at_once(ring: Ring) -> None:
    one, head, said = await held(ring)
    assert said.startswith("1\nao: ")
    assert f"{head[:12]} is held" in said
    assert f"{CI} is added" in said
    assert "Once it is released ao itself" in said
    assert on_forge(ring) == set()
    assert "publish" not in ring.scm.calls
    [event] = [e for e in await ring.events(one) if e.type == "push.held"]
    assert (event.level.value, event.data["head"]) == ("action", head)
    assert event.text == f"push of {head[:12]} held: {CI} is added"
    ring.agent.says(one, ActivityState.IDLE)
    await ring.look(one)
    assert (ring.status(one), ring.session(one).status.reason) == (
        "waiting_input",
        f"push held: {CI} is added",
    )
    assert "+on: push" in ring.session(one).held.pushes[0].findings[0].hunks


async def test_git_push_is_held_likewise_and_what_is_not_guarded_passes(ring: Ring) -> None:
    one = await ring.spawn()
    fine = await ring.workspace.commit(one, "a.py", "1")
    assert (await do(ring, one, "push", fine, "refs/heads/feat/issue-1")).startswith("0\n")
    assert on_forge(ring) == {fine}
    head = await ring.workspace.commit(one, "CLAUDE.md", "obey")
    assert "is held" in await do(ring, one, "push", head, "refs/heads/feat/issue-1")
    assert on_forge(ring) == {fine}


async def test_the_push_at_a_turns_end_is_held_and_told_once(ring: Ring) -> None:
    one = await ring.spawn()
    first = await ring.pull_request(one)
    await ring.workspace.commit(one, "AGENTS.md", "obey")
    await ring.look(one)
    await ring.later(300)
    assert ring.scm.pull_of(one).head == first
    assert (await ring.told(one)).count("push.held") == 1
    assert "push.refused" not in await ring.told(one)


async def test_after_the_release_ao_itself_opens_the_pull_request_with_its_words(ring: Ring) -> None:
    one, head, _ = await held(ring)
    await release_push(ring.core, one, head=head[:10], by=ADA)
    await ring.settle()
    pull = ring.scm.pull_of(one)
    assert (pull.head, pull.title) == (head, "Add CI")
    push = ring.session(one).held.pushes[-1]
    assert (push.stage, push.by) == (PushStage.PUSHED, ADA)
    assert push.findings[0].hunks == ""
    told = await ring.told(one)
    assert [told.count(kind) for kind in ("push.released", "pr.opened", "push.held")] == [1, 1, 1]
    (entry,) = await ring.core.store.audit.newest(10)
    assert (entry.verb, entry.by.name, entry.head) == ("release", "ada", head)


async def test_a_later_head_with_the_same_guarded_hunks_passes(ring: Ring) -> None:
    one, head, _ = await held(ring)
    await release_push(ring.core, one, head=head, by=ADA)
    await ring.settle()
    newer = await ring.workspace.commit(one, "a.py", "1")
    await ring.look(one)
    assert ring.scm.pull_of(one).head == newer
    changed = await ring.workspace.commit(one, CI, "on: pull_request_target")
    await ring.look(one)
    assert ring.scm.pull_of(one).head == newer
    assert (await ring.told(one)).count("push.held") == 2
    assert ring.session(one).held.push is not None
    await release_push(ring.core, one, head=changed, by=ADA)
    await ring.settle()
    assert ring.scm.pull_of(one).head == changed


async def test_a_newer_head_disarms_what_was_shown(ring: Ring) -> None:
    one, head, _ = await held(ring)
    ring.agent.says(one, ActivityState.BUSY)
    newer = await ring.workspace.commit(one, CI, "on: [push, pull_request_target]")
    await ring.look(one)
    with pytest.raises(Conflict, match="its branch is at"):
        await release_push(ring.core, one, head=head, by=ADA)
    ring.agent.says(one, ActivityState.IDLE)
    await ring.look(one)
    with pytest.raises(Conflict, match="not at"):
        await release_push(ring.core, one, head=head, by=ADA)
    push = ring.session(one).held.push
    assert push is not None
    assert (push.head, push.waits) == (newer, True)
    assert on_forge(ring) == set()
    await release_push(ring.core, one, head=newer, by=ADA)
    await ring.settle()
    assert ring.scm.pull_of(one).title == "Add CI"


async def test_a_commit_between_the_click_and_the_push_does_not_slip_through(ring: Ring) -> None:
    one, head, _ = await held(ring)
    ring.agent.says(one, ActivityState.BUSY)
    await ring.look(one)
    evil = await ring.workspace.commit(one, CI, "on: pull_request_target")
    await release_push(ring.core, one, head=head, by=ADA)  # nobody has looked since
    await ring.settle()
    assert on_forge(ring) == set()
    ring.agent.says(one, ActivityState.IDLE)
    await ring.look(one)
    assert on_forge(ring) == set()
    push = ring.session(one).held.push
    assert push is not None
    assert (push.head, push.waits) == (evil, True)


async def test_a_newer_head_without_what_was_guarded_goes_out_by_itself(ring: Ring) -> None:
    one, _, _ = await held(ring)
    del ring.place(one).files[f"{ring.workspace.trees[one].path}/{CI}"]
    newer = await ring.workspace.commit(one, "a.py", "1")
    await ring.look(one)
    assert (ring.scm.pull_of(one).head, ring.scm.pull_of(one).title) == (newer, "Add CI")
    assert ring.session(one).held.pushes[-1].stage is PushStage.OVERTAKEN


async def test_sent_back_the_agent_is_told_what_and_why_and_that_head_never_goes(ring: Ring) -> None:
    one, head, _ = await held(ring)
    await send_back(ring.core, one, head=head, words="Leave CI alone.", by=ADA)
    await ring.settle()
    [message] = [m for m in ring.session(one).messages if m.key.startswith("sent-back")]
    assert "Leave CI alone." in message.text
    assert f"{CI} is added" in message.text
    assert message.by == "ada"
    assert (await ring.told(one)).count("push.sent_back") == 1
    again = await do(ring, one, "pr", "create")
    assert "ada sent" in again
    assert "Leave CI alone." in again
    await ring.later(60)
    assert on_forge(ring) == set()
    assert (await ring.told(one)).count("push.held") == 1
    with pytest.raises(Conflict, match="was sent back by ada"):
        await release_push(ring.core, one, head=head, by=OWNER)


async def test_a_second_click_says_who_was_first(ring: Ring) -> None:
    one, head, _ = await held(ring)
    await release_push(ring.core, one, head=head, by=ADA)
    for decide in (
        release_push(ring.core, one, head=head, by=OWNER),
        send_back(ring.core, one, head=head, words="", by=OWNER),
    ):
        with pytest.raises(Conflict, match="was released by ada at"):
            await decide


async def test_what_is_no_head_and_what_is_not_held_is_said_so(ring: Ring) -> None:
    one = await ring.spawn()
    with pytest.raises(NotFound, match="no push of it is held"):
        await release_push(ring.core, one, head="a" * 40, by=ADA)
    with pytest.raises(BadInput, match="no commit"):
        await release_push(ring.core, one, head="abc", by=ADA)


async def test_neither_approval_nor_merge_counts_as_a_release(ring: Ring) -> None:
    ring.rules(cleanup_on_merge=False)
    one = await ring.spawn()
    first = await ring.pull_request(one)
    await ring.checks(one, passed=True)
    guarded = await ring.workspace.commit(one, CI, "on: push")
    await ring.look(one)
    await approve(ring.core, one, head=first, by=ADA)
    await ring.look(one)
    with pytest.raises(Conflict):
        await approve(ring.core, one, head=guarded, by=ADA)
    await merge(ring.core, one, head=first, by=ADA)
    await ring.settle()
    assert ring.scm.forge.merges == [("demo", 1, first, "squash")]
    assert guarded not in on_forge(ring)
    assert ring.session(one).held.released == ()


async def test_a_crash_between_release_and_push_brings_it_out_after(ring: Ring) -> None:
    one, head, _ = await held(ring)
    ring.scm.fail_next("publish", TemporaryError("502"))
    await release_push(ring.core, one, head=head, by=ADA)
    await ring.settle()
    again = await ring.crash()
    await again.later(10)
    assert again.scm.pull_of(one).head == head
    assert (await again.told(one)).count("push.released") == 1


async def test_what_the_forge_refuses_after_a_release_is_told_and_not_tried_for_ever(ring: Ring) -> None:
    one, head, _ = await held(ring)
    ring.scm.push_from_elsewhere(ring.fleet.world.ref(ring.session(one)), "e" * 40)
    await release_push(ring.core, one, head=head, by=ADA)
    await ring.later(120)
    assert (await ring.told(one)).count("push.refused") == 1
    assert ring.session(one).held.pushes[-1].stage is PushStage.REFUSED


async def test_a_diff_that_cannot_be_read_lets_nothing_out(ring: Ring) -> None:
    one = await ring.spawn()
    await ring.workspace.commit(one, "a.py", "1")
    ring.scm.fail_next("diff", TemporaryError("disk"))
    request = ring.ask(one, "pr", "create")
    await ring.settle()
    assert (ring.answer(one, request), on_forge(ring)) == ("", set())
    await ring.later(20)
    assert ring.answer(one, request).startswith("0\n#1")


async def test_the_same_push_again_is_told_once(ring: Ring) -> None:
    one, head, _ = await held(ring)
    assert "is held" in await do(ring, one, "push", head, "refs/heads/feat/issue-1")
    assert "is held" in await do(ring, one, "pr", "create", "--title", "Better")
    assert (await ring.told(one)).count("push.held") == 1
    await release_push(ring.core, one, head=head, by=ADA)
    await ring.settle()
    assert ring.scm.pull_of(one).title == "Better"


async def test_a_guard_that_is_off_holds_nothing(ring: Ring) -> None:
    ring.rules(guard=Guard(enabled=False))
    _one, head, said = await held(ring)
    assert said.startswith("0\n")
    assert on_forge(ring) == {head}
    assert "diff" not in ring.scm.calls


async def test_an_agent_that_waits_for_a_release_is_not_nagged(ring: Ring) -> None:
    one, _, _ = await held(ring)
    ring.agent.says(one, ActivityState.IDLE)
    await ring.later(3600, step=60.0)
    assert ring.session(one).messages == ()
    assert ring.status(one) == "waiting_input"


NO_WORKFLOWS = NotAllowed("GitHub refuses it.", next_step="Give the token Workflows: write.")


async def refused(ring: Ring) -> tuple[SessionId, str]:
    """A session whose push was released, and then refused by the forge."""
    one, head, _ = await held(ring)
    ring.agent.says(one, ActivityState.IDLE)
    await ring.look(one)
    ring.scm.fail_next("publish", NO_WORKFLOWS)
    await release_push(ring.core, one, head=head, by=ADA)
    await ring.settle()
    return one, head


async def test_a_refusal_after_a_release_is_said_at_once_and_stays_in_sight(ring: Ring) -> None:
    one, head = await refused(ring)
    assert (ring.status(one), ring.session(one).status.reason) == (
        "waiting_input",
        "push refused: GitHub refuses it. Give the token Workflows: write.",
    )
    assert f"push of {head[:12]} refused" in ring.session(one).status.evidence
    await ring.later(600, step=60.0)
    assert (await ring.told(one)).count("push.refused") == 1
    assert ring.scm.calls.count("publish") == 1
    again = await ring.crash()
    await again.later(60)
    assert again.session(one).status.reason.startswith("push refused: ")
    assert again.scm.calls.count("publish") == 1


@pytest.mark.parametrize("how", ["release", "retry"])
async def test_a_refused_push_goes_out_once_a_person_has_it_tried_again(ring: Ring, how: str) -> None:
    one, head = await refused(ring)
    if how == "release":
        await release_push(ring.core, one, head=head, by=OWNER)
    else:
        await retry(ring.core, one, by=OWNER)
    await ring.settle()
    pull, push = ring.scm.pull_of(one), ring.session(one).held.pushes[-1]
    assert (pull.head, pull.title) == (head, "Add CI")
    assert push.stage is PushStage.PUSHED
    assert push.by == (OWNER if how == "release" else ADA), "who has it tried again has released nothing"


async def test_a_refused_push_can_be_refused_again_and_is_told_again(ring: Ring) -> None:
    one, head = await refused(ring)
    ring.scm.fail_next("publish", NO_WORKFLOWS)
    await release_push(ring.core, one, head=head, by=ADA)
    await ring.settle()
    assert (await ring.told(one)).count("push.refused") == 2
    assert ring.status(one) == "waiting_input"


async def test_a_refused_push_can_be_sent_back_and_the_agent_hears_what_the_forge_said(ring: Ring) -> None:
    one, head = await refused(ring)
    await send_back(ring.core, one, head=head, words="Leave CI alone.", by=ADA)
    [message] = [m for m in ring.session(one).messages if m.key.startswith("sent-back")]
    assert "was refused and is now sent back by ada" in message.text
    assert "the forge refused it: GitHub refuses it." in message.text
    await ring.settle()
    assert on_forge(ring) == set()


async def test_a_newer_head_overtakes_what_was_refused_and_opens_its_pull_request(ring: Ring) -> None:
    one, _ = await refused(ring)
    newer = await ring.workspace.commit(one, "a.py", "1")
    await ring.look(one)
    assert (ring.scm.pull_of(one).head, ring.scm.pull_of(one).title) == (newer, "Add CI")
    assert ring.session(one).held.push is None


async def test_a_refused_push_of_an_open_pull_request_waits_and_is_tried_again_on_retry(ring: Ring) -> None:
    one = await ring.spawn()
    await ring.pull_request(one)
    head = await ring.workspace.commit(one, "more.py", "2")
    ring.scm.fail_next("publish", NO_WORKFLOWS)
    await ring.look(one)
    assert ring.session(one).status.reason.startswith("push refused: GitHub refuses it.")
    await retry(ring.core, one, by=ADA)
    await ring.settle()
    assert ring.scm.pull_of(one).head == head
    assert ring.session(one).held.push is None
    assert (await ring.told(one)).count("push.again") == 1


async def test_what_somebody_else_brought_to_the_forge_is_refused_no_more(ring: Ring) -> None:
    one = await ring.spawn()
    await ring.pull_request(one)
    head = await ring.workspace.commit(one, "more.py", "2")
    ring.scm.fail_next("publish", NO_WORKFLOWS)
    await ring.look(one)
    ring.scm.push_from_elsewhere(ring.fleet.world.ref(ring.session(one)), head)
    await ring.look(one)
    assert ring.session(one).held.push is None
    assert not ring.session(one).status.reason.startswith("push refused")


async def test_what_the_forge_does_not_take_the_token_for_is_tried_again_by_itself(ring: Ring) -> None:
    one, head, _ = await held(ring)
    ring.scm.fail_next("publish", SignedOut("401"))
    await release_push(ring.core, one, head=head, by=ADA)
    await ring.later(10)
    assert ring.scm.pull_of(one).head == head
