"""What agents really did and when, by the model server's log and by what was done to them. Pure.

A message carries who it is for and what it is: `[demo-3 #17 leave]`.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

SETTLING = 2.0
"""Seconds after a change in which nothing is judged."""
MARK = re.compile(r"^(?:<pasted_content[^>]*>\s*)?(?P<mark>\[(?P<session>[\w-]+) #\d+ (?P<kind>\w+)\])")
BUSY, IDLE, ASKING, EXITED, RETRYING, UNSURE = "busy", "idle", "asking", "exited", "retrying", ""
RIGHT = {
    BUSY: {"busy"},
    IDLE: {"idle"},
    ASKING: {"asking", "permission"},
    EXITED: {"exited"},
    # Its model made it wait and it will ask again by itself: both words are true.
    RETRYING: {"busy", "limited"},
}


@dataclass(frozen=True, slots=True)
class Change:
    """From then on an agent did something else."""

    at: float
    state: str
    why: str


@dataclass(frozen=True, slots=True)
class Sample:
    """What was said of a session while it was asked about."""

    session: str
    begin: float
    end: float
    shown: str
    status: str
    evidence: str


@dataclass(frozen=True, slots=True)
class Judged:
    """A sample, and what was so."""

    sample: Sample
    truth: Change

    @property
    def right(self) -> bool:
        """Whether the sample says what was so."""
        return self.sample.shown in RIGHT[self.truth.state]

    @property
    def wrongly_stuck(self) -> bool:
        """Whether it was called stuck, which none of the script's agents ever is."""
        return self.sample.status == "stuck"


def names(log: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Which session a conversation belongs to, by the marks in its messages."""
    found = ((line.get("conversation", ""), MARK.match(line.get("human", ""))) for line in log)
    return {conversation: match["session"] for conversation, match in found if match}


def timelines(
    log: Sequence[Mapping[str, Any]], deeds: Iterable[tuple[str, Change]]
) -> dict[str, list[Change]]:
    """What each session's agent did, in order of time; equal states in a row are one."""
    raw: dict[str, list[Change]] = {}
    for session, change in (*_of_log(log), *deeds):
        raw.setdefault(session, []).append(change)
    return {
        session: list(_folded(sorted(changes, key=lambda change: change.at)))
        for session, changes in raw.items()
    }


def _of_log(log: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, Change]]:
    sessions = names(log)
    ended = {line["ended"]: line["time"] for line in log if "ended" in line}
    for line in log:
        session = sessions.get(line.get("conversation", ""))
        if session is None or not line.get("rule"):
            continue
        what = f"request {line['number']}, {line['human'][:40]!r}"
        yield session, Change(line["time"], BUSY, f"{what} began")
        if line["number"] in ended:
            yield (
                session,
                Change(
                    ended[line["number"]],
                    _after(line),
                    f"{what} was answered: {line['tool'] or line['status']}",
                ),
            )


def _after(line: Mapping[str, Any]) -> str:
    """What the agent does once it has this answer."""
    mark = MARK.match(line["human"])
    if line["status"] != 200:
        return RETRYING
    if not line["tool"]:
        return IDLE
    leave = mark is not None and mark["kind"] == "leave"
    return ASKING if leave or line["tool"] == "AskUserQuestion" else BUSY


def _folded(changes: Iterable[Change]) -> Iterator[Change]:
    state, dead = None, False
    for change in changes:
        if dead and change.state != EXITED and not change.why.startswith("ao "):
            continue  # The last answer to one that is gone; only its restore counts.
        dead = change.state == EXITED
        if change.state != state:
            state = change.state
            yield change


def judge(samples: Iterable[Sample], timelines: Mapping[str, Sequence[Change]]) -> Iterator[Judged]:
    """Each sample of a time in which nothing had changed for a while, with what was so."""
    for sample in samples:
        changes = timelines.get(sample.session, ())
        begun = bisect_right(changes, sample.begin, key=lambda change: change.at)
        if not begun:
            continue
        truth, later = changes[begun - 1], changes[begun : begun + 1]
        settled = sample.begin - truth.at >= SETTLING and not (later and later[0].at <= sample.end)
        if settled and truth.state != UNSURE:
            yield Judged(sample, truth)
