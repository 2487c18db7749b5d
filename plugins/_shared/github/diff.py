"""What a person should know of a pull request's diff, and whether its base went on; from our mirror where it can.

What we pushed is in the mirror. Of a head that somebody else pushed only GitHub has the files; their
patches are read then.
"""

from __future__ import annotations

from typing import TypeVar

from orchestrator.domain import diff_notes
from orchestrator.domain.outside_text import one_line
from orchestrator.domain.project import Project
from orchestrator.errors import AoError, TemporaryError
from plugins._shared.github.client import GitHub
from plugins._shared.github.words import Node, node, text, whole
from plugins._shared.mirror import Mirror

T = TypeVar("T")
MOST_LINES = 20_000
MOST_PAGES = 3
_TOO_LARGE = ("too large to look through for removed tests",)
_KEPT = 4000


class Diffs:
    """What was found out, by commits: it never changes."""

    def __init__(self, hub: GitHub) -> None:
        self._hub = hub
        self._notes: dict[tuple[str, str], tuple[str, ...]] = {}
        self._behind: dict[tuple[str, str], bool] = {}
        self._here: dict[tuple[str, str], bool] = {}
        """Whether the mirror has a head; what we push is in it before GitHub shows it."""

    async def notes(self, project: Project, repo: str, pull: Node) -> tuple[str, ...]:
        """Short sentences about the diff of its head; none where it cannot be had now."""
        head = text(pull.get("headRefOid"))
        key = (repo, head)
        if key not in self._notes:
            try:
                of_mirror = await self._of_mirror(project, pull)
                found = await self._of_files(repo, pull) if of_mirror is None else of_mirror
            except TemporaryError:
                return ()  # the next whole look asks again
            except AoError as error:
                found = (f"its files could not be looked through: {one_line(error.what, 200)}",)
            _keep(self._notes, key, found)
        return self._notes[key]

    async def behind(self, project: Project, pull: Node) -> bool | None:
        """The base has commits that the head has not. None: the mirror does not have the head."""
        head, tip = text(pull.get("headRefOid")), base_tip(pull)
        if not tip:
            return None
        key = (head, tip)
        if key not in self._behind:
            mirror = Mirror(project.mirror)
            if not await self._has(mirror, head):
                return None
            # A base commit that the mirror does not have is not in a head whose history it has whole.
            _keep(self._behind, key, not await mirror.is_ancestor(tip, head))
        return self._behind[key]

    async def _has(self, mirror: Mirror, head: str) -> bool:
        key = (str(mirror.path), head)
        if key not in self._here:
            _keep(self._here, key, await mirror.has(head))
        return self._here[key]

    async def _of_mirror(self, project: Project, pull: Node) -> tuple[str, ...] | None:
        head, tip = text(pull.get("headRefOid")), base_tip(pull)
        mirror = Mirror(project.mirror)
        if not tip or not await self._has(mirror, head):
            return None
        since = await mirror.merge_base(tip, head) or await mirror.merge_base(
            await mirror.newest_base(text(pull.get("baseRefName")), head), head
        )
        if not since or since == head:
            return None
        if whole(pull.get("additions")) + whole(pull.get("deletions")) > MOST_LINES:
            return _TOO_LARGE
        patch = await mirror.git.text(
            *("diff-tree", "-r", "-p", "-U0", "--no-renames", "--no-textconv", "--no-ext-diff", "--no-color"),
            *(since, head),
        )
        return diff_notes.notes(patch)

    async def _of_files(self, repo: str, pull: Node) -> tuple[str, ...]:
        if whole(pull.get("additions")) + whole(pull.get("deletions")) > MOST_LINES:
            return _TOO_LARGE
        rows = await self._hub.pages(
            f"/repos/{repo}/pulls/{whole(pull.get('number'))}/files", most=MOST_PAGES
        )
        return diff_notes.notes("".join(_patch(node(row)) for row in rows))


def base_tip(pull: Node) -> str:
    """The commit that the base branch is at; empty where the branch is gone."""
    return text(node(node(pull.get("baseRef")).get("target")).get("oid"))


def _patch(row: Node) -> str:
    """A file of REST's "List pull requests files" as `git diff` writes it."""
    path = text(row.get("filename")).replace("\n", " ")
    deleted = row.get("status") == "removed"
    new = "/dev/null" if deleted else f"b/{path}"
    head = f"diff --git a/{path} b/{path}\n" + ("deleted file mode 100644\n" if deleted else "")
    return f"{head}--- a/{path}\n+++ {new}\n{text(row.get('patch'))}\n"


def _keep(kept: dict[tuple[str, str], T], key: tuple[str, str], value: T) -> None:
    kept[key] = value
    while len(kept) > _KEPT:
        del kept[next(iter(kept))]
