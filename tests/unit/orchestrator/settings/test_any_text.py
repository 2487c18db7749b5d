"""Whatever stands in a file, loading answers with problems and never raises."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.settings.document import dump
from orchestrator.settings.loader import load
from orchestrator.settings.models import Config
from orchestrator.settings.project_model import ProjectKeys

HOME = Path("/nowhere/home")
ENV = {"HOME": "/nowhere/user", "AO_HOME": str(HOME)}
KEYS = [info.alias or name for model in (Config, ProjectKeys) for name, info in model.model_fields.items()]

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
projects = st.dictionaries(
    st.text(min_size=1, max_size=5),
    values | st.dictionaries(st.sampled_from(KEYS), values, max_size=4),
    max_size=3,
)
configurations = st.dictionaries(st.sampled_from(KEYS), values, max_size=5)


@given(st.text(max_size=200))
@settings(max_examples=200, deadline=None)
def test_any_text(text: str) -> None:
    loaded = load(HOME / "config.yaml", ENV, text=text.encode("utf-8", "replace").decode())
    assert (loaded.settings is None) == bool(loaded.errors)


@given(configurations, projects)
@settings(max_examples=40, deadline=None)
@pytest.mark.timeout(90)
def test_any_values(data: dict[str, Any], entries: dict[str, Any]) -> None:
    for file in (HOME / "config.yaml", HOME / "elsewhere.yaml"):
        loaded = load(file, ENV, text=dump({**data, "projects": entries}))
        assert (loaded.settings is None) == bool(loaded.errors)
        if loaded.settings:
            assert all(loaded.settings.rules(name).reactions for name in entries)
        assert all(problem.message.endswith(".") for problem in loaded.problems)
        load(file, ENV, text=dump(data))
