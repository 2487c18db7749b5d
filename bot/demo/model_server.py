"""`python -m bot.demo.model_server`: a model server for real agents that plays written plans. There is no model.

It speaks Anthropic Messages, OpenAI Responses, OpenAI chat completions and Gemini, listens on 127.0.0.1 alone, and
prints `{"port": N}` when it is ready. `bot.demo.model_plan` says what a plan is.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

from typing_extensions import override

from bot.demo.model_answer import Answer, Tried, choose
from bot.demo.model_anthropic import Anthropic
from bot.demo.model_conversation import Ask, Json
from bot.demo.model_dialects import Dialect, Event, Request
from bot.demo.model_gemini import Gemini
from bot.demo.model_openai import Chat, Responses
from bot.demo.model_plan import BadPlan, Plan, excerpt

_MODELS = ("stub-model", "claude-opus-5-5", "gpt-5.5", "gemini-3-pro")


class RequestLog:
    """One line of JSON a request, in a file that others may read meanwhile; with `ends` one more at its end."""

    def __init__(self, path: Path | None, *, ends: bool = False) -> None:
        self._path = path
        self._ends = ends
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    @contextmanager
    def answer(self, **fields: object) -> Iterator[None]:
        """Note that an answer begins, and that it was given or broke off."""
        number = next(self._numbers)
        self.note(number=number, **fields)
        try:
            yield
        finally:
            if self._ends:
                self.note(ended=number)

    def note(self, **fields: object) -> None:
        """Add a line."""
        if self._path is None:
            return
        line = json.dumps({"time": round(time.time(), 3), **fields})
        with self._lock, self._path.open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")


class ModelServer(ThreadingHTTPServer):
    """The server: a plan, a log, and what was tried of steps that fail some times."""

    daemon_threads = True

    def __init__(self, port: int, plan: Plan, log: RequestLog) -> None:
        self.plan = plan
        self.log = log
        self.stopping = threading.Event()
        self._tried: Tried = {}
        self._lock = threading.Lock()
        super().__init__(("127.0.0.1", port), _Handler)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server_address[1])

    def choose(self, ask: Ask) -> Answer:
        """The answer to a request."""
        with self._lock:
            return choose(ask, self.plan, self._tried)

    def end(self) -> None:
        """Let `serve_forever` return, and let nobody wait for a delay."""
        self.stopping.set()
        self.shutdown()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "ao-stub-model"
    server: ModelServer
    _dialects: ClassVar[Mapping[str, Dialect]] = {
        "/messages": Anthropic(),
        "/chat/completions": Chat(),
        "/responses": Responses(),
        ":generateContent": Gemini(),
        ":streamGenerateContent": Gemini(),
    }

    @override
    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: there is a log of requests."""

    def do_HEAD(self) -> None:
        self._json(200, {})

    def do_GET(self) -> None:
        if not self._path.endswith("/models"):
            self._unknown()
            return
        rows = [{"id": name, "object": "model", "type": "model", "display_name": name} for name in _MODELS]
        names = [{"name": f"models/{name}"} for name in _MODELS]
        self._json(200, {"object": "list", "data": rows, "has_more": False, "models": names})

    def do_POST(self) -> None:
        try:
            self._post()
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True
            self.server.log.note(path=self._path, status="the agent hung up")

    @property
    def _path(self) -> str:
        return self.path.partition("?")[0]

    def _post(self) -> None:
        raw = b"".join(self._chunks())
        if self._path.endswith(("/count_tokens", ":countTokens")):
            tokens = max(1, len(raw) // 4)
            self._json(200, {"input_tokens": tokens, "totalTokens": tokens})
            return
        dialect = next((one for end, one in self._dialects.items() if self._path.endswith(end)), None)
        if dialect is None:
            self._unknown()
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            request = Request(path=self._path, headers=headers, body=json.loads(raw), size=len(raw))
            ask = dialect.read(request)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            words = f"The stub model does not understand this request: {type(error).__name__}: {error}"
            self.server.log.note(path=self._path, status=400, problem=words)
            self._json(400, dialect.error(400, words))
            return
        self._answer(dialect, ask, self.server.choose(ask))

    def _answer(self, dialect: Dialect, ask: Ask, answer: Answer) -> None:
        with self.server.log.answer(
            api=ask.api,
            conversation=ask.conversation,
            rule=answer.rule,
            step=answer.step,
            human=excerpt(answer.human),
            tool=", ".join(call.name for call in answer.calls) or None,
            say=excerpt(answer.text),
            status=answer.status if answer.hang is None else "hang",
            model=ask.model,
            tools=len(ask.tools),
            stream=ask.stream,
            bytes=ask.size,
        ):
            self._give(dialect, ask, answer)

    def _give(self, dialect: Dialect, ask: Ask, answer: Answer) -> None:
        self.server.stopping.wait(answer.delay if answer.hang is None else answer.hang)
        if answer.hang is not None:
            self.close_connection = True
        elif answer.status >= 400:
            wait = {} if answer.retry_after is None else {"retry-after": f"{answer.retry_after:g}"}
            self._json(answer.status, dialect.error(answer.status, answer.error), wait)
        elif ask.stream:
            self._stream(dialect.stream(ask, answer), answer.drip)
        else:
            self._json(200, dialect.whole(ask, answer))

    def _chunks(self) -> Iterator[bytes]:
        """The request's body."""
        if self.headers.get("transfer-encoding", "").lower() != "chunked":
            yield self.rfile.read(int(self.headers.get("content-length") or 0))
            return
        while size := int(self.rfile.readline().partition(b";")[0] or b"0", 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def _unknown(self) -> None:
        self.server.log.note(path=self._path, status=404)
        self._json(404, {"error": {"type": "not_found_error", "message": "The stub model has no such path."}})

    def _json(self, status: int, body: Json, headers: Mapping[str, str] | None = None) -> None:
        data = json.dumps(body).encode()
        fixed = {"content-type": "application/json", "content-length": str(len(data))}
        self._head(status, {**fixed, **(headers or {})})
        if self.command != "HEAD":
            self.wfile.write(data)

    def _stream(self, events: Iterator[Event], drip: float) -> None:
        fixed = {"content-type": "text/event-stream", "cache-control": "no-cache"}
        self._head(200, {**fixed, "transfer-encoding": "chunked"})
        for event in events:
            if drip and event.piece:
                self.server.stopping.wait(drip)
            data = event.data if isinstance(event.data, str) else json.dumps(event.data)
            name = f"event: {event.name}\n" if event.name else ""
            self._chunk(f"{name}data: {data}\n\n".encode())
        self._chunk(b"")

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def _head(self, status: int, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()


def _end_with_parent(server: ModelServer) -> None:
    """Wait until nobody can write to our stdin any more, which is when the parent is gone."""
    # Not through sys.stdin: Python takes its lock when it ends, and a thread that waits in it holds that.
    while os.read(0, 4096):
        pass
    server.end()


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until killed, or until the parent ends."""
    parser = argparse.ArgumentParser(description="A model server that plays written plans; no model.")
    parser.add_argument("--port", type=int, default=0, help="0 (default): a free one")
    parser.add_argument("--plan", type=Path, help="JSON: rules, or a list of steps")
    parser.add_argument("--log", type=Path, help="add a line of JSON for each request to this file")
    parser.add_argument("--log-ends", action="store_true", help="add a line also when an answer ended")
    parser.add_argument("--with-parent", action="store_true", help="end when stdin is closed")
    options = parser.parse_args(argv)
    try:
        plan = Plan.parse(options.plan.read_text(encoding="utf-8")) if options.plan else Plan()
        server = ModelServer(options.port, plan, RequestLog(options.log, ends=options.log_ends))
    except (BadPlan, OSError) as error:
        print(f"The model server did not start: {error}", file=sys.stderr)
        return 1
    if options.with_parent:
        threading.Thread(target=_end_with_parent, args=(server,), daemon=True).start()
    print(json.dumps({"port": server.port}), flush=True)
    try:
        server.serve_forever(poll_interval=0.1)
    except KeyboardInterrupt:
        server.stopping.set()
    finally:
        server.server_close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
