"""Places that share no path with this host, for contract tests of whatever acts through a place.

`BubblewrapPlace` runs everything under bubblewrap: in it, the session's folder is `/inside/session`, its
workspaces are below `/inside/work`, the system's programs can be read, and nothing else of this host is there.
So whoever opens a host path, or hands one to a program, is found out.
"""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import shutil
import signal
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from typing_extensions import override

from orchestrator.errors import BadInput, NotFound, PermanentError, TemporaryError
from orchestrator.ports.place import Completed, Entry, Place

SESSION, WORK = "/inside/session", "/inside/work"

_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/etc")
_MISSING = 44
_LINKED = 45
_SHA = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")

# Shell programs that run inside. Each refuses a path that leads over a link; $1 is the path, $2 its root.
_REFUSE_LINKS = f"""
path=$1; rest=${{path#"$2"}}; at=$2
while [ -n "${{rest#/}}" ]; do
  rest=${{rest#/}}; part=${{rest%%/*}}; at=$at/$part; rest=${{rest#"$part"}}
  if [ -L "$at" ]; then [ "$3" = last ] && [ -z "$rest" ] || exit {_LINKED}; fi
done
"""
_READ = (
    _REFUSE_LINKS
    + f"""
[ -e "$path" ] || exit {_MISSING}; [ -f "$path" ] || exit {_LINKED}
if [ "$5" -lt 0 ]; then tail -c "${{5#-}}" -- "$path"; else tail -c +$(($5 + 1)) -- "$path"; fi | head -c "$4"
"""
)
_WRITE = (
    _REFUSE_LINKS
    + """
umask 077; mkdir -p -- "$(dirname -- "$path")" || exit 1
cat > "$path.$5.part" && chmod "$4" "$path.$5.part" && mv -T -- "$path.$5.part" "$path"
"""
)
_LIST = (
    _REFUSE_LINKS
    + 'cd -- "$path" 2>/dev/null || exit 0; find . -mindepth 1 -maxdepth 1 -printf "%f\\0%y\\0%s\\0%T@\\0"'
)
_REMOVE = _REFUSE_LINKS + 'rm -rf -- "$path"'
_KINDS = {"f": "file", "d": "folder", "l": "link"}


def unavailable() -> str:
    """Why this place cannot be had here; empty when it can."""
    return "" if shutil.which("bwrap") else "bubblewrap (bwrap) is not installed"


class BubblewrapPlace(Place):
    """A session's place whose paths mean nothing on this host.

    `folder` and `workspaces` are where its files are kept on this host; nobody else needs to know.
    """

    def __init__(self, folder: Path, workspaces: Path, environment: Mapping[str, str]) -> None:
        self._host = {SESSION: folder, WORK: workspaces}
        self._environment = {
            **environment,
            "PATH": f"{SESSION}/bin:/usr/local/bin:/usr/bin:/bin",
            "HOME": SESSION,
        }
        for each in self._host.values():
            each.mkdir(mode=0o700, parents=True, exist_ok=True)

    @property
    @override
    def folder(self) -> str:
        return SESSION

    @property
    @override
    def workspaces(self) -> str:
        return WORK

    @override
    async def run(
        self,
        argv: Sequence[str],
        *,
        cwd: str | None = None,
        env: Mapping[str, str] | None = None,
        stdin: bytes = b"",
        timeout: float = 60.0,
    ) -> Completed:
        # /usr/bin/env tells "there is no such program" by 127, which bubblewrap itself does not.
        done = await self._inside(
            ["/usr/bin/env", "--", *argv], cwd=cwd, env=env, stdin=stdin, timeout=timeout
        )
        if done.code in {126, 127} and done.stderr.startswith(b"/usr/bin/env: "):
            raise PermanentError(done.error_text())
        return done

    @override
    async def read(self, path: str, *, limit: int = 1_000_000, offset: int = 0) -> bytes:
        return await self._script(_READ, path, str(limit), str(offset))

    @override
    async def write(self, path: str, data: bytes, *, mode: int = 0o600) -> None:
        await self._script(_WRITE, path, f"{mode:o}", secrets.token_hex(4), stdin=data)

    @override
    async def list(self, path: str) -> tuple[Entry, ...]:
        fields = (await self._script(_LIST, path)).decode(errors="replace").split("\0")[:-1]
        rows = zip(*[iter(fields)] * 4, strict=True)
        return tuple(
            Entry(name=name, kind=_KINDS.get(kind, "other"), size=int(size), modified=float(modified))
            for name, kind, size, modified in sorted(rows)
        )

    @override
    async def remove(self, path: str) -> None:
        if path in self._host:
            msg = f"{path} is a root of the session's place."
            raise BadInput(msg)
        await self._script(_REMOVE, path, last=True)

    @override
    @asynccontextmanager
    async def export(self, repository: str, ref: str) -> AsyncIterator[str]:
        # A bundle can hold refs only, so a commit gets one for the moment.
        name = f"refs/ao/export/{secrets.token_hex(8)}" if _SHA.fullmatch(ref) else ref
        inside = f"{SESSION}/.export-{secrets.token_hex(8)}.bundle"
        git = ("git", "-C", repository)
        await self._git(*git, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
        try:
            if name != ref:
                await self._git(*git, "update-ref", name, ref)
            await self._git(*git, "bundle", "create", "--quiet", inside, name)
            yield str(self._host[SESSION] / Path(inside).name)
        finally:
            await self.remove(inside)
            if name != ref:
                await self._git(*git, "update-ref", "-d", name, absent_ok=True)

    async def _git(self, *argv: str, absent_ok: bool = False) -> None:
        done = await self.run(argv)
        if not done.ok and not absent_ok:
            raise NotFound(done.error_text() or "there is no such ref.")

    async def _script(
        self, script: str, path: str, *args: str, stdin: bytes = b"", last: bool = False
    ) -> bytes:
        root = next((r for r in self._host if path == r or path.startswith(f"{r}/")), None)
        if root is None or ".." in path.split("/") or "\0" in path:
            msg = f"{path} is neither below {SESSION} nor below {WORK}."
            raise BadInput(msg)
        words = ["/bin/sh", "-c", script, "sh", path, root, "last" if last else "", *args]
        done = await self._inside(words, stdin=stdin)
        if done.code == _MISSING:
            msg = f"{path} is not there."
            raise NotFound(msg)
        if done.code == _LINKED:
            msg = f"{path} leads over a link, or is no regular file."
            raise PermanentError(msg)
        if not done.ok:
            raise PermanentError(done.error_text())
        return done.stdout

    async def _inside(
        self,
        argv: Sequence[str],
        *,
        cwd: str | None = None,
        env: Mapping[str, str] | None = None,
        stdin: bytes = b"",
        timeout: float = 60.0,
    ) -> Completed:
        """Run a command under bubblewrap; the whole of it ends when bubblewrap is ended."""
        system = [word for path in _SYSTEM for word in ("--ro-bind-try", path, path)]
        binds = [word for inside, host in self._host.items() for word in ("--bind", str(host), inside)]
        variables = [w for pair in {**self._environment, **(env or {})}.items() for w in ("--setenv", *pair)]
        options = ["--unshare-all", "--die-with-parent", "--new-session", "--clearenv", "--proc", "/proc"]
        whole = [*options, "--dev", "/dev", "--tmpfs", "/tmp", *system, *binds, *variables]  # noqa: S108
        process = await asyncio.create_subprocess_exec(
            *("bwrap", *whole, "--chdir", cwd or SESSION, "--", *argv),
            env={"PATH": os.environ.get("PATH", os.defpath)},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        try:
            async with asyncio.timeout(timeout):
                out, err = await process.communicate(stdin)
        except BaseException as error:
            os.killpg(process.pid, signal.SIGKILL)
            await process.communicate()
            if isinstance(error, TimeoutError):
                msg = f"{argv[-1]} did not end within {timeout:g} s and was ended."
                raise TemporaryError(msg) from error
            raise
        return Completed(code=process.returncode or 0, stdout=out, stderr=err)
