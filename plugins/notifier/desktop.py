"""Notifier `desktop`: a notification on the screen of the person at this machine.

On Linux by `notify-send`, on macOS by `osascript`; titles and texts are arguments, never a program's text.
On a server there is no session bus, and so nobody to see it: `ready` and `notify` say so.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections import OrderedDict
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from html import escape
from pathlib import Path

from typing_extensions import override

from orchestrator.domain.event import Level
from orchestrator.domain.notification import Notification
from orchestrator.domain.outside_text import excerpt, one_line
from orchestrator.errors import PermanentError, TemporaryError
from orchestrator.ports.notifier import NOTIFIER, Delivered, Notifier
from orchestrator.ports.plugin import Options, Plugin, PluginContext
from plugins._shared import command

_PASSED = (
    "DBUS_SESSION_BUS_ADDRESS", "DISPLAY", "HOME", "LANG", "PATH", "USER", "WAYLAND_DISPLAY", "XDG_RUNTIME_DIR",
)  # fmt: skip
_URGENCY = {Level.URGENT: "critical", Level.ACTION: "normal", Level.WARNING: "normal", Level.INFO: "low"}
_SCRIPT = """\
on run argv
  if (count of argv) > 2 then
    display notification (item 2 of argv) with title (item 1 of argv) sound name (item 3 of argv)
  else
    display notification (item 2 of argv) with title (item 1 of argv)
  end if
end run"""
_REMEMBERED = 500


class DesktopOptions(Options):
    """The notifier's block."""

    sound: bool = True
    """On macOS, a sound for what is urgent."""


class DesktopNotifier(Notifier):
    """Notifications of the desktop that this process runs in."""

    def __init__(self, environment: Mapping[str, str], *, sound: bool, platform: str = sys.platform) -> None:
        self._environment = {name: environment[name] for name in _PASSED if name in environment}
        self._sound = sound
        self._macos = platform == "darwin"
        self._shown: OrderedDict[str, None] = OrderedDict()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="desktop")

    @override
    async def notify(self, notification: Notification) -> Delivered:
        if notification.key in self._shown:
            return Delivered(detail="shown before")
        reason = await self.ready()
        if reason:
            raise PermanentError(reason)
        title = one_line(notification.title, 120)
        if notification.session:
            title = f"[{notification.session}] {title}"
        verbs = [f"{action.label}: ao {action.verb}" for action in notification.actions]
        text = excerpt("\n".join([*notification.lines, *verbs]), 600)
        argv = (
            self._macos_line(notification, title, text)
            if self._macos
            else _linux_line(notification, title, text)
        )
        done = await command.run(argv, env=self._environment, timeout=10.0)
        if not done.ok:
            msg = f"{argv[0]} could not show it: {done.error_text()}"
            raise TemporaryError(msg, delay=60.0)
        self._remember(notification.key)
        return Delivered()

    @override
    async def ready(self) -> str:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._missing)

    @override
    async def aclose(self) -> None:
        self._thread.shutdown(wait=False)

    def _missing(self) -> str:
        program = "osascript" if self._macos else "notify-send"
        if shutil.which(program, path=self._environment.get("PATH", os.defpath)) is None:
            return f"there is no program {program} here, so nothing can be shown on a desktop."
        if not self._macos and not self._has_session_bus():
            return "there is no session bus here (a server, or not logged in), so nobody would see it."
        return ""

    def _has_session_bus(self) -> bool:
        if self._environment.get("DBUS_SESSION_BUS_ADDRESS"):
            return True
        folder = self._environment.get("XDG_RUNTIME_DIR", "")
        return bool(folder) and (Path(folder) / "bus").is_socket()

    def _macos_line(self, notification: Notification, title: str, text: str) -> tuple[str, ...]:
        loud = ("Sosumi",) if self._sound and notification.level is Level.URGENT else ()
        return ("osascript", "-e", _SCRIPT, "--", title, text, *loud)

    def _remember(self, key: str) -> None:
        self._shown[key] = None
        while len(self._shown) > _REMEMBERED:
            self._shown.popitem(last=False)


def _linux_line(notification: Notification, title: str, text: str) -> tuple[str, ...]:
    urgency = f"--urgency={_URGENCY[notification.level]}"
    # The text, unlike the title, may hold markup: there is none in ours.
    return ("notify-send", "--app-name=Agent Orchestrator", urgency, "--", title, escape(text, quote=False))


def _create(options: Options, context: PluginContext) -> DesktopNotifier:
    assert isinstance(options, DesktopOptions)  # noqa: S101 - the registry validated them as such
    return DesktopNotifier(context.environment, sound=options.sound)


PLUGIN = Plugin(
    slot=NOTIFIER,
    name="desktop",
    summary="a notification on this machine's desktop",
    create=_create,
    options=DesktopOptions,
)
