"""The dialect of Anthropic's Messages, as Claude Code speaks it."""

from __future__ import annotations

import json
from collections.abc import Iterator

from typing_extensions import override

from bot.demo.model_answer import Answer
from bot.demo.model_conversation import Ask, Json, Tool, ToolResult, Turn, block_texts, listed, tabled
from bot.demo.model_dialects import Dialect, Event, Request, new_id, pieces

_ERRORS = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    529: "overloaded_error",
}
_DENIED = "To tell you how to proceed, the user said:\n"


class Anthropic(Dialect):
    """POST /v1/messages."""

    @override
    def read(self, request: Request) -> Ask:
        body = request.body
        tools = {tool["name"]: Tool(tool.get("input_schema", {})) for tool in listed(body.get("tools"))}
        form = tabled(tabled(body.get("output_config")).get("format"))
        return Ask(
            api="anthropic",
            model=body.get("model", "stub"),
            turns=[_turn(message) for message in body["messages"] if message["role"] != "system"],
            tools=tools,
            conversation=_session(body) or request.headers.get("x-claude-code-session-id", ""),
            wanted=form.get("schema"),
            max_tokens=body.get("max_tokens", 0),
            stream=bool(body.get("stream")),
            size=request.size,
        )

    @override
    def whole(self, ask: Ask, answer: Answer) -> Json:
        content: list[Json] = [{"type": "text", "text": answer.text}] if answer.text else []
        content += [
            {"type": "tool_use", "id": new_id("toolu"), "name": call.name, "input": call.input}
            for call in answer.calls
        ]
        return {
            "id": new_id("msg"),
            "type": "message",
            "role": "assistant",
            "model": ask.model,
            "content": content,
            "stop_reason": "tool_use" if answer.calls else "end_turn",
            "stop_sequence": None,
            "usage": {
                "input_tokens": answer.usage[0],
                "cache_creation_input_tokens": 0,
                "cache_read_input_tokens": 0,
                "output_tokens": answer.usage[1],
            },
        }

    @override
    def stream(self, ask: Ask, answer: Answer) -> Iterator[Event]:
        message = self.whole(ask, answer)
        content, stop, usage = message["content"], message["stop_reason"], message["usage"]
        begun = {**message, "content": [], "stop_reason": None, "usage": {**usage, "output_tokens": 1}}
        yield _event("message_start", message=begun)
        for index, block in enumerate(content):
            yield from _block(index, block)
        yield _event("message_delta", delta={"stop_reason": stop, "stop_sequence": None}, usage=usage)
        yield _event("message_stop")

    @override
    def error(self, status: int, words: str) -> Json:
        error = {"type": _ERRORS.get(status, "api_error"), "message": words}
        return {"type": "error", "error": error, "request_id": new_id("req")}


def _turn(message: Json) -> Turn:
    parts: list[str | ToolResult] = []
    content = message["content"]
    for block in content if isinstance(content, list) else [content]:
        if isinstance(block, dict) and block.get("type") == "tool_result":
            parts += [ToolResult(), *_words_of_denial(block)]
        else:
            parts += block_texts([block])
    return Turn(message["role"] == "assistant", tuple(parts))


def _words_of_denial(result: Json) -> Iterator[str]:
    """What a person typed who refused the call and said how to go on: Claude Code puts it into the result."""
    for text in block_texts(result.get("content")) if result.get("is_error") else ():
        _, found, said = text.partition(_DENIED)
        if found:
            yield said


def _session(body: Json) -> str:
    """Claude Code says its session in `metadata.user_id`: an object as text, before that `..._session_ID`."""
    user = str(tabled(body.get("metadata")).get("user_id", ""))
    try:
        return str(tabled(json.loads(user)).get("session_id", ""))
    except json.JSONDecodeError:
        _, found, session = user.rpartition("_session_")
        return session if found else ""


def _block(index: int, block: Json) -> Iterator[Event]:
    empty: Json = {"text": ""} if "text" in block else {"input": {}}
    kind, key = ("text_delta", "text") if "text" in block else ("input_json_delta", "partial_json")
    text = block["text"] if "text" in block else json.dumps(block["input"])
    yield _event("content_block_start", index=index, content_block={**block, **empty})
    for piece in pieces(text):
        yield _event("content_block_delta", piece=True, index=index, delta={"type": kind, key: piece})
    yield _event("content_block_stop", index=index)


def _event(kind: str, *, piece: bool = False, **fields: object) -> Event:
    return Event({"type": kind, **fields}, kind, piece)
