"""Fenced commands of the README and the docs: which are run, and which say why they are not."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from tests.architecture import tree

_FENCE = re.compile(
    r"^(?P<mark>`{3,}|~{3,})(?P<language>\w*)[^\n]*\n(?P<text>.*?)^(?P=mark)\s*$", re.MULTILINE | re.DOTALL
)
_MARK = re.compile(r"<!--\s*not run:\s*(?P<reason>.*?)\s*-->\s*\Z", re.DOTALL)
_COMMANDS = {"console", "sh", "bash", "shell", "zsh"}


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block of commands. `reason` says why it is not run; empty where it is."""

    place: str
    language: str
    text: str
    reason: str

    @property
    def script(self) -> str:
        """What a person would type: in a console block the lines after `$`, else the whole block."""
        if self.language != "console":
            return self.text
        typed = [line.removeprefix("$ ") for line in self.text.splitlines() if line.startswith("$ ")]
        return "\n".join(typed)


def documents() -> list[Path]:
    """Every Markdown file for people: at the top of the repository and under docs."""
    return [*sorted(tree.ROOT.glob("*.md")), *sorted((tree.ROOT / "docs").rglob("*.md"))]


def blocks(text: str, name: str) -> list[Block]:
    """The command blocks of a document, in order."""
    found = []
    for match in _FENCE.finditer(text):
        if match["language"] in _COMMANDS:
            mark = _MARK.search(text[: match.start()])
            line = text.count("\n", 0, match.start()) + 1
            reason = mark["reason"] if mark else ""
            found.append(Block(f"{name}:{line}", match["language"], match["text"], reason))
    return found


def blocks_of(path: Path) -> list[Block]:
    """The command blocks of a file."""
    return blocks(path.read_text(encoding="utf-8"), tree.name(path))
