"""What holds for every test: a clean environment, no blocking call on the loop, and what a skip means."""

from __future__ import annotations

import atexit
import inspect
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from blockbuster import BlockBuster, blockbuster_ctx

_SECRET_ENDINGS = ("_TOKEN", "_API_KEY", "_SECRET", "_PASSWORD")
_OWN_PREFIXES = ("AO_", "GIT_", "TMUX", "XDG_", "CLAUDE_", "SLACK_", "DISCORD_", "SSH_")


def _clean_environment() -> None:
    """Tests see neither the person's settings and credentials nor a session that they run in."""
    for name in list(os.environ):
        if name.startswith(_OWN_PREFIXES) or name.endswith(_SECRET_ENDINGS):
            del os.environ[name]
    home = Path(tempfile.mkdtemp(prefix="ao-home-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    config = home / ".gitconfig"
    config.write_text(
        "[user]\n\tname = Tester\n\temail = tester@example.org\n[init]\n\tdefaultBranch = main\n"
    )
    os.environ.update(
        HOME=str(home), GIT_CONFIG_GLOBAL=str(config), GIT_CONFIG_NOSYSTEM="1", LC_ALL="C.UTF-8"
    )


_clean_environment()
hypothesis.settings.register_profile("ao", deadline=None, print_blob=True)
hypothesis.settings.load_profile("ao")


@pytest.fixture(autouse=True)
def blockbuster(request: pytest.FixtureRequest) -> Iterator[BlockBuster | None]:
    """In async tests, a blocking call of ours on the event loop raises. What a test itself calls is free."""
    function = getattr(request.node, "obj", None)
    if not inspect.iscoroutinefunction(inspect.unwrap(function) if function else None):
        yield None
        return
    ours = ["bot", "orchestrator", "plugins"]
    with blockbuster_ctx(ours, excluded_modules=["orchestrator.testing"]) as guard:
        yield guard


class Skips:
    """Nothing is skipped silently: in CI on Linux a skip is a failure, elsewhere each is listed by name."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.refused = bool(os.environ.get("CI")) and sys.platform.startswith("linux")

    def _note(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        if report.skipped and not hasattr(report, "wasxfail"):
            reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
            self.seen.append(f"{report.nodeid}: {reason.removeprefix('Skipped: ')}")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._note(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self._note(report)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        if self.refused and self.seen and exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.seen:
            said = "skipped, which CI refuses" if self.refused else "not tried here"
            terminalreporter.section(said)
            for line in sorted(set(self.seen)):
                terminalreporter.write_line(line)


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):  # under xdist the controller alone counts
        config.pluginmanager.register(Skips(), "ao-skips")
