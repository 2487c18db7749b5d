"""A line of the log says what it is about."""

from __future__ import annotations

import logging

from orchestrator.log import Lines


def line(error: BaseException | None = None, **fields: object) -> str:
    """What is printed of a record with these fields."""
    about = (type(error), error, None) if error else None
    record = logging.LogRecord(
        "orchestrator.x", logging.WARNING, "x.py", 1, "act failed: %s", ("why",), about
    )
    record.__dict__.update(fields)
    return Lines().format(record)


def test_the_fields_that_are_there_are_named_in_their_order() -> None:
    said = line(action="merge", session="demo-1", unheard="of")
    assert said.endswith(" WARNING orchestrator.x: act failed: why [session=demo-1 action=merge]")
    every = line(plugin="tmux", project="demo", action="start", slot="runtime", session="demo-1")
    assert every.endswith("[session=demo-1 project=demo slot=runtime plugin=tmux action=start]")


def test_without_fields_nothing_is_added() -> None:
    assert line().endswith("act failed: why")
    assert line(session=None, project="").endswith("act failed: why")


def test_they_stand_before_the_traceback() -> None:
    first, *rest = line(ValueError("no"), session="demo-1").splitlines()
    assert first.endswith("[session=demo-1]")
    assert rest == ["ValueError: no"]
