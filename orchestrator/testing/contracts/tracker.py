"""What every tracker must do. Subclass `TrackerContract`, give the fixture `tracker`, and run it."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.domain.ids import ProjectId, branch_name
from orchestrator.domain.issue import Issue, IssueState
from orchestrator.domain.look import Seen
from orchestrator.domain.project import Project
from orchestrator.errors import BadInput, NotFound
from orchestrator.ports.tracker import IssueChange, Tracker


class TrackerContract:
    """The promise of `orchestrator.ports.tracker`, as tests."""

    @pytest.fixture
    def tracker(self) -> Tracker:
        """A tracker without issues."""
        raise NotImplementedError

    @pytest.fixture
    def project(self, tmp_path: Path) -> Project:
        """A project whose issues the tracker has."""
        return self.a_project(tmp_path)

    @staticmethod
    def a_project(tmp_path: Path) -> Project:
        """One whose checkout is an empty folder."""
        path = tmp_path / "repository"
        path.mkdir()
        return Project(
            id=ProjectId("demo"),
            name="demo",
            path=path,
            default_branch="main",
            prefix="demo",
            folder=tmp_path / "home" / "demo",
        )

    async def test_a_made_issue_is_seen(self, tracker: Tracker, project: Project) -> None:
        made = await tracker.create(project, "Add a farewell", "Say goodbye.\n\nPolitely.", ["feature"])
        looks = await tracker.observe(project, [made.ref])
        assert looks == {made.ref: Seen(made)}
        assert (made.title, made.labels, made.state) == ("Add a farewell", ("feature",), IssueState.OPEN)
        assert made.body == "Say goodbye.\n\nPolitely."

    async def test_an_issue_that_is_not_there_is_seen_as_none(
        self, tracker: Tracker, project: Project
    ) -> None:
        made = await tracker.create(project, "One", "")
        other = str(int(made.ref) + 900)
        assert await tracker.observe(project, [other, made.ref]) == {other: Seen(None), made.ref: Seen(made)}

    async def test_every_issue_gets_a_ref_of_its_own(self, tracker: Tracker, project: Project) -> None:
        made = [await tracker.create(project, "Same title", "") for _ in range(3)]
        assert len({issue.ref for issue in made}) == 3

    async def test_an_issue_without_a_title_is_refused(self, tracker: Tracker, project: Project) -> None:
        with pytest.raises(BadInput):
            await tracker.create(project, "  ", "body")

    async def test_the_state_changes_and_changing_it_again_changes_nothing(
        self, tracker: Tracker, project: Project
    ) -> None:
        made = await tracker.create(project, "One", "Body")
        change = IssueChange(state=IssueState.CLOSED)
        closed = await tracker.update(project, made.ref, change)
        assert closed.state is IssueState.CLOSED
        assert await tracker.update(project, made.ref, change) == closed
        assert await tracker.observe(project, [made.ref]) == {made.ref: Seen(closed)}

    async def test_what_a_change_does_not_name_stays(self, tracker: Tracker, project: Project) -> None:
        made = await tracker.create(project, "One", "Body", ["a", "b"])
        change = IssueChange(add_labels=("c", "a"), remove_labels=("b",))
        changed = await tracker.update(project, made.ref, change)
        assert set(changed.labels) == {"a", "c"}
        assert (changed.title, changed.body, changed.state) == (made.title, made.body, made.state)

    async def test_comments_are_kept_in_order(self, tracker: Tracker, project: Project) -> None:
        made = await tracker.create(project, "One", "Body")
        await tracker.update(project, made.ref, IssueChange(comment="First."))
        changed = await tracker.update(project, made.ref, IssueChange(comment="### Second\n\n## Comments"))
        assert [comment.body for comment in changed.comments] == ["First.", "### Second\n\n## Comments"]
        assert changed.body == "Body"

    async def test_a_comment_that_is_to_be_there_once_is_not_doubled(
        self, tracker: Tracker, project: Project
    ) -> None:
        made = await tracker.create(project, "One", "Body")
        change = IssueChange(comment="#7 is merged.", once=True)
        first = await tracker.update(project, made.ref, change)
        assert await tracker.update(project, made.ref, change) == first
        assert [comment.body for comment in first.comments] == ["#7 is merged."]

    @pytest.mark.parametrize("state", [IssueState.IN_PROGRESS, IssueState.IN_REVIEW, IssueState.OPEN])
    async def test_a_closed_issue_is_opened_again_only_where_that_is_meant(
        self, tracker: Tracker, project: Project, state: IssueState
    ) -> None:
        made = await tracker.create(project, "One", "Body")
        closed = await tracker.update(project, made.ref, IssueChange(state=IssueState.CANCELLED))
        change = IssueChange(state=state, keep_closed=True)
        assert await tracker.update(project, made.ref, change) == closed
        opened = await tracker.update(project, made.ref, IssueChange(state=IssueState.OPEN))
        assert opened.state is IssueState.OPEN

    async def test_review_is_shown_as_such_or_as_work_in_progress(
        self, tracker: Tracker, project: Project
    ) -> None:
        made = await tracker.create(project, "One", "Body")
        shown = await tracker.update(project, made.ref, IssueChange(state=IssueState.IN_REVIEW))
        assert shown.state in {IssueState.IN_REVIEW, IssueState.IN_PROGRESS}
        assert await tracker.update(project, made.ref, IssueChange(state=IssueState.IN_REVIEW)) == shown
        assert [issue.ref for issue in await tracker.search(project)] == [made.ref]

    async def test_changing_an_issue_that_is_not_there_says_so(
        self, tracker: Tracker, project: Project
    ) -> None:
        await tracker.create(project, "One", "")
        with pytest.raises(NotFound):
            await tracker.update(project, "900", IssueChange(state=IssueState.CLOSED))

    async def test_search_shows_open_issues_with_the_newest_last(
        self, tracker: Tracker, project: Project
    ) -> None:
        made = [await tracker.create(project, title, "") for title in ("Red", "Green", "Dark red")]
        await tracker.update(project, made[1].ref, IssueChange(state=IssueState.CLOSED))
        assert await _refs(tracker, project) == [made[0].ref, made[2].ref]
        assert await _refs(tracker, project, text="dark RED") == [made[2].ref]
        assert await _refs(tracker, project, limit=1) == [made[2].ref]

    async def test_a_branch_name_is_one_that_git_accepts(self, tracker: Tracker) -> None:
        issue = Issue(ref="7", title="A ~ title: with^ what git *refuses* and ../ more")
        assert branch_name(tracker.branch_name(issue)) == tracker.branch_name(issue)

    async def test_a_ref_is_found_in_what_people_type(self, tracker: Tracker, project: Project) -> None:
        assert [tracker.parse_ref(project, text) for text in ("7", "#7", " 7 ")] == ["7", "7", "7"]

    @pytest.mark.parametrize("text", ["", "please fix it", "--help", "../7"])
    async def test_other_words_are_no_ref(self, tracker: Tracker, project: Project, text: str) -> None:
        with pytest.raises(BadInput):
            tracker.parse_ref(project, text)


async def _refs(tracker: Tracker, project: Project, *, text: str = "", limit: int = 50) -> list[str]:
    return [issue.ref for issue in await tracker.search(project, text, limit)]
