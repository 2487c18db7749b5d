"""The repository names no machine: no person's folder, no build host, no registry's address in a lock."""

from __future__ import annotations

import re

import pytest

from tests.architecture import tree

# Written in pieces, so that this file does not find itself.
_MACHINE = re.compile(
    "|".join(
        [
            "/work" + r"/(main|shared)\b",
            "/root" + r"/[\w.]",
            "/opt" + r"/(wheels|pypi)\b",
            "/Users" + r"/(?!(me|you|dev|ada)\b)[a-z]",
            "/home" + r"/(?!(me|you|dev|ada)\b)[a-z]",
            "/tmp" + r"/(bash_|venv-|brief)",  # noqa: S108 - a pattern
        ]
    )
)
_ADDRESS = re.compile(r"https?://|file:|--(extra-)?index-url|--find-links")


@pytest.mark.parametrize("text", ["/work" + "/main/x", "/root" + "/.cache", "/home" + "/jo/x"])
def test_the_pattern_knows_a_machine(text: str) -> None:
    assert _MACHINE.search(text)


def test_no_file_names_a_machine() -> None:
    found = []
    for path in tree.text_files():
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            if _MACHINE.search(line):
                found.append(f"{tree.name(path)}:{number}: {line.strip()[:80]}")
    assert found == []


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_a_lock_holds_hashes_and_no_addresses(lock: str) -> None:
    text = (tree.ROOT / lock).read_text(encoding="utf-8")
    assert not _ADDRESS.search(text)
    pins = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE | re.IGNORECASE)[1:]
    assert pins
    assert [pin.split("\n", 1)[0] for pin in pins if "--hash=sha256:" not in pin] == []
