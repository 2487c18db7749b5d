from __future__ import annotations

import os
from pathlib import Path

from orchestrator.storage import last_run
from orchestrator.storage.layout import Home


def test_the_file_is_remembered_whatever_its_name(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    assert last_run.configuration(home) is None
    home.prepare()
    for name in ("a.yaml", "ä b\nc.yaml"):
        last_run.remember(home, tmp_path / name)
        assert last_run.configuration(home) == tmp_path / name
    last_run.remember(home, tmp_path / "a.yaml")
    assert last_run.configurations(home) == [tmp_path / "a.yaml", tmp_path / "ä b\nc.yaml"]
    for number in range(last_run.MOST + 3):
        last_run.remember(home, tmp_path / f"{number}.yaml")
    assert len(last_run.configurations(home)) == last_run.MOST


def test_a_file_that_says_nothing_of_use_is_none(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.last_configuration.write_text("../relative.yaml\n")
    assert last_run.configuration(home) is None


def test_the_newest_that_was_kept(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    assert last_run.last_seen(home) is None
    home.prepare()
    for path, at in ((home.lock, 100.0), (home.events / "1.jsonl", 200.0), (home.events / "0.jsonl", 50.0)):
        path.touch()
        os.utime(path, (at, at))
    assert last_run.last_seen(home) == 200.0
