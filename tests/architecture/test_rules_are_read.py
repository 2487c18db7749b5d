"""What can be configured has an effect: every field of the rules is read where they are gone by."""

from __future__ import annotations

import ast
from dataclasses import fields

import pytest

from orchestrator.domain.rules import ReactionRule, Rules
from tests.architecture import tree

_MADE_IN = "orchestrator/settings/"


def _read() -> set[str]:
    paths = tree.python_files("orchestrator", "bot")
    return {
        node.attr
        for path in paths
        if not tree.name(path).startswith(_MADE_IN)
        for node in ast.walk(tree.syntax(path))
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load)
    }


@pytest.mark.parametrize("of", [Rules, ReactionRule])
def test_every_field_of_the_rules_is_read_outside_the_settings(of: type[Rules | ReactionRule]) -> None:
    assert [field.name for field in fields(of) if field.name not in _read()] == []
