"""Where the sandbox's issues and pull requests are, and what is seen there without asking `ao`.

A story plays over any of them; each judges by what it can see for itself.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from bot.demo import sandbox
from bot.demo.cast import Cast
from bot.demo.evidence import Repository
from bot.frontends.api.client import Client
from orchestrator.domain.ids import ProjectId
from orchestrator.storage.layout import Home


class NotThere(Exception):
    """What the forge should show is not there."""


class Hosting(Protocol):
    """A tracker with a forge. What looks raises `NotThere` and says what it saw instead."""

    repository: Repository
    """The forge's own, with all branches and commits."""
    step_limit: float
    """Seconds that one step of a story may take with it."""
    whole_limit: float
    """Seconds for all of it."""
    links: bool
    """People can sign in there, so that what they approve and merge is done as them."""

    @property
    def carried(self) -> str:
        """How `ao` says that an approval got to the forge; empty: it needs not to."""

    def make(self, home: Path, cast: Cast) -> sandbox.Sandbox:
        """The sandbox, hosted here; `cast` gets what `ao start` needs in its environment. Once."""

    def joined(self, client: Client) -> str:
        """`ao start` answers: what is to be arranged through it. Empty: nothing."""

    def sign_in(self, code: str) -> str:
        """A person types there the code that `ao` gave them; who they are."""

    def turn(self, issue: int, whose: str) -> str:
        """The issue shows whose turn it is: `working` (an agent's) or `review` (people's). Empty: it shows none."""

    def opened(self, session: str, branch: str) -> str:
        """A pull request of that branch is open, and is the session's own."""

    def checked(self, head: str, *, passed: bool) -> str:
        """The checks of a head have that outcome."""

    def approved(self, branch: str, head: str) -> str:
        """The approval stands at that head."""

    def merged(self, branch: str, head: str) -> str:
        """The pull request is merged, with that head."""

    def tidied(self, branch: str, issue: int) -> str:
        """After the merge the branch is gone and the issue is closed."""

    def close(self) -> None:
        """Leave nothing behind."""


class LocalHosting:
    """No account: issues are files, the forge is a bare repository below `$AO_HOME`. Implements `Hosting`.

    Checks, approvals and pull requests are then `ao`'s own; what can be seen from outside is git.
    """

    repository: Repository
    step_limit = 30.0
    whole_limit = 60.0
    links = False
    carried = ""

    def make(self, home: Path, cast: Cast) -> sandbox.Sandbox:
        """With its forge where `ao` keeps it."""
        self.repository = Repository(Home(home).project(ProjectId(sandbox.PROJECT)).forge)
        return sandbox.make(home, cast)

    def joined(self, client: Client) -> str:
        """Nothing."""
        return ""

    def sign_in(self, code: str) -> str:
        """Nowhere."""
        msg = f"nobody asked for {code}"
        raise NotThere(msg)

    def turn(self, issue: int, whose: str) -> str:
        """Files of issues show none."""
        return ""

    def opened(self, session: str, branch: str) -> str:
        """The branch is there."""
        if not self.repository.commit(f"refs/heads/{branch}"):
            msg = f"the forge has no branch {branch}"
            raise NotThere(msg)
        return f"{branch} is on the forge"

    def checked(self, head: str, *, passed: bool) -> str:
        """A fresh checkout of the head says so."""
        if self.repository.tests_pass(head, sandbox.TEST_COMMAND) is not passed:
            msg = f"the tests of {head[:8]} {'fail' if passed else 'pass'} here"
            raise NotThere(msg)
        return f"the tests of {head[:8]} {'pass' if passed else 'fail'} here too"

    def approved(self, branch: str, head: str) -> str:
        """`ao`'s own book has it alone."""
        return ""

    def merged(self, branch: str, head: str) -> str:
        """The commit, or one with the very same tree, is in the base."""
        if not self.repository.contains("main", head):
            msg = f"main does not have {head[:8]}"
            raise NotThere(msg)
        return f"main has {head[:8]}"

    def tidied(self, branch: str, issue: int) -> str:
        """The branch is gone."""
        if self.repository.commit(f"refs/heads/{branch}"):
            msg = f"{branch} is still on the forge"
            raise NotThere(msg)
        return "branch gone"

    def close(self) -> None:
        """Nothing runs."""
