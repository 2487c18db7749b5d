"""A front end's user becomes a person of ours, or a stranger without rights."""

from __future__ import annotations

from bot.chat.access import Access, Identity
from bot.chat.request import Surface
from orchestrator.domain.person import OWNER, Actor, ActorKind
from orchestrator.domain.rights import Allowed, Denied, People, Person, Role

ANA = Person(handle="Ana", ids={"slack": "U1"}, roles={"*": Role.ADMIN}, owner=True)


def test_whoever_is_known_acts_under_their_own_name() -> None:
    access = Access(lambda: People((ANA,)))
    found = access.actor(Identity(surface=Surface.SLACK, id="U1", name="whatever"))
    assert (found.kind, found.name, found.via) == (ActorKind.PERSON, "Ana", "slack")
    assert isinstance(access.decide(found, Role.ADMIN, None), Allowed)


def test_nobody_becomes_somebody_by_a_name_or_on_another_surface() -> None:
    access = Access(lambda: People((ANA,)))
    for identity in (
        Identity(surface=Surface.SLACK, id="U2", name="Ana"),
        Identity(surface=Surface.SLACK, id="Ana"),
        Identity(surface=Surface.DISCORD, id="U1"),
    ):
        found = access.actor(identity)
        assert found.name == f"{identity.surface.value}:{identity.id}"
        assert isinstance(access.decide(found, Role.VIEWER, "demo"), Denied)


def test_a_stranger_is_shown_on_one_plain_line() -> None:
    found = Access(People).actor(Identity(surface=Surface.SLACK, id="U1\n\x1b[31m\u202eevil"))
    assert "\n" not in found.name
    assert "\x1b" not in found.name
    assert "\u202e" not in found.name


def test_people_are_looked_up_each_time() -> None:
    known = [People()]
    access = Access(lambda: known[0])
    stranger = access.actor(Identity(surface=Surface.SLACK, id="U1"))
    known[0] = People((ANA,))
    assert access.actor(Identity(surface=Surface.SLACK, id="U1")).name == "Ana"
    assert stranger.name == "slack:U1"


def test_the_owner_acts_as_the_person_who_they_are() -> None:
    assert Access(lambda: People((ANA,))).acting(OWNER, Surface.SHELL).placed == "Ana in the shell"
    alone = Access(People).acting(OWNER, Surface.SHELL)
    assert (alone, alone.via) == (OWNER, "shell")
    other = Actor(kind=ActorKind.PERSON, name="bo", via="slack")
    assert Access(lambda: People((ANA,))).acting(other, Surface.WEB) is other
