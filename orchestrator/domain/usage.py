"""What an agent has used of its model, by its own count."""

from __future__ import annotations

from dataclasses import dataclass


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
