"""Service files: valid, with what was typed quoted, and agents outlive them."""

from __future__ import annotations

import plistlib
import shutil
import subprocess
from pathlib import Path

import pytest

from bot.frontends.shell import service_install
from bot.frontends.shell.console import Console
from bot.frontends.shell.machine import Surroundings
from orchestrator.errors import BadInput, NotFound
from tests.unit.bot.frontends.shell.machines import NoMachine

CONFIG = Path("/x/ao.yaml")
HOSTILE = 'a b"c\\d%n$HOME'


def where(tmp_path: Path, **env: str) -> Surroundings:
    found = {"HOME": str(tmp_path), "AO_HOME": str(tmp_path / "home"), "PATH": "/usr/bin:/bin", **env}
    return Surroundings(env=found, cwd=str(tmp_path))


def test_the_unit_leaves_agents_alone(tmp_path: Path) -> None:
    text = service_install.systemd_unit(where(tmp_path), CONFIG)
    assert "\nKillMode=process\n" in text
    assert "\nRestart=on-failure\n" in text
    assert "@" not in text


def test_what_was_typed_is_quoted(tmp_path: Path) -> None:
    text = service_install.systemd_unit(where(tmp_path, AO_HOME=f"/x/{HOSTILE}"), CONFIG)
    assert 'Environment="AO_HOME=/x/a b\\"c\\\\d%%n$HOME"' in text


def test_a_control_character_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="control"):
        service_install.systemd_unit(where(tmp_path, AO_HOME="/x\nExecStart=/bin/evil"), CONFIG)


def test_a_control_character_in_the_configurations_path_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="control"):
        service_install.systemd_unit(where(tmp_path), Path("/x\nExecStart=/bin/evil"))


def test_nothing_is_written_without_a_configuration(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no configuration"):
        service_install.run(NoMachine(), where(tmp_path), Console(), {"output": str(tmp_path)})
    assert not list(tmp_path.iterdir())


def test_no_token_gets_into_it(tmp_path: Path) -> None:
    assert "hunter2" not in service_install.systemd_unit(where(tmp_path, SOMETHING="hunter2"), CONFIG)


def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    verify = shutil.which("systemd-analyze")
    if verify is None:
        pytest.skip("systemd-analyze is not here")
    unit = tmp_path / "agent-orchestrator.service"
    unit.write_text(service_install.systemd_unit(where(tmp_path), Path(f"/x/{HOSTILE}")))
    done = subprocess.run(
        [verify, "--user", "--man=no", "--recursive-errors=no", "verify", str(unit)],
        capture_output=True,
        text=True,
        timeout=15,
        env={"HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path), "PATH": "/usr/bin:/bin"},
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_launch_agent_is_a_property_list(tmp_path: Path) -> None:
    data = plistlib.loads(service_install.launchd_plist(where(tmp_path, AO_HOME="/x/<&>"), CONFIG).encode())
    assert data["AbandonProcessGroup"] is True
    assert data["ProgramArguments"][-3:] == ["--config", "/x/ao.yaml", "start"]
    assert data["EnvironmentVariables"]["AO_HOME"] == "/x/<&>"
