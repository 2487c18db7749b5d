"""What a push would bring, read in our mirror: never in a repository that an agent can configure.

Options that make git show less are switched off: text conversion, external diffs, ignored submodules; a
bare repository knows no attributes of its branches. What is larger than the bounds is marked as cut,
which holds a push: nothing hides by its size.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from orchestrator.domain.pushed_diff import FileStatus, PushedDiff, PushedFile
from orchestrator.errors import PermanentError
from orchestrator.ports.place import Completed
from plugins._shared import command
from plugins._shared.git import failure
from plugins._shared.mirror import Mirror
from plugins._shared.threads import trees_of

MOST_PATCH = 8_000_000
"""Bytes of all hunks that are read."""
MOST_TEXT = 1_000_000
"""Bytes of one file, before or after, whose hunks are read."""
MOST_BINARY = 250_000
"""Bytes of one binary file that is looked through for what stands in it as text."""
MOST_LARGE = 20
"""Large files that are looked at whether they are text; all others count as text that was not read."""
MOST_NAMES = 32_000_000
"""Bytes of the list of files."""
MOST_PASSING = 4_000_000
"""Bytes of what commits on the way bring."""
TIMEOUT = 120.0

_EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
_NOTHING = "0" * 6
_LARGE = ("-c", f"core.bigFileThreshold={MOST_TEXT}")
"""From there on git shows no hunks, as of a binary file."""
_SAFE = ("--no-ext-diff", "--no-textconv", "--no-color", "--full-index", "--ignore-submodules=none")
_RENAMES = ("-M", "-l2000")
_STATUS = {
    "A": FileStatus.ADDED,
    "D": FileStatus.DELETED,
    "M": FileStatus.MODIFIED,
    "R": FileStatus.RENAMED,
    "T": FileStatus.RETYPED,
}
_BINARY = (-1, -1)
_FIRST = 8000
"""Bytes in which git looks for a NUL, and we too."""


async def read(mirror: Mirror, base: str, head: str, *, most: int = MOST_PATCH) -> PushedDiff:
    """What `head` has that `base` has not, since they parted. Both commits are in the mirror.

    `most`: bytes of all hunks that are read. Raises `PermanentError` where git says something else than
    was expected, `TemporaryError`.
    """
    since = await mirror.merge_base(base, head)
    start = since or _EMPTY_TREE
    files = _listed(await _said(mirror, "--raw", *_RENAMES, start, head))
    counts = _counted(await _said(mirror, "--numstat", *_RENAMES, start, head))
    shown = ("-r", *_SAFE, "-p", "-U3", "--submodule=short", *_RENAMES, start, head)
    patch = await _ask(mirror, most, *_LARGE, "diff-tree", *shown)
    sizes = await _sizes(mirror, [file.blob for file in files if file.mode.startswith("100")])

    def assembled() -> list[PushedFile]:
        sections = _sections(patch.stdout, whole=len(patch.stdout) < most)
        return [_complete(file, sections, counts, sizes) for file in files]

    # Megabytes are taken apart here: not on the loop.
    found = await trees_of(mirror.path.parent).run(assembled)
    return PushedDiff(
        base=since,
        head=head,
        files=tuple(await _looked_through(mirror, found)),
        passing=await _passing(mirror, base, head),
        messages=await _messages(mirror, base, head),
    )


async def _looked_through(mirror: Mirror, files: list[PushedFile]) -> list[PushedFile]:
    """Of binary files what stands in them as text; of large ones whether they are binary at all."""
    small = [f.blob for f in files if f.binary and f.mode and f.size <= MOST_BINARY]
    contents = await _contents(mirror, small)
    large = [f.blob for f in files if f.binary and f.mode and f.size > MOST_TEXT]
    binary = [blob for blob in large[:MOST_LARGE] if await _is_binary(mirror, blob)]
    found = []
    for file in files:
        if file.blob in contents:
            lines = contents[file.blob].decode(errors="replace").replace("\0", "\n").split("\n")
            found.append(replace(file, hunks="\n".join(f"+{line}" for line in lines)))
        elif file.blob in large and file.blob not in binary:
            found.append(replace(file, binary=False, cut=True))
        else:
            found.append(file)
    return found


async def _contents(mirror: Mirror, blobs: Iterable[str]) -> dict[str, bytes]:
    names = sorted(set(blobs))
    if not names:
        return {}
    asked = "\n".join(names).encode() + b"\n"
    rest, found = (await _ask(mirror, MOST_PATCH, "cat-file", "--batch", stdin=asked)).stdout, {}
    while rest:
        head, _, rest = rest.partition(b"\n")
        words = head.split(b" ")
        if len(words) != 3:
            break
        size = int(words[2])
        found[words[0].decode()] = rest[:size]
        rest = rest[size + 1 :]
    return found


async def _is_binary(mirror: Mirror, blob: str) -> bool:
    return b"\0" in (await _ask(mirror, _FIRST, "cat-file", "blob", blob)).stdout


async def _said(mirror: Mirror, *args: str) -> list[str]:
    """A list of git's, its fields. One that is too long is no list to judge by."""
    done = await _ask(mirror, MOST_NAMES, *_LARGE, "diff-tree", "-r", "-z", *_SAFE, *args)
    if len(done.stdout) >= MOST_NAMES:
        msg = f"it changes so many files that their names alone are over {MOST_NAMES:,} bytes."
        raise PermanentError(msg, next_step="Push less at once.")
    return done.stdout.decode(errors="surrogateescape").split("\0")


async def _ask(mirror: Mirror, most: int, *args: str, stdin: bytes = b"") -> Completed:
    bounded = replace(mirror.git, runner=_Bounded(most))
    done = await bounded.ask(*args, stdin=stdin, timeout=TIMEOUT)
    # Cut off by us, git may end by the signal of a pipe that nobody reads.
    if not done.ok and len(done.stdout) < most:
        raise failure(done, what="What the push would bring could not be read")
    return done


@dataclass(frozen=True, slots=True)
class _Bounded:
    """Runs git and keeps at most so many bytes of what it says."""

    most: int

    async def __call__(
        self,
        argv: Sequence[str],
        *,
        cwd: str,
        env: Mapping[str, str],
        stdin: bytes = b"",
        timeout: float = 60.0,
    ) -> Completed:
        return await command.run(argv, cwd=cwd, env=env, stdin=stdin, timeout=timeout, limit=self.most)


def _listed(fields: list[str]) -> list[PushedFile]:
    """`:<old mode> <mode> <old blob> <blob> <status>`, then the path, or both of a rename."""
    found, at = [], 0
    while at < len(fields) and fields[at].startswith(":"):
        old_mode, mode, old_blob, blob, letter = fields[at][1:].split(" ")
        renamed = letter[0] in "RC"
        status = _STATUS.get(letter[0])
        if status is None:
            msg = f"git calls the change of {fields[at + 1]!r} {letter!r}, which nobody here knows."
            raise PermanentError(msg)
        found.append(
            PushedFile(
                path=fields[at + 2] if renamed else fields[at + 1],
                old_path=fields[at + 1] if renamed else "",
                status=status,
                mode="" if mode == _NOTHING else mode,
                old_mode="" if old_mode == _NOTHING else old_mode,
                blob=blob,
                old_blob=old_blob,
            )
        )
        at += 3 if renamed else 2
    return found


def _counted(fields: list[str]) -> dict[str, tuple[int, int]]:
    r"""Path -> lines added and deleted. `<added>\\t<deleted>\\t<path>`, or with an empty path, then both of a rename."""
    found, rest = {}, iter(fields)
    for field in rest:
        if field.count("\t") < 2:
            continue
        added, deleted, path = field.split("\t", 2)
        if not path:
            next(rest)
            path = next(rest)
        found[path] = _BINARY if added == "-" else (int(added), int(deleted))
    return found


def _sections(patch: bytes, *, whole: bool) -> Iterator[bytes | None]:
    """The patch file by file, in the order of the list; None from where it is cut on."""
    # Lines of content begin with their sign, so no text of a file begins a section.
    parts = (b"\n" + patch).split(b"\ndiff --git ")[1:]
    yield from parts if whole else parts[:-1]
    while not whole:
        yield None


def _complete(
    file: PushedFile,
    sections: Iterator[bytes | None],
    counts: dict[str, tuple[int, int]],
    sizes: dict[str, int],
) -> PushedFile:
    # A file that becomes another kind of thing is shown as one that goes and one that comes.
    taken = [_next(sections, file) for _ in range(2 if file.status is FileStatus.RETYPED else 1)]
    bodies = [b"" if part is None else _body(part) for part in taken]
    body = b"\n".join(part for part in bodies if part)
    counted = counts.get(file.path, (0, 0))
    binary = counted == _BINARY
    cut = any(part is None for part in taken) and not binary
    return replace(
        file,
        added=0 if binary else counted[0],
        deleted=0 if binary else counted[1],
        size=sizes.get(file.blob, 0),
        binary=binary,
        hunks="" if cut else body.decode(errors="replace"),
        cut=cut,
    )


def _next(sections: Iterator[bytes | None], file: PushedFile) -> bytes | None:
    """Of that very file: the contents that a section names are those of the list."""
    try:
        part = next(sections)
    except StopIteration:
        msg = f"git lists {file.path!r} as changed and does not show how."
        raise PermanentError(msg) from None
    if part is None:
        return None
    head = part.partition(b"\n@@ ")[0]
    named = [line for line in head.split(b"\n") if line.startswith(b"index ")]
    if named and not any(blob.encode() in named[0] for blob in (file.blob, file.old_blob) if blob.strip("0")):
        msg = f"git shows another change than it lists for {file.path!r}."
        raise PermanentError(msg)
    return part


def _body(section: bytes) -> bytes:
    """From the first `@@` on; empty for a change of mode or name alone."""
    at = section.find(b"\n@@ ")
    return b"" if at < 0 else section[at + 1 :]


async def _sizes(mirror: Mirror, blobs: Iterable[str]) -> dict[str, int]:
    names = sorted({blob for blob in blobs if blob.strip("0")})
    if not names:
        return {}
    asked = "\n".join(names).encode() + b"\n"
    done = await _ask(
        mirror, MOST_NAMES, "cat-file", "--batch-check=%(objectname) %(objectsize)", stdin=asked
    )
    rows = (line.split(" ") for line in done.text().splitlines())
    return {row[0]: int(row[1]) for row in rows if len(row) == 2 and row[1].isdigit()}


async def _passing(mirror: Mirror, base: str, head: str) -> str:
    """Lines that the commits on the way bring, the newest commits first."""
    done = await _ask(
        mirror,
        MOST_PASSING,
        *(*_LARGE, "log", "--format=", "--diff-merges=off", "-p", "-U0", *_SAFE, "--no-renames"),
        *("--max-count=500", head, f"^{base}", "--"),
    )
    lines = done.stdout.decode(errors="replace").split("\n")
    return "\n".join(line[1:] for line in lines if line[:1] == "+" and line[:4] != "+++ ")


async def _messages(mirror: Mirror, base: str, head: str) -> str:
    """What the commits on the way say, the newest first."""
    which = ("log", "--format=%B", "--max-count=500", head, f"^{base}", "--")
    return (await _ask(mirror, MOST_PASSING, *which)).stdout.decode(errors="replace")
