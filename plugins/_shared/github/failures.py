"""The failing lines of check runs: from the job's log, from annotations, from the check's own words.

A check run's lines never change: they are kept by its number. Only the first few of a pull request are
fetched; each costs two or three calls. GitHub has a job's log only some seconds after the job has ended:
until then the check is said to run, so that who is told of its failure is told the lines too.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping

from orchestrator.errors import AoError, NotFound
from plugins._shared.github import log as github_log
from plugins._shared.github.checks import Check
from plugins._shared.github.client import GitHub
from plugins._shared.github.words import Node, node, text

log = logging.getLogger(__name__)
MOST = 5
"""Failing checks of one head whose lines are fetched."""
LATE = 60.0
"""Seconds after the end of a check in which its lines are waited for."""
_KEPT = 500
_ANNOTATIONS = 20


class Failures:
    """What was fetched so far, for one client."""

    def __init__(self, hub: GitHub) -> None:
        self._hub = hub
        self._known: dict[tuple[str, int], str] = {}

    async def tails(self, repo: str, checks: Iterable[Check], now: float) -> Mapping[int, str | None]:
        """Check run -> its failing lines; None: they are not there yet. `now`: by GitHub's clock.

        `checks`: those that failed, the important ones first. Lines that cannot be had in time are said to be
        missing, and asked for at the next whole look.
        """
        wanted = [check for check in checks if check.id][:MOST]
        found = await asyncio.gather(
            *(self._tail(repo, check, late=abs(now - check.ended) > LATE) for check in wanted)
        )
        return {check.id: tail for check, tail in zip(wanted, found, strict=True)}

    async def _tail(self, repo: str, check: Check, *, late: bool) -> str | None:
        key = (repo, check.id)
        if key in self._known:
            return self._known[key]
        try:
            if check.actions:
                tail = await self._of_job(repo, check.id, late=late)
            else:
                tail = await self._of_check(repo, check.id)
        except AoError as error:
            if not late:
                return None
            log.info("the lines of check %s in %s are not there: %s", check.name, repo, error)
            return f"[the lines could not be read: {error.what}]"
        if tail is None:
            return None
        self._known[key] = tail
        while len(self._known) > _KEPT:
            del self._known[next(iter(self._known))]
        return tail

    async def _of_job(self, repo: str, number: int, *, late: bool) -> str | None:
        job = node((await self._hub.rest("GET", f"/repos/{repo}/actions/jobs/{number}")).data)
        step = github_log.failing_step(job)
        try:
            text_of_log = await self._hub.download(f"/repos/{repo}/actions/jobs/{number}/logs")
        except NotFound:  # GitHub keeps logs for some weeks; a job that never began has none
            if step and not late:
                return None
            said = await self._of_check(repo, number)
            return "\n".join(filter(None, (f"[step {step.name}]" if step else "", said)))
        return github_log.tail(text_of_log, step)

    async def _of_check(self, repo: str, number: int) -> str:
        path = f"/repos/{repo}/check-runs/{number}"
        run: Node = node((await self._hub.rest("GET", path)).data)
        rows: list[Node] = []
        if node(run.get("output")).get("annotations_count"):
            answer = await self._hub.rest("GET", f"{path}/annotations", query={"per_page": _ANNOTATIONS})
            rows = [row for row in answer.data or () if isinstance(row, Mapping)]
        return github_log.remarks(rows) if rows else github_log.output(run) or text(run.get("conclusion"))
