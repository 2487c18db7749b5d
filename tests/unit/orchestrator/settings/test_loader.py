from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator.errors import BadInput
from orchestrator.settings.loader import Loaded, load
from orchestrator.settings.problems import Grade

Write = Callable[..., Loaded]

MANY = """\
port: 99999
nottifiers: {}
projects:
  app:
    path: ~/app
    agnet: x
    session_prefix: de mo
    agent_config: {permissions: autoedit}
    reactions:
      ci-faild: {auto: true}
      ci-failed: {retires: 3, escalateAfter: "3"}
    symlinks: [../x]
    path: ~/b
  bap: {path: ~/api}
  bop: {path: ~/api}
  "a b": {}
notifiers:
  slack: {webhook: "${SLACK_URL}"}
quiet_hours: 22:00
"""


def rows(loaded: Loaded) -> list[tuple[int, str, str]]:
    return [(problem.line, problem.path, problem.nearest) for problem in loaded.errors]


def test_every_error_at_once_with_line_path_and_nearest_key(write: Write) -> None:
    loaded = write(MANY)
    assert loaded.settings is None
    assert rows(loaded) == [
        (1, "port", ""),
        (2, "nottifiers", "notifiers"),
        (6, "projects.app.agnet", "agent"),
        (7, "projects.app.session_prefix", ""),
        (8, "projects.app.agent_config.permissions", "auto-edit"),
        (10, "projects.app.reactions.ci-faild", "ci-failed"),
        (11, "projects.app.reactions.ci-failed.escalateAfter", ""),
        (11, "projects.app.reactions.ci-failed.retires", "retries"),
        (12, "projects.app.symlinks[0]", ""),
        (13, "projects.app.path", ""),
        (15, "projects.bop.sessionPrefix", ""),
        (16, "projects.a b", ""),
        (16, "projects.a b.path", ""),
        (18, "notifiers.slack.webhook", ""),
        (19, "quiet_hours", ""),
    ]


def test_a_problem_prints_as_editors_read_it(write: Write) -> None:
    loaded = write("projects:\n  app:\n    pth: x\n")
    shown = [str(problem) for problem in loaded.errors]
    assert shown[-1].endswith(
        "agent-orchestrator.yaml:3: projects.app.pth: This key is not known here. Did you mean path?"
    )
    with pytest.raises(BadInput, match="Did you mean path"):
        loaded.require()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("lifecycle: {mergeCleanupIdleGraceMs: 500}", "too short"),
        ("lifecycle: {detectingFor: 10}", "no duration"),
        ("readyThresholdMs: -1", "not negative"),
        ("limits: {sessions: 0}", "greater than or equal to 1"),
        ("limits: {sessions: true}", "number is needed"),
        ("limits: {memory: lots}", "byte"),
        ("defaults: {notifiers: slack}", "a list"),
        ("sandbox: maybe", "'auto', 'required' or 'off'"),
        ("notificationRouting: {urgnt: []}", "'urgent'"),
        ("reactions: {ci-failed: {threshold: 5}}", "no duration"),
        ("reactions: {ci-failed: {action: merge}}", "'send-to-agent'"),
        ("projects: {a: {path: x, repo: '-x/y'}}", "pattern"),
        ("projects: {a: {path: x, defaultBranch: --force}}", "no branch name"),
        ("projects: {a: {path: x, tracker: {package: p, path: q}}}", "not from both"),
        ("projects: {a: {path: x, defaultBranch: a, default_branch: b}}", "doubled"),
        ("projects: {a: {path: x, symlinks: [/etc]}}", "inside the repository"),
        ("projects: {a: {path: x, agentRulesFile: ../secret}}", "inside the repository"),
        ("projects: {a: {path: x, sessionPrefix: abcdefghijklmnopq}}", "no session prefix"),
        ("projects: [a]", "a mapping"),
        ("projects: {a: {path: x, postCreate: ['']}}", "at least 1 character"),
    ],
)
def test_a_wrong_value_is_one_error_with_its_reason(line: str, words: str, write: Write) -> None:
    loaded = write(f"port: 3000\n{line}\n")
    [error] = loaded.errors
    assert words in error.message
    assert error.line == 2


def test_missing_folders_are_not_ready_and_no_errors(write: Write, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    loaded = write(
        "projects:\n  gone: {path: ../gone}\n  there:\n    path: ../there\n    agentRulesFile: rules.md\n"
    )
    assert loaded.settings is not None
    assert [(p.grade, p.line, p.path) for p in loaded.problems] == [
        (Grade.NOT_READY, 2, "projects.gone.path"),
        (Grade.NOT_READY, 5, "projects.there.agentRulesFile"),
    ]


@pytest.mark.parametrize("text", ["", "# nothing\n", "projects: {}\n", "port: 3000\n"])
def test_an_empty_configuration_is_a_fleet_without_projects(text: str, write: Write) -> None:
    assert write(text).require().project_ids == ()


def test_both_spellings_are_read(write: Write) -> None:
    camel = write(
        "projects: {a: {path: x, defaultBranch: d, postCreate: [p]}}\nreadyThresholdMs: 5s\n"
    ).require()
    snake = write(
        "projects: {a: {path: x, default_branch: d, post_create: [p]}}\nready_threshold_ms: 5s\n"
    ).require()
    assert camel.config == snake.config


def test_a_file_that_cannot_be_read_is_a_problem(tmp_path: Path, env: dict[str, str]) -> None:
    [error] = load(tmp_path / "gone.yaml", env).errors
    assert "cannot be read" in error.message


def test_a_file_that_is_no_text_is_a_problem(tmp_path: Path, env: dict[str, str]) -> None:
    file = tmp_path / "a.yaml"
    file.write_bytes(b"a: \xff\xfe\n")
    assert "UTF-8" in load(file, env).errors[0].message
    file.write_bytes(b"a: x\n" + b"#" * 1_000_001)
    assert "bytes at most" in load(file, env).errors[0].message


def test_the_secrets_of_a_configuration_are_known(write: Write) -> None:
    settings = write("notifiers: {a: {url: 'x${SPARE}y'}}\n", SPARE="t0k3n", OTHER="o").require()
    assert settings.secrets == {"SPARE": "t0k3n"}
    assert "t0k3n" not in repr(settings) + repr(settings.notifiers)
    assert settings.notifiers["a"].options == {"url": "xt0k3ny"}


def test_a_missing_variable_alone_forbids_a_start(write: Write) -> None:
    loaded = write("notifiers: {a: {url: '${GONE}'}}\n")
    assert loaded.settings is None
    assert [error.message for error in loaded.errors] == ["The environment variable GONE is not set."]


def test_text_stands_for_the_file_before_it_is_written(tmp_path: Path, env: dict[str, str]) -> None:
    loaded = load(tmp_path / "none.yaml", env, text="projects: {a: {path: x}}\n")
    assert loaded.require().project_ids == ("a",)
