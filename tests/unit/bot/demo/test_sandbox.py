"""The sandbox: made once, its tests green, its plans whole once they have been through a prompt."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from bot.demo import rehearsal, sandbox
from bot.demo.cast import Cast
from bot.demo.model_conversation import Turn
from bot.demo.model_plan import block_of, plan_of_block
from bot.demo.real_issues import REAL_ISSUES, real_batch_issue
from bot.demo.sandbox_files import ISSUES, parted
from orchestrator.domain.ids import ProjectId
from orchestrator.domain.issue import Issue
from orchestrator.domain.project import Project
from orchestrator.lifecycle import prompts
from orchestrator.settings.loader import load
from orchestrator.testing import examples

pytestmark = pytest.mark.git


def _plan(text: str) -> list[dict[str, Any]]:
    found = rehearsal._PLAN.search(text)
    assert found is not None
    steps: list[dict[str, Any]] = json.loads(found.group(2))
    return steps


def _git(folder: Path, *args: str) -> str:
    return subprocess.run(
        ["git", "-C", str(folder), *args], check=True, capture_output=True, text=True
    ).stdout.strip()


def test_it_is_made_once_and_then_left_alone(tmp_path: Path) -> None:
    made = sandbox.make(tmp_path)
    head = _git(made.repository, "rev-parse", "main")
    (made.repository / "issues" / "1.md").write_text("mine")
    made.config.write_text("mine")
    assert sandbox.make(tmp_path) == made
    assert _git(made.repository, "rev-parse", "main") == head
    assert (made.repository / "issues" / "1.md").read_text() == "mine"
    assert made.config.read_text() == "mine"
    assert sorted(path.name for path in made.repository.parent.iterdir()) == [
        "agent-orchestrator.yaml",
        "repository",
    ]


def test_a_half_made_repository_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "sandbox" / ".repository-cut-short").mkdir(parents=True)
    assert _git(sandbox.make(tmp_path).repository, "status", "--porcelain") == ""


def test_its_tests_are_green_and_leave_nothing(tmp_path: Path) -> None:
    repository = sandbox.make(tmp_path).repository
    subprocess.run(sandbox.TEST_COMMAND, cwd=repository, check=True, capture_output=True)
    assert _git(repository, "status", "--porcelain") == ""


@pytest.mark.parametrize("odd", ["plain", "it's: #odd", 'quo"ted {x} ${HOME}'])
def test_its_configuration_names_the_repository_wherever_it_is(tmp_path: Path, odd: str) -> None:
    made = sandbox.make(tmp_path / odd)
    loaded = load(made.config, {"HOME": str(tmp_path)})
    assert loaded.settings is not None, loaded.problems
    assert Path(loaded.settings.keys("demo").path) == made.repository


@pytest.mark.parametrize("number", ISSUES)
def test_a_plan_survives_the_prompt(tmp_path: Path, number: int) -> None:
    text = (sandbox.make(tmp_path).repository / "issues" / f"{number}.md").read_text()
    _, _, body = text.partition("---\n")[2].partition("---\n")
    project = Project(
        id=ProjectId("demo"),
        name="demo",
        path=tmp_path,
        default_branch="main",
        prefix="demo",
        folder=tmp_path,
    )
    issue = Issue(ref=str(number), title=ISSUES[number][0], body=body)
    prompt = prompts.worker(project=project, session=examples.session(), issue=issue)
    assert _plan(prompt) == ISSUES[number][2]


def _edits(steps: list[dict[str, Any]], before: str) -> list[dict[str, Any]]:
    edits = []
    for step in steps:
        if before in step:
            break
        if {"replace", "write"} & step.keys():
            edits.append(step)
    return edits


def _play(repository: Path, steps: list[dict[str, Any]]) -> None:
    for step in steps:
        path = repository / str(step["replace"])
        old, new = rehearsal._text(step["old"]), rehearsal._text(step["new"])
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new, 1))


def _tests(repository: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(sandbox.TEST_COMMAND, cwd=repository, capture_output=True, text=True, check=False)


def test_the_first_version_of_issue_1_breaks_a_test_and_the_fix_mends_it(tmp_path: Path) -> None:
    repository = sandbox.make(tmp_path).repository
    plan = ISSUES[1][2]
    first = _edits(plan, before="wait_message")
    _play(repository, first)
    red = _tests(repository)
    assert red.returncode != 0
    assert sandbox.FAILING_TEXT in red.stderr
    assert all(
        wanted in red.stderr for wanted in next(s for s in plan if "wait_message" in s)["wait_message"]
    )
    _play(repository, [s for s in plan if "replace" in s][len(first) :])
    assert _tests(repository).returncode == 0


def test_both_answers_to_issue_2_lead_to_green_tests(tmp_path: Path) -> None:
    for name, steps in ISSUES[2][2][1]["then"].items():
        repository = sandbox.make(tmp_path / name.replace("*", "other")).repository
        _play(repository, steps)
        assert _tests(repository).returncode == 0


def test_issues_of_a_batch_merge_cleanly_but_for_the_conflicting_ones(tmp_path: Path) -> None:
    repository = sandbox.make_batch(tmp_path, 6, conflict_every=3).repository
    for number in range(1, 7):
        _git(repository, "switch", "-q", "-c", f"b{number}", "main")
        plan = _plan((repository / "issues" / f"{number}.md").read_text())
        _play(repository, [step for step in plan if "replace" in step])
        for step in plan:
            if "run" in step:
                subprocess.run(step["run"], cwd=repository, check=True)
        _git(repository, "commit", "-q", "-a", "-m", str(number))
    _git(repository, "switch", "-q", "main")
    merged = []
    for number in range(1, 7):
        done = subprocess.run(
            ["git", "-C", str(repository), "merge", "-q", "-m", "m", f"b{number}"],
            capture_output=True,
            check=False,
        )
        if done.returncode == 0:
            merged.append(number)
        else:
            _git(repository, "merge", "--abort")
    assert merged == [1, 2, 3, 4, 5]
    assert _tests(repository).returncode == 0


def test_its_configuration_loads(tmp_path: Path) -> None:
    for made in (sandbox.make(tmp_path), sandbox.make_batch(tmp_path, 3)):
        loaded = load(made.config, {"HOME": str(tmp_path)})
        assert not loaded.problems
        assert loaded.settings is not None
        assert loaded.settings.keys("demo").scm is not None


def test_a_batch_for_a_real_agent_carries_plans_that_merge_cleanly(tmp_path: Path) -> None:
    played_by = Cast(agent="claude-code", batch_issue=real_batch_issue)
    repository = sandbox.make_batch(tmp_path, 3, conflict_every=0, played_by=played_by).repository
    table = (repository / "squares/table.py").read_text()
    for number in range(1, 4):
        block = block_of([Turn(of_model=False, parts=((repository / f"issues/{number}.md").read_text(),))])
        _, steps = plan_of_block(block).steps_for(f"Square {number}")
        edits = [step.given for step in steps if step.act == "edit"]
        for edit in edits:
            assert table.count(edit["old"]) == 1
            table = table.replace(edit["old"], edit["new"])
    (repository / "squares/table.py").write_text(table)
    assert "3: 9," in table
    assert _tests(repository).returncode == 0


@pytest.mark.parametrize("issues", [Cast().issues, REAL_ISSUES])
def test_issues_are_parted_into_what_a_forge_keeps(issues: dict[int, str]) -> None:
    title, labels, body = parted(issues[1])
    assert title == "Slugs lose accented letters"
    assert labels == (["rehearsal"] if "rehearsal" in issues[1] else [])
    assert body.startswith("`slugify(")
    assert body in issues[1]


def test_sandbox_that_is_hosted_elsewhere_has_no_issues_in_its_files(tmp_path: Path) -> None:
    made = sandbox.make(tmp_path, hosting="    repo: acme/textkit\n    tracker:\n      plugin: github\n")
    assert not (made.repository / "issues").exists()
    assert "plugin: local" not in made.config.read_text()
    assert "acme/textkit" in made.config.read_text()
