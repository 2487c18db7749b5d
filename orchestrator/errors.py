"""Every error that the fleet raises on purpose; each tells what happened and what to do next.

A plugin turns its library's exceptions into `TemporaryError` or `PermanentError`, `from` the
original. Actions turn an `AoError` into words for a person; nothing else does.
"""

from __future__ import annotations

from typing_extensions import override


class AoError(Exception):
    """Something went wrong in a way that we can explain.

    `what` says what happened, in words for a person; `session` which session it concerns;
    `next_step` what the person can do now.
    """

    code = "error"

    def __init__(self, what: str, *, session: str | None = None, next_step: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.session = session
        self.next_step = next_step

    @override
    def __str__(self) -> str:
        head = f"{self.session}: {self.what}" if self.session else self.what
        return f"{head} {self.next_step}".strip() if self.next_step else head


class BadInput(AoError):
    """What was asked cannot be understood or is not allowed in this form. Nothing was done."""

    code = "bad-input"


class NotFound(AoError):
    """A project, issue, session, plugin or rescue that was named does not exist."""

    code = "not-found"


class Conflict(AoError):
    """The world is not as the caller believed: already there, already answered, head moved."""

    code = "conflict"


class NotAllowed(AoError):
    """Who asks has no right to this."""

    code = "not-allowed"


class SignedOut(NotAllowed):
    """An outside service does not take the credential that we have, or not any more."""


class NotReady(AoError):
    """A program, path or service that this needs is absent here."""

    code = "not-ready"


class TemporaryError(AoError):
    """An outside service failed in a way that may pass; try again after `delay` seconds."""

    code = "temporary"

    def __init__(
        self, what: str, *, delay: float = 5.0, session: str | None = None, next_step: str = ""
    ) -> None:
        super().__init__(what, session=session, next_step=next_step)
        self.delay = delay


class PermanentError(AoError):
    """An outside service refused; trying again without a change will not help."""

    code = "permanent"


class DamagedFile(AoError):
    """A kept file cannot be read; it was set aside, and the message says where."""

    code = "damaged-file"
