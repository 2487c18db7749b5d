"""What `ao github doctor` finds, asked of a GitHub over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from bot.demo.github.model_rules import Protection, Ruleset
from bot.demo.github.server import FakeGitHub
from orchestrator.domain.ids import ProjectId
from orchestrator.domain.project import Project
from orchestrator.errors import NotFound
from orchestrator.ports.plugin import PluginContext
from orchestrator.ports.scm import Examined, Wanted
from plugins._shared.github.access import Access, AccessOptions
from plugins._shared.github.doctor import examine

pytestmark = pytest.mark.git

REPO = "ana/app"
WANTED = Wanted(approvals=1, merge_method="squash", issues=True)
NOW = 1_800_000_000.0


def _no_data(name: str) -> str:
    raise NotFound(name)


@dataclass
class Bench:
    github: FakeGitHub
    home: Path
    down: list[Mapping[str, float]] = field(default_factory=list)
    """After each look: what the budget takes for an outage."""

    async def look(
        self,
        token: str,
        wanted: Wanted = WANTED,
        *,
        repo: str = REPO,
        branch: str = "main",
        reviewer: str = "",
    ) -> list[Examined]:
        project = Project(
            id=ProjectId("app"),
            name="app",
            path=self.home,
            default_branch=branch,
            prefix="app",
            folder=self.home,
            repo=repo,
        )
        context = PluginContext(home=self.home, data=_no_data, environment={"BOT": token, "TWO": reviewer})

        def access(name: str) -> Access:
            given = {"apiUrl": self.github.api_url, "tokenEnv": name}
            return Access(AccessOptions.model_validate(given), context)

        ours, second = access("BOT"), access("TWO")
        try:
            reviews = second.ours(repo) if reviewer else None
            hub = ours.ours(repo)
            found = list(await examine(hub, project, wanted, now=NOW, second=reviews))
            self.down.append(dict(hub.budget.down))
            return found
        finally:
            await ours.aclose()
            await second.aclose()


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    async with FakeGitHub(tmp_path / "github", now=lambda: NOW) as github:
        github.control.user("ana")
        await github.control.repository(REPO)
        yield Bench(github, tmp_path)
        assert github.control.unknown == []


def about(found: list[Examined], subject: str) -> list[tuple[str, str]]:
    return [(one.level, one.text) for one in found if one.subject == subject]


def bad(found: list[Examined]) -> list[str]:
    return [one.text for one in found if one.level != "ok"]


async def test_a_token_that_fits_has_nothing_to_complain_of(bench: Bench) -> None:
    token = bench.github.control.token("ana", scopes=("public_repo",))
    found = await bench.look(token)
    assert bad(found) == []
    assert about(found, "sign-in") == [
        ("ok", f"as ana on 127.0.0.1:{bench.github.port}, with the classic token of BOT")
    ]
    assert about(found, "repository") == [("ok", "ana/app (public)")]
    assert about(found, "permissions") == [("ok", "all that is needed, and nothing more")]
    assert len(about(found, "quota")) == 2


async def test_scopes_that_lack_and_scopes_that_nothing_needs_are_named(bench: Bench) -> None:
    token = bench.github.control.token("ana", scopes=("workflow", "delete_repo", "admin:org", "read:org"))
    found = await bench.look(token)
    assert about(found, "permissions") == [
        ("failure", "missing: public_repo (to everything but reading what is public)"),
        ("warning", "needless: admin:org (may administer org)"),
        ("warning", "needless: delete_repo (may delete repositories)"),
        (
            "warning",
            "needless: workflow (may change workflows, which run with the repository's secrets: needed only where agents are meant to change workflow files)",
        ),
    ]


NEEDED: Mapping[str, str] = {
    "metadata": "read",
    "contents": "write",
    "pull_requests": "write",
    "issues": "write",
    "checks": "read",
    "statuses": "write",
    "actions": "write",
}


async def test_of_a_fine_grained_token_calls_tell_what_lacks_and_nothing_is_changed(bench: Bench) -> None:
    control = bench.github.control
    whole = await bench.look(control.token("ana", permissions=NEEDED))
    assert bad(whole) == []
    less = {**NEEDED, "contents": "read", "issues": "read", "statuses": "read"}
    found = await bench.look(control.token("ana", permissions=less))
    assert bad(found) == [
        "missing: contents: write (to push branches and merge)",
        "missing: statuses: write (to set ao/approval)",
        "missing: issues: write (to label and comment on issues)",
    ]
    without = await bench.look(control.token("ana", permissions=less), replace(WANTED, issues=False))
    assert len(bad(without)) == 2
    repo = bench.github.world.repository(REPO)
    assert (list(repo.issues), list(repo.branch_heads)) == ([], ["main"])


async def test_a_fine_grained_token_that_reaches_secrets_is_told_so(bench: Bench) -> None:
    token = bench.github.control.token("ana", permissions={**NEEDED, "secrets": "read"})
    assert bad(await bench.look(token)) == ["needless: secrets (may reach the names of secrets)"]


@pytest.mark.parametrize("kind", ["501", "502", "refuse"])
async def test_what_doctor_can_do_without_stops_no_other_work(bench: Bench, kind: str) -> None:
    control = bench.github.control
    for part in ("/actions/secrets", "/hooks", "/git/refs"):
        control.fault(kind, part)
    found = await bench.look(control.token("ana", permissions=NEEDED))
    assert bad(found) == []
    assert len(about(found, "quota")) == 2
    assert len(bench.github.faults.met) == 3
    assert bench.down == [{}], "and no outage is made of it"


async def test_a_token_that_has_ended_says_so(bench: Bench) -> None:
    token = bench.github.control.token("ana", scopes=("repo",), expires_in=-1.0)
    (only,) = await bench.look(token)
    assert (only.level, only.subject) == ("failure", "sign-in")
    assert "Bad credentials" in only.text
    assert "Renew the token" in only.next_step


async def test_a_repository_that_was_renamed_or_is_not_to_be_seen(bench: Bench) -> None:
    control = bench.github.control
    token = control.token("ana", scopes=("repo",))
    control.rename(REPO, "ana/renamed")
    found = await bench.look(token)
    assert ("warning", "ana/app is ana/renamed now") in about(found, "repository")
    control.user("bo")
    await control.repository("bo/secret", private=True)
    hidden = await bench.look(token, repo="bo/secret")
    assert about(hidden, "repository") == [("failure", "bo/secret is not there, or we may not see it")]


async def test_who_may_only_read_is_told(bench: Bench) -> None:
    bench.github.control.user("bo")
    found = await bench.look(bench.github.control.token("bo", scopes=("public_repo",)))
    assert "who signed in may only read ana/app: nothing can be pushed" in bad(found)


@pytest.mark.parametrize("by_ruleset", [False, True])
async def test_a_required_review_makes_one_token_useless_until_somebody_is_linked(
    bench: Bench, *, by_ruleset: bool
) -> None:
    control = bench.github.control
    rules = Protection(approvals=1, code_owners=True, checks=["unit"])
    if by_ruleset:
        control.ruleset(REPO, Ruleset(id=1, name="main", branches=["main"], rules=rules))
    else:
        control.protect(REPO, "main", rules)
    token = control.token("ana", scopes=("repo",))
    found = await bench.look(token)
    asked = "main requires an approving review by code owners"
    assert about(found, "reviews") == [
        ("warning", f"{asked}, and ours do not count: we open the pull requests")
    ]
    assert about(found, "checks") == [("ok", "main requires unit")]
    linked = await bench.look(token, replace(WANTED, linked=frozenset({"bo"})))
    assert about(linked, "reviews") == [("ok", f"{asked}; linked people review as themselves")]
    alone = await bench.look(token, replace(WANTED, linked=frozenset({"ana"})))
    assert about(alone, "reviews") == about(found, "reviews"), "who opens them approves none"
    control.user("bo")
    bench.github.world.repository(REPO).collaborators["bo"] = "write"
    writer = await bench.look(control.token("bo", scopes=("repo",)))
    assert about(writer, "reviews") == about(found, "reviews"), "no admin is needed to see it"
    second = await bench.look(token, reviewer=control.token("bo", scopes=("repo",)))
    assert about(second, "reviewer") == [("ok", "bo reviews for people who are not linked")]
    assert about(second, "reviews") == [("ok", f"{asked}; our second identity reviews")]


async def test_a_second_account_whose_reviews_would_not_count_is_said(bench: Bench) -> None:
    control = bench.github.control
    token = control.token("ana", scopes=("repo",))
    for login, words in (("ana", "is who opens the pull requests"), ("cy", "may not write there")):
        control.user(login)
        found = await bench.look(token, reviewer=control.token(login, scopes=("repo",)))
        ((level, text),) = about(found, "reviewer")
        assert level != "ok"
        assert f"{login} {words}" in text


async def test_a_solo_developer_hears_why_there_is_no_approve(bench: Bench) -> None:
    token = bench.github.control.token("ana", scopes=("repo",))
    found = await bench.look(token, replace(WANTED, approvals=0))
    ((level, text),) = about(found, "reviews")
    assert level == "ok"
    assert "Merge is offered, and no Approve" in text


async def test_our_own_approval_can_be_required(bench: Bench) -> None:
    control = bench.github.control
    token = control.token("ana", scopes=("repo",))
    assert "`ao/approval` is not required" in str(about(await bench.look(token), "reviews"))
    control.protect(REPO, "main", Protection(checks=["ao/approval"]))
    found = await bench.look(token)
    assert about(found, "checks") == [("ok", "main requires ao/approval")]
    assert "not required" not in str(about(found, "reviews"))


async def test_a_merge_method_that_is_not_allowed_and_a_branch_that_is_not_there(bench: Bench) -> None:
    token = bench.github.control.token("ana", scopes=("repo",))
    merging = bench.github.world.repository(REPO).merging
    merging.squash = merging.rebase = False
    found = await bench.look(token, branch="gone")
    assert about(found, "merge method") == [("warning", "squash is not allowed there; merge is")]
    assert ("failure", "gone is not on GitHub") in about(found, "branch")


async def test_a_github_that_is_away_is_one_row(bench: Bench) -> None:
    token = bench.github.control.token("ana", scopes=("repo",))
    await bench.github.stop()
    (only,) = await bench.look(token)
    assert (only.level, only.subject) == ("failure", "sign-in")
    assert "cannot be reached" in only.text
