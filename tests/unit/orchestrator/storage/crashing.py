"""A story that writes everything there is, run as a process that a test ends in the middle.

Each line on standard output is an acknowledgement: what it names must be there after any crash.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
import traceback
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from orchestrator.domain.person import OWNER
from orchestrator.domain.session import Session
from orchestrator.storage import faults
from orchestrator.storage.audit import AuditEntry
from orchestrator.storage.layout import Home
from orchestrator.storage.lock import hold
from orchestrator.storage.requests import Asked, Outcome
from orchestrator.storage.store import Store
from tests.unit.orchestrator.storage.samples import PROJECT, session, told


def say(*words: object) -> None:
    """In one write, since the kill may come from another thread between two."""
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


async def change(store: Store, before: Session) -> Session:
    after, events = told(before, 2)
    kept = await store.keeper.keep(after, events)
    say("kept", kept.id, kept.event_serial)
    return kept


async def play(store: Store) -> None:
    key = f"key-{len(store.sessions)}-{store.log.last_seq}"
    record, _ = await store.requests.keep(Asked(verb="spawn", by=OWNER, at=1.0, key=key))
    say("asked", key, "-")
    first, second = [session(await store.ids.reserve(PROJECT, "demo")) for _ in range(2)]
    first, second = await asyncio.gather(change(store, first), change(store, second))
    first, second = await asyncio.gather(change(store, first), change(store, second))
    await store.fleet.set("muted", ["demo"])
    await store.keeper.end(replace(first, branch="gone"))
    say("ended", first.id, first.event_serial)
    await change(store, second)
    await store.audit.record(AuditEntry(at=1.0, by=OWNER, verb="spawn", text=f"done {key}"))
    say("decided", key, "-")
    await store.requests.done(record.id, Outcome(ok=True, at=2.0))
    say("done", key, "-")


async def main(home: Home, fault: Mapping[str, str]) -> None:
    store = await Store.open(home, faults.from_environment(fault))
    await play(store)
    await store.close()


def run(home: Home, fault: Mapping[str, str]) -> None:
    """One process from start to end, or to its kill."""
    home.prepare()
    with hold(home, what="story", now=1.0):
        asyncio.run(main(home, fault))


def forked(home: Home, fault: Mapping[str, str], said: Path) -> int:
    """The story in a process of its own, what it says in the file `said`; how the process ended.

    Forked, since starting an interpreter a hundred times takes most of a minute.
    """
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    output = os.open(said, os.O_WRONLY | os.O_CREAT, 0o600)
    os.dup2(output, 1)
    os.dup2(output, 2)
    try:
        run(home, fault)
        os._exit(0)
    finally:
        traceback.print_exc()
        os._exit(1)


def play_all(folder: Path) -> None:
    """Kill the story at its first boundary, its second and so on, until it comes to its end.

    `<n>` is the home after the kill at n, `<n>.again` the same home after a whole story more; what
    each acknowledged is beside it.
    """
    code = -signal.SIGKILL
    number = 0
    while code == -signal.SIGKILL:
        number += 1
        home, again = folder / str(number), folder / f"{number}.again"
        code = forked(Home(home), {faults.VARIABLE: f"kill:{number}"}, folder / f"{number}.said")
        shutil.copytree(home, again, symlinks=True)
        done = forked(Home(again), {}, folder / f"{number}.again.said")
        say(number, code, done)


if __name__ == "__main__":
    play_all(Path(sys.argv[1]))
