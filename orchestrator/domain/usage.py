"""What an agent has used of its model, by its own count."""

from __future__ import annotations

from dataclasses import dataclass, replace

_ROUNDING = 0.01
"""Dollars by which a count may go down without having begun anew: we keep whole cents."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens and money of one session so far, over all its runs."""

    input_tokens: int = 0
    """Read by the model and not from its cache."""
    cached_tokens: int = 0
    """Read from its cache."""
    output_tokens: int = 0
    dollars: float | None = None
    """US dollars as the agent itself counts them; None where it says nothing."""
    context_percent: int | None = None
    """How full its context window is."""
    model: str = ""
    """The model as the agent last named it."""

    @property
    def tokens(self) -> int:
        """All of them."""
        return self.input_tokens + self.cached_tokens + self.output_tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """What a session has used over all runs of its agent. A count that goes down began anew."""

    total: Usage
    before: Usage = Usage()
    """What earlier runs used that the present one's counts do not hold."""


def counted(so_far: Used | None, run: Usage) -> Used:
    """The session's use after one more look at what the present run has used.

    Tokens and dollars are two counts: an agent that goes on in its conversation may begin only one of them
    anew. One of which it says nothing yet stays as it was.
    """
    if so_far is None:
        return Used(total=_to_cents(run))
    before, total = so_far.before, so_far.total
    if run.tokens == 0:
        run = _with_tokens(run, total, before)
    elif run.tokens < total.tokens - before.tokens:
        before = _with_tokens(before, total, Usage())
    if run.dollars is None:
        return Used(total=replace(_sum(before, run), dollars=total.dollars), before=before)
    if run.dollars < (total.dollars or 0.0) - (before.dollars or 0.0) - _ROUNDING:
        before = replace(before, dollars=total.dollars)
    return Used(total=_to_cents(_sum(before, run)), before=before)


def _with_tokens(usage: Usage, tokens: Usage, less: Usage) -> Usage:
    """One with the tokens of another, less those of a third."""
    return replace(
        usage,
        input_tokens=tokens.input_tokens - less.input_tokens,
        cached_tokens=tokens.cached_tokens - less.cached_tokens,
        output_tokens=tokens.output_tokens - less.output_tokens,
    )


def _sum(before: Usage, run: Usage) -> Usage:
    known = [part.dollars for part in (before, run) if part.dollars is not None]
    return replace(
        run,
        input_tokens=before.input_tokens + run.input_tokens,
        cached_tokens=before.cached_tokens + run.cached_tokens,
        output_tokens=before.output_tokens + run.output_tokens,
        dollars=sum(known) if known else None,
    )


def _to_cents(usage: Usage) -> Usage:
    """Cents are enough to be shown, and each change is a write."""
    return usage if usage.dollars is None else replace(usage, dollars=round(usage.dollars, 2))
