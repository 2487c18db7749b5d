"""A story on the local forge that ends itself by SIGKILL at one boundary; run by the test beside it.

    python -m tests.integration.local_forge_story FOLDER BOUNDARY

publishes, reviews, merges and closes. Every step is taken again from wherever the forge is.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

from orchestrator.domain.ids import ProjectId, SessionId
from orchestrator.domain.look import Seen
from orchestrator.domain.person import OWNER
from orchestrator.domain.project import Project
from orchestrator.domain.pull_request import PullRequestState, ReviewDecision
from orchestrator.ports.plugin import PluginContext
from orchestrator.ports.scm import Publication
from orchestrator.ports.session_ref import SessionRef
from plugins.scm.local import LocalScm, LocalScmOptions

BRANCH = "feat/issue-1"


class Countdown:
    """Ends this process when the given boundary is reached."""

    def __init__(self, boundary: int) -> None:
        self._left = boundary

    def reached(self, _name: str) -> None:
        """Count one boundary."""
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


async def story(folder: Path, boundary: int) -> None:
    """Play it through, or die on the way."""
    project = Project(
        id=ProjectId("demo"),
        name="demo",
        path=folder / "repository",
        default_branch="main",
        prefix="demo",
        folder=folder / "home",
    )
    context = PluginContext(home=folder, data=str, reached=Countdown(boundary).reached)
    scm = LocalScm(LocalScmOptions(checks={"tests": "test -e file"}), context)
    session = SessionRef(
        id=SessionId("demo-1"), project=project, folder=folder, branch=BRANCH, environment=dict(os.environ)
    )
    head = (folder / "head").read_text().strip()
    seen = (await scm.observe([session]))[session.id]
    assert isinstance(seen, Seen), seen
    if seen.value is None or seen.value.state is not PullRequestState.MERGED:
        what = Publication(
            session=session, source=str(folder / "work"), head=head, base="main", title="Story"
        )
        await scm.publish(what)
        await scm.settled()
        await scm.review(session, head, ReviewDecision.APPROVED, OWNER, "a.py:1: fine")
    await scm.merge(session, head, "squash")
    await scm.close(session, delete_branch=True)
    await scm.aclose()


if __name__ == "__main__":
    asyncio.run(story(Path(sys.argv[1]), int(sys.argv[2])))
