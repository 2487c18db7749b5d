from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from typing_extensions import override

from orchestrator.errors import BadInput, Conflict, NotFound
from orchestrator.settings.document import parse
from orchestrator.settings.project_edit import (
    NewProject,
    add_project,
    remove_project,
    with_project,
    without_project,
    write_atomically,
)

FILE = Path("a.yaml")
NEW = NewProject(
    id="new", path="~/my: app", default_branch="trunk", checks=("make test",), post_create=("npm ci",)
)

TWO = """\
# The fleet.
port: 3000   # the browser's side

projects:
    # The front.
    app:
        path: ~/app   # my checkout
        agentRules: |
            One.

            # no comment
        # Still the front.

    # The back.
    api:
        path: ~/api
        symlinks:
        - .env
# What is done by itself.
reactions:
    ci-failed: {retries: 3}
"""


@pytest.mark.parametrize(
    "text",
    ["# Only a comment\n", "port: 3000\n", "port: 3000", "projects:\n", "projects: {}  # none\nport: 1\n", TWO,
     "projects:\n  a: {path: x}\n", "projects:\n  a: &a\n    path: >-\n      x\n\n\nport: 1\n",
     "projects:\n a:\n  path: x\n# end", "base: &b {path: x}\nprojects:\n  a: *b\n", '"projects":\n  "a b":\n    path: x\n'],
    ids=range(11),
)  # fmt: skip
def test_adding_and_removing_leave_all_else_as_it_was(text: str) -> None:
    added = with_project(text, NEW, FILE)
    kept = [line for line in text.splitlines() if not line.startswith("projects: {}")]
    assert all(line in added.splitlines() for line in kept)
    before: dict[str, Any] = dict(parse(text, FILE).data)
    after = parse(added, FILE).data
    entry = {
        "path": "~/my: app", "defaultBranch": "trunk", "postCreate": ["npm ci"], "scm": {"checks": ["make test"]},
    }  # fmt: skip
    assert after == {**before, "projects": {**(before.get("projects") or {}), "new": entry}}
    removed = parse(without_project(added, "new", FILE), FILE).data
    assert removed == {**before, "projects": before.get("projects") or {}}


def test_an_entry_is_written_as_deep_as_its_neighbours() -> None:
    assert "    new:\n        path: '~/my: app'\n" in with_project(TWO, NEW, FILE)


def test_removing_takes_the_comment_above_and_no_other() -> None:
    left = without_project(TWO, "api", FILE)
    assert "# The back." not in left
    assert left.count("#") == TWO.count("#") - 1
    assert "# What is done by itself.\nreactions:" in left


def test_a_new_file_loads(tmp_path: Path, env: dict[str, str]) -> None:
    file = tmp_path / "agent-orchestrator.yaml"
    loaded = add_project(
        file, NewProject(id="app", path=".", repo="acme/app", session_prefix="ap", name="App"), env
    )
    project = loaded.require().project("app")
    assert (project.name, project.prefix, project.repo) == ("App", "ap", "acme/app")
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.read_text().startswith("# Configuration")


def test_a_second_project_and_its_removal(tmp_path: Path, env: dict[str, str]) -> None:
    file = tmp_path / "agent-orchestrator.yaml"
    file.write_text(TWO)
    file.chmod(0o640)
    assert add_project(file, NEW, env).require().project_ids == ("app", "api", "new")
    assert remove_project(file, "new", env).require().project_ids == ("app", "api")
    assert file.read_text() == TWO
    assert file.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize(
    ("project", "words"),
    [
        (NewProject(id="a b", path="x"), "no project name"),
        (NewProject(id="x", path="x", default_branch="-x"), "no branch name"),
        (NewProject(id="x", path="x", session_prefix="app"), "session prefix"),
        (NewProject(id="x", path=""), "This key is needed|mapping"),
    ],
)
def test_what_would_not_load_is_not_written(
    project: NewProject, words: str, tmp_path: Path, env: dict[str, str]
) -> None:
    file = tmp_path / "agent-orchestrator.yaml"
    file.write_text(TWO)
    with pytest.raises(BadInput, match=words):
        add_project(file, project, env)
    assert file.read_text() == TWO
    assert [path.name for path in tmp_path.iterdir()] == ["agent-orchestrator.yaml"]


def test_errors_that_were_there_do_not_hinder(tmp_path: Path, env: dict[str, str]) -> None:
    file = tmp_path / "agent-orchestrator.yaml"
    file.write_text("notifiers: {a: {url: '${NOT_SET_HERE}'}}\nprojects:\n  a:\n    path: x\n")
    loaded = add_project(file, NewProject(id="b", path="y"), env)
    assert [error.path for error in loaded.errors] == ["notifiers.a.url"]
    assert "  b:\n    path: y\n" in file.read_text()


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        ("projects: {new: {path: x}}\n", Conflict, "already"),
        ("projects: {a: {path: x}}\n", BadInput, "in braces"),
        ("projects: {\n}\n", BadInput, "in braces|in place"),
        ("projects: [a]\n", BadInput, "no mapping"),
        ("projects: {a: 1, a: 2}\n", BadInput, "cannot be edited"),
        ("a: [\n", BadInput, "cannot be edited"),
    ],
)
def test_what_cannot_be_added_to_is_refused(text: str, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        with_project(text, NEW, FILE)


def test_what_is_not_there_cannot_be_removed(tmp_path: Path, env: dict[str, str]) -> None:
    for text in ("port: 1\n", "projects: {}\n", TWO, ""):
        with pytest.raises(NotFound, match="no project 'gone'"):
            without_project(text, "gone", FILE)
    with pytest.raises(NotFound, match="There is no"):
        remove_project(tmp_path / "gone.yaml", "a", env)


class Meddler(dict[str, str]):
    """An environment that changes a file while it is asked: somebody else writes at the same time."""

    def __init__(self, env: dict[str, str], file: Path) -> None:
        super().__init__(env)
        self.file = file

    @override
    def get(self, key: str, default: Any = None) -> Any:
        self.file.write_text("port: 1\n")
        return super().get(key, default)


def test_a_change_by_somebody_else_is_not_overwritten(tmp_path: Path, env: dict[str, str]) -> None:
    file = tmp_path / "agent-orchestrator.yaml"
    file.write_text(TWO)
    with pytest.raises(Conflict, match="changed by somebody else"):
        add_project(file, NEW, Meddler(env, file))
    assert file.read_text() == "port: 1\n"


def test_a_link_to_the_file_stays_a_link(tmp_path: Path, env: dict[str, str]) -> None:
    (tmp_path / "real.yaml").write_text("projects: {}\n")
    link = tmp_path / "link.yaml"
    link.symlink_to("real.yaml")
    add_project(link, NEW, env)
    assert link.is_symlink()
    assert "new:" in (tmp_path / "real.yaml").read_text()


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("old")
    with pytest.raises(UnicodeEncodeError):
        write_atomically(file, "new \ud800")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("a.yaml", "old")]
