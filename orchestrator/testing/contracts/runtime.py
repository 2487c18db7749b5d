"""What every runtime must do. Subclass `RuntimeContract`; if real programs run in it, `TerminalContract`.

class TestTmux(TerminalContract):
    @pytest.fixture
    def runtime(self, tmp_path): ...
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Collection
from pathlib import Path

import pytest

from orchestrator.domain.ids import ProjectId, make_session_id
from orchestrator.domain.look import Seen
from orchestrator.domain.project import Project
from orchestrator.errors import BadInput, NotFound
from orchestrator.ports.runtime import Keys, Launch, Presence, Runtime, RuntimeLook, Text
from orchestrator.ports.session_ref import SessionRef
from orchestrator.testing.waiting import eventually

Sessions = Callable[[int], SessionRef]

# An audit hook cannot be taken away, so there is one for all tests.
_popen_count = 0


def _count_popen(event: str, args: tuple[object, ...]) -> None:
    global _popen_count
    del args
    if event == "subprocess.Popen":
        _popen_count += 1


sys.addaudithook(_count_popen)


class RuntimeContract:
    """The promise of `orchestrator.ports.runtime`, as tests that need no real program."""

    many = 100
    most_calls = 3
    """Outside calls that a look at `many` sessions with all their screens may make."""

    @pytest.fixture
    def runtime(self) -> Runtime:
        """A runtime that holds no session."""
        raise NotImplementedError

    @pytest.fixture
    def sessions(self, tmp_path: Path) -> Sessions:
        """Session number n of a project whose `$AO_HOME` is the runtime's."""
        return sessions_in(tmp_path)

    def calls(self, runtime: Runtime) -> int:
        """Outside calls made so far: subprocesses, unless the runtime counts otherwise."""
        del runtime
        return _popen_count

    async def make_exit(self, runtime: Runtime, session: SessionRef, code: int) -> None:
        """Let the session's program (a shell that reads its input) end with this code."""
        await runtime.send(session, Text(text=f"exit {code}"))

    async def test_what_was_never_started_is_missing(self, runtime: Runtime, sessions: Sessions) -> None:
        looks = await runtime.observe([sessions(1), sessions(2)], [sessions(1).id])
        missing = Seen(RuntimeLook(presence=Presence.MISSING))
        assert looks == {sessions(1).id: missing, sessions(2).id: missing}

    async def test_a_started_session_is_alive_and_held(self, runtime: Runtime, sessions: Sessions) -> None:
        await started(runtime, sessions(1))
        assert (await look_at(runtime, sessions(1))).presence is Presence.ALIVE
        assert list(await runtime.held()) == [sessions(1).id]

    async def test_starting_again_leaves_the_living_as_it_is(
        self, runtime: Runtime, sessions: Sessions
    ) -> None:
        await started(runtime, sessions(1))
        before = await look_at(runtime, sessions(1))
        await started(runtime, sessions(1))
        assert (await look_at(runtime, sessions(1))).pid == before.pid

    async def test_a_program_that_ended_shows_its_code(self, runtime: Runtime, sessions: Sessions) -> None:
        await started(runtime, sessions(1))
        await self.make_exit(runtime, sessions(1), 7)
        look = await until(runtime, sessions(1), lambda seen: seen.presence is Presence.EXITED)
        assert look.exit_code == 7
        with pytest.raises(NotFound):
            await runtime.send(sessions(1), Text(text="hello"))

    async def test_a_dead_terminal_is_replaced(self, runtime: Runtime, sessions: Sessions) -> None:
        await started(runtime, sessions(1))
        await self.make_exit(runtime, sessions(1), 0)
        await until(runtime, sessions(1), lambda seen: seen.presence is Presence.EXITED)
        await started(runtime, sessions(1))
        assert (await look_at(runtime, sessions(1))).presence is Presence.ALIVE

    async def test_a_stopped_session_is_missing_and_stopping_again_is_no_error(
        self, runtime: Runtime, sessions: Sessions
    ) -> None:
        await started(runtime, sessions(1))
        await runtime.stop(sessions(1))
        await runtime.stop(sessions(1))
        assert (await look_at(runtime, sessions(1))).presence is Presence.MISSING
        assert list(await runtime.held()) == []

    async def test_sending_to_what_is_not_there_says_so(self, runtime: Runtime, sessions: Sessions) -> None:
        for what in (Text(text="hello"), Keys(keys=("Enter",))):
            with pytest.raises(NotFound):
                await runtime.send(sessions(1), what)

    @pytest.mark.parametrize("key", ["", "F13", "ab", "send-keys", "-X", "\x1b"])
    async def test_an_unknown_key_is_refused(self, runtime: Runtime, sessions: Sessions, key: str) -> None:
        await started(runtime, sessions(1))
        with pytest.raises(BadInput):
            await runtime.send(sessions(1), Keys(keys=("Enter", key)))

    async def test_a_number_that_begins_like_another_is_another(
        self, runtime: Runtime, sessions: Sessions
    ) -> None:
        await started(runtime, sessions(10))
        assert (await look_at(runtime, sessions(1))).presence is Presence.MISSING
        with pytest.raises(NotFound):
            await runtime.send(sessions(1), Text(text="exit 3"))
        await runtime.stop(sessions(1))
        assert (await look_at(runtime, sessions(10))).presence is Presence.ALIVE

    async def test_a_place_has_the_sessions_folder(self, runtime: Runtime, sessions: Sessions) -> None:
        place = await runtime.place(sessions(1))
        await place.write(f"{place.folder}/prompt.md", b"Do it.")
        assert [entry.name for entry in await place.list(place.folder)] == ["prompt.md"]
        again = await runtime.place(sessions(1))
        assert await again.read(f"{again.folder}/prompt.md") == b"Do it."

    async def test_looking_at_many_costs_no_more_calls_than_looking_at_one(
        self, runtime: Runtime, sessions: Sessions
    ) -> None:
        refs = [sessions(number) for number in range(1, self.many + 1)]
        await started(runtime, refs[0])
        one = await self._cost(runtime, refs[:1])
        await asyncio.gather(*(started(runtime, ref) for ref in refs[1:]))
        many = await self._cost(runtime, refs)
        assert many <= max(one, 2)
        assert many <= self.most_calls
        looks = await runtime.observe([*refs, sessions(self.many + 1)], [ref.id for ref in refs])
        assert (
            sum(isinstance(look, Seen) and look.value.screen is not None for look in looks.values())
            == self.many
        )

    async def _cost(self, runtime: Runtime, refs: Collection[SessionRef]) -> int:
        before = self.calls(runtime)
        await runtime.observe(refs, [ref.id for ref in refs])
        return self.calls(runtime) - before


def sessions_in(folder: Path) -> Sessions:
    """Sessions of a project whose `$AO_HOME` is `home` in a folder."""
    project = Project(
        id=ProjectId("demo"),
        name="demo",
        path=folder,
        default_branch="main",
        prefix="demo",
        folder=folder / "home" / "projects" / "demo",
    )

    def make(number: int) -> SessionRef:
        name = make_session_id("demo", number)
        own = project.folder / "sessions" / name
        environment = {
            "PATH": os.environ["PATH"],
            "TERM": "xterm-256color",
            "AO_SESSION_DIR": str(own),
        }
        return SessionRef(id=name, project=project, folder=own, branch=name, environment=environment)

    return make


async def started(runtime: Runtime, session: SessionRef) -> None:
    """Start a shell that reads its input as the session's program."""
    await runtime.place(session)
    await runtime.start(session, Launch(argv=("sh",), cwd=str(session.folder)))


async def look_at(runtime: Runtime, session: SessionRef, *, screen: bool = False) -> RuntimeLook:
    """One successful look at one session."""
    look = (await runtime.observe([session], [session.id] if screen else []))[session.id]
    assert isinstance(look, Seen), look
    return look.value


async def until(
    runtime: Runtime, session: SessionRef, wanted: Callable[[RuntimeLook], object]
) -> RuntimeLook:
    """Look, with the screen, until it is as wanted."""
    return await eventually(lambda: look_at(runtime, session, screen=True), wanted)
