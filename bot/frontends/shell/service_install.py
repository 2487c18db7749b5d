"""`ao service install`: write a service file. It is never switched on from here."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from xml.sax.saxutils import escape

from bot.chat.message import Message
from bot.chat.request import Value
from bot.frontends.shell import gateway
from bot.frontends.shell.console import Console
from bot.frontends.shell.machine import Machine, Surroundings
from orchestrator import resources
from orchestrator.errors import BadInput
from orchestrator.settings.discovery import discover
from orchestrator.settings.project_edit import write_atomically
from orchestrator.storage import last_run
from orchestrator.storage.layout import Home

NAME = "agent-orchestrator"
_READABLE = 0o600


def run(machine: Machine, where: Surroundings, console: Console, arguments: Mapping[str, Value]) -> int:
    """Write the file for systemd (a user unit) or launchd, and say what to run next.

    Raises `NotFound` without a configuration: what cannot start is not written.
    """
    del machine
    config = _configuration(where)
    kind = str(arguments.get("kind") or ("launchd" if sys.platform == "darwin" else "systemd"))
    home = Path(where.env.get("HOME") or "~").expanduser()
    if kind == "systemd":
        usual = Path(where.env.get("XDG_CONFIG_HOME") or home / ".config") / "systemd" / "user"
        name, text = f"{NAME}.service", systemd_unit(where, config)
    else:
        usual, name, text = home / "Library" / "LaunchAgents", f"{NAME}.plist", launchd_plist(where, config)
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
    begin = (f"It starts ao with {config}.", "Nothing is switched on yet. Run:")
    lines = (*begin, *(f"  {step}" for step in steps))
    console.show(
        Message(
            title=f"Wrote {path}.",
            lines=lines,
            data={"file": str(path), "configuration": str(config), "commands": list(steps)},
        )
    )
    return 0


def systemd_unit(where: Surroundings, config: Path) -> str:
    """A user unit (systemd.service(5)); stopping it ends `ao start` alone, so agents go on."""
    variables = "\n".join(
        f"Environment={_systemd_quoted(f'{name}={value}')}" for name, value in _variables(where).items()
    )
    command = " ".join(_systemd_quoted(part, dollar=True) for part in _command(config))
    text = resources.text("service/agent-orchestrator.service")
    return text.replace("@ENVIRONMENT@", variables).replace("@COMMAND@", command)


def launchd_plist(where: Surroundings, config: Path) -> str:
    """A launch agent (launchd.plist(5)). Written for macOS, not tried there."""
    command = "\n".join(f"    <string>{escape(part)}</string>" for part in _command(config))
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


def _configuration(where: Surroundings) -> Path:
    """The file that is named or that the running server uses, else the one that counts here. Raises `NotFound`."""
    last = last_run.configuration(Home.default(where.env))
    named = where.config or where.env.get("AO_CONFIG_PATH")
    if last is not None and not named and gateway.client_for(where).running():
        return last
    cwd = Path(where.cwd)
    return discover(where.env, cwd, Path(where.config) if where.config else None, last).absolute()


def _command(config: Path) -> tuple[str, ...]:
    return (*program(), "--config", _printable("the configuration's path", str(config)), "start")


def _variables(where: Surroundings) -> dict[str, str]:
    """Where state is, and where programs are found. Never a token."""
    found = {"AO_HOME": str(Home.default(where.env).path), "PATH": where.env.get("PATH", "/usr/bin:/bin")}
    return {name: _printable(name, value) for name, value in found.items()}


def _printable(name: str, value: str) -> str:
    if any(ord(letter) < 32 for letter in value):
        msg = f"{name} holds a control character, which no service file can carry."
        raise BadInput(msg)
    return value


def _systemd_quoted(text: str, *, dollar: bool = False) -> str:
    """As systemd.syntax(7) reads it back; `%` is a specifier, and `$` a variable in commands only."""
    text = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{text.replace("$", "$$") if dollar else text}"'
