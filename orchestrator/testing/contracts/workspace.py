"""What every workspace must do. Subclass `WorkspaceContract`, give `workspace` and `setting`, and run it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.domain.look import Seen
from orchestrator.errors import Conflict, NotFound, PermanentError
from orchestrator.ports.rescue import Rescues
from orchestrator.ports.session_ref import SessionRef
from orchestrator.ports.workspace import Made, Workspace, WorkspaceLook, WorkspaceView
from orchestrator.testing.workspaces import Setting


class WorkspaceContract:
    """The promise of `orchestrator.ports.workspace`, as tests."""

    @pytest.fixture
    def workspace(self) -> Workspace:
        """The workspace plugin."""
        raise NotImplementedError

    @pytest.fixture
    def setting(self) -> Setting:
        """The world round it."""
        raise NotImplementedError

    async def make(
        self, workspace: Workspace, setting: Setting, number: int = 1, start: str = ""
    ) -> tuple[SessionRef, Made]:
        """A session with its workspace."""
        session = setting.session(number)
        made = await workspace.create(session, setting.place(session), setting.base, start)
        return replace(session, workspace=made.path), made

    async def look(self, workspace: Workspace, setting: Setting, session: SessionRef) -> WorkspaceLook:
        """One look that must succeed."""
        look = (await workspace.observe([WorkspaceView(session=session, place=setting.place(session))]))[
            session.id
        ]
        assert isinstance(look, Seen), look
        return look.value

    async def test_a_new_workspace_is_clean_and_stands_on_the_base(
        self, workspace: Workspace, setting: Setting
    ) -> None:
        session, made = await self.make(workspace, setting)
        assert (made.branch, made.head) == (session.branch, setting.base.sha)
        look = await self.look(workspace, setting, session)
        assert (look.exists, look.head, look.branch, look.dirty) == (
            True,
            setting.base.sha,
            session.branch,
            0,
        )
        assert await setting.read(session, made, "README.md")

    async def test_making_it_again_keeps_the_work_in_it(self, workspace: Workspace, setting: Setting) -> None:
        session, made = await self.make(workspace, setting)
        await setting.write(session, made, "README.md", "changed\n")
        assert (await self.make(workspace, setting))[1] == made
        assert await setting.read(session, made, "README.md") == "changed"

    async def test_every_one_asked_for_is_answered(self, workspace: Workspace, setting: Setting) -> None:
        made = [(await self.make(workspace, setting, number))[0] for number in (1, 2)]
        absent = setting.session(9)
        views = [WorkspaceView(session=s, place=setting.place(s)) for s in (*made, absent)]
        looks = await workspace.observe(views)
        assert {key: isinstance(look, Seen) and look.value.exists for key, look in looks.items()} == {
            made[0].id: True,
            made[1].id: True,
            absent.id: False,
        }

    async def test_changes_and_commits_are_seen(self, workspace: Workspace, setting: Setting) -> None:
        session, made = await self.make(workspace, setting)
        await setting.write(session, made, "README.md", "changed\n")
        await setting.write(session, made, "new/file.txt", "new\n")
        await setting.write(session, made, "ignored.txt", "secret\n")
        assert (await self.look(workspace, setting, session)).dirty == 2
        head = await setting.commit(session, made)
        look = await self.look(workspace, setting, session)
        assert (look.head, look.dirty) == (head, 0)

    async def test_nothing_is_saved_of_a_workspace_without_work(
        self, workspace: Workspace, setting: Setting
    ) -> None:
        session, made = await self.make(workspace, setting)
        await setting.write(session, made, "ignored.txt", "secret\n")
        assert await workspace.save(session, setting.place(session)) is None

    async def test_saving_changes_nothing_in_the_workspace_and_is_repeatable(
        self, workspace: Workspace, setting: Setting
    ) -> None:
        session, made = await self.make(workspace, setting)
        await setting.write(session, made, "README.md", "changed\n")
        await setting.write(session, made, "ignored.txt", "secret\n")
        before = await self.look(workspace, setting, session)
        saved = await workspace.save(session, setting.place(session))
        assert saved is not None
        assert (saved.files, saved.commits, saved.ignored) == (1, 0, 1)
        assert saved.ref == f"refs/ao/rescue/{session.id}/1"
        assert await workspace.save(session, setting.place(session)) == saved
        assert await self.look(workspace, setting, session) == before

    async def test_commits_are_saved_until_the_forge_has_them(
        self, workspace: Workspace, setting: Setting
    ) -> None:
        session, made = await self.make(workspace, setting)
        await setting.write(session, made, "README.md", "changed\n")
        head = await setting.commit(session, made)
        saved = await workspace.save(session, setting.place(session))
        assert saved is not None
        assert (saved.files, saved.commits) == (0, 1)
        await setting.pushed(session, head)
        assert await workspace.save(session, setting.place(session)) is None

    async def test_removing_refuses_while_work_is_not_saved(
        self, workspace: Workspace, setting: Setting
    ) -> None:
        session, made = await self.make(workspace, setting)
        await setting.write(session, made, "new.txt", "new\n")
        with pytest.raises(Conflict):
            await workspace.remove(session, setting.place(session))
        assert await setting.read(session, made, "new.txt") == "new"
        await workspace.save(session, setting.place(session))
        await setting.write(session, made, "new.txt", "newer\n")
        with pytest.raises(Conflict):
            await workspace.remove(session, setting.place(session))

    async def test_removing_is_repeatable(self, workspace: Workspace, setting: Setting) -> None:
        session, made = await self.make(workspace, setting)
        for _ in range(2):
            await workspace.remove(session, setting.place(session))
        assert not (await self.look(workspace, setting, session)).exists
        assert not await setting.place(session).list(made.path)
        await workspace.remove(setting.session(9), setting.place(setting.session(9)))

    async def test_saved_work_comes_back_as_it_was(self, workspace: Workspace, setting: Setting) -> None:
        session, made = await self.make(workspace, setting)
        await setting.write(session, made, "committed.txt", "one\n")
        head = await setting.commit(session, made)
        await setting.write(session, made, "new.txt", "two\n")
        await setting.write(session, made, "README.md", "changed\n")
        saved = await workspace.save(session, setting.place(session))
        assert saved is not None
        assert (saved.files, saved.commits) == (2, 1)
        await workspace.remove(session, setting.place(session))
        session, made = await self.make(workspace, setting, start=saved.commit)
        look = await self.look(workspace, setting, session)
        assert (look.head, look.branch, look.dirty) == (head, session.branch, 2)
        assert await setting.read(session, made, "new.txt") == "two"

    async def test_saved_work_is_listed_shown_and_dropped(
        self, workspace: Workspace, setting: Setting
    ) -> None:
        assert isinstance(workspace, Rescues)
        session, made = await self.make(workspace, setting)
        assert await workspace.rescues(setting.project) == []
        for number in (1, 2):
            await setting.write(session, made, "new.txt", f"line {number}\n")
            assert await workspace.save(session, setting.place(session))
        found = {rescue.ref: rescue for rescue in await workspace.rescues(setting.project)}
        first, second = (f"refs/ao/rescue/{session.id}/{number}" for number in (1, 2))
        assert set(found) == {first, second}
        assert found[first].summary == "1 changed file"
        assert "+line 2" in await workspace.show(setting.project, second)
        await workspace.drop(setting.project, first)
        assert [rescue.ref for rescue in await workspace.rescues(setting.project)] == [second]
        for absent in (first, "refs/heads/main", "--all"):
            with pytest.raises(NotFound):
                await workspace.show(setting.project, absent)
            with pytest.raises(NotFound):
                await workspace.drop(setting.project, absent)

    async def test_preparation_that_fails_is_told_and_can_be_removed(
        self, workspace: Workspace, setting: Setting
    ) -> None:
        setting.change(post_create=("echo one > prepared", "echo the reason >&2; exit 3"))
        session = setting.session()
        with pytest.raises(PermanentError, match="the reason"):
            await workspace.create(session, setting.place(session), setting.base)
        assert await workspace.save(session, setting.place(session)) is None
        await workspace.remove(session, setting.place(session))
        setting.change(post_create=("echo one > ignored.txt",))
        session, made = await self.make(workspace, setting)
        assert await setting.read(session, made, "ignored.txt") == "one"
        assert (await self.look(workspace, setting, session)).dirty == 0


class SharedBranches:
    """For workspaces that all work in one repository: a branch belongs to one session."""

    async def test_a_branch_of_something_else_is_a_conflict(
        self, workspace: Workspace, setting: Setting
    ) -> None:
        first = setting.session(1, branch="feat/same")
        made = await workspace.create(first, setting.place(first), setting.base)
        second = setting.session(2, branch="feat/same")
        with pytest.raises(Conflict, match="feat/same"):
            await workspace.create(second, setting.place(second), setting.base)
        assert await workspace.create(first, setting.place(first), setting.base) == made
        await workspace.remove(second, setting.place(second))
