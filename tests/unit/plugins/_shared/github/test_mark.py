"""Whose a pull request is: marks in the mirror and in bodies."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.domain.ids import ProjectId, SessionId
from orchestrator.domain.project import Project
from plugins._shared.github.mark import OURS, Marks, body_mark, is_ours, named_in
from plugins._shared.mirror import Mirror

ONE, TWO = SessionId("demo-1"), SessionId("demo-2")


def test_a_body_names_a_session_of_this_home_alone() -> None:
    body = f"Text\n\n{body_mark(ONE, 'ao-1')}"
    assert named_in(body, "ao-1") == ONE
    assert named_in(body, "ao-2") is None
    assert named_in("no mark <!-- ao session: -->", "ao-1") is None
    assert named_in(f"{body_mark(TWO, 'ao-1')} quoted\n{body}", "ao-1") == ONE


def test_our_own_words_end_with_our_sign() -> None:
    assert is_ours(f"Done.\n\n{OURS}\n")
    assert not is_ours(f"{OURS} quoted by somebody")


@pytest.mark.git
async def test_marks_are_moved_and_found_again_after_a_start(tmp_path: Path) -> None:
    project = Project(
        id=ProjectId("demo"), name="demo", path=tmp_path, default_branch="main", prefix="demo", folder=tmp_path / "p"
    )  # fmt: skip
    marks, mirror = Marks(), Mirror(project.mirror)
    assert dict(await marks.of(project)) == {}
    head = await mirror.commit(await mirror.git.text("mktree", stdin=b""), (), "work")
    await marks.put(project, ONE, 7, head)
    await marks.put(project, ONE, 9, head)
    await marks.put(project, TWO, 9, head)
    for known in (marks, Marks()):
        assert dict(await known.of(project)) == {ONE: 7, TWO: 9}
        assert dict(await known.owners(project)) == {7: ONE, 9: TWO}
