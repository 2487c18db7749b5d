"""What is held in a session until a person releases it: pushes, and texts by outsiders."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from orchestrator.domain.guard import Finding
from orchestrator.domain.outside_text import one_line
from orchestrator.domain.person import Actor


class PushStage(StrEnum):
    """How far a push that was held has come."""

    HELD = "held"
    """Waits for a person."""
    RELEASED = "released"
    """A person has released it; it is brought out next."""
    PUSHED = "pushed"
    SENT_BACK = "sent_back"
    """A person refused it: that head is pushed no more."""
    OVERTAKEN = "overtaken"
    """The branch has a newer head, which was looked at anew."""
    REFUSED = "refused"
    """The forge would not take it, released or never held: it waits for a person, who may have it tried again."""


_ON_ITS_WAY = frozenset({PushStage.HELD, PushStage.RELEASED, PushStage.REFUSED})
_STOPPED = frozenset({PushStage.HELD, PushStage.SENT_BACK, PushStage.REFUSED})
MOST_REFUSAL = 400
"""Characters of a forge's refusal in one line; `ao held` has all of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRequestWords:
    """How a pull request is to be opened or changed; what is empty stays as it is."""

    title: str = ""
    body: str = ""
    draft: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldPush:
    """One push that was held, or that the forge refused, bound to its head."""

    id: str
    head: str
    since: float
    findings: tuple[Finding, ...]
    """What nobody had released yet. Once it is decided, without what they showed. None: it was never held."""
    stage: PushStage = PushStage.HELD
    opens: PullRequestWords | None = None
    """A pull request is opened or reworded with it, in these words; None: it is only pushed."""
    by: Actor | None = None
    """Who released it, sent it back, or had it tried again."""
    at: float = 0.0
    words: str = ""
    """What they said to that, or why the forge refused."""

    @property
    def waits(self) -> bool:
        """Nobody has decided yet."""
        return self.stage is PushStage.HELD

    @property
    def refused(self) -> bool:
        """The forge would not take it; `words` says why."""
        return self.stage is PushStage.REFUSED

    @property
    def needs_person(self) -> bool:
        """It goes no further until a person decides."""
        return self.waits or self.refused

    @property
    def why(self) -> str:
        """What it waits for, in one line: `push held: ci.yml is added`."""
        if self.refused:
            return f"push refused: {one_line(self.words, MOST_REFUSAL)}"
        return f"push held: {self.reasons}"

    @property
    def reasons(self) -> str:
        """Why it is held, in a few words; empty for one that never was."""
        shown = [finding.words for finding in self.findings[:3]]
        more = len(self.findings) - len(shown)
        return "; ".join([*shown, f"and {more} more"] if more else shown)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldText:
    """One text by somebody outside the project, as it stood when it was seen."""

    id: str
    """Names exactly this edit: where it stands and every character of it."""
    place: str
    """The tracker's or the forge's own name for it: `issue 12`, `comment 345`. The same after an edit."""
    words: str
    """For people: `a comment on issue 12`."""
    author: str
    url: str
    text: str
    """As it would be sent: cleaned, masked, bounded."""
    since: float
    by: Actor | None = None
    """Who released it."""
    at: float = 0.0
    gone: bool = False
    """It was edited since, or taken away: a release of it is of no use."""

    @property
    def waits(self) -> bool:
        """Nobody has released it, and it stands there still."""
        return self.by is None and not self.gone


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """Everything of one session that is or was held."""

    pushes: tuple[HeldPush, ...] = ()
    """The newest last."""
    released: tuple[str, ...] = ()
    """Fingerprints of what people released: the same in a later head passes."""
    texts: tuple[HeldText, ...] = ()
    task_waits: str = ""
    """The id of the text that is the whole task: the agent starts once it is released."""
    not_taken: str = ""
    """Why the forge took no pull request that the agent asked for, while that is so."""
    more: bool = False
    """More texts wait than are kept here; it was told once."""

    @property
    def push(self) -> HeldPush | None:
        """The push that waits for a person, or is released and not out yet, or that the forge refused."""
        last = self.pushes[-1] if self.pushes else None
        return last if last is not None and last.stage in _ON_ITS_WAY else None

    def stops(self, head: str) -> bool:
        """Whether this head waits for a person, was sent back, or was refused by the forge."""
        return any(push.head == head and push.stage in _STOPPED for push in self.pushes)
