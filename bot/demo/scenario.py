"""One session talked through on a chat surface: denied, spawned, asked, answered, steered, restarted, merged.

A real agent is asked whether it trusts its folder, and its failing check is sent back, instead. The same file is played over every surface: a `Hand` does on it what a person does and sees. What it claims was
seen on the surface *and* in git, tmux or the event log.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn, Protocol, runtime_checkable

from typing_extensions import override

from bot.demo import sandbox
from bot.demo.cast import Cast, cast
from bot.demo.hosting import Hosting
from bot.demo.play import PROJECT, SESSION, STEP_LIMIT, Story, StoryBroken

ASKS = "2"
"""The issue whose agent asks a question."""
TITLES = {"1": "Slugs lose accented letters", ASKS: "Hyphenated words"}
"""What the card shows of an issue."""
QUESTION = "Is `well-known` one word or two?"
ANSWER = "one word"
_CODE = re.compile(r"type ([A-Z0-9-]+) there")
STEERED = "Please keep the names short."


class Hand(Protocol):
    """What a person does and sees on a surface. Each method waits until it is so, and raises `NotSeen`."""

    name: str
    """As a person's place is told: `in Slack`."""

    def cast(self) -> Cast:
        """Who plays, and what the surface needs of the configuration."""

    def begin(self, log: Path) -> str:
        """Come in as somebody with rights; `log` is what `ao start` printed."""

    def denied(self, words: str) -> str:
        """Somebody without rights asks; what they are told."""

    def command(self, words: str) -> None:
        """Type a command."""

    def sees_card(self, session: str, words: str) -> None:
        """The session's card shows this."""

    def sees_thread(self, session: str, words: str) -> None:
        """Its thread shows this."""

    def sees_no_button(self, session: str, label: str) -> None:
        """There is no such button left in its thread and on its card."""

    def press(self, session: str, label: str, *, confirm: bool = False) -> None:
        """Press a button of its card or thread."""

    def reply(self, session: str, words: str) -> None:
        """Write into its thread."""

    def delivered(self, session: str, words: str) -> None:
        """The person sees that what they wrote has reached the agent."""

    def again(self) -> None:
        """`ao start` was restarted."""

    def close(self) -> None:
        """Leave nothing behind."""


@runtime_checkable
class Whispers(Protocol):
    """A surface on which one is told something alone."""

    def told(self, words: str) -> str:
        """Type a command; what the person alone is told."""


class NotSeen(Exception):
    """What a person should see on the surface did not come."""


class Scenario(Story):
    """The steps, in order."""

    def __init__(
        self,
        home: Path,
        tell: Callable[[str], None],
        at: Callable[[str, Story], None],
        hand: Hand,
        played_by: Cast | None = None,
        hosting: Hosting | None = None,
    ) -> None:
        super().__init__(home, tell, at, (played_by or Cast()).with_surface(hand.cast()), hosting)
        self._hand = hand
        if not self.cast.trusts:
            self.issue = ASKS

    @override
    def steps(self) -> tuple[tuple[str, Callable[[], str]], ...]:
        talked: tuple[tuple[str, Callable[[], str]], ...] = (
            ("server", self.start_server),
            ("login", lambda: self._hand.begin(self.home.path / "start.log")),
            *((("link", self._link),) if self.hosting.links and isinstance(self._hand, Whispers) else ()),
            ("denied", self._denied),
            ("spawn", self._spawned),
            *(self._red_check() if self.cast.trusts else self._talk()),
            ("restart", self._restart),
            ("approve", self._approved),
            ("merge", self._merged),
            ("clean-up", self.clean_up),
            ("stop", self.stop_server),
        )
        return tuple((name, self._seen_or_broken(name, step)) for name, step in talked)

    def _talk(self) -> tuple[tuple[str, Callable[[], str]], ...]:
        return (("question", self._question), ("steer", self._steer))

    def _red_check(self) -> tuple[tuple[str, Callable[[], str]], ...]:
        """As in the story, and seen in the thread."""
        return (
            ("agent", self.agent_works),
            ("pull request", self.pull_request),
            ("ci fails", lambda: self._in_thread(self.ci_fails(), "failed")),
            ("message", self.message_arrives),
            ("fix", self.fix),
        )

    def _in_thread(self, said: str, words: str) -> str:
        self._hand.sees_thread(SESSION, words)
        return f"{said}; it stands in the thread"

    @override
    def _trust(self) -> str:
        """Asked in the thread, and answered there."""
        self._event("agent", "question.asked")
        self._hand.reply(SESSION, "1")
        self._event("agent", "question.delivered")
        return f"asked {self._hand.name} whether its folder is trusted, and told so; "

    def _seen_or_broken(self, name: str, step: Callable[[], str]) -> Callable[[], str]:
        def run() -> str:
            try:
                return step()
            except NotSeen as error:
                raise StoryBroken(name, f"{error}; {self._last()}") from error

        return run

    def _broken(self, step: str, seen: str) -> NoReturn:
        raise StoryBroken(step, seen)

    def _link(self) -> str:
        """Sign in to the forge, by a code that is told to this person alone."""
        assert isinstance(self._hand, Whispers)  # noqa: S101 - the step is left out otherwise
        found = _CODE.search(self._hand.told("link github"))
        if found is None:
            self._broken("link", "no code was told")
        who = self.hosting.sign_in(found[1])
        links = self.home.path / "links"
        self._until("link", lambda: links.is_dir() and any(links.iterdir()), "no token came")
        return f"signed in to GitHub as {who}"

    def _denied(self) -> str:
        told = self._hand.denied(f"spawn {PROJECT} {self.issue}")
        if self.terminals.names():
            self._broken("denied", "somebody without rights started an agent")
        return f"told privately: {told}"

    def _spawned(self) -> str:
        self._hand.command(f"spawn {PROJECT} {self.issue}")
        self._until("spawn", lambda: self.terminals.has(SESSION) and "yes", "no tmux session")
        self._hand.sees_card(SESSION, TITLES[self.issue])
        said = f"{SESSION} has its terminal, its card and its thread"
        return "; ".join(filter(None, (said, self._turn("spawn", "working"))))

    def _question(self) -> str:
        self._hand.sees_thread(SESSION, QUESTION)
        self._event("question", "question.asked")
        self._hand.press(SESSION, ANSWER)
        said = self._event("question", "question.answered")
        self._hand.sees_thread(SESSION, f"answered: {ANSWER}")
        self._hand.sees_no_button(SESSION, ANSWER)
        return said

    def _steer(self) -> str:
        self._event("steer", "pr.opened")
        self._hand.reply(SESSION, STEERED)
        accepted = self._event("steer", "message.accepted")
        self._hand.delivered(SESSION, STEERED)
        self._until("steer", lambda: STEERED in self.terminals.screen(SESSION) and "yes", "not on its screen")
        return f"{accepted}; it stands on the agent's screen"

    def _restart(self) -> str:
        """Buttons outlive it: what is pressed next was shown by the process before."""
        self._event("restart", "review.pending")
        self._hand.sees_card(SESSION, "Needs a review")
        self.stop_server()
        if not self.terminals.has(SESSION):
            self._broken("restart", "the agent ended with ao")
        self.start_server()
        self._hand.again()
        return "ao was stopped and started again; the agent went on"

    def _approved(self) -> str:
        self.seen.green_head = self._data("review.pending", "head")
        self._hand.press(SESSION, f"Approve {SESSION}")
        said = self._event("approve", "review.approved_here")
        self._hand.sees_thread(SESSION, self.hosting.carried or self._hand.name)
        self._event("approve", "merge.ready")
        return "; ".join(filter(None, (said, self._approval_there())))

    def _merged(self) -> str:
        self.seen.branch = self._branch()
        self.seen.base_before = self.forge.commit("refs/heads/main")
        self._hand.press(SESSION, f"Merge {SESSION}", confirm=True)
        self._event("merge", "pr.merged", unless="merge.refused")
        self._hand.sees_thread(SESSION, "Merged")
        there = self._merged_there()
        if not self.forge.tests_pass("main", sandbox.TEST_COMMAND):
            self._broken("merge", "the tests of main fail after the merge")
        return there

    @override
    def close(self) -> None:
        super().close()
        self._hand.close()


def play(
    home: Path,
    hand: Hand,
    tell: Callable[[str], None] = print,
    at: Callable[[str, Story], None] = lambda _step, _story: None,
    agent: str = "",
    hosting: Hosting | None = None,
) -> int:
    """Play it in an `$AO_HOME` of its own; 0 when all of it came true. Raises `AoError` without the agent."""
    story = Scenario(home, tell, at, hand, cast(agent, home / "model.jsonl", tell), hosting)
    try:
        story.play()
    except StoryBroken as broken:
        tell(f"BROKEN at {broken.step}: {broken.seen}")
        return 1
    except subprocess.TimeoutExpired as error:
        tell(f"BROKEN: {error.cmd} did not end within {STEP_LIMIT:.0f} s")
        return 1
    finally:
        story.close()
    tell("The whole conversation came true.")
    return 0
