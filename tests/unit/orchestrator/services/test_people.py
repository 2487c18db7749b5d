"""People are paired, added and taken away; the configuration wins; nobody takes the last admin away."""

from __future__ import annotations

import asyncio

import pytest

from orchestrator.domain.ids import SessionId
from orchestrator.domain.person import OWNER, Actor, ActorKind
from orchestrator.domain.pull_request import PullRequestState
from orchestrator.domain.rights import Role
from orchestrator.errors import BadInput, Conflict, NotAllowed, NotFound, TemporaryError
from orchestrator.services import people
from orchestrator.services.approve import approve
from orchestrator.services.merge import merge
from orchestrator.services.pairing import LETTERS, LIFE, TRIES, Pairing, new_code
from orchestrator.settings.effective import Settings
from orchestrator.testing import examples as ex
from orchestrator.testing.ring import Ring

STRANGER = Actor(kind=ActorKind.PERSON, name="slack:U1", via="slack")


def given(who: str, role: Role = Role.OPERATOR, **more: object) -> people.Given:
    return people.Given(who=people.meant(who), role=role, **more)  # type: ignore[arg-type]


async def configure(ring: Ring, text: str) -> None:
    """Put people into the file, as if it were trusted."""
    ring.core.settings.take(await asyncio.to_thread(_written, ring, text))


def _written(ring: Ring, text: str) -> Settings:
    file = ring.core.settings.path
    file.write_text(file.read_text(encoding="utf-8") + text, encoding="utf-8")
    return ring.core.settings.look().require()


async def test_the_first_of_a_chat_is_admin_and_the_owner_of_the_machine(ring: Ring) -> None:
    code = people.pairing_code(ring.core)
    ana = await people.pair(ring.core, f" {code[:4].lower()}-{code[4:]}", by=STRANGER, name="Ana Lovelace")
    assert (ana.handle, dict(ana.ids), ana.owner) == ("Ana-Lovelace", {"slack": "U1"}, True)
    known = ring.core.settings.people
    assert known.by_identity("slack", "U1") == known.owner_person == ana
    assert known.having(Role.ADMIN, None) == ("Ana-Lovelace",)
    assert people.pairing_code(ring.core) == ""
    [entry] = await ring.core.store.audit.newest(1)
    assert (entry.verb, str(entry.by)) == ("pair", "Ana-Lovelace")


async def test_pairing_twice_is_refused_and_says_who_can_add_you(ring: Ring) -> None:
    code = people.pairing_code(ring.core)
    await people.pair(ring.core, code, by=STRANGER)
    other = Actor(kind=ActorKind.PERSON, name="slack:U2")
    with pytest.raises(NotAllowed, match=r"people are known here already\. U1 can add you"):
        await people.pair(ring.core, code, by=other)


async def test_only_somebody_in_a_chat_can_be_paired(ring: Ring) -> None:
    for who in (OWNER, Actor(kind=ActorKind.AGENT, name="slack:U1")):
        with pytest.raises(NotAllowed, match="nobody can tell who that is"):
            await people.pair(ring.core, people.pairing_code(ring.core), by=who)


def test_a_code_expires_and_is_void_after_five_wrong_tries() -> None:
    made = iter(["AAAAAAAA", "BBBBBBBB", "CCCCCCCC"])
    pairing = Pairing(lambda: next(made))
    with pytest.raises(NotAllowed, match="no pairing code is good now"):
        pairing.take("AAAAAAAA", 0.0, by=STRANGER)
    assert pairing.code(0.0) == pairing.code(LIFE - 1) == "AAAAAAAA"
    with pytest.raises(NotAllowed, match="no pairing code is good now"):
        pairing.take("AAAAAAAA", LIFE, by=STRANGER)
    assert pairing.code(LIFE) == "BBBBBBBB"
    for left in range(TRIES - 1, 0, -1):
        with pytest.raises(NotAllowed, match=f"{left} more tr"):
            pairing.take("AAAAAAAA", LIFE, by=STRANGER)
    with pytest.raises(NotAllowed, match="tried too often"):
        pairing.take("ä", LIFE, by=STRANGER)
    with pytest.raises(NotAllowed, match="no pairing code is good now"):
        pairing.take("BBBBBBBB", LIFE, by=STRANGER)
    assert pairing.code(LIFE) == "CCCCCCCC"
    pairing.take("cccc cccc", LIFE, by=STRANGER)
    with pytest.raises(NotAllowed, match="no pairing code is good now"):
        pairing.take("CCCCCCCC", LIFE, by=STRANGER)


def test_a_code_has_no_letters_that_are_taken_for_each_other() -> None:
    assert not set("01OIL") & set(LETTERS)
    codes = {new_code() for _ in range(20)}
    assert len(codes) == 20
    assert all(len(code) == 8 and set(code) <= set(LETTERS) for code in codes)


async def test_people_are_added_changed_and_taken_away_again(ring: Ring) -> None:
    await people.add(ring.core, given("ana", Role.ADMIN, owner=True), by=OWNER)
    await people.add(ring.core, given("slack:U2|bo"), by=OWNER)
    bo = await people.add(ring.core, given("slack:U2", Role.APPROVER, project="demo"), by=OWNER)
    assert (bo.handle, dict(bo.ids)) == ("bo", {"slack": "U2"})
    assert (bo.role(None), bo.role("demo")) == (Role.OPERATOR, Role.APPROVER)
    await people.remove(ring.core, people.meant("BO"), project="demo", by=OWNER)
    assert ring.core.settings.people.having(Role.APPROVER, "demo") == ("ana",)
    await people.remove(ring.core, people.meant("slack:U2"), by=OWNER)
    assert ring.core.settings.people.by_handle("bo") is None
    with pytest.raises(NotFound, match="nobody here knows bo"):
        await people.remove(ring.core, people.meant("bo"), by=OWNER)
    entries = await ring.core.store.audit.newest(5)
    assert [entry.verb for entry in entries] == ["people add"] * 3 + ["people rm"] * 2


async def test_who_was_added_is_there_after_a_crash(ring: Ring) -> None:
    await people.add(ring.core, given("slack:U1|ana", Role.ADMIN, owner=True), by=OWNER)
    before = ring.core.settings.people
    after = await ring.crash()
    assert after.core.settings.people == before
    assert before.owner_person is not None


async def test_nobody_takes_the_last_admin_away(ring: Ring) -> None:
    with pytest.raises(Conflict, match="nobody would be admin"):
        await people.add(ring.core, given("bo"), by=OWNER)
    await people.add(ring.core, given("ana", Role.ADMIN), by=OWNER)
    await people.add(ring.core, given("bo"), by=OWNER)
    with pytest.raises(Conflict, match="nobody would be admin"):
        await people.remove(ring.core, people.meant("ana"), by=OWNER)
    with pytest.raises(Conflict, match="nobody would be admin"):
        await people.add(ring.core, given("ana", Role.VIEWER), by=OWNER)
    await people.add(ring.core, given("bo", Role.ADMIN), by=OWNER)
    await people.remove(ring.core, people.meant("ana"), by=OWNER)
    assert ring.core.settings.people.having(Role.ADMIN, None) == ("bo",)


async def test_a_name_that_anybody_can_take_makes_nobody_somebody(ring: Ring) -> None:
    await people.add(ring.core, given("slack:U1|ana", Role.ADMIN), by=OWNER)
    with pytest.raises(Conflict, match="there is a ana already"):
        await people.add(ring.core, given("slack:U9|ana"), by=OWNER)
    other = await people.add(ring.core, given("slack:U9|ana", name="ana2"), by=OWNER)
    assert (other.handle, dict(other.ids)) == ("ana2", {"slack": "U9"})
    linked = await people.add(ring.core, given("discord:42", Role.ADMIN, name="ana"), by=OWNER)
    assert dict(linked.ids) == {"slack": "U1", "discord": "42"}
    with pytest.raises(Conflict, match="is ana here already"):
        await people.add(ring.core, given("slack:U1|x", name="x"), by=OWNER)
    named = await people.add(ring.core, given("slack:U7"), by=OWNER)
    assert named.handle == "U7"
    with pytest.raises(BadInput, match="no name"):
        await people.add(ring.core, given("owner"), by=OWNER)


async def test_there_is_one_owner(ring: Ring) -> None:
    await people.add(ring.core, given("ana", Role.ADMIN, owner=True), by=OWNER)
    await people.add(ring.core, given("bo", Role.ADMIN, owner=True), by=OWNER)
    owners = [one.handle for one in ring.core.settings.people.persons if one.owner]
    assert owners == ["bo"]


async def test_the_configuration_wins_and_says_so(ring: Ring) -> None:
    await configure(
        ring, "people: {ana: {slack: U1, owner: true, roles: admin}, bo: {slack: U2, roles: viewer}}\n"
    )
    with pytest.raises(Conflict, match=r"bo is viewer in all projects, as .* says"):
        await people.add(ring.core, given("bo", Role.ADMIN), by=OWNER)
    with pytest.raises(Conflict, match=r"bo is another one in slack, as .* says"):
        await people.add(ring.core, given("slack:U9", Role.VIEWER, name="bo"), by=OWNER)
    with pytest.raises(Conflict, match=r"the owner of the machine is somebody else, as .* says"):
        await people.add(ring.core, given("bo", Role.VIEWER, owner=True), by=OWNER)
    assert ring.core.store.people.people.empty
    bo = await people.add(ring.core, given("bo", Role.APPROVER, project="demo"), by=OWNER)
    assert (bo.role(None), bo.role("demo")) == (Role.VIEWER, Role.APPROVER)
    with pytest.raises(Conflict, match="ana stands in "):
        await people.remove(ring.core, people.meant("ana"), by=OWNER)
    with pytest.raises(NotFound, match="has no role in demo alone"):
        await people.remove(ring.core, people.meant("ana"), project="demo", by=OWNER)
    left = await people.remove(ring.core, people.meant("bo"), by=OWNER)
    assert dict(left.roles) == {"*": Role.VIEWER}


async def test_a_row_that_is_no_person_gives_no_right(ring: Ring) -> None:
    store = ring.core.store
    good = {"handle": "ana", "ids": {}, "roles": {"*": "admin"}, "owner": False}
    rows = [
        good,
        {"handle": "bo"},
        "x",
        {**good, "handle": "b c"},
        {**good, "handle": "cy", "roles": {"*": "boss"}},
    ]
    await store.fleet.set("people", rows)
    store.people.open()
    assert [one.handle for one in store.people.people.persons] == ["ana"]


ANA, BO = (Actor(kind=ActorKind.PERSON, name=name) for name in ("ana", "bo"))


async def green(ring: Ring) -> tuple[SessionId, str]:
    """Ana is admin, bo approver; a session's pull request has passed its checks."""
    await people.add(ring.core, given("ana", Role.ADMIN), by=OWNER)
    await people.add(ring.core, given("bo", Role.APPROVER), by=OWNER)
    one = await ring.spawn("1")
    head = await ring.pull_request(one)
    await ring.checks(one, passed=True)
    return one, head


async def test_an_approval_counts_as_long_as_its_giver_may_approve(ring: Ring) -> None:
    one, head = await green(ring)
    await approve(ring.core, one, head=head, by=BO)
    await ring.look(one)
    assert ring.status(one) == "mergeable"
    await people.remove(ring.core, people.meant("bo"), by=OWNER)
    await ring.look(one)
    assert ring.status(one) != "mergeable"
    with pytest.raises(Conflict, match="that of bo, who may not approve here now, does not count"):
        await merge(ring.core, one, head=head, by=ANA)


async def test_a_rule_merges_only_what_those_approved_who_may(ring: Ring) -> None:
    auto = ex.reaction("approved-and-green", action="auto-merge")
    ring.rules(reactions={auto.key: auto}, cleanup_on_merge=False)
    one, head = await green(ring)
    await people.remove(ring.core, people.meant("bo"), by=OWNER)
    await approve(ring.core, one, head=head, by=BO)
    await ring.look(one)
    assert ring.session(one).merged is None
    await approve(ring.core, one, head=head, by=ANA)
    await ring.look(one)
    merged = ring.session(one).change
    assert merged is not None
    assert merged.pr.state is PullRequestState.MERGED


async def test_a_merge_that_waits_is_refused_once_its_asker_may_not_merge(ring: Ring) -> None:
    one, head = await green(ring)
    await approve(ring.core, one, head=head, by=ANA)
    await ring.look(one)
    ring.scm.fail_next("merge", TemporaryError("503"))
    await merge(ring.core, one, head=head, by=BO)
    await ring.settle()
    await people.add(ring.core, given("bo", Role.OPERATOR), by=ANA)
    await ring.later(60)
    assert "merge.refused" in await ring.told(one)
    refused = [event.text for event in await ring.events(one) if event.type == "merge.refused"]
    assert "bo may not merge in demo now, which needs the role approver there" in refused[-1]
    assert ring.session(one).intents == ()
    change = ring.session(one).change
    assert change is not None
    assert change.pr.state is PullRequestState.OPEN
