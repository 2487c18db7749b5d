"""What a person says to an agent that asks for leave to run something, read from their words. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from orchestrator.domain.ids import SessionId
from orchestrator.domain.outside_text import bound
from orchestrator.domain.policy import ALLOW_ALWAYS, ALLOW_ONCE, DENY, DENY_WITH_REASON, PERMISSION_OPTIONS
from orchestrator.domain.session import Question
from orchestrator.errors import BadInput

MOST_REASON = 2000
_IN_SESSION = re.compile(r"(?:allow )?always (?:in|for) this session", re.IGNORECASE)
_NUMBERED = re.compile(r"([1-9])(?:[.):]?[ \t]+(\S.*))?", re.DOTALL)
_WITH_REASON = re.compile(r"(?:deny and say why|deny|no)[ \t]*[:,][ \t]*(\S.*)", re.IGNORECASE | re.DOTALL)
_WORDS = {
    **{option.lower(): option for option in PERMISSION_OPTIONS},
    **dict.fromkeys(("allow", "yes", "y", "ok", "once"), ALLOW_ONCE),
    "always": ALLOW_ALWAYS,
    **dict.fromkeys(("no", "n"), DENY),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A person's decision about one call."""

    answer: str
    """What the agent is given."""
    always: str = ""
    """`project` or `session`: the same call is allowed there from now on."""

    @property
    def allows(self) -> bool:
        """The call is made."""
        return self.answer == ALLOW_ONCE


def asks_leave(question: Question) -> bool:
    """Whether it is answered by one of the four options of a call."""
    return question.call is not None and set(PERMISSION_OPTIONS) <= set(question.options)


def read(question: Question, words: str, session: SessionId) -> Said:
    """What was decided. Raises `BadInput` for words that do not say it: nothing is allowed by mistake."""
    if _IN_SESSION.fullmatch(words):
        return Said(answer=ALLOW_ONCE, always="session")
    option, reason = _option(question, words)
    if option == ALLOW_ALWAYS and not reason:
        return Said(answer=ALLOW_ONCE, always="project")
    if option == ALLOW_ONCE and not reason:
        return Said(answer=ALLOW_ONCE)
    if option in {DENY, DENY_WITH_REASON} and reason:
        return Said(answer=f"{DENY}: {bound(reason, MOST_REASON)}")
    if option == DENY:
        return Said(answer=DENY)
    if option == DENY_WITH_REASON:
        msg = "it is not said why."
        raise BadInput(msg, session=session, next_step=f'`ao answer {session} "deny: use the other module"`')
    msg = f"{words[:80]!r} is no answer to an agent that asks for leave."
    numbers = ", ".join(f"{number} {option}" for number, option in enumerate(question.options, 1))
    raise BadInput(
        msg, session=session, next_step=f'Say {numbers}; or "deny: why", or "allow always in this session".'
    )


def _option(question: Question, words: str) -> tuple[str, str]:
    """The option that was meant, and the reason that was given with it; empty where there is none."""
    numbered = _NUMBERED.fullmatch(words)
    if numbered and int(numbered.group(1)) <= len(question.options):
        return question.options[int(numbered.group(1)) - 1], (numbered.group(2) or "").strip()
    reasoned = _WITH_REASON.fullmatch(words)
    if reasoned:
        return DENY_WITH_REASON, reasoned.group(1).strip()
    return _WORDS.get(words.lower(), ""), ""
