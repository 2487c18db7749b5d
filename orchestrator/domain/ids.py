"""Names of things, checked where they come in and trusted afterwards.

The rules keep every id safe as a file name, a tmux session name and a part of a git ref.
"""

from __future__ import annotations

import re
from typing import NewType

from orchestrator.errors import BadInput

ProjectId = NewType("ProjectId", str)
"""A project's name in the configuration: letters, digits, `-` and `_`, at most 64."""

SessionId = NewType("SessionId", str)
"""`<prefix>-<n>`, at most 24 characters, never reused: `demo-1`."""

SHORTEST_SHA = 7
"""Digits that a person must type of a commit, at least."""

_PROJECT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_PREFIX = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,14}[a-z0-9])?")
_SESSION = re.compile(r"([a-z0-9](?:[a-z0-9_-]{0,14}[a-z0-9])?)-([1-9][0-9]{0,6})")
# What `git check-ref-format` refuses, and a leading dash, which git would read as an option.
_BAD_BRANCH = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/\.|\.lock(?:/|$)|^[-./]|[./]$|^@$")


def project_id(text: str) -> ProjectId:
    """Return `text` as a project id, or raise `BadInput`."""
    if not _PROJECT.fullmatch(text):
        msg = f"{text!r} is no project name: letters, digits, - and _, at most 64."
        raise BadInput(msg)
    return ProjectId(text)


def session_prefix(text: str) -> str:
    """Return `text` as a session prefix (16 characters at most), or raise `BadInput`."""
    if not _PREFIX.fullmatch(text):
        msg = f"{text!r} is no session prefix: a-z, 0-9, - and _, at most 16."
        raise BadInput(msg)
    return text


def session_id(text: str) -> SessionId:
    """Return `text` as a session id, or raise `BadInput`."""
    if len(text) > 24 or not _SESSION.fullmatch(text):
        msg = f"{text!r} is no session id: it looks like demo-1."
        raise BadInput(msg)
    return SessionId(text)


def make_session_id(prefix: str, number: int) -> SessionId:
    """The id of the `number`-th session under `prefix`."""
    return session_id(f"{prefix}-{number}")


def session_number(session: SessionId) -> int:
    """The number at the end of a session's id."""
    return int(session.rpartition("-")[2])


def branch_name(text: str) -> str:
    """Return `text` as a branch name that git accepts and no program takes for an option."""
    if not text or len(text) > 200 or _BAD_BRANCH.search(text):
        msg = f"{text!r} is no branch name that git accepts."
        raise BadInput(msg)
    return text


def short_sha(sha: str) -> str:
    """A commit as people read it, of one length everywhere."""
    return sha[:12]
