"""The dialects of OpenAI: Responses, as Codex speaks it, and chat completions."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from itertools import count

from typing_extensions import override

from bot.demo.model_answer import Answer
from bot.demo.model_conversation import Ask, Json, Tool, ToolResult, Turn, block_texts, listed, tabled
from bot.demo.model_dialects import Dialect, Event, Request, new_id, pieces
from bot.demo.model_tools import Call

_ERRORS = {
    400: "invalid_request_error",
    401: "invalid_api_key",
    402: "insufficient_quota",
    404: "not_found",
    429: "rate_limit_exceeded",
}


class Responses(Dialect):
    """POST /v1/responses."""

    @override
    def read(self, request: Request) -> Ask:
        body, headers = request.body, request.headers
        asked = body["input"]
        items = [{"role": "user", "content": asked}] if isinstance(asked, str) else asked
        return Ask(
            api="responses",
            model=body.get("model", "stub"),
            turns=[turn for item in items if (turn := _item(item))],
            tools=dict(_tools(listed(body.get("tools")))),
            conversation=body.get("prompt_cache_key") or headers.get("session-id", ""),
            wanted=tabled(tabled(body.get("text")).get("format")).get("schema"),
            max_tokens=body.get("max_output_tokens") or 0,
            stream=bool(body.get("stream")),
            size=request.size,
        )

    @override
    def whole(self, ask: Ask, answer: Answer) -> Json:
        items = [_message(answer.text)] if answer.text else []
        items += [_call(call, ask.tools.get(call.name)) for call in answer.calls]
        read, written = answer.usage
        return {
            "id": new_id("resp"),
            "object": "response",
            "created_at": int(time.time()),
            "status": "completed",
            "model": ask.model,
            "output": items,
            "usage": {
                "input_tokens": read,
                "input_tokens_details": {"cached_tokens": 0},
                "output_tokens": written,
                "output_tokens_details": {"reasoning_tokens": 0},
                "total_tokens": read + written,
            },
            "error": None,
            "incomplete_details": None,
        }

    @override
    def stream(self, ask: Ask, answer: Answer) -> Iterator[Event]:
        response = self.whole(ask, answer)
        begun = {**response, "status": "in_progress", "output": [], "usage": None}
        numbers = count()
        yield _event(next(numbers), "response.created", response=begun)
        for index, item in enumerate(response["output"]):
            for kind, piece, fields in _parts(item):
                about = {"output_index": index, "item_id": item["id"], **fields}
                yield _event(next(numbers), kind, piece=piece, **about)
        yield _event(next(numbers), "response.completed", response=response)

    @override
    def error(self, status: int, words: str) -> Json:
        return _error(status, words)


class Chat(Dialect):
    """POST /v1/chat/completions."""

    @override
    def read(self, request: Request) -> Ask:
        body = request.body
        form = tabled(body.get("response_format"))
        functions = [tool["function"] for tool in listed(body.get("tools")) if tool.get("type") == "function"]
        return Ask(
            api="chat",
            model=body.get("model", "stub"),
            turns=[_chat_turn(one) for one in body["messages"] if one["role"] not in {"system", "developer"}],
            tools={function["name"]: Tool(function.get("parameters", {})) for function in functions},
            conversation=str(body.get("prompt_cache_key") or body.get("user") or ""),
            wanted=tabled(form.get("json_schema")).get("schema"),
            max_tokens=body.get("max_completion_tokens") or body.get("max_tokens") or 0,
            stream=bool(body.get("stream")),
            size=request.size,
        )

    @override
    def whole(self, ask: Ask, answer: Answer) -> Json:
        calls = [
            {
                "id": new_id("call"),
                "type": "function",
                "function": {"name": call.name, "arguments": json.dumps(call.input)},
            }
            for call in answer.calls
        ]
        message: Json = {"role": "assistant", "content": answer.text or None}
        if calls:
            message["tool_calls"] = calls
        finish = "tool_calls" if calls else "stop"
        return {
            "id": new_id("chatcmpl"),
            "object": "chat.completion",
            "created": int(time.time()),
            "model": ask.model,
            "choices": [{"index": 0, "message": message, "finish_reason": finish}],
            "usage": _chat_usage(answer),
        }

    @override
    def stream(self, ask: Ask, answer: Answer) -> Iterator[Event]:
        whole = self.whole(ask, answer)
        base = {**whole, "object": "chat.completion.chunk", "usage": None}
        choice = whole["choices"][0]

        def chunk(delta: Json, finish: str | None = None, *, piece: bool = False) -> Event:
            choices = [{"index": 0, "delta": delta, "finish_reason": finish}]
            return Event({**base, "choices": choices}, piece=piece)

        yield chunk({"role": "assistant", "content": ""})
        for piece in pieces(answer.text):
            yield chunk({"content": piece}, piece=True)
        for index, call in enumerate(choice["message"].get("tool_calls", [])):
            function = call["function"]
            yield chunk({"tool_calls": [{**call, "index": index, "function": {**function, "arguments": ""}}]})
            for piece in pieces(function["arguments"]):
                part = {"index": index, "function": {"arguments": piece}}
                yield chunk({"tool_calls": [part]}, piece=True)
        yield chunk({}, choice["finish_reason"])
        yield Event({**base, "choices": [], "usage": whole["usage"]})
        yield Event("[DONE]")

    @override
    def error(self, status: int, words: str) -> Json:
        return _error(status, words)


def _item(item: Json) -> Turn | None:
    kind = item.get("type", "message")
    if kind.endswith("_output"):
        return Turn(of_model=False, parts=(ToolResult(),))
    if kind.endswith("_call"):
        return Turn(of_model=True)
    if kind != "message" or item.get("role") not in {"user", "assistant"}:
        return None
    return Turn(item["role"] == "assistant", tuple(block_texts(item.get("content"))))


def _tools(tools: list[Json]) -> Iterator[tuple[str, Tool]]:
    """Tools with a name of their own; those in a namespace are not called by a plan's steps."""
    for tool in tools:
        kind = tool.get("type")
        if kind == "function":
            yield tool["name"], Tool(tool.get("parameters", {}))
        elif kind == "custom":
            yield tool["name"], Tool({}, "custom")
        elif kind == "local_shell":
            yield "local_shell", Tool({}, "local_shell")


def _message(text: str) -> Json:
    content = [{"type": "output_text", "text": text, "annotations": []}]
    return {
        "type": "message",
        "id": new_id("msg"),
        "status": "completed",
        "role": "assistant",
        "content": content,
    }


def _call(call: Call, tool: Tool | None) -> Json:
    about = {"call_id": new_id("call"), "status": "completed"}
    if tool is not None and tool.kind == "local_shell" and isinstance(call.input, dict):
        action = {"type": "exec", "command": call.input["command"], "env": {}}
        return {"type": "local_shell_call", "id": new_id("lsh"), **about, "action": action}
    if tool is not None and tool.kind == "custom":
        text = call.input if isinstance(call.input, str) else str(call.input.get("input", ""))
        return {"type": "custom_tool_call", "id": new_id("ctc"), **about, "name": call.name, "input": text}
    arguments = json.dumps(call.input)
    return {"type": "function_call", "id": new_id("fc"), **about, "name": call.name, "arguments": arguments}


def _parts(item: Json) -> Iterator[tuple[str, bool, Json]]:
    """The events of one item of an answer: kind, whether it is a piece, fields."""
    if item["type"] == "message":
        part = item["content"][0]
        yield "response.output_item.added", False, {"item": {**item, "content": [], "status": "in_progress"}}
        yield "response.content_part.added", False, {"content_index": 0, "part": {**part, "text": ""}}
        for piece in pieces(part["text"]):
            yield "response.output_text.delta", True, {"content_index": 0, "delta": piece}
        yield "response.output_text.done", False, {"content_index": 0, "text": part["text"]}
        yield "response.content_part.done", False, {"content_index": 0, "part": part}
    else:
        yield "response.output_item.added", False, {"item": {**item, "status": "in_progress"}}
        if item["type"] == "function_call":
            for piece in pieces(item["arguments"]):
                yield "response.function_call_arguments.delta", True, {"delta": piece}
            yield "response.function_call_arguments.done", False, {"arguments": item["arguments"]}
    yield "response.output_item.done", False, {"item": item}


def _event(number: int, kind: str, *, piece: bool = False, **fields: object) -> Event:
    return Event({"type": kind, "sequence_number": number, **fields}, kind, piece)


def _chat_turn(message: Json) -> Turn:
    if message["role"] == "tool":
        return Turn(of_model=False, parts=(ToolResult(),))
    return Turn(message["role"] == "assistant", tuple(block_texts(message.get("content"))))


def _chat_usage(answer: Answer) -> Json:
    read, written = answer.usage
    return {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}


def _error(status: int, words: str) -> Json:
    kind = _ERRORS.get(status, "server_error")
    return {"error": {"message": words, "type": kind, "code": kind, "param": None}}
