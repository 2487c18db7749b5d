"""`ao demo`: which story is played, or the sandbox served."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from bot.demo import scenario
from bot.demo.cast import WITHOUT_PROXIES, Cast
from bot.demo.evidence import python
from bot.demo.hosting import Hosting, LocalHosting
from bot.demo.play import headless
from orchestrator.storage.layout import Home

if TYPE_CHECKING:
    from bot.demo.github_hosting import GitHubHosting


def run(env: Mapping[str, str], arguments: Mapping[str, object]) -> int:
    """`ao demo`: headless plays the story in a home of its own; else the sandbox is served here."""
    if not arguments.get("headless"):
        return serve(env, slack=bool(arguments.get("slack")), github=bool(arguments.get("github")))
    folder = Path(tempfile.mkdtemp(prefix="ao-demo-"))
    try:
        code = _play(folder, arguments)
        if code:
            print(f"Everything is left as it was in {folder}.")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    except KeyboardInterrupt:
        shutil.rmtree(folder, ignore_errors=True)
        return 130
    return code


def _play(folder: Path, arguments: Mapping[str, object]) -> int:
    agent = str(arguments.get("agent") or "")
    hosting = _on_github(folder) if arguments.get("github") else LocalHosting()
    if not arguments.get("slack"):
        return headless(folder, agent=agent, hosting=hosting)
    from bot.demo.slack_hand import FakeServer, SlackHand

    hand = SlackHand(FakeServer.start(folder / "slack.log"))
    return scenario.play(folder, hand, agent=agent, hosting=hosting)


def _on_github(folder: Path) -> Hosting:
    from bot.demo.github.process import GitHubProcess
    from bot.demo.github_hosting import GitHubHosting

    return GitHubHosting(GitHubProcess.start(folder / "github"))


def serve(env: Mapping[str, str], *, slack: bool = False, github: bool = False) -> int:
    """Make the sandbox, say what to type next, and become `ao start` for it."""
    home = _home_for_github() if github else Home.default(env)
    home.prepare()
    played_by, more = Cast(), ""
    if slack:
        from bot.demo.slack_hand import FakeServer

        # It ends with us: its standard input is a pipe that only `ao start` holds, after we have become that.
        fake = FakeServer.start(home.path / "slack.log")
        fake.outlive_exec()
        played_by = Cast(fleet=fake.configuration, name="sandbox-slack", environment=WITHOUT_PROXIES)
        more = _SLACK.format(page=fake.page)
    hosting: Hosting = LocalHosting()
    on_github: GitHubHosting | None = None
    if github:
        from bot.demo.github.process import GitHubProcess
        from bot.demo.github_hosting import GitHubHosting

        there = GitHubProcess.start(home.path / "github")
        there.outlive_exec()
        hosting = on_github = GitHubHosting(there)
        more += _GITHUB.format(page=on_github.page, home=home.path)
    place = hosting.make(home.path, played_by)
    if on_github is not None:
        on_github.hook(place.config, played_by)
    ao = sys.argv[0] if sys.argv[0].endswith("ao") else "ao"
    print(
        _WELCOME.format(repository=place.repository, ao=ao, after="" if github else _NEXT_START) + more,
        flush=True,
    )
    argv = [python(), "-m", "bot", "--config", str(place.config), "start"]
    env = {**env, **played_by.environment, "AO_HOME": str(home.path)}
    os.execve(python(), argv, env)  # noqa: S606 - argument list, no shell


def _home_for_github() -> Home:
    """A fresh one: the demo's GitHub forgets everything when it ends, and old sessions would look for it in vain."""
    return Home(Path(tempfile.mkdtemp(prefix="ao-demo-")))


_SLACK = """The demo's own Slack is at

  {page}

There, as Ada, in #demo: first `/ao pair CODE` with the code below, then `/ao spawn demo 2`.
"""

_GITHUB = """The demo's own GitHub, with the issues and pull requests, is at

  {page}

Approve is carried there as a review by a second account; the branch requires it, and a green check. This GitHub
ends with this program, so all of it has a home of its own. In the second shell, first:

  export AO_HOME={home}

That folder is yours to delete.
"""
_WELCOME = """\
The sandbox has four issues and lies in
{repository}
In a second shell:

  {ao} spawn demo 1      an agent starts on issue 1
                     (2 asks, 3 gets stuck, 4 leaves work behind)
  {ao} status --watch    what it does
  {ao} events --follow   what happens
  {ao} approve demo-1    when its checks are green; then {ao} merge demo-1

Ctrl-C stops ao; agents go on{after}.
"""
_NEXT_START = ", and the next start finds them again"
