"""`ao start` whose agents are real Claude Code, with a model server that plays plans."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bot.demo import sandbox
from bot.demo.cast import Cast, cast
from bot.demo.real_issues import real_issue
from tests.benchmarks.program import Program
from tests.contracts import real_agents

AGENT = "claude-code"
MODEL_LOG = "model.jsonl"
QUESTION = {
    "question": "One word or two?",
    "header": "Words",
    "multiSelect": False,
    "options": [
        {"label": "One word", "description": "as one"},
        {"label": "Two words", "description": "as two"},
    ],
}
Event = dict[str, Any]
Make = Callable[[Path, Cast], sandbox.Sandbox]


@contextmanager
def real_fleet(
    home: Path,
    make: Make = sandbox.make,
    *,
    issues: Mapping[int, str] | None = None,
    allowed: Sequence[str] = (),
    own_login: bool = False,
) -> Iterator[Program]:
    """A server with a sandbox of these issues, and nobody in it yet. `allowed` are more rules of its policy.

    With `own_login` there is no key but a login, and sessions share the folder of a person, as most do.
    """
    played_by = cast(AGENT, home / MODEL_LOG, print, real_agents.program(AGENT))
    try:
        if issues is not None:
            played_by.issues = issues
        if own_login:
            played_by.environment = {**_login(home / "person"), **played_by.environment}
            del played_by.environment["ANTHROPIC_API_KEY"]
        played_by.configuration += "".join(f"        - {rule}\n" for rule in allowed)
        with Program(home, make(home, played_by), played_by).serving() as program:
            yield program
    finally:
        played_by.close()


def _login(person: Path) -> dict[str, str]:
    """A person's home in which Claude Code was set up before; the login opens nothing."""
    person.mkdir()
    (person / ".claude.json").write_text('{"hasCompletedOnboarding": true, "theme": "dark"}')
    return {"HOME": str(person), "CLAUDE_CODE_OAUTH_TOKEN": "sk-ant-oat01-" + "0" * 40}


def ready_issues(count: int) -> dict[int, str]:
    """Issues in which nothing is to be done; further work comes with messages."""
    plan = [{"say": "Ready."}]
    return {n: real_issue(f"Task {n}", "Say that you are ready.", plan) for n in range(1, count + 1)}


class Listener:
    """Reads the event log once, in order, and answers what the first agent asks about trust."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.events: list[Event] = []

    def hear(self) -> list[Event]:
        """What is new."""
        after = int(self.events[-1]["seq"]) if self.events else 0
        new: list[Event] = [dict(event) for event in self.program.client.events(after, limit=1000)]
        self.events += new
        return new

    def next(self, kind: str, session: str = "", after: int = 0) -> Event:
        """The first event of that kind with a number above `after`, once it is there."""

        def look() -> Event | None:
            self.hear()
            later = (e for e in self.events if e["seq"] > after and e["session"] == (session or e["session"]))
            return next((event for event in later if event["type"] == kind), None)

        return self.program.until(f"{kind} {session}", look, pause=0.02) or {}

    @property
    def last(self) -> int:
        """The number of the newest event that was heard."""
        return int(self.events[-1]["seq"]) if self.events else 0

    def trust(self) -> None:
        """Answer for the person whether the repository is trusted, once; it holds for all other sessions."""
        asked = self.next("question.asked")
        self.program.client.act("answer", {"session": asked["session"], "text": "1"})

    def rests(self, session: str) -> None:
        """Wait until its agent's turn is over."""

        def idle() -> bool:
            return _work(self.program.client.session(session)) == "idle"

        self.program.until(f"{session} is idle", idle)


def _work(session: Mapping[str, Any]) -> str:
    return str(session["work"]["state"])
