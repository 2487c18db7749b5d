"""The fake Slack as a process of its own: its addresses, its log, and how it ends."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[4]
PATIENCE = 15.0


def _start(*more: str) -> tuple[subprocess.Popen[str], Any]:
    process = subprocess.Popen(
        [sys.executable, "-m", "bot.demo.slack_server", "--with-parent", *more],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    return process, json.loads(process.stdout.readline())


def _end(process: subprocess.Popen[str]) -> int:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.close()
    process.stdout.close()
    return process.wait(PATIENCE)


def _post(port: int, path: str, body: object) -> Any:
    connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    headers = {"Content-Type": "application/json", "Authorization": "Bearer xoxb-fake"}
    connection.request("POST", path, json.dumps(body), headers)
    with connection.getresponse() as response:
        answer = json.loads(response.read())
    connection.close()
    return answer


def test_it_says_where_it_is_keeps_a_log_and_ends_with_its_parent(tmp_path: Path) -> None:
    log = tmp_path / "slack.jsonl"
    process, told = _start("--log", str(log), "--pacing")
    port = told["port"]
    assert told["api"] == f"http://127.0.0.1:{port}/api/"
    posted = _post(port, "/api/chat.postMessage", {"channel": "C00000DEMO", "text": "hello"})
    assert _post(port, "/api/chat.postPoem", {})["error"] == "unknown_method"
    calls = [line for line in map(json.loads, log.read_text().splitlines()) if line["kind"] == "call"]
    assert [(line["method"], line["ok"], line.get("ts")) for line in calls] == [
        ("chat.postMessage", True, posted["ts"]),
        ("chat.postPoem", False, None),
    ]
    assert "xoxb" not in log.read_text()
    waiting = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    waiting.request("GET", "/view?after=99999")
    assert _end(process) == 0
    waiting.close()


def test_it_listens_on_the_loopback_alone_and_says_when_a_port_is_taken() -> None:
    process, told = _start()
    try:
        with socket.socket() as other:
            assert other.connect_ex(("127.0.0.2", told["port"])) != 0
        argv = [sys.executable, "-m", "bot.demo.slack_server", "--port", str(told["port"])]
        done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=False)
        assert done.returncode == 1
        assert "The fake Slack did not start" in done.stderr
    finally:
        assert _end(process) == 0
