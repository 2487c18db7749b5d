"""Workspace `copy`: a clone that also gets named files of the user's checkout that git does not have.

For projects that do not build from their commits alone (`.env`, local settings, generated data) in
places where a link to the user's checkout is not possible, or where sessions must not share one
file. Only what `include` names is copied, as it is at that moment; git ignores it in the copy, so it
is never committed by `git add -A` and never saved as work. Whatever is named here, the agent reads.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from typing_extensions import override

from orchestrator.errors import NotFound, PermanentError
from orchestrator.ports.place import Place
from orchestrator.ports.plugin import Options, Plugin, PluginContext
from orchestrator.ports.session_ref import SessionRef
from orchestrator.ports.workspace import WORKSPACE, Workspace
from plugins._shared import beneath
from plugins._shared.threads import trees_of
from plugins._shared.view import pattern
from plugins.workspace.clone import CloneOptions, CloneWorkspace

LIMIT = 200_000_000
"""Bytes that `include` may copy for one session."""


class CopyOptions(CloneOptions):
    """The project's `workspace` block."""

    include: tuple[str, ...] = ()
    """Files and folders of your checkout, relative to it, that are copied too. Missing ones are passed over."""


class CopyWorkspace(CloneWorkspace):
    """Clones with more files."""

    def __init__(self, options: CopyOptions) -> None:
        super().__init__(options)
        self._include = options.include
        for path in options.include:
            beneath.parts_of(path)

    @override
    async def bring_files(self, session: SessionRef, place: Place, path: str) -> None:
        files = await trees_of(session.project.folder).run(_collect, session.project.path, self._include)
        if not files:
            return
        for name, (data, mode) in files.items():
            await place.write(f"{path}/{name}", data, mode=mode)
        exclude = f"{path}/.git/info/exclude"
        try:
            before = await place.read(exclude)
        except NotFound:
            before = b""
        lines = "".join(
            f"{pattern(name)}\n" for name in files if pattern(name).encode() not in before.splitlines()
        )
        await place.write(exclude, before + lines.encode())


def _collect(root: Path, include: tuple[str, ...]) -> dict[str, tuple[bytes, int]]:
    found: dict[str, tuple[bytes, int]] = {}
    for path in include:
        for name in _files(root, PurePosixPath(*beneath.parts_of(path))):
            room = LIMIT - sum(len(data) for data, _ in found.values())
            with beneath.folder(root, name.parent.parts) as fd:
                mode = next(stat.st_mode for entry, stat in beneath.entries(fd) if entry == name.name)
                found[str(name)] = (beneath.read(fd, name.name, room), mode & 0o777)
    return found


def _files(root: Path, path: PurePosixPath) -> list[PurePosixPath]:
    """The regular files at or below a path of the user's checkout; links and `.git` are passed over."""
    if ".git" in path.parts:
        msg = f"include: {path} is git's own."
        raise PermanentError(msg)
    try:
        with beneath.folder(root, path.parent.parts) as fd:
            kind = beneath.kind(fd, path.name)
        if kind != "folder":
            return [path] if kind == "file" else []
        with beneath.folder(root, path.parts) as fd:
            names = [name for name, _ in beneath.entries(fd) if name != ".git"]
    except NotFound:
        return []
    return [file for name in names for file in _files(root, path / name)]


def _create(options: Options, context: PluginContext) -> Workspace:
    del context
    return CopyWorkspace(CopyOptions.model_validate(options.model_dump()))


PLUGIN = Plugin(
    slot=WORKSPACE,
    name="copy",
    summary="A clone that also gets named files of your checkout that git does not have.",
    create=_create,
    options=CopyOptions,
    needs=("git",),
)
