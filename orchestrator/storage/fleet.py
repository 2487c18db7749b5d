"""What is kept of the fleet as a whole: mutes, overrides of rotations, preferences, links of people."""

from __future__ import annotations

import asyncio
from typing import Any

from orchestrator.storage.damage import Damaged
from orchestrator.storage.documents import DocumentFile
from orchestrator.storage.faults import Faults
from orchestrator.storage.lanes import Lanes
from orchestrator.storage.layout import Home
from orchestrator.storage.migrations import BUILT_IN, Document


class FleetStore:
    """A few named values, all in one file; small, since each change writes all of them."""

    def __init__(self, home: Home, faults: Faults) -> None:
        self._file = DocumentFile(home.fleet, faults)
        self._lanes = Lanes(1, "ao-fleet")
        self._values: Document = {}
        self._writing = asyncio.Lock()

    async def open(self) -> tuple[Damaged, ...]:
        """Read what is kept. A damaged file is set aside and told; the values are then empty."""
        self._values, damaged = await self._lanes.run("fleet", self._load)
        return damaged

    async def look(self) -> tuple[Damaged, ...]:
        """Likewise, for whoever does not hold the lock: a damaged file stays where it is."""
        self._values, damaged = await self._lanes.run("fleet", self._look)
        return damaged

    def _load(self) -> tuple[Document, tuple[Damaged, ...]]:
        try:
            return self._read(), ()
        except ValueError as error:
            return {}, (self._file.set_aside(str(error)),)

    def _look(self) -> tuple[Document, tuple[Damaged, ...]]:
        try:
            return self._read(), ()
        except ValueError as error:
            return {}, (Damaged(path=self._file.path, reason=str(error)),)

    def _read(self) -> Document:
        """The values. Raises `ValueError` for a damaged file."""
        try:
            document = BUILT_IN.upgrade("fleet", self._file.read())
        except FileNotFoundError:
            return {}
        values = document.get("values")
        if not isinstance(values, dict):
            msg = "it holds no values"
            raise ValueError(msg)
        return values

    async def close(self) -> None:
        """Finish what is being written."""
        await self._lanes.close()

    def get(self, name: str, default: Any = None) -> Any:  # noqa: ANN401 - JSON of any shape
        """The value of that name, of JSON's own types; not to be changed in place."""
        return self._values.get(name, default)

    async def set(self, name: str, value: Any) -> None:  # noqa: ANN401 - JSON of any shape
        """Keep a value; None takes it away. Raises `TemporaryError`, and the old one stays."""
        async with self._writing:
            values = {key: kept for key, kept in self._values.items() if key != name}
            if value is not None:
                values[name] = value
            await self._lanes.run(
                "fleet", self._file.write, {"v": BUILT_IN.current["fleet"], "values": values}
            )
            self._values = values
