"""Handing a pull request over to another session: what is in it stays in it, and nobody works twice on it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.demo.evidence import Repository
from bot.demo.sandbox_files import Step
from tests.integration.faults.house import PROJECT, WAITS, House

pytestmark = [pytest.mark.tmux, pytest.mark.git, pytest.mark.timeout(120)]

_OPENS: list[Step] = [{"write": "a.txt", "text": "a"}, {"commit": "Add a"}, {"pr": "Add a"}, *WAITS]
_ADDS: list[Step] = [{"write": "b.txt", "text": "b"}, {"commit": "Add b"}, *WAITS]
_DEMO_1 = "demo-1"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Sessions have repositories of their own, so that a branch goes away with its session."""
    made = House(tmp_path, {1: _OPENS}, project="workspace: clone")
    try:
        yield made.start()
    finally:
        made.close()


def opened(house: House) -> str:
    """A session opened pull request 1 and was killed. Returns the head."""
    house.spawn(1)
    house.until("the pull request is open", lambda: house.session(_DEMO_1)["pull_request"])
    house.until_status(_DEMO_1, "review_pending", "pr_open", "mergeable", "approved")
    head = str(house.session(_DEMO_1)["pull_request"]["head"])
    house.act("kill", session=_DEMO_1)
    house.until_ended(_DEMO_1)
    return head


def forget_the_ended(house: House) -> None:
    """As on another machine: the forge has the pull request, and no session of it is known here."""
    house.stop()
    shutil.rmtree(house.home.project(PROJECT).ended / _DEMO_1)
    house.start()


def test_a_claimed_pull_request_keeps_what_is_in_it(house: House) -> None:
    head = opened(house)
    forget_the_ended(house)
    claimed = house.act("claim", project=PROJECT, number=1)["data"]["id"]
    house.until(f"{claimed} has it", lambda: house.session(claimed)["pull_request"])
    house.until_status(claimed, "review_pending", "pr_open", "mergeable", "approved")
    workspace = Repository(Path(str(house.session(claimed)["workspace"])))
    assert workspace.commit("HEAD") == head
    assert house.session(claimed)["pull_request"]["head"] == head

    steps = json.dumps(_ADDS)
    house.act("send", session=claimed, text=f"Go on.\n```rehearsal\n{steps}\n```\n")
    house.until("the pull request has moved", lambda: house.session(claimed)["pull_request"]["head"] != head)
    forge = Repository(house.home.project(PROJECT).path / "forge.git")
    branch = str(house.session(claimed)["branch"])
    assert set(forge.ask("ls-tree", "--name-only", branch).split()) >= {"a.txt", "b.txt"}
    assert forge.commit(f"{branch}^") == head
    assert house.events("push.refused") == []


def test_a_claim_on_what_an_ended_session_left_names_the_way_back(house: House) -> None:
    opened(house)
    said = house.refused(4, "claim", PROJECT, "1")
    assert f"ao restore {_DEMO_1}" in said
    assert house.sessions() == {}
    assert house.terminals.names() == set()
