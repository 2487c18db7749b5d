from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.settings.loader import load
from orchestrator.settings.problems import Grade

FLAT = "defaultBranch: trunk\nagent: codex\npostCreate: [npm ci]\n"


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    """`$AO_HOME/config.yaml` with one project whose folder is there."""
    (tmp_path / "home").mkdir()
    (tmp_path / "repo").mkdir()
    file = tmp_path / "home/config.yaml"
    file.write_text(
        f"readyThresholdMs: 1000\nprojects:\n  app_1f:\n    path: {tmp_path}/repo\n    sessionPrefix: ap\n"
    )
    return file


def test_a_flat_file_is_a_fleet_of_one_project(tmp_path: Path, env: dict[str, str]) -> None:
    folder = tmp_path / "My App"
    folder.mkdir()
    (folder / "agent-orchestrator.yaml").write_text(FLAT)
    settings = load(folder / "agent-orchestrator.yaml", env).require()
    project = settings.project("My-App")
    assert (project.path, project.default_branch, project.post_create) == (folder, "trunk", ("npm ci",))


def test_errors_in_a_flat_file_show_its_own_keys(tmp_path: Path, env: dict[str, str]) -> None:
    file = tmp_path / "agent-orchestrator.yaml"
    file.write_text("agent: codex\nagentConfg: {}\nport: 1\n")
    assert [(e.line, e.path, e.nearest) for e in load(file, env).errors] == [
        (2, "agentConfg", "agentConfig"),
        (3, "port", ""),
    ]


def test_the_registry_takes_behaviour_from_the_projects_own_file(
    registry: Path, env: dict[str, str], tmp_path: Path
) -> None:
    local = tmp_path / "repo/agent-orchestrator.yaml"
    local.write_text(FLAT + "session_prefix: other\n")
    loaded = load(registry, env)
    settings = loaded.require()
    assert settings.project("app_1f").default_branch == "trunk"
    assert settings.project("app_1f").prefix == "ap"
    assert settings.parts("app_1f").agent == "codex"
    assert [file.path for file in loaded.files] == [registry, local]


def test_an_error_in_the_projects_own_file_names_that_file(
    registry: Path, env: dict[str, str], tmp_path: Path
) -> None:
    local = tmp_path / "repo/agent-orchestrator.yml"
    local.write_text("agent: codex\nnotifiers: {}\nruntme: x\n")
    assert [(e.file, e.line, e.path) for e in load(registry, env).errors] == [
        (local, 2, "notifiers"),
        (local, 3, "runtme"),
    ]


def test_an_error_in_the_registrys_entry_names_the_registry(
    registry: Path, env: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "repo/agent-orchestrator.yaml").write_text("agent: codex\nsessionPrefix: good\n")
    registry.write_text(registry.read_text().replace("sessionPrefix: ap", "sessionPrefix: a b"))
    assert [(e.file, e.line) for e in load(registry, env).errors] == [(registry, 5)]


def test_a_flat_file_of_a_registered_project_means_the_whole_fleet(
    registry: Path, env: dict[str, str], tmp_path: Path
) -> None:
    local = tmp_path / "repo/agent-orchestrator.yaml"
    local.write_text(FLAT)
    settings = load(local, env).require()
    assert settings.main == registry
    assert settings.project_ids == ("app_1f",)


def test_a_whole_configuration_in_the_projects_folder_is_not_mixed_in(
    registry: Path, env: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "repo/agent-orchestrator.yaml").write_text("projects: {x: {path: .}}\n")
    loaded = load(registry, env)
    assert loaded.require().project_ids == ("app_1f",)
    assert [p.grade for p in loaded.problems] == [Grade.NOT_READY]


def test_the_reference_systems_own_registry_loads(env: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home/config.yaml").write_text(
        "port: 3000\nprojectOrder: [app_1]\nprojects:\n  app_1:\n    path: ~/app\n    displayName: App\n"
        "    repo: {owner: acme, name: app, platform: github, originUrl: x}\n    source: ao-start\n"
        "    registeredAt: 1700000000\n    _shadowSyncedAt: 1\n    defaultBranch: main\n    sessionPrefix: app\n"
    )
    project = load(tmp_path / "home/config.yaml", env).require().project("app_1")
    assert (project.name, project.repo, project.path) == ("App", "acme/app", tmp_path / "user/app")


def test_a_wrapped_file_elsewhere_is_not_completed(env: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "repo").mkdir()
    (tmp_path / "repo/agent-orchestrator.yaml").write_text(FLAT)
    (tmp_path / "fleet.yaml").write_text("projects: {a: {path: repo}}\n")
    assert load(tmp_path / "fleet.yaml", env).require().project("a").default_branch == "main"


def test_the_digest_follows_content_and_place(env: dict[str, str], tmp_path: Path) -> None:
    one, two = tmp_path / "a.yaml", tmp_path / "b.yaml"
    one.write_text("port: 3000\n")
    two.write_text("port: 3000\n")
    first, second = load(one, env).files[0].digest, load(two, env).files[0].digest
    one.write_text("port: 3001\n")
    assert len({first, second, load(one, env).files[0].digest}) == 3
