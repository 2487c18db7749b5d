"""The world of the fake GitHub: everybody, every repository, the clock, and who is told of what happens."""

from __future__ import annotations

import asyncio
import base64
import secrets
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bot.demo.github.git_repository import Git
from bot.demo.github.model import Event, Issue, Label, Merging, Repository, User
from bot.demo.github.model_checks import Checks
from bot.demo.github.refusals import CannotDo, Json

_FIRST_LABELS = {"bug": "d73a4a", "enhancement": "a2eeef", "documentation": "0075ca"}


def iso(at: float | None) -> str | None:
    """A time as GitHub writes it."""
    return None if at is None else datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(slots=True)
class Clock:
    """Time that a test can move."""

    real: Callable[[], float]
    offset: float = 0.0

    def now(self) -> float:
        """Seconds since 1970."""
        return self.real() + self.offset


@dataclass(slots=True)
class Happening:
    """Something that a webhook tells of. `payload` lacks sender and repository."""

    repo: Repository
    event: str
    action: str
    payload: Json
    sender: User


@dataclass(slots=True)
class World:
    """Everything. Only this process changes it."""

    folder: Path
    clock: Clock
    address: str = ""
    """`http://127.0.0.1:PORT`, once it is known."""
    users: dict[str, User] = field(default_factory=dict)
    repositories: dict[str, Repository] = field(default_factory=dict)
    """By lower-case owner/name."""
    renamed: dict[str, Repository] = field(default_factory=dict)
    """Old lower-case owner/name -> where it is now."""
    nodes: dict[str, object] = field(default_factory=dict)
    """Node id -> object."""
    listeners: list[Callable[[Happening], None]] = field(default_factory=list)
    """Told of everything that happens."""
    rerun: Callable[[Repository, str], None] = lambda _repo, _sha: None
    """Told that checks of a commit are to run again."""
    logs: dict[str, tuple[float, str]] = field(default_factory=dict)
    """Ticket -> until when it is good, and the log."""
    holds_mergeable: bool = False
    """Mergeability stays unknown, as on a busy day."""
    computing: set[object] = field(default_factory=set)
    """Pull requests whose mergeability is being computed."""
    committed: dict[str, float] = field(default_factory=dict)
    """When each commit that was asked about was made."""
    _last: int = 1000
    _gate: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(8))
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    failures: list[str] = field(default_factory=list)
    """What went wrong in the background; a test asserts that it is empty."""

    @property
    def now(self) -> float:
        """Seconds since 1970."""
        return self.clock.now()

    def api(self, path: str) -> str:
        """An address of the REST API."""
        return f"{self.address}/api/v3{path}"

    def page(self, path: str) -> str:
        """An address of the pages."""
        return f"{self.address}{path}"

    def number(self) -> int:
        """A new database id."""
        self._last += 1
        return self._last

    def node_id(self, prefix: str, number: int) -> str:
        """A global id as GitHub's look."""
        tail = base64.urlsafe_b64encode(number.to_bytes(6, "big")).decode().rstrip("=")
        return f"{prefix}_kwDO{tail}"

    def git(self, repo: Repository) -> Git:
        """Its git folder."""
        return Git(repo.path, self.clock.now, self._gate)

    # People.

    def add_user(self, login: str, kind: str = "User", *, name: str = "", email: str = "") -> User:
        """Somebody new, or who is there."""
        if known := self.users.get(login.lower()):
            return known
        number = self.number()
        prefix = {"User": "U", "Bot": "BOT", "Organization": "O"}[kind]
        user = User(number, login, self.node_id(prefix, number), kind, name=name or login, email=email)
        self.users[login.lower()] = user
        self.nodes[user.node_id] = user
        return user

    def user(self, login: str) -> User:
        """Raises `CannotDo`."""
        found = self.users.get(login.lower())
        if found is None:
            msg = f"There is no user {login}."
            raise CannotDo(msg)
        return found

    # Repositories.

    async def add_repository(
        self, full_name: str, *, seed: Path | None = None, private: bool = False, default_branch: str = "main"
    ) -> Repository:
        """A new repository from a folder of files, a git repository, or empty."""
        owner, _, name = full_name.partition("/")
        if full_name.lower() in self.repositories:
            msg = f"{full_name} is there already."
            raise CannotDo(msg)
        number = self.number()
        repo = Repository(
            number, self.node_id("R", number), self.add_user(owner), name, self.folder / f"{number}.git",
            self.now, self.now, Checks(), default_branch=default_branch, private=private, merging=Merging(),
        )  # fmt: skip
        await self.git(repo).create(default_branch, seed)
        repo.branch_heads = await self.git(repo).branches()
        self.repositories[full_name.lower()] = repo
        self.nodes[repo.node_id] = repo
        for label, color in _FIRST_LABELS.items():
            self.add_label(repo, label, color)
        return repo

    def add_label(self, repo: Repository, name: str, color: str = "ededed", description: str = "") -> Label:
        """A new label of a repository, or the one of that name."""
        if known := repo.labels.get(name.lower()):
            return known
        number = self.number()
        made = Label(number, self.node_id("LA", number), name, color, description)
        repo.labels[name.lower()] = made
        self.nodes[made.node_id] = made
        return made

    def repository(self, full_name: str) -> Repository:
        """By name; also by a former one. Raises `CannotDo`."""
        found = self.find(full_name) or self.renamed.get(full_name.lower())
        if found is None:
            msg = f"There is no repository {full_name}."
            raise CannotDo(msg)
        return found

    def find(self, full_name: str) -> Repository | None:
        """By its present name."""
        return self.repositories.get(full_name.lower())

    def by_id(self, number: int) -> Repository | None:
        """By database id, as redirects name it."""
        return next((repo for repo in self.repositories.values() if repo.id == number), None)

    def rename(self, repo: Repository, full_name: str) -> None:
        """Its old address redirects from now on."""
        owner, _, name = full_name.partition("/")
        del self.repositories[repo.full_name.lower()]
        self.renamed[repo.full_name.lower()] = repo
        repo.owner, repo.name = self.add_user(owner), name
        self.repositories[full_name.lower()] = repo
        self.renamed.pop(full_name.lower(), None)

    # What happens.

    def log_ticket(self, log: str) -> str:
        """By which a log can be read without a token, for a minute."""
        ticket = secrets.token_hex(16)
        self.logs = {name: kept for name, kept in self.logs.items() if kept[0] > self.now}
        self.logs[ticket] = (self.now + 60, log)
        return ticket

    def note(self, issue: Issue, event: str, actor: User, **data: object) -> Event:
        """A line in an issue's timeline; the issue is newer by it."""
        number = self.number()
        made = Event(number, self.node_id("EV", number), event, actor, self.now, dict(data))
        issue.timeline.append(made)
        issue.updated_at = self.now
        self.nodes[made.node_id] = made
        return made

    def happened(self, repo: Repository, event: str, action: str, payload: Json, sender: User) -> None:
        """Tell webhooks and whoever listens."""
        what = Happening(repo, event, action, payload, sender)
        for listener in self.listeners:
            listener(what)

    def later(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something after the answer."""

        async def run() -> None:
            try:
                await work
            except Exception as error:  # noqa: BLE001 - shown to the test, which asserts that there is none
                self.failures.append(repr(error))

        task = asyncio.create_task(run())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def settle(self) -> None:
        """Wait until nothing goes on in the background."""
        while waiting := [task for task in self._tasks if task is not asyncio.current_task()]:
            await asyncio.wait(waiting)

    async def close(self) -> None:
        """End what goes on."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
