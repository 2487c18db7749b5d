"""One watcher over all sessions' folders: a changed file only means "look sooner"."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

from orchestrator.clock import Clock, SystemClock
from orchestrator.domain.ids import SessionId, session_id
from orchestrator.errors import BadInput
from orchestrator.lifecycle.backoff import STEPS
from orchestrator.storage.lanes import Lanes

log = logging.getLogger(__name__)
SPOKEN = frozenset({"agent", "outbox"})
"""The parts of a session's folder in which the agent speaks; our own writes elsewhere wake nobody."""


class Watcher:
    """Watches `projects/*/sessions` below `$AO_HOME`, never worktrees."""

    def __init__(self, projects: Path, wake: Callable[[SessionId], None], clock: Clock | None = None) -> None:
        self._projects = projects
        self._wake = wake
        self._clock = clock or SystemClock()
        self._failures = 0
        self._again = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._lanes = Lanes(1, "ao-watcher")
        self.trouble = ""
        """Why nothing is watched now; agents are then heard at the next look that is due."""

    def start(self) -> None:
        """Begin to watch. New projects are taken up by `refresh`."""
        self._task = asyncio.create_task(self._run(), name="watcher")

    def refresh(self) -> None:
        """The set of projects may have changed."""
        self._again.set()

    async def stop(self) -> None:
        """Stop watching."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        await self._lanes.close()

    def folders(self) -> list[Path]:
        """The folders to watch; made here so that the first session is seen too."""
        if not self._projects.is_dir():
            return []
        return sorted(p / "sessions" for p in self._projects.iterdir() if (p / "sessions").is_dir())

    async def _run(self) -> None:
        while True:
            self._again.clear()
            try:
                if folders := await self._lanes.run("folders", self.folders):
                    await self._watch(folders)
                else:
                    await self._again.wait()
            except (OSError, RuntimeError) as error:
                # The system's limit of watches, or a folder that went: the ticks still look.
                if str(error) != self.trouble:
                    log.warning("nothing is watched: %s", error)
                self.trouble = str(error)
                self._failures += 1
                await self._wait(STEPS[min(self._failures, len(STEPS)) - 1])

    async def _wait(self, seconds: float) -> None:
        """Until that time has passed, or the projects may have changed."""
        waits = [asyncio.ensure_future(self._again.wait()), asyncio.ensure_future(self._clock.sleep(seconds))]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    async def _watch(self, folders: list[Path]) -> None:
        from watchfiles import awatch

        # rust_timeout bounds how long `stop` waits for the watching thread, and when it is known to work.
        async for changes in awatch(
            *folders,
            stop_event=self._again,
            recursive=True,
            step=50,
            debounce=200,
            rust_timeout=1000,
            yield_on_timeout=True,
        ):
            self.trouble, self._failures = "", 0
            for session in {s for _, path in changes if (s := self.session_of(path))}:
                self._wake(session)

    def session_of(self, path: str) -> SessionId | None:
        """The session that spoke, by the path of what changed; None for what is not its speech."""
        try:
            parts = Path(path).relative_to(self._projects).parts
        except ValueError:
            return None
        if len(parts) < 5 or parts[1] != "sessions" or parts[3] not in SPOKEN:
            return None
        try:
            return session_id(parts[2])
        except BadInput:
            return None
