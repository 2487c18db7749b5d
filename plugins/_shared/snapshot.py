"""A session's whole work as one commit of ours: its files as they are, on top of all its commits.

The session's index, branch and files stay as they are. In it: tracked, changed and untracked files;
symbolic links as links; every nested repository as a commit of its own, kept reachable as a further
parent. Not in it: ignored files (counted), empty folders, sockets and fifos (they hold nothing), and
what a nested repository has on branches other than its HEAD (told). Anything that cannot be read
raises, so that nobody takes the snapshot for whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.domain.ids import short_sha
from orchestrator.errors import NotFound, PermanentError
from plugins._shared.view import Target, View, paths, to_stdin

_INDEX = "save-index"
_DEPTH = 4
_NESTED_AT_MOST = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What was found, as objects of our repository."""

    commit: str
    """Its tree is the files; its parents are `head`, `tips` and `nested`."""
    head: str
    """Empty on a branch without commits."""
    branch: str
    tips: tuple[str, ...] = ()
    """Other commits of the session's repository that `head` has not."""
    nested: tuple[str, ...] = ()
    """Commits that hold nested repositories which the head's commit does not account for."""
    ignored: int = 0
    """Ignored files, or whole ignored folders, that are not in it."""
    notes: tuple[str, ...] = ()
    """What a person should know about what is in it and what is not."""


@dataclass(frozen=True, slots=True)
class _Nested:
    path: str
    commit: str
    notes: tuple[str, ...]


async def snapshot(
    view: View, into: str, *, base: str = "", tips: Sequence[str] = (), depth: int = 0
) -> Snapshot:
    """Take the snapshot; HEAD's commit is brought here as ref `into`. Sets no ref for the snapshot.

    A submodule that stands where `base` has it is accounted for; another commit of it is kept.
    """
    head = await view.head()
    sha = await view.point(head, into)
    await view.seed(_INDEX)
    await _unhide(view)
    await _forget_staged(view, sha)
    ignored = len(
        paths(
            await view.run_whole(
                *("ls-files", "-z", "--others", "--ignored", "--exclude-standard", "--directory"),
                index=_INDEX,
            )
        )
    )
    recorded = await _gitlinks(view)
    known = await _known(view, base, recorded)
    nested_paths = await _nested_paths(view, recorded)
    await view.run_whole(
        *("add", "--all", "--pathspec-from-file=-", "--pathspec-file-nul"),
        index=_INDEX,
        stdin=to_stdin([":/", *(f":(exclude,top,literal){path}" for path in nested_paths)]),
    )
    nested = await _nested(view, into, nested_paths, known, depth)
    tree = (await view.run("write-tree", index=_INDEX)).text()
    kept = tuple(one.commit for one in nested)
    commit = await _commit(view, tree, [sha, *tips, *kept] if sha else [*tips, *kept])
    notes = tuple(note for one in nested for note in one.notes)
    return Snapshot(
        commit=commit,
        head=sha,
        branch=head.branch,
        tips=tuple(tips),
        nested=kept,
        ignored=ignored,
        notes=notes,
    )


async def _commit(view: View, tree: str, parents: Sequence[str]) -> str:
    flags = [part for parent in dict.fromkeys(parents) for part in ("-p", parent)]
    return (await view.run("commit-tree", tree, *flags, stdin=b"Work of a session\n")).text()


async def _unhide(view: View) -> None:
    """Look at files that the session's index says not to look at, except those that are not there.

    `assume-unchanged` hides changes. `skip-worktree` (sparse checkouts) is right for absent files.
    """
    tagged = paths(await view.run("ls-files", "-v", "-z", index=_INDEX))
    assumed = [line[2:] for line in tagged if line[0].islower()]
    skipped = [line[2:] for line in tagged if line[0] in "Ss"]
    if assumed:
        await _mark(view, "--no-assume-unchanged", assumed)
    if skipped:
        await _mark(view, "--no-skip-worktree", skipped)
        absent = set(paths(await view.run("ls-files", "-z", "--deleted", index=_INDEX)))
        await _mark(view, "--skip-worktree", [path for path in skipped if path in absent])


async def _mark(view: View, flag: str, names: Sequence[str]) -> None:
    if names:
        await view.run("update-index", flag, "-z", "--stdin", index=_INDEX, stdin=to_stdin(names))


async def _forget_staged(view: View, head: str) -> None:
    """Make git read again what was staged: those blobs are in the session's repository, not in ours."""
    if not head:
        staged = paths(await view.run("ls-files", "-z", "--stage", index=_INDEX))
        lines = [line for line in staged if line.split("\t")[0].endswith(" 0")]
        entries = [f"{line.split()[0]} {line.split()[1]}\t{line.partition(chr(9))[2]}" for line in lines]
    else:
        raw = paths(
            await view.run(
                "diff-index", "--cached", "--raw", "-z", "--no-renames", "--abbrev=40", "HEAD", index=_INDEX
            )
        )
        pairs = zip(raw[::2], raw[1::2], strict=True)
        changes = ((info.split(), path) for info, path in pairs)
        entries = [f"{info[1]} {info[3]}\t{path}" for info, path in changes if info[4] in "AMT"]
    entries = [entry for entry in entries if not entry.startswith("160000")]
    if entries:
        await view.run("update-index", "-z", "--index-info", index=_INDEX, stdin=to_stdin(entries))


async def _gitlinks(view: View) -> dict[str, str]:
    """Path -> commit of the submodules in the index."""
    staged = paths(await view.run("ls-files", "-z", "--stage", index=_INDEX))
    return {line.partition("\t")[2]: line.split()[1] for line in staged if line.startswith("160000 ")}


async def _known(view: View, base: str, recorded: dict[str, str]) -> dict[str, str]:
    if not base or not recorded:
        return {}
    listed = paths(await view.run("ls-tree", "-z", base, "--", *recorded))
    return {line.partition("\t")[2]: line.split()[2] for line in listed if line.startswith("160000 ")}


async def _nested_paths(view: View, recorded: dict[str, str]) -> list[str]:
    """Folders with a repository of their own: submodules, and clones that lie about untracked."""
    others = paths(await view.run_whole("ls-files", "-z", "--others", "--exclude-standard", index=_INDEX))
    found = [*recorded, *(path.rstrip("/") for path in others if path.endswith("/"))]
    if len(found) > _NESTED_AT_MOST:
        msg = f"There are {len(found)} repositories inside {view.target.work_tree}; at most {_NESTED_AT_MOST} are saved."
        raise PermanentError(msg, next_step="Move them out of the workspace, or have git ignore them.")
    return found


async def _nested(
    view: View, into: str, found: Sequence[str], known: dict[str, str], depth: int
) -> list[_Nested]:
    kept = []
    for number, path in enumerate(found, 1):
        if await view.hand.kind(f"{view.target.work_tree}/{path}/.git") == "":
            continue  # a submodule that was never checked out
        one = await _one_nested(view, f"{into}.{number}", path, depth)
        if one.commit == known.get(path):
            continue
        entry = f"160000 {one.commit}\t{path}"
        await view.run("update-index", "-z", "--index-info", index=_INDEX, stdin=to_stdin([entry]))
        kept.append(one)
    return kept


async def _one_nested(view: View, into: str, path: str, depth: int) -> _Nested:
    if depth >= _DEPTH:
        msg = f"Repositories lie more than {_DEPTH} deep in each other below {view.target.work_tree}."
        raise PermanentError(msg, next_step="Move them out of the workspace.")
    folder = f"{view.target.work_tree}/{path}"
    target = Target(work_tree=folder, git_dir=f"{folder}/.git")
    inner = View(view.hand, f"{view.name}.{into.rpartition('.')[2]}", target)
    try:
        shot = await snapshot(inner, into, depth=depth + 1)
    except NotFound as error:
        msg = f"{folder} holds a repository that cannot be read: {error.what}"
        raise PermanentError(msg, next_step="Repair it or move it away, then try again.") from error
    dirty = not shot.head or (await inner.ask("diff", "--quiet", shot.head, shot.commit)).code != 0
    commit = shot.commit if dirty or shot.nested else shot.head
    note = f"{path} is a repository of its own: its HEAD and files are kept as {short_sha(commit)}, other branches are not"
    return _Nested(path, commit, (note, *shot.notes))
