"""`ao spawn --branch`: a branch that is there is worked on as it is, one that is not is made, and that is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.faults.house import PROJECT, WAITS, House, git

pytestmark = [pytest.mark.tmux, pytest.mark.git, pytest.mark.timeout(120)]


@pytest.mark.parametrize("workspace", ["worktree", "clone"])
def test_a_branch_is_worked_on_as_it_is(tmp_path: Path, workspace: str) -> None:
    house = House(tmp_path, {1: WAITS, 2: WAITS}, project=f"workspace: {workspace}")
    try:
        _a_branch(house)
    finally:
        house.close()


def _a_branch(house: House) -> None:
    git(house.repository, "switch", "--quiet", "--create", "mine")
    (house.repository / "half.txt").write_text("half\n")
    git(house.repository, "add", "half.txt")
    git(house.repository, "commit", "--quiet", "--message=Half of it")
    head = git(house.repository, "rev-parse", "HEAD")
    house.start()

    refused = house.refused(4, "spawn", PROJECT, "1", "--branch", "mine")
    assert f"checked out in {house.repository}" in refused
    assert "starts from" in house.refused(4, "spawn", PROJECT, "1", "--branch", "main")
    assert house.sessions() == {}
    git(house.repository, "switch", "--quiet", "main")

    said = house.ao("spawn", PROJECT, "1", "--branch", "mine").stdout
    assert f"on mine as it is ({head[:10]})" in said
    (one,) = house.sessions()
    session = house.until_status(one, "idle")
    assert session["branch"] == "mine"
    assert git(Path(session["workspace"]), "rev-parse", "HEAD") == head
    assert (Path(session["workspace"]) / "half.txt").read_text() == "half\n"

    assert "on the new branch nope" in house.ao("spawn", PROJECT, "2", "--branch", "nope").stdout
    house.act("kill", session=one)
    house.until_ended(one)
    assert git(house.repository, "rev-parse", "mine") == head
