"""What the entry of a new project says, so that it can be spawned on as it stands."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.errors import NotFound
from orchestrator.services.new_project import Wishes, propose
from orchestrator.services.repository import Found
from orchestrator.testing.ring import Ring

FOUND = Found(root=Path("/src/my-app"), branch="trunk", repo="owner/name", tests="make test")


async def test_a_repository_is_entered_with_what_was_found_out(ring: Ring) -> None:
    """The agent that is the built-in default is not there: one that can be started stands in."""
    made = propose(FOUND, Wishes(), ring.core.registry, path=".")
    assert (made.entry.id, made.entry.path, made.entry.default_branch) == ("my-app", ".", "trunk")
    assert (made.entry.agent, list(made.entry.checks), made.entry.repo) == ("fake", ["make test"], "")
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
