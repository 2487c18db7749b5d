"""Making a workspace's files ready, as the session through its place: checkout, links, postCreate.

Filters of the repository (git-lfs) run here, where they have no credentials of ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from orchestrator.domain.project import Project
from orchestrator.errors import BadInput, PermanentError, TemporaryError
from orchestrator.ports.place import Place
from plugins._shared.threads import files_of

CHECKOUT_TIMEOUT = 900.0
_TAIL = 2000

# $1 target, $2 link, $3 where something in its way is set aside; the rest: folders on the way to it.
_LINK = """set -eu
target=$1 link=$2 aside=$3; shift 3
for folder do
  if [ -L "$folder" ]; then echo "$folder is a link itself" >&2; exit 1; fi
done
if [ -L "$link" ] && [ "$(readlink "$link")" = "$target" ]; then exit 0; fi
if [ -e "$link" ] || [ -L "$link" ]; then
  mkdir -p "$(dirname "$aside")"
  n=1; while [ -e "$aside.$n" ] || [ -L "$aside.$n" ]; do n=$((n + 1)); done
  mv -- "$link" "$aside.$n"
fi
mkdir -p "$(dirname "$link")"
ln -s -- "$target" "$link"
"""


async def check_out(place: Place, path: str, files: str) -> None:
    """Write the files of commit `files` into a workspace whose HEAD stands; what HEAD lacks is uncommitted.

    Only for a workspace that nobody has worked in: it overwrites.
    """
    await _git(place, path, "read-tree", "--reset", "-u", files)
    await _git(place, path, "reset", "--quiet", "--mixed")


async def _git(place: Place, path: str, *args: str) -> None:
    done = await place.run(("git", *args), cwd=path, timeout=CHECKOUT_TIMEOUT)
    if not done.ok:
        msg = f"The files of the workspace could not be written (git {args[0]}): {done.error_text()}"
        raise PermanentError(msg)


async def link_shared(place: Place, path: str, project: Project) -> None:
    """Link the project's `symlinks` into a workspace; what stands in their way is set aside, not deleted.

    A source that does not exist is passed over. Raises `BadInput` for a path that leads outside,
    `PermanentError` when a link cannot be made.
    """
    for relative in project.symlinks:
        source = await files_of(project.folder).run(_source, project.path, relative)
        if source is None:
            continue
        parents = [str(p) for p in reversed(PurePosixPath(relative).parents) if str(p) != "."]
        aside = f"{place.folder}/set-aside/{relative}"
        done = await place.run(
            ("sh", "-c", _LINK, "sh", str(source), str(PurePosixPath(relative)), aside, *parents), cwd=path
        )
        if not done.ok:
            msg = f"symlinks: {relative} could not be linked: {done.error_text()}"
            raise PermanentError(msg)


def _source(root: Path, relative: str) -> Path | None:
    parts = PurePosixPath(relative).parts
    if not parts or parts[0] == "/" or ".." in parts or ".git" in parts:
        msg = f"symlinks: {relative!r} must be a relative path inside the repository."
        raise BadInput(msg)
    source = root / relative
    if not source.exists():
        return None
    if not source.resolve().is_relative_to(root.resolve()):
        msg = f"symlinks: {relative!r} leads out of {root}."
        raise BadInput(msg)
    return source


async def run_commands(place: Place, path: str, lines: Sequence[str], limit: float) -> None:
    """Run the project's `postCreate` commands one by one, each a shell line of the trusted configuration.

    Raises `PermanentError` at the first that fails or does not end within `limit` seconds.
    """
    for line in lines:
        try:
            done = await place.run(("sh", "-c", line), cwd=path, timeout=limit)
        except TemporaryError as error:
            msg = f"postCreate: `{line}` did not end within {limit:g} s."
            raise PermanentError(msg, next_step="Mend the command, or raise postCreateTimeout.") from error
        if not done.ok:
            tail = (done.stdout + done.stderr).decode(errors="replace").strip()[-_TAIL:]
            msg = f"postCreate: `{line}` failed with exit code {done.code}:\n{tail}"
            raise PermanentError(msg)
