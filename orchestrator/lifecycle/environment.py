"""The environment of everything that runs in a session: an allow-list, made from ours. Pure.

What is not named here does not reach an agent, `postCreate` or a check: no token of ours, no virtual
environment, no agent or socket of the person who started `ao`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from orchestrator.domain.project import Project
from orchestrator.domain.session import Session

PASSED = frozenset(
    {
        "ALL_PROXY",
        "HOME",
        "HTTPS_PROXY",
        "HTTP_PROXY",
        "LANG",
        "LANGUAGE",
        "LOGNAME",
        "NODE_EXTRA_CA_CERTS",
        "NO_PROXY",
        "SHELL",
        "SSL_CERT_DIR",
        "SSL_CERT_FILE",
        "TMPDIR",
        "TZ",
        "USER",
        "XDG_CACHE_HOME",
        "XDG_CONFIG_HOME",
        "XDG_DATA_HOME",
        "XDG_STATE_HOME",
        "all_proxy",
        "http_proxy",
        "https_proxy",
        "no_proxy",
    }
)
"""Variables that a session gets as they are; besides them every `LC_*`."""

_PROXIES = frozenset(name for name in PASSED if name.lower().endswith("_proxy"))
_SYSTEM_PATH = ("/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin", "/sbin")

REMOTE = "ao::session"
"""What git pushes to in a session: `bin/git-remote-ao` answers it."""


@dataclass(frozen=True, slots=True)
class Ours:
    """What this process has, of which sessions get a part."""

    variables: Mapping[str, str]
    programs: tuple[str, ...] = ()
    """Folders whose programs are ours (what `ao` is installed in): no session has them on its PATH."""


def session_environment(
    ours: Ours,
    *,
    project: Project,
    session: Session,
    folder: str,
) -> dict[str, str]:
    """The whole environment of a session.

    `folder` is the session's folder as its place names it. Neither our own programs nor the virtual
    environment of whoever started `ao` are on its PATH.
    """
    kept = {name: value for name, value in ours.variables.items() if _passes(name, value)}
    return {
        **kept,
        "PATH": _path(ours, folder),
        # Right in tmux and on any pty of ours; the terminal of whoever started `ao` is neither.
        "TERM": "xterm-256color",
        **_membership(project, session, folder),
        **_git(project),
    }


def _passes(name: str, value: str) -> bool:
    if "\0" in value:
        return False
    if name in _PROXIES and "@" in value:
        return False  # The address holds a password.
    return name in PASSED or name.startswith("LC_")


def search_path(ours: Ours) -> str:
    """Where a session's launch line finds programs, besides those in its own folder."""
    return _path(ours, "")


def _path(ours: Ours, folder: str) -> str:
    avoided = (*ours.programs, ours.variables.get("VIRTUAL_ENV", ""))
    homes = [home.rstrip("/") for home in avoided if home.strip("/")]
    entries = [
        entry
        for entry in ours.variables.get("PATH", "").split(":")
        if entry.startswith("/") and not any(f"{entry}/".startswith(f"{home}/") for home in homes)
    ]
    return ":".join(dict.fromkeys((f"{folder}/bin", *entries, *_SYSTEM_PATH)))


def _membership(project: Project, session: Session, folder: str) -> dict[str, str]:
    # Both spellings of each name are in use: the reference system's and the short one.
    return {
        "AO_CALLER_TYPE": "agent",
        "AO_ISSUE": session.task.issue,
        "AO_ISSUE_ID": session.task.issue,
        "AO_PROJECT": project.id,
        "AO_PROJECT_ID": project.id,
        "AO_SESSION": session.id,
        "AO_SESSION_DIR": folder,
        "AO_SESSION_ID": session.id,
        "AO_SESSION_NAME": session.id,
    }


def _git(project: Project) -> dict[str, str]:
    """Settings of git by variables, so that the repository's own configuration stays untouched.

    Not `push.autoSetupRemote`: it writes to that configuration, under a lock that worktrees share.
    """
    settings = {
        "remote.origin.pushurl": REMOTE,
        "remote.pushDefault": "origin",
        "push.default": "current",
        "protocol.ao.allow": "always",
    }
    if not project.repo:
        # Without a forge there may be no `origin` at all, and git pushes to none that has no address. Where
        # there is one after all, its own address comes first, and that is the one that is fetched from.
        settings["remote.origin.url"] = REMOTE
    variables = {"GIT_CONFIG_COUNT": str(len(settings)), "GIT_TERMINAL_PROMPT": "0"}
    for number, (key, value) in enumerate(settings.items()):
        variables[f"GIT_CONFIG_KEY_{number}"] = key
        variables[f"GIT_CONFIG_VALUE_{number}"] = value
    return variables
