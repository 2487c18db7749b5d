"""What every place must do. Subclass `PlaceContract` and give the fixture `place`.

If real programs run in it, keep `RunningContract` as well.
"""

from __future__ import annotations

import pytest

from orchestrator.errors import BadInput, NotFound, PermanentError, TemporaryError
from orchestrator.ports.place import Place


class PlaceContract:
    """The promise of `orchestrator.ports.place`, as far as it is about files."""

    @pytest.fixture
    def place(self) -> Place:
        """An empty place."""
        raise NotImplementedError

    async def test_what_was_written_is_read(self, place: Place) -> None:
        for root in (place.folder, place.workspaces):
            data = bytes(range(256)) * 50
            await place.write(f"{root}/new/deep er/file.bin", data)
            assert await place.read(f"{root}/new/deep er/file.bin") == data

    async def test_writing_replaces(self, place: Place) -> None:
        path = f"{place.folder}/note"
        await place.write(path, b"a long first text")
        await place.write(path, b"short")
        assert await place.read(path) == b"short"
        assert [entry.name for entry in await place.list(place.folder)] == ["note"]

    async def test_a_part_is_read_from_the_start_the_middle_or_the_end(self, place: Place) -> None:
        path = f"{place.folder}/log"
        await place.write(path, b"0123456789")
        assert await place.read(path, limit=3) == b"012"
        assert await place.read(path, limit=3, offset=4) == b"456"
        assert await place.read(path, offset=-3) == b"789"
        assert await place.read(path, offset=-30) == b"0123456789"
        assert await place.read(path, limit=2, offset=-3) == b"78"
        assert await place.read(path, offset=30) == b""

    async def test_reading_what_is_not_there_says_so(self, place: Place) -> None:
        for path in (f"{place.folder}/nothing", f"{place.workspaces}/no/folder/either"):
            with pytest.raises(NotFound):
                await place.read(path)

    async def test_a_folder_lists_by_name_and_kind(self, place: Place) -> None:
        await place.write(f"{place.folder}/b", b"12345")
        await place.write(f"{place.folder}/a/inner", b"")
        entries = await place.list(place.folder)
        assert [(entry.name, entry.kind) for entry in entries] == [("a", "folder"), ("b", "file")]
        assert entries[1].size == 5

    async def test_a_folder_that_is_not_there_has_no_entries(self, place: Place) -> None:
        assert await place.list(f"{place.folder}/nothing/here") == ()

    async def test_removing_takes_everything_and_again_is_no_error(self, place: Place) -> None:
        await place.write(f"{place.workspaces}/tree/a/b/c", b"x")
        await place.write(f"{place.workspaces}/treetop", b"x")
        for _ in range(2):
            await place.remove(f"{place.workspaces}/tree")
        assert [entry.name for entry in await place.list(place.workspaces)] == ["treetop"]

    @pytest.mark.parametrize("tail", ["/../outside", "/a/../../outside", "-beside/file"])
    async def test_a_path_that_leads_out_is_refused(self, place: Place, tail: str) -> None:
        with pytest.raises(BadInput):
            await place.read(place.folder + tail)
        with pytest.raises(BadInput):
            await place.write(place.folder + tail, b"x")
        with pytest.raises(BadInput):
            await place.remove(place.folder + tail)

    async def test_other_paths_are_refused(self, place: Place) -> None:
        for path in ("/etc/passwd", "prompt.md", ""):
            with pytest.raises(BadInput):
                await place.read(path)

    async def test_a_ref_that_is_not_there_is_not_exported(self, place: Place) -> None:
        with pytest.raises(NotFound):
            async with place.export(f"{place.workspaces}/none", "refs/heads/main"):
                pass


class RunningContract(PlaceContract):
    """The rest of the promise: commands, links, and repositories."""

    async def test_a_command_gives_its_code_and_both_outputs(self, place: Place) -> None:
        done = await place.run(["sh", "-c", "cat; echo problem >&2; exit 3"], stdin=b"hello\n")
        assert (done.code, done.stdout, done.stderr) == (3, b"hello\n", b"problem\n")
        assert not done.ok

    async def test_without_input_it_is_closed(self, place: Place) -> None:
        assert (await place.run(["cat"], timeout=10)).stdout == b""

    async def test_arguments_arrive_as_they_are(self, place: Place) -> None:
        odd = ["$(id)", "a b", ";", "", "--", "it's", "é\n"]
        done = await place.run(["sh", "-c", 'printf "<%s>" "$@"', "sh", *odd])
        assert done.stdout.decode() == "".join(f"<{word}>" for word in odd)

    async def test_it_runs_where_it_is_told_with_what_it_is_given(self, place: Place) -> None:
        await place.write(f"{place.workspaces}/here/file", b"x")
        done = await place.run(
            ["sh", "-c", 'ls; echo "$EXTRA"'], cwd=f"{place.workspaces}/here", env={"EXTRA": "given"}
        )
        assert done.text() == "file\ngiven"

    async def test_nothing_of_our_environment_is_in_it(
        self, place: Place, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SLACK_BOT_TOKEN", "not-for-sessions")
        done = await place.run(["env"], env={"EXTRA": "given"})
        assert b"EXTRA=given" in done.stdout
        assert b"SLACK_BOT_TOKEN" not in done.stdout
        assert b"not-for-sessions" not in done.stdout

    async def test_a_program_that_is_not_there_says_so(self, place: Place) -> None:
        with pytest.raises(PermanentError):
            await place.run(["no-such-program"])

    async def test_on_expiry_the_whole_group_is_ended(self, place: Place) -> None:
        script = "(trap '' TERM; sleep 0.8; touch late) & sleep 100"
        with pytest.raises(TemporaryError):
            await place.run(["sh", "-c", script], cwd=place.folder, timeout=0.2)
        done = await place.run(["sh", "-c", "sleep 1; ls"], cwd=place.folder)
        assert done.text() == ""

    async def test_a_text_program_may_be_written_and_run(self, place: Place) -> None:
        await place.write(f"{place.folder}/bin/tool", b"#!/bin/sh\necho works\n", mode=0o700)
        assert (await place.run([f"{place.folder}/bin/tool"])).text() == "works"

    async def test_files_are_for_their_owner_only(self, place: Place) -> None:
        await place.write(f"{place.folder}/new/secret", b"x")
        done = await place.run(["stat", "-c", "%a", "new", "new/secret"], cwd=place.folder)
        assert done.text() == "700\n600"

    async def test_links_are_named_and_never_followed(self, place: Place) -> None:
        await place.write(f"{place.workspaces}/outside/secret", b"secret")
        outside = f"{place.workspaces}/outside"
        script = f"ln -s {outside}/secret file; ln -s {outside} folder; mkdir tree; ln -s {outside} tree/in"
        assert (await place.run(["sh", "-c", script], cwd=place.folder)).ok
        kinds = {entry.name: entry.kind for entry in await place.list(place.folder)}
        assert kinds == {"file": "link", "folder": "link", "tree": "folder"}
        for path in (f"{place.folder}/file", f"{place.folder}/folder/secret"):
            with pytest.raises(PermanentError):
                await place.read(path)
            with pytest.raises(PermanentError):
                await place.write(path, b"overwritten")
        with pytest.raises(PermanentError):
            await place.list(f"{place.folder}/folder")
        with pytest.raises(PermanentError):
            await place.remove(f"{place.folder}/folder/secret")
        for path in ("file", "folder", "tree"):
            await place.remove(f"{place.folder}/{path}")
        assert await place.list(place.folder) == ()
        assert await place.read(f"{outside}/secret") == b"secret"

    async def test_a_pipe_is_no_file(self, place: Place) -> None:
        await place.run(["mkfifo", "pipe"], cwd=place.folder)
        assert [entry.kind for entry in await place.list(place.folder)] == ["other"]
        with pytest.raises(PermanentError):
            await place.read(f"{place.folder}/pipe")

    async def test_an_exported_ref_can_be_fetched_on_this_host(self, place: Place, far: Place) -> None:
        repository = f"{place.workspaces}/repository"
        head = await _repository(place, repository)
        for ref in ("refs/heads/work", head):
            async with place.export(repository, ref) as source:
                fetched = await _fetch(far, source, ref)
            assert fetched == head

    async def test_exporting_runs_nothing_of_the_repositorys_configuration(
        self, place: Place, far: Place
    ) -> None:
        repository = f"{place.workspaces}/repository"
        await _repository(place, repository)
        trap = f"touch {place.workspaces}/trap"
        for key in (
            "core.fsmonitor",
            "core.pager",
            "uploadpack.packObjectsHook",
            "core.alternateRefsCommand",
        ):
            await place.run(["git", "-C", repository, "config", key, trap])
        async with place.export(repository, "refs/heads/work") as source:
            await _fetch(far, source, "refs/heads/work")
        assert "trap" not in [entry.name for entry in await place.list(place.workspaces)]

    @pytest.mark.parametrize("ref", ["refs/heads/none", "0" * 40, "--all", "", "refs/heads/../x"])
    async def test_what_a_repository_does_not_have_is_not_exported(self, place: Place, ref: str) -> None:
        repository = f"{place.workspaces}/repository"
        await _repository(place, repository)
        with pytest.raises(NotFound):
            async with place.export(repository, ref):
                pass

    @pytest.fixture
    def far(self, place: Place) -> Place:
        """A place whose commands run on this host itself, with a repository of its own to fetch into."""
        raise NotImplementedError


async def _repository(place: Place, path: str) -> str:
    identity = ("-c", "user.name=T", "-c", "user.email=t@example.org")
    for argv in (
        ("git", "init", "--quiet", "-b", "work", path),
        ("git", "-C", path, *identity, "commit", "--quiet", "--allow-empty", "-m", "First."),
    ):
        done = await place.run(argv, cwd=place.workspaces)
        assert done.ok, done.error_text()
    return (await place.run(["git", "-C", path, "rev-parse", "HEAD"])).text()


async def _fetch(far: Place, source: str, ref: str) -> str:
    """What arrives in a bare repository of the other place."""
    bare = f"{far.folder}/mirror.git"
    await far.run(["git", "init", "--quiet", "--bare", bare])
    done = await far.run(["git", "-C", bare, "fetch", "--quiet", source, f"+{ref}:refs/ao/in/x"])
    assert done.ok, done.error_text()
    return (await far.run(["git", "-C", bare, "rev-parse", "refs/ao/in/x"])).text()
