"""What can be made to go wrong with the fake Slack, for a while or for the next calls."""

from __future__ import annotations

from dataclasses import dataclass, field

from bot.demo.slack_pacing import Pacing
from bot.demo.slack_refusals import Code, Refused
from bot.demo.slack_workspace import Clock


class Unreachable(Exception):
    """The connection is to be dropped without an answer."""


@dataclass(slots=True)
class _Burst:
    calls: int
    seconds: int
    method: str = ""


@dataclass(slots=True)
class Faults:
    """What is set now; with nothing set all goes well."""

    clock: Clock
    pacing: bool = False
    revoked: bool = False
    """Tokens are no longer taken."""
    _down_until: float = 0.0
    _bursts: list[_Burst] = field(default_factory=list)
    _drops: list[str] = field(default_factory=list)
    _errors: list[tuple[str, str]] = field(default_factory=list)
    _pacing: Pacing | None = None

    def down(self, seconds: float) -> None:
        """Refuse everything for that long; 0: be back."""
        self._down_until = self.clock.now() + seconds

    @property
    def is_down(self) -> bool:
        """Whether everything is refused."""
        return self.clock.now() < self._down_until

    def burst(self, calls: int, seconds: int = 1, method: str = "") -> None:
        """Answer the next calls (of that method) with 429 and `Retry-After: seconds`."""
        self._bursts.append(_Burst(calls, seconds, method))

    def drop(self, method: str) -> None:
        """Perform the next call of that method, and drop its answer."""
        self._drops.append(method)

    def fail(self, method: str, code: str) -> None:
        """Answer the next call of that method with this error."""
        self._errors.append((method, code))

    def before(self, method: str, channel: str) -> None:
        """Called before each call. Raises `Unreachable` or `Refused`."""
        if self.is_down:
            raise Unreachable
        for burst in self._bursts:
            if burst.calls and burst.method in {"", method}:
                burst.calls -= 1
                raise Refused.too_fast(burst.seconds)
        for error in self._errors:
            if error[0] == method:
                self._errors.remove(error)
                raise Refused(error[1])
        if self.revoked:
            raise Refused(Code.TOKEN_REVOKED)
        if self.pacing:
            self._pacing = self._pacing or Pacing(self.clock.now)
            self._pacing.take(method, channel)

    def after(self, method: str) -> None:
        """Called when a call was performed. Raises `Unreachable` when its answer gets lost."""
        if method in self._drops:
            self._drops.remove(method)
            raise Unreachable
