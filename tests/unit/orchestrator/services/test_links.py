"""People sign in to the forge once; from then on what they decide is done there as them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import pytest

from orchestrator.domain.ids import SessionId
from orchestrator.domain.person import OWNER, Actor, ActorKind
from orchestrator.domain.pull_request import Approving, PullRequestState
from orchestrator.domain.rights import ALL_PROJECTS, Person, Role
from orchestrator.errors import NotAllowed, NotFound, NotReady
from orchestrator.services import configuration, links, people
from orchestrator.services.approve import approve
from orchestrator.services.merge import merge
from orchestrator.testing import examples as ex
from orchestrator.testing.fakes.linking_scm import HOST, TOKEN_LASTS, LinkingScm
from orchestrator.testing.ring import CHECK, FakeWorld, Ring, open_ring
from orchestrator.testing.waiting import eventually

BO = Actor(kind=ActorKind.PERSON, name="bo")


@dataclass
class Told:
    """What a person was told later."""

    words: list[str] = field(default_factory=list)

    async def __call__(self, words: str) -> None:
        self.words.append(words)


@pytest.fixture
async def ring(tmp_path: Path) -> AsyncIterator[Ring]:
    world = FakeWorld()
    world.scm = LinkingScm(world.clock.now, runs=(CHECK,))
    made = await open_ring(tmp_path, world=world)
    made.core.serving.set()
    for name in ("ada", "bo"):
        await made.core.store.people.put(Person(handle=name, roles={ALL_PROJECTS: Role.ADMIN}))
    yield made
    await made.core.sign_ins.close()
    await made.close()


def forge(ring: Ring) -> LinkingScm:
    return cast("LinkingScm", ring.scm)


async def _pass(ring: Ring, seconds: float) -> None:
    """Let time pass for whatever sleeps, and let it do what it then does."""
    ring.clock.advance(seconds)
    for _ in range(20):
        await asyncio.sleep(0)
    # What it keeps is written in a thread.
    await ring.core.store.links.get("nobody", HOST)
    for _ in range(20):
        await asyncio.sleep(0)


async def _ended(ring: Ring, told: Told) -> None:
    async def look() -> list[str]:
        await _pass(ring, 1.0)
        return told.words

    await eventually(look, bool)


async def _link(ring: Ring, who: Actor = ex.ADA, login: str = "ada-gh") -> Told:
    told = Told()
    linking = await links.begin(ring.core, by=who, tell=told)
    assert linking.begun is not None
    forge(ring).type_code(linking.begun.code, login)
    await _ended(ring, told)
    return told


async def _ready(ring: Ring) -> tuple[SessionId, str]:
    one = await ring.spawn()
    head = await ring.pull_request(one)
    await ring.checks(one, passed=True)
    return one, head


class TestSigningIn:
    async def test_a_person_is_told_who_they_are_once_they_have_typed_the_code(self, ring: Ring) -> None:
        told = await _link(ring)
        assert told.words[0].startswith(f"🔗 You are ada-gh on {HOST} now")
        again = await links.begin(ring.core, by=ex.ADA)
        assert (again.login, again.begun) == ("ada-gh", None)
        person = ring.core.settings.people.by_handle("ada")
        assert person is not None
        assert person.ids == {HOST: "ada-gh"}
        (row,) = [r for r in await ring.core.store.audit.newest(10) if r.verb == "link"]
        assert (row.by, row.text) == (ex.ADA, f"ada is ada-gh on {HOST}")

    async def test_it_is_asked_as_often_as_the_forge_allows(self, ring: Ring) -> None:
        told = Told()
        linking = await links.begin(ring.core, by=ex.ADA, tell=told)
        assert linking.begun is not None
        await _pass(ring, 0)
        await _pass(ring, 4.9)
        assert forge(ring).asked == []
        forge(ring).slow_down = 10.0
        for _ in range(30):
            await _pass(ring, 1.0)
        first, *others = forge(ring).asked
        gaps = [later - before for before, later in zip([first, *others], others, strict=False)]
        assert gaps, "it was asked once only"
        assert min(gaps) >= 10.0

    async def test_asked_twice_it_is_one_sign_in(self, ring: Ring) -> None:
        one = await links.begin(ring.core, by=ex.ADA)
        two = await links.begin(ring.core, by=ex.ADA)
        assert one.begun == two.begun
        other = await links.begin(ring.core, by=BO)
        assert other.begun != one.begun

    async def test_a_refusal_and_a_code_that_nobody_typed_are_told(self, ring: Ring) -> None:
        told = Told()
        linking = await links.begin(ring.core, by=ex.ADA, tell=told)
        assert linking.begun is not None
        forge(ring).refuse_code(linking.begun.code)
        await _ended(ring, told)
        assert "it was refused there" in told.words[0]
        late = Told()
        await links.begin(ring.core, by=BO, tell=late)
        for _ in range(200):
            await _pass(ring, 5.0)
        assert late.words == [
            f"⚠️ You are not linked to {HOST}: the code was not used in time. `link github` shows a new one."
        ]

    async def test_without_a_server_nothing_would_wait_for_it(self, ring: Ring) -> None:
        ring.core.serving.clear()
        with pytest.raises(NotReady, match="`ao start`"):
            await links.begin(ring.core, by=ex.ADA)

    async def test_one_login_is_one_person(self, ring: Ring) -> None:
        await _link(ring)
        told = await _link(ring, BO, "Ada-GH")
        assert "Ada-GH is ada here" in told.words[0]
        assert ring.core.store.links.hosts("bo") == ()
        assert list(forge(ring).good.values()) == ["ada-gh"]

    async def test_the_owner_can_be_linked_while_they_are_nobody_else(self, ring: Ring) -> None:
        told = await _link(ring, OWNER, "boss")
        assert "You are boss" in told.words[0]
        assert ring.core.store.links.hosts("owner") == (HOST,)


class TestUnlinking:
    async def test_it_is_forgotten_here_and_there(self, ring: Ring) -> None:
        await _link(ring)
        assert await links.end(ring.core, by=ex.ADA) == (HOST, "")
        assert forge(ring).good == {}
        assert ring.core.store.links.hosts("ada") == ()
        person = ring.core.settings.people.by_handle("ada")
        assert person is not None
        assert person.ids == {}
        with pytest.raises(NotFound, match="not linked"):
            await links.end(ring.core, by=ex.ADA)

    async def test_a_sign_in_that_was_begun_is_waited_for_no_longer(self, ring: Ring) -> None:
        told = Told()
        linking = await links.begin(ring.core, by=ex.ADA, tell=told)
        assert linking.begun is not None
        await links.end(ring.core, by=ex.ADA)
        forge(ring).type_code(linking.begun.code, "ada-gh")
        for _ in range(20):
            await _pass(ring, 5.0)
        assert told.words == []
        assert ring.core.store.links.hosts("ada") == ()

    async def test_who_is_in_the_configuration_no_more_leaves_nothing_to_act_with(self, ring: Ring) -> None:
        await _link(ring, BO, "bo-gh")
        await ring.core.store.people.drop("bo")
        await configuration.reload(ring.core)
        assert ring.core.store.links.hosts("bo") == ()
        assert forge(ring).good == {}

    async def test_who_is_taken_away_leaves_nothing_to_act_with(self, ring: Ring) -> None:
        await _link(ring, BO, "bo-gh")
        await people.remove(ring.core, people.meant("bo"), by=OWNER)
        assert ring.core.store.links.hosts("bo") == ()
        assert forge(ring).good == {}


class TestActing:
    async def test_an_approval_is_the_persons_own_review(self, ring: Ring) -> None:
        await _link(ring)
        one, head = await _ready(ring)
        session = await approve(ring.core, one, head=head, by=ex.ADA)
        assert forge(ring).carried_as == [("review", "ada-gh")]
        assert session.change is not None
        assert [a.carried for a in session.change.approvals] == ["as a review by ada-gh"]
        rows = [(r.verb, r.text) for r in await ring.core.store.audit.newest(3)]
        assert ("carried", "approved as a review by ada-gh") in rows
        assert "review.carried" in await ring.told(one)

    async def test_without_a_link_it_counts_here_and_says_so(self, ring: Ring) -> None:
        one, head = await _ready(ring)
        session = await approve(ring.core, one, head=head, by=ex.ADA)
        assert forge(ring).carried_as == [("review", "ao")]
        assert session.change is not None
        (given,) = session.change.approvals
        assert given.carried.startswith("here: it counts for our own rules only; carried as a comment")

    async def test_a_merge_is_done_with_the_rights_of_who_asked(self, ring: Ring) -> None:
        await _link(ring)
        forge(ring).may_merge = {"ada-gh"}
        one, head = await _ready(ring)
        await approve(ring.core, one, head=head, by=ex.ADA)
        await ring.settle()
        await merge(ring.core, one, head=head, by=ex.ADA)
        await ring.settle()
        assert forge(ring).carried_as[-1] == ("merge", "ada-gh")
        assert ring.scm.pull_of(one).state is PullRequestState.MERGED

    async def test_a_merge_that_the_forge_refuses_this_person_is_told_and_not_tried_again(
        self, ring: Ring
    ) -> None:
        await _link(ring)
        forge(ring).may_merge = {"somebody-else"}
        one, head = await _ready(ring)
        await approve(ring.core, one, head=head, by=ex.ADA)
        await ring.settle()
        await merge(ring.core, one, head=head, by=ex.ADA)
        await ring.later(600)
        assert ring.session(one).intents == ()
        assert (await ring.told(one)).count("merge.refused") == 1
        assert "as ada-gh: ada-gh may not merge into main" in str(await ring.core.store.log.newest(20))

    async def test_a_token_that_ends_soon_is_renewed_first_and_once(self, ring: Ring) -> None:
        await _link(ring)
        one, head = await _ready(ring)
        ring.clock.advance(TOKEN_LASTS - 60)
        world, session = ring.fleet.world, ring.session(one)
        found = await asyncio.gather(*(world.credential(session, "ada") for _ in range(3)))
        assert len({str(c.token) for c in found if c}) == 1
        assert ring.scm.calls.count("renew") == 1
        await approve(ring.core, one, head=head, by=ex.ADA)
        assert forge(ring).carried_as == [("review", "ada-gh")]

    async def test_what_was_taken_away_there_is_said_and_unlinks(self, ring: Ring) -> None:
        await _link(ring)
        one, head = await _ready(ring)
        forge(ring).take_away("ada-gh")
        ring.clock.advance(TOKEN_LASTS)
        with pytest.raises(NotAllowed, match=r"sign-in at forge\.example is not good any more"):
            await approve(ring.core, one, head=head, by=ex.ADA)
        change = ring.session(one).change
        assert change is not None
        assert [a.by for a in change.approvals] == [ex.ADA], "ours stays"
        assert ring.core.store.links.hosts("ada") == ()

    async def test_what_the_forge_does_not_take_any_more_unlinks_at_once(self, ring: Ring) -> None:
        await _link(ring)
        one, head = await _ready(ring)
        forge(ring).take_away("ada-gh")
        with pytest.raises(NotAllowed, match=r"sign-in at .* is not good any more"):
            await approve(ring.core, one, head=head, by=ex.ADA)
        assert ring.core.store.links.hosts("ada") == ()
        await _link(ring)
        await approve(ring.core, one, head=head, by=ex.ADA)
        await ring.settle()
        forge(ring).take_away("ada-gh")
        await merge(ring.core, one, head=head, by=ex.ADA)
        await ring.later(60)
        assert ring.session(one).intents == ()
        assert "is not good any more: the link was removed" in str(await ring.core.store.log.newest(20))
        assert ring.scm.pull_of(one).state is PullRequestState.OPEN

    async def test_the_button_says_where_it_counts(self, ring: Ring) -> None:
        one, _ = await _ready(ring)
        change = ring.session(one).change
        assert change is not None
        assert change.pr.approving is Approving.HERE
        await _link(ring, BO, "bo-gh")
        await ring.look(one)
        change = ring.session(one).change
        assert change is not None
        assert change.pr.approving is Approving.COUNTS

    async def test_who_opened_the_pull_request_is_nobody_who_could_approve_it(self, ring: Ring) -> None:
        await _link(ring)
        one, _ = await _ready(ring)
        ring.scm.set_pull(one, author="ada-gh")
        await ring.look(one)
        change = ring.session(one).change
        assert change is not None
        assert change.pr.approving is Approving.HERE

    async def test_one_token_alone_whose_project_asks_for_no_approval_has_no_such_button(
        self, ring: Ring
    ) -> None:
        ring.rules(approvals=0)
        one, _ = await _ready(ring)
        change = ring.session(one).change
        assert change is not None
        assert change.pr.approving is Approving.NOWHERE
        assert ring.status(one) == "mergeable"

    async def test_no_secret_is_in_what_is_kept_of_the_session_or_the_fleet(self, ring: Ring) -> None:
        await _link(ring)
        one, head = await _ready(ring)
        await approve(ring.core, one, head=head, by=ex.ADA)
        await ring.settle()
        secrets = [*forge(ring).good, "device-1", "renewal-"]
        for path in ring.core.home.path.rglob("*"):
            if path.is_file() and path.parent.parent != ring.core.home.links:
                content = path.read_bytes()
                assert not [s for s in secrets if s.encode() in content], path
