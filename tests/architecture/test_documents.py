"""A command in a document is run by a test, or says why not; a link in a document leads somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.architecture import documents, tree

_LINK = re.compile(r"\[[^\]]*\]\((?!https?:|mailto:|#)([^)#\s]+)")
_SAMPLE = """
```console
$ ao --version
agent-orchestrator 0.1.0
$ ao help
```

<!-- not run: needs a cluster -->
```sh
ao start
```

```yaml
no: command
```
"""


def test_typed_lines_and_reasons_are_read() -> None:
    first, second = documents.blocks(_SAMPLE, "sample.md")
    assert (first.script, first.reason) == ("ao --version\nao help", "")
    assert (second.script.strip(), second.reason) == ("ao start", "needs a cluster")


@pytest.mark.parametrize("path", documents.documents(), ids=tree.name)
def test_a_block_that_is_not_run_says_why(path: Path) -> None:
    for block in documents.blocks_of(path):
        assert block.script.strip(), f"{block.place}: a console block without a line that starts with `$ `"
    text = path.read_text(encoding="utf-8")
    marks = re.findall(r"^<!--\s*not run:(.*?)-->", text, re.DOTALL | re.MULTILINE)
    reasons = [block.reason for block in documents.blocks_of(path) if block.reason]
    assert all(len(mark.split()) >= 2 for mark in marks), "a reason is a sentence"
    assert len(marks) == len(reasons), "a mark stands right before its block"


@pytest.mark.parametrize("path", documents.documents(), ids=tree.name)
def test_a_relative_link_leads_somewhere(path: Path) -> None:
    links = _LINK.findall(path.read_text(encoding="utf-8"))
    assert [link for link in links if not (path.parent / link).exists()] == []
