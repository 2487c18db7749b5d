from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator import resources
from orchestrator.errors import NotFound


def test_a_data_file_is_found() -> None:
    assert resources.text("reactions.yaml").startswith("#")
    assert "auto-merge" in resources.text("examples/auto-merge.yaml")


@pytest.mark.parametrize(
    "name", ["", "gone.yaml", "../pyproject.toml", "/etc/passwd", "a\\b", "examples", "a\0b"]
)
def test_nothing_else_is_read(name: str) -> None:
    with pytest.raises(NotFound):
        resources.text(name)


def test_the_files_of_a_folder_by_name() -> None:
    names = resources.names("examples", ".yaml")
    assert names == tuple(sorted(names))
    assert "simple-local.yaml" in names
    assert resources.names("gone") == ()
    with pytest.raises(NotFound):
        resources.names("../tests")


def test_a_wheels_data_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "data/agents").mkdir(parents=True)
    (tmp_path / "data/reactions.yaml").write_text("# of the wheel\n")
    monkeypatch.setattr(resources, "_ROOTS", (tmp_path / "data", tmp_path / "config"))
    assert resources.text("reactions.yaml") == "# of the wheel\n"
