"""The real agents for the demo and for tests: pinned versions, kept in the person's cache, installed by npm.

What is fetched is named by package and version; from where is npm's own business.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

from orchestrator.errors import NotFound, NotReady

LIMIT = 600.0
"""Seconds that an installation may take."""
NODE = 18
"""The oldest major version of Node.js that will do."""

_INSTALL_NODE = f"Install Node.js {NODE} or newer: apt-get install nodejs npm, or brew install node."
_SECRET = re.compile(
    r"TOKEN|SECRET|PASSW|PASSPHRASE|CREDENTIAL|AUTH|WEBHOOK|COOKIE|APIKEY|(^|_)(KEY|PAT|DSN)(_|$)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Program:
    """One agent: its npm package, the version that we know, the program in it."""

    package: str
    version: str
    command: str


PROGRAMS: Mapping[str, Program] = {
    "claude-code": Program("@anthropic-ai/claude-code", "2.1.330", "claude"),
    "codex": Program("@openai/codex", "0.169.0", "codex"),
}


def _say(words: str) -> None:
    print(words, file=sys.stderr)


def ensure(
    name: str,
    *,
    tell: Callable[[str], None] = _say,
    environ: Mapping[str, str] = os.environ,
    limit: float = LIMIT,
) -> Path:
    """The program of an agent, installed if it is not there yet. Raises `NotFound` and `NotReady`."""
    program = PROGRAMS.get(name)
    if program is None:
        msg = f"There is no agent program named {name}."
        raise NotFound(msg, next_step=f"There are: {', '.join(PROGRAMS)}.")
    folder = _cache(environ) / f"{name}-{program.version}"
    if _ready(folder, program):
        return _path(folder, program)
    npm = _npm(environ)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with _turn(folder.parent, tell):
            if not _ready(folder, program):
                tell(f"Installing {program.package} {program.version} with npm into {folder} ...")
                _install(folder, program, npm, environ, limit)
                tell(f"Installed {program.package} {program.version}.")
    except OSError as error:
        msg = f"{program.package} could not be installed: {error}."
        raise NotReady(msg, next_step=f"See that {folder.parent} can be written to.") from error
    return _path(folder, program)


def harmless(environ: Mapping[str, str]) -> dict[str, str]:
    """An environment without any variable that looks like a secret by its name."""
    return {name: value for name, value in environ.items() if not _SECRET.search(name)}


def _cache(environ: Mapping[str, str]) -> Path:
    base = environ.get("XDG_CACHE_HOME") or Path(environ.get("HOME") or Path.home(), ".cache")
    return Path(base, "agent-orchestrator", "agents")


def _path(folder: Path, program: Program) -> Path:
    return folder / "node_modules" / ".bin" / program.command


def _ready(folder: Path, program: Program) -> bool:
    path = _path(folder, program)
    return path.is_file() and os.access(path, os.X_OK)


def _npm(environ: Mapping[str, str]) -> str:
    path = environ.get("PATH", os.defpath)
    npm, node = shutil.which("npm", path=path), shutil.which("node", path=path)
    if npm is None or node is None:
        msg = f"{'npm' if npm is None else 'Node.js'} is not installed."
        raise NotReady(msg, next_step=_INSTALL_NODE)
    argv = [node, "--version"]
    done = subprocess.run(
        argv, capture_output=True, text=True, timeout=30, check=False, env=harmless(environ)
    )
    found = re.match(r"v(\d+)\.", done.stdout)
    if found is None or int(found.group(1)) < NODE:
        msg = f"Node.js is too old: {done.stdout.strip() or done.stderr.strip()[-200:]}."
        raise NotReady(msg, next_step=_INSTALL_NODE)
    return npm


@contextmanager
def _turn(agents: Path, tell: Callable[[str], None]) -> Iterator[None]:
    """One installer at a time; the lock is freed by the system however its holder ends."""
    descriptor = os.open(agents / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            tell("Another installation is under way; waiting for it.")
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _install(folder: Path, program: Program, npm: str, environ: Mapping[str, str], limit: float) -> None:
    """Made beside its place and then moved, so that a half-made one is never taken for it."""
    for left in folder.parent.glob(f".{folder.name}-*"):
        shutil.rmtree(left, ignore_errors=True)
    draft = Path(mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        wanted = f"{program.package}@{program.version}"
        argv = [npm, "install", "--no-audit", "--no-fund", "--prefix", str(draft), wanted]
        code, said = _run(argv, draft, harmless(environ), limit)
        if code != 0 or not _ready(draft, program):
            msg = f"npm did not install {wanted}: {said.strip()[-500:] or 'it said nothing'}"
            raise NotReady(msg, next_step="See what npm says there, and try again.")
        shutil.rmtree(folder, ignore_errors=True)
        draft.rename(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _run(argv: list[str], folder: Path, environ: Mapping[str, str], limit: float) -> tuple[int, str]:
    """How npm ended and what it said. It and all that it started end with us or with the time."""
    with subprocess.Popen(
        argv,
        cwd=folder,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    ) as process:
        try:
            said = process.communicate(timeout=limit)[0]
        except subprocess.TimeoutExpired as error:
            msg = f"npm took longer than {limit:g} seconds."
            raise NotReady(msg, next_step="See that npm reaches its registry, and try again.") from error
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
        return process.returncode, said
