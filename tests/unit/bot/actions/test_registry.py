"""Every verb is whole, and `docs/verbs.md` is made from them."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.actions import docs, registry
from bot.actions.action import Access, Action, Confirmation, Kind, Role

ALL = registry.all_actions()
ROOT = Path(__file__).parents[4]
INFRASTRUCTURE = {
    "__init__", "action", "docs", "facts", "grammar", "machine", "place", "registry", "rescued", "runner", "target",
}  # fmt: skip


def test_every_module_is_a_verb_or_serves_them() -> None:
    modules = {path.stem for path in (ROOT / "bot" / "actions").glob("*.py")}
    verbs = {verb.replace(" ", "_").replace("-", "_") for verb in registry.VERBS}
    assert modules - INFRASTRUCTURE == verbs


def test_verbs_and_aliases_are_unlike_each_other() -> None:
    names = [name for action in ALL for name in (action.verb, *action.aliases)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("action", ALL, ids=lambda action: action.verb)
def test_a_verb_is_whole(action: Action) -> None:
    assert action.verb in registry.VERBS
    assert action.summary.rstrip(".") == action.summary != ""
    assert action.surfaces
    assert action.examples
    if action.inverse:
        assert action.inverse in registry.VERBS
    assert (action.preview is None) == (action.confirmation is Confirmation.NONE)
    heads = [argument for argument in action.arguments if argument.kind is Kind.HEAD]
    assert bool(heads) == (action.confirmation is Confirmation.HEAD)
    assert all(argument.kind not in {Kind.TEXT, Kind.MANY} for argument in action.positional[:-1])


@pytest.mark.parametrize("action", ALL, ids=lambda action: action.verb)
def test_its_examples_are_understood(action: Action) -> None:
    import shlex

    from bot.actions import grammar
    from bot.frontends.shell import options

    for example in action.examples:
        _, words = options.take(shlex.split(example))
        found, count = registry.find(words)
        assert found is action
        grammar.parse_arguments(found, words[count:])


@pytest.mark.parametrize("action", ALL, ids=lambda action: action.verb)
def test_whoever_only_looks_changes_nothing_but_their_own_tokens(action: Action) -> None:
    if action.role is Role.VIEWER and action.verb not in {"token add", "token rm"}:
        assert action.access is not Access.CHANGES
        assert action.confirmation is Confirmation.NONE


def test_an_action_is_found_by_its_alias() -> None:
    assert registry.find(["LGTM"])[0].verb == "approve"
    assert registry.find(["rescue", "list"]) == (registry.load("rescue ls"), 2)


def test_roles_are_in_order() -> None:
    assert Role.ADMIN.covers(Role.VIEWER)
    assert not Role.OPERATOR.covers(Role.APPROVER)


def test_the_page_of_verbs_is_fresh() -> None:
    page = (ROOT / "docs" / "verbs.md").read_text(encoding="utf-8")
    assert page == docs.page(), "make it anew: python -m bot.actions.docs > docs/verbs.md"
