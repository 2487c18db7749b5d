"""What of a push waits for a person: guarded paths, its size, secrets, links out, submodules. Pure.

The defaults are what runs code or gives orders elsewhere: files of CI services, who must review what,
what changes how git shows a change, and what coding agents obey.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from orchestrator.domain.counted import counted
from orchestrator.domain.outside_text import excerpt, mask, one_line, whole_tokens
from orchestrator.domain.pushed_diff import SUBMODULE, SYMLINK, FileStatus, PushedDiff, PushedFile

FORGES = (
    *(".github/**", "CODEOWNERS", ".gitattributes", ".gitmodules"),
    *(".gitlab/**", ".gitlab-ci.yml", ".gitea/**", ".forgejo/**"),
)
CI = (
    *(
        ".circleci/**",
        ".travis.yml",
        "Jenkinsfile",
        "Jenkinsfile.*",
        "azure-pipelines*.y*ml",
        ".azure-pipelines/**",
    ),
    *("bitbucket-pipelines.yml", ".buildkite/**", ".drone.y*ml", ".woodpecker/**", ".woodpecker.y*ml"),
    *(".cirrus.y*ml", ".appveyor.yml", "appveyor.yml", ".semaphore/**", ".teamcity/**"),
    *("buildspec.y*ml", "cloudbuild.y*ml"),
)
AGENTS = (
    *("**/.claude/**", ".mcp.json", "CLAUDE.md", "CLAUDE.local.md"),
    *("AGENTS.md", "AGENTS.override.md", "agent-orchestrator.y*ml"),
    *("**/.codex/**", "GEMINI.md", "**/.gemini/**", "**/.cursor/**", ".cursorrules", ".windsurfrules"),
)
MACHINES = (
    *("**/.husky/**", ".pre-commit-config.y*ml", ".envrc"),
    *("**/.devcontainer/**", ".devcontainer.json", "**/.vscode/tasks.json", "**/.vscode/launch.json"),
)
"""What runs by itself on the machine of whoever checks the branch out."""
DEFAULT_PATHS = (*FORGES, *CI, *AGENTS, *MACHINES)
"""A name without a slash is guarded in every folder; `folder/**` is also the folder's own name."""

MOST_HUNKS = 6_000
"""Characters of one finding's hunks that are kept."""
MOST_SHOWN = 40_000
"""The same of all findings of a push."""
MOST_FINDINGS = 60
"""Findings that are told one by one; the rest is one of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """What is guarded in one project."""

    enabled: bool = True
    paths: tuple[str, ...] = ()
    """Guarded besides the defaults, and whatever `allow` says."""
    allow: tuple[str, ...] = ()
    """Freed from the defaults."""
    max_files: int = 300
    max_lines: int = 20_000
    """Lines added and deleted, over all files."""
    max_file_bytes: int = 5_000_000
    secrets: bool = True


class FindingKind(StrEnum):
    """Why something waits for a person."""

    PATH = "path"
    SIZE = "size"
    SECRET = "secret"  # noqa: S105 - a word
    SYMLINK = "symlink"
    SUBMODULE = "submodule"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that waits for a person. What it shows is cleaned, masked and bounded."""

    kind: FindingKind
    fingerprint: str
    """Names exactly this change: once it is released, a later head with the same passes."""
    words: str
    """For people: `.github/workflows/ci.yml is changed`."""
    path: str = ""
    hunks: str = ""
    """What is to be looked at; empty where there is nothing to show."""


def findings(guard: Guard, diff: PushedDiff) -> tuple[Finding, ...]:
    """Everything in a push that a person has to look at first; nothing where the guard is off."""
    if not guard.enabled:
        return ()
    found = [*_sizes(guard, diff)]
    for file in diff.files:
        found += _of_file(guard, file)
    if guard.secrets:
        found += _other_secrets(diff, known={f.fingerprint for f in found})
    return _bounded(found)


def unreleased(found: Collection[Finding], released: Collection[str]) -> tuple[Finding, ...]:
    """Those that nobody has released yet."""
    return tuple(finding for finding in found if finding.fingerprint not in released)


def _of_file(guard: Guard, file: PushedFile) -> Iterator[Finding]:
    touched = [path for path in file.paths if is_guarded(guard, path)]
    if touched:
        yield _finding(FindingKind.PATH, file, _what_became(file, touched[-1]), _change(file))
    if file.mode == SUBMODULE:
        added = file.old_mode != SUBMODULE
        if added or not touched:
            words = f"{_name(file.path)} is {'a new' if added else 'another commit of a'} submodule"
            yield _finding(FindingKind.SUBMODULE, file, words, _change(file))
    if file.mode == SYMLINK and (target := _leads_out(file)):
        words = f"{_name(file.path)} is a symbolic link out of the repository, to {_name(target)}"
        yield _finding(FindingKind.SYMLINK, file, words, _change(file))
    if file.size > guard.max_file_bytes:
        words = f"{_name(file.path)} has {file.size:,} bytes (maxFileBytes: {guard.max_file_bytes:,})"
        yield _finding(FindingKind.SIZE, file, words, (file.path, file.blob), hunks="")
    elif file.cut and file.mode:
        words = f"{_name(file.path)} changes more than could be looked through"
        yield _finding(FindingKind.SIZE, file, words, (file.path, file.old_blob, file.blob), hunks="")
    if guard.secrets:
        yield from _secrets(file)


def _secrets(file: PushedFile) -> Iterator[Finding]:
    for token in whole_tokens(file.added_text):
        lines = [line for line in file.hunks.split("\n") if line[:1] == "+" and token.split("\n")[0] in line]
        words = f"{_name(file.path)} holds {_kind_of(token)}"
        yield Finding(
            kind=FindingKind.SECRET,
            fingerprint=_fingerprint(FindingKind.SECRET, token),
            words=words,
            path=_name(file.path),
            hunks=excerpt("\n".join(lines[:3]), 600),
        )


def _other_secrets(diff: PushedDiff, known: Collection[str]) -> Iterator[Finding]:
    """Those in no file's new lines, which are pushed all the same."""
    seen = set(known)
    names = "\n".join(path for file in diff.files for path in file.paths)
    for where, text in (
        ("a file's name holds {kind}", names),
        ("a commit's message holds {kind}", diff.messages),
        ("a commit on the way holds {kind}; that a later one takes it away helps nobody", diff.passing),
    ):
        for token in whole_tokens(text):
            fingerprint = _fingerprint(FindingKind.SECRET, token)
            if fingerprint not in seen:
                seen.add(fingerprint)
                words = where.format(kind=_kind_of(token))
                yield Finding(kind=FindingKind.SECRET, fingerprint=fingerprint, words=words)


def _kind_of(token: str) -> str:
    """What it looks like, by as much of it as every token of its kind has."""
    if token.startswith("-----BEGIN"):
        return "a private key"
    if token.startswith("eyJ"):
        return "what looks like a signed token (JWT)"
    if "/" in token:
        return "the address of a webhook"
    prefix = re.match(r"[A-Za-z]{2,10}[-_]|[A-Z]{4}", token)
    return f"what looks like a secret ({prefix.group()}…)" if prefix else "what looks like a secret"


def _sizes(guard: Guard, diff: PushedDiff) -> Iterator[Finding]:
    lines = sum(file.added + file.deleted for file in diff.files)
    for name, has, limit, noun in (
        ("maxFiles", len(diff.files), guard.max_files, "file"),
        ("maxLines", lines, guard.max_lines, "line"),
    ):
        if has > limit:
            # A release holds until it has doubled: else each further commit would ask again.
            room = max(limit, 1)
            while room < has:
                room *= 2
            yield Finding(
                kind=FindingKind.SIZE,
                fingerprint=_fingerprint(FindingKind.SIZE, name, str(room)),
                words=f"it changes {counted(has, noun)} ({name}: {limit}); a release holds up to {room}",
            )


def _what_became(file: PushedFile, guarded: str) -> str:
    name = _name(guarded)
    if file.status is FileStatus.RENAMED:
        return f"{_name(file.old_path)} becomes {_name(file.path)}"
    if file.mode == SYMLINK and file.old_mode != SYMLINK:
        return f"{name} is a symbolic link now"
    if file.old_mode and file.mode and file.old_mode != file.mode and file.blob == file.old_blob:
        return f"{name} has mode {file.mode[-3:]} instead of {file.old_mode[-3:]}"
    word = {FileStatus.ADDED: "added", FileStatus.DELETED: "deleted"}.get(file.status, "changed")
    return f"{name} is {word}"


def _change(file: PushedFile) -> tuple[str, ...]:
    """What names a change exactly: its hunks; where they are not all there, the contents before and after."""
    whole = (file.old_blob, file.blob) if file.cut or file.binary else (file.hunks,)
    return (file.old_path, file.path, file.old_mode, file.mode, *whole)


def _finding(
    kind: FindingKind, file: PushedFile, words: str, named_by: tuple[str, ...], hunks: str | None = None
) -> Finding:
    return Finding(
        kind=kind,
        fingerprint=_fingerprint(kind, *named_by),
        words=words,
        path=_name(file.path),
        hunks=_shown(file) if hunks is None else hunks,
    )


def _shown(file: PushedFile) -> str:
    if file.binary:
        return f"(binary, {file.size:,} bytes)"
    return excerpt(file.hunks, MOST_HUNKS)


def _fingerprint(kind: FindingKind, *parts: str) -> str:
    text = "\0".join((kind.value, *parts))
    return hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()[:32]


def _bounded(found: list[Finding]) -> tuple[Finding, ...]:
    """So many that a person can look at them; what is over the bounds is still named, or counted."""
    kept, room = [], MOST_SHOWN
    for finding in found[:MOST_FINDINGS]:
        if len(finding.hunks) > room:
            cut = "[left out: more than can be shown; look at it in the session's workspace]"
            kept.append(_with_hunks(finding, cut))
        else:
            room -= len(finding.hunks)
            kept.append(finding)
    rest = found[MOST_FINDINGS:]
    if rest:
        all_of_it = _fingerprint(FindingKind.SIZE, *(finding.fingerprint for finding in rest))
        words = f"{len(rest)} more, which are too many to be shown"
        kept.append(Finding(kind=FindingKind.SIZE, fingerprint=all_of_it, words=words))
    return tuple(kept)


def _with_hunks(finding: Finding, hunks: str) -> Finding:
    return Finding(
        kind=finding.kind,
        fingerprint=finding.fingerprint,
        words=finding.words,
        path=finding.path,
        hunks=hunks,
    )


def _name(path: str) -> str:
    return mask(one_line(path, 200))


# Paths ----------------------------------------------------------------------------------------------


def is_guarded(guard: Guard, path: str) -> bool:
    """Whether a change of this path waits for a person."""
    if any(matches(pattern, path) for pattern in guard.paths):
        return True
    if any(matches(pattern, path) for pattern in guard.allow):
        return False
    return any(matches(pattern, path) for pattern in DEFAULT_PATHS)


def matches(pattern: str, path: str) -> bool:
    """Whether a pattern is for a path, in any case: file systems and tools differ on that.

    As in `.gitignore`: without a slash it is for that name in every folder, with one from the top;
    `*` stands for any part of a name, `**` for any folders, and `folder/**` for the folder itself too.
    """
    return _compiled(pattern).fullmatch(_plain(path)) is not None


def _plain(path: str) -> str:
    """As the laxest file system compares it: case, forms of letters, invisible characters."""
    visible = "".join(c for c in path if unicodedata.category(c) != "Cf")
    return unicodedata.normalize("NFKC", visible).casefold()


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    text = pattern.strip().rstrip("/") if pattern.strip() != "/" else "**"
    anywhere = "/" not in text
    regex = ""
    for part in re.split(r"(/\*\*\Z|\A\*\*/|/\*\*/|\*\*|\*|\?)", _plain(text.removeprefix("/"))):
        regex += _PARTS.get(part, re.escape(part))
    beneath = "" if regex.endswith(_PARTS["/**"]) else "(?:/.*)?"
    return re.compile(("(?:.*/)?" if anywhere else "") + regex + beneath, re.DOTALL)


_PARTS = {
    "/**": "(?:/.*)?",
    "**/": "(?:.*/)?",
    "/**/": "/(?:.*/)?",
    "**": ".*",
    "*": "[^/]*",
    "?": "[^/]",
}


def _leads_out(file: PushedFile) -> str:
    """Where a symbolic link leads, if that is out of the repository or into `.git`; else empty."""
    target = file.added_text
    if file.cut or not target:
        return "" if not file.cut else "somewhere that could not be read"
    if target.startswith("/") or target[1:2] == ":" or "\\" in target:
        return target
    parts = file.path.split("/")[:-1]
    for part in target.split("/"):
        if part == "..":
            if not parts:
                return target
            parts.pop()
        elif part not in {"", "."}:
            parts.append(part)
    return target if parts and _plain(parts[0]) == ".git" else ""
