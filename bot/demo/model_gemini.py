"""The dialect of Gemini's generateContent."""

from __future__ import annotations

import re
from collections.abc import Iterator

from typing_extensions import override

from bot.demo.model_answer import Answer
from bot.demo.model_conversation import Ask, Json, Tool, ToolResult, Turn, block_texts, listed, tabled
from bot.demo.model_dialects import Dialect, Event, Request, pieces

_MODEL = re.compile(r"/models/([^/:]+):")
_ERRORS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    503: "UNAVAILABLE",
}


class Gemini(Dialect):
    """POST /v1beta/models/NAME:generateContent and :streamGenerateContent."""

    @override
    def read(self, request: Request) -> Ask:
        body = request.body
        config = tabled(body.get("generationConfig"))
        functions = [
            one for tool in listed(body.get("tools")) for one in tool.get("functionDeclarations", [])
        ]
        named = _MODEL.search(request.path)
        return Ask(
            api="gemini",
            model=named.group(1) if named else "stub",
            turns=[_turn(content) for content in body["contents"]],
            tools={one["name"]: Tool(_schema(one)) for one in functions},
            wanted=config.get("responseJsonSchema") or config.get("responseSchema"),
            max_tokens=config.get("maxOutputTokens", 0),
            stream="streamGenerateContent" in request.path,
            size=request.size,
        )

    @override
    def whole(self, ask: Ask, answer: Answer) -> Json:
        parts: list[Json] = [{"text": answer.text}] if answer.text else []
        parts += [{"functionCall": {"name": call.name, "args": call.input}} for call in answer.calls]
        return _response(ask, parts, answer.usage)

    @override
    def stream(self, ask: Ask, answer: Answer) -> Iterator[Event]:
        for piece in pieces(answer.text):
            yield Event(_response(ask, [{"text": piece}]), piece=True)
        calls: list[Json] = [{"functionCall": {"name": one.name, "args": one.input}} for one in answer.calls]
        yield Event(_response(ask, calls, answer.usage))

    @override
    def error(self, status: int, words: str) -> Json:
        return {"error": {"code": status, "message": words, "status": _ERRORS.get(status, "INTERNAL")}}


def _turn(content: Json) -> Turn:
    parts: list[str | ToolResult] = []
    for part in content["parts"]:
        if "functionResponse" in part:
            parts.append(ToolResult())
        elif not part.get("thought"):
            parts += block_texts([part])
    return Turn(content.get("role") == "model", tuple(parts))


def _schema(function: Json) -> Json:
    return tabled(function.get("parametersJsonSchema") or function.get("parameters"))


def _response(ask: Ask, parts: list[Json], usage: tuple[int, int] | None = None) -> Json:
    candidate: Json = {"content": {"role": "model", "parts": parts}, "index": 0}
    response: Json = {"candidates": [candidate], "modelVersion": ask.model}
    if usage is not None:
        candidate["finishReason"] = "STOP"
        read, written = usage
        counts = {
            "promptTokenCount": read,
            "candidatesTokenCount": written,
            "totalTokenCount": read + written,
        }
        response["usageMetadata"] = counts
    return response
