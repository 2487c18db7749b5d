from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.errors import NotFound
from orchestrator.settings.discovery import ao_home, discover


@pytest.fixture
def tree(tmp_path: Path, env: dict[str, str]) -> Path:
    """A repository with a configuration, and one in `$AO_HOME`."""
    for name in ("repo/deep/er", "home/projects/p/worktrees/p-1"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "repo/agent-orchestrator.yml").touch()
    (tmp_path / "home/config.yaml").touch()
    return tmp_path


def test_upward_from_the_working_directory(tree: Path, env: dict[str, str]) -> None:
    assert discover(env, tree / "repo/deep/er") == tree / "repo/agent-orchestrator.yml"


def test_the_nearest_and_yaml_before_yml(tree: Path, env: dict[str, str]) -> None:
    (tree / "repo/agent-orchestrator.yaml").touch()
    assert discover(env, tree / "repo/deep") == tree / "repo/agent-orchestrator.yaml"


def test_the_home_last(tree: Path, env: dict[str, str]) -> None:
    assert discover(env, tree) == tree / "home/config.yaml"


def test_named_files_come_first_and_must_be_there(tree: Path, env: dict[str, str]) -> None:
    other = tree / "other.yaml"
    with pytest.raises(NotFound, match="AO_CONFIG_PATH names"):
        discover({**env, "AO_CONFIG_PATH": str(other)}, tree / "repo")
    other.touch()
    assert discover({**env, "AO_CONFIG_PATH": str(other)}, tree / "repo") == other
    named = discover({**env, "AO_CONFIG_PATH": str(other)}, tree, Path("repo/agent-orchestrator.yml"))
    assert named == tree / "repo/agent-orchestrator.yml"
    with pytest.raises(NotFound, match="--config names"):
        discover(env, tree, Path("gone.yaml"))


@pytest.mark.parametrize("name", ["AO_SESSION_ID", "AO_SESSION"])
def test_a_session_cannot_steer_by_a_file_of_its_own(name: str, tree: Path, env: dict[str, str]) -> None:
    worktree = tree / "home/projects/p/worktrees/p-1"
    (worktree / "agent-orchestrator.yaml").touch()
    assert discover(env, worktree) == tree / "home/config.yaml"
    assert discover({**env, name: "p-1"}, tree / "repo") == tree / "home/config.yaml"


def test_a_link_into_a_worktree_is_still_a_worktree(tree: Path, env: dict[str, str]) -> None:
    worktree = tree / "home/projects/p/worktrees/p-1"
    (worktree / "agent-orchestrator.yaml").touch()
    (tree / "link").symlink_to(worktree)
    assert discover(env, tree / "link") == tree / "home/config.yaml"


def test_nothing_anywhere_says_what_to_do(tmp_path: Path, env: dict[str, str]) -> None:
    with pytest.raises(NotFound, match="ao init"):
        discover(env, tmp_path)


def test_where_the_home_is(tmp_path: Path) -> None:
    assert ao_home({"HOME": "/home/ada"}) == Path("/home/ada/.agent-orchestrator")
    assert ao_home({"HOME": "/home/ada", "AO_HOME": "~/x"}) == Path("/home/ada/x")
    assert ao_home({"HOME": "/home/ada", "AO_HOME": str(tmp_path)}) == tmp_path


def test_what_the_home_last_ran_with_before_its_own(tree: Path, env: dict[str, str]) -> None:
    last = tree / "last.yaml"
    assert discover(env, tree, last=last) == tree / "home/config.yaml"
    last.touch()
    assert discover(env, tree, last=last) == last
    assert discover(env, tree / "repo", last=last) == tree / "repo/agent-orchestrator.yml"
    last.unlink()
    (tree / "home/config.yaml").unlink()
    with pytest.raises(NotFound, match=r"last\.yaml, which this home last ran with, is gone"):
        discover(env, tree, last=last)
