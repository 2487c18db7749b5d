"""Terminal `iterm2`: a tab of iTerm2 on macOS, told by AppleScript.

The scripts are constant texts; titles, ids and commands are handed to them as arguments, so nothing of
them is ever read as AppleScript. iTerm2 splits a command line as a shell would, and runs no shell.
Source: iTerm2's scripting dictionary (windows, tabs, sessions, `create tab with default profile command`,
`variable named`). Tested on its command lines only; not tried on a real macOS.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from typing_extensions import override

from orchestrator.domain.ids import SessionId
from orchestrator.domain.outside_text import one_line
from orchestrator.errors import AoError, PermanentError
from orchestrator.ports.plugin import Options, Plugin, PluginContext
from orchestrator.ports.terminal import TERMINAL, Attach, Terminal
from plugins._shared import opening

_FIND = """\
on run argv
  set wanted to item 1 of argv
  if application "iTerm2" is not running then return "absent"
  tell application "iTerm2"
    repeat with w in windows
      repeat with t in tabs of w
        repeat with s in sessions of t
          tell s to set mark to (variable named "user.aoSession")
          if mark is wanted then
            if (count of argv) > 1 then
              select w
              select t
              select s
              activate
            end if
            return "there"
          end if
        end repeat
      end repeat
    end repeat
  end tell
  return "absent"
end run"""

_OPEN = """\
on run argv
  set {wanted, label, line} to {item 1 of argv, item 2 of argv, item 3 of argv}
  tell application "iTerm2"
    activate
    if (count of windows) is 0 then
      set w to (create window with default profile command line)
      set s to current session of w
    else
      tell current window to set t to (create tab with default profile command line)
      set s to current session of t
    end if
    tell s
      set name to label
      set variable named "user.aoSession" to wanted
    end tell
  end tell
  return "opened"
end run"""


class ITerm2(Terminal):
    """Tabs of iTerm2, found again by a variable that we set in them."""

    def __init__(self, run: opening.Runner = opening.run_as_person) -> None:
        self._run = run

    @override
    async def open(self, what: Attach) -> str:
        if await self._ask([what], _FIND, what.session, "show") == "there":
            return f"brought the tab of {what.session} forward"
        await self._ask([what], _OPEN, what.session, one_line(what.title), shlex.join(what.command))
        return f"opened a tab for {what.session}"

    @override
    async def open_all(self, what: Sequence[Attach]) -> str:
        return "\n".join([await self.open(each) for each in what])

    @override
    async def is_open(self, session: SessionId) -> bool:
        try:
            return await self._ask([], _FIND, session) == "there"
        except AoError:
            return False

    async def _ask(self, what: Sequence[Attach], script: str, *args: str) -> str:
        try:
            done = await self._run(("osascript", "-e", script, "--", *args))
        except PermanentError as error:
            raise opening.not_ready(error.what, what) from error
        if not done.ok:
            reason = f"iTerm2 could not be told: {done.error_text()}"
            raise opening.not_ready(reason, what)
        return done.text()


def _create(options: Options, context: PluginContext) -> ITerm2:
    del options, context
    return ITerm2()


PLUGIN = Plugin(
    slot=TERMINAL, name="iterm2", summary="a tab of iTerm2 (macOS)", create=_create, needs=("osascript",)
)
