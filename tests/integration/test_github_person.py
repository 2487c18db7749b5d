"""A person signs in to a GitHub over HTTP; what they decide is done there as them, with their rights alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from bot.demo.github.model_rules import Protection
from orchestrator.domain.pull_request import ReviewDecision
from orchestrator.errors import AoError, NotAllowed
from orchestrator.lifecycle.as_person import Links
from orchestrator.ports.scm import Credential, Merged
from orchestrator.storage.kept_links import KeptLinks
from orchestrator.testing.contracts.scm import ANA
from plugins.scm.github import GitHubScm
from tests.contracts.github_bench import REPO, US, GitHubBench

pytestmark = pytest.mark.git
PERMISSIONS = {"metadata": "read", "contents": "write", "pull_requests": "write", "statuses": "write"}
HOURS = 3600.0


@dataclass
class Linked:
    bench: GitHubBench
    scm: GitHubScm
    kept: KeptLinks
    links: Links

    @property
    def host(self) -> str:
        return self.scm.host(self.bench.project)

    async def sign_in(self, login: str) -> None:
        begun = await self.scm.begin_sign_in(self.bench.project)
        self.bench.github.control.authorize(begun.code, login)
        found = await self.scm.finish_sign_in(self.bench.project, begun)
        assert found is not None
        await self.kept.put("ana", self.host, found)

    async def credential(self) -> Credential | None:
        now = self.bench.github.world.now
        return await self.links.credential(self.scm, self.bench.project, "ana", now)


@pytest_asyncio.fixture
async def linked(tmp_path: Path) -> AsyncIterator[Linked]:
    async with GitHubBench(tmp_path / "bench") as bench:
        app = bench.github.control.app("link", "acme", PERMISSIONS)
        web = bench.github.api_url.removesuffix("/api/v3")
        bench.people = {}
        scm = bench.scm = bench.make(oauthClientId=app.client_id, oauthUrl=web)
        kept = KeptLinks(tmp_path / "links")
        await kept.open()
        yield Linked(bench, scm, kept, Links(kept))
        await kept.close()
        assert bench.github.control.unknown in ([], ["POST /credentials/revoke"])


async def test_an_approval_and_a_merge_are_the_persons_own(linked: Linked) -> None:
    bench = linked.bench
    bench.github.control.protect(REPO, "main", Protection(approvals=1))
    session, head = await bench.opened()
    await bench.settled()
    with pytest.raises(AoError, match=r"(?i)review"):
        await linked.scm.merge(session, head, "squash")
    await linked.sign_in("ana")
    as_ = await linked.credential()
    carried = await linked.scm.review(session, head, ReviewDecision.APPROVED, ANA, as_=as_)
    assert (carried.counts, carried.words) == (True, "as a review by ana")
    merged = await linked.scm.merge(session, head, "squash", as_=as_)
    assert isinstance(merged, Merged)
    pull = bench.pulls()[0]
    assert [(review.author.login, review.commit) for review in pull.reviews] == [("ana", head)]
    assert pull.merged_by is not None
    assert pull.merged_by.login == "ana"
    assert pull.issue.author.login == US


async def test_who_may_not_write_there_merges_nothing_with_our_rights(linked: Linked) -> None:
    bench = linked.bench
    session, head = await bench.opened()
    await bench.settled()
    bench.github.control.user("cy")
    await linked.sign_in("cy")
    with pytest.raises(AoError):
        await linked.scm.merge(session, head, "squash", as_=await linked.credential())
    assert bench.pulls()[0].is_open


async def test_eight_hours_later_it_is_renewed_and_once_taken_away_it_is_over(linked: Linked) -> None:
    await linked.sign_in("ana")
    first = await linked.credential()
    assert first is not None
    linked.bench.github.control.advance(8 * HOURS)
    second = await linked.credential()
    assert second is not None
    assert second.token != first.token
    assert await linked.kept.get("ana", linked.host) == second
    linked.bench.github.control.advance(200 * 24 * HOURS)
    with pytest.raises(NotAllowed, match="is not good any more"):
        await linked.credential()
    assert await linked.credential() is None
