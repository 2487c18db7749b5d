"""What is kept can be read whoever writes it now, whether anybody watches, and with a broken configuration."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.actions import registry
from bot.actions.action import Access
from orchestrator.storage.lock import hold
from tests.integration.faults.house import House

pytestmark = [pytest.mark.tmux, pytest.mark.git, pytest.mark.timeout(180)]

VERBS: tuple[tuple[str, ...], ...] = (
    ("status",),
    ("status", "demo-1"),
    ("status", "--project", "demo", "--all"),
    ("events",),
    ("events", "demo-1"),
    ("rescue", "ls"),
    ("rescue", "ls", "demo"),
    ("rescue", "show", "demo-2"),
    ("output", "demo-1"),
    ("attach", "demo-1"),
    ("open", "demo-1"),
    ("plugin", "list"),
    ("rules",),
    ("people",),
    ("token", "ls"),
    ("held", "demo-1"),
)
"""What needs no configuration."""
OF_THE_FILE: tuple[tuple[str, ...], ...] = (
    ("project", "ls"),
    ("issues", "demo"),
    ("github", "webhook", "ls"),
    ("github", "doctor"),
)
"""What shows the configuration itself, or what it names."""

OF_THE_SERVER = {"console"}
"""What nobody but a running server can answer."""


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A home whose server was killed: one session lives, one has ended and left saved work."""
    house = House(tmp_path_factory.mktemp("left"), {1: [{"wait": True}], 2: [{"wait": True}]})
    try:
        house.start()
        house.spawn_waiting(1)
        two = house.spawn_waiting(2)
        (Path(str(house.session(two)["workspace"])) / "half.txt").write_text("half way\n")
        house.act("kill", session=two)
        house.until_ended(two)
        house.kill()
        yield house
    finally:
        house.close()


def kept(house: House) -> dict[str, bytes]:
    """Every file that only the one writer may change."""
    found = [p for p in house.home.path.rglob("*") if p.is_file() and ".git" not in str(p)]
    return {str(path): path.read_bytes() for path in found}


def test_every_reading_verb_is_tried() -> None:
    reads = {a.verb for a in registry.all_actions() if a.access is Access.READS} - OF_THE_SERVER
    assert {registry.find(words)[0].verb for words in (*VERBS, *OF_THE_FILE, ("doctor",))} == reads


def test_while_another_command_writes(left: House) -> None:
    before = kept(left)
    with hold(left.home, what="ao", now=0.0):
        answers = [left.ao(*words, "--json") for words in (*VERBS, *OF_THE_FILE, ("doctor",))]
    for done in answers:
        assert done.returncode == 0, (done.args, done.stderr)
        assert json.loads(done.stdout)
        assert done.stderr.startswith("Nothing is watching; last seen at 20")
        assert done.stderr.count("\n") == 1
        assert json.loads(done.stdout)["watched"] is False
    assert kept(left) == before | {str(left.home.lock): b""}


@pytest.mark.parametrize(
    "broken",
    [
        "projects: [unclosed\n",
        pytest.param("untrusted", marks=pytest.mark.slow),
        pytest.param("absent", marks=pytest.mark.slow),
    ],
)
def test_with_a_configuration_that_cannot_be_used(left: House, broken: str) -> None:
    good = left.config.read_text()
    try:
        if broken == "absent":
            left.config.unlink()
        elif broken == "untrusted":
            left.configure(project="postCreate: [touch evil]", trust=False)
        else:
            left.write_config(broken)
        answers = {words: left.ao(*words, "--json") for words in VERBS}
        refused = [left.ao(*words).returncode for words in OF_THE_FILE]
        doctor = left.ao("doctor", "--json")
    finally:
        left.write_config(good)
    for words, done in answers.items():
        assert done.returncode == 0, (words, done.stderr)
        said = done.stderr.splitlines()
        assert len(said) == 2, done.stderr
        assert said[0].startswith("The configuration cannot be used")
        assert str(left.config) in said[0]
    told = {words: json.loads(done.stdout) for words, done in answers.items()}
    assert [s["id"] for s in told["status",]["sessions"]] == ["demo-1"]
    assert {s["id"] for s in told["status", "--project", "demo", "--all"]["sessions"]} == {"demo-1", "demo-2"}
    assert [r["session"] for r in told["rescue", "ls"]["rescues"]] == ["demo-2"]
    assert told["events", "demo-1"]["events"]
    assert not any(plugin["used"] for plugin in told["plugin", "list"]["plugins"])
    assert set(refused) <= {2, 3, 6}
    assert doctor.returncode == 1


def test_windows_are_not_opened_by_a_program_that_nobody_trusted(left: House, tmp_path: Path) -> None:
    good = left.config.read_text()
    mark = tmp_path / "evil"
    try:
        launch = f"[sh, -c, 'touch {mark}', '{{command...}}']"
        terminal = f"defaults:\n  terminal: custom\n  terminalConfig:\n    launch: {launch}\n"
        left.configure(top=terminal, trust=False)
        done = left.ao("open", "demo-1")
    finally:
        left.write_config(good)
    assert done.returncode == 6
    assert "ao trust" in done.stderr
    assert not mark.exists()


def test_a_damaged_session_is_said_and_left_where_it_is(left: House) -> None:
    document = left.folder("demo-1").document
    good = document.read_bytes()
    try:
        document.write_text("{")
        done = left.ao("status")
        assert done.returncode == 0
        assert str(document) in done.stderr
        assert document.read_text() == "{"
    finally:
        document.write_bytes(good)


def test_a_home_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.home.path.rename(tmp_path / "gone")
    done = house.ao("status", "--json")
    assert json.loads(done.stdout) == {"sessions": [], "watched": False, "last_seen": None}
    assert house.ao("doctor").returncode == 0
    assert not house.home.path.exists()
