"""What every runtime on this host does the same way: checks before a launch, and text made fit to be typed."""

from __future__ import annotations

import os
import re
import shlex
import shutil
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from orchestrator.errors import BadInput, PermanentError
from orchestrator.ports.place import Place
from orchestrator.ports.runtime import Launch
from orchestrator.ports.session_ref import SessionRef
from plugins._shared import given_environment
from plugins._shared.threads import files_of

SCRIPT = "launch.sh"
"""In the session's folder: what a terminal starts. A command line of tmux is bounded, a file is not."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# A program takes the end-of-paste sequence, or any other escape, for a key of the person who types.
_UNTYPABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def environment_of(session: SessionRef, launch: Launch) -> dict[str, str]:
    """The whole environment of an agent. Raises `BadInput` for what is no variable."""
    whole = {**session.environment, **launch.environment}
    for name, value in whole.items():
        if not _NAME.fullmatch(name) or "\0" in value:
            msg = f"{name!r} is no environment variable that can be set."
            raise BadInput(msg, session=session.id)
    return whole


def check(launch: Launch, environment: Mapping[str, str]) -> None:
    """Raise `PermanentError` when the program or its folder is not there. Blocks."""
    folder = Path(launch.cwd)
    if not launch.argv or any("\0" in word for word in launch.argv):
        msg = "there is no program to start."
        raise PermanentError(msg)
    if not folder.is_dir():
        msg = f"the folder {folder} to start in is not there."
        raise PermanentError(msg)
    program = launch.argv[0]
    at = str(folder / program) if "/" in program else program
    if "=" in program or shutil.which(at, path=environment.get("PATH", os.defpath)) is None:
        msg = f"there is no program {program!r} on the session's PATH."
        raise PermanentError(msg, next_step="Install it or mend its path.")


def make_folders(session: SessionRef) -> None:
    """Make the folders of the session's place. Blocks."""
    for folder in (session.folder, session.project.worktrees):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def marker(session: SessionRef) -> str:
    """What stands in the environment of everything that runs in the session, and of nothing else."""
    folder = session.environment.get("AO_SESSION_DIR", "")
    return f"AO_SESSION_DIR={folder}" if folder else ""


async def write_script(place: Place, session: SessionRef, launch: Launch) -> Path:
    """Put the launch script into the session's folder, with the pipe that it waits at; return its path."""
    path, pipe = session.folder / SCRIPT, session.folder / given_environment.PIPE
    text = script(launch.argv, launch.cwd, environment_of(session, launch), pipe)
    await place.write(str(path), text.encode(), mode=0o700)
    await files_of(session.project.folder).run(given_environment.make, pipe)
    return path


async def give_environment(session: SessionRef, environment: Mapping[str, str]) -> None:
    """Let the script that was started go on. Raises `TemporaryError`."""
    pipe = session.folder / given_environment.PIPE
    await files_of(session.project.folder).run(given_environment.give, pipe, environment)


async def began(session: SessionRef) -> bool:
    """Whether the script of a terminal that lives has its environment: if we died between, it waits for ever."""
    pipe = session.folder / given_environment.PIPE
    return not await files_of(session.project.folder).run(given_environment.is_there, pipe)


async def tidy(session: SessionRef) -> None:
    """Leave no pipe behind with a terminal that has ended, nor a script: those of old held keys."""

    def remove() -> None:
        for name in (given_environment.PIPE, SCRIPT):
            (session.folder / name).unlink(missing_ok=True)

    await files_of(session.project.folder).run(remove)


def typable(text: str) -> str:
    """`text` without control characters; line feeds and tabs stay, other line ends become line feeds."""
    return _UNTYPABLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def script(argv: Sequence[str], cwd: str, names: Collection[str], pipe: Path) -> str:
    """A POSIX shell script that becomes the program, with exactly the environment that comes through a pipe.

    Neither it nor an argument list holds a value. `names` are the variables that will come; the shell's
    own are taken away again, unless they are among them.
    """
    own = [name for name in ("OLDPWD", "PWD", "SHLVL", "_") if name not in names]
    unset = [word for name in own for word in ("-u", name)]
    return "\n".join(
        (
            "#!/bin/sh",
            given_environment.reading(pipe).rstrip("\n"),
            f"cd -- {shlex.quote(cwd)} || exit 126",
            given_environment.SET.rstrip("\n"),
            f"exec /usr/bin/env {' '.join(unset)} {shlex.join(argv)}",
            "",
        )
    )
