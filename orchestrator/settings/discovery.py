"""Which configuration file counts, and where `$AO_HOME` is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from orchestrator.errors import NotFound
from orchestrator.settings.shapes import REGISTRY_NAME, local_file

_IN_SESSION = ("AO_SESSION_ID", "AO_SESSION")


def user_home(env: Mapping[str, str]) -> Path:
    """The home folder of whoever runs this."""
    return Path(env["HOME"]) if env.get("HOME") else Path.home()


def ao_home(env: Mapping[str, str]) -> Path:
    """`$AO_HOME`, or `~/.agent-orchestrator`."""
    written = env.get("AO_HOME")
    if not written:
        return user_home(env) / ".agent-orchestrator"
    if written == "~" or written.startswith("~/"):
        return user_home(env) / written[2:]
    return Path(written).absolute()


def discover(
    env: Mapping[str, str], cwd: Path, explicit: Path | None = None, last: Path | None = None
) -> Path:
    """The configuration file that counts, or `NotFound` with what to do.

    Order: `explicit` (`--config`), `$AO_CONFIG_PATH`, upward from `cwd`, the one that the home `last` ran
    with, `$AO_HOME/config.yaml`. From within a session nothing is looked for upward: what an agent writes
    must not steer `ao`.
    """
    if explicit is not None:
        return _existing(cwd / explicit, "--config")
    if env.get("AO_CONFIG_PATH"):
        return _existing(cwd / env["AO_CONFIG_PATH"], "AO_CONFIG_PATH")
    home = ao_home(env)
    near = None if within_session(env, cwd, home) else _upward(cwd)
    for found in (near, last, home / REGISTRY_NAME):
        if found is not None and found.is_file():
            return found
    if last is not None:
        msg = f"There is no configuration here, and {last}, which this home last ran with, is gone."
        raise NotFound(msg, next_step="Name the file that counts: `ao --config FILE ...`.")
    msg = "There is no configuration here."
    raise NotFound(msg, next_step="Run `ao init` in your repository to make one.")


def _upward(cwd: Path) -> Path | None:
    return next((found for folder in (cwd, *cwd.parents) if (found := local_file(folder))), None)


def within_session(env: Mapping[str, str], cwd: Path, home: Path) -> bool:
    """Whether this runs for a session: its environment, or a folder below `$AO_HOME/projects`."""
    if any(env.get(name) for name in _IN_SESSION):
        return True
    projects = (home / "projects").resolve()
    return cwd.resolve().is_relative_to(projects)


def _existing(path: Path, source: str) -> Path:
    if not path.is_file():
        msg = f"{source} names {path}, and there is no such file."
        raise NotFound(msg)
    return path
