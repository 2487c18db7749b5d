"""What is not as it should be, each with what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.domain.ids import SessionId
from orchestrator.domain.person import OWNER
from orchestrator.errors import NotReady, TemporaryError
from orchestrator.ports.agent import AGENT
from orchestrator.ports.plugin import Options, Plugin
from orchestrator.ports.runtime import Launch, Presence, RuntimeLook
from orchestrator.services import configuration, doctor
from orchestrator.services.doctor import FAILURE, OK, WARNING, Finding
from orchestrator.services.kill import kill
from orchestrator.testing.fakes.runtime import FakeTerminal
from orchestrator.testing.ring import Ring, open_ring


async def found(ring: Ring, subject: str) -> list[Finding]:
    return [f for f in await doctor.doctor(ring.core) if f.subject == subject]


async def test_healthy_house_has_no_failure(ring: Ring) -> None:
    await ring.spawn()
    findings = await doctor.doctor(ring.core)
    assert [f for f in findings if f.level == FAILURE] == []
    assert {f.subject for f in findings if f.level == OK} >= {"disk", "runtime fake"}


async def test_sandbox_that_is_not_there_is_said(ring: Ring) -> None:
    (finding,) = await found(ring, "sandbox")
    assert (finding.level, "could act as you" in finding.text) == (WARNING, True)


async def test_where_the_console_is_is_said(ring: Ring) -> None:
    ring.core.addresses["console"] = "http://127.0.0.1:8410"
    (finding,) = await found(ring, "console")
    assert (finding.level, finding.text) == (OK, "http://127.0.0.1:8410")


async def test_configuration_that_went_bad(ring: Ring) -> None:
    ring.settings.path.write_text("limits: {sessions: many}\n")
    findings = await found(ring, "configuration")
    assert {f.level for f in findings} == {FAILURE}
    assert "ao reload" in findings[0].next_step


class Launched(Options):
    launch: tuple[str, ...] = ()


async def test_a_plugin_of_several_projects_is_one_row_and_names_them_where_they_differ(ring: Ring) -> None:
    agent = Plugin(
        slot=AGENT,
        name="launched",
        summary="s",
        create=lambda *_: ring.world.agent,
        options=Launched,
        launches=("launch",),
    )
    ring.core.registry.add(agent, "the test")
    text = ring.settings.path.read_text()
    for name, program in (("one", "sh"), ("two", "/nope/agent"), ("three", "/nope/agent")):
        text += f"  {name}: {{path: ., sessionPrefix: {name}, agent: launched, tracker: {{plugin: fake}}, "
        text += f"scm: {{plugin: fake}}, agentConfig: {{launch: [{program}]}}}}\n"
    ring.settings.path.write_text(text)
    await configuration.reload(ring.core)
    assert len(await found(ring, "runtime fake")) == 1
    assert len(await found(ring, "agent launched of one")) == 1
    [lacks] = await found(ring, "agent launched of two, three")
    assert lacks.text == "needs /nope/agent, not on the PATH"


async def test_dead_agents_and_clean_up_that_waits(ring: Ring) -> None:
    dead, ends = await ring.spawn("1"), await ring.spawn("2")
    ring.runtime.exit(dead, 3)
    await ring.look()
    ring.workspace.fail_next("remove", TemporaryError("device is busy"))
    await kill(ring.core, ends, by=OWNER)
    await ring.settle()
    (first,) = await found(ring, dead)
    assert ("code 3" in first.text, f"ao restore {dead}" in first.next_step) == (True, True)
    (second,) = await found(ring, ends)
    assert "device is busy" in second.text


async def test_terminal_without_a_session(ring: Ring) -> None:
    await ring.spawn()
    ring.runtime.terminals[SessionId("demo-9")] = FakeTerminal(
        Launch(argv=("x",), cwd="/"), RuntimeLook(presence=Presence.ALIVE)
    )
    (orphan,) = await found(ring, "demo-9")
    assert orphan.text == "a terminal without a session"
    ring.runtime.fail_next(TemporaryError("tmux does not answer"))
    (said,) = await found(ring, "terminals")
    assert said.text == "tmux does not answer"


async def test_notifiers_that_can_and_cannot(ring: Ring) -> None:
    with ring.settings.path.open("a") as file:
        file.write("notifiers: {phone: {plugin: fake}, mail: {plugin: pigeon}}\n")
    await configuration.reload(ring.core)
    assert [f.level for f in await found(ring, "notifier phone")] == [OK]
    assert [f.level for f in await found(ring, "notifier mail")] == [WARNING]
    ring.world.notifier.broken = NotReady("there is no session bus.")
    (finding,) = await found(ring, "notifier phone")
    assert (finding.level, finding.text) == (WARNING, "there is no session bus.")


async def test_damaged_file_is_named_with_where_it_was_put(ring: Ring) -> None:
    one, two = await ring.spawn("1"), await ring.spawn("2")
    await ring.die()
    home = ring.core.home
    home.project(ring.session(one).project).session(one).document.write_text("{")
    ring.after = again = await open_ring(home.path.parent, world=ring.world, before=ring)
    assert [s.id for s in again.fleet.all()] == [two]
    (finding,) = await found(again, "storage")
    assert finding.level == FAILURE
    assert one in finding.text


async def test_session_of_a_project_that_is_not_configured(ring: Ring) -> None:
    one = await ring.spawn()
    ring.core.unadopted.append(ring.session(one))
    (finding,) = [f for f in await found(ring, one) if f.level == FAILURE]
    assert "not in the configuration" in finding.text


async def test_disk_that_is_nearly_full(ring: Ring, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "LEAST_DISK", 1 << 80)
    (finding,) = await found(ring, "disk")
    assert finding.level == WARNING
    assert isinstance(ring.core.home.path, Path)


async def test_a_chat_surface_says_what_is_wrong_with_it(ring: Ring) -> None:
    state = ["", ""]
    ring.core.surfaces["slack"] = lambda: (state[0], state[1])
    (finding,) = await found(ring, "slack")
    assert finding.level == OK
    state[:] = ["it does not answer", "Look at its tokens."]
    (finding,) = await found(ring, "slack")
    assert (finding.level, finding.text, finding.next_step) == (
        WARNING,
        "it does not answer",
        "Look at its tokens.",
    )
