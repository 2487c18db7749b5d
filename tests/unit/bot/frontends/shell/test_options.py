"""Options of every verb, wherever they stand."""

from __future__ import annotations

from typing import Any

import pytest

from bot.frontends.shell import options
from orchestrator.errors import BadInput


@pytest.mark.parametrize(
    ("words", "left", "expected"),
    [
        (["status", "--json"], ["status"], {"json": True}),
        (["--json", "status"], ["status"], {"json": True}),
        (["merge", "d-1", "-y"], ["merge", "d-1"], {"yes": True}),
        (["merge", "d-1", "—yes"], ["merge", "d-1"], {"yes": True}),
        (["--config", "x.yaml", "start"], ["start"], {"config": "x.yaml"}),
        (["start", "--config=x.yaml"], ["start"], {"config": "x.yaml"}),
        (["send", "d-1", "--", "--json"], ["send", "d-1", "--", "--json"], {}),
        (["send", "d-1", "say --json now"], ["send", "d-1", "say --json now"], {}),
        (["kill", "-h"], ["kill"], {"help": True}),
        (["--server", "http://localhost:1", "status"], ["status"], {"server": "http://localhost:1"}),
        (["status", "--server=http://localhost:1"], ["status"], {"server": "http://localhost:1"}),
    ],
)
def test_they_are_taken_out(words: Any, left: list[str], expected: dict[str, Any]) -> None:
    found, rest = options.take(words)
    assert rest == left
    assert found == options.Options(**expected)


def test_config_needs_a_file() -> None:
    with pytest.raises(BadInput, match="--config"):
        options.take(["start", "--config"])
