"""`ao demo`: which story is played, or the sandbox served."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from bot.demo import sandbox, scenario
from bot.demo.cast import WITHOUT_PROXIES, Cast
from bot.demo.evidence import python
from bot.demo.play import headless
from orchestrator.storage.layout import Home


def run(env: Mapping[str, str], arguments: Mapping[str, object]) -> int:
    """`ao demo`: headless plays the story in a home of its own; else the sandbox is served here."""
    if not arguments.get("headless"):
        return serve(env, slack=bool(arguments.get("slack")))
    folder = Path(tempfile.mkdtemp(prefix="ao-demo-"))
    try:
        code = _in_slack(folder) if arguments.get("slack") else _headless(folder, arguments)
        if code:
            print(f"Everything is left as it was in {folder}.")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    except KeyboardInterrupt:
        shutil.rmtree(folder, ignore_errors=True)
        return 130
    return code


def _headless(folder: Path, arguments: Mapping[str, object]) -> int:
    return headless(folder, agent=str(arguments.get("agent") or ""))


def _in_slack(folder: Path) -> int:
    from bot.demo.slack_hand import FakeServer, SlackHand

    return scenario.play(folder, SlackHand(FakeServer.start(folder / "slack.log")))


def serve(env: Mapping[str, str], *, slack: bool = False) -> int:
    """Make the sandbox, say what to type next, and become `ao start` for it."""
    home = Home.default(env)
    home.prepare()
    played_by, more = Cast(), ""
    if slack:
        from bot.demo.slack_hand import FakeServer

        # It ends with us: its standard input is a pipe that only `ao start` holds, after we have become that.
        fake = FakeServer.start(home.path / "slack.log")
        fake.outlive_exec()
        played_by = Cast(agent="rehearsal", fleet=fake.configuration, name="sandbox-slack")
        env = {**env, **WITHOUT_PROXIES}
        more = _SLACK.format(page=fake.page)
    place = sandbox.make(home.path, played_by)
    ao = sys.argv[0] if sys.argv[0].endswith("ao") else "ao"
    print(_WELCOME.format(repository=place.repository, ao=ao) + more, flush=True)
    argv = [python(), "-m", "bot", "--config", str(place.config), "start"]
    os.execve(python(), argv, {**env, "AO_HOME": str(home.path)})  # noqa: S606 - argument list, no shell


_SLACK = """The demo's own Slack is at

  {page}

There, as Ada, in #demo: first `/ao pair CODE` with the code below, then `/ao spawn demo 2`.
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

Ctrl-C stops ao; agents go on, and the next start finds them again.
"""
