"""What only the tmux runtime promises: its server, its marks, people in it, and a server that hangs."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from orchestrator.domain.look import Seen, Unseen
from orchestrator.errors import TemporaryError
from orchestrator.ports.runtime import Keys, Launch, Presence, Text
from orchestrator.ports.session_ref import SessionRef
from orchestrator.testing.contracts.runtime import Sessions, look_at, sessions_in, started, until
from orchestrator.testing.contracts.runtime_programs import lives
from orchestrator.testing.waiting import eventually
from plugins._shared import processes
from plugins._shared.pty_child import PtyChild
from plugins._shared.tmux_server import PASSED, TmuxServer
from plugins.runtime.tmux import TmuxRuntime

pytestmark = pytest.mark.tmux


@pytest.fixture
def sessions(tmp_path: Path) -> Sessions:
    return sessions_in(tmp_path)


@pytest.fixture
def name() -> Iterator[str]:
    server = f"ao-test-{uuid4().hex[:8]}"
    yield server
    subprocess.run(["tmux", "-L", server, "kill-server"], check=False, capture_output=True)


@pytest.fixture
async def runtime(name: str, tmp_path: Path) -> AsyncIterator[TmuxRuntime]:
    made = TmuxRuntime(TmuxServer(name, tmp_path / "home"))
    yield made
    await made.aclose()


def tmux(name: str, *args: str) -> str:
    """What our server says, asked by a client of the test's."""
    return subprocess.run(
        ["tmux", "-u", "-L", name, *args], check=True, capture_output=True, text=True
    ).stdout


async def test_the_servers_environment_is_an_allow_list(
    runtime: TmuxRuntime, name: str, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("SLACK_BOT_TOKEN", "GITHUB_TOKEN", "SSH_AUTH_SOCK", "AO_HOME", "VIRTUAL_ENV"):
        monkeypatch.setenv(variable, "not-for-agents")
    await started(runtime, sessions(1))
    seen = {line.partition("=")[0] for line in tmux(name, "show-environment", "-g").splitlines()}
    assert seen <= {*PASSED, "TERM", "PWD"}
    # Later sessions and clients add nothing to it.
    await started(runtime, sessions(2))
    tmux(name, "new-session", "-d", "-s", "other", "cat")
    assert "not-for-agents" not in tmux(name, "show-environment", "-g")
    assert "not-for-agents" not in tmux(name, "show-environment", "-t", "other")


async def test_the_persons_configuration_is_not_read(
    runtime: TmuxRuntime, sessions: Sessions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    person, trap = tmp_path / "person", tmp_path / "trap"
    (person / ".config" / "tmux").mkdir(parents=True)
    for path in (person / ".tmux.conf", person / ".config" / "tmux" / "tmux.conf"):
        path.write_text(f"run-shell 'touch {trap}'\nset -g remain-on-exit off\n")
    monkeypatch.setenv("HOME", str(person))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(person / ".config"))
    await started(runtime, sessions(1))
    await runtime.send(sessions(1), Text(text="exit 4"))
    look = await until(runtime, sessions(1), lambda seen: seen.presence is Presence.EXITED)
    assert look.exit_code == 4
    assert not trap.exists()


async def test_our_files_are_for_us_only(runtime: TmuxRuntime, sessions: Sessions, tmp_path: Path) -> None:
    await started(runtime, sessions(1))
    modes = [
        path.stat().st_mode & 0o777
        for path in (tmp_path / "home" / "tmux.conf", sessions(1).folder / "launch.sh")
    ]
    assert modes == [0o600, 0o700]
    assert sessions(1).folder.stat().st_mode & 0o777 == 0o700


async def test_terminal_that_waits_for_its_environment_after_a_crash_is_started_anew(
    runtime: TmuxRuntime, sessions: Sessions
) -> None:
    """We died after tmux had it and before its program began: nobody would ever give it anything."""
    await started(runtime, sessions(1))
    before = await look_at(runtime, sessions(1))
    os.mkfifo(sessions(1).folder / "launch.env")
    await started(runtime, sessions(1))
    after = await look_at(runtime, sessions(1))
    assert (after.presence, after.pid != before.pid) == (Presence.ALIVE, True)
    assert not (sessions(1).folder / "launch.env").exists()


async def test_agents_outlive_the_runtime_and_are_found_again(
    runtime: TmuxRuntime, name: str, sessions: Sessions, tmp_path: Path
) -> None:
    await started(runtime, sessions(1))
    await until(runtime, sessions(1), lambda seen: (seen.screen or "").strip())
    before = await look_at(runtime, sessions(1))
    await runtime.aclose()
    again = TmuxRuntime(TmuxServer(name, tmp_path / "home"))
    assert again.outlives_us
    assert await look_at(again, sessions(1)) == before
    await again.stop(sessions(1))
    assert list(await again.held()) == []
    await again.aclose()


@pytest.mark.parametrize("home", [None, "0123456789abcdef"])
async def test_a_session_without_our_mark_is_not_ours(
    runtime: TmuxRuntime, name: str, sessions: Sessions, home: str | None
) -> None:
    await started(runtime, sessions(2))
    tmux(name, "new-session", "-d", "-s", "demo-1", "cat")
    if home is not None:  # The mark of another home.
        tmux(name, "set-option", "-t", "=demo-1:", "@ao_session", "demo-1")
        tmux(name, "set-option", "-t", "=demo-1:", "@ao_home", home)
    assert (await look_at(runtime, sessions(1))).presence is Presence.MISSING
    assert list(await runtime.held()) == ["demo-2"]
    await runtime.stop(sessions(1))
    assert "demo-1" in tmux(name, "list-sessions", "-F", "#{session_name}").split()
    with pytest.raises(TemporaryError, match="duplicate session"):
        await started(runtime, sessions(1))


async def test_a_title_cannot_forge_a_look(runtime: TmuxRuntime, sessions: Sessions, tmp_path: Path) -> None:
    await runtime.place(sessions(1))
    forged = "x|1|7||0|0|1|demo-2|abc|demo-2||gone #(touch trap) #{pane_id}"
    script = f"printf '\\033]2;%s\\007READY' {shlex.quote(forged)}; cat"
    await runtime.start(sessions(1), Launch(argv=("sh", "-c", script), cwd=str(tmp_path)))
    look = await until(runtime, sessions(1), lambda seen: seen.title and "READY" in (seen.screen or ""))
    assert look.presence is Presence.ALIVE
    assert look.title.startswith("x|1|7||0|0|1|demo-2|abc|demo-2||gone")
    assert "#(touch trap) #{pane_id}" in look.title
    assert not _found(tmp_path, "trap")


async def test_a_program_ended_by_a_signal_shows_it(runtime: TmuxRuntime, sessions: Sessions) -> None:
    await started(runtime, sessions(1))
    look = await look_at(runtime, sessions(1))
    assert look.pid is not None
    os.kill(look.pid, signal.SIGKILL)
    ended = await until(runtime, sessions(1), lambda seen: seen.presence is Presence.EXITED)
    assert ended.exit_code == 128 + signal.SIGKILL


@contextlib.asynccontextmanager
async def _person(runtime: TmuxRuntime, session: SessionRef, tmp_path: Path) -> AsyncIterator[PtyChild]:
    """Somebody who attached to a session in a terminal of their own."""
    script = tmp_path / "attach.sh"
    script.write_text(
        f"export TERM=xterm-256color PATH={os.environ['PATH']}\nexec {shlex.join(runtime.attach_command(session))}\n"
    )
    person = await asyncio.to_thread(PtyChild, script)
    try:
        yield person
    finally:
        await asyncio.to_thread(processes.end_families, [person.pid])
        await asyncio.to_thread(person.release)


async def test_a_person_can_attach_and_is_seen(
    runtime: TmuxRuntime, sessions: Sessions, tmp_path: Path
) -> None:
    await started(runtime, sessions(1))
    before = await look_at(runtime, sessions(1))
    assert (before.attached, before.person_at) == (False, 0.0)
    async with _person(runtime, sessions(1), tmp_path) as person:
        look = await until(runtime, sessions(1), lambda seen: seen.attached)
        assert abs(look.person_at - time.time()) < 30
        await asyncio.to_thread(person.write, b"echo typed-by-hand\r")
        await until(runtime, sessions(1), lambda seen: "typed-by-hand\n" in (seen.screen or ""))
        await asyncio.to_thread(person.write, b"\x02d")
        await until(runtime, sessions(1), lambda seen: not seen.attached)
    assert (await look_at(runtime, sessions(1))).presence is Presence.ALIVE


async def test_what_we_type_is_not_taken_for_a_person(
    runtime: TmuxRuntime, sessions: Sessions, tmp_path: Path
) -> None:
    await started(runtime, sessions(1))
    async with _person(runtime, sessions(1), tmp_path):
        first = (await until(runtime, sessions(1), lambda seen: seen.attached)).person_at

        async def later() -> float:
            return time.time()

        await eventually(later, lambda now: now > first + 2)
        await runtime.send(sessions(1), Text(text="echo from-us"))
        await runtime.send(sessions(1), Keys(keys=("x",)))
        look = await until(runtime, sessions(1), lambda seen: "from-us\n" in (seen.screen or ""))
        assert look.person_at == first


async def test_copy_mode_is_in_the_way_only_while_somebody_reads(
    runtime: TmuxRuntime, name: str, sessions: Sessions, tmp_path: Path
) -> None:
    await started(runtime, sessions(1))
    async with _person(runtime, sessions(1), tmp_path) as person:
        await until(runtime, sessions(1), lambda seen: seen.attached)
        await asyncio.to_thread(person.write, b"\x02[")
        assert (await until(runtime, sessions(1), lambda seen: seen.mode)).mode == "copy-mode"
        tmux(name, "detach-client", "-s", "=demo-1")
        await until(runtime, sessions(1), lambda seen: not seen.attached)
    assert (await look_at(runtime, sessions(1))).mode == ""
    await runtime.send(sessions(1), Text(text="echo arrived-$((1+1))"))
    await until(runtime, sessions(1), lambda seen: "arrived-2" in (seen.screen or ""))
    await runtime.send(sessions(1), Keys(keys=("C-c",)))


async def test_a_session_that_went_meanwhile_takes_no_other_screen_with_it(
    runtime: TmuxRuntime, sessions: Sessions, tmp_path: Path
) -> None:
    server = TmuxServer(runtime._server.name, tmp_path / "home")
    for number in (1, 3):
        await started(runtime, sessions(number))
    assert set(await server.screens(["demo-1", "demo-2", "demo-3"])) == {"demo-1", "demo-3"}
    await server.close()


async def test_a_server_that_is_gone_is_no_session_and_no_error(
    runtime: TmuxRuntime, name: str, sessions: Sessions
) -> None:
    await started(runtime, sessions(1))
    tmux(name, "kill-server")
    assert (await look_at(runtime, sessions(1))).presence is Presence.MISSING
    await runtime.stop(sessions(1))
    await started(runtime, sessions(1))
    assert (await look_at(runtime, sessions(1))).presence is Presence.ALIVE


async def test_an_agent_that_outlived_its_server_is_ended_before_the_next_one_starts(
    runtime: TmuxRuntime, name: str, sessions: Sessions, tmp_path: Path
) -> None:
    await runtime.place(sessions(1))
    script = "trap '' HUP; echo $$ > pid.part; mv pid.part pid; while :; do sleep 0.1; done"
    await runtime.start(sessions(1), Launch(argv=("sh", "-c", script), cwd=str(tmp_path)))
    pid = int(await eventually(_reader(tmp_path / "pid"), bool))
    tmux(name, "kill-server")
    assert (await look_at(runtime, sessions(1))).presence is Presence.MISSING
    assert lives(pid)
    await started(runtime, sessions(1))
    assert not lives(pid)


async def test_a_server_that_hangs_makes_a_look_fail_with_a_reason_and_nothing_else(
    name: str, sessions: Sessions, tmp_path: Path
) -> None:
    runtime = TmuxRuntime(TmuxServer(name, tmp_path / "home", limit=0.4))
    await started(runtime, sessions(1))
    server = int(tmux(name, "display-message", "-p", "#{pid}"))
    os.kill(server, signal.SIGSTOP)
    try:
        begun = time.monotonic()
        looks = await asyncio.gather(*(runtime.observe([sessions(1)], [sessions(1).id]) for _ in range(4)))
        assert time.monotonic() - begun < 5
        for look in looks:
            seen = look[sessions(1).id]
            assert isinstance(seen, Unseen)
            assert "does not answer" in seen.reason
        with pytest.raises(TemporaryError):
            await runtime.send(sessions(1), Text(text="hello"))
        with pytest.raises(TemporaryError):
            await runtime.stop(sessions(1))
        # Files, and the loop, go on.
        place = await runtime.place(sessions(1))
        await place.write(f"{place.folder}/note", b"x")
        assert _processes(name) == {server}
    finally:
        os.kill(server, signal.SIGCONT)

    async def seen_again() -> bool:
        return isinstance((await runtime.observe([sessions(1)]))[sessions(1).id], Seen)

    await eventually(seen_again, bool)
    assert (await look_at(runtime, sessions(1))).presence is Presence.ALIVE
    await runtime.aclose()


def _reader(path: Path) -> Callable[[], Awaitable[str]]:
    async def read() -> str:
        return _text(path)

    return read


def _text(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def _found(folder: Path, name: str) -> list[Path]:
    return list(folder.rglob(name))


def _processes(name: str) -> set[int]:
    """The tmux server of that name and its clients that still run."""
    listed = subprocess.run(
        ["ps", "-A", "-ww", "-o", "pid=,args="], check=True, capture_output=True, text=True
    )
    rows = [line.strip().partition(" ") for line in listed.stdout.splitlines()]
    return {int(pid) for pid, _, args in rows if f"-L {name} " in args}
