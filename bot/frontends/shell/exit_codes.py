"""What the shell is told when `ao` ends. The codes are a promise to scripts."""

from __future__ import annotations

EXIT_CODES = (
    (0, "done", "It was done, or there is nothing to say against it."),
    (
        1,
        "error",
        "It was refused or went wrong; `config check` and `doctor` found errors; not all of a batch started; a question was answered no.",
    ),
    (
        2,
        "bad-input",
        "It was not understood: unknown verb or option, missing argument, a yes that nobody could give.",
    ),
    (3, "not-found", "No such project, issue, session, plugin or saved work."),
    (
        4,
        "conflict",
        "The world is not as believed: already there, already answered, the head moved, already running.",
    ),
    (5, "not-allowed", "Whoever asked has no right to it."),
    (6, "not-ready", "Something that it needs is absent: no `ao start`, a program, a path, trust."),
    (7, "temporary", "An outside service failed in a way that may pass; ask again."),
    (130, "interrupted", "Ctrl-C."),
)
"""Code, name, meaning."""

_BY_ERROR = {
    "bad-input": 2,
    "too-large": 2,
    "not-found": 3,
    "conflict": 4,
    "duplicate": 4,
    "not-allowed": 5,
    "unauthenticated": 5,
    "wrong-host": 5,
    "not-ready": 6,
    "temporary": 7,
}
INTERRUPTED = 130


def of_error(code: str) -> int:
    """The exit code for an `AoError`'s code."""
    return _BY_ERROR.get(code, 1)
