"""Readers of agents' own records of their conversations: what was used, each message counted once. Pure.

Formats as seen in Claude Code 2.1.330 and codex 0.169.0; lines of other kinds, and lines that are no
JSON, say nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import Any

from orchestrator.domain.outside_text import one_line
from orchestrator.domain.usage import Usage

MOST_TOKENS = 10**12


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What a record says so far."""

    usage: Usage = field(default_factory=Usage)
    messages: frozenset[str] = frozenset()
    """Ids of messages that were counted."""


def is_record(path: str, below: str) -> bool:
    """Whether a path that an agent named can be its record: it lies where records lie."""
    found = PurePosixPath(path)
    return (
        bool(below)
        and found.is_absolute()
        and ".." not in found.parts
        and "\0" not in path
        and found.suffix == ".jsonl"
        and found.is_relative_to(below)
    )


def claude(so_far: Counted, data: bytes) -> Counted:
    """Claude Code: several lines may be parts of one message, each with the whole message's usage."""
    usage, seen = so_far.usage, set(so_far.messages)
    for line in _lines(data):
        message = line.get("message")
        if line.get("type") != "assistant" or not isinstance(message, dict):
            continue
        name, used = message.get("id"), message.get("usage")
        if not isinstance(name, str) or not isinstance(used, dict) or name in seen:
            continue
        seen.add(name)
        usage = replace(
            usage,
            input_tokens=usage.input_tokens
            + _tokens(used, "input_tokens")
            + _tokens(used, "cache_creation_input_tokens"),
            cached_tokens=usage.cached_tokens + _tokens(used, "cache_read_input_tokens"),
            output_tokens=usage.output_tokens + _tokens(used, "output_tokens"),
            model=_model(message.get("model")) or usage.model,
        )
    return Counted(usage=usage, messages=frozenset(seen))


def codex(so_far: Counted, data: bytes) -> Counted:
    """Codex: each count is the whole conversation's so far."""
    usage = so_far.usage
    for line in _lines(data):
        payload = line.get("payload")
        if not isinstance(payload, dict):
            continue
        if line.get("type") == "turn_context":
            usage = replace(usage, model=_model(payload.get("model")) or usage.model)
        info = payload.get("info")
        total = info.get("total_token_usage") if isinstance(info, dict) else None
        if payload.get("type") == "token_count" and isinstance(total, dict):
            cached = _tokens(total, "cached_input_tokens")
            usage = replace(
                usage,
                input_tokens=max(_tokens(total, "input_tokens") - cached, 0),
                cached_tokens=cached,
                output_tokens=_tokens(total, "output_tokens"),
            )
    return replace(so_far, usage=usage)


READERS: Mapping[str, Callable[[Counted, bytes], Counted]] = {"claude": claude, "codex": codex}
"""By the name in a profile."""


def _lines(data: bytes) -> Iterator[dict[str, Any]]:
    for line in data.splitlines():
        try:
            found = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(found, dict):
            yield found


def _tokens(used: Mapping[str, Any], name: str) -> int:
    value = used.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < MOST_TOKENS else 0


def _model(value: object) -> str:
    """A model's name; what an agent makes up itself (`<synthetic>`) is none."""
    return one_line(value, 60) if isinstance(value, str) and not value.startswith("<") else ""
