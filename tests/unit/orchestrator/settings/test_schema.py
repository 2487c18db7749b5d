from __future__ import annotations

import json
from typing import Any

import pytest

from orchestrator import resources
from orchestrator.settings import schema
from orchestrator.settings.schema import schema_text


def test_the_file_is_what_the_models_say() -> None:
    assert resources.text("schema.json") == schema_text(), (
        "config/schema.json is old: python -m orchestrator.settings.schema > config/schema.json"
    )


def test_the_module_prints_it(capsys: pytest.CaptureFixture[str]) -> None:
    schema.main()
    assert capsys.readouterr().out == schema_text()


def test_every_key_is_described() -> None:
    whole: dict[str, Any] = json.loads(schema_text())
    for holder in (whole, *whole["$defs"].values()):
        for key, node in holder.get("properties", {}).items():
            model = whole["$defs"].get(node.get("$ref", "").rpartition("/")[2], {})
            description = node.get("description") or model.get("description", "")
            assert description.endswith("."), f"{holder['title']}.{key}"
