"""The commands of the README and the docs, run as a reader would: one shell a document, top to bottom."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture import documents, tree

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def _with_commands() -> list[Path]:
    return [
        path for path in documents.documents() if any(not block.reason for block in documents.blocks_of(path))
    ]


@pytest.mark.parametrize("path", _with_commands(), ids=tree.name)
def test_every_command_of_a_document_works(path: Path, tmp_path: Path) -> None:
    steps = ["set -eu"]
    for block in documents.blocks_of(path):
        if not block.reason:
            steps += [f"echo '== {shlex.quote(block.place)}'", block.script]
    environment = {
        **os.environ,
        "HOME": str(tmp_path),
        "AO_HOME": str(tmp_path / "ao"),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    work = tmp_path / "work"
    work.mkdir()
    completed = subprocess.run(
        ["sh", "-c", "\n".join(steps)],
        cwd=work,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert completed.returncode == 0, completed.stdout[-3000:] + completed.stderr[-3000:]
