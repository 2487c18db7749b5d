"""Answers from the newest good configuration."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.domain.ids import ProjectId
from orchestrator.errors import NotFound
from orchestrator.ports.plugin import PluginContext
from orchestrator.registry import Registry
from orchestrator.services.settings_now import SettingsNow
from orchestrator.settings.effective import Settings

DEMO = ProjectId("demo")


@pytest.fixture
def settings(tmp_path: Path) -> SettingsNow:
    (tmp_path / "repository").mkdir()
    file = tmp_path / "ao.yaml"
    file.write_text(f"projects: {{demo: {{path: {tmp_path / 'repository'}}}}}\n")
    return SettingsNow(file, {"HOME": str(tmp_path)}, Registry({}, PluginContext(home=tmp_path, data=str)))


def test_nothing_before_the_first_load(settings: SettingsNow) -> None:
    with pytest.raises(NotFound, match="no configuration is loaded"):
        settings.project(DEMO)


def test_listeners_hear_now_and_later(settings: SettingsNow) -> None:
    heard: list[Settings] = []
    settings.on_change(heard.append)
    assert heard == []
    first = settings.look().require()
    settings.take(first)
    late: list[Settings] = []
    settings.on_change(late.append)
    second = settings.look().require()
    settings.take(second)
    assert [h is f for h, f in zip(heard, (first, second), strict=True)] == [True, True]
    assert len(late) == 2


def test_project_that_left_keeps_its_last_settings_until_it_is_back(
    settings: SettingsNow, tmp_path: Path
) -> None:
    settings.take(settings.look().require())
    before = settings.path.read_text()
    settings.path.write_text(before.replace("demo", "other"))
    settings.take(settings.look().require())
    assert settings.knows("demo")
    assert settings.project(DEMO).id == "demo"
    assert settings.rules(DEMO).approvals == 1
    assert settings.agent_rules(DEMO) == ""
    settings.path.write_text(before.replace("demo: {", "demo: {approvals: 3, "))
    settings.take(settings.look().require())
    assert settings.rules(DEMO).approvals == 3
    assert not settings.knows("never")
    with pytest.raises(NotFound):
        settings.project(ProjectId("never"))


def test_plugin_that_is_no_longer_used_gets_its_defaults(settings: SettingsNow) -> None:
    settings.take(settings.look().require())
    assert settings.options(DEMO, "workspace", "another") == {}
