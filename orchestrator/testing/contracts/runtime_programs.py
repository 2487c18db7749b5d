"""What a runtime must do for the programs in it: environment, arguments, screen, paste, keys, and their end.

class TestTmux(TerminalContract):
    @pytest.fixture
    def runtime(self, tmp_path): ...
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from orchestrator.domain.coloured import plain
from orchestrator.domain.look import Seen, Unseen
from orchestrator.errors import NotFound, PermanentError
from orchestrator.ports.runtime import Keys, Launch, Pictured, Presence, Runtime, Scrollback, Text
from orchestrator.testing.contracts.runtime import RuntimeContract, Sessions, look_at, started, until
from orchestrator.testing.waiting import eventually


class TerminalContract(RuntimeContract):
    """The rest of the promise: what real programs see and leave behind."""

    async def test_the_environment_is_the_sessions_and_nothing_of_ours(
        self, runtime: Runtime, sessions: Sessions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SLACK_BOT_TOKEN", "not-for-agents")
        out = tmp_path / "environment"
        session = sessions(1)
        program = f"import os, sys; open({str(out)!r}, 'w').write(repr(dict(os.environ))); sys.stdin.read()"
        launch = Launch(
            argv=(sys.executable, "-I", "-c", program),
            cwd=str(tmp_path),
            environment={"ODD": "it's $HOME `id`\n\"; \\ #(id)", "EMPTY": ""},
        )
        await runtime.place(session)
        await runtime.start(session, launch)
        wanted = {**session.environment, **launch.environment, "LC_CTYPE": "C.UTF-8"}
        seen = await written(out)
        # Python sets LC_CTYPE for itself where no locale is set.
        assert {"LC_CTYPE": "C.UTF-8", **eval(seen)} == wanted  # noqa: S307 - what our own program wrote

    async def test_no_file_holds_what_is_in_the_environment(
        self, runtime: Runtime, sessions: Sessions, tmp_path: Path
    ) -> None:
        """There are keys in it, and the files of a session stay with it when it has ended."""
        key, out = "sk-a-key-of-a-person", tmp_path / "out"
        program = 'printf %s "${#KEY}" >"$1.part" && mv "$1.part" "$1"; exec cat'
        argv = ("sh", "-c", program, "sh", str(out))
        await runtime.place(sessions(1))
        for _ in range(2):  # Also when it is started again.
            await runtime.start(sessions(1), Launch(argv=argv, cwd=str(tmp_path), environment={"KEY": key}))
            assert await written(out) == str(len(key))
            assert _holding(tmp_path, key) == []
            assert sessions(1).folder / "launch.sh" in _holding(tmp_path, "")
            assert not _found(tmp_path, "launch.env")
            await runtime.stop(sessions(1))
            out.unlink()

    async def test_arguments_arrive_as_they_are(
        self, runtime: Runtime, sessions: Sessions, tmp_path: Path
    ) -> None:
        out, trap = tmp_path / "arguments", tmp_path / "trap"
        odd = (
            "a; touch x",
            f"#(touch {trap})",
            f"$(touch {trap})",
            ";",
            "-",
            "--",
            "it's",
            "two\nlines",
            "é",
            "",
        )
        program = f"import sys; open({str(out)!r}, 'w').write(repr(tuple(sys.argv[1:]))); sys.stdin.read()"
        launch = Launch(argv=(sys.executable, "-I", "-c", program, *odd), cwd=str(tmp_path))
        await runtime.place(sessions(1))
        await runtime.start(sessions(1), launch)
        assert await written(out) == repr(odd)
        assert not _found(tmp_path, "trap")

    async def test_a_folder_with_odd_letters_is_only_a_folder(
        self, runtime: Runtime, sessions: Sessions, tmp_path: Path
    ) -> None:
        folder = tmp_path / "#(touch trap)$(touch trap) 'x"
        folder.mkdir()
        await runtime.place(sessions(1))
        await runtime.start(sessions(1), Launch(argv=("sh", "-c", "echo x > here; cat"), cwd=str(folder)))
        await written(folder / "here")
        assert not _found(tmp_path, "trap")

    @pytest.mark.parametrize(
        ("argv", "cwd"),
        [(("no-such-program",), "/"), (("sh",), "/no/such/folder"), (("/etc/passwd",), "/"), ((), "/")],
    )
    async def test_what_cannot_be_started_says_so_and_leaves_nothing(
        self, runtime: Runtime, sessions: Sessions, argv: tuple[str, ...], cwd: str
    ) -> None:
        await runtime.place(sessions(1))
        with pytest.raises(PermanentError):
            await runtime.start(sessions(1), Launch(argv=argv, cwd=cwd))
        assert list(await runtime.held()) == []

    async def test_the_screen_is_seen_without_control_characters(
        self, runtime: Runtime, sessions: Sessions, tmp_path: Path
    ) -> None:
        hostile = "\x1b]52;c;aGVsbG8=\x07\x1b[31mred\x1b[0m caf\xe9 \u202egnp.exe\u202c \x9b5mblink"
        program = (
            f"import sys; sys.stdout.buffer.write({hostile!r}.encode()); "
            "sys.stdout.write('\\x1b]2;my \\u202etitle\\x07READY'); sys.stdout.flush(); sys.stdin.read()"
        )
        environment = {"PYTHONUTF8": "1"}
        await runtime.place(sessions(1))
        await runtime.start(
            sessions(1),
            Launch(argv=(sys.executable, "-c", program), cwd=str(tmp_path), environment=environment),
        )
        look = await until(
            runtime, sessions(1), lambda seen: "READY" in (seen.screen or "") and "title" in seen.title
        )
        assert look.screen is not None
        assert "red café gnp.exe" in look.screen
        assert look.title == "my title"
        assert not [
            c for c in look.screen + look.title if (ord(c) < 32 and c != "\n") or c in "\u202e\u202c\x9b"
        ]

    async def test_a_picture_has_colours_the_cursor_and_nothing_else_that_a_terminal_obeys(
        self, runtime: Runtime, sessions: Sessions, tmp_path: Path
    ) -> None:
        if not isinstance(runtime, Pictured):
            pytest.skip("this runtime shows no pictures")
        hostile = (
            "\x1b]52;c;aGVsbG8=\x07\x1b]2;owned\x07\x1b]8;;https://evil.example\x1b\\click\x1b]8;;\x1b\\ "
            "\u202egnp.exe\u202c\r\n\x1b[1;31mred\x1b[0m plain \x1b[48;2;1;2;3mback\x1b[0m\r\n┌─┐ READY"
        )
        program = f"import sys, tty; tty.setraw(0); sys.stdout.buffer.write({hostile!r}.encode()); sys.stdout.flush(); sys.stdin.read()"
        await runtime.place(sessions(1))
        launch = Launch(argv=(sys.executable, "-c", program), cwd=str(tmp_path))
        await runtime.start(sessions(1), launch)
        await until(runtime, sessions(1), lambda seen: "READY" in (seen.screen or ""))
        seen = await runtime.pictures([sessions(1), sessions(2)])
        assert isinstance(seen[sessions(2).id], Unseen)
        look = seen[sessions(1).id]
        assert isinstance(look, Seen)
        picture = look.value
        words = [plain(line).rstrip() for line in picture.lines]
        assert words[:3] == ["click gnp.exe", "red plain back", "┌─┐ READY"]
        assert picture.lines[1].startswith("\x1b[0;1;31mred")
        assert "\x1b[0;48;2;1;2;3mback" in picture.lines[1]
        assert picture.cursor == (9, 2)
        assert (picture.columns, picture.rows) == (200, 50)
        assert not [c for word in words for c in word if ord(c) < 32 or c in "\u202e\u202c"]

    async def test_a_screen_that_was_not_asked_for_is_not_read(
        self, runtime: Runtime, sessions: Sessions
    ) -> None:
        await started(runtime, sessions(1))
        looks = await runtime.observe([sessions(1)])
        seen = looks[sessions(1).id]
        assert isinstance(seen, Seen)
        assert seen.value.screen is None

    async def test_a_long_text_arrives_whole_and_as_one_piece(
        self, runtime: Runtime, sessions: Sessions, tmp_path: Path
    ) -> None:
        out = tmp_path / "pasted"
        await runtime.place(sessions(1))
        launch = Launch(argv=(sys.executable, "-I", "-c", _PASTE_READER, str(out)), cwd=str(tmp_path))
        await runtime.start(sessions(1), launch)
        await until(runtime, sessions(1), lambda seen: "READY" in (seen.screen or ""))
        text = "\n".join(f"line {number}; #(touch x) $HOME é" for number in range(3500))
        assert len(text) > 100_000
        await runtime.send(sessions(1), Text(text=f"{text}\x1b[201~\x03end"))
        # What would end the paste early, or press a key, is taken away; a terminal pastes CR for LF.
        assert await written(out) == repr(f"{text}[201~end".replace("\n", "\r") + "|\r")

    async def test_text_may_be_left_unsubmitted(
        self, runtime: Runtime, sessions: Sessions, tmp_path: Path
    ) -> None:
        out = tmp_path / "line"
        await runtime.place(sessions(1))
        script = f'echo READY; read -r line; printf %s "$line" > {out}; cat'
        await runtime.start(sessions(1), Launch(argv=("sh", "-c", script), cwd=str(tmp_path)))
        await until(runtime, sessions(1), lambda seen: "READY" in (seen.screen or ""))
        await runtime.send(sessions(1), Text(text="first ", submit=False))
        await runtime.send(sessions(1), Keys(keys=("-", ";", "#", "BSpace", "x")))
        assert not _text(out)
        await runtime.send(sessions(1), Keys(keys=("Enter",)))
        assert await written(out) == "first -;x"

    async def test_a_key_interrupts(self, runtime: Runtime, sessions: Sessions, tmp_path: Path) -> None:
        await runtime.place(sessions(1))
        program = (
            "import signal, sys; signal.signal(signal.SIGINT, lambda *_: sys.exit(3)); "
            "print('READY', flush=True); signal.pause()"
        )
        await runtime.start(
            sessions(1), Launch(argv=(sys.executable, "-I", "-c", program), cwd=str(tmp_path))
        )
        await until(runtime, sessions(1), lambda seen: "READY" in (seen.screen or ""))
        await runtime.send(sessions(1), Keys(keys=("C-c",)))
        look = await until(runtime, sessions(1), lambda seen: seen.presence is Presence.EXITED)
        assert look.exit_code == 3

    async def test_stopping_leaves_no_child(
        self, runtime: Runtime, sessions: Sessions, tmp_path: Path
    ) -> None:
        out = tmp_path / "children"
        await runtime.place(sessions(1))
        launch = Launch(argv=(sys.executable, "-I", "-c", _FAMILY, str(out)), cwd=str(tmp_path))
        await runtime.start(sessions(1), launch)
        children = [int(pid) for pid in (await written(out)).split()]
        assert len(children) == 4
        await runtime.stop(sessions(1))
        assert [pid for pid in children if lives(pid)] == []

    async def test_what_scrolled_away_can_be_read(
        self, runtime: Runtime, sessions: Sessions, tmp_path: Path
    ) -> None:
        if not isinstance(runtime, Scrollback):
            pytest.skip("this runtime keeps nothing that scrolled away")
        script = "i=0; while [ $i -lt 300 ]; do echo line $i; i=$((i+1)); done; cat"
        await runtime.place(sessions(1))
        await runtime.start(sessions(1), Launch(argv=("sh", "-c", script), cwd=str(tmp_path)))
        await until(runtime, sessions(1), lambda seen: "line 299" in (seen.screen or ""))
        assert "line 0\n" not in (await look_at(runtime, sessions(1), screen=True)).screen  # type: ignore[operator]
        assert (await runtime.output(sessions(1), 1000)).startswith("line 0\nline 1\n")
        assert await runtime.output(sessions(1), 2) == "line 298\nline 299"
        with pytest.raises(NotFound):
            await runtime.output(sessions(2), 2)


async def written(path: Path) -> str:
    """The text that a program writes into a file, once it is there."""

    async def read() -> str:
        return _text(path)

    return await eventually(read, bool)


def _text(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def _holding(folder: Path, text: str) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and text.encode() in path.read_bytes()]


def _found(folder: Path, name: str) -> list[Path]:
    return list(folder.rglob(name))


def lives(pid: int) -> bool:
    """Whether a process is there and is no zombie."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat")
    return not state.exists() or state.read_text().rpartition(")")[2].split()[0] != "Z"


# Asks for bracketed paste, then writes what came between its marks, and what came after.
_PASTE_READER = r"""
import os, sys, tty
tty.setraw(0)
os.write(1, b"\x1b[?2004hREADY")
data = b""
while not data.endswith(b"\r") or b"\x1b[201~" not in data:
    data += os.read(0, 65536)
inner, _, rest = data.partition(b"\x1b[200~")[2].rpartition(b"\x1b[201~")
with open(sys.argv[1] + ".part", "w") as file:
    file.write(repr(inner.decode() + "|" + rest.decode()))
os.rename(sys.argv[1] + ".part", sys.argv[1])
os.read(0, 1)
"""

# A child that ignores being asked, one in a terminal session of its own, and a daemon that forked twice.
_FAMILY = r"""
import os, signal, subprocess, sys, time
sleep = ["sleep", "1000"]
ignoring = "import signal, time; signal.signal(15, 1); signal.signal(1, 1); time.sleep(1000)"
pids = [
    os.getpid(),
    subprocess.Popen([sys.executable, "-c", ignoring]).pid,
    subprocess.Popen(sleep, start_new_session=True).pid,
]
daemon = "import subprocess; print(subprocess.Popen(['sleep', '1000'], start_new_session=True, stdout=2).pid)"
pids.append(int(subprocess.run([sys.executable, "-c", daemon], stdout=subprocess.PIPE, check=True).stdout))
with open(sys.argv[1] + ".part", "w") as file:
    file.write(" ".join(map(str, pids)))
os.rename(sys.argv[1] + ".part", sys.argv[1])
time.sleep(1000)
"""
