"""Which repository on a forge a checkout is of, read from its remotes. Only files are read; nothing is run.

What stands there may be an agent's work: no include is followed, and of the address only host, owner and
name are used.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

_MOST = 1_000_000
_SECTION = re.compile(r'\[\s*remote\s+"((?:[^"\\]|\\.)*)"\s*\]\s*(?:[#;].*)?', re.IGNORECASE)
_URL = re.compile(r"url\s*=\s*(.*)", re.IGNORECASE)
_SCP = re.compile(r"(?:[^@/\s]+@)?([A-Za-z0-9.-]+):(?!/)(.+)")
_REPO = re.compile(r"([A-Za-z0-9](?:[A-Za-z0-9-]{0,38}))/([A-Za-z0-9._-]{1,100})")
_SSH_HOSTS = {"ssh.github.com": "github.com", "www.github.com": "github.com"}
"""Other names of one host; the first is for networks that let nothing but port 443 out."""


@dataclass(frozen=True, slots=True)
class Remote:
    """An address taken apart."""

    host: str
    """In lower case; of an http address with its port, if it names one."""
    path: str
    """Without `.git` and slashes at its ends."""

    @property
    def repo(self) -> str:
        """`owner/name`; empty for anything else."""
        return self.path if _REPO.fullmatch(self.path) and not self.path.endswith("/..") else ""


def remote_of(checkout: Path) -> Remote | None:
    """Where `origin`, or the only remote, is; None without one, or where it is a folder."""
    urls = dict(_remotes(_config(checkout)))
    url = urls.get("origin") or (next(iter(urls.values())) if len(urls) == 1 else "")
    return parse(url)


def repo_at(checkout: Path, hosts: Collection[str]) -> str:
    """`owner/name` where the remote is on one of these hosts; else empty."""
    found = remote_of(checkout)
    return found.repo if found is not None and found.host in hosts else ""


def parse(url: str) -> Remote | None:
    """An address as git takes them: with a scheme, or like scp's. None for paths and what is no address."""
    if "://" not in url:
        found = _SCP.fullmatch(url)
        return _remote(found[1], found[2]) if found else None
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port and parts.scheme in {"http", "https"} else ""
    except ValueError:
        return None
    if parts.scheme not in {"http", "https", "ssh", "git", "git+ssh"} or not parts.hostname:
        return None
    return _remote(f"{parts.hostname}{port}", parts.path)


def host_of_api(api_url: str) -> str:
    """The host of repositories, from the address of a forge's interface."""
    try:
        parts = urlsplit(api_url)
        host = (parts.hostname or "") + (f":{parts.port}" if parts.port else "")
    except ValueError:
        return ""
    ours = host.endswith(".ghe.com") or host == "api.github.com"
    return host.removeprefix("api.") if ours else host


def _remote(host: str, path: str) -> Remote:
    lowered = host.lower()
    return Remote(_SSH_HOSTS.get(lowered, lowered), path.strip("/").removesuffix(".git").rstrip("/"))


def _remotes(config: str) -> Iterator[tuple[str, str]]:
    """Name and first address of each remote, in the file's order (git-config, *Syntax*)."""
    name, known = None, set[str]()
    for line in config.splitlines():
        text = line.strip()
        if text.startswith("["):
            section = _SECTION.match(text)
            name = re.sub(r"\\(.)", r"\1", section[1]) if section else None
            text = text[section.end() :].strip() if section else ""
        found = _URL.fullmatch(text)
        if found and name is not None and name not in known:
            known.add(name)
            yield name, _value(found[1])


def _value(text: str) -> str:
    """A value without quotes and without the comment after it."""
    if text.startswith('"'):
        return text[1:].partition('"')[0]
    return re.split(r"\s*[#;]", text, maxsplit=1)[0].strip()


def _config(checkout: Path) -> str:
    """The text of a repository's configuration; empty where there is none that can be read."""
    git = checkout / ".git"
    if git.is_file():  # a worktree, or a submodule: it names its folder
        git = _named(git, "gitdir: ") or git
        common = _named(git / "commondir", "")
        git = common or git
    elif not git.exists():
        git = checkout  # a bare one
    return _text(git / "config")


def _named(file: Path, prefix: str) -> Path | None:
    text = _text(file).strip()
    if not text.startswith(prefix) or not text.removeprefix(prefix):
        return None
    return file.parent / text.removeprefix(prefix)


def _text(path: Path) -> str:
    """A regular file's text. A pipe would hang, and a long one is no configuration."""
    try:
        if not path.is_file() or path.stat().st_size > _MOST:
            return ""
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
