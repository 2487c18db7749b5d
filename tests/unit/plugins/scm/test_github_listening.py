"""What webhooks tell is looked at at once, and what nobody tells is still polled; calls are counted."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from orchestrator.domain.look import Seen
from orchestrator.errors import NotAllowed, NotFound
from orchestrator.ports.session_ref import SessionRef
from tests.contracts.github_bench import REPO, GitHubBench

pytestmark = pytest.mark.git
SECRET = "of the hook"  # noqa: S105 - signs examples


@pytest_asyncio.fixture
async def bench(tmp_path: Path) -> AsyncIterator[GitHubBench]:
    async with GitHubBench(tmp_path) as bench:
        yield bench


async def head(bench: GitHubBench, session: SessionRef) -> str:
    look = (await bench.scm.observe([session]))[session.id]
    assert isinstance(look, Seen)
    assert look.value is not None
    return look.value.head


def push(branch: str, sha: str, repo: str = REPO, number: int = 1) -> tuple[dict[str, str], bytes]:
    """A delivery that tells of a push."""
    body = json.dumps(
        {"ref": f"refs/heads/{branch}", "after": sha, "repository": {"full_name": repo, "id": number}}
    ).encode()
    signed = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    return {
        "x-github-event": "push",
        "x-github-delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
        "x-hub-signature-256": f"sha256={signed}",
    }, body


async def test_what_a_delivery_tells_is_seen_at_once_and_of_its_session_alone(bench: GitHubBench) -> None:
    session, first = await bench.opened(number=1)
    other, _ = await bench.opened(number=2)
    assert await head(bench, session) == first
    await bench.scm.observe([other])
    theirs = await bench.github.control.push(REPO, session.branch, {"x": "1"}, by="ben")
    assert await head(bench, session) == first  # nobody told, and it was looked at just now
    headers, body = push(session.branch, theirs)
    heard = bench.scm.hear(bench.project, headers, body, [SECRET])
    assert heard.sessions == (session.id,)
    bench.scm.take(heard)
    assert await head(bench, session) == theirs
    assert bench.scm.covered(bench.project)


async def test_a_renamed_repository_is_heard_after_a_restart_once_it_was_looked_at(
    bench: GitHubBench,
) -> None:
    session, first = await bench.opened()
    bench.github.control.rename(REPO, "acme/renamed")
    number = bench.github.world.repository("acme/renamed").id
    await bench.scm.aclose()
    bench.scm = bench.make()
    assert await head(bench, session) == first
    told = push(session.branch, first, "acme/renamed", number)
    assert bench.scm.hear(bench.project, *told, [SECRET]).sessions == (session.id,)
    foreign = push(session.branch, first, "acme/other", number + 1)
    with pytest.raises(NotFound):
        bench.scm.hear(bench.project, *foreign, [SECRET], named=True)


async def test_delivery_of_another_secret_tells_nothing(bench: GitHubBench) -> None:
    session, first = await bench.opened()
    headers, body = push(session.branch, "a" * 40)
    with pytest.raises(NotAllowed):
        bench.scm.hear(bench.project, headers, body, ["another"])
    assert not bench.scm.covered(bench.project)
    assert await head(bench, session) == first


async def test_a_token_that_is_dead_is_told_of_until_it_is_taken_again(bench: GitHubBench) -> None:
    session, first = await bench.opened()
    assert await head(bench, session) == first
    assert [state.refused for state in bench.scm.accounts()] == [""]
    bench.github.control.revoke(bench.token)
    for _ in range(2):
        bench.heard()
        await bench.scm.observe([session])
    (state,) = bench.scm.accounts()
    assert state.name.startswith("AO_TOKEN at ")
    assert state.repository == REPO
    assert state.refused.endswith("does not take our token (AO_TOKEN): Bad credentials; `ao github doctor`")
    assert bench.token not in repr(state)
    bench.github.access.tokens[bench.token].revoked = False
    bench.heard()
    assert await head(bench, session) == first
    assert [state.refused for state in bench.scm.accounts()] == [""]


async def test_calls_are_counted_by_what_github_limits(bench: GitHubBench) -> None:
    await bench.opened()
    meters = {meter.name.rpartition(" ")[2]: meter for meter in bench.scm.meters()}
    assert meters.keys() == {"graphql", "rest"}
    assert all(meter.calls > 0 for meter in meters.values())
