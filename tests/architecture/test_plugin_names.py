"""The fleet knows no agent, tracker or forge by name: a plugin is added without touching the core."""

from __future__ import annotations

import ast
import re

import pytest

from tests.architecture import tree

# A plugin's name that is also an everyday word cannot be told from the word.
_SLOTS = ("agent", "tracker", "scm", "runtime", "workspace", "terminal", "notifier")
_EVERYDAY = {"local", "custom", "none", "process", "copy", "clone", "desktop", "web", "webhook"}

# Where people have accounts of their own is no plugin's name only: verbs, addresses and people's keys say it.
# A folder that a program obeys bears its name.
_WHERE_PEOPLE_ARE = {
    "codex": ("orchestrator/domain/guard.py",),
    "github": (
        "bot/actions/demo.py",
        "bot/actions/github_doctor.py",
        "bot/actions/demo.py",
        "bot/actions/github_webhook_install.py",
        "bot/actions/github_webhook_ls.py",
        "bot/actions/github_webhook_rm.py",
        "bot/actions/github_webhook_test.py",
        "bot/actions/link.py",
        "bot/actions/registry.py",
        "bot/actions/unlink.py",
        "bot/frontends/webhooks/listener.py",
        "orchestrator/domain/guard.py",
        "orchestrator/services/forge_hooks.py",
        "orchestrator/services/links.py",
        "orchestrator/services/new_project.py",
        "orchestrator/settings/people_check.py",
        "orchestrator/settings/people_model.py",
        "orchestrator/settings/project_model.py",
        "orchestrator/settings/remote.py",
        "orchestrator/settings/webhooks_model.py",
    ),
}


def catalog_names() -> set[str]:
    """Names of the built-in plugins, as the catalog lists them."""
    catalog = tree.syntax(tree.ROOT / "plugins" / "catalog.py")
    found = set()
    for node in ast.walk(catalog):
        if isinstance(node, ast.Tuple) and len(node.elts) == 2:
            slot, name = node.elts
            if isinstance(slot, ast.Constant) and isinstance(name, ast.Constant) and slot.value in _SLOTS:
                found.add(str(name.value))
    return found


def mentions(text: str, names: set[str]) -> set[str]:
    """Which plugin names a literal holds as whole words."""
    return {name for name in names - _EVERYDAY if re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text)}


def _core_files() -> list[str]:
    return [
        tree.name(path)
        for path in tree.python_files("orchestrator", "bot")
        if not tree.name(path).startswith(("bot/demo/", "orchestrator/testing/"))
    ]


def test_the_catalog_is_read() -> None:
    assert {"tmux", "worktree", "rehearsal"} <= catalog_names()


@pytest.mark.parametrize("text", ["tmux", "starts tmux here", "a:rehearsal"])
def test_a_mention_is_seen(text: str) -> None:
    assert mentions(text, {"tmux", "rehearsal"})


@pytest.mark.parametrize("text", ["", "tmuxinator", "local", "worktrees"])
def test_a_word_that_only_looks_alike_passes(text: str) -> None:
    assert not mentions(text, {"tmux", "local", "worktree"})


def test_no_plugin_is_named_in_the_core() -> None:
    names = catalog_names()
    found = [
        f"{file}:{line}: {name}"
        for file in _core_files()
        for line, text in tree.strings(tree.syntax(tree.ROOT / file))
        for name in sorted(mentions(text, names))
        if file not in _WHERE_PEOPLE_ARE.get(name, ())
    ]
    assert found == []


def test_what_may_name_a_forge_does() -> None:
    for name, files in _WHERE_PEOPLE_ARE.items():
        for file in files:
            texts = [text for _, text in tree.strings(tree.syntax(tree.ROOT / file))]
            assert any(mentions(text, {name}) for text in texts), f"{file} needs no exception any more"
