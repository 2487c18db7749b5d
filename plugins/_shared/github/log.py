"""The failing lines of a job's log, as GitHub Actions writes it. Pure.

Every line begins with a time; a step that runs something begins with `##[group]Run …`; what failed is
marked `##[error]`. The API names the steps with the second they began and ended in.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from orchestrator.domain.outside_text import bound, excerpt
from plugins._shared.github.words import Node, label, moment, node, text, whole

LINES = 60
LENGTH = 8_000
"""Characters that are kept, at most."""
_LINE = re.compile(r"\ufeff?(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?Z ?(.*)")
_ERROR = "##[error]"
_GROUP = "##[group]Run "
_MARK = re.compile(r"##\[(?:group|endgroup|section|command|debug|warning|notice|error)\]")


@dataclass(frozen=True, slots=True)
class Step:
    """The failing step of a job."""

    name: str
    began: float
    ended: float


def failing_step(job: Node) -> Step | None:
    """The first step that failed, of REST's "Get a job for a workflow run"."""
    steps = job.get("steps")
    for step in steps if isinstance(steps, list) else ():
        if node(step).get("conclusion") in {"failure", "timed_out", "cancelled"}:
            return Step(
                name=label(step.get("name")),
                began=moment(step.get("started_at")),
                ended=moment(step.get("completed_at")),
            )
    return None


def tail(log: str, step: Step | None) -> str:
    """The last lines of the failing step, up to what is marked as its error; cleaned, masked, bounded."""
    lines = _timed(log)
    within = _of_step(lines, step)
    rows = [line for _, line in within] or [line for _, line in lines]
    rows = _upto_last_error(_from_last_run(rows))
    shown = (_MARK.sub(_word, row).rstrip() for row in rows if row != "##[endgroup]")
    kept = "\n".join(list(shown)[-LINES:]).strip("\n")
    head = f"[step {step.name}]\n" if step and step.name else ""
    return head + excerpt(kept, LENGTH - len(head), tail=True)


def _word(mark: re.Match[str]) -> str:
    return "error: " if mark[0] == _ERROR else ""


def _timed(log: str) -> list[tuple[float, str]]:
    """Each line with its time; one without has that of the line before it."""
    rows: list[tuple[float, str]] = []
    at, known = 0.0, ""
    for line in log.splitlines():
        found = _LINE.match(line)
        if found:
            if found[1] != known:  # a second has many lines
                at, known = moment(f"{found[1]}+00:00"), found[1]
            rows.append((at, found[2]))
        else:
            rows.append((at, line))
    return rows


def _of_step(rows: Sequence[tuple[float, str]], step: Step | None) -> list[tuple[float, str]]:
    if step is None or not step.began:
        return []
    ended = step.ended or float("inf")
    return [row for row in rows if step.began <= row[0] <= ended + 1.0]


def _from_last_run(rows: list[str]) -> list[str]:
    """From the last step that holds an error: the second that a step ends in is also the next one's first."""
    errors = [at for at, row in enumerate(rows) if row.startswith(_ERROR)]
    if not errors:
        return rows
    starts = [at for at, row in enumerate(rows[: errors[-1]]) if row.startswith(_GROUP)]
    return rows[starts[-1] :] if starts else rows


def _upto_last_error(rows: list[str]) -> list[str]:
    errors = [at for at, row in enumerate(rows) if row.startswith(_ERROR)]
    return rows[: errors[-1] + 1] if errors else rows


def remarks(rows: Iterable[Node]) -> str:
    """What a check says of lines of the code (REST: "List check run annotations")."""
    said = []
    for row in rows:
        place = label(row.get("path"), 300)
        line = whole(row.get("start_line"))
        where = f"{place}:{line}: " if place and line else f"{place}: " if place else ""
        message = " ".join(filter(None, (label(row.get("title"), 200), text(row.get("message")))))
        said.append(f"{where}{label(row.get('annotation_level'), 20) or 'note'}: {message}")
    return excerpt("\n".join(said), LENGTH)


def output(run: Node) -> str:
    """The words that a check gives of itself (REST: "Get a check run")."""
    given = node(run.get("output"))
    parts = (label(given.get("title"), 300), text(given.get("summary")), text(given.get("text")))
    return bound(excerpt("\n".join(filter(None, parts)), LENGTH, tail=False), LENGTH)
