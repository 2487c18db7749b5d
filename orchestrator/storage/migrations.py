"""Kept forms and their versions: older ones are brought forward by pure functions, newer ones refused.

Every kept document carries `v`. Changing a form means: raise its version in `CURRENT` and give a step
from the version before. Adding an optional field with a default is no change of form.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from orchestrator.errors import NotReady
from orchestrator.storage.durable import replace_file
from orchestrator.storage.faults import Faults
from orchestrator.storage.layout import Home

Document: TypeAlias = dict[str, Any]
"""What lies in a file: JSON's own types only, with `v`."""

Step: TypeAlias = Callable[[Document], Document]
"""Makes version v+1 of a document from version v; pure, and never sets `v` itself."""

CURRENT: Mapping[str, int] = {
    "home": 1,
    "session": 2,
    "conversation": 1,
    "event": 1,
    "request": 1,
    "audit": 1,
    "fleet": 1,
}
"""The version of each kind that this program writes."""


def _session_1(session: Document) -> Document:
    """What failed waits in memory alone, nobody counted the tries of setting up, `reported: done` was the word
    for being done, and a merge did not say whether it had begun.
    """  # noqa: D205 - all that changed with this version
    gone = (("setup", "tries"), ("ending", "retry_at"))
    work = session["work"]
    intents = [
        {**one, "data": {**one.get("data", {}), "begun": "yes"}} if one["key"] == "merge" else one
        for one in session.get("intents", ())
    ]
    done = work.get("reported") == "done"
    return {
        **session,
        **{part: _without(session[part], key) for part, key in gone if part in session},
        "work": {**work, "reported_done": done},
        "intents": intents,
    }


def _without(part: object, key: str) -> object:
    return {k: v for k, v in part.items() if k != key} if isinstance(part, dict) else part


STEPS: Mapping[tuple[str, int], Step] = {("session", 1): _session_1}
"""(kind, version) -> the step that leads away from that version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Migrations:
    """How documents of older versions become those of today."""

    current: Mapping[str, int] = field(default_factory=lambda: CURRENT)
    steps: Mapping[tuple[str, int], Step] = field(default_factory=lambda: STEPS)

    def upgrade(self, kind: str, document: Document) -> Document:
        """The document in today's form; the same object when it is in it already.

        Raises `ValueError` for a document without a version or from before the first step (damage),
        and `NotReady` for one that a newer program wrote.
        """
        version = document.get("v")
        if not isinstance(version, int) or isinstance(version, bool):
            msg = "it does not say which version it is"
            raise ValueError(msg)
        if version > self.current[kind]:
            msg = f"A kept {kind} has version {version}; this program knows {self.current[kind]} and older."
            raise NotReady(msg, next_step="Install the newer version of ao again. Nothing was changed.")
        while version < self.current[kind]:
            step = self.steps.get((kind, version))
            if step is None:
                msg = f"nothing leads on from version {version}"
                raise ValueError(msg)
            try:
                document = {**step(document), "v": version + 1}
            except (AttributeError, LookupError, TypeError) as error:
                msg = f"it is no document of version {version}: {error}"
                raise ValueError(msg) from error
            version += 1
        return document


BUILT_IN = Migrations()


def check_format(home: Home, faults: Faults) -> None:
    """See that this program may write the home; write its version into a new one. Raises `NotReady`."""
    if not has_format(home):
        replace_file(home.format, f"{CURRENT['home']}\n".encode(), faults, "format")


def has_format(home: Home) -> bool:
    """Whether the home has a version, which is then ours; nothing is written. Raises `NotReady`."""
    try:
        text = home.format.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return False
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{home.format} cannot be read: {error}."
        raise NotReady(msg, next_step="Nothing was changed.") from error
    if text != str(CURRENT["home"]):
        msg = f"{home.format} says {text[:20]!r}; this program knows {CURRENT['home']}."
        raise NotReady(msg, next_step="Install the version of ao that wrote this home. Nothing was changed.")
    return True
