"""Every example loads without errors, and means what its first lines say."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.domain.rights import Role
from orchestrator.settings.effective import Settings
from orchestrator.settings.loader import load

EXAMPLES = Path(__file__).parents[4] / "config/examples"
FILES = sorted(EXAMPLES.glob("*.yaml"))


def variables() -> dict[str, str]:
    rows = (EXAMPLES / "example.env").read_text(encoding="utf-8").splitlines()
    return dict(row.split("=", 1) for row in rows if row and not row.startswith("#"))


def settings(name: str, env: dict[str, str]) -> Settings:
    return load(EXAMPLES / f"{name}.yaml", {**env, **variables()}).require()


@pytest.mark.parametrize("file", FILES, ids=[file.stem for file in FILES])
def test_an_example_has_no_errors(file: Path, env: dict[str, str]) -> None:
    assert load(file, {**env, **variables()}).errors == ()


def test_nothing_but_the_named_variables_is_needed(env: dict[str, str]) -> None:
    missing = [error.message for file in FILES for error in load(file, env).errors]
    assert len(missing) == 5
    assert all("environment variable" in message for message in missing)


def test_two_projects_with_different_trackers_and_routing(env: dict[str, str]) -> None:
    fleet = settings("multi-project", env)
    assert (fleet.parts("frontend").tracker, fleet.parts("backend").tracker) == ("github", "linear")
    assert fleet.plugin("backend", "tracker").options["teamId"]
    assert fleet.notifiers["slack"].name == "slack-webhook"


def test_another_agent(env: dict[str, str]) -> None:
    fleet = settings("codex-integration", env)
    assert (fleet.agent("app").name, fleet.agent("app").options["model"]) == ("codex", "gpt-5-codex")
    assert fleet.agent("app", "orchestrator").name == "claude-code"


def test_auto_merge(env: dict[str, str]) -> None:
    rule = settings("auto-merge", env).rules("app").reactions["approved-and-green"]
    assert (rule.auto, rule.action) == (True, "auto-merge")


def test_no_account_is_needed(env: dict[str, str]) -> None:
    parts = settings("simple-local", env).parts("app")
    assert (parts.tracker, parts.scm) == ("local", "local")


def test_people_with_roles_in_one_project_and_in_all(env: dict[str, str]) -> None:
    people = settings("people", env).people
    assert people.owner_person == people.by_handle("ana")
    assert people.having(Role.APPROVER, "app") == ("ana", "bo")
    assert people.having(Role.OPERATOR, None) == ("ana", "cy")
