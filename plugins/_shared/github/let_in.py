"""Whether GitHub takes a credential of ours, as its answers show."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from orchestrator.errors import NotReady
from plugins._shared.github.answers import Answer, message_of
from plugins._shared.github.budget import in_trouble

T = TypeVar("T")
REFUSALS = 2
"""In a row, after which a credential counts as dead: one alone may have been renewed outside meanwhile."""


class LetIn:
    """Of one client."""

    def __init__(self) -> None:
        self.refused: str | None = None
        """Why it is not taken, as GitHub says; empty: it is; None: nothing was heard yet."""
        self._count = 0

    def heard(self, answer: Answer, *, signed_in: bool = True) -> None:
        """An answer came. `signed_in`: False where others that went out with it were refused before."""
        if answer.status == 401:
            if signed_in:
                self.failed(message_of(answer))
        elif not in_trouble(answer.status):
            self._count, self.refused = 0, ""

    def signs_in(self, auth: Callable[[], T]) -> T:
        """Make the credential. Raises `NotReady` as `auth` does."""
        try:
            return auth()
        except NotReady as error:
            self.failed(error.what)
            raise

    def failed(self, why: str) -> None:
        """It was refused, or there is none."""
        self._count += 1
        if self._count >= REFUSALS:
            self.refused = why
