"""Agents' own records: each message counted once, whatever else stands there."""

from __future__ import annotations

import json

import pytest

from orchestrator.domain.usage import Usage
from plugins._shared.transcripts import Counted, claude, codex, is_record

BELOW = "/home/ada/.claude/projects"


def _said(name: str, used: tuple[int, int, int, int] = (100, 20, 5, 10), model: str = "claude-x") -> bytes:
    usage = {
        "input_tokens": used[0],
        "cache_creation_input_tokens": used[1],
        "cache_read_input_tokens": used[2],
        "output_tokens": used[3],
    }
    return (
        json.dumps({"type": "assistant", "message": {"id": name, "model": model, "usage": usage}}).encode()
        + b"\n"
    )


ONE = Usage(input_tokens=120, cached_tokens=5, output_tokens=10, model="claude-x")


def test_parts_of_one_message_are_counted_once() -> None:
    assert claude(Counted(), _said("m1") * 3).usage == ONE


def test_a_record_that_grows_is_read_on() -> None:
    first = claude(Counted(), _said("m1"))
    # The second part of the first message comes with the next look.
    second = claude(first, _said("m1") + _said("m2", model="<synthetic>"))
    assert second.usage == Usage(input_tokens=240, cached_tokens=10, output_tokens=20, model="claude-x")


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{",
        b"null",
        b"[1]",
        b"\xff\xfe",
        b"[" * 50_000,
        b'{"type": "user", "message": {"id": "m9", "usage": {"input_tokens": 5}}}',
        b'{"type": "assistant", "message": "text"}',
        b'{"type": "assistant", "message": {"id": 7, "usage": {"input_tokens": 5}}}',
        b'{"type": "assistant", "message": {"id": "m8", "usage": {"input_tokens": -5, "output_tokens": true}}}',
        b'{"type": "assistant", "message": {"id": "m7", "usage": {"input_tokens": "9", "output_tokens": 1e30}}}',
        b'{"type": "assistant", "message": {"id": "m6", "usage": {"input_tokens": 9999999999999999999999}}}',
    ],
)
def test_a_line_that_says_nothing_counts_nothing(line: bytes) -> None:
    assert claude(Counted(), line + b"\n" + _said("m1") + line).usage == ONE
    assert codex(Counted(), line + b"\n").usage == Usage()


def test_codex_counts_the_whole_conversation_each_time() -> None:
    def count(tokens: int) -> bytes:
        total = {"input_tokens": tokens, "cached_input_tokens": 30, "output_tokens": 7}
        payload = {"type": "token_count", "info": {"total_token_usage": total}}
        return json.dumps({"type": "event_msg", "payload": payload}).encode() + b"\n"

    model = b'{"type": "turn_context", "payload": {"model": "gpt-x"}}\n'
    counted = codex(codex(Counted(), model + count(100)), count(150))
    assert counted.usage == Usage(input_tokens=120, cached_tokens=30, output_tokens=7, model="gpt-x")


@pytest.mark.parametrize(
    ("path", "below", "believed"),
    [
        (f"{BELOW}/-app/c-1.jsonl", BELOW, True),
        (f"{BELOW}/-app/sub/c-1.jsonl", BELOW, True),
        ("/home/ada/.ssh/id.jsonl", BELOW, False),
        (f"{BELOW}x/c-1.jsonl", BELOW, False),
        (f"{BELOW}/../../.ssh/keys.jsonl", BELOW, False),
        (f"{BELOW}/-app/c-1.jsonl\0.txt", BELOW, False),
        (f"{BELOW}/-app/c-1\0.jsonl", BELOW, False),
        (f"{BELOW}/-app/c-1.json", BELOW, False),
        (f"{BELOW}/-app/.jsonl", BELOW, False),
        ("projects/-app/c-1.jsonl", BELOW, False),
        ("", BELOW, False),
        ("/c-1.jsonl", "", False),
    ],
)
def test_only_what_lies_where_records_lie_is_read(path: str, below: str, believed: bool) -> None:
    assert is_record(path, below) is believed
