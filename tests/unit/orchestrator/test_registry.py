"""One plugin for a slot and a name; what is used and cannot be loaded is a clear error."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path
from types import ModuleType

import pytest
from typing_extensions import override

from orchestrator.errors import AoError, BadInput, Conflict, NotFound
from orchestrator.ports.plugin import Options, Plugin, PluginContext, Slot
from orchestrator.registry import GROUP, Registry

TRACKER: Slot[object] = Slot("tracker")
_FILE = """
from orchestrator.ports.plugin import Options, Plugin, Slot

class Mine(Options):
    team_id: str

PLUGIN = Plugin(slot=Slot("tracker"), name="mine", summary="s", options=Mine, create=lambda o, c: [o.team_id])
"""


class Team(Options):
    team_id: str
    most: int = 3


def plugin(name: str = "mine", **fields: object) -> Plugin[object]:
    made: dict[str, object] = {
        "slot": TRACKER,
        "name": name,
        "summary": "s",
        "create": lambda options, _context: [options],
        "options": Team,
        **fields,
    }
    return Plugin(**made)  # type: ignore[arg-type]


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    catalog = {
        ("tracker", "built-in"): "tests.unit.orchestrator.no_such_module:PLUGIN",
        ("tracker", "odd"): "json:loads",
        ("tracker", "empty"): "json:PLUGIN",
    }
    return Registry(catalog, PluginContext(home=tmp_path, data=str))


def test_two_of_one_name_are_refused(registry: Registry) -> None:
    registry.add(plugin(), "here")
    with pytest.raises(Conflict, match="there brings tracker 'mine', which is there already"):
        registry.add(plugin(), "there")
    with pytest.raises(Conflict):
        registry.add(plugin("built-in"), "there")


def test_unknown_name_names_the_nearest(registry: Registry) -> None:
    registry.add(plugin("linear"), "here")
    with pytest.raises(NotFound, match="Did you mean 'linear'"):
        registry.plugin(TRACKER, "lineer")
    assert registry.names("tracker") == ["built-in", "empty", "linear", "odd"]
    assert registry.slots() == ["tracker"]


@pytest.mark.parametrize(
    ("name", "words"), [("built-in", "ModuleNotFoundError"), ("odd", "no PLUGIN"), ("empty", "no PLUGIN")]
)
def test_used_plugin_that_cannot_be_loaded_is_a_clear_error(
    registry: Registry, name: str, words: str
) -> None:
    with pytest.raises(BadInput, match=words):
        registry.plugin(TRACKER, name)


def test_instance_is_shared_by_equal_options_and_only_by_those(registry: Registry) -> None:
    registry.add(plugin(), "here")
    first = registry.create(TRACKER, "mine", {"teamId": "A", "most": 1})
    assert registry.create(TRACKER, "mine", {"most": 1, "teamId": "A"}) is first
    other = registry.create(TRACKER, "mine", {"teamId": "B"})
    assert other is not first
    assert registry.made() == [first, other]


def test_every_problem_of_a_block_is_told_at_once(registry: Registry) -> None:
    registry.add(plugin(), "here")
    assert len(registry.problems(TRACKER, "mine", {"most": "x", "colour": 1})) == 3
    with pytest.raises(BadInput, match="teamId"):
        registry.create(TRACKER, "mine", {"most": "x", "colour": 1})
    assert registry.options(TRACKER, "mine", {"team_id": "A"}) == Team(team_id="A")


def test_missing_programs(registry: Registry) -> None:
    registry.add(plugin(needs=("sh", "no-such-program")), "here")
    assert registry.missing_programs(TRACKER, "mine") == ["no-such-program"]


def test_file_that_a_person_trusted(registry: Registry, tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(_FILE)
    registry.add_file(file)
    assert registry.create(TRACKER, "mine", {"teamId": "A"}) == ["A"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("raise ValueError('boom')", "ValueError: boom"),
        ("import no_such_module_here", "no_such_module_here"),
        ("this is no python", "SyntaxError"),
        ("PLUGIN = 3", "no PLUGIN"),
        ("", "no PLUGIN"),
        ("import sys; sys.exit(3)", "SystemExit"),
    ],
)
def test_file_that_cannot_be_loaded_stops_with_its_name(
    registry: Registry, tmp_path: Path, content: str, words: str
) -> None:
    file = tmp_path / "broken.py"
    file.write_text(content)
    with pytest.raises(BadInput, match=words) as refused:
        registry.add_file(file)
    assert "broken.py" in refused.value.what
    assert registry.names("tracker") == ["built-in", "empty", "odd"]


def test_file_that_is_not_there_or_no_python(registry: Registry, tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        registry.add_file(tmp_path / "none.py")
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(BadInput):
        registry.add_file(tmp_path / "notes.txt")


class Installed(importlib.metadata.EntryPoint):
    """An entry point whose module is not really installed."""

    @override
    def load(self) -> object:
        if self.name == "broken":
            msg = "boom"
            raise RuntimeError(msg)
        return plugin() if self.name == "mine" else ModuleType("odd")


def test_entry_points_are_found_by_name(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    def offered(*, group: str) -> list[Installed]:
        assert group == GROUP
        return [Installed(name, "x:PLUGIN", group) for name in ("mine", "broken", "odd")]

    monkeypatch.setattr(importlib.metadata, "entry_points", offered)
    registry.add_entry_point("mine")
    assert registry.plugin(TRACKER, "mine").summary == "s"
    with pytest.raises(BadInput, match="RuntimeError: boom"):
        registry.add_entry_point("broken")
    with pytest.raises(BadInput, match="no PLUGIN"):
        registry.add_entry_point("odd")
    with pytest.raises(NotFound, match="no installed package offers"):
        registry.add_entry_point("none")
    assert issubclass(NotFound, AoError)


def test_what_is_forgotten_is_made_anew(registry: Registry) -> None:
    registry.add(plugin(), "here")
    made = registry.create(TRACKER, "mine", {"team_id": "a"})
    other = registry.create(TRACKER, "mine", {"team_id": "b"})
    registry.forget(made)
    assert registry.made() == [other]
    assert registry.create(TRACKER, "mine", {"team_id": "a"}) is not made


def test_what_is_loaded_already_is_loaded_once(registry: Registry, tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(_FILE)
    registry.add_file(file)
    first = registry.plugin(TRACKER, "mine")
    registry.add_file(file)
    assert registry.plugin(TRACKER, "mine") is first
    file.write_text(_FILE + "# edited\n")
    with pytest.raises(Conflict, match=r"mine\.py was changed since it was loaded") as refused:
        registry.add_file(file)
    assert "ao start" in refused.value.next_step
    assert registry.plugin(TRACKER, "mine") is first


def test_a_file_that_failed_may_be_mended(registry: Registry, tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text("PLUGIN = 3")
    with pytest.raises(BadInput):
        registry.add_file(file)
    file.write_text(_FILE)
    registry.add_file(file)
    assert registry.names("tracker") == ["built-in", "empty", "mine", "odd"]


def test_an_entry_point_is_loaded_once(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        importlib.metadata, "entry_points", lambda *, group: [Installed("mine", "x:PLUGIN", group)]
    )
    registry.add_entry_point("mine")
    registry.add_entry_point("mine")
    assert "mine" in registry.names("tracker")
