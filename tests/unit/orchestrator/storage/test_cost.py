"""What a write and a start cost, counted in calls of the system, not in time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[4]
COUNT = """
import asyncio, sys
from pathlib import Path
from orchestrator.storage.documents import Documents
from orchestrator.storage.faults import NoFaults
from orchestrator.storage.layout import Home
from tests.unit.orchestrator.storage.samples import PROJECT, session

home, others, place = Home(Path(sys.argv[1])), int(sys.argv[2]), sys.argv[3]
folder = getattr(home.project(PROJECT), place)
for number in range(2, others + 2):
    (folder / f"demo-{number}").mkdir(parents=True)
calls = []

def hook(event, arguments):
    if event.startswith(("os.", "open")):
        calls.append(event)

async def main():
    documents = Documents(home, NoFaults())
    await documents.write(session())
    sys.addaudithook(hook)
    if place == "sessions":
        await documents.write(session(branch="changed"))
    else:
        loaded = await documents.load_all()
        assert len(loaded.sessions) == 1
    print(sorted(calls))
    await documents.close()

asyncio.run(main())
"""


def calls(home: Path, others: int, place: str) -> str:
    command = [sys.executable, "-c", COUNT, str(home), str(others), place]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=20, check=True)
    return done.stdout


def test_writing_one_session_costs_the_same_whatever_else_is_kept(tmp_path: Path) -> None:
    few = calls(tmp_path / "few", 10, "sessions")
    assert few.count("'open'") == 2, "the new file and the folder, to sync it"
    assert few == calls(tmp_path / "many", 10_000, "sessions")


def test_ended_sessions_cost_nothing_at_start(tmp_path: Path) -> None:
    few = calls(tmp_path / "few", 1, "ended")
    assert "listdir" in few or "scandir" in few
    assert few == calls(tmp_path / "many", 10_000, "ended")
