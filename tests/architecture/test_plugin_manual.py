"""The manual of the plugins says what the plugins say."""

from __future__ import annotations

from tests.architecture import plugin_manual, tree


def test_manual_is_as_the_plugins_are() -> None:
    document = (tree.ROOT / plugin_manual.PATH).read_text(encoding="utf-8")
    assert document == plugin_manual.whole(document), "python -m tests.architecture.plugin_manual"
