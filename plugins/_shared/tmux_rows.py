"""What tmux says of its sessions: which fields are asked for, and how a row of them is read. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.domain.coloured import Picture, coloured
from orchestrator.domain.outside_text import one_line

MARK = "@ao_session"
"""User option of a session of ours: its id."""
HOME = "@ao_home"
"""User option of a session of ours: which `$AO_HOME` it belongs to."""

_FIELDS = (
    "#{pane_dead}", "#{pane_dead_status}", "#{pane_dead_signal}", "#{session_attached}", "#{session_activity}",
    "#{cursor_x}", "#{cursor_y}", "#{pane_pid}", "#{pid}", f"#{{{MARK}}}", f"#{{{HOME}}}", "#{session_name}", "#{pane_mode}", "#{pane_title}",
)  # fmt: skip
# Outside text comes last: a title or a name cannot forge the fields before it.
_ROW = re.compile(
    r"(?P<dead>[01]?)\|(?P<status>\d*)\|(?P<signal>\d*)\|(?P<attached>\d*)\|(?P<activity>\d*)"
    r"\|(?P<column>\d*)\|(?P<row>\d*)\|(?P<pid>\d*)\|(?P<server>\d+)"
    r"\|(?P<mark>[a-z0-9_-]+)\|(?P<home>[0-9a-f]+)\|(?P<name>[a-z0-9_-]+)\|(?P<mode>[a-z-]*)\|(?P<title>.*)"
)
PICTURE = "|#{pane_width}|#{pane_height}|#{cursor_x}|#{cursor_y}|#{cursor_flag}"
"""What is asked for before a screen with its colours, behind the session's name."""
_HEAD = re.compile(
    r"(?P<name>[a-z0-9_-]+)\|(?P<columns>\d+)\|(?P<rows>\d+)\|(?P<x>\d*)\|(?P<y>\d*)\|(?P<shown>[01]?)"
)
_ACTIVE = "#{&&:#{window_active},#{pane_active}}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pane:
    """What the server says of one session of ours."""

    session: str
    hung_up: bool
    """Nothing holds the terminal any more; the program may still be on its way out."""
    exit_code: int | None
    """Known once the program has ended."""
    attached: bool
    activity: float
    cursor: tuple[int, int] | None
    pid: int | None
    server: int
    """The tmux server's process."""
    mode: str
    title: str

    @property
    def ended(self) -> bool:
        """The program has ended, and how is known."""
        return self.exit_code is not None


def listing() -> tuple[str, ...]:
    """The arguments of `list-panes` that make rows for `parsed`: of each session the pane that is looked at."""
    return ("-f", _ACTIVE, "-F", "|".join(_FIELDS))


def parsed(rows: Sequence[str], home: str) -> dict[str, Pane]:
    """The sessions that carry our mark and this home, by id. Other rows are not ours."""
    found = {}
    for row in rows:
        match = _ROW.fullmatch(row)
        if match and match["home"] == home and match["mark"] == match["name"]:
            found[match["name"]] = _pane(match)
    return found


def pictured(text: str) -> tuple[str, Picture | None]:
    """What `PICTURE` and `capture-pane -e` say of one session: its name and its screen; None for what is no such answer."""
    head, _, screen = text.partition("\n")
    match = _HEAD.fullmatch(head)
    if match is None:
        return "", None
    rows = int(match["rows"])
    shown = match["shown"] == "1" and match["x"] and match["y"]
    return match["name"], Picture(
        columns=int(match["columns"]),
        rows=rows,
        lines=coloured("\n".join(screen.split("\n")[:rows])),
        cursor=(int(match["x"]), int(match["y"])) if shown else None,
    )


def _pane(match: re.Match[str]) -> Pane:
    # Between the terminal's end and the program's there is neither a code nor a signal.
    code = int(match["status"]) if match["status"] else None
    if match["signal"]:
        code = 128 + int(match["signal"])
    return Pane(
        session=match["name"],
        hung_up=match["dead"] == "1",
        exit_code=code,
        attached=int(match["attached"] or 0) > 0,
        activity=float(match["activity"] or 0),
        cursor=(int(match["column"]), int(match["row"])) if match["column"] and match["row"] else None,
        pid=int(match["pid"]) if match["pid"] else None,
        server=int(match["server"]),
        mode=match["mode"],
        title=one_line(match["title"]),
    )
