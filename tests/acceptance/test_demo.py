"""The demo plays the whole story on the real program, and names what is broken when something is."""

from __future__ import annotations

import contextlib
import os
import pty
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bot.demo import play
from bot.demo.play import SESSION, Story
from orchestrator.services.trust import Trusted, trust_file
from orchestrator.storage.layout import server_name

pytestmark = pytest.mark.timeout(120)
IMPATIENT = 8.0
"""Seconds that a step may take once something is broken."""


class Tale:
    """What the demo said, line by line."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def __call__(self, line: str) -> None:
        self.lines.append(line)

    @property
    def broken(self) -> str:
        found = [line for line in self.lines if line.startswith("BROKEN at ")]
        return found[0] if found else ""


def broken_by(step: str, how: Callable[[Story], None], home: Path) -> str:
    tale = Tale()

    def at(name: str, story: Story) -> None:
        if name == step:
            how(story)
            story.limit = IMPATIENT

    assert play.headless(home, tale, at) == 1
    return tale.broken


def test_the_whole_story_comes_true(tmp_path: Path) -> None:
    tale = Tale()
    assert play.headless(tmp_path, tale) == 0, "\n".join(tale.lines)
    assert tale.lines[-1].startswith("The whole story came true")


def check_always_red(story: Story) -> None:
    text = story.place.config.read_text().replace("python3 -m unittest -q", "python3 -m unittest nothing")
    story.place.config.write_text(text)
    trust_file(story.place.config, Trusted(story.home))


@pytest.mark.slow
def test_check_that_is_always_red(tmp_path: Path) -> None:
    assert broken_by("server", check_always_red, tmp_path).startswith(("BROKEN at fix", "BROKEN at message"))


def base_branch_locked(story: Story) -> None:
    (story.forge.path / "refs" / "heads" / "main.lock").touch()


@pytest.mark.slow
def test_merge_that_is_refused(tmp_path: Path) -> None:
    assert broken_by("merge", base_branch_locked, tmp_path).startswith("BROKEN at merge")


def pane_pid(story: Story) -> int:
    argv = ["tmux", "-L", server_name(story.home), "list-panes", "-t", f"={SESSION}:", "-F", "#{pane_pid}"]
    return int(subprocess.run(argv, capture_output=True, check=True).stdout)


@pytest.mark.slow
def test_message_that_is_not_delivered(tmp_path: Path) -> None:
    """A person has the agent's terminal open and reads back: nothing is typed there."""
    tale = Tale()
    with contextlib.ExitStack() as stack:

        def at(name: str, story: Story) -> None:
            if name == "server":
                checks_take_their_time(story)
            if name == "ci fails":
                stack.enter_context(reading_back(story))
                story.limit = IMPATIENT

        assert play.headless(tmp_path, tale, at) == 1
    assert tale.broken.startswith("BROKEN at message")


@contextlib.contextmanager
def reading_back(story: Story) -> Iterator[None]:
    """Somebody's own terminal, attached, in copy mode."""
    tmux = ["tmux", "-L", server_name(story.home)]
    ours, theirs = pty.openpty()
    env = {**os.environ, "TERM": "xterm"}
    attach = [*tmux, "attach", "-t", f"={SESSION}"]
    with subprocess.Popen(attach, stdin=theirs, stdout=theirs, stderr=theirs, env=env) as person:
        while not subprocess.run([*tmux, "list-clients"], capture_output=True, check=True).stdout:
            assert person.poll() is None
        subprocess.run([*tmux, "copy-mode", "-t", f"={SESSION}:"], check=True)
        yield
        person.terminate()
    os.close(ours)
    os.close(theirs)


def checks_take_their_time(story: Story) -> None:
    text = story.place.config.read_text().replace("python3 -m unittest", "sleep 3; python3 -m unittest")
    story.place.config.write_text(text)
    trust_file(story.place.config, Trusted(story.home))


def agent_dies(story: Story) -> None:
    os.kill(pane_pid(story), signal.SIGKILL)


@pytest.mark.slow
def test_agent_that_is_dead(tmp_path: Path) -> None:
    said = broken_by("agent", agent_dies, tmp_path)
    assert said.startswith(("BROKEN at agent", "BROKEN at pull request"))
    assert "its program ended" in said


def base_moves(story: Story) -> None:
    """Somebody merges another change of the very same lines first."""
    main = story.forge.commit("refs/heads/main")
    changed = story.forge.ask("diff", "--name-only", main, story.seen.green_head).splitlines()
    work = story.home.path / "elsewhere"
    subprocess.run(["git", "clone", "--quiet", str(story.forge.path), str(work)], check=True)
    for name in changed:
        (work / name).write_text("# rewritten by somebody else\n")
    git = ["git", "-C", str(work), "-c", "user.name=Bo", "-c", "user.email=bo@example.org"]
    subprocess.run([*git, "commit", "--quiet", "--all", "--message=Rewritten"], check=True)
    subprocess.run([*git, "push", "--quiet", "origin", "main"], check=True)


@pytest.mark.slow
def test_base_that_moved(tmp_path: Path) -> None:
    said = broken_by("approve", base_moves, tmp_path)
    assert said.startswith(("BROKEN at approve", "BROKEN at merge"))
