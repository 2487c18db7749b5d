"""Issues in files: what people write by hand, what goes wrong, and what must never happen."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.domain.ids import ProjectId
from orchestrator.domain.issue import Issue, IssueComment, IssueState
from orchestrator.domain.look import Seen, Unseen
from orchestrator.domain.project import Project
from orchestrator.errors import BadInput, PermanentError
from orchestrator.ports.plugin import PluginContext
from orchestrator.ports.tracker import IssueChange
from plugins.tracker.local import LIMIT, LocalTracker, LocalTrackerOptions

HAND_WRITTEN = """---
# which of ours
title: "Greet: by name"   # short
priority: high
labels:
  - feature
  - small
# who
assignee: ana
---

Say hello.

## Comments

### ana, 2026-11-23T22:40:13Z

> In *every* language.
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    path = tmp_path / "repository"
    (path / "issues").mkdir(parents=True)
    return Project(
        id=ProjectId("demo"), name="demo", path=path, default_branch="main", prefix="demo", folder=tmp_path
    )


@pytest.fixture
def tracker(tmp_path: Path) -> LocalTracker:
    return LocalTracker(LocalTrackerOptions(), PluginContext(home=tmp_path, data=str, now=lambda: 1000.0))


def put(project: Project, name: str, text: str) -> Path:
    path = project.path / "issues" / name
    path.write_text(text, newline="")
    return path


async def test_a_hand_written_issue_is_read(tracker: LocalTracker, project: Project) -> None:
    put(project, "001-greet.md", HAND_WRITTEN)
    assert await tracker.observe(project, ["1"]) == {
        "1": Seen(
            Issue(
                ref="1",
                title="Greet: by name",
                body="Say hello.",
                url="issues/001-greet.md",
                labels=("feature", "small"),
                assignee="ana",
                comments=(IssueComment(author="ana", body="In *every* language.", at=1795473613.0),),
            )
        )
    }


async def test_without_front_matter_the_heading_is_the_title(tracker: LocalTracker, project: Project) -> None:
    put(project, "2.md", "# Say goodbye #\n\nAt the end.\n")
    put(project, "3.md", "Only words.\n")
    looks = await tracker.observe(project, ["2", "3"])
    assert [look.value.title for look in looks.values() if isinstance(look, Seen) and look.value] == [
        "Say goodbye",
        "Issue 3",
    ]


async def test_a_change_touches_only_its_own_lines(tracker: LocalTracker, project: Project) -> None:
    path = put(project, "1.md", HAND_WRITTEN)
    await tracker.update(
        project, "1", IssueChange(state=IssueState.IN_PROGRESS, add_labels=("seen: no",), comment="On it.")
    )
    expected = HAND_WRITTEN.replace(
        "labels:\n  - feature\n  - small\n", "labels: [feature, small, 'seen: no']\n"
    )
    expected = expected.replace("assignee: ana\n", "assignee: ana\nstate: in_progress\n")
    assert path.read_text() == (expected + "\n### Agent Orchestrator, 1970-01-01T00:16:40Z\n\n> On it.\n")


async def test_windows_line_ends_and_the_mode_of_the_file_stay(
    tracker: LocalTracker, project: Project
) -> None:
    path = put(project, "1.md", "---\r\ntitle: One\r\nstate: open\r\n---\r\nBody\r\n")
    path.chmod(0o664)
    await tracker.update(project, "1", IssueChange(state=IssueState.CLOSED))
    assert path.read_bytes() == b"---\r\ntitle: One\r\nstate: closed\r\n---\r\nBody\r\n"
    assert path.stat().st_mode & 0o777 == 0o664


async def test_changing_nothing_writes_nothing(tracker: LocalTracker, project: Project) -> None:
    path = put(project, "1.md", HAND_WRITTEN)
    before = path.stat().st_mtime_ns, path.stat().st_ino
    await tracker.update(project, "1", IssueChange(state=IssueState.OPEN, add_labels=("small",)))
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == before


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("---\ntitle: [a\n---\n", "line 3"),
        ("---\ntitle: a\ntitle: b\n---\n", "line 3: a name is doubled"),
        ("---\ntitle: a\n", "a line --- is missing"),
        ("---\n- a\n---\n", "name: value"),
        ("---\ntitle: [a]\n---\n", "`title` must be a text"),
        ("---\ntitle: a\nstate: maybe\n---\n", "state: maybe"),
        ("---\ntitle: \x00\n---\n", "not valid YAML"),
        ("---\n" + "[" * 5000 + "\n---\n", "cannot be read"),
        ("x" * (LIMIT + 1), f"larger than {LIMIT} bytes"),
    ],
)
async def test_a_malformed_issue_has_a_reason_and_hides_no_other(
    tracker: LocalTracker, project: Project, text: str, reason: str
) -> None:
    put(project, "1.md", text)
    put(project, "2.md", "# Two\n")
    looks = await tracker.observe(project, ["1", "2"])
    assert isinstance(looks["2"], Seen)
    assert isinstance(looks["1"], Unseen)
    assert reason in looks["1"].reason
    assert "1.md" in looks["1"].reason
    assert [issue.ref for issue in await tracker.search(project)] == ["2"]


async def test_bytes_that_are_no_text_have_a_reason(tracker: LocalTracker, project: Project) -> None:
    (project.path / "issues" / "1.md").write_bytes(b"# \xff\n")
    look = (await tracker.observe(project, ["1"]))["1"]
    assert look == Unseen("issues/1.md: Not UTF-8 text (byte 2).")


async def test_two_files_of_one_number_are_named(tracker: LocalTracker, project: Project) -> None:
    put(project, "1.md", "# One\n")
    put(project, "001-one.md", "# One\n")
    look = (await tracker.observe(project, ["1"]))["1"]
    assert look == Unseen("Issue 1 has several files in issues: 001-one.md, 1.md.")


async def test_a_link_to_a_file_outside_is_not_followed(
    tracker: LocalTracker, project: Project, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("# the secret\n")
    (project.path / "issues" / "1.md").symlink_to(secret)
    look = (await tracker.observe(project, ["1"]))["1"]
    assert isinstance(look, Unseen)
    assert "link" in look.reason
    with pytest.raises(PermanentError):
        await tracker.update(project, "1", IssueChange(state=IssueState.CLOSED))
    assert secret.read_text() == "# the secret\n"


async def test_a_linked_folder_is_not_followed(
    tracker: LocalTracker, project: Project, tmp_path: Path
) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "1.md").write_text("# the secret\n")
    (project.path / "issues").rmdir()
    (project.path / "issues").symlink_to(tmp_path / "outside")
    look = (await tracker.observe(project, ["1"]))["1"]
    assert isinstance(look, Unseen)
    with pytest.raises(PermanentError):
        await tracker.create(project, "Two", "")
    assert [path.name for path in (tmp_path / "outside").iterdir()] == ["1.md"]


async def test_a_repository_that_is_gone_is_no_missing_issue(tracker: LocalTracker, project: Project) -> None:
    (project.path / "issues").rmdir()
    assert await tracker.observe(project, ["1"]) == {"1": Seen(None)}
    project.path.rmdir()
    assert isinstance((await tracker.observe(project, ["1"]))["1"], Unseen)


async def test_a_new_issue_takes_the_next_number(tracker: LocalTracker, project: Project) -> None:
    put(project, "041-old.md", "# Old\n")
    put(project, "notes.md", "# no issue\n")
    made = await tracker.create(project, "Größer: *better*!", "Body\n---\nmore")
    assert made.url == "issues/42-gr-er-better.md"
    assert made.body == "Body\n---\nmore"
    assert {path.name for path in (project.path / "issues").iterdir()} == {
        "041-old.md",
        "42-gr-er-better.md",
        "notes.md",
    }


def test_a_path_is_a_ref(tracker: LocalTracker, project: Project) -> None:
    assert tracker.parse_ref(project, "issues/007-bond.md") == "7"
    assert tracker.parse_ref(project, "./issues/7.md") == "7"
    for text in ("other/7.md", "issues/notes.md", "issues/../7.md"):
        with pytest.raises(BadInput):
            tracker.parse_ref(project, text)


@pytest.mark.parametrize("folder", ["/etc", "../issues", "", "a/../../b"])
def test_a_folder_outside_is_refused(tmp_path: Path, folder: str) -> None:
    with pytest.raises(BadInput):
        LocalTracker(LocalTrackerOptions(folder=folder), PluginContext(home=tmp_path, data=str))
