"""What is in the wheel: the three packages and the data, and nothing else."""

from __future__ import annotations

import email
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.architecture import tree

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120), pytest.mark.xdist_group("wheel")]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)],
        cwd=tree.ROOT,
        check=True,
        capture_output=True,
        timeout=100,
    )
    (built,) = folder.glob("*.whl")
    return zipfile.ZipFile(built)


def test_it_holds_the_three_packages_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    tops = {name.split("/")[0] for name in wheel.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == set(tree.PACKAGES)


def test_every_module_is_in_it(wheel: zipfile.ZipFile) -> None:
    modules = {tree.name(path) for path in tree.python_files(*tree.PACKAGES)}
    assert modules - set(wheel.namelist()) == set()


def test_what_the_fake_slack_shows_in_the_browser_is_in_it(wheel: zipfile.ZipFile) -> None:
    assert {"bot/demo/slack.js", "bot/demo/slack.css"} - set(wheel.namelist()) == set()


def test_every_data_file_is_in_it(wheel: zipfile.ZipFile) -> None:
    data = {path.relative_to(tree.ROOT / "config") for path in _data_files()}
    assert data
    assert {f"orchestrator/data/{name}" for name in data} - set(wheel.namelist()) == set()


def test_the_console_is_in_it_whole(wheel: zipfile.ZipFile) -> None:
    web = tree.ROOT / "bot" / "frontends" / "web"
    own = {
        str(path.relative_to(tree.ROOT))
        for folder in ("static", "templates")
        for path in (web / folder).iterdir()
    }
    fetched = {f"bot/frontends/web/vendor/{name}" for name in ("htmx.js", "hx-sse.js", "htmx.LICENSE")}
    assert (own | fetched) - set(wheel.namelist()) == set()


def test_no_index_accepts_it(wheel: zipfile.ZipFile) -> None:
    (name,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    metadata = email.message_from_bytes(wheel.read(name))
    assert "Private :: Do Not Upload" in metadata.get_all("Classifier", [])


def test_it_brings_the_commands(wheel: zipfile.ZipFile) -> None:
    (name,) = (name for name in wheel.namelist() if name.endswith("entry_points.txt"))
    text = wheel.read(name).decode()
    assert "ao = bot.cli" in text
    assert "ao-rehearsal = bot.demo.rehearsal:main" in text


def _data_files() -> list[Path]:
    return [path for path in (tree.ROOT / "config").rglob("*") if path.is_file()]
