"""Which changes on the disk wake which session."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
import watchfiles

from orchestrator.domain.ids import SessionId
from orchestrator.lifecycle.watcher import Watcher
from orchestrator.testing.fakes.clock import FakeClock
from orchestrator.testing.waiting import eventually

LIMIT = 8.0


@pytest.mark.parametrize(
    ("path", "woken"),
    [
        ("demo/sessions/demo-1/outbox/1800000000-1-x", "demo-1"),
        ("demo/sessions/demo-1/agent/events/7", "demo-1"),
        ("demo/sessions/demo-1/session.json", None),
        ("demo/sessions/demo-1/inbox/1800000000-1-x", None),
        ("demo/sessions/demo-1/outbox", None),
        ("demo/sessions/NOT A SESSION/outbox/x", None),
        ("demo/worktrees/demo-1/outbox/x", None),
        ("demo/ended/demo-1/outbox/x", None),
        ("../elsewhere/sessions/demo-1/outbox/x", None),
    ],
)
def test_only_an_agents_speech_wakes_its_session(path: str, woken: str | None, tmp_path: Path) -> None:
    watcher = Watcher(tmp_path, lambda _session: None)
    assert watcher.session_of(str(tmp_path / path)) == woken


def test_what_lies_elsewhere_wakes_nobody(tmp_path: Path) -> None:
    assert Watcher(tmp_path / "projects", lambda _session: None).session_of("/etc/passwd") is None


def test_worktrees_are_not_watched(tmp_path: Path) -> None:
    for folder in ("a/sessions", "a/worktrees", "b/sessions", "c/ended"):
        (tmp_path / folder).mkdir(parents=True)
    watcher = Watcher(tmp_path, lambda _session: None)
    assert watcher.folders() == [tmp_path / "a" / "sessions", tmp_path / "b" / "sessions"]
    assert Watcher(tmp_path / "none", lambda _session: None).folders() == []


async def test_speech_wakes_soon_also_in_a_project_that_came_later(tmp_path: Path) -> None:
    woken: asyncio.Queue[SessionId] = asyncio.Queue()
    watcher = Watcher(tmp_path, woken.put_nowait)
    watcher.start()
    outbox = tmp_path / "demo" / "sessions" / "demo-1" / "outbox"
    outbox.mkdir(parents=True)
    watcher.refresh()
    try:
        # The watch begins some time after `refresh`; each write is a new chance to be seen.
        for number in range(100):
            (outbox / f"1800000000-{number}-x").write_text("x")
            try:
                async with asyncio.timeout(LIMIT / 100):
                    assert await woken.get() == "demo-1"
                    return
            except TimeoutError:
                continue
        pytest.fail("nobody was woken")
    finally:
        await watcher.stop()


async def test_stop_before_anything_was_watched(tmp_path: Path) -> None:
    watcher = Watcher(tmp_path / "none", lambda _session: None)
    watcher.start()
    await asyncio.sleep(0)
    await watcher.stop()


async def test_watch_that_the_system_refuses_is_said_and_begun_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_folders: Path, **_options: object) -> None:
        msg = "OS file watch limit reached"
        raise OSError(msg)

    (tmp_path / "demo" / "sessions").mkdir(parents=True)
    with monkeypatch.context() as patched:
        patched.setattr(watchfiles, "awatch", refuse)
        watcher = Watcher(tmp_path, lambda _session: None)
        watcher.start()
        await eventually(lambda: said(watcher), lambda trouble: "limit reached" in trouble)
    watcher.refresh()
    await eventually(lambda: said(watcher), lambda trouble: trouble == "")
    await watcher.stop()


async def test_watch_that_the_system_refuses_is_tried_again_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, tried = FakeClock(), 0
    watch = watchfiles.awatch

    def refuse_three_times(*folders: Path, **options: Any) -> object:
        nonlocal tried
        tried += 1
        if tried > 3:
            return watch(*folders, **options)
        msg = f"OS file watch limit reached, {tried}"
        raise OSError(msg)

    (tmp_path / "demo" / "sessions").mkdir(parents=True)
    monkeypatch.setattr(watchfiles, "awatch", refuse_three_times)
    watcher = Watcher(tmp_path, lambda _session: None, clock)
    watcher.start()
    for number, wait in enumerate((1.0, 2.0, 3.0), 1):
        await until_said(watcher, f"OS file watch limit reached, {number}")
        await turns()  # it has said why, and begins to wait
        clock.advance(wait - 0.1)
        await turns()
        assert tried == number
        clock.advance(0.2)
    await until_said(watcher, "")
    await watcher.stop()


async def turns() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def until_said(watcher: Watcher, words: str) -> None:
    await eventually(lambda: said(watcher), lambda trouble: trouble == words)


async def said(watcher: Watcher) -> str:
    return watcher.trouble
