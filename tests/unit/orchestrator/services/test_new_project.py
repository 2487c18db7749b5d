"""What the entry of a new project says, so that it can be spawned on as it stands."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from orchestrator.errors import NotFound
from orchestrator.ports.plugin import Plugin
from orchestrator.ports.scm import SCM
from orchestrator.ports.tracker import TRACKER
from orchestrator.registry import Registry
from orchestrator.services.new_project import Proposal, Wishes, propose
from orchestrator.services.repository import Found
from orchestrator.testing.ring import Ring

FOUND = Found(root=Path("/src/my-app"), branch="trunk", repo="owner/name", tests="make test")


async def test_a_repository_is_entered_with_what_was_found_out(ring: Ring) -> None:
    """The agent that is the built-in default is not there: one that can be started stands in."""
    made = propose(FOUND, Wishes(), ring.core.registry, path=".")
    assert (made.entry.id, made.entry.path, made.entry.default_branch) == ("my-app", ".", "trunk")
    assert (made.entry.agent, list(made.entry.checks), made.entry.repo) == ("fake", ["make test"], "")
    assert made.entry.local, "whatever the remote is"
    assert "owner/name: its forge is not built in yet" in made.notes[0]
    assert any("Agent fake stands in" in note for note in made.notes)


async def test_what_a_person_says_counts(ring: Ring) -> None:
    wishes = Wishes(name="app", agent="fake", tests="tox", repo="me/app", prefix="a")
    made = propose(FOUND, wishes, ring.core.registry, path="/src/my-app")
    entry = made.entry
    assert (entry.id, entry.agent, list(entry.checks)) == ("app", "fake", ["tox"])
    assert (entry.repo, entry.session_prefix) == ("me/app", "a")
    assert made.notes == ()
    with pytest.raises(NotFound, match="nobody"):
        propose(FOUND, replace(wishes, agent="nobody"), ring.core.registry, path=".")


async def test_an_agent_that_the_file_has_for_all_projects_is_not_written_again(ring: Ring) -> None:
    made = propose(replace(FOUND, repo=""), Wishes(), ring.core.registry, path=".", default_agent="fake")
    assert (made.entry.agent, made.notes) == ("", ())


def _with_github(ring: Ring, why: str = "") -> Registry:
    tracker = Plugin(slot=TRACKER, name="github", summary="", create=lambda _o, _c: ring.tracker)
    ring.core.registry.add(tracker, "the test")
    ring.core.registry.add(
        Plugin(
            slot=SCM,
            name="github",
            summary="",
            create=lambda _options, _context: ring.scm,
            ready=lambda _options, _context: why,
        ),
        "the test",
    )
    return ring.core.registry


def _entry(made: Proposal) -> dict[str, Any]:
    return dict(yaml.safe_load("\n".join(made.entry.lines("", "  ")))["my-app"])


async def test_a_checkout_of_github_is_entered_with_its_repository(ring: Ring) -> None:
    made = propose(FOUND, Wishes(), _with_github(ring), path=".")
    assert _entry(made) == {"path": ".", "repo": "owner/name", "defaultBranch": "trunk", "agent": "fake"}
    assert "those of owner/name" in made.notes[0]


async def test_where_nobody_can_sign_in_it_stays_on_this_machine_and_says_why(ring: Ring) -> None:
    made = propose(FOUND, Wishes(), _with_github(ring, "there is no token."), path=".")
    entry = _entry(made)
    assert entry["tracker"] == {"plugin": "local"}
    assert entry["scm"] == {"plugin": "local", "checks": ["make test"]}
    assert "repo" not in entry
    assert made.notes[0] == "owner/name: there is no token."


async def test_another_host_is_named_with_how_an_enterprise_github_is_used(ring: Ring) -> None:
    found = replace(FOUND, repo="", elsewhere="git.example.com")
    made = propose(found, Wishes(), _with_github(ring), path=".")
    assert made.notes[0].startswith("git.example.com: ")
    assert all(word in made.notes[0] for word in ("`apiUrl`", "`tokenEnv`", "docs/github.md"))
    assert not made.entry.local, "nothing would take it elsewhere"
