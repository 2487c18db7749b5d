"""People and roles in a configuration: short to write, and every mistake is named with its line."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from orchestrator.domain.rights import People, Person, Role
from orchestrator.settings.loader import Loaded

Write = Callable[..., Loaded]
PROJECTS = "projects: {api: {path: x}, web: {path: y}}\n"


def test_a_role_alone_holds_in_all_projects_and_groups_add_to_it(write: Write) -> None:
    loaded = write(
        PROJECTS + "people:\n"
        "  ana: {slack: U0123, github: ana, owner: true, roles: admin}\n"
        "  bo: {slack: U0456, discord: 1234567890123456789, roles: {api: approver, web: viewer}}\n"
        "  cy: {}\n"
        "roles:\n"
        "  operator: [ana, BO]\n"
        "  approver: {web: [cy], '*': []}\n"
    )
    assert loaded.require().people == People(
        (
            Person(
                handle="ana", ids={"slack": "U0123", "github": "ana"}, roles={"*": Role.ADMIN}, owner=True
            ),
            Person(
                handle="bo",
                ids={"slack": "U0456", "discord": "1234567890123456789"},
                roles={"*": Role.OPERATOR, "api": Role.APPROVER, "web": Role.VIEWER},
            ),
            Person(handle="cy", roles={"web": Role.APPROVER}),
        )
    )


def test_nobody_is_named_by_default(write: Write) -> None:
    assert write(PROJECTS).require().people.empty


@pytest.mark.parametrize(
    ("text", "path", "words"),
    [
        ("people:\n  ana: {roles: admim}", "people.ana.roles.*", "Did you mean admin?"),
        ("people:\n  ana: {roles: {api: boss}}", "people.ana.roles.api", "'viewer', 'operator'"),
        ("people:\n  ana: {roles: {apo: admin}}", "people.ana.roles.apo", "no project 'apo'; `*` stands for all. Did you mean api?"),
        ("people:\n  ana: {slack: ana}", "people.ana.slack", "should match pattern"),
        ("people:\n  ana: {slak: U1}", "people.ana.slak", "Did you mean slack?"),
        ("people:\n  owner: {roles: admin}", "people.owner", "no name for a person"),
        ("people: {ana: {}, Ana: {}}\n", "people.Ana", "ana has the same name"),
        ("people: {ana: {slack: U1}, bo: {slack: U1}}\n", "people.bo.slack", "ana is U1 in slack already"),
        ("people: {ana: {owner: true}, bo: {owner: true}}\n", "people.bo.owner", "ana is the owner of the machine already"),
        ("people: {ana: {}}\nroles: {admin: [anna]}", "roles.admin[0]", "called anna. Did you mean ana?"),
        ("people: {ana: {}}\nroles: {admin: {apo: [ana]}}", "roles.admin.apo", "no project 'apo'"),
        ("people: {ana: {}}\nroles: {admim: [ana]}", "roles.admim", "Did you mean admin?"),
        ("people: {ana: {}}\nroles: {admin: ana}", "roles.admin.*", "a list"),
        ("people: [ana]\n", "people", "a mapping"),
    ],
    ids=range(14),
)  # fmt: skip
def test_every_mistake_is_named_with_its_line(text: str, path: str, words: str, write: Write) -> None:
    [error] = write(PROJECTS + text).errors
    assert (error.line, error.path) == (
        2 if text.startswith("people: ") and "\nroles" not in text else 3,
        path,
    )
    assert words in str(error)
