"""`bin/ao-hook` as an agent runs it: real shells, real files."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from orchestrator import resources
from orchestrator.domain.agent_request import parse
from orchestrator.domain.ids import session_id

SHELLS = [shell for shell in ("dash", "bash") if shutil.which(shell)]
LARGE = json.dumps({"hook_event_name": "PreToolUse", "tool_input": {"content": 'ä\0\\"\n' * 6_000}}).encode()


@pytest.fixture(params=SHELLS)
def hook(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The program in a session's folder, run by one shell each."""
    folder = tmp_path / "a session"
    for name in ("bin", "inbox", "outbox", "agent/events", "agent/answers"):
        (folder / name).mkdir(parents=True)
    file = folder / "bin" / "ao-hook"
    text = resources.text("agent-bin/ao-hook")
    assert 'inbox/$name" 60' in text
    file.write_text(
        text.replace('inbox/$name" 60', 'inbox/$name" 1').replace(
            "#!/bin/sh", f"#!{shutil.which(request.param)}", 1
        )
    )
    file.chmod(0o700)
    return file


def _start(hook: Path, *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [str(hook), *arguments],
        env={"PATH": os.environ["PATH"], "AO_SESSION_DIR": str(hook.parent.parent)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def _run(hook: Path, *arguments: str, data: bytes = b'{"a": 1}') -> tuple[int, bytes, bytes]:
    with _start(hook, *arguments) as process:
        out, err = process.communicate(data, timeout=20)
        return process.returncode, out, err


def _only(folder: Path, pattern: str = "[!.]*") -> Path:
    """The one file of a folder, once it is there."""
    end = time.monotonic() + 10
    seen = threading.Event()
    while not (found := sorted(folder.glob(pattern))):
        assert time.monotonic() < end, f"nothing came into {folder}"
        seen.wait(0.01)
    assert len(found) == 1
    return found[0]


def _lay(file: Path, data: bytes) -> None:
    """Rename an answer into place, as `ao` does."""
    draft = file.with_name(f".{file.name}")
    draft.write_bytes(data)
    draft.rename(file)


def _folder(hook: Path) -> Path:
    return hook.parent.parent


@pytest.mark.parametrize("data", [b'{"a": 1}', b"", b"\xff\x00no json\n\n", LARGE])
def test_an_event_is_kept_as_it_came(hook: Path, data: bytes) -> None:
    assert _run(hook, data=data) == (0, b"", b"")
    kept = _only(_folder(hook) / "agent" / "events", "*")
    assert kept.suffix == ".json"
    assert kept.read_bytes() == data
    assert kept.stat().st_mode & 0o777 == 0o600
    assert int(kept.name.partition("-")[0]) == pytest.approx(time.time(), abs=30)


def test_events_at_once_are_all_kept(hook: Path) -> None:
    started = [_start(hook) for _ in range(12)]
    for number, process in enumerate(started):
        process.communicate(str(number).encode(), timeout=20)
    kept = [file.read_text() for file in (_folder(hook) / "agent" / "events").iterdir()]
    assert sorted(map(int, kept)) == list(range(12))


def test_who_waits_prints_the_answer_and_takes_it_away(hook: Path) -> None:
    answers = _folder(hook) / "agent" / "answers"
    with _start(hook, "wait") as process:
        assert process.stdin is not None
        process.stdin.write(LARGE)
        process.stdin.close()
        event = _only(_folder(hook) / "agent" / "events")
        assert event.read_bytes() == LARGE
        _lay(answers / event.name, b'{"say": "\\u00e4 %s \\\\n"}')
        assert process.wait(20) == 0
        assert process.stdout is not None
        assert process.stdout.read() == b'{"say": "\\u00e4 %s \\\\n"}'
    assert list(answers.iterdir()) == []


def test_who_was_ended_while_it_waited_takes_no_answer(hook: Path) -> None:
    answers = _folder(hook) / "agent" / "answers"
    with _start(hook, "wait") as process:
        assert process.stdin is not None
        process.stdin.close()
        event = _only(_folder(hook) / "agent" / "events")
        process.kill()
        process.wait(20)
        _lay(answers / event.name, b"late")
        assert process.stdout is not None
        assert process.stdout.read() == b""
    assert [file.name for file in answers.iterdir()] == [event.name]


def test_who_waits_goes_when_its_agent_has_gone(hook: Path) -> None:
    agent = "import subprocess, sys; subprocess.run(sys.argv[1:], stdin=subprocess.DEVNULL)"
    with subprocess.Popen(
        [sys.executable, "-c", agent, str(hook), "wait"],
        env={"PATH": os.environ["PATH"], "AO_SESSION_DIR": str(_folder(hook))},
        stdout=subprocess.PIPE,
    ) as process:
        event = _only(_folder(hook) / "agent" / "events")
        process.kill()
        process.wait(20)
        # the hook has the pipe too: it is at its end once the hook has gone
        assert process.communicate(timeout=20)[0] == b""
    _lay(_folder(hook) / "agent" / "answers" / event.name, b"{}")
    assert _only(_folder(hook) / "agent" / "answers").name == event.name


@pytest.mark.parametrize(
    ("answer", "code", "out", "err"),
    [
        (b'0\n{"allow": "it"}\n', 0, b'{"allow": "it"}\n', b""),
        (b"0\n", 0, b"", b""),
        (b"1\nthe project forbids it\n", 2, b"", b"ao: the project forbids it\n"),
        (b"", 2, b"", b"ao: \n"),
    ],
)
def test_rules_are_asked_and_what_they_say_is_passed_on(
    hook: Path, answer: bytes, code: int, out: bytes, err: bytes
) -> None:
    with _start(hook, "judge") as process:
        assert process.stdin is not None
        process.stdin.write(LARGE)
        process.stdin.close()
        asked = _only(_folder(hook) / "outbox")
        request = parse(session_id("demo-1"), asked.name, asked.read_bytes())
        assert (request.verb, request.args) == ("permit", (LARGE.decode(),))
        _lay(_folder(hook) / "inbox" / asked.name, answer)
        assert process.stdout is not None
        assert process.stderr is not None
        assert (process.wait(20), process.stdout.read(), process.stderr.read()) == (code, out, err)


def test_where_nobody_answers_nothing_runs_unjudged(hook: Path) -> None:
    code, out, err = _run(hook, "judge")
    assert (code, out) == (2, b"")
    assert b"its rules cannot be asked" in err
    # And it is not asked about later, when nobody waits for it.
    assert list((_folder(hook) / "outbox").iterdir()) == []


def test_what_was_used_is_kept_in_one_file(hook: Path) -> None:
    for data in (LARGE, b'{"cost": 1}'):
        assert _run(hook, "usage", data=data) == (0, b"", b"")
    usage = _folder(hook) / "agent" / "usage.json"
    assert usage.read_bytes() == b'{"cost": 1}'
    assert {file.name for file in usage.parent.iterdir()} == {"answers", "events", "usage.json"}


@pytest.mark.parametrize("what", ["event", "usage", "wait"])
def test_an_agent_whose_session_is_gone_goes_on(hook: Path, tmp_path: Path, what: str) -> None:
    alone = tmp_path / "ao-hook"
    shutil.copy(hook, alone)
    shutil.rmtree(_folder(hook))
    environment = {"PATH": os.environ["PATH"], "AO_SESSION_DIR": str(_folder(hook))}
    done = subprocess.run(
        [alone, what], env=environment, input=b"x", capture_output=True, timeout=20, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert not _folder(hook).exists()


@pytest.mark.parametrize("gone", ["agent", "outbox"])
def test_without_its_folders_nothing_runs_unjudged_either(hook: Path, gone: str) -> None:
    shutil.rmtree(_folder(hook) / gone)
    code, out, _err = _run(hook, "judge")
    assert (code, out) == (2, b"")
