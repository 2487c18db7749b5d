"""The configuration while everything runs: the last good one stays."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from orchestrator.domain.ids import ProjectId
from orchestrator.errors import AoError, BadInput, Conflict, NotReady
from orchestrator.services import configuration
from orchestrator.services.trust import Trusted, trust_file
from orchestrator.settings.problems import Grade
from orchestrator.testing.ring import Ring

DEMO = ProjectId("demo")


def write(ring: Ring, more: str = "", **replaced: str) -> None:
    text = ring.settings.path.read_text()
    for old, new in replaced.items():
        text = text.replace(old, new)
    ring.settings.path.write_text(text + more)


async def test_reload_takes_the_new_one_over(ring: Ring) -> None:
    one = await ring.spawn()
    write(ring, "lifecycle: {detectingLooks: 7}\n")
    await configuration.reload(ring.core)
    assert ring.settings.rules(DEMO).detecting_looks == 7
    assert ring.status(one) == "idle"
    assert ring.fleet.awake.is_set()


@pytest.mark.parametrize(
    "more", ["nonsense: [", "limits: {sessions: many}\n", "unknownKey: 1\n", "limits: {}\nlimits: {}\n"]
)
async def test_reload_of_a_bad_one_keeps_the_last_good_one(ring: Ring, more: str) -> None:
    write(ring, more)
    with pytest.raises(BadInput):
        await configuration.reload(ring.core)
    assert ring.settings.now.project_ids == ("demo",)
    assert any(p.grade is Grade.ERROR for p in await configuration.check(ring.core))


async def test_wrong_option_of_a_plugin_is_an_error_with_its_line(ring: Ring) -> None:
    write(ring, **{"tracker: {plugin: fake}": "tracker: {plugin: fake, colour: red}"})
    (problem,) = [p for p in await configuration.check(ring.core) if p.grade is Grade.ERROR]
    assert "colour" in str(problem)
    with pytest.raises(BadInput, match="colour"):
        await configuration.reload(ring.core)


async def test_plugin_that_is_absent_is_not_ready_here_and_no_error(ring: Ring) -> None:
    write(ring, "notifiers: {mail: {plugin: pigeon}}\n")
    assert {p.grade for p in await configuration.check(ring.core)} == {Grade.NOT_READY}
    await configuration.reload(ring.core)


async def test_what_runs_code_waits_for_trust(ring: Ring) -> None:
    before = ring.settings.now
    write(ring, **{"    defaultBranch: main": "    defaultBranch: main\n    postCreate: [make]"})
    with pytest.raises(NotReady, match="make"):
        await configuration.reload(ring.core)
    assert ring.settings.now is before
    (said,) = await configuration.trust(ring.core)
    assert "make" in said
    assert ring.settings.project(DEMO).post_create == ("make",)
    await configuration.reload(ring.core)
    write(ring, "# edited\n")
    with pytest.raises(NotReady):
        await configuration.reload(ring.core)


async def test_show_masks_secrets(ring: Ring) -> None:
    assert "demo" in await configuration.show(ring.core)


async def test_error_of_trusting_a_bad_file_is_said(ring: Ring) -> None:
    write(ring, "nonsense: [")
    with pytest.raises(AoError):
        await configuration.trust(ring.core)


PAGER = """
from orchestrator.ports.plugin import Plugin, Slot

PLUGIN = Plugin(slot=Slot("notifier"), name="pager", summary="s", create=lambda o, c: [], runs_code=("run",))
"""


def name_plugin(ring: Ring) -> Path:
    """A plugin of its own, named in the file and trusted by nobody."""
    file = ring.settings.path.with_name("pager.py")
    file.write_text(PAGER)
    more = "plugins: [{name: pager, source: local, path: pager.py}]\nnotifiers: {pager: {plugin: pager}}\n"
    write(ring, more)
    return file


async def trust(ring: Ring, *files: Path) -> None:
    for file in files:
        await asyncio.to_thread(trust_file, file, Trusted(ring.core.home))


async def test_a_plugin_from_outside_is_loaded_once_it_is_trusted(ring: Ring) -> None:
    name_plugin(ring)
    with pytest.raises(NotReady, match="loads code into ao itself"):
        await configuration.reload(ring.core)
    assert "pager" not in ring.core.registry.names("notifier")
    await configuration.trust(ring.core)
    assert "pager" in ring.core.registry.names("notifier")
    assert not [p for p in await configuration.check(ring.core) if "pager" in p.message]


async def test_a_plugin_that_is_named_while_everything_runs_is_loaded_by_a_reload(ring: Ring) -> None:
    file = name_plugin(ring)
    await trust(ring, file, ring.settings.path)
    await configuration.reload(ring.core)
    await configuration.reload(ring.core)
    assert "pager" in ring.core.registry.names("notifier")
    file.write_text(PAGER + "# edited\n")
    await trust(ring, file)
    with pytest.raises(Conflict, match="was changed since it was loaded"):
        await configuration.reload(ring.core)


async def test_whatever_does_not_load_is_listed_beside_all_else(ring: Ring) -> None:
    file = name_plugin(ring)
    file.write_text("PLUGIN = 3")
    await trust(ring, file)
    text = ring.settings.path.read_text().replace("plugins: [", "plugins: [{name: nobody-has-it}, ")
    ring.settings.path.write_text(text.replace("plugin: fake}", "plugin: fake, colour: red}", 1))
    found = {p.message: p for p in await configuration.check(ring.core)}
    absent = next(p for message, p in found.items() if "offers a plugin 'nobody-has-it'" in message)
    broken = next(p for message, p in found.items() if "pager.py has no PLUGIN" in message)
    option = next(p for message, p in found.items() if "This option is not known" in message)
    assert (absent.grade, absent.path) == (Grade.NOT_READY, "plugins[0]")
    assert (broken.grade, broken.path) == (Grade.ERROR, "plugins[1]")
    assert option.grade is Grade.ERROR
    assert all(problem.line for problem in (absent, broken, option))
