from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain.ids import session_prefix
from orchestrator.settings.naming import derive_prefix, free_prefix, shared_prefixes


@pytest.mark.parametrize(
    ("folder", "prefix"),
    [
        ("app", "app"),
        ("API", "api"),
        ("PyTorch", "pt"),
        ("BACKEND", "bac"),
        ("agent-orchestrator", "ao"),
        ("my_web_app", "mwa"),
        ("integrator", "int"),
        ("site.io", "si"),
        ("...", "ao"),
        ("übung", "bun"),
    ],
)
def test_prefixes_follow_the_folder(folder: str, prefix: str) -> None:
    assert derive_prefix(folder) == prefix


@given(st.text(max_size=60))
def test_any_folder_gives_a_prefix_that_the_domain_accepts(folder: str) -> None:
    assert session_prefix(derive_prefix(folder))


def test_a_taken_prefix_is_numbered() -> None:
    assert free_prefix("app", set()) == "app"
    assert free_prefix("app", {"app", "app2"}) == "app3"
    assert free_prefix("a" * 16, {"a" * 16}) == "a" * 15 + "2"


def test_shared_prefixes_name_their_owners() -> None:
    assert shared_prefixes({"a": "x", "b": "y", "c": "x"}) == {"x": ("a", "c")}
