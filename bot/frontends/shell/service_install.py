"""`ao service install`: write a service file. It is never switched on from here."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from xml.sax.saxutils import escape

from bot.chat.message import Message
from bot.chat.request import Value
from bot.frontends.shell.console import Console
from bot.frontends.shell.machine import Machine, Surroundings
from orchestrator import resources
from orchestrator.errors import BadInput
from orchestrator.settings.project_edit import write_atomically
from orchestrator.storage.layout import Home

NAME = "agent-orchestrator"
_READABLE = 0o600


def run(machine: Machine, where: Surroundings, console: Console, arguments: Mapping[str, Value]) -> int:
    """Write the file for systemd (a user unit) or launchd, and say what to run next."""
    del machine
    kind = str(arguments.get("kind") or ("launchd" if sys.platform == "darwin" else "systemd"))
    home = Path(where.env.get("HOME") or "~").expanduser()
    if kind == "systemd":
        usual = Path(where.env.get("XDG_CONFIG_HOME") or home / ".config") / "systemd" / "user"
        name, text = f"{NAME}.service", systemd_unit(where)
    else:
        usual, name, text = home / "Library" / "LaunchAgents", f"{NAME}.plist", launchd_plist(where)
    path = Path(str(arguments.get("output") or usual)) / name
    write_atomically(path, text, _READABLE)
    steps: tuple[str, ...]
    if kind == "systemd":
        steps = (
            "systemctl --user daemon-reload",
            f"systemctl --user enable --now {NAME}",
            "loginctl enable-linger   # so that it runs while you are logged out",
        )
    else:
        steps = (f"launchctl bootstrap gui/$(id -u) {path}", f"launchctl print gui/$(id -u)/{NAME}")
    lines = ("Nothing is switched on yet. Run:", *(f"  {step}" for step in steps))
    console.show(
        Message(title=f"Wrote {path}.", lines=lines, data={"file": str(path), "commands": list(steps)})
    )
    return 0


def systemd_unit(where: Surroundings) -> str:
    """A user unit (systemd.service(5)); stopping it ends `ao start` alone, so agents go on."""
    variables = "\n".join(
        f"Environment={_systemd_quoted(f'{name}={value}')}" for name, value in _variables(where).items()
    )
    command = " ".join(_systemd_quoted(part, dollar=True) for part in (*program(), "start"))
    text = resources.text("service/agent-orchestrator.service")
    return text.replace("@ENVIRONMENT@", variables).replace("@COMMAND@", command)


def launchd_plist(where: Surroundings) -> str:
    """A launch agent (launchd.plist(5)). Written for macOS, not tried there."""
    command = "\n".join(f"    <string>{escape(part)}</string>" for part in (*program(), "start"))
    variables = "\n".join(
        f"    <key>{escape(name)}</key>\n    <string>{escape(value)}</string>"
        for name, value in _variables(where).items()
    )
    text = resources.text("service/agent-orchestrator.plist")
    log = escape(str(Home.default(where.env).path / "ao.log"))
    return text.replace("@COMMAND@", command).replace("@ENVIRONMENT@", variables).replace("@LOG@", log)


def program() -> tuple[str, ...]:
    """How this very `ao` is run, whatever the PATH of a service is."""
    script = Path(sys.executable).parent / "ao"
    return (str(script),) if script.is_file() else (sys.executable, "-P", "-m", "bot")


def _variables(where: Surroundings) -> dict[str, str]:
    """Where state and configuration are, and where programs are found. Never a token."""
    found = {"AO_HOME": str(Home.default(where.env).path), "PATH": where.env.get("PATH", "/usr/bin:/bin")}
    config = where.config or where.env.get("AO_CONFIG_PATH", "")
    if config:
        found["AO_CONFIG_PATH"] = str((Path(where.cwd) / config).absolute())
    for name, value in found.items():
        if any(ord(letter) < 32 for letter in value):
            msg = f"{name} holds a control character, which no service file can carry."
            raise BadInput(msg)
    return found


def _systemd_quoted(text: str, *, dollar: bool = False) -> str:
    """As systemd.syntax(7) reads it back; `%` is a specifier, and `$` a variable in commands only."""
    text = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{text.replace("$", "$$") if dollar else text}"'
