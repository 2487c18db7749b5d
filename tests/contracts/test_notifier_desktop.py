"""The desktop keeps the promise of the notifier port. A program of the test's stands for `notify-send`."""

from __future__ import annotations

import os
import socket
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from typing_extensions import override

from orchestrator.domain.event import Level
from orchestrator.errors import PermanentError
from orchestrator.testing.contracts.notifier import HOSTILE, NotifierContract, notification
from plugins.notifier.desktop import PLUGIN, DesktopNotifier

_RECORDER = """#!/bin/sh
[ ! -e {folder}/broken ] || {{ echo 'The name org.freedesktop.Notifications was not provided' >&2; exit 1; }}
for word; do printf '%s\\0' "$word"; done > "{folder}/$(date +%s%N).call"
"""


class Desktop:
    """A folder with the program on its PATH, and what the program was given."""

    def __init__(self, folder: Path, program: str) -> None:
        self.folder = folder
        tool = folder / program
        tool.write_text(_RECORDER.format(folder=folder))
        tool.chmod(0o700)
        self.environment = {
            "PATH": f"{folder}:{os.defpath}",
            "DBUS_SESSION_BUS_ADDRESS": "unix:path=/dev/null",
        }

    def calls(self) -> list[list[str]]:
        """The argument lists so far."""
        return [path.read_text().split("\0")[:-1] for path in sorted(self.folder.glob("*.call"))]

    def break_it(self) -> None:
        """From now on it fails, as without a notification service."""
        (self.folder / "broken").touch()


class TestDesktopNotifier(NotifierContract):
    @override
    @pytest.fixture(autouse=True)
    async def notifier(self, tmp_path: Path) -> AsyncIterator[DesktopNotifier]:
        self.desktop = Desktop(tmp_path, "notify-send")
        notifier = DesktopNotifier(self.desktop.environment, sound=True, platform="linux")
        yield notifier
        await notifier.aclose()

    @override
    async def received(self) -> Sequence[str]:
        return ["\n".join(words) for words in self.desktop.calls()]

    @override
    async def break_receiver(self) -> None:
        self.desktop.break_it()

    async def test_the_same_notification_is_shown_once(self, notifier: DesktopNotifier) -> None:
        for _ in range(3):
            await notifier.notify(notification())
        assert len(self.desktop.calls()) == 1

    async def test_title_and_text_are_arguments(self, notifier: DesktopNotifier) -> None:
        await notifier.notify(notification(level=Level.URGENT, title=HOSTILE))
        (words,) = self.desktop.calls()
        assert words == [
            "--app-name=Agent Orchestrator",
            "--urgency=critical",
            "--",
            f"[demo-1] {HOSTILE}",
            "tests: 2 of 30 failed\nE   assert 1 == 2\nRetry: ao retry demo-1",
        ]

    async def test_markup_in_a_text_is_shown_as_it_is_written(self, notifier: DesktopNotifier) -> None:
        base = notification()
        await notifier.notify(
            type(base)(key="k", level=base.level, title="t", lines=("<a href='x'>y</a> &amp;",))
        )
        assert self.desktop.calls()[0][-1] == "&lt;a href='x'&gt;y&lt;/a&gt; &amp;amp;"

    async def test_nothing_of_our_environment_reaches_the_program(self, tmp_path: Path) -> None:
        notifier = DesktopNotifier({**self.desktop.environment, "SLACK_BOT_TOKEN": "x"}, sound=True)
        assert "SLACK_BOT_TOKEN" not in notifier._environment
        await notifier.aclose()


@pytest.mark.parametrize("change", ["no program", "no bus"])
async def test_without_a_desktop_it_says_so_and_delivers_nothing(tmp_path: Path, change: str) -> None:
    desktop = Desktop(tmp_path, "notify-send")
    environment = dict(desktop.environment)
    if change == "no program":
        environment["PATH"] = "/nowhere"
    else:
        del environment["DBUS_SESSION_BUS_ADDRESS"]
    notifier = DesktopNotifier(environment, sound=True, platform="linux")
    reason = await notifier.ready()
    assert ("notify-send" if change == "no program" else "session bus") in reason
    with pytest.raises(PermanentError, match="here"):
        await notifier.notify(notification())
    assert desktop.calls() == []
    await notifier.aclose()


async def test_a_bus_in_the_runtime_folder_counts(tmp_path: Path) -> None:
    desktop = Desktop(tmp_path, "notify-send")
    environment = {"PATH": desktop.environment["PATH"], "XDG_RUNTIME_DIR": str(tmp_path)}
    notifier = DesktopNotifier(environment, sound=True, platform="linux")
    assert await notifier.ready() != ""
    with socket.socket(socket.AF_UNIX) as bus:
        bus.bind(str(tmp_path / "bus"))
        assert await notifier.ready() == ""
    await notifier.aclose()


@pytest.mark.parametrize(
    ("sound", "level", "count"), [(True, Level.URGENT, 3), (True, Level.ACTION, 2), (False, Level.URGENT, 2)]
)
async def test_on_macos_words_are_arguments_of_a_constant_script(
    tmp_path: Path, sound: bool, level: Level, count: int
) -> None:
    desktop = Desktop(tmp_path, "osascript")
    notifier = DesktopNotifier({"PATH": desktop.environment["PATH"]}, sound=sound, platform="darwin")
    await notifier.notify(notification(level=level, title=HOSTILE))
    (words,) = desktop.calls()
    assert (words[0], words[2]) == ("-e", "--")
    assert "touch trap" not in words[1]
    assert words[3] == f"[demo-1] {HOSTILE}"
    assert len(words[3:]) == count
    await notifier.aclose()


def test_it_is_made_from_its_block() -> None:
    assert PLUGIN.options.problems({"sound": False}) == []
    assert PLUGIN.options.problems({"sounds": False}) != []
