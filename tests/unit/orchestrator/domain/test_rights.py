"""Who may do what: roles add up, nobody else has any, and a refusal says what is missing and who has it."""

from __future__ import annotations

import itertools

import pytest

from orchestrator.domain.person import OWNER, Actor, ActorKind, rule
from orchestrator.domain.rights import (
    Allowed,
    Denied,
    People,
    Person,
    Role,
    decide,
    decide_somewhere,
    handle,
    merged,
)
from orchestrator.errors import BadInput

ANA = Person(handle="Ana", ids={"slack": "U1", "github": "ana"}, roles={"*": Role.ADMIN}, owner=True)
BO = Person(handle="bo", ids={"slack": "U2"}, roles={"api": Role.APPROVER, "web": Role.VIEWER})
CY = Person(handle="cy", ids={"discord": "3"}, roles={"*": Role.OPERATOR, "api": Role.VIEWER})
ALL = People((ANA, BO, CY))


def actor(name: str, kind: ActorKind = ActorKind.PERSON) -> Actor:
    return Actor(kind=kind, name=name)


def denied(people: People, who: Actor, needed: Role, project: str | None, *, owners: bool = False) -> Denied:
    found = decide(people, who, needed, project, owners=owners)
    assert isinstance(found, Denied)
    return found


@pytest.mark.parametrize(("own", "needed"), list(itertools.product(Role, Role)))
def test_a_role_has_all_that_stands_before_it(own: Role, needed: Role) -> None:
    order = ["viewer", "operator", "approver", "admin"]
    assert own.covers(needed) is (order.index(own) >= order.index(needed))
    people = People((Person(handle="dot", roles={"api": own}),))
    assert isinstance(decide(people, actor("dot"), needed, "api"), Allowed) is own.covers(needed)
    assert isinstance(decide(people, actor("dot"), needed, "web"), Denied)
    assert isinstance(decide(people, actor("dot"), needed, None), Denied)


def test_the_higher_of_two_roles_holds() -> None:
    assert CY.role("api") is Role.OPERATOR
    assert CY.role("web") is Role.OPERATOR
    assert CY.role(None) is Role.OPERATOR
    assert BO.role("api") is Role.APPROVER
    assert BO.role(None) is None
    both = Person(handle="d", roles={"*": Role.VIEWER, "api": Role.ADMIN})
    assert (both.role("api"), both.role("web"), both.role(None)) == (Role.ADMIN, Role.VIEWER, Role.VIEWER)


def test_what_is_allowed_says_in_which_role() -> None:
    assert decide(ALL, actor("BO"), Role.OPERATOR, "api") == Allowed(role=Role.APPROVER)
    assert decide(ALL, actor("ana"), Role.ADMIN, None) == Allowed(role=Role.ADMIN)


def test_people_are_found_by_name_in_any_case_and_by_who_they_are_on_a_surface() -> None:
    assert ALL.by_handle("ANA") is ANA
    assert ALL.by_handle("slack:U1") is None
    assert ALL.by_identity("slack", "U2") is BO
    assert ALL.by_identity("discord", "U2") is None
    assert ALL.by_identity("discord", "3") is CY
    assert ALL.owner_person is ANA
    assert People((BO,)).owner_person is None
    assert (ALL.empty, People().empty) == (False, True)


def test_an_empty_list_denies_everybody_but_the_owner() -> None:
    assert decide(People(), OWNER, Role.ADMIN, None) == Allowed(role=Role.ADMIN)
    for who in (
        actor("ana"),
        actor("slack:U1"),
        actor("demo-1", ActorKind.AGENT),
        rule("approved-and-green"),
    ):
        for owners in (False, True):
            found = denied(People(), who, Role.VIEWER, "api", owners=owners)
            assert found.missing == "nobody is known here yet, so that nobody may do anything"
            assert found.next_step == "`ao start` prints a code; `pair <code>` makes the first admin."


def test_a_refusal_names_the_role_the_project_and_who_has_it() -> None:
    found = denied(ALL, actor("bo"), Role.APPROVER, "web")
    assert found.missing == "that needs the role approver in web, and bo is only viewer there"
    assert found.next_step == "Ana has it."
    found = denied(ALL, actor("cy"), Role.APPROVER, "api")
    assert found.missing == "that needs the role approver in api, and cy is only operator there"
    assert found.next_step == "Ana and bo have it."
    found = denied(ALL, actor("bo"), Role.OPERATOR, None)
    assert found.missing == "that needs the role operator in all projects, and bo has no role there"
    assert found.next_step == "Ana and cy have it."


def test_a_refusal_says_who_can_give_what_nobody_has() -> None:
    found = denied(People((BO,)), actor("bo"), Role.ADMIN, "api")
    assert found.next_step == (
        "Nobody has it; whoever owns the machine can give it there: `ao people add <person> <role>`."
    )
    many = People(tuple(Person(handle=f"p{n}", roles={"*": Role.ADMIN}) for n in range(7)))
    assert denied(many, actor("x"), Role.VIEWER, "api").next_step == "p0, p1, p2, p3, p4 and 2 more have it."
    five = People(many.persons[:5])
    assert denied(five, actor("x"), Role.VIEWER, "api").next_step == "p0, p1, p2, p3 and p4 have it."


def test_whoever_nobody_knows_is_told_so() -> None:
    found = denied(ALL, actor("slack:U9"), Role.VIEWER, "api")
    assert found.missing == "nobody here knows slack:U9, and that needs the role viewer in api"
    for who in (actor("Ana", ActorKind.AGENT), rule("Ana")):
        assert isinstance(decide(ALL, who, Role.VIEWER, "api"), Denied)


def test_the_owner_of_the_machine_is_the_person_who_says_so() -> None:
    assert decide(ALL, OWNER, Role.ADMIN, None) == Allowed(role=Role.ADMIN)
    low = People((Person(handle="ana", roles={"api": Role.OPERATOR}, owner=True), BO))
    assert decide(low, OWNER, Role.OPERATOR, "api") == Allowed(role=Role.OPERATOR)
    assert isinstance(decide(low, OWNER, Role.VIEWER, "web"), Denied)


def test_an_owner_who_is_nobody_looks_on_and_can_get_back_in() -> None:
    people = People((BO, CY))
    assert decide(people, OWNER, Role.VIEWER, "api") == Allowed(role=Role.VIEWER)
    found = denied(people, OWNER, Role.OPERATOR, "api")
    assert found.missing == "that needs the role operator in api, and owner is only viewer there"
    assert found.next_step.startswith("Set `owner: true` for your own entry under `people`")
    assert decide(people, OWNER, Role.ADMIN, None, owners=True) == Allowed(role=Role.ADMIN)
    assert isinstance(decide(people, actor("bo"), Role.ADMIN, None, owners=True), Denied)


def test_approvals_count_of_those_who_may_approve_there() -> None:
    assert ALL.approvers("api") == frozenset({"ana", "bo"})
    assert ALL.approvers("web") == frozenset({"ana"})
    assert People().approvers("api") is None
    assert People((CY,)).approvers("api") == frozenset()


def test_one_person_under_two_names_is_one() -> None:
    assert ALL.same(OWNER, actor("ana"))
    assert ALL.same(actor("ANA"), actor("ana"))
    assert not ALL.same(actor("bo"), actor("ana"))
    assert not ALL.same(actor("slack:U9"), actor("ana"))
    assert ALL.same(actor("slack:U9"), actor("slack:U9"))
    assert not ALL.same(actor("slack:U9"), actor("slack:U8"))
    assert not People((BO,)).same(OWNER, actor("bo"))


@pytest.mark.parametrize("good", ["a", "Ana.B_c-1", "4da", "a" * 39])
def test_a_name(good: str) -> None:
    assert handle(good) == good


@pytest.mark.parametrize("bad", ["", "slack:U1", "@ana", "ana b", "-a", "a" * 40, "OWNER", "here", "änne"])
def test_no_name(bad: str) -> None:
    with pytest.raises(BadInput, match="no name for a person") as caught:
        handle(bad)
    assert caught.value.what.endswith("and not channel, everyone, here, nobody or owner.")


def test_the_place_is_told_and_not_compared() -> None:
    here = Actor(kind=ActorKind.PERSON, name="Ana", via="slack")
    assert here == actor("Ana")
    assert hash(here) == hash(actor("Ana"))
    assert (str(here), here.placed) == ("Ana", "Ana in Slack")
    assert actor("Ana").placed == "Ana"
    assert Actor(kind=ActorKind.PERSON, name="Ana", via="irc").placed == "Ana in irc"


def test_the_configuration_wins_where_both_speak_of_one_thing() -> None:
    configured = People(
        (
            Person(handle="Ana", ids={"slack": "U1"}, roles={"*": Role.VIEWER}, owner=True),
            Person(handle="bo", ids={"slack": "U2"}),
        )
    )
    kept = People(
        (
            Person(
                handle="ana", ids={"slack": "U7", "discord": "1"}, roles={"*": Role.ADMIN, "api": Role.ADMIN}
            ),
            Person(handle="cy", ids={"slack": "U2", "discord": "3"}, roles={"api": Role.VIEWER}, owner=True),
        )
    )
    ana = Person(
        handle="Ana",
        ids={"slack": "U1", "discord": "1"},
        roles={"*": Role.VIEWER, "api": Role.ADMIN},
        owner=True,
    )
    cy = Person(handle="cy", ids={"discord": "3"}, roles={"api": Role.VIEWER})
    assert merged(configured, kept) == People((ana, configured.persons[1], cy))


def test_who_is_kept_adds_to_who_is_configured() -> None:
    configured = People((Person(handle="ana", roles={"api": Role.VIEWER}),))
    kept = People((Person(handle="ana", ids={"slack": "U1"}, roles={"*": Role.ADMIN}, owner=True),))
    [ana] = merged(configured, kept).persons
    assert ana == Person(
        handle="ana", ids={"slack": "U1"}, roles={"*": Role.ADMIN, "api": Role.VIEWER}, owner=True
    )
    assert merged(People(), kept) == kept
    assert merged(configured, People()) == configured
    renamed = People((Person(handle="ANA", ids={"slack": "U1"}, owner=True),))
    again = merged(People((Person(handle="ana", ids={"slack": "U1"}, owner=True),)), renamed)
    assert again.owner_person == again.by_identity("slack", "U1")


def test_a_role_in_any_project_is_enough_until_it_is_known_which_one() -> None:
    assert decide_somewhere(ALL, actor("bo"), Role.APPROVER) == Allowed(role=Role.APPROVER)
    assert decide_somewhere(ALL, actor("cy"), Role.OPERATOR) == Allowed(role=Role.OPERATOR)
    found = decide_somewhere(ALL, actor("cy"), Role.APPROVER)
    assert isinstance(found, Denied)
    assert found.missing == "that needs the role approver, and cy is only operator"
    assert found.next_step == "Ana and bo have it."
    found = decide_somewhere(ALL, actor("slack:U9"), Role.VIEWER)
    assert isinstance(found, Denied)
    assert found.missing == "nobody here knows slack:U9, and that needs the role viewer"
    assert found.next_step == "Ana, bo and cy have it."
    nobody = Person(handle="no")
    found = decide_somewhere(People((nobody,)), actor("no"), Role.VIEWER)
    assert isinstance(found, Denied)
    assert found.missing == "that needs the role viewer, and no has no role"


def test_the_owner_of_the_machine_somewhere() -> None:
    assert decide_somewhere(People(), OWNER, Role.ADMIN) == Allowed(role=Role.ADMIN)
    assert decide_somewhere(People((BO,)), OWNER, Role.VIEWER) == Allowed(role=Role.VIEWER)
    assert decide_somewhere(People((BO,)), OWNER, Role.ADMIN, owners=True) == Allowed(role=Role.ADMIN)
    found = decide_somewhere(People((BO,)), OWNER, Role.OPERATOR)
    assert isinstance(found, Denied)
    assert "owner: true" in found.next_step
    assert isinstance(decide_somewhere(People(), actor("bo"), Role.VIEWER), Denied)
