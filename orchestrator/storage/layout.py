"""Where everything lies under `$AO_HOME`, and whether a folder may be used as one.

Every path of the product's own state is named here and nowhere else.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from orchestrator.domain.ids import ProjectId, SessionId, project_id, session_id
from orchestrator.errors import BadInput, NotReady

DEFAULT = ".agent-orchestrator"
SOCKET_BYTES = 100
"""Longest path of a unix socket that we use; Linux takes 107 bytes, macOS 103."""

# What the reference system leaves in its home. A `config.yaml` alone says nothing: ours is named so too.
_FOREIGN = ("running.json", "last-stop.json", "plugin-registry.json", "portfolio", "*-observability")
_FOREIGN_SESSIONS = "projects/*/sessions/*.json"


@dataclass(frozen=True, slots=True)
class SessionFolder:
    """The folder of one session, live or ended."""

    path: Path

    @property
    def document(self) -> Path:
        """The session's kept facts."""
        return self.path / "session.json"

    def conversation(self, surface: str) -> Path:
        """What is kept of its card and thread on a surface (`slack`)."""
        return self.path / f"{surface}.json"

    @property
    def prompt(self) -> Path:
        """What the agent was asked."""
        return self.path / "prompt.md"

    @property
    def agent(self) -> Path:
        """The agent's own signals: one file per hook event."""
        return self.path / "agent"

    @property
    def bin(self) -> Path:
        """The only folder of ours on the agent's PATH."""
        return self.path / "bin"

    @property
    def outbox(self) -> Path:
        """Requests from the agent."""
        return self.path / "outbox"

    @property
    def inbox(self) -> Path:
        """Answers to the agent."""
        return self.path / "inbox"

    def make(self) -> None:
        """Make the folder and what the agent sees in it; what is there already stays."""
        for folder in (self.path, self.agent, self.bin, self.outbox, self.inbox):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)


@dataclass(frozen=True, slots=True)
class ProjectFolder:
    """The folder of one project."""

    path: Path

    @property
    def sessions(self) -> Path:
        """One folder per live session."""
        return self.path / "sessions"

    @property
    def ended(self) -> Path:
        """One folder per ended session; nothing looks in here at start."""
        return self.path / "ended"

    @property
    def mirror(self) -> Path:
        """Our bare repository."""
        return self.path / "mirror.git"

    @property
    def forge(self) -> Path:
        """The local scm's repository."""
        return self.path / "forge.git"

    @property
    def worktrees(self) -> Path:
        """Where workspaces are made unless the configuration says otherwise."""
        return self.path / "worktrees"

    def session(self, session: SessionId) -> SessionFolder:
        """The folder of a live session. Raises `BadInput` for what is no session id."""
        return SessionFolder(self.sessions / session_id(session))

    def ended_session(self, session: SessionId) -> SessionFolder:
        """The folder of an ended session. Raises `BadInput` for what is no session id."""
        return SessionFolder(self.ended / session_id(session))


@dataclass(frozen=True, slots=True)
class Home:
    """One `$AO_HOME`. Making the value touches nothing; `prepare` makes the folders."""

    path: Path

    @classmethod
    def default(cls, env: Mapping[str, str]) -> Home:
        """`$AO_HOME`, or `~/.agent-orchestrator`."""
        named = env.get("AO_HOME", "")
        if named:
            return cls(Path(named).expanduser().absolute())
        return cls(Path(env.get("HOME") or "~").expanduser().absolute() / DEFAULT)

    @property
    def lock(self) -> Path:
        """Held by the one writer."""
        return self.path / "lock"

    @property
    def format(self) -> Path:
        """Version of this layout."""
        return self.path / "format"

    @property
    def fleet(self) -> Path:
        """What is kept of the fleet as a whole."""
        return self.path / "fleet.json"

    @property
    def writable(self) -> Path:
        """Made and taken away again to see whether the disk takes writes."""
        return self.path / "writable"

    @property
    def events(self) -> Path:
        """Folder of the event log."""
        return self.path / "events"

    @property
    def requests(self) -> Path:
        """What was asked."""
        return self.path / "requests.jsonl"

    @property
    def audit(self) -> Path:
        """What was decided, by whom, at which commit."""
        return self.path / "audit.jsonl"

    @property
    def counters(self) -> Path:
        """Highest session number used so far, one file per prefix."""
        return self.path / "counters"

    @property
    def config(self) -> Path:
        """The configuration that is used where no nearer one is found."""
        return self.path / "config.yaml"

    @property
    def last_configuration(self) -> Path:
        """Names the configuration that this home last ran with."""
        return self.path / "last-configuration"

    @property
    def trusted(self) -> Path:
        """Hashes of the configurations that a person trusted."""
        return self.path / "trusted"

    @property
    def links(self) -> Path:
        """What lets us act as people on forges: one file for each person and host."""
        return self.path / "links"

    @property
    def projects(self) -> Path:
        """One folder per project."""
        return self.path / "projects"

    @property
    def run(self) -> Path:
        """What only a running process needs."""
        return self.path / "run"

    @property
    def api_socket(self) -> Path:
        """The API's unix socket: in `run/`, or in a short folder when that path is too long.

        The short folder follows from the home and the user alone, so that every shell and every
        service finds the same one whatever its environment is.
        """
        usual = self.run / "api.sock"
        if len(os.fsencode(usual)) <= SOCKET_BYTES:
            return usual
        short = Path("/tmp")  # noqa: S108 - `private_folder` refuses one that is not ours alone
        return short / f"ao-{os.getuid()}-{home_hash(self)}" / "api.sock"

    def project(self, project: ProjectId) -> ProjectFolder:
        """The folder of a project. Raises `BadInput` for what is no project id."""
        return ProjectFolder(self.projects / project_id(project))

    def project_ids(self) -> tuple[ProjectId, ...]:
        """Projects that have a folder, by name."""
        return tuple(sorted(_project_names(self.projects)))

    def check(self) -> None:
        """Refuse a home that is another system's or not ours alone. Raises `NotReady`, `BadInput`."""
        try:
            found = self.path.stat()
        except FileNotFoundError:
            return
        except OSError as error:
            msg = f"{self.path} cannot be looked at: {error.strerror}."
            raise NotReady(msg, next_step="Set AO_HOME to a folder that is yours alone.") from error
        if not stat.S_ISDIR(found.st_mode):
            msg = f"{self.path} is not a folder."
            raise BadInput(msg, next_step="Set AO_HOME to a folder.")
        if found.st_uid != os.getuid() or found.st_mode & stat.S_IWOTH:
            msg = f"{self.path} belongs to another user, or others can write to it."
            raise NotReady(msg, next_step="Set AO_HOME to a folder that is yours alone.")
        mark = foreign_mark(self)
        if mark is not None:
            msg = f"{self.path} was written by another Agent Orchestrator ({mark.name} is there); it is left alone."
            raise NotReady(msg, next_step=f"Set AO_HOME to another folder, for example {self.path}-py.")

    def prepare(self) -> None:
        """Check the home and make its folders. Raises like `check`."""
        self.check()
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            for folder in (self.events, self.counters, self.projects, self.run):
                folder.mkdir(mode=0o700, exist_ok=True)
                folder.chmod(0o700)
        except OSError as error:
            msg = f"the folder {self.path}, where ao keeps its state, cannot be made: {error.strerror}."
            raise NotReady(msg, next_step="Set AO_HOME to a folder that you can write to.") from error
        private_folder(self.api_socket.parent)


def _project_names(projects: Path) -> Iterator[ProjectId]:
    if not projects.is_dir():
        return
    for entry in projects.iterdir():
        try:
            yield project_id(entry.name)
        except BadInput:
            continue  # not made by us, and none of our business


def foreign_mark(home: Home) -> Path | None:
    """A file that shows that the reference system wrote this home, or None."""
    if home.format.exists():
        return None
    for pattern in (*_FOREIGN, _FOREIGN_SESSIONS):
        for path in home.path.glob(pattern):
            return path
    return None


def home_hash(home: Home) -> str:
    """Ten hexadecimal digits that stand for this home, by whatever path it is reached."""
    return hashlib.sha256(os.fsencode(home.path.resolve())).hexdigest()[:10]


def server_name(home: Home) -> str:
    """Name of the terminal server's own socket, so that two homes never meet."""
    return f"ao-{home_hash(home)}"


def private_folder(path: Path) -> None:
    """Make a folder that is ours alone, or see that it is. Raises `NotReady` when it is not.

    Somebody else may have made it first in a folder that everybody can write to.
    """
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        msg = f"{path} is not a folder of yours alone (mode 0700)."
        raise NotReady(msg, next_step="Remove it, or set AO_HOME to a shorter path.")
