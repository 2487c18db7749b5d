from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import pytest
from pydantic import ValidationError

from orchestrator.errors import BadInput, NotFound
from orchestrator.ports.plugin import Options, Plugin, Slot
from orchestrator.settings.loader import Loaded
from orchestrator.settings.plugin_check import check_names, check_plugins, code_options, options_for
from orchestrator.settings.problems import Grade, Problem

Write = Callable[..., Loaded]


class _Team(Options):
    team_id: str
    page_size: int = 50


class _Agent(Options):
    model: str = ""


class _Trouble:
    def __init__(self, path: tuple[str | int, ...], text: str) -> None:
        self.path = path
        self.text = text


def plugin(slot: str, name: str, options: type[Options] = Options, **rest: Any) -> Plugin[Any]:
    return Plugin(slot=Slot(slot), name=name, summary="", create=lambda *_: None, options=options, **rest)


class Known:
    """A registry of a few plugins."""

    def __init__(self, *plugins: Plugin[Any]) -> None:
        self._plugins = {(one.slot.name, one.name): one for one in plugins}

    def names(self, slot: str) -> list[str]:
        return sorted(name for of, name in self._plugins if of == slot)

    def plugin(self, slot: Slot[Any], name: str) -> Plugin[Any]:
        if name == "broken":
            msg = "agent plugin 'broken' could not be loaded"
            raise BadInput(msg)
        if (slot.name, name) not in self._plugins:
            raise NotFound(name)
        return self._plugins[slot.name, name]

    def problems(self, slot: Slot[Any], name: str, raw: Mapping[str, object]) -> list[_Trouble]:
        try:
            self.plugin(slot, name).options.model_validate(dict(raw))
        except ValidationError as error:
            return [_Trouble(tuple(one["loc"]), one["msg"]) for one in error.errors()]
        return []

    def missing_programs(
        self, slot: Slot[Any], name: str, options: Mapping[str, object] = MappingProxyType({})
    ) -> list[str]:
        del options
        return list(self.plugin(slot, name).needs)


@pytest.fixture
def known() -> Known:
    """What the tests' configurations use, and a little more."""
    return Known(
        plugin("runtime", "tmux"),
        plugin("agent", "one", _Agent),
        plugin("agent", "plain", runs_code=("launch",)),
        plugin("agent", "broken"),
        plugin("workspace", "worktree"),
        plugin("tracker", "linear", _Team),
        plugin("scm", "local", needs=("git",)),
        plugin("terminal", "tmux"),
        plugin("notifier", "desktop"),
    )


def check(write: Write, known: Known, project: str, more: str = "") -> tuple[Problem, ...]:
    text = f"defaults: {{agent: plain}}\nprojects:\n  app:\n    path: .\n{project}\n{more}"
    return check_plugins(write(text).require(), known)


LINEAR = "    tracker:\n      plugin: linear\n      teamId: T\n"
NEEDS_GIT = "The scm plugin 'local' needs git, not found on the PATH."


def test_options_are_judged_by_the_plugin_with_line_and_nearest(write: Write, known: Known) -> None:
    found = check(write, known, "    tracker:\n      plugin: linear\n      temId: T\n      pageSize: many")
    assert [(p.grade, p.line, p.path, p.nearest) for p in found if p.grade is Grade.ERROR] == [
        (Grade.ERROR, 5, "projects.app.tracker.teamId", ""),
        (Grade.ERROR, 8, "projects.app.tracker.pageSize", ""),
        (Grade.ERROR, 7, "projects.app.tracker.temId", "teamId"),
    ]


def test_absent_plugins_and_programs_are_not_ready(write: Write, known: Known) -> None:
    found = check(write, known, LINEAR + "    runtime: tmx", "notifiers: {d: {plugin: desktp}}")
    assert [(p.line, p.path, p.nearest) for p in found] == [
        (8, "projects.app.runtime", "tmux"),
        (3, "projects.app.scm", ""),
        (9, "notifiers.d", "desktop"),
    ]
    assert {p.grade for p in found} == {Grade.NOT_READY}
    assert NEEDS_GIT in {p.message for p in found}


def test_a_generic_option_that_an_agent_has_no_use_for_is_no_error(write: Write, known: Known) -> None:
    project = LINEAR + "    agentConfig: {permissions: suggest, model: m}"
    assert [p.message for p in check(write, known, project)] == [NEEDS_GIT]
    wrong = LINEAR + "    agentConfig: {modle: m}"
    assert [(p.path, p.nearest) for p in check(write, known, wrong) if p.grade is Grade.ERROR] == [
        ("projects.app.agentConfig.modle", "")
    ]


def test_a_plugin_that_fails_to_load_is_an_error(write: Write, known: Known) -> None:
    found = check(write, known, LINEAR + "    agent: broken")
    assert [p.message for p in found if p.grade is Grade.ERROR] == [
        "agent plugin 'broken' could not be loaded"
    ]


def test_options_to_make_a_plugin_with(write: Write, known: Known) -> None:
    settings = write("projects: {app: {path: ., agentConfig: {model: m, x: 1}}}").require()
    assert options_for(settings.agent("app", name="plain"), known) == {}
    assert options_for(settings.agent("app", name="one"), known) == {}
    own = write("projects: {app: {path: ., agent: one, agentConfig: {model: m, x: 1}}}").require()
    assert options_for(own.agent("app"), known) == {"model": "m", "x": 1}


def test_which_options_are_run(known: Known) -> None:
    ask = code_options(known)
    assert ask("agent", "plain") == ("launch",)
    assert ask("agent", "gone") == ()


def test_absent_plugins_are_named_beside_other_errors(write: Write, known: Known) -> None:
    loaded = write(
        "prot: 1\ndefaults: {agent: nope}\n"
        "projects:\n  app: {path: ., runtime: tmx, scm: {plugin: locl}, tracker: {package: p}, agent: one}\n"
    )
    assert loaded.settings is None
    assert loaded.spots
    found = check_names(loaded.data, loaded.spots, known)
    assert [(p.line, p.path, p.nearest) for p in found] == [
        (2, "defaults.agent", ""),
        (4, "projects.app.runtime", "tmux"),
        (4, "projects.app.scm.plugin", "local"),
    ]


def test_what_is_wrong_is_said_without_the_names_of_a_library(write: Write, known: Known) -> None:
    found = check(write, known, "    tracker: {plugin: linear}")
    assert {p.message for p in found if p.grade is Grade.ERROR} == {"This key is needed (tracker linear)"}
    [problem] = write("projects: {app: {path: ., tracker: linear}}").errors
    assert problem.message == "This should be a mapping."
