"""The page about agents explains every key of a profile, and its example is one."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import yaml
from pydantic import BaseModel

from plugins._shared import profile_looks, profile_signals
from plugins._shared.agent_profile import AgentHome, Profile
from tests.architecture import tree

_TEXT = (tree.ROOT / "docs" / "agents.md").read_text(encoding="utf-8")
_PARTS = (Profile, AgentHome, *vars(profile_looks).values(), *vars(profile_signals).values())


def _keys() -> Iterator[str]:
    for part in _PARTS:
        if isinstance(part, type) and issubclass(part, BaseModel):
            yield from (field.alias or name for name, field in part.model_fields.items())


@pytest.mark.parametrize("key", sorted(set(_keys())))
def test_every_key_of_a_profile_is_explained(key: str) -> None:
    assert re.search(rf"`(patterns\.)?{key}[`.]", _TEXT)


def test_every_meaning_of_an_event_is_named() -> None:
    assert [kind for kind in profile_signals.EventKind if f"`{kind}`" not in _TEXT] == []


def test_the_example_is_a_profile() -> None:
    blocks = [yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", _TEXT, re.DOTALL)]
    examples = [block for block in blocks if "launch" in block]
    assert [Profile.model_validate(example).label for example in examples] == ["custom agent"]
