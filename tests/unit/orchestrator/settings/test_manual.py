"""The configuration's manual: its tables are new, and each row of the reference's keys is true."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from orchestrator.domain.event import Level
from orchestrator.settings.document import dump
from orchestrator.settings.effective import Settings
from orchestrator.settings.loader import Loaded
from orchestrator.settings.manual import main, reference_rows, updated
from orchestrator.settings.show import shown

Write = Callable[..., Loaded]
DOCS = Path(__file__).parents[4] / "docs"
ROWS: list[dict[str, Any]] = list(reference_rows(DOCS))
BARE: dict[str, Any] = {"projects": {"app": {"path": "/home/ada/app"}}}


def in_force(settings: Settings) -> dict[str, Any]:
    """All that a row may speak of."""
    orchestrator = settings.agent("app", "orchestrator")
    rules = asdict(settings.rules("app"))
    return {
        **shown(settings),
        "rules": rules,
        "parts": asdict(settings.parts("app")),
        "orchestrator": {"name": orchestrator.name, "options": dict(orchestrator.options)},
        "notifiers_used": {
            name: {"name": use.name, "options": dict(use.options)} for name, use in settings.notifiers.items()
        },
        "heard": {level.value: list(settings.heard_by(level)) for level in Level},
        "agent_rules": settings.agent_rules("app"),
    }


def at(data: dict[str, Any], path: str) -> Any:
    """The value at a dotted path."""
    value: Any = data
    for part in path.split("."):
        value = value[part]
    return value


def laid_over(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """Two mappings as one; inner ones likewise."""
    merged = dict(base)
    for key, value in over.items():
        merged[key] = laid_over(merged[key], value) if isinstance(value, dict) and key in merged else value
    return merged


def check(loaded: Loaded, expected: dict[str, Any]) -> None:
    assert loaded.errors == ()
    data = in_force(loaded.require())
    assert {path: at(data, path) for path in expected} == expected


@pytest.mark.parametrize("row", ROWS, ids=[row["key"] for row in ROWS])
def test_a_key_of_the_reference_system(row: dict[str, Any], write: Write) -> None:
    variables = {"HOME": "/home/ada", "SLACK_WEBHOOK_URL": "https://slack.example/from-environment"}
    assert row["as"] in {"same", "accepted", "changed"}
    assert row.get("why") if row["as"] != "same" else "why" not in row
    assert "write" in row or "bare" in row
    check(write(dump(laid_over(BARE, row.get("write", {}))), **variables), row.get("read", {}))
    check(write(dump(BARE), **variables), row.get("bare", {}))


def test_the_pages_tables_are_new(tmp_path: Path) -> None:
    page = (DOCS / "configuration.md").read_text(encoding="utf-8")
    assert page == updated(page, DOCS), (
        "docs/configuration.md is old: python -m orchestrator.settings.manual docs"
    )
    for name in ("configuration.md", "reference-keys.yaml"):
        (tmp_path / name).write_bytes((DOCS / name).read_bytes())
    (tmp_path / "configuration.md").write_text(page.replace("| `port` |", "| `prot` |"), encoding="utf-8")
    main([str(tmp_path)])
    assert (tmp_path / "configuration.md").read_text(encoding="utf-8") == page
