"""The fake GitHub as a process of its own, started and driven by the demo."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bot.demo.github.refusals import CannotDo, Json
from orchestrator.errors import NotReady

PATIENCE = 60.0
"""Seconds that one control request may take; `settle` waits for the CI."""


@dataclass
class GitHubProcess:
    """Ends with this program, or by `close`."""

    process: subprocess.Popen[str]
    api: str
    graphql: str
    page: str
    _control: str
    _secret: str = field(repr=False)

    @classmethod
    def start(cls, folder: Path | None = None) -> GitHubProcess:
        """Raises `NotReady`. `folder`: where its repositories lie; temporary where none is given."""
        argv = [sys.executable, "-m", "bot.demo.github.server", "--port", "0", "--with-parent"]
        argv += ["--folder", str(folder)] if folder is not None else []
        made = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        line = made.stdout.readline() if made.stdout is not None else ""
        if not line:
            msg = f"the fake GitHub ended with code {made.wait(10)}."
            raise NotReady(msg)
        told = json.loads(line)
        return cls(made, told["api"], told["graphql"], told["page"], told["control"], told["secret"])

    def git_url(self, full_name: str) -> str:
        """Where `owner/name` is cloned from."""
        return f"{self.page}{full_name}.git"

    def control(self, name: str, **given: Any) -> Json:  # noqa: ANN401 - arguments of `Control`
        """Do what `Control` can. Raises `CannotDo`."""
        where = urlsplit(self._control + name)
        connection = HTTPConnection(str(where.hostname), where.port or 0, timeout=PATIENCE)
        headers = {"Authorization": f"Bearer {self._secret}", "Content-Type": "application/json"}
        try:
            connection.request("POST", where.path, json.dumps(given), headers)
            with connection.getresponse() as response:
                status, answer = response.status, json.loads(response.read())
        finally:
            connection.close()
        if status != 200:
            raise CannotDo(str(answer.get("error") or answer.get("message")))
        made: Json = answer
        return made

    def outlive_exec(self) -> None:
        """Stay until the program that this one becomes ends."""
        if self.process.stdin is not None:
            os.set_inheritable(self.process.stdin.fileno(), True)  # noqa: FBT003 - the standard library's own form

    def close(self) -> None:
        """End it."""
        if self.process.stdin is not None:
            self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)
        if self.process.stdout is not None:
            self.process.stdout.close()
