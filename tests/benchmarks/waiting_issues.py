"""Issues added to a sandbox whose agents do nothing but wait."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence

from bot.demo.sandbox import Sandbox
from bot.demo.sandbox_files import issue

FIRST = 100
"""The first number of the issues that are added; the sandbox has some of its own."""


def waiting_issues(place: Sandbox, count: int) -> Sequence[int]:
    """Write `count` issues into the repository and commit all that is new there; their numbers."""
    numbers = range(FIRST, FIRST + count)
    for number in numbers:
        text = issue(f"Task {number}", "Wait.", [{"wait": True}])
        (place.repository / f"issues/{number}.md").write_text(text)
    for words in (["add", "--all"], ["commit", "--quiet", "--message=More to do"]):
        subprocess.run(["git", *words], cwd=place.repository, timeout=60, check=True)
    return numbers
