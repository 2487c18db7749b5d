"""A configuration that cannot be used: the start says where and what to do, a reload keeps the last good one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.faults.house import House

pytestmark = [pytest.mark.tmux, pytest.mark.timeout(90)]


def malformed(good: str) -> str:
    return good + "  lib: [unclosed\n"


def doubled(good: str) -> str:
    return good + "  demo:\n    path: elsewhere\n"


def doubled_below(good: str) -> str:
    return good + "    sessionPrefix: other\n"


def unknown_key(good: str) -> str:
    return good + "    sesionPrefix: other\n"


def missing_variable(good: str) -> str:
    return good + "    name: ${NOBODY_SET_THIS}\n"


WRONG = [
    (malformed, ("agent-orchestrator.yaml:",)),
    (doubled, ("projects.demo", "doubled", "agent-orchestrator.yaml:")),
    (doubled_below, ("sessionPrefix", "doubled", "agent-orchestrator.yaml:")),
    (unknown_key, ("sesionPrefix", "sessionPrefix", "agent-orchestrator.yaml:")),
    (missing_variable, ("NOBODY_SET_THIS", "agent-orchestrator.yaml:")),
]


@pytest.mark.slow
@pytest.mark.parametrize(("wrong", "says"), WRONG)
def test_the_start_is_refused(house: House, wrong, says: tuple[str, ...]) -> None:  # type: ignore[no-untyped-def]
    house.write_config(wrong(house.config.read_text()))
    said = house.refused(2, "start")
    for part in says:
        assert part in said
    assert house.ao("spawn", "demo", "1").returncode == 2
    assert says[0] in house.ao("status").stderr
    checked = house.ao("config", "check")
    assert checked.returncode == 1
    assert says[0] in checked.stdout


@pytest.mark.slow
def test_a_plugin_that_is_not_here_is_told_and_refuses_only_its_own_sessions(house: House) -> None:
    good = house.config.read_text()
    house.write_config(
        good.replace("runtime: tmux", "runtime: tmuxx")
        + f"  other:\n    path: {house.repository}\n    sessionPrefix: other\n    agent: rehearsal\n"
    )
    house.start()
    assert "not ready here" in house.said()
    assert "There is no runtime plugin 'tmuxx' here. Did you mean tmux?" in house.said()
    assert "no runtime plugin 'tmuxx'" in house.refused(3, "spawn", "demo", "1")
    assert house.sessions() == {}
    assert house.ao("spawn", "other", "1").returncode == 0


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = House(tmp_path_factory.mktemp("reload"))
    try:
        yield made.start()
    finally:
        made.close()


@pytest.mark.parametrize(("wrong", "says"), WRONG)
def test_a_reload_keeps_the_last_good_one(running: House, wrong, says: tuple[str, ...]) -> None:  # type: ignore[no-untyped-def]
    good = running.config.read_text()
    try:
        running.write_config(wrong(good))
        said = running.refused(2, "reload")
        assert says[0] in said
        listed = running.ao("project", "ls", "--json")
        assert '"demo"' in listed.stdout
        assert running.ao("spawn", "demo", "77").returncode == 3  # it is asked, and has no such issue
    finally:
        running.write_config(good)
    assert running.ao("reload").returncode == 0


@pytest.mark.slow
def test_untrusted_configuration_is_refused_with_what_to_do(house: House) -> None:
    house.configure(project="postCreate: [touch made-by-us]", trust=False)
    said = house.refused(6, "start")
    assert "touch made-by-us" in said
    assert "ao trust" in said
    house.configure(project="postCreate: [touch made-by-us]")
    house.start()
    assert house.stop() == 0


def test_untrusted_reload_keeps_the_last_good_one(running: House) -> None:
    good = running.config.read_text()
    try:
        running.configure(project="postCreate: [touch made-by-us]", trust=False)
        said = running.refused(6, "reload")
        assert "touch made-by-us" in said
        assert "ao trust" in said
        assert "postCreate" not in running.ao("config", "show").stdout
    finally:
        running.write_config(good)
    assert running.ao("reload").returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("import nothing_that_is_there\n", "ModuleNotFoundError"),
        ("def broken(:\n", "SyntaxError"),
        ("PLUGIN = 3\n", "PLUGIN"),
        ("raise SystemExit(0)\n", "SystemExit"),
    ],
)
def test_a_plugin_from_outside_that_does_not_load_stops_the_start(
    house: House, content: str, says: str
) -> None:
    plugin = house.config.parent / "mine.py"
    plugin.write_text(content)
    house.configure(top="plugins:\n  - name: mine\n    source: local\n    path: mine.py\n")
    refused = house.refused(6, "start")
    assert str(plugin) in refused  # the file itself is code, and is not trusted yet
    assert house.ao("trust", "--yes").returncode in {0, 2}
    said = house.refused(2, "start")
    assert "mine.py" in said
    assert says in said


def test_a_plugin_from_outside_that_is_not_there_stops_the_start(house: House) -> None:
    house.configure(top="plugins:\n  - name: mine\n")
    said = house.refused(3, "start")
    assert "'mine'" in said
    assert "Install it" in said


def test_no_configuration_at_all(house: House) -> None:
    house.config.unlink()
    done = house.ao("start")
    assert done.returncode in {2, 3}
    assert str(house.config) in done.stderr
