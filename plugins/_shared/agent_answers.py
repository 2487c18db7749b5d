"""Answers to an agent's dialogs: to the hook that waits, else by keys on its screen."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.domain.activity import Dialog
from orchestrator.domain.outside_text import one_line
from orchestrator.domain.policy import PERMISSION_OPTIONS
from orchestrator.errors import BadInput
from orchestrator.ports.agent import AnswerFile
from orchestrator.ports.place import Place
from orchestrator.ports.runtime import Keys, Text
from orchestrator.ports.session_ref import SessionRef
from plugins._shared.agent_dialogs import Pending, answered
from plugins._shared.agent_profile import Profile, fill_text
from plugins._shared.profile_looks import DialogRule
from plugins._shared.profile_signals import Decisions

ANSWERS = "agent/answers"
DENIED = "A person said no."
ALLOWS = frozenset(PERMISSION_OPTIONS[:2])
_REFUSES = PERMISSION_OPTIONS[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """The dialog that is to be answered, and what waits for the answer."""

    dialog: Dialog
    pending: Pending | None = None
    """A hook."""
    rule: DialogRule | None = None
    """How what stands on the screen now is answered; with `pending` it may be another dialog."""


def answer_of(
    profile: Profile, session: SessionRef, place: Place, shown: Shown, answer: str
) -> Text | Keys | AnswerFile:
    """What gives the answer. Raises `BadInput` for one that the dialog does not offer."""
    dialog, pending = shown.dialog, shown.pending
    if pending is not None and profile.decisions is not None:
        data = _decision(profile.decisions, session, dialog, answer, pending)
        path = f"{place.folder}/{ANSWERS}/{pending.event}"
        return AnswerFile(path=path, data=data, otherwise=_keys(shown, answer))
    rule = shown.rule or next((r for r in profile.dialogs if dialog.id.startswith(f"{r.name}:")), None)
    chosen = _chosen(dialog, answer)
    if rule is not None and chosen is not None:
        return Keys(keys=rule.choices[chosen].keys)
    if chosen is not None and profile.numbered:
        return Keys(keys=(str(chosen + 1),))
    if dialog.options or rule is not None:
        raise _no_answer(session, dialog, answer)
    return Text(text=answer)


def _decision(
    decisions: Decisions, session: SessionRef, dialog: Dialog, answer: str, pending: Pending
) -> bytes:
    """The words for the hook."""
    if dialog.call is None:
        chosen = None if dialog.further else _chosen(dialog, answer)
        words = answer if chosen is None else dialog.options[chosen]
        return _json(decisions.answer, {"input": answered(pending, (*dialog.given, words))})
    word, _, reason = answer.partition(":")
    if word.strip() in ALLOWS:
        return _json(decisions.allow, {})
    if word.strip() == _REFUSES:
        return _json(decisions.deny, {"reason": reason.strip() or DENIED})
    raise _no_answer(session, dialog, answer)


def _keys(shown: Shown, answer: str) -> Keys | None:
    """The keys on the screen that choose the same, if that kind of dialog stands there.

    None where there are no such keys, as for words of one's own.
    """
    dialog, rule = shown.dialog, shown.rule
    if dialog.call is None:
        chosen = None if dialog.further or dialog.many else _chosen(dialog, answer)
        return None if chosen is None or rule is not None else Keys(keys=(str(chosen + 1),))
    if rule is None or not rule.permission:
        return None
    wanted = PERMISSION_OPTIONS[0] if answer.partition(":")[0].strip() in ALLOWS else _REFUSES
    return next((Keys(keys=choice.keys) for choice in rule.choices if choice.label == wanted), None)


def _no_answer(session: SessionRef, dialog: Dialog, answer: str) -> BadInput:
    options = ", ".join(dialog.options)
    msg = f"{one_line(answer, 80)!r} is no answer to this dialog: {options}."
    return BadInput(msg, session=session.id)


def _chosen(dialog: Dialog, answer: str) -> int | None:
    """The number of the option that the answer names, by its words or its number from 1."""
    wanted = answer.strip().casefold()
    for index, option in enumerate(dialog.options):
        if wanted in {option.casefold(), str(index + 1)}:
            return index
    return None


def verdict_text(template: Mapping[str, object], reason: str) -> str:
    """What a hook that asked before a call prints."""
    return _json(template, {"reason": reason}).decode()


def _json(template: Mapping[str, object], values: Mapping[str, Any]) -> bytes:
    return json.dumps(_filled(template, values)).encode()


def _filled(part: object, values: Mapping[str, Any]) -> object:
    """A template with its placeholders put in: `{input}` stands for a value, `{reason}` for words in a text."""
    if isinstance(part, Mapping):
        return {str(key): _filled(value, values) for key, value in part.items()}
    if isinstance(part, str):
        name = part[1:-1]
        if part == f"{{{name}}}" and name in values:
            return values[name]
        return fill_text(part, {name: value for name, value in values.items() if isinstance(value, str)})
    return part
