"""Tracker `local`: issues are Markdown files in a folder of the user's checkout. No account, no git.

Files are named by number, `1.md` or `001-add-a-farewell.md`; other files are not looked at. The form
is described in `plugins/_shared/issue_file.py`. What `ao` changes on an issue (its state, a comment) is
written into the same file, so that `git diff` shows it and its owner decides what becomes of it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Mapping, Sequence

from typing_extensions import override

from orchestrator.domain.issue import Issue, IssueState
from orchestrator.domain.look import Look, Seen, Unseen
from orchestrator.domain.project import Project
from orchestrator.errors import AoError, BadInput, Conflict, NotFound, PermanentError
from orchestrator.ports.plugin import Options, Plugin, PluginContext
from orchestrator.ports.tracker import TRACKER, IssueChange, Tracker
from plugins._shared import beneath, issue_file
from plugins._shared.threads import files_of, writes_of

LIMIT = 256_000
"""Bytes of an issue's file that are read; a larger file is refused, with the reason."""

_REF = re.compile(r"#?0*([1-9][0-9]{0,8})")
_OPEN = (IssueState.OPEN, IssueState.IN_PROGRESS, IssueState.IN_REVIEW)


class LocalTrackerOptions(Options):
    """The project's `tracker` block."""

    folder: str = "issues"
    """Where the issues are, relative to the repository."""


class LocalTracker(Tracker):
    """Issues as files."""

    def __init__(self, options: LocalTrackerOptions, context: PluginContext) -> None:
        self._folder = options.folder
        self._parts = beneath.parts_of(options.folder)
        self._now = context.now

    @override
    async def observe(self, project: Project, refs: Collection[str]) -> Mapping[str, Look[Issue | None]]:
        wanted = list(refs)
        try:
            return await files_of(project.path).run(self._read, project, wanted)
        except AoError as error:
            return {ref: Unseen(error.what) for ref in wanted}

    @override
    async def search(self, project: Project, text: str = "", limit: int = 50) -> Sequence[Issue]:
        looks = await files_of(project.path).run(self._read, project, None)
        issues = [look.value for look in looks.values() if isinstance(look, Seen) and look.value]
        needle = text.casefold()
        found = [
            issue
            for issue in issues
            if issue.state in _OPEN and needle in f"{issue.title}\n{issue.body}".casefold()
        ]
        found.sort(key=lambda issue: int(issue.ref))
        return found[-limit:] if limit > 0 else []

    @override
    async def create(self, project: Project, title: str, body: str, labels: Collection[str] = ()) -> Issue:
        if not title.strip():
            msg = "An issue needs a title."
            raise BadInput(msg)
        text = issue_file.new(title, body, tuple(labels))
        return await writes_of(project.path).run(self._create, project, title, text)

    @override
    async def update(self, project: Project, ref: str, change: IssueChange) -> Issue:
        return await writes_of(project.path).run(self._update, project, ref, change)

    @override
    def branch_name(self, issue: Issue) -> str:
        return f"feat/issue-{issue.ref}"

    @override
    def parse_ref(self, project: Project, text: str) -> str:
        del project
        words = text.strip()
        found = _REF.fullmatch(words)
        name = words.removeprefix("./").removeprefix("/".join(self._parts) + "/")
        ref = found[1] if found else None if "/" in name else issue_file.ref_of(name)
        if ref is None:
            msg = f"{words[:80]!r} names no issue here: write 1, #1 or {self._folder}/1.md."
            raise BadInput(msg)
        return ref

    def _read(self, project: Project, refs: Sequence[str] | None) -> dict[str, Look[Issue | None]]:
        """The issues named, or all of them: one listing, and one read for each."""
        try:
            with beneath.folder(project.path, self._parts) as fd:
                names = _names(fd)
                wanted = list(names) if refs is None else refs
                return {ref: self._look(fd, ref, names.get(ref, [])) for ref in wanted}
        except NotFound:
            if not project.path.is_dir():
                msg = f"The repository {project.path} is not there."
                raise NotFound(msg) from None
            return {ref: Seen(None) for ref in refs or ()}

    def _look(self, fd: int, ref: str, names: list[str]) -> Look[Issue | None]:
        if not names:
            return Seen(None)
        try:
            return Seen(self._issue(fd, ref, names)[0])
        except NotFound:
            return Seen(None)
        except AoError as error:
            return Unseen(error.what)

    def _issue(self, fd: int, ref: str, names: list[str]) -> tuple[Issue, issue_file.IssueFile, str]:
        if len(names) > 1:
            msg = f"Issue {ref} has several files in {self._folder}: {', '.join(sorted(names))}."
            raise Conflict(msg)
        name = names[0]
        try:
            file = issue_file.decode(beneath.read(fd, name, LIMIT))
            return issue_file.issue(file.text, ref, f"{self._folder}/{name}"), file, name
        except BadInput as error:
            msg = f"{self._folder}/{name}: {error.what}"
            raise BadInput(msg) from error

    def _update(self, project: Project, ref: str, change: IssueChange) -> Issue:
        with beneath.folder(project.path, self._parts) as fd:
            names = _names(fd).get(ref, [])
            if not names:
                msg = f"There is no issue {ref} in {self._folder}."
                raise NotFound(msg)
            _, file, name = self._issue(fd, ref, names)
            text = issue_file.changed(file.text, change, self._now())
            data = issue_file.encode(text, windows=file.windows)
            if len(data) > LIMIT:
                msg = f"{self._folder}/{name} would become larger than {LIMIT} bytes."
                raise PermanentError(msg)
            if text != file.text:
                beneath.replace(fd, name, data)
            return issue_file.issue(text, ref, f"{self._folder}/{name}")

    def _create(self, project: Project, title: str, text: str) -> Issue:
        if len(text.encode()) > LIMIT:
            msg = f"The issue is larger than {LIMIT} bytes."
            raise BadInput(msg)
        with beneath.folder(project.path, self._parts, make=True) as fd:
            while True:
                ref = str(max((int(ref) for ref in _names(fd)), default=0) + 1)
                name = issue_file.file_name(ref, title)
                if beneath.create(fd, name, text.encode()):
                    return issue_file.issue(text, ref, f"{self._folder}/{name}")


def _names(fd: int) -> dict[str, list[str]]:
    """The names of issue files in a folder, by ref."""
    names: dict[str, list[str]] = {}
    for name in os.listdir(fd):
        ref = issue_file.ref_of(name)
        if ref is not None:
            names.setdefault(ref, []).append(name)
    return names


def _create_plugin(options: Options, context: PluginContext) -> Tracker:
    return LocalTracker(LocalTrackerOptions.model_validate(options.model_dump()), context)


PLUGIN = Plugin(
    slot=TRACKER,
    name="local",
    summary="Issues as Markdown files with front matter in a folder of the repository.",
    create=_create_plugin,
    options=LocalTrackerOptions,
)
