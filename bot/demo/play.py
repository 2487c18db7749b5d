"""Plays issue 1 of the sandbox through, as a client of a separate `ao start`, and judges it from outside.

Whatever it claims was seen in git, in tmux or in the event log. The first thing that is not so ends it
with its name.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from bot.chat.message import Json
from bot.demo import sandbox
from bot.demo.cast import Cast, cast
from bot.demo.evidence import Repository, Terminals, clean_environment, python
from bot.demo.hosting import Hosting, LocalHosting, NotThere
from bot.frontends.api.client import Client
from orchestrator.domain.ids import ProjectId, short_sha
from orchestrator.errors import AoError
from orchestrator.storage.layout import Home, server_name

STEP_LIMIT = 30.0
"""Seconds that one step of the story may take at most."""
PAUSE = 0.1
SESSION = "demo-1"
PROJECT = ProjectId(sandbox.PROJECT)


class StoryBroken(Exception):
    """A step of the story did not come true; `step` names it."""

    def __init__(self, step: str, seen: str) -> None:
        super().__init__(f"{step}: {seen}")
        self.step = step
        self.seen = seen


def _expect(step: str, holds: bool, otherwise: str) -> None:  # noqa: FBT001 - it reads as a sentence
    if not holds:
        raise StoryBroken(step, otherwise)


@dataclass(slots=True)
class Seen:
    """What was observed so far."""

    events: list[dict[str, Json]] = field(default_factory=list)
    red_head: str = ""
    green_head: str = ""
    user_head: str = ""
    base_before: str = ""
    branch: str = ""


class Story:
    """The steps, in order. `at` is called with a step's name before it: a test breaks things there."""

    issue = "1"

    def __init__(
        self,
        home: Path,
        tell: Callable[[str], None],
        at: Callable[[str, Story], None],
        played_by: Cast | None = None,
        hosting: Hosting | None = None,
    ) -> None:
        self.home = Home(home)
        self.cast = played_by or Cast()
        self.terminals = Terminals(server_name(self.home))
        self.hosting = hosting or LocalHosting()
        self.place = self.hosting.make(home, self.cast)
        self.user = Repository(self.place.repository)
        self.forge = self.hosting.repository
        self.client = Client(self.home.api_socket)
        self.seen = Seen()
        self._tell = tell
        self._at = at
        self._started = time.monotonic()
        self.limit = self.hosting.step_limit
        self.server: subprocess.Popen[bytes] | None = None

    def play(self) -> None:
        """The whole story. Raises `StoryBroken`."""
        for name, step in self.steps():
            self._at(name, self)
            try:
                said = step()
            except AoError as error:
                raise StoryBroken(name, str(error)) from error
            self._tell(f"{time.monotonic() - self._started:5.1f} s  {name}: {said}")

    def steps(self) -> tuple[tuple[str, Callable[[], str]], ...]:
        """Each step with its name, in order."""
        return (
            ("server", self.start_server),
            ("spawn", self.spawn),
            ("agent", self.agent_works),
            ("pull request", self.pull_request),
            ("ci fails", self.ci_fails),
            ("message", self.message_arrives),
            ("fix", self.fix),
            ("approve", self.approve),
            ("merge", self.merge),
            ("clean-up", self.clean_up),
            ("stop", self.stop_server),
        )

    def start_server(self) -> str:
        """A process of its own, reached through its API only."""
        log = (self.home.path / "start.log").open("ab")
        argv = [python(), "-m", "bot", "--config", str(self.place.config), "start"]
        env = clean_environment(self.home.path, self.cast.withheld) | self.cast.environment
        self.server = subprocess.Popen(argv, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        log.close()
        self._until("server", self._answers)
        self.seen.user_head = self.user.commit("HEAD")
        there = self._there("server", lambda: self.hosting.joined(self.client))
        return "; ".join(filter(None, (f"ao start answers (pid {self.server.pid})", there)))

    def _answers(self) -> str:
        if self.server is not None and self.server.poll() is not None:
            tail = (self.home.path / "start.log").read_text(errors="replace")[-1500:]
            _expect(
                "server", holds=False, otherwise=f"ao start ended with code {self.server.returncode}:\n{tail}"
            )
        return "yes" if self.client.running() else ""

    def spawn(self) -> str:
        """Worktree, branch and terminal are there."""
        self.client.act("spawn", {"project": sandbox.PROJECT, "issue": self.issue})
        self._until("spawn", lambda: self.terminals.has(SESSION) and "yes", "no tmux session")
        self._until("spawn", self._worktree, "no worktree")
        branch = self.user.ask("for-each-ref", "--format=%(refname:short)", f"refs/heads/{self._branch()}")
        _expect("spawn", bool(branch), f"there is no branch {self._branch()}")
        where = f"worktree {self._worktree()}, branch {branch}, tmux session {SESSION}"
        return "; ".join(filter(None, (where, self._turn("spawn", "working"))))

    def _worktree(self) -> str:
        return next((w for w in self.user.worktrees() if w.endswith(f"/{SESSION}")), "")

    def _branch(self) -> str:
        return str(self.client.session(SESSION)["branch"])

    def agent_works(self) -> str:
        """The agent shows its own label and moves."""
        trusted = self._trust() if self.cast.trusts else ""
        label = self.cast.label
        self._until("agent", lambda: label in self.terminals.screen(SESSION) and "yes", "silent")
        return f"{trusted}{label} shows its work in its terminal"

    def _trust(self) -> str:
        """The agent asks once whether the repository is trusted; the demo answers as its person."""
        self._event("agent", "question.asked")
        self.client.act("answer", {"session": SESSION, "text": "1"})
        self._event("agent", "question.delivered")
        return "asked whether its folder is trusted, and told so; "

    def pull_request(self) -> str:
        """Its branch is on the forge, with commits of its own."""
        opened = self._event("pull request", "pr.opened")
        branch = self._branch()
        head = self._until("pull request", lambda: self.forge.commit(f"refs/heads/{branch}"), "no branch")
        self.seen.base_before = self.forge.commit("refs/heads/main")
        _expect("pull request", head != self.seen.base_before, "the branch has no commit of its own")
        there = self._there("pull request", lambda: self.hosting.opened(SESSION, branch))
        return f"{opened}; {short_sha(head)} is on the forge: {there}"

    def ci_fails(self) -> str:
        """The checks say so, and a fresh checkout of that head fails indeed."""
        text = self._event("ci fails", "ci.failing")
        self.seen.red_head = self._data("ci.failing", "head")
        _expect(
            "ci fails",
            not self.forge.tests_pass(self.seen.red_head, sandbox.TEST_COMMAND),
            f"the tests of {short_sha(self.seen.red_head)} pass here",
        )
        there = self._there("ci fails", lambda: self.hosting.checked(self.seen.red_head, passed=False))
        return f"{text}; {there}"

    def message_arrives(self) -> str:
        """The failing lines went to the agent, and the agent says itself that it has them."""
        self._event("message", "reaction.sent")
        accepted = self._event("message", "message.accepted")
        self._until(
            "message",
            lambda: sandbox.FAILING_TEXT in self.terminals.screen(SESSION) and "yes",
            f"{sandbox.FAILING_TEXT!r} is not on the agent's screen",
        )
        return f"{accepted}; the failing line is on its screen"

    def fix(self) -> str:
        """A new head is on the forge, and its tests pass in a fresh checkout."""
        self._event("fix", "ci.passing")
        head = self._data("ci.passing", "head")
        _expect(
            "fix",
            head != self.seen.red_head and self.forge.commit(f"refs/heads/{self._branch()}") == head,
            f"{short_sha(head)} is no new head of the branch",
        )
        _expect(
            "fix",
            self.forge.tests_pass(head, sandbox.TEST_COMMAND),
            f"the tests of {short_sha(head)} fail here",
        )
        self.seen.green_head = head
        there = self._there("fix", lambda: self.hosting.checked(head, passed=True))
        return f"checks passed at {short_sha(head)}; {there}"

    def approve(self) -> str:
        """Approval is asked, given at the head, and kept."""
        self._event("approve", "review.pending")
        asked = self._turn("approve", "review")
        self.client.act("approve", {"session": SESSION, "head": self.seen.green_head})
        said = self._event("approve", "review.approved_here")
        if self.hosting.carried:
            said = self._event("approve", "review.carried")
            _expect("approve", self.hosting.carried in said, said)
        self._event("approve", "merge.ready")
        return "; ".join(filter(None, (asked, said, self._approval_there())))

    def _approval_there(self) -> str:
        branch = self._branch()
        return self._there("approve", lambda: self.hosting.approved(branch, self.seen.green_head))

    def _turn(self, step: str, whose: str) -> str:
        return self._there(step, lambda: self.hosting.turn(int(self.issue), whose))

    def merge(self) -> str:
        """The base branch has the change, its tests pass, and nobody's checkout moved."""
        self.seen.branch = self._branch()
        self.client.act("merge", {"session": SESSION, "head": self.seen.green_head})
        self._event("merge", "pr.merged", unless="merge.refused")
        there = self._merged_there()
        _expect(
            "merge",
            self.forge.tests_pass("main", sandbox.TEST_COMMAND),
            "the tests of main fail after the merge",
        )
        _expect("merge", self.user.commit("HEAD") == self.seen.user_head, "the user's own checkout moved")
        return there

    def _merged_there(self) -> str:
        base = self.forge.commit("refs/heads/main")
        _expect("merge", base != self.seen.base_before, f"main is at {short_sha(base)} still")
        there = self._there("merge", lambda: self.hosting.merged(self.seen.branch, self.seen.green_head))
        return f"main is at {short_sha(base)}; {there}"

    def clean_up(self) -> str:
        """Terminal, worktree and the forge's branch are gone; the session is among the ended ones."""
        self._event("clean-up", "session.ended")
        self._until("clean-up", lambda: not self.terminals.has(SESSION) and "yes", "the terminal is there")
        self._until("clean-up", lambda: not self._worktree() and "yes", "the worktree is there")
        ended = self.home.project(PROJECT).ended / SESSION
        self._until("clean-up", lambda: ended.is_dir() and "yes", "it is not among the ended ones")
        _expect(
            "clean-up",
            not (self.user.ask("status", "--porcelain", "--", ".", ":!issues")),
            "the user's checkout is not clean",
        )
        there = self._there("clean-up", lambda: self.hosting.tidied(self.seen.branch, int(self.issue)))
        return f"terminal and worktree are gone; {there}"

    def stop_server(self) -> str:
        """It ends by itself when asked, with code 0."""
        assert self.server is not None  # noqa: S101 - started by the first step
        self.server.terminate()
        code = self.server.wait(timeout=STEP_LIMIT)
        _expect("stop", code == 0, f"ao start ended with code {code}")
        return "ao start ended with code 0"

    def close(self) -> None:
        """Leave nothing behind: server and terminals."""
        if self.server is not None and self.server.poll() is None:
            self.server.kill()
            self.server.wait(timeout=STEP_LIMIT)
        self.terminals.end()
        self.cast.close()
        self.hosting.close()

    def _until(self, step: str, look: Callable[[], str | bool], otherwise: str = "nothing came") -> str:
        """Look until there is an answer. Raises `StoryBroken` when the step takes too long."""
        limit = time.monotonic() + self.limit
        while True:
            found = look()
            if found:
                return str(found)
            now = time.monotonic()
            if now > limit or now - self._started > self.hosting.whole_limit:
                raise StoryBroken(step, f"{otherwise} within {now - self._started:.0f} s; {self._last()}")
            time.sleep(PAUSE)

    def _there(self, step: str, look: Callable[[], str]) -> str:
        """What is to be seen where the project is hosted; a forge may show it a moment later."""
        seen = [""]

        def once() -> bool:
            try:
                seen[0] = look()
            except NotThere as error:
                seen[0] = str(error)
                return False
            return True

        limit = time.monotonic() + self.limit
        while not once():
            if time.monotonic() > limit:
                raise StoryBroken(step, f"{seen[0]}; {self._last()}")
            time.sleep(PAUSE)
        return seen[0]

    def _event(self, step: str, kind: str, unless: str = "") -> str:
        """Wait for an event of that type and return its text."""

        def look() -> str:
            self._read_events(wait=0.5)
            refused = self._find(unless) if unless else None
            if refused is not None:
                raise StoryBroken(step, str(refused["text"]))
            found = self._find(kind)
            return str(found["text"]) if found else ""

        return self._until(step, look, f"no event {kind}")

    def _find(self, kind: str) -> dict[str, Json] | None:
        return next((e for e in reversed(self.seen.events) if e["type"] == kind), None)

    def _data(self, kind: str, name: str) -> str:
        found = self._find(kind)
        data = found["data"] if found else {}
        return str(data.get(name, "")) if isinstance(data, dict) else ""

    def _read_events(self, wait: float = 0.0) -> None:
        after = int(str(self.seen.events[-1]["seq"])) if self.seen.events else 0
        self.seen.events += self.client.events(after, limit=500, wait=wait)

    def _last(self) -> str:
        try:
            self._read_events()  # a step that looked at the terminal alone has read none
        except AoError as error:
            return f"its events cannot be read: {error}"
        rows = [f"{e['type']}: {e['text']}" for e in self.seen.events[-4:]]
        return "the last events were " + "; ".join(rows) if rows else "there were no events"


def headless(
    home: Path,
    tell: Callable[[str], None] = print,
    at: Callable[[str, Story], None] = lambda _step, _story: None,
    agent: str = "",
    hosting: Hosting | None = None,
) -> int:
    """Play the story in an `$AO_HOME` of its own; 0 when all of it came true. Raises `AoError` without the agent."""
    story = Story(home, tell, at, cast(agent, home / "model.jsonl", tell), hosting)
    try:
        story.play()
    except StoryBroken as broken:
        tell(f"BROKEN at {broken.step}: {broken.seen}")
        return 1
    finally:
        story.close()
    tell(f"The whole story came true in {time.monotonic() - story._started:.0f} s.")  # noqa: SLF001 - its own
    return 0
