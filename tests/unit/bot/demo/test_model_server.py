"""The model server as a process of its own: four dialects, errors, the log, and how it ends."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from http.client import HTTPConnection, HTTPResponse, RemoteDisconnected
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[4]
PATIENCE = 15.0
PLAN = [{"sh": "ls", "text_before": "I look with a shell, as told.", "drip": 0.001}, {"say": "done"}]
MESSAGES, RESPONSES, CHAT = "/v1/messages?beta=true", "/v1/responses", "/v1/chat/completions"
GEMINI = "/v1beta/models/gem-1:generateContent"
SHELL = {"type": "object", "properties": {"command": {"type": "string"}}, "required": ["command"]}


class Served:
    """One server with a plan."""

    def __init__(self, folder: Path, plan: object, *more: str) -> None:
        self.log = folder / "log.jsonl"
        (folder / "plan.json").write_text(json.dumps(plan))
        argv = [sys.executable, "-m", "bot.demo.model_server", "--plan", f"{folder}/plan.json"]
        self.process = subprocess.Popen(
            [*argv, "--log", str(self.log), "--with-parent", *more],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.port: int = json.loads(self.process.stdout.readline())["port"]

    @contextmanager
    def send(
        self, path: str, body: object, *, method: str = "POST", chunked: bool = False
    ) -> Iterator[HTTPResponse]:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"content-type": "application/json", "x-claude-code-session-id": "from-header"}
        whole = iter([data[:5], data[5:]]) if chunked else data
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)) as connection:
            connection.request(method, path, whole, headers, encode_chunked=chunked)
            with connection.getresponse() as response:
                yield response

    def ask(self, path: str, body: object, **how: Any) -> Any:
        with self.send(path, body, **how) as response:
            assert response.status == 200, response.read()
            return json.loads(response.read())

    def stream(self, path: str, body: object) -> list[Any]:
        with self.send(path, body) as response:
            assert response.headers["content-type"] == "text/event-stream"
            rows = [
                line.removeprefix("data: ")
                for line in response.read().decode().splitlines()
                if "data: " in line
            ]
        return [row if row == "[DONE]" else json.loads(row) for row in rows]

    def logged(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def end(self) -> int:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.stdout.close()
        return self.process.wait(PATIENCE)


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[[object], Served]]:
    with ExitStack() as ends:

        def start(plan: object) -> Served:
            served = Served(tmp_path, plan)
            ends.callback(served.end)
            return served

        yield start


def _messages(*messages: object, **more: Any) -> dict[str, Any]:
    tools = [{"name": "Bash", "input_schema": SHELL}]
    user = json.dumps({"device_id": "d", "account_uuid": "", "session_id": "conv-1"})
    return {
        "model": "m",
        "max_tokens": 9,
        "messages": messages,
        "tools": tools,
        "metadata": {"user_id": user},
    } | more


def _text(text: str) -> dict[str, Any]:
    return {"role": "user", "content": [{"type": "text", "text": text}]}


def test_messages_whole_and_in_pieces(serve: Callable[[object], Served]) -> None:
    served = serve(PLAN)
    whole = served.ask(MESSAGES, _messages(_text("go")))
    text, call = whole["content"]
    assert text == {"type": "text", "text": "I look with a shell, as told."}
    assert (call["name"], call["input"], whole["stop_reason"]) == ("Bash", {"command": "ls"}, "tool_use")
    events = served.stream(MESSAGES, _messages(_text("go"), stream=True))
    assert [event["type"] for event in events if "block_delta" not in event["type"]] == [
        "message_start",
        *["content_block_start", "content_block_stop"] * 2,
        "message_delta",
        "message_stop",
    ]
    deltas = [event["delta"] for event in events if event["type"] == "content_block_delta"]
    assert "".join(delta.get("text", "") for delta in deltas) == text["text"]
    assert json.loads("".join(delta.get("partial_json", "") for delta in deltas)) == {"command": "ls"}


def test_messages_with_results_and_words_of_claude_code(serve: Callable[[object], Served]) -> None:
    served = serve(PLAN)
    result = {"type": "tool_result", "tool_use_id": "t", "content": [{"type": "text", "text": "out"}]}
    used = {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "Bash", "input": {}}]}
    told = {"role": "system", "content": "# Environment"}
    after = [{"role": "user", "content": "go"}, told, used, {"role": "user", "content": [result]}]
    assert served.ask(MESSAGES, _messages(*after))["content"][0]["text"] == "done"
    words = [
        result,
        {"type": "text", "text": "[Request interrupted by user for tool use]\n"},
        _text("x")["content"][0],
    ]
    again = served.ask(MESSAGES, _messages(*after[:3], {"role": "user", "content": words}))
    assert again["stop_reason"] == "tool_use"
    refusal = "The tool use was rejected. To tell you how to proceed, the user said:\nthat way"
    refused = {**result, "content": refusal, "is_error": True}
    served.ask(MESSAGES, _messages(*after[:3], {"role": "user", "content": [refused]}))
    assert served.logged()[-1]["human"] == "that way"
    form = {"format": {"type": "json_schema", "schema": {"properties": {"title": {}}, "required": ["title"]}}}
    title = served.ask(MESSAGES, _messages(_text("x"), tools=[], output_config=form))
    assert json.loads(title["content"][0]["text"]) == {"title": "Play a written plan"}
    assert [(line["conversation"], line["step"], line["tool"]) for line in served.logged()] == [
        ("conv-1", 1, None),
        ("conv-1", 0, "Bash"),
        ("conv-1", 0, "Bash"),
        ("conv-1", None, None),
    ]


@pytest.mark.parametrize(
    ("user", "conversation"),
    [
        ("user_a_account__session_old-1", "old-1"),
        ("me", "from-header"),
        (None, "from-header"),
        ("7", "from-header"),
    ],
)
def test_the_conversation_is_named_as_far_as_it_is_known(
    serve: Callable[[object], Served], user: str | None, conversation: str
) -> None:
    served = serve(PLAN)
    served.ask(MESSAGES, _messages(_text("go"), metadata={"user_id": user}))
    (line,) = served.logged()
    assert line["conversation"] == conversation
    assert {"api": "anthropic", "human": "go", "tool": "Bash", "status": 200}.items() <= line.items()
    assert line["time"] == pytest.approx(time.time(), abs=60)


def _response(*items: object, **more: Any) -> dict[str, Any]:
    shell = {"properties": {"cmd": {"type": "string"}}, "required": ["cmd"]}
    tools = [
        {"type": "function", "name": "exec_command", "parameters": shell},
        {"type": "custom", "name": "apply_patch", "format": {}},
        {"type": "namespace", "name": "more", "tools": [{"type": "function", "name": "shell"}]},
        {"type": "web_search"},
    ]
    return {
        "model": "m",
        "input": items,
        "tools": tools,
        "prompt_cache_key": "thread-1",
        "stream": True,
    } | more


def _input(text: str, role: str = "user") -> dict[str, Any]:
    return {"type": "message", "role": role, "content": [{"type": "input_text", "text": text}]}


def test_responses_in_pieces_and_whole(serve: Callable[[object], Served]) -> None:
    served = serve([PLAN[0], {"write": "a.txt", "text": "x"}, PLAN[1]])
    talk: list[Any] = [_input("be good", "developer"), _input("<environment_context>x</environment_context>")]
    talk.append(_input("go"))
    events = served.stream(RESPONSES, _response(*talk))
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    text, call = events[-1]["response"]["output"]
    assert text["content"][0]["text"] == "I look with a shell, as told."
    assert (call["name"], json.loads(call["arguments"])) == ("exec_command", {"cmd": "ls"})
    deltas = [event["delta"] for event in events if event["type"] == "response.output_text.delta"]
    assert "".join(deltas) == text["content"][0]["text"]
    talk += [text, call, {"type": "function_call_output", "call_id": call["call_id"], "output": "out"}]
    (patch,) = served.stream(RESPONSES, _response(*talk))[-1]["response"]["output"]
    assert (patch["type"], patch["name"]) == ("custom_tool_call", "apply_patch")
    assert patch["input"].startswith("*** Begin Patch\n*** Add File: a.txt\n+x\n")
    talk += [{"type": "reasoning", "summary": []}, patch, {"type": "custom_tool_call_output", "output": "ok"}]
    whole = served.ask(RESPONSES, _response(*talk, stream=False))
    assert whole["output"][0]["content"][0]["text"] == "done"
    assert whole["usage"]["total_tokens"] > whole["usage"]["output_tokens"] > 0
    assert {line["conversation"] for line in served.logged()} == {"thread-1"}


def test_responses_for_a_title_and_for_a_local_shell(serve: Callable[[object], Served]) -> None:
    served = serve(PLAN)
    form = {"format": {"type": "json_schema", "schema": {"properties": {"title": {}}, "required": ["title"]}}}
    title = served.ask(RESPONSES, {"model": "m", "input": "Generate a title", "tools": [], "text": form})
    assert json.loads(title["output"][0]["content"][0]["text"]) == {"title": "Play a written plan"}
    local = served.ask(RESPONSES, _response(_input("go"), tools=[{"type": "local_shell"}], stream=False))
    assert local["output"][1]["action"]["command"] == ["bash", "-lc", "ls"]


def _chat(*messages: object, **more: Any) -> dict[str, Any]:
    tools = [{"type": "function", "function": {"name": "bash", "parameters": SHELL}}]
    return {"model": "m", "messages": [{"role": "system", "content": "x"}, *messages], "tools": tools} | more


def test_chat_completions(serve: Callable[[object], Served]) -> None:
    served = serve(PLAN)
    go = {"role": "user", "content": "go"}
    message = served.ask(CHAT, _chat(go))["choices"][0]["message"]
    (call,) = message["tool_calls"]
    assert json.loads(call["function"]["arguments"]) == {"command": "ls"}
    *events, end = served.stream(CHAT, _chat(go, stream=True))
    assert end == "[DONE]"
    assert events[-1]["usage"]["total_tokens"] > 0
    deltas = [choice["delta"] for event in events for choice in event["choices"]]
    assert "".join(delta.get("content", "") for delta in deltas) == message["content"]
    functions = [call["function"] for delta in deltas for call in delta.get("tool_calls", [])]
    assert functions[0]["name"] == "bash"
    assert json.loads("".join(function["arguments"] for function in functions)) == {"command": "ls"}
    result = {"role": "tool", "tool_call_id": call["id"], "content": "out"}
    assert served.ask(CHAT, _chat(go, message, result))["choices"][0]["message"]["content"] == "done"


def test_gemini(serve: Callable[[object], Served]) -> None:
    served = serve(PLAN)
    tools = [{"functionDeclarations": [{"name": "run_shell_command", "parametersJsonSchema": SHELL}]}]
    contents: list[Any] = [{"role": "user", "parts": [{"text": "go"}]}]
    whole = served.ask(GEMINI, {"contents": contents, "tools": tools})
    content = whole["candidates"][0]["content"]
    assert content["parts"][1] == {"functionCall": {"name": "run_shell_command", "args": {"command": "ls"}}}
    assert whole["modelVersion"] == "gem-1"
    streamed = served.stream(GEMINI.replace(":g", ":streamG"), {"contents": contents, "tools": tools})
    parts = [part for event in streamed for part in event["candidates"][0]["content"]["parts"]]
    assert "".join(part.get("text", "") for part in parts) == content["parts"][0]["text"]
    assert parts[-1] == content["parts"][1]
    contents += [content, {"role": "user", "parts": [{"functionResponse": {"name": "x", "response": {}}}]}]
    done = served.ask(GEMINI, {"contents": contents, "tools": tools})
    assert done["candidates"][0]["content"]["parts"] == [{"text": "done"}]


@pytest.mark.parametrize("path", [MESSAGES, RESPONSES, CHAT, GEMINI])
def test_an_error_has_the_words_of_the_plan(serve: Callable[[object], Served], path: str) -> None:
    served = serve([{"status": 429, "error": "slower, please", "retry_after": 2, "times": 1}, {"say": "ok"}])
    body = _messages(_text("go")) | {"input": "go", "contents": [{"parts": [{"text": "go"}]}]}
    if path != MESSAGES:
        body["tools"] = [
            {
                "type": "function",
                "name": "f",
                "function": {"name": "f"},
                "functionDeclarations": [{"name": "f"}],
            }
        ]
    with served.send(path, body) as response:
        assert (response.status, response.headers["retry-after"]) == (429, "2")
        assert json.loads(response.read())["error"]["message"] == "slower, please"
    served.ask(path, body)
    assert [line["status"] for line in served.logged()] == [429, 200]


def test_it_hangs_up_when_the_plan_says_so(serve: Callable[[object], Served]) -> None:
    served = serve([{"hang": 0.01, "times": 1}, {"say": "ok", "delay": 0.01}])
    with pytest.raises(RemoteDisconnected), served.send(MESSAGES, _messages(_text("go"))):
        pass
    assert served.ask(MESSAGES, _messages(_text("go")))["content"][0]["text"] == "ok"


def test_what_is_no_request_of_a_dialect(serve: Callable[[object], Served]) -> None:
    served = serve(PLAN)
    bodies: list[object] = [b"{", {}, {"messages": [1]}, [], {"messages": [{"role": "user"}]}]
    for body in bodies:
        with served.send(MESSAGES, body) as response:
            assert response.status == 400, body
            assert "does not understand" in json.loads(response.read())["error"]["message"]
    with served.send("/v1/other", {}) as response:
        assert response.status == 404


def test_the_paths_beside(serve: Callable[[object], Served]) -> None:
    served = serve(PLAN)
    assert served.ask("/v1/messages/count_tokens", {"messages": []})["input_tokens"] > 0
    assert served.ask("/v1/models", {}, method="GET")["data"][0]["id"] == "stub-model"
    with served.send("/other", {}, method="GET") as response:
        assert response.status == 404
    with served.send("/", b"", method="HEAD") as response:
        assert (response.status, response.read()) == (200, b"")
    assert served.ask(MESSAGES, _messages(_text("go")), chunked=True)["stop_reason"] == "tool_use"


def test_an_agent_that_hangs_up_is_noted(serve: Callable[[object], Served]) -> None:
    served = serve([{"say": "long " * 4000, "drip": 0.002}])
    data = json.dumps(_messages(_text("go"), stream=True)).encode()
    head = f"POST {MESSAGES} HTTP/1.1\r\nhost: x\r\ncontent-length: {len(data)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", served.port), timeout=PATIENCE) as agent:
        agent.sendall(head.encode() + data)
        assert agent.recv(64).startswith(b"HTTP/1.1 200")
    deadline = time.monotonic() + PATIENCE
    while served.logged()[-1]["status"] != "the agent hung up":
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_it_ends_with_its_parent_even_in_the_midst_of_a_delay(serve: Callable[[object], Served]) -> None:
    served = serve([{"say": "x", "delay": 600}])
    connection = HTTPConnection("127.0.0.1", served.port, timeout=PATIENCE)
    connection.request("POST", MESSAGES, json.dumps(_messages(_text("go"))))
    assert served.end() == 0
    connection.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", served.port), timeout=PATIENCE).close()


def test_it_listens_on_the_loopback_alone(serve: Callable[[object], Served]) -> None:
    served = serve(PLAN)
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.2", served.port), timeout=PATIENCE).close()


@pytest.mark.parametrize(
    ("text", "words"),
    [('[{"sing": "la"}]', "unknown key: sing"), ("{", "no JSON"), (None, "No such file")],
)
def test_it_does_not_start_with_a_bad_plan(tmp_path: Path, text: str | None, words: str) -> None:
    if text is not None:
        (tmp_path / "plan.json").write_text(text)
    argv = [sys.executable, "-m", "bot.demo.model_server", "--plan", f"{tmp_path}/plan.json"]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 1
    assert words in done.stderr


def test_the_end_of_an_answer_is_logged_where_that_is_wanted(tmp_path: Path) -> None:
    served = Served(tmp_path, [{"say": "One piece of words and another one.", "drip": 0.1}], "--log-ends")
    served.stream(MESSAGES, _messages(_text("go"), stream=True))
    assert served.end() == 0
    begun, ended = served.logged()
    assert ended["ended"] == begun["number"]
    assert ended["time"] - begun["time"] >= 0.2
