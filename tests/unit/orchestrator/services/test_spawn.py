"""Asking for sessions: checked, reserved, kept; never two on one issue by accident."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typing_extensions import override

from orchestrator.domain.ids import ProjectId, SessionId
from orchestrator.domain.issue import IssueState
from orchestrator.domain.person import OWNER
from orchestrator.errors import AoError, BadInput, Conflict, NotFound, TemporaryError
from orchestrator.ports.agent import AGENT, Launches
from orchestrator.ports.plugin import Options, Plugin, PluginContext
from orchestrator.services.kill import kill
from orchestrator.services.spawn import MOST_PROMPT, AlreadyThere, SpawnAsk, refuse_absent, spawn, spawn_batch
from orchestrator.testing.fakes.agent import FakeAgent
from orchestrator.testing.fakes.keeping import FakeKeeping
from orchestrator.testing.ring import Ring, open_ring


def ask(issue: str = "1", **fields: object) -> SpawnAsk:
    return replace(SpawnAsk(project="demo", issue=issue), **fields)  # type: ignore[arg-type]


async def test_session_is_kept_before_it_is_acknowledged(ring: Ring) -> None:
    made = await spawn(ring.core, ask("#7"), by=OWNER)
    assert (made.id, made.branch, made.task.title, made.task.issue) == (
        "demo-1",
        "feat/issue-7",
        "Issue 7",
        "7",
    )
    again = await ring.crash()
    assert again.status(made.id) == "idle"
    assert (await again.told(made.id)).count("session.spawned") == 1


async def test_spawn_that_a_full_disk_refused_does_not_start_later(tmp_path: Path) -> None:
    disk = FakeKeeping()
    ring = await open_ring(tmp_path, keeping=disk.over)
    disk.full.add(SessionId("demo-1"))
    with pytest.raises(TemporaryError, match="full"):
        await spawn(ring.core, ask(), by=OWNER)
    disk.full.clear()
    await ring.later(10)
    assert (ring.fleet.all(), ring.runtime.starts) == ((), [])
    assert await ring.spawn() == "demo-2"
    assert (await ring.told())[0] == "session.spawned"
    await ring.close()


async def test_two_spawns_of_one_issue_at_once_make_one_session(ring: Ring) -> None:
    results = await asyncio.gather(
        *(spawn(ring.core, ask(), by=OWNER) for _ in range(5)), return_exceptions=True
    )
    refused = [r for r in results if isinstance(r, AlreadyThere)]
    assert (len(refused), len(ring.fleet.all())) == (4, 1)
    assert {r.existing for r in refused} == {"demo-1"}
    assert "demo-1 works on issue 1 already" in refused[0].what


async def test_another_on_purpose_has_a_branch_of_its_own(ring: Ring) -> None:
    await ring.spawn()
    second = await spawn(ring.core, ask(again=True), by=OWNER)
    assert second.branch == "feat/issue-1-2"
    await ring.settle()
    assert ring.status(second.id) == "idle"


async def test_issue_of_an_ended_session_can_be_spawned_again(ring: Ring) -> None:
    one = await ring.spawn()
    await kill(ring.core, one, by=OWNER)
    await ring.settle()
    assert (await spawn(ring.core, ask(), by=OWNER)).id == "demo-2"


async def test_issue_on_which_an_ended_session_left_work_is_told_and_spawned_on_purpose(ring: Ring) -> None:
    one = await ring.spawn()
    await ring.workspace.edit(one, "half.py", "half")
    await kill(ring.core, one, by=OWNER)
    await ring.settle()
    with pytest.raises(AlreadyThere, match="left work on issue 1") as refused:
        await spawn(ring.core, ask(), by=OWNER)
    assert refused.value.existing == one
    assert f"ao restore {one}" in refused.value.next_step
    assert (await spawn(ring.core, ask("2"), by=OWNER)).branch == "feat/issue-2"
    again = await spawn(ring.core, ask(again=True), by=OWNER)
    assert again.branch == f"feat/issue-1-{again.id.rpartition('-')[2]}"


async def test_spawn_is_refused_when_a_part_of_its_project_is_not_here(ring: Ring) -> None:
    parts = ring.core.settings.now.parts
    absent = replace(parts(ProjectId("demo")), runtime="nowhere")
    with pytest.raises(NotFound, match="no runtime plugin 'nowhere'"):
        refuse_absent(ring.core, absent)


async def test_task_in_words_needs_no_issue(ring: Ring) -> None:
    made = await spawn(ring.core, ask("", prompt="Tidy up: the README!\nAnd more."), by=OWNER)
    assert made.branch == "feat/tidy-up-the-readme-and-more"
    assert made.task.issue == ""
    await ring.settle()
    assert "Tidy up" in ring.agent.tasks[made.id].prompt
    assert (await spawn(ring.core, ask("", prompt="???"), by=OWNER)).branch == "feat/task"


async def test_branch_that_is_named_and_another_session_s_is_refused_before_anything_is_made(
    ring: Ring,
) -> None:
    one = await ring.spawn()
    with pytest.raises(Conflict, match="demo-1 works on feat/issue-1"):
        await spawn(ring.core, ask("2", branch="feat/issue-1"), by=OWNER)
    await ring.workspace.edit(one, "half.py", "half")
    await kill(ring.core, one, by=OWNER)
    await ring.settle()
    with pytest.raises(Conflict, match="left work on feat/issue-1") as refused:
        await spawn(ring.core, ask("2", branch="feat/issue-1"), by=OWNER)
    assert f"ao restore {one}" in refused.value.next_step
    assert ring.fleet.all() == ()


async def test_prompt_beside_an_issue_and_a_branch_of_ones_own(ring: Ring) -> None:
    made = await spawn(ring.core, ask(prompt="Quickly.", branch="fix/mine"), by=OWNER)
    assert (made.branch, made.task.prompt) == ("fix/mine", "Quickly.")


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"project": "other"}, NotFound),
        ({"project": "no such!"}, BadInput),
        ({"issue": "999"}, NotFound),
        ({"issue": "what?"}, BadInput),
        ({"issue": "", "prompt": "  "}, BadInput),
        ({"prompt": "x" * (MOST_PROMPT + 1)}, BadInput),
        ({"agent": "nobody"}, NotFound),
        ({"branch": "--upload-pack=x"}, BadInput),
        ({"branch": "a..b"}, BadInput),
    ],
)
async def test_bad_input_makes_nothing(ring: Ring, wrong: dict[str, str], error: type[AoError]) -> None:
    with pytest.raises(error) as refused:
        await spawn(ring.core, ask(**wrong), by=OWNER)
    assert refused.value.what
    assert (ring.fleet.all(), await ring.told()) == ((), [])


async def test_issue_that_is_closed_or_cannot_be_read(ring: Ring) -> None:
    issue = ring.tracker.issues["demo", "1"]
    ring.tracker.issues["demo", "1"] = replace(issue, state=IssueState.CLOSED)
    with pytest.raises(Conflict, match="is closed"):
        await spawn(ring.core, ask(), by=OWNER)
    ring.tracker.unreadable["2"] = "503"
    with pytest.raises(TemporaryError, match="503"):
        await spawn(ring.core, ask("2"), by=OWNER)


async def test_batch_starts_what_it_can_and_says_of_each(ring: Ring) -> None:
    await ring.spawn("2")
    outcomes = await spawn_batch(ring.core, "demo", ["1", "2", "999", "3", "1"], by=OWNER)
    said = {o.issue: o.session.id if o.session else type(o.error).__name__ for o in outcomes}
    assert said == {"1": "demo-2", "2": "AlreadyThere", "999": "NotFound", "3": "demo-3"}
    await ring.settle()
    assert len(ring.fleet.all()) == 3


async def test_numbers_that_branches_on_the_forge_speak_of_are_not_given_again(ring: Ring) -> None:
    for name in ("session/demo-7", "feat/demo-12-extra", "demo-x", "other-90", "main"):
        ring.scm.forge.branches["demo", name] = "a" * 40
    assert (await spawn(ring.core, ask(), by=OWNER)).id == "demo-8"


async def test_forge_that_cannot_name_its_branches_holds_no_spawn_up(ring: Ring) -> None:
    ring.scm.fail_next("branches", TemporaryError("no answer"))
    assert (await spawn(ring.core, ask(), by=OWNER)).id == "demo-1"


async def test_a_word_that_is_no_issue_says_how_a_task_is_given_in_words(ring: Ring) -> None:
    with pytest.raises(BadInput) as refused:
        await spawn(ring.core, SpawnAsk(project="demo", issue="x y"), by=OWNER)
    assert "--prompt" in refused.value.next_step


# What is known to fail before anything is made ------------------------------------------------------


async def refused(ring: Ring, **fields: object) -> AoError:
    with pytest.raises(AoError) as error:
        await spawn(ring.core, ask(**fields), by=OWNER)  # type: ignore[arg-type]
    assert (ring.fleet.all(), list(ring.core.home.projects.glob("*/sessions/*"))) == ((), [])
    assert error.value.next_step
    return error.value


async def test_branch_that_is_taken_in_the_repository_refuses_the_spawn(ring: Ring) -> None:
    ring.workspace.taken.add(("demo", "feat/issue-1"))
    assert "feat/issue-1 exists already" in str(await refused(ring))


async def test_base_that_is_gone_refuses_the_spawn_and_a_forge_that_is_down_does_not(ring: Ring) -> None:
    ring.scm.fail_next("base", NotFound("The branch main is gone."))
    assert "main is gone" in str(await refused(ring))
    ring.scm.fail_next("base", TemporaryError("502"))
    assert ring.status(await ring.spawn()) == "idle"


async def test_agent_with_wrong_options_or_without_its_program_refuses_the_spawn(ring: Ring) -> None:
    def wrong(_options: Options, _context: PluginContext) -> Any:
        msg = "agent custom: launch is required."
        raise BadInput(msg)

    def lacking(_options: Options, _context: PluginContext) -> Any:
        return _Lacking()

    for name, create in (("wrong", wrong), ("lacking", lacking)):
        plugin = Plugin(slot=AGENT, name=name, summary="for tests", create=create)
        ring.core.registry.add(plugin, "the test")
    assert "launch is required" in str(await refused(ring, agent="wrong"))
    assert "needs no-such-program" in str(await refused(ring, agent="lacking"))


class _Lacking(FakeAgent, Launches):
    @override
    def launched_as(self) -> str:
        return "no-such-program"
